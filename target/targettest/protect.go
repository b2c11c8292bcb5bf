package targettest

import (
	"context"
	"errors"

	"github.com/dirbridge/dirbridge/target"
)

// testProtected: a Protector tells who is protected as of now, and nobody else
// of the suite's objects.
func testProtected(w *world) {
	p, ok := w.Target.(target.Protector)
	if !ok {
		w.Skip("skipped: this Target isn't a Protector")
	}
	a, _ := w.person(1)
	b, c := w.person(2)
	ask := func() map[target.ID]target.Protection {
		w.Helper()
		who, err := p.Protected(w.ctx(), target.User)
		if err != nil {
			w.Fatalf("Protected: %v", err)
		}
		return who
	}
	if who := ask(); who[a.ID] != "" || who[b.ID] != "" {
		w.Errorf("Protected gave ordinary objects: %q, %q", who[a.ID], who[b.ID])
	}
	ended, cancel := context.WithCancel(w.ctx())
	cancel()
	if _, err := p.Protected(ended, target.User); !errors.Is(err, context.Canceled) {
		w.Errorf("Protected with a cancelled context: %v; it must wrap ctx.Err()", err)
	}
	w.need("Protect", w.Protect != nil)
	w.must("Protect", w.Protect(b.ID, true))
	if who := ask(); who[b.ID] == "" || who[a.ID] != "" {
		w.Errorf("after %s became protected, Protected gave %q for it and %q for %s", b.ID, who[b.ID], who[a.ID], a.ID)
	}
	who := ask()
	clear(who) // the answer is the caller's
	w.must("Protect", w.Protect(b.ID, false))
	if who := ask(); who[b.ID] != "" {
		w.Errorf("%s isn't protected any more, and Protected says that it %s", b.ID, who[b.ID])
	}
	w.apply(on(b, c, target.Update, set("jobTitle", "Lead"))) // an ordinary object again
}

// testStamp: an object without an anchor gets one by an update that names it.
func testStamp(w *world) {
	w.need("Add", w.Add != nil)
	c := w.create(1)
	id, err := w.Add(target.Object{Kind: target.User, Attributes: c.Set.Clone()})
	w.must("Add", err)
	stamped := target.Change{Op: target.Update, Kind: target.User, ID: id, Anchor: c.Anchor, Linked: linkedLongAgo(),
		Set: target.Attributes{target.AttrAnchor: {c.Anchor}, "jobTitle": {"Lead"}}}
	w.apply(stamped)
	w.apply(stamped) // converges
	found := w.find(target.Key{Anchor: c.Anchor})[0]
	if len(found) != 1 || found[0].ID != id || found[0].Anchor != c.Anchor {
		w.Fatalf("after an update that writes its anchor, %s isn't found by it: %+v", id, found)
	}
	w.has(found[0], set("jobTitle", "Lead"))
	if v := found[0].Attributes[target.AttrAnchor]; len(v) > 0 {
		w.Errorf("the anchor is among the Attributes of the object: %q", v)
	}
}
