package targettest

import (
	"fmt"
	"slices"

	"github.com/dirbridge/dirbridge/target"
)

// newGroup is the change that makes a group; all groups have one displayName.
func (w *world) newGroup(n int) target.Change {
	return target.Change{Op: target.Create, Kind: target.Group, Anchor: fmt.Sprintf("tt-group-%06d", n), Set: target.Attributes{
		"displayName":  {"Zoë's Team"},
		"mailNickname": {fmt.Sprintf("tt.group.%06d", n)},
		"description":  {"Clerks"},
	}}
}

// group makes a group and returns the object and its change. It skips the test
// for a target without groups.
func (w *world) group(n int) (target.Object, target.Change) {
	w.Helper()
	if !slices.Contains(target.Kinds(w.Target), target.Group) {
		w.Skip("skipped: this Target has no groups")
	}
	c := w.newGroup(n)
	return w.apply(c), c
}

// groupOf returns the one live group with an anchor.
func (w *world) groupOf(anchor string) target.Object {
	w.Helper()
	found, err := target.Find(w.ctx(), w.Target, target.Group, []target.Key{{Anchor: anchor}})
	if err != nil || len(found) != 1 || len(found[0]) != 1 {
		w.Fatalf("find the group %s: %v, %v; want one", anchor, found, err)
	}
	return found[0][0]
}

func testGroupCreate(w *world) {
	if kinds := target.Kinds(w.Target); !slices.IsSorted(kinds) {
		w.Errorf("the kinds are %v: they are in ascending order", kinds)
	}
	a, c := w.group(1)
	b, d := w.group(2)
	if a.ID == b.ID {
		w.Fatalf("two groups got the ID %s", a.ID)
	}
	live := w.live()
	for id, c := range map[target.ID]target.Change{a.ID: c, b.ID: d} {
		if o := live[id]; o.Kind != target.Group || o.Anchor != c.Anchor || o.Foreign {
			w.Errorf("group %s has kind %q, anchor %q, foreign %t; want %q, %q, false", id, o.Kind, o.Anchor, o.Foreign, target.Group, c.Anchor)
		}
		w.has(live[id], c.Set)
		if o := w.groupOf(c.Anchor); o.ID != id {
			w.Errorf("the anchor %s finds %s, want %s", c.Anchor, o.ID, id)
		}
	}
	found, err := target.Find(w.ctx(), w.Target, target.User, []target.Key{{ID: a.ID}, {Anchor: c.Anchor}})
	if err != nil || len(found[0])+len(found[1]) > 0 {
		w.Errorf("a search for users found the group: %v, %v", found, err)
	}

	same := w.newGroup(1)
	same.Set["description"] = []string{"Others"}
	_, err = w.Target.Apply(w.ctx(), same)
	w.refused(err, target.ErrExists, target.AttrAnchor)
	w.has(w.groupOf(c.Anchor), c.Set) // which isn't written to
	same.Repeat = true
	if again := w.apply(same); again.ID != a.ID {
		w.Errorf("a repeated create returned %s, want %s", again.ID, a.ID)
	}
	e := w.newGroup(3)
	e.Repeat = true // the earlier call may as well not have been made
	if made := w.apply(e); made.ID != w.groupOf(e.Anchor).ID {
		w.Errorf("a repeated create whose first call was lost returned %s", made.ID)
	}
}

func testGroupChange(w *world) {
	g, c := w.group(1)
	other, d := w.group(2)
	for range 2 {
		w.apply(on(g, c, target.Update, target.Attributes{"displayName": {"Zoë's Other Team"}, "description": nil}))
		w.has(w.live()[g.ID], target.Attributes{"displayName": {"Zoë's Other Team"}, "description": nil, "mailNickname": c.Set["mailNickname"]})
	}
	w.has(w.live()[other.ID], d.Set)
	for _, op := range []target.Op{target.Disable, target.Enable} {
		_, err := w.Target.Apply(w.ctx(), on(g, c, op, nil))
		w.refused(err, target.ErrInvalid, "")
	}
	for range 2 { // the delete of what is gone is done
		w.apply(on(g, c, target.Delete, nil))
		w.lacks(g.ID)
	}
	_, err := w.Target.Apply(w.ctx(), on(g, c, target.Update, set("description", "x")))
	w.refused(err, target.ErrNotFound, "")

	binned, err := target.FindDeleted(w.ctx(), w.Target, target.Group, g.ID)
	if err != nil {
		w.Skipf("skipped the rest: deleted groups aren't kept (%v)", err)
	}
	if binned.ID != g.ID || binned.Kind != target.Group || !binned.Deleted {
		w.Errorf("FindDeleted gave %+v", binned)
	}
	w.bin(g.ID, c)
	_, err = target.FindDeleted(w.ctx(), w.Target, target.User, g.ID)
	w.refused(err, target.ErrNotFound, "")
	for range 2 {
		w.apply(on(g, c, target.Restore, set("description", "Clerks again")))
		w.has(w.live()[g.ID], target.Attributes{"displayName": {"Zoë's Other Team"}, "description": {"Clerks again"}})
	}
	if got := w.live()[g.ID].Anchor; got != c.Anchor {
		w.Errorf("the restored group has the anchor %q, want %q", got, c.Anchor)
	}
}

func testGroupLost(w *world) {
	w.need("hand LoseReplies", w.LoseReplies != nil)
	_, _ = w.group(1)
	c := w.newGroup(2)
	w.lose(c)
	c.Repeat = true
	if o := w.apply(c); o.ID != w.groupOf(c.Anchor).ID {
		w.Errorf("the repeated create returned %s, which isn't the group", o.ID)
	}
	groups := 0
	for _, o := range w.live() {
		if o.Kind == target.Group && o.Attributes.First("mailNickname") == c.Set.First("mailNickname") {
			groups++
		}
	}
	if groups != 1 {
		w.Errorf("%d groups were made", groups)
	}
}
