package ledger

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"time"

	"github.com/dirbridge/dirbridge/source"
)

// A RefKey names a reference: one object, the holder, refers to another one by
// an attribute, as the target calls it (members, owners, manager).
type RefKey struct {
	Holder    source.ID
	Attribute string
	To        source.ID
}

// A Certainty says whether the target has a reference.
type Certainty byte

const (
	No Certainty = iota
	Yes
	Unsure // it may have it
)

// A Standing says why a wanted reference isn't at the target, in rest.
type Standing byte

const (
	Plain   Standing = iota // it is, or is to be written
	Waiting                 // for the account of the object that it points at
	Dropped                 // that object is unknown, out of scope or skipped by rule
	Gone                    // that object is deleted
)

// A Ref is what is remembered of one reference.
type Ref struct {
	Wanted   bool // the source says it
	Applied  Certainty
	Standing Standing
}

const refVersion = 1

// A RefDue says that a reference has to be written, or looked at.
type RefDue struct {
	Attempts int       `json:"attempts,omitempty"`
	Next     time.Time `json:"next,omitzero"`

	// Refused is why the target refused it the last time.
	Refused string `json:"refused,omitempty"`

	// Held says that somebody doesn't want it, until the source says something
	// else.
	Held *Hold `json:"held,omitempty"`
}

// A RefSet counts the references of one object by one attribute.
type RefSet struct {
	Wanted  int `json:"wanted,omitempty"`
	Applied int `json:"applied,omitempty"` // for sure

	// Doubt says that the source told them whole the last time in a way that
	// doesn't prove who is gone.
	Doubt bool `json:"doubt,omitempty"`

	// Told says that the source has told the whole set, and that the state wasn't
	// behind since: who isn't wanted is known to be not wanted.
	Told bool `json:"told,omitempty"`

	// Awaits says that others have added accounts which aren't ours, and which the
	// source seems to mean: they wait to be adopted.
	Awaits bool `json:"awaits,omitempty"`

	// Left counts those that stay as others made them, nil for none.
	Left *LeftRefs `json:"left,omitempty"`
}

// A Wake has the references of an object, and those that point at it, looked at
// again. What it says beyond that happened to the object's account.
type Wake struct {
	Binned   bool `json:"binned,omitempty"`   // it went into the bin
	Restored bool `json:"restored,omitempty"` // it came back
	Lost     bool `json:"lost,omitempty"`     // it is ours no more, or is nowhere
	Compare  bool `json:"compare,omitempty"`  // what it refers to may not be what we know
	Adopted  bool `json:"adopted,omitempty"`  // what it refers to was written by others, and is ours now
}

// A RefSpent is what one run took out of a group's budgets.
type RefSpent struct {
	Run     uint64 `json:"run"`
	Removed int    `json:"removed,omitempty"`
	Added   int    `json:"added,omitempty"`
}

func (k keys) refs(h source.ID, attr string) string {
	p := "ref/" + k.pair() + "/" + string(h) + "/"
	if attr != "" {
		p += attr + "/"
	}
	return p
}
func (k keys) ref(r RefKey) string          { return k.refs(r.Holder, r.Attribute) + string(r.To) }
func (k keys) refsTo(id source.ID) string   { return "refto/" + k.pair() + "/" + string(id) + "/" }
func (k keys) refTo(r RefKey) string        { return k.refsTo(r.To) + string(r.Holder) + "/" + r.Attribute }
func (k keys) refDues(h source.ID) string   { return "refdue/" + k.pair() + "/" + string(h) + "/" }
func (k keys) refDue(r RefKey) string       { return k.refDues(r.Holder) + r.Attribute + "/" + string(r.To) }
func (k keys) refHeads() string             { return "refhead/" + k.pair() + "/" }
func (k keys) refWait(id source.ID) string  { return "refwait/" + k.pair() + "/" + string(id) }
func (k keys) refWakes() string             { return "refwake/" + k.pair() + "/" }
func (k keys) refPurges() string            { return "refpurge/" + k.pair() + "/" }
func (k keys) refIntents() string           { return "refintent/" + k.pair() + "/" }
func (k keys) refSpent(id source.ID) string { return "refspent/" + k.pair() + "/" + string(id) }
func (k keys) refSet(h source.ID, a string) string {
	return "refset/" + k.pair() + "/" + string(h) + "/" + a
}

// Ref returns what is remembered of a reference, nil if nothing is.
func (l *Ledger) Ref(ctx context.Context, k RefKey) (*Ref, error) {
	v, err := l.Get(ctx, l.keys.ref(k))
	if v == nil || err != nil {
		return nil, err
	}
	return decodeRef(v)
}

func decodeRef(v []byte) (*Ref, error) {
	if len(v) != 4 || v[0] != refVersion || v[2] > byte(Unsure) || v[3] > byte(Gone) {
		return nil, errors.New("reference record has an unknown form")
	}
	return &Ref{Wanted: v[1] == 1, Applied: Certainty(v[2]), Standing: Standing(v[3])}, nil
}

// SetRef keeps x, of which was is what was remembered before (nil for nothing).
// One that is neither wanted nor at the target is forgotten.
func (l *Ledger) SetRef(k RefKey, was *Ref, x Ref) {
	if !x.Wanted && x.Applied == No {
		l.Remove(l.keys.ref(k))
		l.Remove(l.keys.refTo(k))
		return
	}
	wanted := byte(0)
	if x.Wanted {
		wanted = 1
	}
	l.Put(l.keys.ref(k), []byte{refVersion, wanted, byte(x.Applied), byte(x.Standing)})
	if was == nil {
		l.Put(l.keys.refTo(k), []byte{1})
	}
}

// Refs yields the references of holder by attribute, all for "".
func (l *Ledger) Refs(ctx context.Context, holder source.ID, attribute string) iter.Seq2[RefKey, error] {
	prefix := l.keys.refs(holder, attribute)
	return l.refKeys(ctx, prefix, func(rest string) (RefKey, bool) {
		if attribute != "" {
			return RefKey{holder, attribute, source.ID(rest)}, true
		}
		attr, to, ok := strings.Cut(rest, "/")
		return RefKey{holder, attr, source.ID(to)}, ok
	})
}

// RefsTo yields the references that point at id.
func (l *Ledger) RefsTo(ctx context.Context, id source.ID) iter.Seq2[RefKey, error] {
	return l.refKeys(ctx, l.keys.refsTo(id), func(rest string) (RefKey, bool) {
		holder, attr, ok := strings.Cut(rest, "/")
		return RefKey{source.ID(holder), attr, id}, ok
	})
}

func (l *Ledger) refKeys(ctx context.Context, prefix string, parse func(string) (RefKey, bool)) iter.Seq2[RefKey, error] {
	return func(yield func(RefKey, error) bool) {
		for rec, err := range l.Scan(ctx, prefix) {
			var k RefKey
			if err == nil {
				ok := false
				if k, ok = parse(strings.TrimPrefix(rec.Key, prefix)); !ok {
					err = fmt.Errorf("record %q: unknown form", rec.Key)
				}
			}
			if !yield(k, err) || err != nil {
				return
			}
		}
	}
}

// SetRefDue marks a reference, and its holder, as due.
func (l *Ledger) SetRefDue(k RefKey, d RefDue) error {
	l.SetRefHead(k.Holder)
	return save(l.Buffer, l.keys.refDue(k), d)
}

// ClearRefDue says that nothing is left to do for a reference.
func (l *Ledger) ClearRefDue(k RefKey) { l.Remove(l.keys.refDue(k)) }

// RefDue returns the mark of a reference, nil if it has none.
func (l *Ledger) RefDue(ctx context.Context, k RefKey) (*RefDue, error) {
	return load[RefDue](ctx, l.Buffer, l.keys.refDue(k))
}

// RefDues yields the due references of holder, by attribute, then by ID.
func (l *Ledger) RefDues(ctx context.Context, holder source.ID) iter.Seq2[RefKey, error] {
	return l.refKeys(ctx, l.keys.refDues(holder), func(rest string) (RefKey, bool) {
		attr, to, ok := strings.Cut(rest, "/")
		return RefKey{holder, attr, source.ID(to)}, ok
	})
}

// SetRefHead marks holder as having due references, to be looked at at once.
func (l *Ledger) SetRefHead(holder source.ID) {
	l.Put(l.keys.refHeads()+string(holder), []byte("{}"))
}

// DelayRefHead has the references of holder left alone until d's time: the
// target refused to change them at all.
func (l *Ledger) DelayRefHead(holder source.ID, d RefDue) error {
	return save(l.Buffer, l.keys.refHeads()+string(holder), d)
}

// ClearRefHead takes that mark away.
func (l *Ledger) ClearRefHead(holder source.ID) { l.Remove(l.keys.refHeads() + string(holder)) }

// RefHeads yields the holders that have the mark.
func (l *Ledger) RefHeads(ctx context.Context) iter.Seq2[Keyed[RefDue], error] {
	return list[RefDue](ctx, l.Buffer, l.keys.refHeads())
}

func (l *Ledger) ids(ctx context.Context, prefix string) iter.Seq2[source.ID, error] {
	return func(yield func(source.ID, error) bool) {
		for rec, err := range l.Scan(ctx, prefix) {
			if !yield(source.ID(strings.TrimPrefix(rec.Key, prefix)), err) || err != nil {
				return
			}
		}
	}
}

// SetRefWait notes that references of id, or to it, wait for its account.
func (l *Ledger) SetRefWait(id source.ID) { l.Put(l.keys.refWait(id), []byte{1}) }

// RefWaits yields the objects of which some do.
func (l *Ledger) RefWaits(ctx context.Context) iter.Seq2[source.ID, error] {
	return l.ids(ctx, l.keys.refWait(""))
}

// RefWait reports whether some do.
func (l *Ledger) RefWait(ctx context.Context, id source.ID) (bool, error) {
	v, err := l.Get(ctx, l.keys.refWait(id))
	return v != nil, err
}

// ClearRefWait takes the note away.
func (l *Ledger) ClearRefWait(id source.ID) { l.Remove(l.keys.refWait(id)) }

// SetWake adds w to what woke id before.
func (l *Ledger) SetWake(ctx context.Context, id source.ID, w Wake) error {
	key := l.keys.refWakes() + string(id)
	old, err := load[Wake](ctx, l.Buffer, key)
	if err != nil {
		return err
	}
	if old != nil {
		w.Binned, w.Restored = w.Binned || old.Binned, w.Restored || old.Restored
		w.Lost, w.Compare, w.Adopted = w.Lost || old.Lost, w.Compare || old.Compare, w.Adopted || old.Adopted
	}
	return save(l.Buffer, key, w)
}

// ClearWake says that all that concerns id is due.
func (l *Ledger) ClearWake(id source.ID) { l.Remove(l.keys.refWakes() + string(id)) }

// Wakes yields those that were woken.
func (l *Ledger) Wakes(ctx context.Context) iter.Seq2[Keyed[Wake], error] {
	return list[Wake](ctx, l.Buffer, l.keys.refWakes())
}

// SetPurge has the references of holder forgotten.
func (l *Ledger) SetPurge(holder source.ID) { l.Put(l.keys.refPurges()+string(holder), []byte{1}) }

// ClearPurge says that they are.
func (l *Ledger) ClearPurge(holder source.ID) { l.Remove(l.keys.refPurges() + string(holder)) }

// Purges yields the holders whose references are to be forgotten.
func (l *Ledger) Purges(ctx context.Context) iter.Seq2[source.ID, error] {
	return l.ids(ctx, l.keys.refPurges())
}

// RefSet returns the counts of a holder's references, zeroes for none.
func (l *Ledger) RefSet(ctx context.Context, holder source.ID, attribute string) (RefSet, error) {
	s, err := load[RefSet](ctx, l.Buffer, l.keys.refSet(holder, attribute))
	if s == nil {
		s = &RefSet{}
	}
	return *s, err
}

// SetRefSet keeps them.
func (l *Ledger) SetRefSet(holder source.ID, attribute string, s RefSet) error {
	key := l.keys.refSet(holder, attribute)
	if s == (RefSet{}) {
		l.Remove(key)
		return nil
	}
	return save(l.Buffer, key, s)
}

// SetRefIntent keeps the change of references that goes on the wire; each holder
// has one at a time.
func (l *Ledger) SetRefIntent(in Intent) error {
	return save(l.Buffer, l.keys.refIntents()+string(in.Change.Source), in)
}

// RefIntent returns it, nil if there is none.
func (l *Ledger) RefIntent(ctx context.Context, holder source.ID) (*Intent, error) {
	return load[Intent](ctx, l.Buffer, l.keys.refIntents()+string(holder))
}

// ClearRefIntent says that its outcome is settled.
func (l *Ledger) ClearRefIntent(holder source.ID) { l.Remove(l.keys.refIntents() + string(holder)) }

// RefIntents yields those with an open outcome.
func (l *Ledger) RefIntents(ctx context.Context) iter.Seq2[Keyed[Intent], error] {
	return list[Intent](ctx, l.Buffer, l.keys.refIntents())
}

// RefSpent returns what runs took out of a group's budgets, the oldest first.
func (l *Ledger) RefSpent(ctx context.Context, group source.ID) ([]RefSpent, error) {
	s, err := load[[]RefSpent](ctx, l.Buffer, l.keys.refSpent(group))
	if s == nil {
		return nil, err
	}
	return *s, err
}

// SetRefSpent keeps that; none removes the record.
func (l *Ledger) SetRefSpent(group source.ID, s []RefSpent) error {
	if len(s) == 0 {
		l.Remove(l.keys.refSpent(group))
		return nil
	}
	return save(l.Buffer, l.keys.refSpent(group), s)
}
