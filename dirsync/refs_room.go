package dirsync

import (
	"context"
	"fmt"
	"time"

	"github.com/dirbridge/dirbridge/dirsync/internal/ledger"
	"github.com/dirbridge/dirbridge/mapping"
	"github.com/dirbridge/dirbridge/target"
)

const codeRefLimit = "reference-limit"

// A room says how many more references an object may get.
type room struct {
	most    int // 0: any number
	taken   int // it has, or gets by this plan
	wanted  int
	removes bool // some are to be removed by this plan
	full    bool
}

// fits reports whether the target has room for a reference of the holder. What
// is to be removed makes room when it is removed, and not before. Who comes first
// is in the order of IDs; who is there stays.
func (p *holderPlan) fits(ctx context.Context, k ledger.RefKey, x *ledger.Ref, wanted bool, w *wrongRefs) (bool, error) {
	o := p.room[k.Attribute]
	if o == nil {
		set, err := p.r.l.RefSet(ctx, k.Holder, k.Attribute)
		if err != nil {
			return false, err
		}
		o = &room{most: target.RefLimit(p.r.tgt, p.e.Kind(), k.Attribute), taken: set.Applied, wanted: set.Wanted}
		p.room[k.Attribute] = o
	}
	switch {
	case o.most == 0 || k.Attribute == target.RefManager:
		return true, nil
	case !wanted:
		o.removes = true
		return true, nil
	case x.Applied == ledger.No && o.taken >= o.most:
		o.full, w.room = true, o
		w.over++
		return false, nil
	}
	o.taken++
	return true, nil
}

// waitForRoom has a holder that is full left alone for a while: whatever happens
// to its references has it looked at again by itself. What this plan removes makes
// room for the next round.
func (p *holderPlan) waitForRoom() error {
	full := false
	for _, o := range p.room {
		full = full || o.full
		if o.full && o.removes && !p.withheld {
			p.r.again = true
			return nil
		}
	}
	if !full || p.parts > 0 {
		return nil
	}
	return p.r.l.DelayRefHead(p.e.Object.ID, ledger.RefDue{Next: time.Now().UTC().Add(24 * time.Hour)})
}

// problem says how many of the references of an object are left out.
func (o *room) problem(attr string, over int) mapping.Problem {
	return mapping.Problem{
		Code: codeRefLimit, Attribute: attr,
		Message: fmt.Sprintf("%d %s are wanted, and the target takes at most %d: %d are left out, those that come last by objectGUID; who is in stays in", o.wanted, attr, o.most, over),
		Remedy:  "split the group in the directory; when others go, those left out come in by themselves",
	}
}
