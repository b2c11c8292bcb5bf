package targettest

import (
	"errors"
	"slices"
	"strings"

	"github.com/dirbridge/dirbridge/target"
)

// refused fails the test unless err is a classified refusal.
func (w *world) refused(err, want error, attribute string) {
	w.Helper()
	if !errors.Is(err, want) {
		w.Errorf("the call gave %v, want an error that wraps %q", err, want)
		return
	}
	if target.OutcomeUnknown(err) {
		w.Errorf("the error %v says that the outcome is unknown, beside %q", err, want)
	}
	if got := target.AttributeOf(err); attribute != "" && got != attribute {
		w.Errorf("the error %v names the attribute %q, want %q", err, got, attribute)
	}
}

func testExists(w *world) {
	w.need("Unique attributes", len(w.Unique) > 0)
	held, _ := w.person(1)
	other, c := w.person(2)
	for _, name := range w.Unique {
		value := w.live()[held.ID].Attributes.First(name)
		for i, taken := range []string{value, strings.ToUpper(value)} {
			d := w.create(3 + i)
			d.Set[name] = []string{taken}
			_, err := w.Target.Apply(w.ctx(), d)
			w.refused(err, target.ErrExists, name)
			if found := w.find(target.Key{Anchor: d.Anchor})[0]; len(found) > 0 {
				w.Errorf("a create that was refused made %s", found[0].ID)
			}
			_, err = w.Target.Apply(w.ctx(), on(other, c, target.Update, target.Attributes{name: {taken}, "jobTitle": {"Director"}}))
			w.refused(err, target.ErrExists, name)
			w.holds(other.ID, c.Set) // nothing of it was written
		}
	}
	if w.Add == nil {
		return
	}
	foreign := w.create(8)
	_, err := w.Add(target.Object{Kind: target.User, Attributes: foreign.Set.Clone()})
	w.must("Add", err)
	for _, name := range w.Unique {
		d := w.create(9)
		d.Set[name] = foreign.Set[name]
		_, err := w.Target.Apply(w.ctx(), d)
		w.refused(err, target.ErrExists, name)
	}
}

func testDomain(w *world) {
	w.need("Unverified domain", w.Unverified != "")
	bad := "tt.else@" + w.Unverified
	c := w.create(1)
	c.Set["userPrincipalName"] = []string{bad}
	_, err := w.Target.Apply(w.ctx(), c)
	w.refused(err, target.ErrDomainNotVerified, "")
	if found := w.find(target.Key{Anchor: c.Anchor})[0]; len(found) > 0 {
		w.Errorf("a create that was refused made %s", found[0].ID)
	}
	o, d := w.person(2)
	_, err = w.Target.Apply(w.ctx(), on(o, d, target.Update, target.Attributes{"userPrincipalName": {bad}, "jobTitle": {"Director"}}))
	w.refused(err, target.ErrDomainNotVerified, "")
	w.holds(o.ID, d.Set)

	w.need("hand Verify", w.Verify != nil)
	w.must("Verify", w.Verify(w.Unverified, true))
	w.apply(c)
	w.must("Verify", w.Verify(w.Unverified, false))
	e := w.create(3)
	e.Set["userPrincipalName"] = []string{"tt.third@" + w.Unverified}
	_, err = w.Target.Apply(w.ctx(), e)
	w.refused(err, target.ErrDomainNotVerified, "")
}

func testInvalid(w *world) {
	w.need("values that it Refuses", len(w.Refuses) > 0)
	o, c := w.person(1)
	for i, name := range w.Refuses.Names() {
		for _, bad := range w.Refuses[name] {
			d := w.create(10 + i)
			d.Set[name] = []string{bad}
			_, err := w.Target.Apply(w.ctx(), d)
			w.invalid(err, name)
			if found := w.find(target.Key{Anchor: d.Anchor})[0]; len(found) > 0 {
				w.Errorf("a create that was refused made %s", found[0].ID)
			}
			s := target.Attributes{"department": {"Other"}}
			s[name] = []string{bad}
			_, err = w.Target.Apply(w.ctx(), on(o, c, target.Update, s))
			w.invalid(err, name)
			w.holds(o.ID, c.Set)
		}
	}
}

// invalid: a target doesn't always say which attribute, but never names another.
func (w *world) invalid(err error, name string) {
	w.Helper()
	w.refused(err, target.ErrInvalid, "")
	if got := target.AttributeOf(err); !slices.Contains([]string{"", name}, got) {
		w.Errorf("the error %v names the attribute %q, want %q", err, got, name)
	}
}
