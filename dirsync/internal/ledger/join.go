package ledger

import (
	"context"
	"encoding/json"
	"iter"
	"strings"

	"github.com/dirbridge/dirbridge/dirsync/plan"
	"github.com/dirbridge/dirbridge/mapping"
	"github.com/dirbridge/dirbridge/source"
)

// A Part is what the source says of one object that is joined with others, where
// the Entry holds what became of all of them.
type Part struct {
	Object   source.Object    `json:"object"`
	Presence plan.Presence    `json:"presence"`
	Evidence *source.Evidence `json:"evidence,omitempty"`
}

// A Joined says how an object is joined with others.
type Joined struct {
	// Key is what it has in common with them.
	Key string `json:"key,omitempty"`

	// To is the object that carries the account of their person, "" if it is
	// this one.
	To source.ID `json:"to,omitempty"`

	// Own is what the source says of this object, if the Entry holds something
	// else: it carries the account, and the values of all.
	Own *Part `json:"own,omitempty"`

	// Tangle says why nothing can be decided about the person.
	Tangle *mapping.Problem `json:"tangle,omitempty"`
}

// Own is what the source says of e alone.
func (e *Entry) Own() Part {
	if e.Joined.Own != nil {
		return *e.Joined.Own
	}
	return Part{e.Object, e.Presence, e.Evidence}
}

// Uncouple makes e what the source says of it alone.
func (e *Entry) Uncouple() {
	own := e.Own()
	e.Object, e.Presence, e.Evidence, e.Joined.Own = own.Object, own.Presence, own.Evidence, nil
}

func (k keys) joins() string            { return "join/" + k.pair() + "/" }
func (k keys) join(key string) string   { return k.joins() + part(key) + "/" }
func (k keys) rejoins() string          { return "rejoin/" + k.pair() + "/" }
func (k keys) rejoin(key string) string { return k.rejoins() + part(key) }

// SetJoinKey moves id from the join key old to key; the persons of both have to
// be put together again.
func (l *Ledger) SetJoinKey(id source.ID, old, key string) {
	if old != "" && old != key {
		l.Remove(l.keys.join(old) + string(id))
		l.Put(l.keys.rejoin(old), []byte("true"))
	}
	if key != "" {
		l.Put(l.keys.join(key)+string(id), []byte("true"))
		l.Put(l.keys.rejoin(key), []byte("true"))
	}
}

// Rejoins yields the persons that have to be put together again, by what
// [Ledger.PartsOf] and [Ledger.ClearRejoin] know them by.
func (l *Ledger) Rejoins(ctx context.Context) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for rec, err := range l.Scan(ctx, l.keys.rejoins()) {
			if !yield(strings.TrimPrefix(rec.Key, l.keys.rejoins()), err) || err != nil {
				return
			}
		}
	}
}

// ClearRejoin says that the person was.
func (l *Ledger) ClearRejoin(person string) { l.Remove(l.keys.rejoins() + person) }

// PartsOf yields the objects that have the person's key, by ID.
func (l *Ledger) PartsOf(ctx context.Context, person string) iter.Seq2[Keyed[json.RawMessage], error] {
	return list[json.RawMessage](ctx, l.Buffer, l.keys.joins()+person+"/")
}
