package main

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"
	"sync"

	"github.com/dirbridge/dirbridge/target"
)

// A phoneList is a target without any optional ability. An entry's ID is its
// anchor, so that a create that is repeated finds its own entry.
type phoneList struct {
	mu      sync.Mutex
	entries map[target.ID]target.Object
}

func newPhoneList() *phoneList { return &phoneList{entries: map[target.ID]target.Object{}} }

func (*phoneList) Name() string { return "phonelist" }

func (l *phoneList) Current(context.Context) iter.Seq2[target.Object, error] {
	return func(yield func(target.Object, error) bool) {
		l.mu.Lock()
		entries := maps.Clone(l.entries)
		l.mu.Unlock()
		for _, id := range slices.Sorted(maps.Keys(entries)) {
			if !yield(entries[id], nil) {
				return
			}
		}
	}
}

func (l *phoneList) Apply(_ context.Context, c target.Change) (target.Object, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	id := c.ID
	if c.Op == target.Create {
		id = target.ID(c.Anchor)
	}
	o, known := l.entries[id]
	switch {
	case c.Op == target.Delete:
		delete(l.entries, id)
		return o, nil
	case c.Op == target.Create && known && !c.Repeat:
		return o, &target.Error{Sentinel: target.ErrExists, Attribute: "onPremisesImmutableId"}
	case c.Op != target.Create && !known:
		return o, &target.Error{Sentinel: target.ErrNotFound, Err: fmt.Errorf("no entry %s", id)}
	}
	values := o.Attributes.Clone()
	maps.Copy(values, c.Set.Clone())
	o = target.Object{ID: id, Kind: c.Kind, Anchor: c.Anchor, Attributes: values}
	l.entries[id] = o
	return o, nil
}
