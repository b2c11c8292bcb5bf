package graphtarget

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"net/http"
	"slices"
	"strings"

	"github.com/dirbridge/dirbridge/target"
)

func (t *Target) calls() calls { return calls{t.wire.where.base} }

// Current yields all users of the tenant, guests included, then all groups (with
// [Options.Groups]); see [target.Target]. It reads 999 a page and holds two pages at most. Graph lists
// no two moments alike: what changes while it is read may be missing or old.
func (t *Target) Current(ctx context.Context) iter.Seq2[target.Object, error] {
	return func(yield func(target.Object, error) bool) {
		first, err := t.calls().list("")
		if err != nil {
			yield(target.Object{}, untold(err))
			return
		}
		lists := []call{first}
		if t.options.Groups {
			lists = append(lists, t.calls().listGroups())
		}
		for i, list := range lists {
			kind := []target.Kind{target.User, target.Group}[i]
			for items, err := range t.pages(ctx, list) {
				if err != nil {
					yield(target.Object{}, err)
					return
				}
				for _, item := range items {
					if o, ok := decodeObject(kind, item); ok && !yield(o, nil) {
						return
					}
				}
			}
		}
	}
}

// Find looks users or groups up; see [target.Finder]. A mail address is looked for
// among all addresses of an object, secondary ones included.
func (t *Target) Find(ctx context.Context, kind target.Kind, keys []target.Key) ([][]target.Object, error) {
	out := make([][]target.Object, len(keys))
	if !slices.Contains(t.Kinds(), kind) {
		return out, nil
	}
	var cs []call
	var of []int // which key a call is for
	for i, k := range keys {
		switch {
		case k == (target.Key{}):
			return nil, invalid("", "an empty key finds nothing")
		case k.ID != "" && !objectID(k.ID), kind == target.User && k.MailNickname != "":
			continue // nothing has it
		}
		c, can := call{}, true
		if kind == target.Group {
			c, can = t.calls().findGroup(k)
		} else {
			var err error
			if c, err = t.calls().find(k); err != nil {
				return nil, err
			}
		}
		if !can {
			continue
		}
		cs, of = append(cs, c), append(of, i)
	}
	for j, r := range t.read(ctx, cs, len(cs) > 1) {
		found, err := t.found(ctx, kind, r, keys[of[j]])
		if err != nil {
			return nil, err
		}
		out[of[j]] = found
	}
	return out, nil
}

// find is the call that searches for k.
func (c calls) find(k target.Key) (call, error) {
	switch {
	case k.ID != "":
		return c.get(k.ID)
	case k.Anchor != "":
		return c.list(anchorProperty + " eq " + quote(k.Anchor))
	case k.UserPrincipalName != "":
		return c.list(target.AttrUserPrincipalName + " eq " + quote(k.UserPrincipalName))
	case k.Mail != "":
		return c.list("proxyAddresses/any(p:p eq " + quote("smtp:"+k.Mail) + ")")
	default:
		return call{}, invalid("", "an empty key finds nothing")
	}
}

// found reads the reply to a search.
func (t *Target) found(ctx context.Context, kind target.Kind, r reply, k target.Key) (all []target.Object, err error) {
	if k.ID != "" || kind == target.Group && k.Anchor != "" {
		if o, ok := decodeOneOf(kind, r); ok {
			return []target.Object{o}, nil
		}
		if e := judge(r).err; e != nil && e.Sentinel == target.ErrNotFound {
			return nil, nil
		}
		return nil, readError(r)
	}
	p, err := decodeList(r)
	if err != nil {
		return nil, readError(r)
	}
	found := decodeAll(kind, p.Value)
	if k.MailNickname != "" { // security groups may have it, too
		defer func() {
			all = slices.DeleteFunc(all, func(o target.Object) bool { return !o.Attributes.Microsoft365() })
		}()
	}
	if p.Next == "" {
		return found, nil
	}
	rest, err := t.follow(p.Next) // rare: Graph may end a page wherever it likes
	if err != nil {
		return nil, err
	}
	for users, err := range t.pages(ctx, rest) {
		if err != nil {
			return nil, err
		}
		found = append(found, decodeAll(kind, users)...)
	}
	return found, nil
}

// FindDeleted reads a user or group in the bin; see [target.Restorer]. Graph keeps users
// there for 30 days.
func (t *Target) FindDeleted(ctx context.Context, kind target.Kind, id target.ID) (target.Object, error) {
	if !slices.Contains(t.Kinds(), kind) || !objectID(id) {
		return target.Object{}, noSuchID()
	}
	fields := selected()
	if kind == target.Group {
		fields = selectedOfGroups()
	}
	r := t.read(ctx, []call{t.calls().deleted(id, fields...)}, false)[0]
	if r.fate == answered && r.status == http.StatusBadRequest {
		// The bin is of directory objects, which as such don't have a user's
		// properties; a Graph that is strict about that gives its default ones.
		r = t.read(ctx, []call{t.calls().deleted(id)}, false)[0]
	}
	o, ok := decodeOneOf(kind, r)
	switch {
	case !ok && r.ok() && r.err == nil:
		return target.Object{}, &target.Error{Sentinel: target.ErrNotFound, RequestID: r.requestID(), ClientRequestID: r.clientID,
			Err: errors.New("what is in the bin is of another kind")}
	case !ok:
		return target.Object{}, readError(r)
	}
	return inBin(o), nil
}

// Deleted yields the users in the bin, 999 a page; see [target.BinLister].
func (t *Target) Deleted(ctx context.Context, kind target.Kind) iter.Seq2[target.Object, error] {
	return func(yield func(target.Object, error) bool) {
		first := t.calls().bin()
		switch kind {
		case target.User:
		case target.Group:
			if first = t.calls().groupBin(); !t.options.Groups {
				return
			}
		default:
			return
		}
		for items, err := range t.pages(ctx, first) {
			if err != nil {
				yield(target.Object{}, err)
				return
			}
			for _, item := range items {
				if o, ok := decodeObject(kind, item); ok && !yield(inBin(o), nil) {
					return
				}
			}
		}
	}
}

// inBin says of o that it is in the bin. There, its name begins with its id
// without dashes, which a restore takes away.
func inBin(o target.Object) target.Object {
	o.Deleted = true
	prefix := strings.ReplaceAll(string(o.ID), "-", "")
	if upn := o.Attributes.First(target.AttrUserPrincipalName); len(upn) > len(prefix) && strings.EqualFold(upn[:len(prefix)], prefix) {
		o.Attributes[target.AttrUserPrincipalName] = []string{upn[len(prefix):]}
	}
	return o
}

// Domains reads the tenant's domains; see [target.Domainer].
func (t *Target) Domains(ctx context.Context) ([]target.Domain, error) {
	var all []target.Domain
	for items, err := range t.pages(ctx, t.calls().domains()) {
		if err != nil {
			return nil, err
		}
		for _, item := range items {
			name, _ := item["id"].(string)
			if name == "" {
				continue
			}
			d := target.Domain{Name: strings.ToLower(name)}
			d.Verified, _ = item["isVerified"].(bool)
			d.Initial, _ = item["isInitial"].(bool)
			d.Default, _ = item["isDefault"].(bool)
			kind, _ := item["authenticationType"].(string)
			d.Federated = strings.EqualFold(kind, "Federated")
			all = append(all, d)
		}
	}
	slices.SortFunc(all, func(a, b target.Domain) int { return cmp.Compare(a.Name, b.Name) })
	return all, nil
}
