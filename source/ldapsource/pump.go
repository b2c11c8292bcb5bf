package ldapsource

import (
	"errors"
	"iter"
	"sync"

	"github.com/dirbridge/dirbridge/source"
	"github.com/go-ldap/ldap/v3"
)

// errStopped ends a producer whose reader has had enough.
var errStopped = errors.New("the reader stopped")

// pump runs produce beside the reader of the sequence that it returns, so that
// the next page is asked for while the reader works on this one. At most size
// events wait between them. The goroutine is joined before the sequence
// returns, however it ends.
func (o *op) pump(size int, produce func(emit func(source.Event) error) error) iter.Seq2[source.Event, error] {
	return func(yield func(source.Event, error) bool) {
		events := make(chan source.Event, size)
		stop := make(chan struct{})
		var wg sync.WaitGroup
		var err error
		wg.Go(func() {
			defer close(events)
			err = produce(func(e source.Event) error {
				select {
				case events <- e:
					return nil
				default:
				}
				// The reader is slow, which is not the server's fault: it may
				// have sent everything and be silent.
				defer o.sess.guard.pause()()
				select {
				case events <- e:
					return nil
				case <-stop:
					return errStopped
				}
			})
		})
		for e := range events {
			if !yield(e, nil) {
				close(stop)
				o.sess.kill() // the producer may be waiting for the server
				wg.Wait()
				o.sess.unusable = true
				return
			}
		}
		wg.Wait()
		if err != nil {
			yield(source.Event{}, err)
		}
	}
}

// read searches q page by page and gives each entry, whole, to each. An entry
// with a part of its values waits until its page is complete: only then is the
// connection free to fetch the rest.
func (o *op) read(q query, each func(*ldap.Entry) error) error {
	var parts []*ldap.Entry
	return o.sess.paged(o.ctx, q, o.src.opts.PageSize,
		func(e *ldap.Entry) error {
			if partial(e) {
				parts = append(parts, e)
				return nil
			}
			return each(e)
		},
		func() error {
			for _, e := range parts {
				e, err := o.sess.whole(o.ctx, e, q)
				if err != nil {
					return err
				}
				if e == nil {
					continue
				}
				if err := each(e); err != nil {
					return err
				}
			}
			parts = nil
			return nil
		})
}
