package dirsync

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/dirbridge/dirbridge/dirsync/internal/ledger"
	"github.com/dirbridge/dirbridge/dirsync/plan"
	"github.com/dirbridge/dirbridge/source"
	"github.com/dirbridge/dirbridge/target"
)

// Why a change puts something back.
const (
	whyChangedThere = plan.ReasonDrift
	whyDeletedThere = "deleted at the target"
)

const (
	// lookBatch is how many accounts are looked up at once.
	lookBatch = 200

	// goneAgain is when an account that is nowhere is looked for again.
	goneAgain = 24 * time.Hour

	// quiet is how long nothing has to happen to an attribute until it counts as
	// changed for the first time again.
	quiet = 24 * time.Hour

	// mostPutBack is how often an account is restored in a row, and an attribute
	// put back, if the target has shown our value in between. If it hasn't, once:
	// that is how a service looks which doesn't keep the value as it is.
	mostPutBack = 3
)

// look looks at the accounts to which something seems to have happened. told is
// why the target couldn't be asked: they are looked at later.
func (r *run) look(ctx context.Context) (told, err error) {
	var due []ledger.Keyed[ledger.Look]
	for k, err := range r.l.Looks(ctx) {
		if err != nil {
			return nil, err
		}
		if !time.Now().Before(k.Value.After) {
			due = append(due, k)
		}
	}
	size := lookBatch
	if _, finder := r.tgt.(target.Finder); !finder {
		size = max(1, len(due)) // each look-up reads everything
	}
	for some := range slices.Chunk(due, size) {
		if told, err := r.lookAt(ctx, some); told != nil || err != nil {
			return told, err
		}
	}
	return nil, nil
}

func (r *run) lookAt(ctx context.Context, due []ledger.Keyed[ledger.Look]) (told, err error) {
	var looks []ledger.Look
	var entries []*ledger.Entry
	var keys []target.Key
	for _, k := range due {
		err := r.l.Unit(ctx, func() error {
			e, ready, err := r.ready(ctx, k.ID, k.Value)
			if ready {
				looks, entries, keys = append(looks, k.Value), append(entries, e), append(keys, target.Key{ID: e.Link.ID})
			}
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	found := make([]*target.Object, len(entries))
	for _, kind := range target.Kinds(r.tgt) {
		var at []int
		var some []target.Key
		for i, e := range entries {
			if e.Kind() == kind {
				at, some = append(at, i), append(some, keys[i])
			}
		}
		objects, err := target.Find(ctx, r.tgt, kind, some)
		if err != nil {
			return err, nil
		}
		for j, i := range at {
			if j < len(objects) && len(objects[j]) > 0 {
				found[i] = &objects[j][0]
			}
		}
	}
	for i, e := range entries {
		live := found[i]
		binned := looks[i].Binned && !looks[i].Purged
		if live == nil && !binned && e.Owned() {
			o, err := target.FindDeleted(ctx, r.tgt, e.Kind(), e.Link.ID)
			if err != nil && !errors.Is(err, target.ErrNotFound) && !errors.Is(err, errors.ErrUnsupported) {
				return err, nil
			}
			if binned = err == nil; binned {
				if err := r.unit(ctx, func() error { return r.noteForeign(ctx, e, o.Foreign) }); err != nil {
					return nil, err
				}
			}
		}
		if err := r.unit(ctx, func() error { return r.compare(ctx, e, looks[i], live, binned) }); err != nil {
			return nil, err
		}
	}
	return nil, nil
}

// ready says whether the account of id can be looked at now. What was written a
// short while ago may not show yet, and of a change whose outcome is open nobody
// knows what should.
func (r *run) ready(ctx context.Context, id source.ID, k ledger.Look) (*ledger.Entry, bool, error) {
	e, err := r.l.Entry(ctx, id)
	if err != nil {
		return nil, false, err
	}
	if e == nil || e.Link == nil || !slices.Contains(target.Kinds(r.tgt), e.Kind()) {
		r.l.ClearLook(id)
		return nil, false, r.l.SetDrift(id, nil)
	}
	if in, err := r.l.Intent(ctx, id); in != nil || err != nil {
		return nil, false, err
	}
	last := e.Link.Since
	for _, t := range []time.Time{e.Wrote, e.Link.Binned} {
		if t.After(last) {
			last = t
		}
	}
	if until := last.Add(replication); time.Now().Before(until) {
		k.After = until.UTC()
		return nil, false, r.l.SetLook(id, k)
	}
	return e, true, nil
}

// compare decides about one account, as it was just seen: live, in the bin, or
// neither.
func (r *run) compare(ctx context.Context, e *ledger.Entry, k ledger.Look, live *target.Object, binned bool) error {
	id := e.Object.ID
	d, err := r.driftOf(ctx, e)
	if err != nil {
		return err
	}
	r.l.ClearLook(id)
	if live != nil {
		if err := r.noteForeign(ctx, e, live.Foreign); err != nil {
			return err
		}
	}
	was := d.Gone
	d.Gone, d.Alive, d.Foreign = false, false, false
	switch {
	case live == nil && !e.Owned():
		// As it should be.
	case live == nil && binned:
		err = r.deletedThere(ctx, e, d)
	case live == nil && k.Purged && e.Kind() == target.Group:
		err = r.purgedThere(ctx, e, d)
	case live == nil:
		if d.Gone = true; !was {
			r.report.Drifted++
		}
		err = r.l.SetLook(id, ledger.Look{After: time.Now().UTC().Add(goneAgain)})
	case !e.Owned():
		err = r.aliveThere(ctx, e, d, *live)
	default:
		err = r.changedThere(ctx, e, d, *live)
	}
	if err != nil {
		return err
	}
	if err := r.l.SetFacts(r.facts); err != nil {
		return err
	}
	if err := r.l.SetDrift(id, d); err != nil {
		return err
	}
	return r.tellDrift(ctx, id, driftProblems(e, d))
}

// deletedThere: somebody deleted the account of e.
func (r *run) deletedThere(ctx context.Context, e *ledger.Entry, d *ledger.Drift) error {
	_, known := d.Left[""]
	if !known {
		r.report.Drifted++
	}
	if r.keeps(d, "", nil, nil) {
		return nil
	}
	if err := r.binned(ctx, e); err != nil {
		return err
	}
	if err := r.lookAgain(e.Object.ID); err != nil {
		return err
	}
	return r.markDue(ctx, e.Object.ID, whyDeletedThere)
}

// aliveThere: somebody restored the account of e. If it is wanted, or to be
// there disabled, it is ours again. That it is to be deleted was carried out;
// who brings it back all the same does so on purpose.
func (r *run) aliveThere(ctx context.Context, e *ledger.Entry, d *ledger.Drift, o target.Object) error {
	left := e.Presence == plan.Left
	if e.Presence == plan.Present {
		left = r.mapped(e).Skip != nil
	}
	if e.Presence == plan.Present && !left || left && r.opt.Leaving != plan.DeleteOnLeave {
		return r.takeOver(ctx, e, o, "restored at the target")
	}
	if !e.MayLive {
		d.Alive = true
		r.report.Drifted++
	}
	return nil
}

// changedThere: the account lives. What differs is noted as applied, so that
// planning writes ours again, or left as it is.
func (r *run) changedThere(ctx context.Context, e *ledger.Entry, d *ledger.Drift, o target.Object) error {
	if err := r.stamped(e, o); err != nil {
		return err
	}
	differ := differences(e, o)
	for attr, b := range d.Back {
		if attr != "" && !(same(b.Ours, e.Applied[attr]) && same(b.Ours, o.Attributes[attr])) {
			continue
		}
		if b.Held = true; time.Since(b.At) > quiet {
			delete(d.Back, attr)
			continue
		}
		d.Back[attr] = b
	}
	for attr := range d.Left {
		if !slices.Contains(differ, attr) {
			delete(d.Left, attr)
		}
	}
	if d.Foreign = o.Foreign; o.Foreign {
		return nil // it can't be written
	}
	old, found := e.Applied.Clone(), false
	for _, attr := range differ {
		ours, theirs := e.Applied[attr], o.Attributes[attr]
		if attr == target.AttrAnchor {
			ours, theirs = []string{e.Link.Anchor}, []string{o.Anchor}
		}
		if l, known := d.Left[attr]; !known || !slices.Equal(l.Theirs, theirs) {
			found = true
		}
		switch {
		case r.keeps(d, attr, ours, theirs):
		case len(theirs) > 0:
			e.Applied[attr] = slices.Clone(theirs)
		case isUnique(e.Kind(), attr):
			e.Unsure = append(e.Unsure, attr)
		default:
			delete(e.Applied, attr)
		}
	}
	if found {
		r.report.Drifted++
	}
	if len(d.Left) == len(differ) {
		return nil
	}
	slices.Sort(e.Unsure)
	if err := r.holds(ctx, e, old); err != nil {
		return err
	}
	if err := r.l.SetEntry(e); err != nil {
		return err
	}
	if err := r.lookAgain(e.Object.ID); err != nil {
		return err
	}
	return r.markDue(ctx, e.Object.ID, whyChangedThere)
}

// putBack notes that c has overwritten what others wrote: what follows for the
// object in this run isn't for that, unless c left something of it.
func (r *run) putBack(ctx context.Context, e *ledger.Entry, c *plan.Change) error {
	id := e.Object.ID
	due, err := r.l.Due(ctx, id)
	if due == nil || due.Why != whyChangedThere || err != nil {
		return err
	}
	d, err := r.driftOf(ctx, e)
	if err != nil {
		return err
	}
	for attr, b := range d.Back {
		_, written := c.Set[attr]
		if attr != "" && !written && (!same(b.Ours, e.Applied[attr]) || slices.Contains(e.Unsure, attr)) {
			return nil
		}
	}
	due.Why = ""
	return r.l.SetDue(id, *due)
}

// stamped notes that the account of e, which was adopted without an anchor, has
// one by now: ours, or somebody else's, which isn't overwritten.
func (r *run) stamped(e *ledger.Entry, o target.Object) error {
	if !e.Link.Unstamped || o.Anchor == "" {
		return nil
	}
	e.Link.Unstamped = false
	e.Unsure = slices.DeleteFunc(e.Unsure, func(attr string) bool { return attr == target.AttrAnchor })
	return r.l.SetEntry(e)
}

// lookAgain has the account looked at when it must show what is put back.
func (r *run) lookAgain(id source.ID) error {
	return r.l.SetLook(id, ledger.Look{After: time.Now().UTC().Add(replication)})
}

// keeps decides whether what others wrote stays, and remembers why. The anchor
// can't be written; another tool, or the service, may insist.
func (r *run) keeps(d *ledger.Drift, attr string, ours, theirs []string) bool {
	b := d.Back[attr]
	switch {
	case !slices.Equal(b.Ours, ours), (b.Held || attr == "") && time.Since(b.At) > quiet:
		b = ledger.Back{}
	}
	most := 1
	if b.Held || attr == "" {
		most = mostPutBack
	}
	persists := b.Times >= most
	if r.opt.Drift == PutBack && attr != target.AttrAnchor && !persists {
		delete(d.Left, attr)
		if d.Back == nil {
			d.Back = map[string]ledger.Back{}
		}
		d.Back[attr] = ledger.Back{Ours: ours, Times: b.Times + 1, At: time.Now().UTC()}
		return false
	}
	if d.Left == nil {
		d.Left = map[string]ledger.Left{}
	}
	d.Left[attr] = ledger.Left{Ours: ours, Theirs: theirs, Persists: persists && r.opt.Drift == PutBack}
	return true
}
