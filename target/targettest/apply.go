package targettest

import (
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/dirbridge/dirbridge/target"
)

func testName(w *world) {
	name := w.Target.Name()
	bad := func(r rune) bool { return r == '/' || unicode.IsControl(r) }
	if name == "" || !utf8.ValidString(name) || strings.ContainsFunc(name, bad) {
		w.Errorf("the name %q: it is text without '/' and control characters", name)
	}
	w.person(1)
	if again := w.Target.Name(); again != name {
		w.Errorf("the name was %q and is %q: links are kept under it", name, again)
	}
}

func testCreate(w *world) {
	o, c := w.person(1)
	other, d := w.person(2)
	if o.ID == other.ID {
		w.Fatalf("two objects got the ID %s", o.ID)
	}
	live := w.live()
	for id, c := range map[target.ID]target.Change{o.ID: c, other.ID: d} {
		w.holds(id, c.Set)
		if got := live[id]; got.Anchor != c.Anchor || got.Kind != target.User || got.Foreign {
			w.Errorf("object %s has the anchor %q, kind %q, foreign %t; want %q, %q, false", id, got.Anchor, got.Kind, got.Foreign, c.Anchor, target.User)
		}
		if made := live[id].Created; !made.IsZero() && time.Since(made).Abs() > time.Hour {
			w.Errorf("object %s was created just now and says %v", id, made)
		}
	}
}

func testCreateRepeated(w *world) {
	o, c := w.person(1)
	c.Repeat = true
	again := w.apply(c)
	if again.ID != o.ID {
		w.Errorf("a repeated create returned %s, want %s, which the first call made", again.ID, o.ID)
	}
	w.only(c.Anchor)
	w.holds(o.ID, c.Set)

	// The earlier call may as well not have been made.
	d := w.create(2)
	d.Repeat = true
	made := w.apply(d)
	if w.only(d.Anchor) != made.ID {
		w.Errorf("a repeated create whose first call was lost returned %s", made.ID)
	}
}

func testUpdate(w *world) {
	o, c := w.person(1)
	other, d := w.person(2)
	u := on(o, c, target.Update, target.Attributes{"jobTitle": {"Director"}, "displayName": {"Zoë Other"}})
	for range 2 { // again after an unknown outcome: the same
		w.apply(u)
		want := c.Set.Clone()
		want["jobTitle"], want["displayName"] = []string{"Director"}, []string{"Zoë Other"}
		w.holds(o.ID, want)
	}
	w.holds(other.ID, d.Set)
	if got := w.live()[o.ID].Anchor; got != c.Anchor {
		w.Errorf("an update changed the anchor from %q to %q", c.Anchor, got)
	}
	renamed := set("userPrincipalName", "tt.renamed@"+w.Domain)
	w.apply(on(o, c, target.Update, renamed))
	w.holds(o.ID, renamed)
	if again := w.apply(on(o, c, target.Update, renamed)); again.ID != o.ID { // its own name isn't in its way
		w.Errorf("a rename changed the ID from %s to %s", o.ID, again.ID)
	}
}

func testClear(w *world) {
	o, c := w.person(1)
	w.apply(on(o, c, target.Update, target.Attributes{"jobTitle": nil, "otherMails": {}}))
	want := c.Set.Clone()
	delete(want, "jobTitle")
	delete(want, "otherMails")
	w.holds(o.ID, want)
	w.holds(o.ID, target.Attributes{"jobTitle": nil, "otherMails": nil})
	w.apply(on(o, c, target.Update, target.Attributes{"jobTitle": nil})) // what is clear stays clear
	w.holds(o.ID, set("jobTitle"))
	d := w.create(2)
	d.Set["department"] = nil // nothing to clear in a new object
	w.holds(w.apply(d).ID, set("department"))
}

func testSet(w *world) {
	c := w.create(1)
	c.Set["otherMails"] = []string{"b@example.org", "a@example.org"}
	o := w.apply(c)
	w.holds(o.ID, set("otherMails", "a@example.org", "b@example.org"))
	w.apply(on(o, c, target.Update, set("otherMails", "c@example.org", "b@example.org")))
	w.holds(o.ID, set("otherMails", "b@example.org", "c@example.org"))
}

func testSwitch(w *world) {
	o, c := w.person(1)
	want := c.Set.Clone()
	for _, tt := range []struct {
		op  target.Op
		set target.Attributes
	}{
		{target.Disable, target.Attributes{"accountEnabled": {"false"}}},
		{target.Enable, target.Attributes{"accountEnabled": {"true"}, "jobTitle": {"Director"}}},
		{target.Disable, target.Attributes{"accountEnabled": {"false"}, "jobTitle": {"Clerk"}}},
	} {
		for range 2 {
			w.apply(on(o, c, tt.op, tt.set))
			for name, values := range tt.set {
				want[name] = values
			}
			w.holds(o.ID, want)
		}
	}
	d := w.create(2)
	d.Set["accountEnabled"] = []string{"false"}
	w.holds(w.apply(d).ID, set("accountEnabled", "false"))
}

func testDelete(w *world) {
	o, c := w.person(1)
	other, _ := w.person(2)
	for range 2 { // the delete of what is gone is done
		w.apply(on(o, c, target.Delete, nil))
		w.lacks(o.ID)
	}
	if _, ok := w.live()[other.ID]; !ok {
		w.Error("another object went too")
	}
	if w.Remove != nil {
		p, d := w.person(3)
		w.must("Remove", w.Remove(p.ID))
		w.apply(on(p, d, target.Delete, nil))
		w.lacks(p.ID)
	}
	d := w.create(4) // the names of what is gone are free
	d.Set["userPrincipalName"], d.Set["mail"] = c.Set["userPrincipalName"], c.Set["mail"]
	w.apply(d)
}

func testGone(w *world) {
	o, c := w.person(1)
	w.apply(on(o, c, target.Delete, nil))
	for _, op := range []target.Op{target.Update, target.Disable, target.Enable} {
		s := set("jobTitle", "Director")
		switch op {
		case target.Disable:
			s = set("accountEnabled", "false")
		case target.Enable:
			s = set("accountEnabled", "true")
		}
		_, err := w.Target.Apply(w.ctx(), on(o, c, op, s))
		w.refused(err, target.ErrNotFound, "")
	}
	w.lacks(o.ID)
}

func testRestore(w *world) {
	r, ok := w.Target.(target.Restorer)
	if !ok {
		w.Skip("skipped: this Target has no bin")
	}
	o, c := w.person(1)
	_, err := r.FindDeleted(w.ctx(), target.User, o.ID)
	w.refused(err, target.ErrNotFound, "") // it is live

	w.apply(on(o, c, target.Delete, nil))
	binned, err := r.FindDeleted(w.ctx(), target.User, o.ID)
	if err != nil || binned.ID != o.ID || !binned.Deleted || binned.Kind != target.User {
		w.Fatalf("FindDeleted gave %q of kind %q (deleted: %t) and %v, want the object %s", binned.ID, binned.Kind, binned.Deleted, err, o.ID)
	}

	w.bin(o.ID, c)

	want := c.Set.Clone()
	want["jobTitle"] = []string{"Director"}
	for range 2 { // the restore of what is live is done, and writes Set
		w.apply(on(o, c, target.Restore, set("jobTitle", "Director")))
		w.holds(o.ID, want)
		if got := w.live()[o.ID].Anchor; got != c.Anchor {
			w.Errorf("the restored object has the anchor %q, want %q", got, c.Anchor)
		}
		w.apply(on(o, c, target.Update, set("jobTitle", "Clerk")))
	}
	_, err = r.FindDeleted(w.ctx(), target.User, o.ID)
	w.refused(err, target.ErrNotFound, "") // it is live again
	w.bin("", c)
	w.only(c.Anchor)

	p, d := w.person(2)
	w.apply(on(p, d, target.Delete, nil))
	w.apply(on(p, d, target.Restore, nil)) // as it was
	w.holds(p.ID, d.Set)
}

// bin checks that the bin, where it can be listed, holds the object id of the
// create c, or with an empty id that it holds no object of c's anchor.
func (w *world) bin(id target.ID, c target.Change) {
	w.Helper()
	if _, ok := w.Target.(target.BinLister); !ok {
		return
	}
	for range 2 { // breaking out releases what the sequence holds
		for _, err := range target.Deleted(w.ctx(), w.Target, c.Kind) {
			if err != nil {
				w.Fatalf("list the bin: %v", err)
			}
			break
		}
	}
	var found target.ID
	for o, err := range target.Deleted(w.ctx(), w.Target, c.Kind) {
		if err != nil {
			w.Fatalf("list the bin: %v", err)
		}
		if !o.Deleted || o.Kind != c.Kind {
			w.Errorf("Deleted gave %s of kind %q, deleted: %t", o.ID, o.Kind, o.Deleted)
		}
		if o.Anchor != c.Anchor {
			continue
		}
		found = o.ID
		if got, want := o.Attributes.First("userPrincipalName"), c.Set.First("userPrincipalName"); !strings.EqualFold(got, want) {
			w.Errorf("Deleted gave the name %q, want %q, with which it comes back", got, want)
		}
	}
	if found != id {
		w.Errorf("Deleted gave the object %q for the anchor, want %q", found, id)
	}
}
