package graphtarget

import (
	"context"
	"encoding/json"
	"iter"
	"maps"
	"net/http"
	"slices"

	"github.com/dirbridge/dirbridge/target"
)

// maxRefs is what Graph binds in one PATCH, and as many removals as a batch has
// parts.
const maxRefs = batchSize

// Kinds returns groups and users, or users alone without [Options.Groups]; see
// [target.Kinder].
func (t *Target) Kinds() []target.Kind {
	if t.options.Groups {
		return []target.Kind{target.Group, target.User}
	}
	return []target.Kind{target.User}
}

// The most that a group of Entra ID may have: members as Microsoft's own tools
// synchronize them, and owners.
const (
	mostMembers = 250_000
	mostOwners  = 100
)

// RefLimit returns 250,000 for the members of a group, 100 for its owners; see
// [target.RefLimiter].
func (t *Target) RefLimit(kind target.Kind, attribute string) int {
	switch {
	case kind == target.Group && attribute == target.RefMembers:
		return mostMembers
	case kind == target.Group && attribute == target.RefOwners:
		return mostOwners
	}
	return 0
}

// RefBatch returns 20 and 20 for the members and owners of groups, and 1 and 1
// for the manager of users; see [target.Referrer]. Twenty to add are one write,
// if Graph refuses none of them. Each removal is a write; twenty are one round
// trip.
func (t *Target) RefBatch(kind target.Kind, attribute string) (add, remove int) {
	switch {
	case kind == target.Group && t.options.Groups && (attribute == target.RefMembers || attribute == target.RefOwners):
		return maxRefs, maxRefs
	case kind == target.User && attribute == target.RefManager:
		return 1, 1
	}
	return 0, 0
}

// Refs yields the members or owners of a group, or the manager of a user; see
// [target.Referrer]. Members that aren't users or groups are among them. It
// reads 999 a page and holds two pages at most.
func (t *Target) Refs(ctx context.Context, kind target.Kind, id target.ID, attribute string) iter.Seq2[target.ID, error] {
	return func(yield func(target.ID, error) bool) {
		switch n, _ := t.RefBatch(kind, attribute); {
		case n == 0:
			yield("", invalid(attribute, "isn't a reference of this kind of object"))
		case !objectID(id):
			yield("", noSuchID())
		case kind == target.User:
			manager, err := t.managerOf(ctx, alone{t}, id)
			if err != nil {
				yield("", err)
			} else if manager != "" {
				yield(manager, nil)
			}
		default:
			t.references(ctx, id, attribute)(yield)
		}
	}
}

func (t *Target) references(ctx context.Context, id target.ID, attribute string) iter.Seq2[target.ID, error] {
	return func(yield func(target.ID, error) bool) {
		for items, err := range t.pages(ctx, t.calls().references(id, attribute)) {
			if err != nil {
				yield("", err)
				return
			}
			for _, item := range items {
				if to, _ := item["id"].(string); to != "" && !yield(target.ID(to), nil) {
					return
				}
			}
		}
	}
}

// findBatch is how many references one request looks for: as many values as a
// filter of Graph's may have.
const findBatch = 15

// FindRefs tells of single members or owners of a group, fifteen in a request; see
// [target.RefFinder]. If Graph won't filter them, all are read.
func (t *Target) FindRefs(ctx context.Context, kind target.Kind, id target.ID, attribute string, to []target.ID) ([]bool, error) {
	switch n, _ := t.RefBatch(kind, attribute); {
	case n == 0:
		return nil, invalid(attribute, "isn't a reference of this kind of object")
	case !objectID(id):
		return nil, noSuchID()
	case kind == target.User:
		return target.FindRefs(ctx, readsAll{t}, kind, id, attribute, to)
	}
	var cs []call
	var asked []target.ID
	for _, one := range to {
		if objectID(one) { // nobody else can be there
			asked = append(asked, one)
		}
	}
	for part := range slices.Chunk(asked, findBatch) {
		cs = append(cs, t.calls().findReferences(id, attribute, part))
	}
	there := map[target.ID]bool{}
	for _, r := range t.read(ctx, cs, len(cs) > 1) {
		p, err := decodeList(r)
		if err != nil && r.fate == answered && r.status == http.StatusBadRequest {
			return target.FindRefs(ctx, readsAll{t}, kind, id, attribute, to)
		}
		if err != nil {
			return nil, readError(r)
		}
		for _, item := range p.Value {
			one, _ := item["id"].(string)
			there[target.ID(one)] = true
		}
		if p.Next != "" { // Graph may end a page wherever it likes
			return target.FindRefs(ctx, readsAll{t}, kind, id, attribute, to)
		}
	}
	is := make([]bool, len(to))
	for i, one := range to {
		is[i] = there[one]
	}
	return is, nil
}

// readsAll is a Target that can't tell of single references.
type readsAll struct{ target.Referrer }

// managerOf reads a user's manager, "" if there is none.
func (t *Target) managerOf(ctx context.Context, via carrier, id target.ID) (target.ID, error) {
	r, _ := insist(ctx, via, t.calls().manager(id))
	var item struct {
		ID target.ID `json:"id"`
	}
	if r.ok() && json.Unmarshal(r.body, &item) == nil && item.ID != "" {
		return item.ID, nil
	}
	if e := readFailure(r); e.Sentinel != target.ErrNotFound {
		return "", e
	}
	// No manager, or no such user.
	return "", t.exists(ctx, via, target.User, id)
}

// exists asks whether an object is live. The error wraps [target.ErrNotFound] if
// it isn't, as far as Graph shows.
func (t *Target) exists(ctx context.Context, via carrier, kind target.Kind, id target.ID) error {
	get, err := t.calls().getObject(kind, id)
	if err != nil {
		return untold(err)
	}
	r, _ := insist(ctx, via, get)
	if _, ok := decodeOneOf(kind, r); ok {
		return nil
	}
	return readError(r)
}

// A referral is one change of references on its way.
type referral struct {
	t      *Target
	via    carrier
	change target.Change
	last   reply // the last one that was a success

	done    map[target.ID]bool
	refused map[target.ID]error
	err     *target.Error // about the change as a whole: nothing more is tried

	doubt  bool // an earlier try may have added some
	looked bool // at who is a member
	failed bool // a write to add was refused
	extra  int  // writes to add after the first that was refused
	live   bool // the group was seen
}

// refer adds, then removes references.
func (t *Target) refer(ctx context.Context, via carrier, c target.Change) (target.Object, error) {
	refs := c.Refs
	if refs == nil {
		return target.Object{}, invalid("", "a refer without references")
	}
	switch add, remove := t.RefBatch(c.Kind, refs.Attribute); {
	case add == 0:
		return target.Object{}, invalid(refs.Attribute, "isn't a reference of this kind of object")
	case len(refs.Add) > add || len(refs.Remove) > remove:
		return target.Object{}, invalid(refs.Attribute, "has more references than one change can carry")
	case !objectID(c.ID):
		return target.Object{}, noSuchID()
	}
	r := &referral{t: t, via: via, change: c, done: map[target.ID]bool{}, refused: map[target.ID]error{}, doubt: c.Repeat}
	var add, remove []target.ID
	for _, id := range slices.Compact(slices.Sorted(slices.Values(refs.Add))) {
		if objectID(id) {
			add = append(add, id)
		} else {
			r.refused[id] = noSuchID()
		}
	}
	for _, id := range slices.Compact(slices.Sorted(slices.Values(refs.Remove))) {
		if objectID(id) { // nobody else can be there
			remove = append(remove, id)
		}
	}
	if c.Kind == target.User {
		r.manage(ctx, add, remove)
	} else {
		r.add(ctx, add, nil)
		r.remove(ctx, remove)
	}
	return r.outcome(append(add, remove...))
}

// outcome is what became of ids.
func (r *referral) outcome(ids []target.ID) (target.Object, error) {
	o := r.last.signed(target.Object{ID: r.change.ID, Kind: r.change.Kind, Anchor: r.change.Anchor})
	if r.err != nil {
		if len(r.done) == 0 && len(r.refused) == 0 {
			return target.Object{}, r.err
		}
		for _, id := range ids {
			if !r.done[id] && r.refused[id] == nil {
				r.refused[id] = r.err
			}
		}
	}
	if len(r.refused) > 0 {
		return o, &target.RefsError{Refused: maps.Clone(r.refused)}
	}
	return o, nil
}

func (r *referral) made(rep reply, ids ...target.ID) {
	r.last = rep
	for _, id := range ids {
		r.done[id] = true
	}
}

// refuse notes that a single reference was refused. What isn't there and was
// made by us a moment ago isn't there yet.
func (r *referral) refuse(id target.ID, e *target.Error) {
	one := *e
	one.Attribute = r.change.Refs.Attribute
	if one.Sentinel == target.ErrNotFound && r.t.young.has(id) {
		one.Sentinel = target.ErrNotYet
	}
	r.refused[id] = &one
}

// source finds out, once, whether the object that refers is there. It reports
// false, and ends the change, if it isn't.
func (r *referral) source(ctx context.Context) bool {
	if r.live {
		return true
	}
	err := r.t.exists(ctx, r.via, r.change.Kind, r.change.ID)
	if err == nil {
		r.live = true
		return true
	}
	r.err = asError(err)
	if r.err.Sentinel == target.ErrNotFound {
		r.err = r.t.missing(r.change, r.err)
	}
	return false
}
