package sourcetest_test

import (
	"context"
	"iter"

	"github.com/dirbridge/dirbridge/internal/fault"
	"github.com/dirbridge/dirbridge/source"
)

// change makes another sequence of one.
type change func(iter.Seq2[source.Event, error]) iter.Seq2[source.Event, error]

// broken is a source whose answers are changed where a field isn't nil.
type broken struct {
	fault.AbleSource
	name       func() string
	all, since change
	poll       func(bool) bool
	find       func(ids []source.ID, found []source.Event) []source.Event
	resolve    func(name string, ids []source.ID) (string, []source.ID) // what is asked, and what is answered
	deaf       bool
	cut        error
	n          int
}

func (b *broken) both(c change) { b.all, b.since = c, c }

func (b *broken) Name() string {
	if b.name != nil {
		return b.name()
	}
	return b.AbleSource.Name()
}

func (b *broken) listen(ctx context.Context) context.Context {
	if b.deaf {
		return context.WithoutCancel(ctx)
	}
	return ctx
}

func (b *broken) All(ctx context.Context) iter.Seq2[source.Event, error] {
	events := b.AbleSource.All(b.listen(ctx))
	if b.all != nil {
		return b.all(events)
	}
	return events
}

func (b *broken) Since(ctx context.Context, w source.Watermark) iter.Seq2[source.Event, error] {
	events := b.AbleSource.Since(b.listen(ctx), w)
	if b.since != nil {
		return b.since(events)
	}
	return events
}

func (b *broken) Poll(ctx context.Context, w source.Watermark) (bool, error) {
	maybe, err := b.AbleSource.Poll(ctx, w)
	if b.poll != nil {
		return b.poll(maybe), nil
	}
	return maybe, err
}

func (b *broken) Find(ctx context.Context, ids []source.ID) iter.Seq2[source.Event, error] {
	events := b.AbleSource.Find(ctx, ids)
	if b.find == nil {
		return events
	}
	return func(yield func(source.Event, error) bool) {
		var found []source.Event
		for e := range ok(events) {
			found = append(found, e)
		}
		for _, e := range b.find(ids, found) {
			if !yield(e, nil) {
				return
			}
		}
	}
}

func (b *broken) Resolve(ctx context.Context, name string) ([]source.ID, error) {
	if b.resolve == nil {
		return source.Resolve(ctx, b.AbleSource, name)
	}
	asked, _ := b.resolve(name, nil)
	ids, err := source.Resolve(b.listen(ctx), b.AbleSource, asked)
	_, ids = b.resolve(name, ids)
	return ids, err
}

// ok are the events before an error.
func ok(events iter.Seq2[source.Event, error]) iter.Seq[source.Event] {
	return func(yield func(source.Event) bool) {
		for e, err := range events {
			if err != nil || !yield(e) {
				return
			}
		}
	}
}

// skip leaves events out.
func skip(out func(source.Event) bool) change {
	return func(events iter.Seq2[source.Event, error]) iter.Seq2[source.Event, error] {
		return func(yield func(source.Event, error) bool) {
			for e, err := range events {
				if err == nil && out(e) {
					continue
				}
				if !yield(e, err) {
					return
				}
			}
		}
	}
}

// each changes events.
func each(edit func(*source.Event)) change {
	return func(events iter.Seq2[source.Event, error]) iter.Seq2[source.Event, error] {
		return func(yield func(source.Event, error) bool) {
			for e, err := range events {
				if err == nil {
					edit(&e)
				}
				if !yield(e, err) {
					return
				}
			}
		}
	}
}
