package ledger

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/dirbridge/dirbridge/source"
	"github.com/dirbridge/dirbridge/target"
)

// What others do to references, one record for each (see drift.go for accounts):
//
//	reflook/S/T/HOLDER/ATTR/TARGETID   RefLook: it has to be looked at
//	refsweep/S/T/HOLDER                all references of it have to be looked at
//	refdrift/S/T/HOLDER/ATTR/ID        RefDrift: what others did to it
//	refwrote/S/T/HOLDER                when its references were last written

// A RefLook says that a reference at the target has to be looked at, since
// something seems to have happened to it.
type RefLook struct {
	// After is the earliest time. Zero is at once.
	After time.Time `json:"after,omitzero"`

	// Last says that nothing more has to be expected of a replica that lags.
	Last bool `json:"last,omitempty"`
}

// A RefSpot is a reference as the target names it.
type RefSpot struct {
	Holder    source.ID
	Attribute string
	To        target.ID
}

// A RefDrift is what others did to a reference of ours, as far as it has to be
// remembered.
type RefDrift struct {
	// Times is how often in a row it was put back, At the last time. Held says
	// that the target has shown ours since.
	Times int       `json:"times,omitempty"`
	At    time.Time `json:"at,omitzero"`
	Held  bool      `json:"held,omitempty"`

	// Left says that it stays as others made it: Added, or else removed.
	// Persists and Protected say why, if it isn't for the policy.
	Left      bool `json:"left,omitempty"`
	Added     bool `json:"added,omitempty"`
	Persists  bool `json:"persists,omitempty"`
	Protected bool `json:"protected,omitempty"`

	// Names are the anchor and the names of a stranger that is to be removed, by
	// attribute: a newcomer may turn out to want that account.
	Names map[string]string `json:"names,omitempty"`
}

// LeftRefs counts the references of one object by one attribute that stay as
// others made them.
type LeftRefs struct {
	Added     int `json:"added,omitempty"`
	Removed   int `json:"removed,omitempty"`
	Persists  int `json:"persists,omitempty"`  // of both
	Protected int `json:"protected,omitempty"` // of both

	// Some are a few of them, for people.
	Some []source.ID `json:"some,omitempty"`
}

// mostSome is how many references are named.
const mostSome = 5

// Count returns l with n more of d, which is about to; nil if nothing is left.
func (l *LeftRefs) Count(to source.ID, d *RefDrift, n int) *LeftRefs {
	if d == nil || !d.Left {
		return l
	}
	var out LeftRefs
	if l != nil {
		out = *l
	}
	if d.Added {
		out.Added += n
	} else {
		out.Removed += n
	}
	if d.Persists {
		out.Persists += n
	}
	if d.Protected {
		out.Protected += n
	}
	out.Some = slices.DeleteFunc(slices.Clone(out.Some), func(id source.ID) bool { return id == to })
	if n > 0 && len(out.Some) < mostSome {
		out.Some = append(out.Some, to)
	}
	if out.Added+out.Removed == 0 {
		return nil
	}
	return &out
}

func (k keys) refLooks() string { return "reflook/" + k.pair() + "/" }
func (k keys) refLook(s RefSpot) string {
	return k.refLooks() + string(s.Holder) + "/" + s.Attribute + "/" + string(s.To)
}
func (k keys) refSweeps() string            { return "refsweep/" + k.pair() + "/" }
func (k keys) refDrifts(h source.ID) string { return "refdrift/" + k.pair() + "/" + string(h) + "/" }
func (k keys) refDrift(r RefKey) string {
	return k.refDrifts(r.Holder) + r.Attribute + "/" + string(r.To)
}
func (k keys) refWrote(h source.ID) string { return "refwrote/" + k.pair() + "/" + string(h) }

// SetRefLook keeps that a reference has to be looked at.
func (l *Ledger) SetRefLook(s RefSpot, k RefLook) error { return save(l.Buffer, l.keys.refLook(s), k) }

// ClearRefLook says that it was looked at.
func (l *Ledger) ClearRefLook(s RefSpot) { l.Remove(l.keys.refLook(s)) }

// A RefToLook is a reference that has to be looked at.
type RefToLook struct {
	RefSpot
	RefLook
}

// RefLooks yields them by holder, attribute and ID.
func (l *Ledger) RefLooks(ctx context.Context) iter.Seq2[RefToLook, error] {
	prefix := l.keys.refLooks()
	return func(yield func(RefToLook, error) bool) {
		for rec, err := range l.Scan(ctx, prefix) {
			var k RefToLook
			if err == nil {
				parts := strings.SplitN(strings.TrimPrefix(rec.Key, prefix), "/", 3)
				if len(parts) != 3 {
					err = fmt.Errorf("record %q: unknown form", rec.Key)
				} else {
					k.RefSpot = RefSpot{source.ID(parts[0]), parts[1], target.ID(parts[2])}
					if err = json.Unmarshal(rec.Value, &k.RefLook); err != nil {
						err = fmt.Errorf("record %q: %w", rec.Key, err)
					}
				}
			}
			if !yield(k, err) || err != nil {
				return
			}
		}
	}
}

// SetRefSweep keeps that all references of holder have to be looked at.
func (l *Ledger) SetRefSweep(holder source.ID) {
	l.Put(l.keys.refSweeps()+string(holder), []byte{1})
}

// ClearRefSweep says that they were.
func (l *Ledger) ClearRefSweep(holder source.ID) { l.Remove(l.keys.refSweeps() + string(holder)) }

// RefSweeps yields whose references all have to be looked at.
func (l *Ledger) RefSweeps(ctx context.Context) iter.Seq2[source.ID, error] {
	return l.ids(ctx, l.keys.refSweeps())
}

// RefDrift returns what others did to a reference, nil if nothing is remembered.
func (l *Ledger) RefDrift(ctx context.Context, k RefKey) (*RefDrift, error) {
	return load[RefDrift](ctx, l.Buffer, l.keys.refDrift(k))
}

// SetRefDrift keeps d; nil, and one without anything to remember, removes the
// record.
func (l *Ledger) SetRefDrift(k RefKey, d *RefDrift) error {
	if d == nil || d.Times == 0 && !d.Left {
		l.Remove(l.keys.refDrift(k))
		return nil
	}
	return save(l.Buffer, l.keys.refDrift(k), d)
}

// RefDrifts yields the references of holder of which there is something to
// remember; for "" those of all.
func (l *Ledger) RefDrifts(ctx context.Context, holder source.ID) iter.Seq2[RefKey, error] {
	prefix := l.keys.refDrifts(holder)
	if holder == "" {
		prefix = "refdrift/" + l.keys.pair() + "/"
	}
	return l.refKeys(ctx, prefix, func(rest string) (RefKey, bool) {
		of := holder
		if of == "" {
			h, after, ok := strings.Cut(rest, "/")
			if !ok {
				return RefKey{}, false
			}
			of, rest = source.ID(h), after
		}
		attr, to, ok := strings.Cut(rest, "/")
		return RefKey{of, attr, source.ID(to)}, ok
	})
}

// SetRefWrote notes that references of holder were written at t. For a while
// after that, what the target shows of them may be older.
func (l *Ledger) SetRefWrote(holder source.ID, t time.Time) error {
	return save(l.Buffer, l.keys.refWrote(holder), t.UTC())
}

// RefWrote returns that time, zero for never.
func (l *Ledger) RefWrote(ctx context.Context, holder source.ID) (time.Time, error) {
	t, err := load[time.Time](ctx, l.Buffer, l.keys.refWrote(holder))
	if t == nil || err != nil {
		return time.Time{}, err
	}
	return *t, nil
}

// ClearRefWrote forgets it.
func (l *Ledger) ClearRefWrote(holder source.ID) { l.Remove(l.keys.refWrote(holder)) }
