package graphtarget

import (
	"context"
	"errors"
	"regexp"
	"time"

	"github.com/dirbridge/dirbridge/target"
)

// update writes c.Set to a live object.
func (t *Target) update(ctx context.Context, via carrier, c target.Change) (target.Object, error) {
	done := target.Object{ID: c.ID, Kind: c.Kind, Anchor: c.Anchor}
	if len(c.Set) == 0 {
		return done, nil
	}
	if !objectID(c.ID) {
		return target.Object{}, noSuchID()
	}
	request, err := t.calls().updateObject(c.Kind, c.ID, c.Set)
	if err != nil {
		return target.Object{}, err
	}
	r, doubt := insist(ctx, via, request)
	v := judge(r)
	switch {
	case v.outcome == made:
		return r.signed(done), nil
	case v.err.Sentinel == target.ErrNotFound:
		return target.Object{}, t.missing(c, v.err)
	case doubt:
		return target.Object{}, inDoubt(v)
	default:
		return target.Object{}, v.err
	}
}

// remove puts an object into the bin. One that is gone is done.
func (t *Target) remove(ctx context.Context, via carrier, c target.Change) (target.Object, error) {
	gone := target.Object{ID: c.ID, Kind: c.Kind, Anchor: c.Anchor, Deleted: true}
	if !objectID(c.ID) {
		return gone, nil
	}
	request, err := t.calls().removeObject(c.Kind, c.ID)
	if err != nil {
		return target.Object{}, untold(err)
	}
	r, doubt := insist(ctx, via, request)
	v := judge(r)
	switch {
	case v.outcome == made:
		t.young.forget(c.ID)
		return r.signed(gone), nil
	case v.err.Sentinel == target.ErrNotFound && !t.isYoung(c):
		return r.signed(gone), nil
	case v.err.Sentinel == target.ErrNotFound:
		// Too young for "not found" to mean "gone", unless it is in the bin.
		if bin := via.send(ctx, t.calls().deleted(c.ID)); bin.ok() {
			t.young.forget(c.ID)
			return bin.signed(gone), nil
		}
		return target.Object{}, t.missing(c, v.err)
	case doubt:
		return target.Object{}, inDoubt(v)
	default:
		return target.Object{}, v.err
	}
}

// restore takes an object out of the bin, then writes c.Set to it. One that is
// live is only written to.
func (t *Target) restore(ctx context.Context, via carrier, c target.Change) (target.Object, error) {
	if !objectID(c.ID) {
		return target.Object{}, noSuchID()
	}
	if _, err := t.calls().updateObject(c.Kind, c.ID, c.Set); err != nil {
		return target.Object{}, err // before anything is written
	}
	r, doubt := insist(ctx, via, t.calls().restore(c.ID, ""))
	v := judge(r)
	if upn := c.Set.First(target.AttrUserPrincipalName); upn != "" && v.outcome == refused &&
		v.err.Sentinel == target.ErrExists && (v.err.Attribute == target.AttrUserPrincipalName || v.err.Attribute == "") {
		// Its old name is taken by now: it comes back under the one that it is to have.
		var again bool
		r, again = insist(ctx, via, t.calls().restore(c.ID, upn))
		v, doubt = judge(r), doubt || again
	}
	restored := target.Object{ID: c.ID, Kind: c.Kind, Anchor: c.Anchor}
	switch {
	case v.outcome == made:
		t.young.add(c.ID) // replicas may take a while to show it again
		if o, ok := decodeOneOf(c.Kind, r); ok {
			o.Anchor, o.Deleted = c.Anchor, false
			restored = o
		}
		restored = r.signed(restored)
	case v.err.Sentinel == target.ErrNotFound:
		// Not in the bin: live already, or gone for good.
		live, err := t.calls().getObject(c.Kind, c.ID)
		if err != nil {
			return target.Object{}, untold(err)
		}
		seen, _ := insist(ctx, via, live)
		if o, ok := decodeOneOf(c.Kind, seen); ok {
			if !c.Binned.IsZero() && time.Since(c.Binned) < replication && !t.young.has(c.ID) {
				if doubt { // an attempt of ours may have brought it back just now
					return target.Object{}, &target.Error{Sentinel: target.ErrUnknownOutcome, Err: errors.New("the object is in no bin, and it was deleted a moment ago")}
				}
				return target.Object{}, &target.Error{Sentinel: target.ErrNotYet, Err: errors.New("the bin doesn't show the object yet")}
			}
			o.Anchor = c.Anchor
			restored = seen.signed(o)
			break
		}
		if e := judge(seen).err; e != nil && e.Sentinel == target.ErrNotFound {
			return target.Object{}, t.missing(c, e)
		}
		return target.Object{}, readError(seen)
	case doubt:
		return target.Object{}, inDoubt(v)
	default:
		return target.Object{}, v.err
	}
	written, err := t.update(ctx, via, c)
	if err != nil {
		return target.Object{}, err
	}
	if len(c.Set) > 0 {
		restored.RequestID, restored.ClientRequestID = written.RequestID, written.ClientRequestID
	}
	for name := range c.Set {
		delete(restored.Attributes, name) // of before the update
	}
	return restored, nil
}

// missing says what "not found" means for c's object: for one that is younger
// than Graph's replicas take, not yet.
func (t *Target) missing(c target.Change, e *target.Error) *target.Error {
	if t.isYoung(c) {
		e.Sentinel = target.ErrNotYet
	}
	return e
}

// replication is how long Graph may take to show everywhere what it accepted.
const replication = 15 * time.Minute

func (t *Target) isYoung(c target.Change) bool {
	return t.young.has(c.ID) || !c.Linked.IsZero() && time.Since(c.Linked) < replication
}

var guid = regexp.MustCompile(`^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$`)

// objectID reports whether id can be one of Graph's. Nothing else gets into a
// path.
func objectID(id target.ID) bool { return guid.MatchString(string(id)) }

func noSuchID() *target.Error {
	return &target.Error{Sentinel: target.ErrNotFound, Err: errors.New("the id is no GUID, so that nothing has it")}
}

// untold is the error for a request that couldn't be built.
func untold(err error) error {
	return &target.Error{Sentinel: target.ErrInvalid, Err: err}
}
