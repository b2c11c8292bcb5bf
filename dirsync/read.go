package dirsync

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/dirbridge/dirbridge/dirsync/internal/ledger"
	"github.com/dirbridge/dirbridge/dirsync/plan"
	"github.com/dirbridge/dirbridge/mapping"
	"github.com/dirbridge/dirbridge/source"
)

// readFrom takes in what one source says. What changed is remembered as due, in
// one commit with the watermark; nothing is decided here.
func (r *run) readFrom(ctx context.Context, o *origin) error {
	r.from, r.reached = o, nil
	before := *r.report
	defer func() { o.read = r.report.Read - before.Read }()
	w, err := r.l.Watermark(ctx, o.home)
	if err != nil {
		return fmt.Errorf("read the state: %w", err)
	}
	from := w.Value
	o.reason = ""
	switch {
	case w.Broken:
		from, o.reason = "", "an earlier complete read was broken off"
	case r.facts.Behind:
		from, o.reason = "", "the state is older than what was done"
	case r.req.Full:
		from, o.reason = "", "asked for"
	case from == "":
		o.reason = "first run"
	case r.scoping.Reread:
		from, o.reason = "", "a container came back"
	case r.unsettled:
		from, o.reason = "", "an earlier run ended before it had looked at the containers that moved"
	case r.unplaced():
		from, o.reason = "", "the scope asks where objects lie"
	case r.byGroup() && !r.scoping.Grouped:
		from, o.reason = "", "the scope asks who is a member of groups"
	}
	events, delta := source.Read(ctx, o.src, from)
	if !delta && from != "" {
		o.reason = "the source has no deltas"
	}
	if delta {
		o.mode = Delta
		err = r.consume(ctx, o, events, true)
		if errors.Is(err, source.ErrWatermarkExpired) {
			o.reason = err.Error()
			events, delta = o.src.All(ctx), false
		}
	}
	if !delta {
		o.mode = Full
		r.seen, r.report.Unchanged = newIDSet(), before.Unchanged
		r.reached = new(source.Watermark)
		if w.Value != "" && !w.Broken {
			// What it gives may come from another domain controller and be
			// older than what is known. Deltas from the old watermark wouldn't
			// repeat that: if this read breaks off, the next one is complete.
			w.Broken = true
			if err := r.l.SetWatermark(o.home, w); err != nil {
				return err
			}
		}
		err = r.consume(ctx, o, events, true)
	}
	if err != nil {
		return fmt.Errorf("read the source %s: %w", o.src.Name(), err)
	}
	if !delta {
		if err := r.confirmSuspects(ctx); err != nil {
			return err
		}
		if err := r.setWatermark(*r.reached); err != nil {
			return err
		}
		r.reached = nil
	}
	o.full = !delta
	return r.l.Flush(ctx)
}

// forgetRefusals has values and domains that the target refused written once
// more: it may take them by now. A complete run does so, and who asks for it.
func (r *run) forgetRefusals(ctx context.Context) error {
	for k, err := range r.l.Problems(ctx) {
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(k.Value, func(p plan.Problem) bool { return p.Code == codeValueRefused || p.Code == codeDomainRefused }) {
			continue
		}
		err := r.l.Unit(ctx, func() error {
			e, err := r.l.Entry(ctx, k.ID)
			if e == nil || err != nil {
				return err
			}
			e.Refused, e.RefusedDomain = nil, ""
			if err := r.l.SetEntry(e); err != nil {
				return err
			}
			return r.markDue(ctx, k.ID, "tried again")
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// codeUnknown is the code of a change of which nobody knows whether it was made.
const codeUnknown = "outcome-unknown"

// The codes of what is tried again in a complete run.
const (
	codeValueRefused  = "value-refused" // as plan gives it
	codeDomainRefused = "domain-refused"
)

// consume takes the events of one read. On an error, what came is dropped or
// kept as it falls: it is true either way, and the watermark hasn't moved.
func (r *run) consume(ctx context.Context, o *origin, events iter.Seq2[source.Event, error], checkpointed bool) error {
	var last source.Op
	r.from = o
	r.refs.told, r.refs.emptied, r.refs.passed, r.refs.purge = nil, nil, nil, r.refers()
	if err := r.purgeRefs(ctx); err != nil { // what a crash left
		return err
	}
	for ev, err := range events {
		if err != nil {
			return sourceError{err}
		}
		last = ev.Op
		if ev.Op == source.Refers {
			if err := r.takeRefs(ctx, ev); err != nil {
				return err
			}
			continue
		}
		if err := r.l.Unit(ctx, func() error { return r.take(ctx, ev) }); err != nil {
			return err
		}
		if err := r.purgeRefs(ctx); err != nil {
			return err
		}
	}
	// A source that was cut off must say so; make sure.
	if err := ctx.Err(); err != nil {
		return err
	}
	if checkpointed && last != source.Checkpoint {
		return sourceError{fmt.Errorf("the read ended without a checkpoint: %w", source.ErrIncomplete)}
	}
	if err := r.confirmEmptied(ctx); err != nil {
		return err
	}
	return r.passCheckpoint(ctx)
}

// take remembers one event.
func (r *run) take(ctx context.Context, ev source.Event) error {
	if ev.Object.Kind == source.Container && ev.Op != source.Checkpoint {
		r.mark(ev.Object.ID)
		return r.observeContainer(ctx, ev)
	}
	if err := r.observeGroup(ctx, ev); err != nil {
		return err
	}
	switch ev.Op {
	case source.Checkpoint:
		if r.reached != nil {
			// What a complete read didn't give has to be looked up first: the
			// deltas after this watermark will say nothing about it.
			*r.reached = ev.Watermark
			return nil
		}
		if r.holdCheckpoint(ev.Watermark) {
			return nil
		}
		return r.setWatermark(ev.Watermark)
	case source.Upsert:
		r.report.Read++
		r.mark(ev.Object.ID)
		r.checkRefsTo(ev)
		return r.observe(ctx, ev.Object)
	case source.Left:
		r.report.Read++
		r.mark(ev.Object.ID)
		r.checkRefsTo(ev)
		return r.observeGone(ctx, ev, plan.Left)
	case source.Deleted:
		r.report.Read++
		r.mark(ev.Object.ID)
		return r.observeGone(ctx, ev, plan.Deleted)
	case source.Unreadable:
		r.report.Read++
		r.mark(ev.Object.ID)
		return r.observeUnreadable(ctx, ev)
	}
	return fmt.Errorf("the source yielded an event with operation %d", ev.Op)
}

func (r *run) mark(id source.ID) {
	if id != "" {
		r.seen.add(id)
	}
}

// observe remembers an object in scope. One that is as it was costs a look at
// the head of its entry.
func (r *run) observe(ctx context.Context, o source.Object) error {
	if o.ID == "" {
		return fmt.Errorf("the source gave an object without an ID (%s)", o.DN)
	}
	digest := ledger.Digest(&o)
	head, err := r.l.Head(ctx, o.ID)
	if err != nil {
		return err
	}
	if done, err := r.foreign(ctx, head, &o); done || err != nil {
		return err
	}
	if head != nil && head.Presence == plan.Present && head.Digest == digest {
		return r.unchanged(ctx, o.ID, head)
	}
	return r.appear(ctx, head, o)
}

// appear remembers an object that is in scope, with the values that it has now,
// and that it has to be planned.
func (r *run) appear(ctx context.Context, head *ledger.Head, o source.Object) (err error) {
	digest := ledger.Digest(&o)
	e := &ledger.Entry{Home: r.from.home}
	if head != nil {
		if e, err = r.l.Entry(ctx, o.ID); err != nil {
			return err
		}
	}
	if r.byGroup() && (head == nil || head.Presence != plan.Present) {
		r.l.SetRegroup(o.ID)
	}
	if e.Presence == plan.Left {
		e.Side.Out = ledger.SideLeft
	}
	r.uncouple(e)
	r.l.SetParent(o.ID, e.Object.Parent, o.Parent, false)
	e.Object, e.Digest, e.Presence, e.Evidence = o, digest, plan.Present, nil
	e.RefusedDomain, e.Gone = "", time.Time{}
	r.keyed(e)
	if err := r.l.SetEntry(e); err != nil {
		return err
	}
	return r.markDue(ctx, o.ID, "")
}

// unchanged counts an object that is as it was. One without an account that
// nothing is wrong with is skipped by rule.
func (r *run) unchanged(ctx context.Context, id source.ID, head *ledger.Head) error {
	if head.Linked {
		r.report.Unchanged++
		return nil
	}
	due, err := r.l.Due(ctx, id)
	if due != nil || err != nil {
		return err
	}
	problems, err := r.l.ProblemsOf(ctx, id)
	if len(problems) == 0 && err == nil {
		r.report.Skipped++
	}
	return err
}

// observeGone remembers that an object left the scope or was deleted. One of
// which nothing is known isn't our concern.
func (r *run) observeGone(ctx context.Context, ev source.Event, p plan.Presence) error {
	id := ev.Object.ID
	e, err := r.l.Entry(ctx, id)
	if err != nil {
		return err
	}
	if e == nil {
		return r.setProblems(ctx, id, nil) // it may have been unreadable
	}
	r.uncouple(e)
	if e.Home != r.from.home && p == plan.Left && e.Presence == plan.Deleted {
		e.Home = r.from.home // it was moved there, and out of scope
	}
	if there, err := r.departed(ctx, e); there || err != nil {
		return err
	}
	if e.Presence == p {
		return r.readable(ctx, id)
	}
	if e.Link == nil {
		if in, err := r.l.Intent(ctx, id); in == nil || err != nil {
			if err != nil {
				return err
			}
			return r.forget(ctx, e)
		}
	}
	e.Presence = p
	e.Evidence = &ev.Evidence
	if p == plan.Left && ev.Object.DN != "" {
		e.Object.DN = ev.Object.DN
	}
	// The values are kept as they were; the next upsert differs for sure.
	e.Digest = [sha256.Size]byte{}
	r.wentAway(e)
	if err := r.l.SetEntry(e); err != nil {
		return err
	}
	if p == plan.Deleted {
		if err := r.wake(ctx, id, ledger.Wake{}); err != nil {
			return err
		}
	}
	return r.markDue(ctx, id, "")
}

// observeUnreadable reports an object that the source couldn't read. What we
// know of it stays.
func (r *run) observeUnreadable(ctx context.Context, ev source.Event) error {
	p := plan.Problem{Object: ev.Object.ID, Name: ev.Object.DN, Since: r.report.Started, Problem: mapping.Problem{
		Code:    "unreadable",
		Message: "the source could not read this object: " + ev.Err.Error(),
		Remedy:  "see that the sync account may read the object and that its values are valid",
	}}
	if ev.Object.ID == "" {
		r.report.Problems = append(r.report.Problems, p)
		return nil
	}
	// Once it can be read again, it is looked at anew, whatever its values.
	if e, err := r.l.Entry(ctx, ev.Object.ID); err != nil {
		return err
	} else if e != nil && r.several() && (e.Home != r.from.home || e.Presence == plan.Left || e.Presence == plan.Deleted) {
		// There it is, whatever was said of it: a tombstone may be older.
		r.doubtful[ev.Object.ID] = true
		r.l.SetAsked(ev.Object.ID)
		r.report.Problems = append(r.report.Problems, p)
		return nil
	} else if e != nil {
		e.Digest = [sha256.Size]byte{}
		if err := r.l.SetEntry(e); err != nil {
			return err
		}
	} else {
		r.spoiled[ev.Object.ID] = true
	}
	old, err := r.l.ProblemsOf(ctx, ev.Object.ID)
	if err != nil {
		return err
	}
	old = slices.DeleteFunc(slices.Clone(old), func(o plan.Problem) bool { return o.Code == p.Code && o.Attribute == p.Attribute })
	return r.setProblems(ctx, ev.Object.ID, append(old, p))
}

// readable ends the problem that an object couldn't be read.
func (r *run) readable(ctx context.Context, id source.ID) error {
	ps, err := r.l.ProblemsOf(ctx, id)
	if err != nil || len(ps) == 0 {
		return err
	}
	return r.setProblems(ctx, id, slices.DeleteFunc(ps, func(p plan.Problem) bool { return p.Code == "unreadable" }))
}
