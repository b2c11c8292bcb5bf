package sourcetest

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/dirbridge/dirbridge/source"
)

// resolver returns the Source as a Resolver, or skips the test.
func (w *world) resolver() source.Resolver {
	w.Helper()
	r, ok := w.Source.(source.Resolver)
	if !ok {
		w.Skip("skipped: this Source can't resolve names")
	}
	return r
}

// means fails the test unless name means these objects.
func (w *world) means(name string, want ...source.ID) {
	w.Helper()
	got, err := w.resolver().Resolve(w.ctx(), name)
	if err != nil {
		w.Fatalf("resolve %q: %v", name, err)
	}
	slices.Sort(want)
	if !slices.Equal(got, want) {
		w.Errorf("the name %q means %q, want %q: whoever is in scope and called so, in ascending order", name, got, want)
	}
}

// namesOf are what an object in scope is called, as the directory holds it.
func (w *world) namesOf(id source.ID) (names []string) {
	w.Helper()
	e, ok := w.all().last(id)
	if !ok {
		w.Fatalf("object %s wasn't given", id)
	}
	names = append(names, string(id))
	for _, n := range []string{e.Object.DN, e.Object.Attributes.First("userPrincipalName"), e.Object.Attributes.First("sAMAccountName")} {
		if n != "" {
			names = append(names, n)
		}
	}
	return names
}

func testResolve(w *world) {
	r := w.resolver()
	a, b, c := w.three()
	for _, id := range []source.ID{a, b} {
		for _, name := range w.namesOf(id) {
			w.means(name, id)
			w.means(strings.ToUpper(name), id)
		}
	}
	w.put(with(w.people[b], "mail", "both@example.com"))
	w.means("both@example.com", b)
	w.put(with(w.people[a], "mail", "both@example.com"))
	w.means("Both@example.com", a, b)

	ctx, cancel := context.WithCancel(w.ctx())
	cancel()
	if _, err := r.Resolve(ctx, string(a)); !errors.Is(err, context.Canceled) {
		w.Errorf("resolve with a cancelled context: %v, want an error that wraps context.Canceled", err)
	}
	if w.MoveOut != nil {
		names := w.namesOf(c)
		w.moveOut(c)
		for _, name := range names {
			w.means(name)
		}
	}
	if w.Remove != nil {
		names := w.namesOf(b)
		w.remove(b)
		for _, name := range names {
			w.means(name)
		}
		w.means("both@example.com", a)
	}
}

func testResolveLiterally(w *world) {
	w.resolver()
	a, _, _ := w.three()
	for _, name := range []string{
		"", " ", "*", "st*", "st00000?", "(", ")", `\`, `\\`, "\x00", "nobody@example.com", "00000000-0000-4000-8000-000000000000",
		"*)(objectClass=*", "x)(|(objectClass=*)", "st000001)(cn=*", "st000001\x00", `st000001\2a`, "CN=*", "=", ",", "DC=", "<GUID=>", "<GUID=" + string(a),
		"\xff\xfe", strings.Repeat("x", 100_000), "st00000", "t000001", "' or 1=1", "${jndi:ldap://x}",
	} {
		w.means(name)
	}
}
