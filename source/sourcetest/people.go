package sourcetest

import (
	"fmt"
	"maps"
	"slices"

	"github.com/dirbridge/dirbridge/source"
)

// person is a new object; different numbers give different people. The values
// are such that no directory makes others of them.
func person(n int) source.Object {
	given := []string{"Ann", "Björn", "Chloë", "Dmitri", "Σοφία", "太郎"}[n%6]
	name := fmt.Sprintf("%s Example %d", given, n)
	login := fmt.Sprintf("st%06d", n)
	a := source.Attributes{}
	a.Set("displayName", name)
	a.Set("givenName", given)
	a.Set("sn", fmt.Sprintf("Example %d", n))
	a.Set("title", "Clerk")
	a.Set("sAMAccountName", login)
	a.Set("userPrincipalName", login+"@example.com")
	a.Set("mail", login+"@example.com")
	a.Set("otherMailbox", login+".b@example.org", login+".C@example.org", login+".a@example.org")
	return source.Object{Kind: source.User, Attributes: a}
}

// with returns o with other values for one attribute, none to clear it.
func with(o source.Object, name string, values ...string) source.Object {
	o.Attributes = o.Attributes.Clone()
	o.Attributes.Set(name, values...)
	return o
}

// three puts people 1, 2 and 3 and returns their IDs.
func (w *world) three() (a, b, c source.ID) {
	w.Helper()
	return w.put(person(1)), w.put(person(2)), w.put(person(3))
}

// kept are the attributes that the directory gives back as they were put.
func (w *world) kept() []string {
	if w.Keeps != nil {
		return w.Keeps
	}
	return Names()
}

// holds fails the test unless got is what was put, as far as the directory
// keeps it.
func (w *world) holds(got, put source.Object) {
	w.Helper()
	if got.ID != put.ID || got.Kind != put.Kind {
		w.Errorf("object %q is %q of kind %q, want %q of kind %q", put.Attributes.First("displayName"), got.ID, got.Kind, put.ID, put.Kind)
	}
	for _, name := range w.kept() {
		if !slices.Equal(got.Attributes[name], put.Attributes[name]) {
			w.Errorf("object %s has %s = %q, want %q: an Upsert holds all of the object as it is now, values in ascending byte order",
				put.ID, name, got.Attributes[name], put.Attributes[name])
		}
	}
}

// holdsAll fails the test unless got are the suite's people in scope, no less
// and, among those in mine, no more.
func (w *world) holdsAll(got map[source.ID]source.Object, mine ...source.ID) {
	w.Helper()
	for _, id := range slices.Sorted(maps.Keys(w.people)) {
		o, ok := got[id]
		if !ok {
			w.Errorf("object %s (%s) is in scope and was not given", id, w.people[id].Attributes.First("displayName"))
			continue
		}
		w.holds(o, w.people[id])
	}
	for _, id := range mine {
		if _, there := w.people[id]; there {
			continue
		}
		if _, given := got[id]; given {
			w.Errorf("object %s is no longer in scope and was given as if it were", id)
		}
	}
}
