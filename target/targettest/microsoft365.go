package targettest

import (
	"errors"
	"strings"

	"github.com/dirbridge/dirbridge/target"
)

// team makes a Microsoft 365 group. It skips the test for a target without them.
func (w *world) team(n int) (target.Object, target.Change) {
	w.Helper()
	if w.group(90 + n); w.Failed() {
		w.FailNow()
	}
	c := w.newGroup(n)
	c.Set[target.AttrGroupTypes] = []string{"Unified"}
	res, err := w.Target.Apply(w.ctx(), c)
	if errors.Is(err, target.ErrInvalid) && target.AttributeOf(err) == target.AttrGroupTypes {
		w.Skip("skipped: this Target has no Microsoft 365 groups")
	}
	if err != nil {
		w.Fatalf("make a Microsoft 365 group: %v", err)
	}
	return res, c
}

// testNickname: no two Microsoft 365 groups have a nickname; other groups may, and
// a group stays the sort that it was made as.
func testNickname(w *world) {
	a, c := w.team(1)
	nick := c.Set.First(target.AttrMailNickname)
	found, err := target.Find(w.ctx(), w.Target, target.Group, []target.Key{{MailNickname: strings.ToUpper(nick)}})
	if err != nil || len(found[0]) != 1 || found[0][0].ID != a.ID {
		w.Errorf("its nickname finds %v, %v; want the group", found, err)
	}
	if o := w.groupOf(c.Anchor); !o.Attributes.Microsoft365() {
		w.Errorf("a Microsoft 365 group shows itself as %v", o.Attributes)
	}
	d := w.newGroup(2)
	d.Set[target.AttrGroupTypes], d.Set[target.AttrMailNickname] = []string{"Unified"}, []string{strings.ToUpper(nick)}
	_, err = w.Target.Apply(w.ctx(), d)
	w.refused(err, target.ErrExists, target.AttrMailNickname)
	security := w.newGroup(3)
	security.Set[target.AttrMailNickname] = []string{nick}
	o := w.apply(security)
	if found, err = target.Find(w.ctx(), w.Target, target.Group, []target.Key{{MailNickname: nick}}); err != nil || len(found[0]) != 1 || found[0][0].ID != a.ID {
		w.Errorf("with a security group of the same nickname it finds %v, %v; want the Microsoft 365 group alone", found, err)
	}
	for id, types := range map[target.ID][]string{a.ID: {}, o.ID: {"Unified"}} {
		_, err := w.Target.Apply(w.ctx(), target.Change{Op: target.Update, Kind: target.Group, ID: id, Set: target.Attributes{target.AttrGroupTypes: types}})
		w.refused(err, target.ErrInvalid, target.AttrGroupTypes)
	}
	b := d
	b.Set = d.Set.Clone()
	b.Set[target.AttrMailNickname] = []string{nick + "b"}
	other := w.apply(b)
	_, err = w.Target.Apply(w.ctx(), target.Change{Op: target.Update, Kind: target.Group, ID: other.ID, Set: target.Attributes{target.AttrMailNickname: {nick}}})
	w.refused(err, target.ErrExists, target.AttrMailNickname)
}

// testRefLimit: a limit is the same each time, leaves room for a change, and what
// has no references has none.
func testRefLimit(w *world) {
	for _, attr := range []string{target.RefMembers, target.RefOwners, target.RefManager} {
		for _, kind := range target.Kinds(w.Target) {
			most := target.RefLimit(w.Target, kind, attr)
			add, _ := target.RefBatch(w.Target, kind, attr)
			switch {
			case most != target.RefLimit(w.Target, kind, attr):
				w.Errorf("the limit of %s of a %s changes", attr, kind)
			case most < 0, most > 0 && (add == 0 || most < add):
				w.Errorf("a %s takes %d %s in all, and %d in one change", kind, most, attr, add)
			}
		}
	}
}
