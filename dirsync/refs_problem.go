package dirsync

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/dirbridge/dirbridge/dirsync/internal/ledger"
	"github.com/dirbridge/dirbridge/dirsync/plan"
	"github.com/dirbridge/dirbridge/mapping"
	"github.com/dirbridge/dirbridge/target"
)

const (
	codeRefRefused = "reference-refused"
	codeRefHeld    = "reference-held"
)

// aboutRefs reports whether p is about references: it isn't for the planning of
// the object itself to say whether it lasts.
func aboutRefs(p plan.Problem) bool { return strings.HasPrefix(p.Code, "reference-") }

// setRefProblems keeps what is wrong with the references of e, and nothing else
// of the kind, unless full says that what has no room still hasn't.
func (r *run) setRefProblems(ctx context.Context, e *ledger.Entry, wrong map[string]*wrongRefs, full bool) error {
	id := e.Object.ID
	old, err := r.l.ProblemsOf(ctx, id)
	if err != nil {
		return err
	}
	ps := slices.DeleteFunc(slices.Clone(old), func(p plan.Problem) bool {
		return aboutRefs(p) && p.Code != codeRefDoubt && !(full && p.Code == codeRefLimit)
	})
	for _, attr := range slices.Sorted(maps.Keys(wrong)) {
		w := wrong[attr]
		if w.refused > 0 {
			ps = append(ps, plan.Problem{Object: id, Name: e.Object.DN, Problem: mapping.Problem{Code: codeRefRefused, Attribute: attr,
				Message: fmt.Sprintf("the target refuses to change %d of its %s; the first: %s", w.refused, attr, w.reason),
				Remedy:  "see what the target says; they are tried again, less and less often, and all others go on",
			}})
		}
		if w.over > 0 {
			ps = append(ps, plan.Problem{Object: id, Name: e.Object.DN, Problem: w.room.problem(attr, w.over)})
		}
		if w.held > 0 {
			ps = append(ps, plan.Problem{Object: id, Name: e.Object.DN, Problem: mapping.Problem{Code: codeRefHeld, Attribute: attr,
				Message: fmt.Sprintf("%d changes of its %s are held back: %s by %s (%.12s)", w.held, attr, w.by.Why, cmp.Or(w.by.By, "somebody"), w.by.Of),
				Remedy:  "nothing, if that was meant; each ends when the source says something else of it, or when it is released",
			}})
		}
	}
	left, err := r.leftProblems(ctx, e)
	if err != nil {
		return err
	}
	if ps = append(ps, left...); len(ps) == len(old) && len(ps) == 0 {
		return nil
	}
	return r.setProblems(ctx, id, ps)
}

// ends reports whether err is about the target and not about what was to be
// changed: then the run's writing ends.
func (r *run) ends(err error) bool {
	if target.OutcomeUnknown(err) || !errors.Is(err, target.ErrThrottled) && !errors.Is(err, target.ErrUnavailable) && !errors.Is(err, target.ErrUnauthenticated) {
		return false
	}
	r.stop = fmt.Errorf("write to the target %s: %w", r.tgt.Name(), err)
	return true
}

// unseen reports whether an account of ours that wasn't found, and is in no bin, was
// made or restored a short while ago, by whatever process: then the target
// doesn't show it yet, which says nothing.
func (r *run) unseen(e *ledger.Entry) bool {
	if time.Since(e.Link.Since) >= replication {
		return false
	}
	_, err := target.FindDeleted(r.wire, r.tgt, e.Kind(), e.Link.ID)
	return err != nil
}
