package graphtarget

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/dirbridge/dirbridge/target"
)

// create makes one account, and never a second one for the same anchor.
//
// What keeps it from that: once a create may have been carried out without our
// knowing, an object that carries the anchor is its result. As long as none is
// seen (Graph shows new objects late), the very same body is sent again, which
// Graph refuses if the first was carried out, since the name in it is taken
// then; that refusal in turn isn't believed before the anchor was looked for
// again, for a while.
func (t *Target) create(ctx context.Context, via carrier, c target.Change) (target.Object, error) {
	if c.Anchor == "" {
		return target.Object{}, invalid(anchorProperty, "is missing: an account can't be created without its anchor")
	}
	password, err := t.newPassword()
	if err != nil {
		return target.Object{}, err
	}
	body, err := newUser(c.Anchor, c.Set, password)
	if err != nil {
		return target.Object{}, err
	}
	post, err := t.calls().create(body)
	if err != nil {
		return target.Object{}, untold(err)
	}
	byAnchor, err := t.calls().list(anchorProperty + " eq " + quote(c.Anchor))
	if err != nil {
		return target.Object{}, untold(err)
	}
	n := &creation{t: t, via: via, change: c, post: post, byAnchor: byAnchor, doubt: c.Repeat}
	o, err := n.run(ctx)
	if err != nil {
		return target.Object{}, err
	}
	t.young.add(o.ID)
	if c.Repeat && !n.sure { // an earlier call made it, with another password
		return o, nil
	}
	return o, t.tell(ctx, o, password)
}

func (t *Target) newPassword() (p Password, err error) {
	defer func() {
		if recover() != nil {
			err = &target.Error{Sentinel: target.ErrInvalid, Attribute: "passwordProfile", Err: errors.New("Options.NewPassword panicked")}
		}
	}()
	p, err = t.options.NewPassword()
	if err != nil {
		// Without the cause's text: who makes passwords may quote one.
		return p, &target.Error{Sentinel: target.ErrInvalid, Attribute: "passwordProfile", Err: unshown{errors.New("Options.NewPassword gave none"), err}}
	}
	return p, nil
}

// tell hands the password over. The account is there whatever happens.
func (t *Target) tell(ctx context.Context, o target.Object, p Password) (err error) {
	if t.options.OnPassword == nil {
		return nil
	}
	defer func() {
		if recover() != nil {
			err = &target.Error{Sentinel: target.ErrUnknownOutcome, Err: errors.New("the account is made, but Options.OnPassword panicked")}
		}
	}()
	t.options.OnPassword(ctx, o, p)
	return nil
}

// A creation is one create on its way.
type creation struct {
	t        *Target
	via      carrier
	change   target.Change
	post     call
	byAnchor call
	doubt    bool // an account may have been made without our knowing
	sure     bool // Graph itself told us that it made this one
}

func (n *creation) run(ctx context.Context) (target.Object, error) {
	if n.change.Repeat {
		if o, found, err := n.look(ctx); found || err != nil {
			return o, err
		}
	}
	var last *target.Error
	for try := 1; try <= writeTries; try++ {
		r := n.via.send(ctx, n.post)
		v := judge(r)
		if v.outcome == made {
			if o, ok := decodeOne(r); ok {
				n.sure = true
				o.Anchor = n.change.Anchor
				return r.signed(o), nil
			}
			// Made, but which? The id was in the part of the reply that is missing.
			v = verdict{unknown, &target.Error{Sentinel: target.ErrUnknownOutcome, RequestID: r.requestID(), ClientRequestID: r.clientID, Err: errors.New("the reply holds no user")}}
		}
		last = v.err
		switch v.outcome {
		case refused:
			if n.doubt {
				return n.settle(ctx, v)
			}
			return target.Object{}, v.err
		case unknown:
			n.doubt = true
			for wait := 1; wait <= quickLooks; wait++ {
				if n.via.sleep(ctx, backoff(wait, firstWriteWait, maxWriteWait)) != nil {
					return target.Object{}, inDoubt(v)
				}
				if o, found, err := n.look(ctx); found || err != nil {
					return o, err
				}
			}
		case untried:
			if v.err.Sentinel != target.ErrUnavailable {
				return target.Object{}, n.fail(v)
			}
			if n.via.sleep(ctx, backoff(try, firstWriteWait, maxWriteWait)) != nil {
				return target.Object{}, n.fail(v)
			}
		}
	}
	if n.doubt {
		last.Sentinel = target.ErrUnknownOutcome
	}
	return target.Object{}, last
}

// quickLooks is how often the anchor is looked for before the create is sent
// again.
const quickLooks = 3

func (n *creation) fail(v verdict) error {
	if n.doubt {
		return inDoubt(v)
	}
	return v.err
}

// settle finds out about a create that was refused after an account may have
// been made: either the refusal is the echo of our own success, and the anchor
// shows up, or it stands.
//
// The refusal is believed once it has been confirmed a few times over: by
// another account that is seen to hold the value, or by being about the request
// itself. Until then, and when time is up, the outcome is unknown.
func (n *creation) settle(ctx context.Context, v verdict) (target.Object, error) {
	if !lasting(v.err.Sentinel) {
		return target.Object{}, inDoubt(v)
	}
	holders, err := n.holderCalls(v.err)
	if err != nil {
		return target.Object{}, untold(err)
	}
	end := time.Now().Add(n.t.options.SettleTimeout)
	confirmed := 0
	for look := 1; ; look++ {
		if o, found, err := n.look(ctx); found || err != nil {
			return o, err
		}
		if v.err.Sentinel != target.ErrExists || n.heldByAnother(ctx, holders) {
			confirmed++
		}
		if confirmed >= confirmations {
			return target.Object{}, v.err
		}
		wait := backoff(look, firstWriteWait, maxWriteWait)
		if time.Now().Add(wait).After(end) || n.via.sleep(ctx, wait) != nil {
			e := *v.err
			e.Sentinel = target.ErrUnknownOutcome
			return target.Object{}, &e
		}
	}
}

// confirmations is how many looks must agree that a refusal isn't the echo of
// our own create.
const confirmations = 4

// holderCalls are the searches for whoever holds a value that was refused.
func (n *creation) holderCalls(e *target.Error) ([]call, error) {
	var cs []call
	for _, key := range []target.Key{
		{UserPrincipalName: n.change.Set.First(target.AttrUserPrincipalName)},
		{Mail: n.change.Set.First(target.AttrMail)},
	} {
		if key == (target.Key{}) {
			continue
		}
		c, err := n.t.calls().find(key)
		if err != nil {
			return nil, fmt.Errorf("search for the holder of %s: %w", e.Attribute, err)
		}
		cs = append(cs, c)
	}
	return cs, nil
}

func (n *creation) heldByAnother(ctx context.Context, holders []call) bool {
	for _, c := range holders {
		found, _, _ := decodePage(n.via.send(ctx, c))
		for _, o := range found {
			if o.Anchor != n.change.Anchor {
				return true
			}
		}
	}
	return false
}

// look searches for the account that carries the anchor. The error is that
// there are two, which this package doesn't make.
func (n *creation) look(ctx context.Context) (o target.Object, found bool, err error) {
	r := n.via.send(ctx, n.byAnchor)
	all, _, _ := decodePage(r) // no reply: nothing seen
	switch len(all) {
	case 0:
		return target.Object{}, false, nil
	case 1:
		return r.signed(all[0]), true, nil
	default:
		return target.Object{}, false, &target.Error{Sentinel: target.ErrExists, Attribute: anchorProperty,
			Err: fmt.Errorf("%d accounts carry the anchor", len(all))}
	}
}
