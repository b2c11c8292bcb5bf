package targettest

import (
	"fmt"
	"slices"
	"time"

	"github.com/dirbridge/dirbridge/target"
)

// create is the change that makes a person; different numbers give different
// people.
func (w *world) create(n int) target.Change {
	nick := fmt.Sprintf("tt%06d", n)
	return target.Change{Op: target.Create, Kind: target.User, Anchor: fmt.Sprintf("dGVzdC1hbmNob3It%06d==", n),
		Set: target.Attributes{
			"userPrincipalName": {nick + "@" + w.Domain},
			"mail":              {nick + ".mail@" + w.Domain},
			"mailNickname":      {nick},
			"accountEnabled":    {"true"},
			"displayName":       {fmt.Sprintf("Zoë Example %d", n)},
			"givenName":         {"Zoë"},
			"surname":           {fmt.Sprintf("Example %d", n)},
			"jobTitle":          {"Clerk"},
			"department":        {"Sales"},
			"otherMails":        {nick + ".a@example.org", nick + ".b@example.org"},
		}}
}

// linkedLongAgo is of an object that no replication hides any more.
func linkedLongAgo() time.Time { return time.Now().Add(-30 * 24 * time.Hour) }

// on is a change of o, which c made.
func on(o target.Object, c target.Change, op target.Op, set target.Attributes) target.Change {
	return target.Change{Op: op, Kind: o.Kind, ID: o.ID, Anchor: c.Anchor, Set: set, Linked: linkedLongAgo()}
}

// set makes attributes for one name.
func set(name string, values ...string) target.Attributes { return target.Attributes{name: values} }

// apply carries out a change that must be accepted.
func (w *world) apply(c target.Change) target.Object {
	w.Helper()
	o, err := w.Target.Apply(w.ctx(), c)
	if err != nil {
		w.Fatalf("%s of %s: %v", c.Op, c.Anchor, err)
	}
	w.judge(c, o)
	return o
}

// person makes a person and returns the object and its change.
func (w *world) person(n int) (target.Object, target.Change) {
	w.Helper()
	c := w.create(n)
	return w.apply(c), c
}

// judge holds what came back of a change against the contract.
func (w *world) judge(c target.Change, o target.Object) {
	w.Helper()
	if c.Op == target.Delete {
		return // nothing is left of which to tell
	}
	if o.ID == "" || c.ID != "" && o.ID != c.ID {
		w.Errorf("%s of %q returned the object %q: the ID is the target's, and stays", c.Op, c.ID, o.ID)
	}
	if o.Kind != c.Kind {
		w.Errorf("%s of %s returned an object of kind %q, want %q", c.Op, o.ID, o.Kind, c.Kind)
	}
	if o.Deleted {
		w.Errorf("%s of %s returned a deleted object", c.Op, o.ID)
	}
}

// live reads all live objects.
func (w *world) live() map[target.ID]target.Object {
	w.Helper()
	m := map[target.ID]target.Object{}
	for o, err := range w.Target.Current(w.ctx()) {
		if err != nil {
			w.Fatalf("read all objects: %v", err)
		}
		if o.ID == "" || o.Kind == "" || o.Deleted {
			w.Errorf("Current gave %q of kind %q (deleted: %t): a live object has an ID and a kind", o.ID, o.Kind, o.Deleted)
		}
		if _, twice := m[o.ID]; twice {
			w.Errorf("Current gave %s twice", o.ID)
		}
		m[o.ID] = o
	}
	return m
}

// holds fails the test unless the target holds these attributes for the live
// object id, among whatever else. Without values means cleared.
func (w *world) holds(id target.ID, want target.Attributes) {
	w.Helper()
	o, ok := w.live()[id]
	if !ok {
		w.Errorf("object %s isn't among the live objects", id)
		return
	}
	w.has(o, want)
}

func (w *world) has(o target.Object, want target.Attributes) {
	w.Helper()
	for _, name := range want.Names() {
		if !slices.Equal(o.Attributes[name], want[name]) {
			w.Errorf("object %s has %s = %q, want %q", o.ID, name, o.Attributes[name], want[name])
		}
	}
}

// lacks fails the test if id is a live object.
func (w *world) lacks(id target.ID) {
	w.Helper()
	if _, ok := w.live()[id]; ok {
		w.Errorf("object %s is still live", id)
	}
	if found := w.find(target.Key{ID: id})[0]; len(found) > 0 {
		w.Errorf("object %s isn't live and was found", id)
	}
}

// only fails the test unless exactly one live object has the anchor, and
// returns its ID.
func (w *world) only(anchor string) target.ID {
	w.Helper()
	var ids []target.ID
	for id, o := range w.live() {
		if o.Anchor == anchor {
			ids = append(ids, id)
		}
	}
	if len(ids) != 1 {
		w.Fatalf("%d objects have the anchor %s, want one: %q", len(ids), anchor, ids)
	}
	return ids[0]
}

// find looks keys up, by the target's own ability or without it.
func (w *world) find(keys ...target.Key) [][]target.Object {
	w.Helper()
	found, err := target.Find(w.ctx(), w.Target, target.User, keys)
	if err != nil {
		w.Fatalf("find: %v", err)
	}
	if len(found) != len(keys) {
		w.Fatalf("Find gave %d answers to %d keys", len(found), len(keys))
	}
	return found
}
