package graphtarget

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"net/url"

	"github.com/dirbridge/dirbridge/target"
)

// A page is a part of a list, and where the next one is.
type page struct {
	Value []map[string]any `json:"value"`
	Next  string           `json:"@odata.nextLink"`
	Delta string           `json:"@odata.deltaLink"` // on the last page of a delta
}

var errNoPage = errors.New("the reply isn't a page of a list")

func decodeList(r reply) (page, error) {
	var p page
	if !r.ok() || r.err != nil {
		return page{}, errNoPage
	}
	if err := json.Unmarshal(r.body, &p); err != nil || p.Value == nil {
		return page{}, errNoPage // the decoder's text may quote a value
	}
	return p, nil
}

// decodePage reads a page of users.
func decodePage(r reply) (found []target.Object, next string, err error) {
	p, err := decodeList(r)
	if err != nil {
		return nil, "", err
	}
	return decodeAll(target.User, p.Value), p.Next, nil
}

func decodeAll(kind target.Kind, items []map[string]any) (found []target.Object) {
	for _, item := range items {
		if o, ok := decodeObject(kind, item); ok {
			found = append(found, o)
		}
	}
	return found
}

// decodeOne reads a single user.
func decodeOne(r reply) (target.Object, bool) {
	var u map[string]any
	if !r.ok() || json.Unmarshal(r.body, &u) != nil {
		return target.Object{}, false
	}
	return decodeUser(u)
}

const (
	// maxPages ends a list that doesn't. It is room for ten million users
	// at 100 a page, more than a tenant can hold.
	maxPages = 100_000
	// maxEmptyPages ends one that goes on without giving anything.
	maxEmptyPages = 100
)

// pages yields what is on the pages of a list; see walk.
func (t *Target) pages(ctx context.Context, first call) iter.Seq2[[]map[string]any, error] {
	return func(yield func([]map[string]any, error) bool) {
		for p, err := range t.walk(ctx, first) {
			if !yield(p.Value, err) {
				return
			}
		}
	}
}

// walk yields the pages of a list. While the caller is busy with one, the
// next is fetched. An error is yielded once, last.
func (t *Target) walk(ctx context.Context, first call) iter.Seq2[page, error] {
	return func(yield func(page, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		next := t.fetch(ctx, first)
		defer func() {
			cancel()
			if next != nil {
				<-next // nothing goes on after we return
			}
		}()
		empty := 0
		seen := map[string]bool{} // links that were followed
		for n := 1; next != nil; n++ {
			got := <-next
			next = nil
			if got.err == nil && got.page.Next != "" {
				if len(got.page.Value) == 0 {
					empty++
				}
				link, err := t.follow(got.page.Next)
				switch {
				case err != nil:
					got.err = err
				case seen[got.page.Next]:
					got.err = unavailable("the list goes in a circle")
				case n >= maxPages, empty >= maxEmptyPages:
					got.err = unavailable("the list has no end")
				default:
					seen[got.page.Next] = true
					next = t.fetch(ctx, link)
				}
			}
			if got.err != nil {
				yield(page{}, got.err)
				return
			}
			if !yield(got.page, nil) {
				return
			}
		}
	}
}

type fetched struct {
	page page
	err  error
}

// fetch reads one page in a goroutine, which ends with its one result.
func (t *Target) fetch(ctx context.Context, c call) chan fetched {
	out := make(chan fetched, 1)
	go func() {
		defer close(out)
		var f fetched
		r := t.read(ctx, []call{c}, true)[0]
		if p, err := decodeList(r); err != nil {
			f.err = readError(r)
		} else {
			f.page = p
		}
		out <- f
	}()
	return out
}

// follow makes the call for a nextLink. The link is opaque and is taken as it
// is, but it must stay where the first page came from: the call carries a token.
func (t *Target) follow(link string) (call, error) {
	u, err := url.Parse(link)
	if err != nil || !t.wire.where.owns(u) {
		return call{}, unavailable("the link to the next page leads to another host")
	}
	return call{method: http.MethodGet, url: u}, nil
}

func unavailable(why string) error {
	return &target.Error{Sentinel: target.ErrUnavailable, Err: fmt.Errorf("%s", why)}
}
