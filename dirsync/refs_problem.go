package dirsync

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/dirbridge/dirbridge/dirsync/internal/ledger"
	"github.com/dirbridge/dirbridge/dirsync/plan"
	"github.com/dirbridge/dirbridge/mapping"
)

const (
	codeRefRefused = "reference-refused"
	codeRefHeld    = "reference-held"
)

// aboutRefs reports whether p is about references: it isn't for the planning of
// the object itself to say whether it lasts.
func aboutRefs(p plan.Problem) bool { return strings.HasPrefix(p.Code, "reference-") }

// setRefProblems keeps what is wrong with the references of e, and nothing else
// of the kind.
func (r *run) setRefProblems(ctx context.Context, e *ledger.Entry, wrong map[string]*wrongRefs) error {
	id := e.Object.ID
	old, err := r.l.ProblemsOf(ctx, id)
	if err != nil {
		return err
	}
	ps := slices.DeleteFunc(slices.Clone(old), aboutRefs)
	for _, attr := range slices.Sorted(maps.Keys(wrong)) {
		w := wrong[attr]
		if w.refused > 0 {
			ps = append(ps, plan.Problem{Object: id, Name: e.Object.DN, Problem: mapping.Problem{Code: codeRefRefused, Attribute: attr,
				Message: fmt.Sprintf("the target refuses to change %d of its %s; the first: %s", w.refused, attr, w.reason),
				Remedy:  "see what the target says; they are tried again, less and less often, and all others go on",
			}})
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
