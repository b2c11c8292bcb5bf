package targettest

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/dirbridge/dirbridge/target"
)

func testCurrent(w *world) {
	want := map[target.ID]target.Attributes{}
	var last target.Object
	var made target.Change
	for n := range 5 {
		o, c := w.person(1 + n)
		want[o.ID] = c.Set
		last, made = o, c
	}
	if w.Add != nil {
		c := w.create(9)
		id, err := w.Add(target.Object{Kind: target.User, Attributes: c.Set.Clone()})
		w.must("Add", err)
		want[id] = c.Set // others' objects too
	}
	w.apply(on(last, made, target.Delete, nil))
	delete(want, last.ID)

	for n := range 3 { // breaking out releases what the sequence holds
		i := 0
		for _, err := range w.Target.Current(w.ctx()) {
			if err != nil {
				w.Fatalf("read after a break: %v", err)
			}
			if i++; i > n {
				break
			}
		}
	}
	live := w.live()
	for id, set := range want {
		if o, ok := live[id]; ok {
			w.has(o, set)
		} else {
			w.Errorf("Current didn't give %s (%s)", id, set.First("displayName"))
		}
	}
	w.lacks(last.ID)
	if _, there := live[last.ID]; there {
		w.Errorf("Current gave %s, which was deleted", last.ID)
	}
}

func testFind(w *world) {
	a, c := w.person(1)
	b, d := w.person(2)
	gone, e := w.person(3)
	w.apply(on(gone, e, target.Delete, nil))
	upn := func(c target.Change) string { return c.Set.First("userPrincipalName") }

	keys := []target.Key{
		{ID: b.ID}, {ID: a.ID}, // in the order of the keys
		{Anchor: c.Anchor}, {Anchor: d.Anchor},
		{UserPrincipalName: upn(d)}, {UserPrincipalName: strings.ToUpper(upn(c))}, // without case
		{Mail: c.Set.First("mail")}, {Mail: strings.ToUpper(d.Set.First("mail"))},
		{Anchor: "bm9ib2R5"}, {UserPrincipalName: "nobody@" + w.Domain}, {Mail: "nobody@" + w.Domain},
		{ID: gone.ID}, {Anchor: e.Anchor}, {UserPrincipalName: upn(e)}, // in the bin isn't live
		{Anchor: c.Anchor}, // the same again
	}
	want := []target.ID{b.ID, a.ID, a.ID, b.ID, b.ID, a.ID, a.ID, b.ID, "", "", "", "", "", "", a.ID}
	for i, found := range w.find(keys...) {
		var ids []target.ID
		for _, o := range found {
			ids = append(ids, o.ID)
		}
		if want[i] == "" && len(ids) > 0 || want[i] != "" && !slices.Equal(ids, []target.ID{want[i]}) {
			w.Errorf("key %d, %+v, found %q, want %q", i, keys[i], ids, want[i])
		}
		for _, o := range found {
			if o.ID == a.ID {
				w.has(o, c.Set)
			}
		}
	}
	w.find()

	var many []target.Key // more than a target may take in one call
	for i := range 45 {
		many = append(many, target.Key{Anchor: fmt.Sprintf("bm9ib2R5%03d", i)})
	}
	many[44] = target.Key{Anchor: d.Anchor}
	for i, found := range w.find(many...) {
		if (len(found) > 0) != (i == 44) {
			w.Errorf("key %d of 45 found %d objects", i, len(found))
		}
	}
}

func testDomains(w *world) {
	domains, supported, err := target.Domains(w.ctx(), w.Target)
	if !supported {
		w.Skip("skipped: this Target has no domains")
	}
	if err != nil {
		w.Fatalf("domains: %v", err)
	}
	verified := map[string]bool{}
	for i, d := range domains {
		verified[d.Name] = d.Verified
		if d.Name == "" || i > 0 && domains[i-1].Name >= d.Name {
			w.Errorf("domain %d is %q: they are in ascending order, none twice", i, d.Name)
		}
		if d.Initial && !d.Verified {
			w.Errorf("the initial domain %s isn't verified: it always is", d.Name)
		}
	}
	if !verified[strings.ToLower(w.Domain)] {
		w.Errorf("%s isn't among the verified domains: %+v", w.Domain, domains)
	}
	if w.Unverified != "" && verified[strings.ToLower(w.Unverified)] {
		w.Errorf("%s is among the verified domains: %+v", w.Unverified, domains)
	}
	if w.Unverified != "" && w.Verify != nil {
		w.must("Verify", w.Verify(w.Unverified, true))
		domains, _, err = target.Domains(w.ctx(), w.Target)
		has := func(d target.Domain) bool { return d.Name == strings.ToLower(w.Unverified) && d.Verified }
		if err != nil || !slices.ContainsFunc(domains, has) {
			w.Errorf("%s was verified and isn't among the verified domains: %+v, %v", w.Unverified, domains, err)
		}
	}
}

func testMemory(w *world) {
	c := w.create(1)
	given := c.Set.Clone()
	o := w.apply(c)
	if !reflect.DeepEqual(c.Set, given) {
		w.Errorf("Apply changed the Set that it was given to %v", c.Set)
	}
	spoil := func(a target.Attributes) {
		for name, values := range a {
			for i := range values {
				values[i] = "written by the caller"
			}
			_ = append(values, "appended by the caller")
			a[name+"2"] = values
		}
	}
	spoil(c.Set)
	w.holds(o.ID, given)
	spoil(o.Attributes)
	w.holds(o.ID, given)
	spoil(w.live()[o.ID].Attributes)
	w.holds(o.ID, given)
	spoil(w.find(target.Key{ID: o.ID})[0][0].Attributes)
	w.holds(o.ID, given)
}
