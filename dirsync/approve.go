package dirsync

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/dirbridge/dirbridge/dirsync/audit"
	"github.com/dirbridge/dirbridge/dirsync/internal/ledger"
	"github.com/dirbridge/dirbridge/dirsync/plan"
	"github.com/dirbridge/dirbridge/source"
)

// Waiting returns the plan that waits for somebody's word: one that a run was
// halted for, or that [Engine.Plan] or [Engine.Undo] made; nil if none does.
// The plan is read from the store as it is asked for; a later run may replace
// it meanwhile.
func (e *Engine) Waiting(ctx context.Context) (*Plan, error) {
	if !e.running.TryLock() {
		return nil, ErrRunning
	}
	defer e.running.Unlock()
	r := e.newRun(e.store, nil)
	k, err := r.l.Kept(ctx)
	if k == nil || err != nil {
		return nil, err
	}
	return keptPlan(k, r.l), nil
}

// Approve lets the plan through that has this hash (twelve characters of it are
// enough) and waits: the next Sync, or [Engine.Apply], carries it out whatever
// the budgets say, if by then each of its changes would still be planned as it
// is. by says who approves, for the audit. After until it is good for nothing.
//
// An approval is for each change of that plan once, and for nothing else. If
// another plan waits, the error wraps [ErrPlanStale].
func (e *Engine) Approve(ctx context.Context, hash, by string, until time.Time) error {
	switch {
	case by == "":
		return errors.New("approve: say who approves")
	case !until.After(time.Now()):
		return errors.New("approve: the approval would be good until a time that is past")
	}
	return e.word(ctx, hash, func(r *run) error {
		now, err := r.hashOf(ctx, r.kept.Area)
		if err != nil {
			return err
		}
		if now != r.kept.Hash || r.kept.Begun {
			return &StaleError{Hash: hash, Reason: "it has been carried out in part, or its changes aren't those that it was named after; plan again"}
		}
		r.kept.Approval = &ledger.Approval{By: by, At: time.Now().UTC(), Until: until.UTC()}
		if err := r.l.SetKept(r.kept); err != nil {
			return err
		}
		return r.note(ctx, audit.Record{Event: audit.EventApproved, Plan: r.kept.Hash, Approver: by, Detail: "until " + until.UTC().Format(time.RFC3339)})
	})
}

// Reject says no to the plan that has this hash and waits: the changes for which
// it was halted (all of them, if it wasn't) are held back, each whenever it
// would be just that change. Nobody is asked about them again; everything
// else goes on. Each is reported as a problem with the code "held", until
// the source says something else or [Engine.Release] lets it go.
func (e *Engine) Reject(ctx context.Context, hash, by string) error {
	if by == "" {
		return errors.New("reject: say who rejects")
	}
	return e.word(ctx, hash, func(r *run) error {
		k := r.kept
		bad := map[plan.Effect]bool{}
		for _, b := range k.Breaches {
			bad[b.Effect] = true
		}
		for c, err := range r.l.Plan(ctx, k.Area) {
			if err != nil {
				return err
			}
			if c.Refer != nil {
				if err := r.holdRefs(ctx, c, k, by); err != nil {
					return err
				}
				continue
			}
			if k.Undo != 0 || len(bad) > 0 && !slices.ContainsFunc(c.Effects(), func(e plan.Effect) bool { return bad[e] }) {
				continue
			}
			err := r.l.Unit(ctx, func() error {
				e, err := r.l.Entry(ctx, c.Source)
				if e == nil || err != nil {
					return err
				}
				return r.l.SetHold(c.Source, ledger.Hold{State: sourceState(e), Change: c.Deed(), Why: heldRejected, Of: k.Hash, By: by, At: time.Now().UTC()})
			})
			if err != nil {
				return err
			}
		}
		if err := r.note(ctx, audit.Record{Event: audit.EventRejected, Plan: k.Hash, Approver: by}); err != nil {
			return err
		}
		return r.dropKept(ctx)
	})
}

// Release ends the holds on ids, on everything without any: what was rejected,
// or undone, is planned again in the next run. It returns how many there were.
func (e *Engine) Release(ctx context.Context, ids ...source.ID) (n int, err error) {
	if !e.running.TryLock() {
		return 0, ErrRunning
	}
	defer e.running.Unlock()
	r := e.newRun(e.store, nil)
	all := len(ids) == 0
	if all {
		for k, err := range r.l.Holds(ctx) {
			if err != nil {
				return 0, err
			}
			ids = append(ids, k.ID)
		}
	}
	for _, id := range ids {
		err := r.l.Unit(ctx, func() error {
			h, err := r.l.Hold(ctx, id)
			if h == nil || err != nil {
				return err
			}
			n++
			r.l.ClearHold(id)
			return r.markDue(ctx, id, "released")
		})
		if err != nil {
			return n, err
		}
	}
	held, err := r.releaseRefs(ctx, ids, all)
	if err != nil {
		return n, err
	}
	return n + held, r.l.Flush(ctx)
}

// word has somebody say something about the plan that waits.
func (e *Engine) word(ctx context.Context, hash string, say func(*run) error) error {
	if !e.running.TryLock() {
		return ErrRunning
	}
	defer e.running.Unlock()
	r := e.newRun(e.store, nil)
	r.apply = hash
	var err error
	if r.facts, err = r.l.Facts(ctx); err != nil {
		return err
	}
	r.report.Run = r.facts.Runs
	if err := r.loadKept(ctx); err != nil {
		return err
	}
	if err := r.openOutbox(ctx); err != nil {
		return err
	}
	if err := say(r); err != nil {
		return err
	}
	if err := r.l.Flush(ctx); err != nil {
		return err
	}
	return r.deliver(ctx)
}

func keptPlan(k *ledger.Kept, l *ledger.Ledger) *Plan {
	p := &Plan{Hash: k.Hash, Counts: k.Counts, Breaches: k.Breaches, Run: k.Run, Made: k.Made, Undo: k.Undo, Begun: k.Begun, ledger: l, area: k.Area}
	if a := k.Approval; a != nil {
		p.Approval = &Approval{By: a.By, At: a.At, Until: a.Until}
	}
	return p
}

// AuditHead returns the last audit record that the engine made, and the last one
// that all sinks had when a run last ended: after a crash, the next run delivers
// what is between. A log that ends before delivered was cut, one that goes on
// after made is newer than the state. See [audit.Verify].
func (e *Engine) AuditHead(ctx context.Context) (delivered, made audit.Head, err error) {
	if !e.running.TryLock() {
		return delivered, made, ErrRunning
	}
	defer e.running.Unlock()
	l := e.newRun(e.store, nil).l
	if made, err = l.AuditHead(ctx); err != nil {
		return delivered, made, err
	}
	for first, err := range l.Audits(ctx) {
		return audit.Head{Seq: first.Value.Seq - 1, Hash: first.Value.Prev}, made, err
	}
	return made, made, nil
}
