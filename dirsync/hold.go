package dirsync

import (
	"cmp"
	"context"
	"encoding/hex"
	"fmt"

	"github.com/dirbridge/dirbridge/dirsync/internal/ledger"
	"github.com/dirbridge/dirbridge/dirsync/plan"
	"github.com/dirbridge/dirbridge/mapping"
)

// Why a change is held back.
const (
	heldRejected = "rejected"
	heldUndone   = "undone"
)

// held reports whether what is wanted for e is what somebody doesn't want. What
// is compared is the wish alone, whatever becomes of its names and whoever has
// its anchor: a hold keeps others from names too, and mustn't end because of
// that. A hold ends when the source says something else, and that isn't the same
// change again. While the source says the same it stays, though the wish may be
// another for a time, since a domain was verified: it may become the same again,
// when that is refused. Another wish may also come to just the change that was
// rejected, since the name that it wants is somebody's: that isn't made either.
func (r *run) held(ctx context.Context, e *ledger.Entry, in plan.Input, c *plan.Change) (*ledger.Hold, error) {
	id := e.Object.ID
	h, err := r.l.Hold(ctx, id)
	if h == nil || err != nil {
		return nil, err
	}
	in.UPN, in.Mail, in.Again, in.AnchorHolder, in.AnchorOwner = plan.Claim{}, plan.Claim{}, false, "", ""
	wish, _ := plan.Compute(in)
	said := sourceState(e)
	if h.Deed == "" && wish != nil && (h.State == "" || h.State == said) {
		h.Deed, h.State = wish.Deed(), "" // noted below
	}
	if wish == nil || h.Deed != wish.Deed() {
		if h.Deed == "" || h.State != said {
			r.l.ClearHold(id)
		} else if c != nil && h.Change == c.Deed() {
			return h, nil
		}
		return nil, nil
	}
	if h.State != said {
		h.State = said
		if err := r.l.SetHold(id, *h); err != nil {
			return nil, err
		}
	}
	if c == nil {
		return nil, nil
	}
	return h, nil
}

// sourceState identifies what the source last said of e. Its digest on record
// may have been taken away, so that e is looked at anew.
func sourceState(e *ledger.Entry) string {
	sum := ledger.Digest(&e.Object)
	return string(rune(e.Presence)) + hex.EncodeToString(sum[:])
}

func heldProblem(in plan.Input, c *plan.Change, h *ledger.Hold) plan.Problem {
	p := plan.Problem{Object: in.ID, Name: in.Name, Problem: mapping.Problem{
		Code:   "held",
		Remedy: "nothing, if that was meant; it ends when the source says something else of the object, or when it is released",
	}}
	switch h.Why {
	case heldUndone:
		p.Message = fmt.Sprintf("run %s was undone for this account; what the source wants (%s: %s) is held back", h.Of, c.Op, c.Reason)
	default:
		p.Message = fmt.Sprintf("%s rejected this change (%s: %s) with plan %.12s", cmp.Or(h.By, "somebody"), c.Op, c.Reason, h.Of)
	}
	return p
}
