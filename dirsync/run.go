package dirsync

import (
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
	req    Request
	dry    bool
	l      *ledger.Ledger
	facts  *ledger.Facts
	report *Report

	domains  mapping.Domains
	full     bool // the read was a complete one
	seen     *idSet
	reached  *source.Watermark // of a complete read: set when what it didn't give is looked up
	newcomer newcomers
	late     []source.ID // due because of a claim, and perhaps not prepared
	winners  map[[2]string]source.ID
	aside    map[source.ID]bool // has to free what it holds before it takes what it wants
	unowned  *unowned

	counts   plan.Counts // of this round's plan
	done     plan.Counts // what of the rounds before was carried out
	breaches []plan.Breach

	round    int                // of planning, from 0
	again    bool               // outcomes ask for another round
	wait     time.Duration      // how long to wait before it
	waited   time.Duration      // in all
	wire     context.Context    // of calls to the target: outlives the run's by the grace
	stop     error              // why no more is written in this run
	noCreate error              // why nothing more is created in this run
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
	if err := r.settleOpenIntents(ctx); err != nil {
		return err
	}
	if err := r.read(ctx); err != nil {
		return err
	}
	if err := r.noteChangedRules(ctx); err != nil {
		return err
	}
	for round := 0; ; round++ {
		if err := r.plan(ctx, round); err != nil {
			return err
		}
		if r.dry {
			r.emit(Planned{Run: r.report.Run, Round: round, Hash: r.report.PlanHash, Counts: r.counts})
			return nil
		}
		if err := r.guard(); err != nil {
			return err
		}
		if err := r.prove(); err != nil {
			return err
		}
		r.emit(Planned{Run: r.report.Run, Round: round, Hash: r.report.PlanHash, Counts: r.counts})
		if err := r.apply(ctx); err != nil {
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

// begin loads the facts and numbers the run.
func (r *run) begin(ctx context.Context) error {
	facts, err := r.l.Facts(ctx)
	if err != nil {
		return fmt.Errorf("read the state: %w", err)
	}
	r.facts = facts
	r.facts.Runs++
	r.report.Run = r.facts.Runs
	r.emit(Started{Run: r.report.Run, Dry: r.dry})
	return nil
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
func (r *run) markDue(ctx context.Context, id source.ID, why string) error {
	delete(r.failed, id)
	d, err := r.l.Due(ctx, id)
	if err != nil {
		return err
	}
	if d != nil && d.Next.IsZero() {
		return nil
	}
	return r.l.SetDue(id, ledger.Due{Why: why})
}

// isDue reports whether an object is to be planned in this round.
func (r *run) isDue(id source.ID, d ledger.Due) bool {
	if r.failed[id] {
		return false
	}
	return r.req.Retry || !time.Now().Before(d.Next)
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
	if !r.facts.Proven.IsZero() || r.counts.Removals+r.report.HeldBack > 0 {
		return nil
	}
	r.facts.Proven = time.Now().UTC()
	return r.l.SetFacts(r.facts)
}

// end completes the report, keeps the record of the run, and tells.
func (r *run) end(ctx context.Context, err error) (*Report, error) {
	r.report.Finished = time.Now().UTC()
	keep := context.WithoutCancel(ctx)
	if e := r.close(keep, err); e != nil {
		err = errors.Join(err, e)
	}
	r.log(err)
	r.emit(Finished{Report: r.report, Err: err})
	return r.report, err
}

// close gathers what is still wrong and commits what the run remembers.
func (r *run) close(ctx context.Context, runErr error) error {
	if r.facts == nil {
		return nil
	}
	for k, err := range r.l.Problems(ctx) {
		if err != nil {
			return err
		}
		for _, p := range k.Value {
			if !p.Once || !p.Since.Before(r.report.Started) {
				r.report.Problems = append(r.report.Problems, p)
			}
		}
	}
	w, err := r.l.Watermark(ctx)
	if err != nil {
		return err
	}
	r.report.Watermark = w.Value
	if r.dry {
		return nil
	}
	if runErr == nil {
		r.facts.Finished = r.report.Finished
	}
	if err := r.l.SetFacts(r.facts); err != nil {
		return err
	}
	if err := r.l.SetRun(r.report.Run, r.record(runErr)); err != nil {
		return err
	}
	if r.report.Run > keptRuns {
		r.l.DropRun(r.report.Run - keptRuns)
	}
	return r.l.Flush(ctx)
}

// keptRuns is how many records of past runs are kept.
const keptRuns = 200

// A runRecord is what is remembered of a run: the report without the lists.
type runRecord struct {
	Report
	Problems  int    `json:"problems"`
	Watermark string `json:"watermark,omitempty"` // shadows the report's: it is kept elsewhere
	Error     string `json:"error,omitempty"`
}

func (r *run) record(err error) runRecord {
	rec := runRecord{Report: *r.report, Problems: len(r.report.Problems)}
	if err != nil {
		rec.Error = err.Error()
	}
	return rec
}

func (r *run) emit(e Event) {
	if r.opt.OnEvent == nil {
		return
	}
	defer func() {
		if p := recover(); p != nil {
			r.opt.Logger.Error("a listener panicked", "event", fmt.Sprintf("%T", e), "panic", fmt.Sprintf("%T", p))
		}
	}()
	r.opt.OnEvent(e)
}

func (r *run) log(err error) {
	l := r.opt.Logger.With("run", r.report.Run, "mode", string(r.report.Mode), "dry", r.dry,
		"read", r.report.Read, "created", r.report.Created, "updated", r.report.Updated,
		"disabled", r.report.Disabled, "deleted", r.report.Deleted, "restored", r.report.Restored,
		"unchanged", r.report.Unchanged, "problems", len(r.report.Problems),
		"duration", r.report.Finished.Sub(r.report.Started))
	if err != nil {
		l.Error("run failed", "error", err)
		return
	}
	l.Info("run finished")
}
