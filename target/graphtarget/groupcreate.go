package graphtarget

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/dirbridge/dirbridge/target"
)

// createGroup makes one group, and never a second one for the same anchor: it is
// made by an upsert under its uniqueName, which a lost reply can't double.
//
// An upsert writes to the group that is there already, whoever's it is. So the
// name is looked up first: a group that has it is refused, or, if the change is
// a repeated one, taken for the result of the earlier call.
func (t *Target) createGroup(ctx context.Context, via carrier, c target.Change) (target.Object, error) {
	if c.Anchor == "" {
		return target.Object{}, invalid(target.AttrAnchor, "is missing: a group can't be created without its unique name")
	}
	body, err := newGroup(c.Set)
	if err != nil {
		return target.Object{}, err
	}
	named := t.calls().groupNamed(c.Anchor)
	r, _ := insist(ctx, via, named)
	if o, ok := decodeOneOf(target.Group, r); ok {
		if c.Repeat {
			t.young.add(o.ID)
			return r.signed(o), nil
		}
		return target.Object{}, taken(r)
	}
	if v := judge(r); v.outcome != refused || v.err.Sentinel != target.ErrNotFound {
		if c.Repeat { // nothing is known of the earlier call still
			e := readFailure(r)
			e.Sentinel = target.ErrUnknownOutcome
			return target.Object{}, e
		}
		return target.Object{}, readError(r)
	}
	r, doubt := insist(ctx, via, t.calls().upsertGroup(c.Anchor, body))
	doubt = doubt || c.Repeat
	v := judge(r)
	if v.outcome == made {
		if o, ok := decodeOneOf(target.Group, r); ok {
			t.young.add(o.ID)
			o.Anchor = c.Anchor
			return r.signed(o), nil
		}
	} else if !doubt && v.outcome != unknown {
		return target.Object{}, v.err
	} else if v.outcome != refused || !lasting(v.err.Sentinel) {
		return target.Object{}, inDoubt(v)
	}
	// It is there, without its id: made by a try whose reply was lost, or by
	// somebody between our look and the upsert. Or a try after the first was
	// refused.
	o, seen := t.awaitGroup(ctx, via, named)
	switch {
	case seen.ok() && !doubt:
		return target.Object{}, taken(seen)
	case seen.ok():
		t.young.add(o.ID)
		return o, nil
	case v.outcome == refused:
		return target.Object{}, inDoubt(v)
	}
	return target.Object{}, &target.Error{Sentinel: target.ErrUnknownOutcome, RequestID: r.requestID(), ClientRequestID: r.clientID,
		Err: errors.New("the group is made or was there, and isn't shown yet")}
}

// awaitGroup looks for a group until it is seen, for SettleTimeout at most. The
// reply is the last one.
func (t *Target) awaitGroup(ctx context.Context, via carrier, named call) (target.Object, reply) {
	end := time.Now().Add(t.options.SettleTimeout)
	for look := 1; ; look++ {
		r := via.send(ctx, named)
		if o, ok := decodeOneOf(target.Group, r); ok {
			return r.signed(o), r
		}
		wait := backoff(look, firstWriteWait, maxWriteWait)
		if time.Now().Add(wait).After(end) || via.sleep(ctx, wait) != nil {
			r.fate = lost // whatever it was: not the group
			return target.Object{}, r
		}
	}
}

// taken is the refusal of a unique name that a group has already.
func taken(r reply) *target.Error {
	return &target.Error{Sentinel: target.ErrExists, Attribute: target.AttrAnchor, RequestID: r.requestID(), ClientRequestID: r.clientID,
		Err: errors.New("a group has this unique name")}
}

// decodeOneOf reads a single object of a kind; one of another kind isn't it.
func decodeOneOf(kind target.Kind, r reply) (target.Object, bool) {
	var item map[string]any
	if !r.ok() || json.Unmarshal(r.body, &item) != nil {
		return target.Object{}, false
	}
	if typ, ok := item["@odata.type"].(string); ok && typ != "#microsoft.graph."+string(kind) {
		return target.Object{}, false
	}
	return decodeObject(kind, item)
}
