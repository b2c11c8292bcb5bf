package simulation

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/dirbridge/dirbridge/dirsync"
	"github.com/dirbridge/dirbridge/dirsync/plan"
	"github.com/dirbridge/dirbridge/source"
	"github.com/dirbridge/dirbridge/target"
)

// The guard counts together what the runs of a day removed, and what the last
// ones did.
const (
	windowTime = 24 * time.Hour
	windowRuns = 8
)

// A removed account counts for the guard.
type removed struct {
	run    int
	at     time.Time // when the run began
	anchor string
}

// words are what people said about plans.
type words struct {
	removals []removed            // that nobody approved
	approved map[string]time.Time // changes, until when; each is good for once
	rejected map[string]source.ID // changes
	plans    map[string]bool      // hashes that were approved
	followed map[string]int       // accounts that left with a scope, by its number, as somebody approved
}

func newWords() words {
	return words{nil, map[string]time.Time{}, map[string]source.ID{}, map[string]bool{}, map[string]int{}}
}

func (x words) clone() words {
	return words{slices.Clone(x.removals), maps.Clone(x.approved), maps.Clone(x.rejected), maps.Clone(x.plans), maps.Clone(x.followed)}
}

// hasFollowed reports whether an account has left with this scope before, as
// somebody approved: if it is given its use back at the tenant, nobody is asked again.
func (x *words) hasFollowed(anchor string, scope int) bool {
	n, ok := x.followed[anchor]
	return ok && n == scope
}

// deed names what a change does.
func deed(c target.Change) string {
	return fmt.Sprint(c.Op, " ", c.ID, " ", c.Anchor, " ", shown(c.Set))
}

// spoken judges a change by what people said of it. removes says that it
// disables or deletes since its person left or was deleted.
func (o *oracle) spoken(c target.Change, r *runState, removes bool) {
	o.counts = false
	if c.Repeat {
		return
	}
	x, key := &o.words, deed(c)
	if _, no := x.rejected[key]; no {
		o.complain("I8", "%s of %s, which somebody rejected", c.Op, o.w.who(c.Anchor))
	}
	if r.just != nil && !r.just[c.Anchor] {
		o.complain("I8", "%s of %s, which nobody asked for in this run", c.Op, o.w.who(c.Anchor))
	}
	if p := o.w.policy; p == plan.CreateOnly && c.Op != target.Create || p == plan.UpsertOnly && removes {
		o.complain("I8", "%s of %s under the policy %s", c.Op, o.w.who(c.Anchor), p)
	}
	if !removes {
		return
	}
	if until, ok := x.approved[key]; ok && r.began.Before(until) {
		// Whoever approves a plan with removals has looked at what this state
		// wants to remove: that proves it (docs/decisions/008). Not so a word
		// that was given before the state was put back, and came back with it.
		o.unproven = o.unproven && o.before[key]
		return
	}
	o.counts = true
	if taken := o.takenFor(c.Anchor, true); !o.calm && taken&(left|skipped|deleted|ruled) == 0 && o.rescoped(c.Anchor) && !x.hasFollowed(c.Anchor, o.w.scoped) {
		o.complain("I8", "%s leaves a scope that was changed, and nobody approved that", o.w.who(c.Anchor))
	}
	if o.unproven {
		o.complain("I2", "%s removed by a state that is older than what was done", o.w.who(c.Anchor))
	}
	together := map[string]bool{c.Anchor: true}
	for _, m := range x.removals {
		if isGroup(m.anchor) != isGroup(c.Anchor) {
			continue // which have a budget of their own
		}
		if r.number-m.run < windowRuns || r.began.Sub(m.at) < windowTime {
			together[m.anchor] = true
		}
	}
	if most := o.w.config.Removals; most > 0 && len(together) > most {
		o.complain("I8", "%d removals, %d at most may be", len(together), most)
	}
}

// spent: the tenant made the change.
func (o *oracle) spent(c target.Change, r *runState) {
	switch _, approved := o.words.approved[deed(c)]; {
	case c.Op == target.Refer:
	case approved && (c.Op == target.Delete || c.Op == target.Disable):
		o.words.followed[c.Anchor] = o.w.scoped
	case c.Op != target.Delete && c.Op != target.Disable:
		delete(o.words.followed, c.Anchor)
	}
	if delete(o.words.approved, deed(c)); o.counts {
		o.words.removals = append(o.words.removals, removed{r.number, r.began, c.Anchor})
	}
}

// wordStep is a step in which somebody says something about a plan, or asks for
// just a part.
func (w *world) wordStep(s *Step) bool {
	switch s.Do {
	case "approve", "reject", "apply":
		w.word(s)
	case "only":
		w.only(s)
	case "policy":
		w.policy = plan.Policy(s.S)
	case "preview":
		w.lookAhead(s.Full)
	default:
		return false
	}
	return true
}

// word says something about the plan that waits.
func (w *world) word(s *Step) {
	r := &runState{number: w.runs, began: time.Now(), toldNow: map[source.ID]bits{}}
	eng, ctx, cancel := w.engine(r)
	defer cancel()
	p, err := eng.Waiting(ctx)
	if err != nil {
		w.oracle.complain("I1", "the plan that waits can't be read: %v", err)
		return
	}
	hash := fmt.Sprintf("%064d", s.N)
	var changes []*dirsync.Change
	if p != nil {
		hash = p.Hash
		for c, err := range p.Changes(ctx) {
			if err != nil {
				w.oracle.complain("I1", "the plan that waits can't be read: %v", err)
				return
			}
			changes = append(changes, c)
		}
	}
	switch s.Do {
	case "approve":
		until := time.Now().Add(time.Duration(s.N) * time.Minute)
		err = eng.Approve(ctx, hash, "the operator", until)
		if p != nil && err == nil {
			w.hit("approved")
			w.oracle.words.plans[hash] = true
			for _, c := range changes {
				w.oracle.words.approved[deed(c.Change)] = until
				delete(w.oracle.before, deed(c.Change))
			}
		}
	case "reject":
		if err = eng.Reject(ctx, hash, "the operator"); p != nil && err == nil {
			w.hit("rejected")
			for _, c := range changes {
				if c.Op != target.Refer && (len(p.Breaches) == 0 || slices.ContainsFunc(p.Breaches, func(b plan.Breach) bool { return slices.Contains(c.Effects(), b.Effect) })) {
					w.oracle.words.rejected[deed(c.Change)] = c.Source
				}
			}
		}
	case "apply":
		r.dead = true
		w.apply(hash, changes)
		return
	}
	r.dead = true
	w.logf("  %s %.12s: %v", s.Do, hash, err)
	if err != nil && !errors.Is(err, dirsync.ErrPlanStale) {
		w.oracle.complain("I8", "%s: %v", s.Do, err)
	}
	if err == nil && p == nil {
		w.oracle.complain("I8", "%s of a plan that there isn't", s.Do)
	}
	if r.writes > 0 {
		w.oracle.complain("I8", "%s writes to the target", s.Do)
	}
}

// apply carries out just the plan that waits.
func (w *world) apply(hash string, changes []*dirsync.Change) {
	r := &runState{just: map[string]bool{}}
	for _, c := range changes {
		r.just[c.Anchor] = true
		if p := w.dir.byID(c.Source); p != nil && c.Op == target.Refer { // its holder may get the account in the same plan
			for _, a := range w.anchors[p.num] {
				r.just[a] = true
			}
		}
	}
	_, err := w.start(r, func(ctx context.Context, eng *dirsync.Engine) (*dirsync.Report, error) { return eng.Apply(ctx, hash) })
	switch {
	case errors.Is(err, dirsync.ErrPlanStale):
		if w.hit("stale"); w.oracle.fresh > 0 {
			w.oracle.complain("I8", "a plan that doesn't hold any more was carried out in part")
		}
	case err == nil:
		w.hit("applied")
	}
}

// only synchronizes some people alone.
func (w *world) only(s *Step) {
	r := &runState{just: map[string]bool{}}
	var ids []source.ID
	for _, num := range s.L {
		if w.dir.people[num] != nil {
			ids = append(ids, guid(w.seed, num))
			for _, a := range w.anchors[num] {
				r.just[a] = true
			}
		}
	}
	if len(ids) == 0 {
		return
	}
	w.hit("only")
	w.start(r, func(ctx context.Context, eng *dirsync.Engine) (*dirsync.Report, error) {
		return eng.Sync(ctx, &dirsync.Request{Only: ids})
	})
}

// lookAhead makes a plan and writes nothing at all.
func (w *world) lookAhead(full bool) {
	w.runs++
	r := &runState{number: w.runs, began: time.Now(), dry: true, forgets: true, toldNow: map[source.ID]bits{}}
	eng, ctx, cancel := w.engine(r)
	defer cancel()
	_, err := eng.Preview(ctx, &dirsync.Request{Full: full})
	r.dead = true
	w.logf("  preview: %v", err)
	if r.writes+r.commits > 0 {
		w.oracle.complain("I2", "a preview wrote: %d changes, %d commits", r.writes, r.commits)
	}
}

// release ends what was rejected, for the calm.
func (w *world) release() {
	r := &runState{number: w.runs, began: time.Now(), toldNow: map[source.ID]bits{}}
	eng, ctx, cancel := w.engine(r)
	defer cancel()
	if _, err := eng.Release(ctx); err != nil {
		w.oracle.complain("I1", "release: %v", err)
	}
	r.dead = true
	clear(w.oracle.words.rejected)
}
