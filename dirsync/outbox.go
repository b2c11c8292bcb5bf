package dirsync

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/dirbridge/dirbridge/dirsync/audit"
	"github.com/dirbridge/dirbridge/dirsync/internal/ledger"
	"github.com/dirbridge/dirbridge/target"
)

// maxOutbox is how many audit records are gathered before they are handed to the
// sinks; deliverAtOnce how many are handed over in one call.
const (
	maxOutbox     = 5000
	deliverAtOnce = 500
)

// openOutbox hands over what an earlier process left behind, and compares where
// the sinks stand with what the state knows. A sink that is ahead of the state
// proves that the state is older than what was done.
func (r *run) openOutbox(ctx context.Context) error {
	if len(r.opt.Audit) == 0 || r.dry {
		return nil
	}
	head, err := r.l.AuditHead(ctx)
	if err != nil {
		return err
	}
	at, behind := head, false
	for _, s := range r.opt.Audit {
		pos, ok, err := s.Position(ctx)
		if err != nil {
			return fmt.Errorf("%w: %w", ErrAudit, err)
		}
		if ok && pos.Seq > at.Seq {
			at, behind = pos, true
		}
	}
	if behind {
		// The state's own outbox is older still; the sinks have all that.
		for a, err := range r.l.Audits(ctx) {
			if err != nil {
				return err
			}
			r.l.ClearAudit(a.N)
		}
		r.facts.Proven, r.facts.Behind = time.Time{}, true
		r.warn(Warning{Code: "state-behind",
			Message: fmt.Sprintf("the audit log has record %d and the state knows of %d: the state was lost or put back from a copy. Everything is read anew, and no account is removed before a run has proven the configuration or somebody approves the plan", at.Seq, head.Seq),
			Remedy:  "if a newer copy of the state exists, put that back; else look at the problems anchor-unowned: accounts that this state doesn't know as its own are never taken over"})
		if err := r.l.SetAuditHead(at); err != nil {
			return err
		}
		if err := r.note(ctx, audit.Record{Event: audit.EventStateBehind, Detail: fmt.Sprintf("the state knew of record %d", head.Seq)}); err != nil {
			return err
		}
		if err := r.forgetApproval(ctx); err != nil {
			return err
		}
		if err := r.l.SetFacts(r.facts); err != nil {
			return err
		}
	}
	return r.deliver(ctx)
}

// forgetApproval takes back the approval that an old state brought along: it may
// have been used. The plan waits for another word.
func (r *run) forgetApproval(ctx context.Context) error {
	if r.kept == nil || r.kept.Approval == nil {
		return nil
	}
	rec := audit.Record{Event: audit.EventPlanStale, Plan: r.kept.Hash, Approver: r.kept.Approval.By, Detail: "the state was put back: its approval may have been used before"}
	r.kept.Approval = nil
	r.warn(Warning{Code: "approval-void", Message: fmt.Sprintf("the approval of the plan %.12s came back with an old state, and may have been used before; it counts no more", r.kept.Hash),
		Remedy: "look at the plan again, and approve it if it is right"})
	if err := r.l.SetKept(r.kept); err != nil {
		return err
	}
	return r.note(ctx, rec)
}

// note puts a record into the outbox. It becomes durable together with what it
// tells of.
func (r *run) note(ctx context.Context, rec audit.Record) error {
	if len(r.opt.Audit) == 0 || r.dry {
		return nil
	}
	rec.Time, rec.Run = time.Now().UTC(), r.report.Run
	if rec.Plan == "" {
		rec.Plan = r.hash
	}
	// The head is read anew each time: a unit that fails takes it back.
	head, err := r.l.AuditHead(ctx)
	if err != nil {
		return err
	}
	rec.Seal(head)
	r.outbox++
	if err := r.l.SetAudit(&rec); err != nil {
		return err
	}
	return r.l.SetAuditHead(rec.Head())
}

// noteCall tells of one call to the target that changes something.
func (r *run) noteCall(ctx context.Context, in *ledger.Intent, outcome audit.Outcome, res target.Result, repeat bool) error {
	if len(r.opt.Audit) == 0 {
		return nil
	}
	c := &in.Change
	rec := audit.Record{
		Event: audit.EventWrite, Op: string(c.Op), Kind: string(c.Kind), Source: string(c.Source), Name: c.Name, Target: string(c.ID),
		Anchor: c.Anchor, UPN: c.UPN, Before: c.Before, After: c.Set, Outcome: outcome, Repeat: repeat,
		Reason: c.Reason, Plan: in.Plan, Approver: in.Approver, RequestID: res.Object.RequestID, ClientRequestID: res.Object.ClientRequestID,
	}
	if rec.Target == "" {
		rec.Target = string(res.Object.ID)
	}
	if c.Refer != nil {
		rec.Before, rec.After = refValues(c.Refer.Attribute, c.Refer.Remove), refValues(c.Refer.Attribute, c.Refer.Add)
	}
	if len(c.Leaves) > 0 {
		rec.Before = refValues("memberOf", c.Leaves)
	}
	for _, d := range c.Decisions {
		rec.Rules = append(rec.Rules, audit.Rule{Attribute: d.Attribute, Rule: d.Rule, Branch: d.Branch})
	}
	if e := c.Evidence; e != nil {
		rec.Evidence = &audit.Evidence{Kind: e.Kind, Detail: e.Detail, Seen: e.Seen}
	}
	if res.Err != nil {
		rec.Error = res.Err.Error()
		if te, ok := errors.AsType[*target.Error](res.Err); ok {
			rec.RequestID, rec.ClientRequestID = te.RequestID, te.ClientRequestID
		}
	}
	return r.note(ctx, rec)
}

// deliver hands the outbox to every sink, and empties it.
func (r *run) deliver(ctx context.Context) error {
	if len(r.opt.Audit) == 0 || r.dry {
		return nil
	}
	if err := r.l.Flush(ctx); err != nil { // a sink never has what the state may lose
		return err
	}
	var batch []audit.Record
	send := func() error {
		for _, s := range r.opt.Audit {
			if err := s.Append(ctx, batch); err != nil {
				return fmt.Errorf("%w: %w", ErrAudit, err)
			}
		}
		for _, rec := range batch {
			r.l.ClearAudit(rec.Seq)
		}
		batch = batch[:0]
		return nil
	}
	for a, err := range r.l.Audits(ctx) {
		if err != nil {
			return err
		}
		if batch = append(batch, a.Value); len(batch) == deliverAtOnce {
			if err := send(); err != nil {
				return err
			}
		}
	}
	if len(batch) > 0 {
		if err := send(); err != nil {
			return err
		}
	}
	r.outbox = 0
	return r.l.Flush(ctx)
}
