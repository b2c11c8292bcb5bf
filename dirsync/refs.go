package dirsync

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/dirbridge/dirbridge/dirsync/internal/ledger"
	"github.com/dirbridge/dirbridge/dirsync/plan"
	"github.com/dirbridge/dirbridge/mapping"
	"github.com/dirbridge/dirbridge/source"
	"github.com/dirbridge/dirbridge/target"
)

// refAttributes are the references that the engine synchronizes: what they are
// called at the source, and at the target.
var refAttributes = map[string]string{"member": target.RefMembers, "managedBy": target.RefOwners, "manager": target.RefManager}

// references are what a run knows of references.
type references struct {
	told    map[ledger.RefKey]*telling // the sets that are being told
	emptied emptied                    // that were told empty, and have to be confirmed
	passed  *source.Watermark          // the last checkpoint, if it came amid one

	purge bool // some holder's may have to be forgotten

	// Of one round of planning.
	coming, going *idSet                        // objects that get an account, and lose it, by this plan
	tally         map[source.ID]plan.GroupTally // what it does to groups
	out           map[source.ID]ledger.Standing // why an object isn't pointed at; a cache
	sorts         map[source.ID]sort            // what sort of group an object is; a cache

	whole map[ledger.RefKey]bool // sets that were told whole in this run, if the state is behind

	failed   map[ledger.RefKey]bool // refused in this run; not tried again at once
	refused  map[ledger.RefKey]int  // how many, by holder and attribute
	stuck    map[source.ID]bool     // holders that the target refuses to change
	answered []source.ID            // holders of which something was wrong that is written now
}

// begin begins a round of planning.
func (x *references) begin() {
	x.coming, x.going, x.tally, x.out, x.sorts = newIDSet(), newIDSet(), nil, nil, nil
}

// count adds what c does to a group.
func (x *references) count(c *plan.Change) {
	added, removed := c.Members()
	if added+removed == 0 {
		return
	}
	if x.tally == nil {
		x.tally = map[source.ID]plan.GroupTally{}
	}
	t := x.tally[c.Source]
	x.tally[c.Source] = plan.GroupTally{Added: t.Added + added, Removed: t.Removed + removed}
}

// refers reports whether the target has references at all. If it hasn't, none
// are kept.
func (r *run) refers() bool {
	_, ok := r.tgt.(target.Referrer)
	return ok
}

// taken has objects of kinds that the target doesn't take skipped.
func (r *run) taken(res mapping.Result) mapping.Result {
	if res.Skip != nil || res.Kind == target.User || res.Kind == "" || slices.Contains(target.Kinds(r.tgt), res.Kind) {
		return res
	}
	why := mapping.Decision{Rule: "target", Branch: fmt.Sprintf("the target takes no objects of kind %s", res.Kind)}
	return mapping.Result{Skip: &why, Kind: res.Kind, Decisions: []mapping.Decision{why}, Memory: res.Memory}
}

// stand keeps the totals of what waits and what is dropped.
func (r *run) stand(x *ledger.Ref, s ledger.Standing) {
	count := func(s ledger.Standing, n int) {
		switch s {
		case ledger.Waiting:
			r.facts.RefsWaiting += n
		case ledger.Dropped:
			r.facts.RefsDropped += n
		}
	}
	count(x.Standing, -1)
	count(s, 1)
	x.Standing = s
}

// setRef keeps x instead of was (nil for nothing), with all that follows from
// it: counts, totals, and whether it is due. What somebody holds back stays held
// back, and due, until the source says something else of it, whatever becomes of
// the accounts at both ends. It belongs into a unit of the run.
func (r *run) setRef(ctx context.Context, k ledger.RefKey, was *ledger.Ref, x ledger.Ref) error {
	before := ledger.Ref{}
	if was != nil {
		before = *was
	}
	standing := x.Standing
	x.Standing = before.Standing
	if x.Applied == ledger.Yes || !x.Wanted && standing != ledger.Gone {
		standing = ledger.Plain
	}
	facts := *r.facts
	r.stand(&x, standing)
	if before.Wanted != x.Wanted || before.Applied != x.Applied {
		set, err := r.l.RefSet(ctx, k.Holder, k.Attribute)
		if err != nil {
			return err
		}
		set.Wanted += step(before.Wanted, x.Wanted)
		n := step(before.Applied == ledger.Yes, x.Applied == ledger.Yes)
		set.Applied += n
		if err := r.stale(ctx, k, before, x, &set); err != nil {
			return err
		}
		if err := r.l.SetRefSet(k.Holder, k.Attribute, set); err != nil {
			return err
		}
		if k.Attribute == target.RefMembers {
			r.facts.Members += n
		}
	}
	if facts.Members != r.facts.Members || facts.RefsWaiting != r.facts.RefsWaiting || facts.RefsDropped != r.facts.RefsDropped {
		if err := r.l.SetFacts(r.facts); err != nil {
			return err
		}
	}
	r.l.SetRef(k, was, x)
	if x.Applied != ledger.Unsure && x.Wanted == (x.Applied == ledger.Yes) {
		r.l.ClearRefDue(k)
		return nil
	}
	due := ledger.RefDue{}
	if was != nil && before.Wanted == x.Wanted {
		old, err := r.l.RefDue(ctx, k)
		if err != nil {
			return err
		}
		if old != nil { // the source said nothing else of it
			due.Held, due.Attempts = old.Held, old.Attempts
		}
	}
	if standing != ledger.Plain && due.Held == nil {
		r.l.ClearRefDue(k)
		return nil
	}
	return r.l.SetRefDue(k, due)
}

func step(was, is bool) int {
	switch {
	case is && !was:
		return 1
	case was && !is:
		return -1
	}
	return 0
}

// applied notes whether the target has a reference.
func (r *run) applied(ctx context.Context, k ledger.RefKey, c ledger.Certainty) error {
	x, err := r.l.Ref(ctx, k)
	if err != nil || x == nil && c == ledger.No {
		return err
	}
	n := ledger.Ref{}
	if x != nil {
		n = *x
	}
	n.Applied, n.Standing = c, ledger.Plain
	return r.setRef(ctx, k, x, n)
}

// forgetRefs has the references of a forgotten object forgotten: not here, in a
// unit, since they may be many.
func (r *run) forgetRefs(id source.ID) {
	if r.refers() {
		r.l.SetPurge(id)
		r.refs.purge = true
	}
}

// purgeRefs forgets what is to be forgotten.
func (r *run) purgeRefs(ctx context.Context) error {
	if !r.refs.purge {
		return nil
	}
	r.refs.purge = false
	for id, err := range r.l.Purges(ctx) {
		if err != nil {
			return err
		}
		err := r.each(ctx, r.l.Refs(ctx, id, ""), func(k ledger.RefKey) error {
			x, err := r.l.Ref(ctx, k)
			if x == nil || err != nil {
				return err
			}
			return r.setRef(ctx, k, x, ledger.Ref{})
		})
		if err != nil {
			return err
		}
		if err := r.each(ctx, r.l.RefDrifts(ctx, id), func(k ledger.RefKey) error { return r.setRefDrift(ctx, k, nil) }); err != nil {
			return err
		}
		err = r.unit(ctx, func() error {
			for _, attr := range slices.Sorted(maps.Values(refAttributes)) {
				if err := r.l.SetRefSet(id, attr, ledger.RefSet{}); err != nil {
					return err
				}
			}
			r.l.ClearRefHead(id)
			r.l.ClearPurge(id)
			r.l.ClearRefSweep(id)
			r.l.ClearRefWrote(id)
			for _, attr := range []string{target.RefManager, target.RefMembers, target.RefOwners} {
				if err := r.l.SetRefSet(id, attr, ledger.RefSet{}); err != nil {
					return err
				}
			}
			return r.l.SetRefSpent(id, nil)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// refValues are IDs as an audit record has them.
func refValues(attr string, ids []source.ID) map[string][]string {
	if len(ids) == 0 {
		return nil
	}
	values := make([]string, len(ids))
	for i, id := range ids {
		values[i] = string(id)
	}
	return map[string][]string{attr: values}
}
