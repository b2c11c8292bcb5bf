package simulation

import (
	"context"
	"errors"
	"slices"

	"github.com/dirbridge/dirbridge/dirsync"
	"github.com/dirbridge/dirbridge/dirsync/audit"
	"github.com/dirbridge/dirbridge/source"
	"github.com/dirbridge/dirbridge/target"
)

// A journal is the audit log as one run sees it. What is in it survives
// everything, the state's loss included.
type journal struct {
	w   *world
	run *runState
}

var errJournal = errors.New("simulation: the audit log can't be written")

func (j *journal) Position(ctx context.Context) (audit.Head, bool, error) {
	if j.run.dead {
		return audit.Head{}, false, errDied
	}
	return j.w.journal.Position(ctx)
}

func (j *journal) Append(ctx context.Context, records []audit.Record) error {
	if j.run.dead {
		return errDied
	}
	j.run.appends++
	if f := j.run.auditFault; f.N == j.run.appends {
		j.w.hit("audit fails")
		if f.Done {
			return errors.Join(errJournal, j.w.journal.Append(ctx, records))
		}
		return errJournal
	}
	err := j.w.journal.Append(ctx, records)
	if errors.Is(err, audit.ErrForked) || errors.Is(err, audit.ErrGap) {
		j.w.oracle.complain("A18", "%v", err)
	}
	return err
}

// deedsOf is the name under which writes and their records are counted.
func deedsOf(op, anchor string) string { return op + " " + anchor }

// told counts the records of calls.
func (w *world) told() map[string]int {
	n := map[string]int{}
	for _, r := range w.journal.Records() {
		if r.Event == audit.EventWrite {
			n[deedsOf(r.Op, r.Anchor)]++
		}
	}
	return n
}

// audited sees that there is a record for each write that the tenant accepted.
func (w *world) audited() {
	if !w.config.Audit {
		return
	}
	told := w.told()
	for key, n := range w.made {
		if told[key] < n {
			w.oracle.complain("A18", "%d times %s, %d records of it", n, key, told[key])
		}
	}
}

// setBack: the state was put back from a copy or lost, and with it what the
// audit log hadn't been told. It reports whether the engine has to see it, from
// what the log knows.
func (w *world) setBack() bool {
	if !w.config.Audit {
		return false
	}
	told := w.told()
	for key := range w.made {
		w.made[key] = min(w.made[key], told[key])
	}
	r := &runState{toldNow: map[source.ID]bits{}}
	eng, ctx, cancel := w.engine(r)
	defer cancel()
	_, head, err := eng.AuditHead(ctx)
	at, _, _ := w.journal.Position(ctx)
	r.dead = true
	if err != nil || at.Seq <= head.Seq {
		w.oracle.unproven = false // a copy of what is there already is no step back
		return false
	}
	w.hit("E-02 seen")
	w.oracle.unproven, w.oracle.before = true, map[string]bool{}
	for key := range w.oracle.words.approved {
		w.oracle.before[key] = true
	}
	return true
}

// consent: in the calm, somebody approves what is held back until then.
func (w *world) consent() {
	r := &runState{number: w.runs, toldNow: map[source.ID]bits{}}
	eng, ctx, cancel := w.engine(r)
	defer cancel()
	p, err := eng.Plan(ctx, nil)
	if err == nil {
		w.word(&Step{Do: "approve", N: 1e6})
		w.logf("  consent to %d changes", p.Counts.Total())
	}
	r.dead = true
}

// provenBy: a run that plans no removal and holds none back proves the
// configuration, however it ends: what counts is the plan, once it is durable
// (docs/decisions/007).
func (o *oracle) provenBy(r *runState, rep *dirsync.Report, err error) {
	if (err == nil || r.proves) && rep.HeldBack == 0 {
		o.unproven = false
	}
}

// inBin: who has an account in the bin gets that one back, or, if the state
// doesn't know whose it is, none. What such a state couldn't see either when it
// looked, since it was deleted during the run, nobody can know.
func (o *oracle) inBin(c target.Change, r *runState) {
	if len(o.w.numbers[c.Anchor]) != 1 || c.Repeat && o.w.tenant.holder(target.AttrAnchor, c.Anchor) != nil {
		return
	}
	for _, a := range o.w.tenant.sorted(false) {
		if a.anchor == c.Anchor && !a.deleted.IsZero() && (o.mine[a.id] && !c.Repeat || a.deleted.Before(r.began)) {
			o.complain("I5", "a new account for %s, whose own one is in the bin", o.w.who(c.Anchor))
			return
		}
	}
}

// proposed: p has an account in the bin of which the state, which was lost or put
// back, knows nothing, and the engine says so.
func (w *world) proposed(p *person, rep *dirsync.Report) bool {
	for _, x := range rep.Problems {
		a := w.tenant.accounts[target.ID(x.Holder)]
		if x.Object == p.id && x.Code == "anchor-unowned" && a != nil && !a.deleted.IsZero() && !w.oracle.mine[a.id] && slices.Contains(w.anchors[p.num], a.anchor) {
			return true
		}
	}
	return false
}

// tooEarly: where nothing went wrong, no change comes before the one that frees
// what it takes.
func (o *oracle) tooEarly(c target.Change, err error, r *runState) {
	if err == nil {
		return
	}
	if r.refused++; r.refused > 1 || o.w.rough || o.w.tenant.lag > 0 || !errors.Is(err, target.ErrExists) {
		return
	}
	attr := target.AttributeOf(err)
	if h := o.w.tenant.holder(attr, c.Set.First(attr)); h != nil && o.mine[h.id] {
		o.complain("I12", "%s of %s comes before %s lets %s go", c.Op, o.w.who(c.Anchor), o.w.who(h.anchor), attr)
	}
}
