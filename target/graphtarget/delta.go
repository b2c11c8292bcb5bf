package graphtarget

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"slices"
	"strings"

	"github.com/dirbridge/dirbridge/target"
)

// Latest returns the token of now; see [target.Deltaer]. It costs one request.
func (t *Target) Latest(ctx context.Context, kind target.Kind) (target.Token, error) {
	if !slices.Contains(t.Kinds(), kind) {
		return "", noSuchKind(kind)
	}
	first := t.calls().delta()
	if kind == target.Group {
		first = t.calls().deltaOfGroups()
	}
	for p, err := range t.walk(ctx, first) {
		if err != nil {
			return "", err
		}
		if p.Delta != "" {
			return t.tokenOf(p.Delta)
		}
	}
	return "", unavailable("the delta ended without a link to the next one")
}

// Changes yields what happened to users, or to groups and their members, since
// token; see [target.Deltaer]. The token is Graph's link, which is good for seven
// days. What an object holds comes as far as Graph tells it, which may be less than
// by Find; an item that says nothing but who is a member is about that alone. Of
// owners and managers nothing is told.
func (t *Target) Changes(ctx context.Context, kind target.Kind, token target.Token) iter.Seq2[target.DeltaEvent, error] {
	return func(yield func(target.DeltaEvent, error) bool) {
		if !slices.Contains(t.Kinds(), kind) {
			yield(target.DeltaEvent{}, noSuchKind(kind))
			return
		}
		set := "/users/delta"
		if kind == target.Group {
			set = "/groups/delta"
		}
		first, err := t.follow(string(token))
		if token == "" || err != nil || !strings.HasPrefix(first.url.Path, t.wire.where.base.Path+set) {
			// Made by another endpoint, or by nobody: of no use here.
			yield(target.DeltaEvent{}, expired(errors.New("it isn't a link of this endpoint")))
			return
		}
		for p, err := range t.walk(ctx, first) {
			if err != nil {
				yield(target.DeltaEvent{}, lostTrack(err))
				return
			}
			for _, u := range p.Value {
				if ev, ok := decodeEvent(kind, u); ok && !yield(ev, nil) {
					return
				}
			}
			if p.Delta == "" {
				continue
			}
			next, err := t.tokenOf(p.Delta)
			if err != nil {
				yield(target.DeltaEvent{}, err)
				return
			}
			yield(target.DeltaEvent{Op: target.Checkpoint, Token: next}, nil)
			return
		}
		yield(target.DeltaEvent{}, unavailable("the delta ended without a link to the next one"))
	}
}

// delta asks for the link of now, for changes of what we read and write.
func (c calls) delta() call {
	u := c.base.JoinPath("users", "delta")
	u.RawQuery = "$select=" + strings.Join(selected(), ",") + "&$deltatoken=latest"
	return call{method: http.MethodGet, url: u}
}

// decodeEvent makes an event of an item of a delta.
func decodeEvent(kind target.Kind, u map[string]any) (ev target.DeltaEvent, ok bool) {
	o, ok := decodeObject(kind, u)
	if !ok {
		return ev, false
	}
	removed, gone := u["@removed"].(map[string]any)
	if !gone {
		ev = target.DeltaEvent{Op: target.Changed, Object: o, Refs: decodeMembers(u)}
		if len(ev.Refs) > 0 && saysOnly(u, "id", membersProperty) {
			ev.Op, ev.Object = target.Referred, target.Object{ID: o.ID, Kind: o.Kind}
		}
		return ev, true
	}
	ev = target.DeltaEvent{Op: target.Purged, Object: target.Object{ID: o.ID, Kind: o.Kind}}
	if removed["reason"] == "changed" {
		ev.Op = target.Binned
	}
	return ev, true
}

// membersProperty is where an item of a delta has who became a member and who is
// none any more.
const membersProperty = target.RefMembers + "@delta"

// decodeMembers reads the members that an item of a delta names. It needn't name
// all in one item.
func decodeMembers(item map[string]any) []target.Refs {
	list, _ := item[membersProperty].([]any)
	refs := target.Refs{Attribute: target.RefMembers}
	for _, one := range list {
		m, _ := one.(map[string]any)
		id, _ := m["id"].(string)
		if id == "" {
			continue
		}
		if _, gone := m["@removed"]; gone {
			refs.Remove = append(refs.Remove, target.ID(id))
		} else {
			refs.Add = append(refs.Add, target.ID(id))
		}
	}
	if len(refs.Add)+len(refs.Remove) == 0 {
		return nil
	}
	return []target.Refs{refs}
}

// saysOnly reports whether item has no properties but these.
func saysOnly(item map[string]any, names ...string) bool {
	for name := range item {
		if !slices.Contains(names, name) && !strings.HasPrefix(name, "@") {
			return false
		}
	}
	return true
}

// tokenOf is the token for a link of Graph's, which must lead back to where it
// came from.
func (t *Target) tokenOf(link string) (target.Token, error) {
	if _, err := t.follow(link); err != nil {
		return "", err
	}
	return target.Token(link), nil
}

// lostTrack tells the refusal of a token from other errors. Graph says it in
// several ways: 410, or 400 with a code or with words.
func lostTrack(err error) error {
	r, ok := errors.AsType[*refusal](err)
	if !ok || r.status != http.StatusGone && r.status != http.StatusBadRequest {
		return err
	}
	for _, code := range []string{"syncStateNotFound", "resyncRequired", "Directory_ExpiredPageToken", "Request_BadRequest", "BadRequest"} {
		if r.status == http.StatusGone || slices.Contains(r.codes, code) {
			return expired(err)
		}
	}
	return err
}

func expired(err error) error { return fmt.Errorf("%w: %w", target.ErrTokenExpired, err) }

func noSuchKind(kind target.Kind) error {
	return &target.Error{Sentinel: target.ErrInvalid, Err: fmt.Errorf("this target has no objects of kind %q", kind)}
}
