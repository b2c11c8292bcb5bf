package ledger

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"

	"github.com/dirbridge/dirbridge/dirsync/plan"
	"github.com/dirbridge/dirbridge/source"
	"github.com/dirbridge/dirbridge/state"
	"github.com/dirbridge/dirbridge/target"
)

// A Ledger is the typed view of one pair of source and target. It is for one
// goroutine. Writes are gathered in its [Buffer]: Flush makes them durable.
type Ledger struct {
	*Buffer
	keys keys
}

// New returns the ledger of this pair in store.
func New(store state.Store, sourceName, targetName string) *Ledger {
	return &Ledger{Buffer: NewBuffer(store), keys: keys{sourceName, targetName}}
}

func load[T any](ctx context.Context, b *Buffer, key string) (*T, error) {
	v, err := b.Get(ctx, key)
	if v == nil || err != nil {
		return nil, err
	}
	x := new(T)
	if err := json.Unmarshal(v, x); err != nil {
		return nil, fmt.Errorf("record %q: %w", key, err)
	}
	return x, nil
}

func save(b *Buffer, key string, x any) error {
	v, err := json.Marshal(x)
	if err != nil {
		return fmt.Errorf("record %q: %w", key, err)
	}
	b.Put(key, v)
	return nil
}

// list yields the records under prefix, decoded, with the ID at the end of
// their keys.
func list[T any](ctx context.Context, b *Buffer, prefix string) iter.Seq2[Keyed[T], error] {
	return func(yield func(Keyed[T], error) bool) {
		for rec, err := range b.Scan(ctx, prefix) {
			k := Keyed[T]{ID: idOf(rec.Key)}
			if err == nil {
				if err = json.Unmarshal(rec.Value, &k.Value); err != nil {
					err = fmt.Errorf("record %q: %w", rec.Key, err)
				}
			}
			if err != nil {
				yield(Keyed[T]{}, err)
				return
			}
			if !yield(k, nil) {
				return
			}
		}
	}
}

// A Keyed is a record's content with the object that it is about.
type Keyed[T any] struct {
	ID    source.ID
	Value T
}

// Facts returns the facts, the zero value before the first run.
func (l *Ledger) Facts(ctx context.Context) (*Facts, error) {
	f, err := load[Facts](ctx, l.Buffer, l.keys.facts())
	if f == nil {
		f = &Facts{}
	}
	return f, err
}

// SetFacts keeps f.
func (l *Ledger) SetFacts(f *Facts) error { return save(l.Buffer, l.keys.facts(), f) }

// Watermark returns the watermark of one of the sources, the zero value before
// the first.
func (l *Ledger) Watermark(ctx context.Context, home string) (Watermark, error) {
	w, err := load[Watermark](ctx, l.Buffer, l.keys.watermark(home))
	if w == nil {
		w = &Watermark{}
	}
	return *w, err
}

// SetWatermark keeps w as that of one of the sources.
func (l *Ledger) SetWatermark(home string, w Watermark) error {
	return save(l.Buffer, l.keys.watermark(home), w)
}

// Head returns the head of the entry of id, nil if there is none.
func (l *Ledger) Head(ctx context.Context, id source.ID) (*Head, error) {
	v, err := l.Get(ctx, l.keys.object(id))
	if v == nil || err != nil {
		return nil, err
	}
	h, err := DecodeHead(v)
	return &h, err
}

// Entry returns what is remembered of id, nil if nothing is.
func (l *Ledger) Entry(ctx context.Context, id source.ID) (*Entry, error) {
	v, err := l.Get(ctx, l.keys.object(id))
	if v == nil || err != nil {
		return nil, err
	}
	e, err := decodeEntry(v)
	if err != nil {
		return nil, fmt.Errorf("object %s: %w", id, err)
	}
	return e, nil
}

// SetEntry keeps e.
func (l *Ledger) SetEntry(e *Entry) error {
	v, err := e.encode()
	if err != nil {
		return fmt.Errorf("object %s: %w", e.Object.ID, err)
	}
	l.Put(l.keys.object(e.Object.ID), v)
	return nil
}

// Forget removes the entry of id; its index keys must be gone.
func (l *Ledger) Forget(id source.ID) { l.Remove(l.keys.object(id)) }

// Heads yields the head of every entry.
func (l *Ledger) Heads(ctx context.Context) iter.Seq2[Keyed[Head], error] {
	return func(yield func(Keyed[Head], error) bool) {
		for rec, err := range l.Scan(ctx, l.keys.objects()) {
			k := Keyed[Head]{ID: idOf(rec.Key)}
			if err == nil {
				k.Value, err = DecodeHead(rec.Value)
			}
			if err != nil {
				yield(Keyed[Head]{}, err)
				return
			}
			if !yield(k, nil) {
				return
			}
		}
	}
}

// SetDue marks id as to be planned.
func (l *Ledger) SetDue(id source.ID, d Due) error { return save(l.Buffer, l.keys.due(id), d) }

// ClearDue says that nothing is left to do for id.
func (l *Ledger) ClearDue(id source.ID) { l.Remove(l.keys.due(id)) }

// Due returns the mark of id, nil if it has none.
func (l *Ledger) Due(ctx context.Context, id source.ID) (*Due, error) {
	return load[Due](ctx, l.Buffer, l.keys.due(id))
}

// Dues yields what has to be planned, by ID.
func (l *Ledger) Dues(ctx context.Context) iter.Seq2[Keyed[Due], error] {
	return list[Due](ctx, l.Buffer, l.keys.dues())
}

// SetProblems keeps what is wrong with id; none removes the record.
func (l *Ledger) SetProblems(id source.ID, ps []plan.Problem) error {
	if len(ps) == 0 {
		l.Remove(l.keys.problem(id))
		return nil
	}
	return save(l.Buffer, l.keys.problem(id), ps)
}

// ProblemsOf returns what is kept as wrong with id.
func (l *Ledger) ProblemsOf(ctx context.Context, id source.ID) ([]plan.Problem, error) {
	ps, err := load[[]plan.Problem](ctx, l.Buffer, l.keys.problem(id))
	if ps == nil {
		return nil, err
	}
	return *ps, err
}

// Problems yields all that is wrong, by ID.
func (l *Ledger) Problems(ctx context.Context) iter.Seq2[Keyed[[]plan.Problem], error] {
	return list[[]plan.Problem](ctx, l.Buffer, l.keys.problems())
}

// SetIntent keeps in, to be made durable before the call.
func (l *Ledger) SetIntent(in Intent) error {
	return save(l.Buffer, l.keys.intent(in.Change.Source), in)
}

// Intent returns the open intent of id, nil if it has none.
func (l *Ledger) Intent(ctx context.Context, id source.ID) (*Intent, error) {
	return load[Intent](ctx, l.Buffer, l.keys.intent(id))
}

// ClearIntent says that the outcome for id is settled.
func (l *Ledger) ClearIntent(id source.ID) { l.Remove(l.keys.intent(id)) }

// Intents yields the changes with an open outcome, by ID.
func (l *Ledger) Intents(ctx context.Context) iter.Seq2[Keyed[Intent], error] {
	return list[Intent](ctx, l.Buffer, l.keys.intents())
}

// Owner returns the object that owns the target object id, "" if none does.
func (l *Ledger) Owner(ctx context.Context, id target.ID) (source.ID, error) {
	v, err := l.Get(ctx, l.keys.link(id))
	return source.ID(v), err
}

// SetOwner keeps that id owns the target object.
func (l *Ledger) SetOwner(t target.ID, id source.ID) { l.Put(l.keys.link(t), []byte(id)) }

// ClearOwner forgets the owner of the target object.
func (l *Ledger) ClearOwner(t target.ID) { l.Remove(l.keys.link(t)) }
