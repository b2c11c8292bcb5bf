package dirsync

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/dirbridge/dirbridge/dirsync/internal/ledger"
	"github.com/dirbridge/dirbridge/dirsync/plan"
	"github.com/dirbridge/dirbridge/mapping"
	"github.com/dirbridge/dirbridge/source"
	"github.com/dirbridge/dirbridge/target"
)

// How often one run plans: once, and again when outcomes ask for it (a refused
// domain, an account found in the bin, a name that became free).
const maxRounds = 6

// A run is one Sync or Plan. It is used by one goroutine; only calls to the
// target are made by others.
type run struct {
	*Engine
	req Request
	dry bool // nothing is written, not even to the store

	keeping bool               // only plans, and keeps the plan
	apply   string             // the hash of the one plan to carry out
	only    map[source.ID]bool // these objects alone; nil for all

	l      *ledger.Ledger
	facts  *ledger.Facts
	report *Report

	scoping *ledger.Scope       // what is remembered of the scope
	scope   *mapping.BoundScope // as this run has it, once the source was read
	tree    *tree               // of the source's containers, likewise
	rosters rosters             // the groups by whose members the scope goes, likewise
	unknown source.ID           // one of them whose members were never told

	unsettled bool // an earlier run left containers that moved

	domains   mapping.Domains
	origins   []*origin
	from      *origin            // the source that is being read
	doubtful  map[source.ID]bool // another source than their home can't read them
	spoiled   map[source.ID]bool // told as unreadable, and nothing else is known of them
	full      bool               // the read was a complete one, of all sources
	seen      *idSet
	reached   *source.Watermark // of a complete read: set when what it didn't give is looked up
	newcomer  newcomers
	toldAlike bool        // that there may be second accounts
	late      []source.ID // due because of a claim, and perhaps not prepared
	winners   map[[2]string]source.ID
	places    map[source.ID]place // in this round's plan, of those that wait and are waited for
	aside     map[source.ID]bool  // has to free what it holds before it takes what it wants
	unowned   *unowned
	guarded   protection // who must not be written

	refs references

	area     int         // where this round's plan stands
	hash     string      // its name
	counts   plan.Counts // what it holds
	tally    plan.Tally  // what of that counts for the budgets
	breaches []plan.Breach
	budget   budget
	kept     *ledger.Kept                // the plan that waits for somebody's word
	approval *ledger.Approval            // under which this round is carried out
	counted  map[source.ID][]plan.Effect // by a step aside, for the step that follows
	covered  map[source.ID]bool          // what an approved change has begun, its next step ends

	undoing uint64 // the run that this round undoes

	outbox int // audit records since the last delivery

	unplanned Report // as it was before the first planning

	round    int                // of planning, from 0
	again    bool               // outcomes ask for another round
	wait     time.Duration      // how long to wait before it
	waited   time.Duration      // in all
	wire     context.Context    // of calls to the target: outlives the run's by the grace
	stop     error              // why no more is written in this run
	noCreate error              // why nothing more is created in this run
	noBin    bool               // the target's bin can't be read
	failed   map[source.ID]bool // refused in this run; not tried again at once
}

// sync is the whole run: each step's function says what it does.
func (r *run) sync(ctx context.Context) error {
	if err := r.begin(ctx); err != nil {
		return err
	}
	if err := r.askDomains(ctx); err != nil {
		return err
	}
	if done, err := r.applyUndo(ctx); done || err != nil {
		return err
	}
	if err := r.read(ctx); err != nil {
		return err
	}
	if err := r.noteScope(ctx); err != nil {
		return err
	}
	if err := r.settleOpenIntents(ctx); err != nil {
		return err
	}
	if err := r.settleOpenRefs(ctx); err != nil {
		return err
	}
	if err := r.noteChangedRules(ctx); err != nil {
		return err
	}
	if err := r.reconcile(ctx); err != nil {
		return err
	}
	if err := r.drift(ctx); err != nil {
		return err
	}
	r.unplanned = *r.report
	for round := 0; ; round++ {
		if err := r.plan(ctx, round); err != nil {
			return err
		}
		if r.dry || r.keeping {
			return r.show(ctx)
		}
		if round == 0 {
			if err := r.admit(ctx); err != nil {
				return err
			}
			r.report.PlanHash = r.hash
		}
		if err := r.guard(ctx); err != nil {
			return err
		}
		if err := r.prove(); err != nil {
			return err
		}
		r.emit(Planned{Run: r.report.Run, Round: round, Hash: r.hash, Counts: r.counts})
		if err := r.carryOut(ctx); err != nil {
			return err
		}
		if !r.again || round == maxRounds {
			return nil
		}
		if err := r.pause(ctx); err != nil {
			return err
		}
	}
}

// show ends a run that only plans.
func (r *run) show(ctx context.Context) (err error) {
	if r.breaches, err = r.exceeds(ctx); err != nil {
		return err
	}
	r.report.PlanHash = r.hash
	if r.keeping {
		if err := r.keep(ctx, 0); err != nil {
			return err
		}
	}
	r.emit(Planned{Run: r.report.Run, Hash: r.hash, Counts: r.counts})
	return nil
}

// begin loads the facts and numbers the run.
func (r *run) begin(ctx context.Context) error {
	facts, err := r.l.Facts(ctx)
	if err != nil {
		return fmt.Errorf("read the state: %w", err)
	}
	r.facts = facts
	r.facts.Runs++
	r.report.Run = r.facts.Runs
	if err := r.l.SetFacts(r.facts); err != nil { // before anything else: a run that can't commit writes nothing
		return err
	}
	r.emit(Started{Run: r.report.Run, Dry: r.dry})
	if err := r.loadScope(ctx); err != nil {
		return fmt.Errorf("read the state: %w", err)
	}
	if err := r.loadKept(ctx); err != nil {
		return err
	}
	if err := r.loadBudget(ctx); err != nil {
		return fmt.Errorf("read the state: %w", err)
	}
	return r.openOutbox(ctx)
}

// unit calls f; if it fails, nothing of what it did to the ledger and the facts
// is left.
func (r *run) unit(ctx context.Context, f func() error) error {
	before := *r.facts
	err := r.l.Unit(ctx, f)
	if err != nil && !errors.Is(err, ledger.ErrCommit) {
		*r.facts = before
	}
	return err
}

// warn reports something about the run as a whole.
func (r *run) warn(w Warning) {
	r.report.Warnings = append(r.report.Warnings, w)
	attrs := []any{"code", w.Code, "remedy", w.Remedy}
	if w.Object != "" {
		attrs = append(attrs, "object", w.Object)
	}
	r.opt.Logger.Warn(cmp.Or(w.quiet, w.Message), attrs...)
}

// askDomains asks the target for its domains.
func (r *run) askDomains(ctx context.Context) error {
	list, restricted, err := target.Domains(ctx, r.tgt)
	if err != nil {
		return fmt.Errorf("read the target's domains: %w", err)
	}
	if !restricted {
		return nil
	}
	r.domains = mapping.NewDomains(list)
	if r.domains.Initial == "" {
		return errors.New("the target names no initial domain: there is nothing to fall back to")
	}
	return nil
}

// noteChangedRules marks the objects that a change of the rules or of the
// verified domains may concern. The new facts become durable after the last of
// the marks, so that a crash in between marks again.
func (r *run) noteChangedRules(ctx context.Context) error {
	rules, domains := r.opt.Mapper.Fingerprint(), r.domains.Fingerprint()
	switch {
	case r.facts.Rules != rules && r.facts.Rules != "":
		for k, err := range r.l.Heads(ctx) {
			if err != nil {
				return err
			}
			if err := r.l.Unit(ctx, func() error { return r.markDue(ctx, k.ID, "the rules changed") }); err != nil {
				return err
			}
		}
	case r.facts.Domains != domains && r.facts.Domains != "":
		// Concerned are those whose suffix became verified or unverified, and
		// those who fall back, since the rules may see the whole set.
		was := make(map[string]bool)
		for _, d := range r.facts.Verified {
			was[d] = true
		}
		concerned := func(d string) bool { return !r.domains.Verified[d] || !was[d] }
		err := r.l.Suffixes(ctx, concerned, func(id source.ID) error {
			return r.l.Unit(ctx, func() error { return r.reconsider(ctx, id) })
		})
		if err != nil {
			return err
		}
	}
	r.facts.Rules, r.facts.Domains, r.facts.Verified = rules, domains, r.domains.List()
	if err := r.l.SetFacts(r.facts); err != nil {
		return err
	}
	return r.l.Flush(ctx)
}

// reconsider has id planned anew after the domains changed: what the target
// refused before, it may take now.
func (r *run) reconsider(ctx context.Context, id source.ID) error {
	e, err := r.l.Entry(ctx, id)
	if err != nil {
		return err
	}
	if e != nil && e.RefusedDomain != "" {
		e.RefusedDomain = ""
		if err := r.l.SetEntry(e); err != nil {
			return err
		}
	}
	return r.markDue(ctx, id, "the verified domains changed")
}

// markDue says that id has to be planned now, whatever happened before.
// why tells people what the change will be for; "" is that the object changed.
// That it is to put back what others wrote counts before all else, for the budget.
func (r *run) markDue(ctx context.Context, id source.ID, why string) error {
	delete(r.failed, id)
	d, err := r.l.Due(ctx, id)
	if err != nil {
		return err
	}
	if d != nil && d.Why == whyChangedThere {
		why = d.Why
	}
	if d != nil && d.Next.IsZero() && (d.Why == why || why != whyChangedThere) {
		return nil
	}
	return r.l.SetDue(id, ledger.Due{Why: why})
}

// isDue reports whether an object is to be planned in this round.
func (r *run) isDue(id source.ID, d ledger.Due) bool {
	if r.failed[id] || r.only != nil && !r.only[id] {
		return false
	}
	if r.kept != nil && (r.kept.Approval != nil || r.apply != "") {
		return true // the plan that waits may hold any of them
	}
	return r.req.Retry || d.Withheld && r.facts.Policy != r.opt.Policy || !time.Now().Before(d.Next)
}

// pause waits until the earliest retry of what isn't visible yet.
func (r *run) pause(ctx context.Context) error {
	r.again = false
	wait := r.wait
	r.wait = 0
	if wait <= 0 {
		return nil
	}
	r.waited += wait
	t := time.NewTimer(wait)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// prove notes that the configuration is proven: everything was read (there is
// no planning without a complete read), nothing is to be removed, and the guard
// let the plan through.
func (r *run) prove() error {
	if !r.facts.Proven.IsZero() || r.unreadSources() != nil || r.counts.Removals+r.report.HeldBack > 0 || r.only != nil || r.approval != nil {
		return nil
	}
	r.facts.Proven = time.Now().UTC()
	return r.l.SetFacts(r.facts)
}
