package compare

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// A Difference is one thing in which a tenant isn't what it should be.
type Difference struct {
	Object    string // the entry's DN, or the account's id and name
	Attribute string // of Graph; "(account)" for the account as a whole, "(rule)" if this package can't judge
	Want      string
	Have      string
}

// String is the difference on one line.
func (d Difference) String() string {
	return fmt.Sprintf("%s: %s: want %q, have %q", d.Object, d.Attribute, d.Want, d.Have)
}

// A Comparer compares a tenant with a directory, again and again, and remembers
// what it needs to judge the next time: the anchors that were given, and what
// accounts held before. It isn't safe for concurrent use.
type Comparer struct {
	domain  string
	anchors map[string]string            // by objectGUID, from first sight on
	held    map[string]map[string]string // what an account held, by anchor, also after its deletion
	live    map[string]Account           // at the last comparison, by anchor
	groups  map[string]bool              // groups that were ever seen in the tenant, by uniqueName

	groupsWanted int
}

// New returns a Comparer for the domain with this DNS name.
func New(domain string) *Comparer {
	return &Comparer{domain: domain, anchors: map[string]string{}, held: map[string]map[string]string{}, live: map[string]Account{}, groups: map[string]bool{}}
}

// Observe notes the anchors of people who are seen for the first time. Compare
// does it too.
func (c *Comparer) Observe(d *Directory) {
	for _, e := range d.Live {
		if _, known := c.anchors[e.GUID()]; !known && e.in() {
			c.anchors[e.GUID()] = e.anchor()
		}
	}
}

// Account returns what the person with this objectGUID had in the tenant at the
// last comparison, and false if that was no account.
func (c *Comparer) Account(guid string) (Account, bool) {
	a, ok := c.live[c.anchors[guid]]
	return a, ok && c.anchors[guid] != ""
}

// Accounts is the number of accounts at the last comparison.
func (c *Comparer) Accounts() int { return len(c.live) }

// Compare returns all differences, in order of objects.
func (c *Comparer) Compare(d *Directory, t *Tenant) []Difference {
	c.Observe(d)
	var out []Difference
	bad := func(object, attribute, want, have string) {
		out = append(out, Difference{object, attribute, want, have})
	}
	byAnchor := map[string]Account{}
	for _, a := range t.Live {
		if other, twice := byAnchor[a.Anchor]; twice {
			bad(a.name(), "(account)", "one account with anchor "+a.Anchor, "another one is "+other.name())
		}
		byAnchor[a.Anchor] = a
	}
	bin := map[string]Account{}
	for _, a := range t.Deleted {
		if other, twice := bin[a.Anchor]; twice {
			bad(a.name(), "(account)", "one deleted account with anchor "+a.Anchor, "another one is "+other.name())
		}
		bin[a.Anchor] = a
	}

	wanted, names := map[string]bool{}, map[string]string{}
	for _, e := range d.Live {
		if !e.in() {
			continue
		}
		p := e.judge(c.domain, t)
		p.anchor = c.anchors[p.guid]
		wanted[p.anchor] = true
		for _, u := range p.unjudged {
			bad(p.dn, "(rule)", "something this comparison has a rule for", u)
		}
		upn := strings.ToLower(p.wishes["userPrincipalName"].value)
		if other, twice := names[upn]; twice {
			bad(p.dn, "(rule)", "a name of its own", upn+" is wanted by "+other+" too")
		}
		names[upn] = p.dn
		a, ok := byAnchor[p.anchor]
		if !ok {
			bad(p.dn, "(account)", "an account with anchor "+p.anchor, "none")
			continue
		}
		for _, name := range slices.Sorted(maps.Keys(p.wishes)) {
			w := p.wishes[name]
			if w.keep {
				w.value = c.held[p.anchor][name]
			}
			if have := a.Values[name]; have != w.value {
				bad(p.dn, name, w.value, have)
			}
		}
	}
	out = append(out, c.gone(d, byAnchor, bin, wanted)...)

	c.live = byAnchor
	for anchor, a := range byAnchor {
		c.held[anchor] = maps.Clone(a.Values)
	}
	slices.SortStableFunc(out, func(a, b Difference) int { return cmp.Compare(a.Object, b.Object) })
	return out
}

// gone judges the accounts that nobody should have: those of deleted people are
// in the bin, and only those.
func (c *Comparer) gone(d *Directory, live, bin map[string]Account, wanted map[string]bool) (out []Difference) {
	dead := map[string]string{} // anchors of deleted people: their DN
	for _, e := range d.Deleted {
		if anchor := c.anchors[e.GUID()]; anchor != "" {
			dead[anchor] = e.DN
		}
	}
	for anchor, a := range live {
		dn, deleted := dead[anchor]
		switch {
		case wanted[anchor]:
		case deleted:
			out = append(out, Difference{dn, "(account)", "in the bin", "live, " + a.name()})
		default:
			out = append(out, Difference{a.name(), "(account)", "none: nobody in the directory has anchor " + anchor, "live"})
		}
	}
	for anchor, a := range bin {
		if _, deleted := dead[anchor]; !deleted {
			out = append(out, Difference{a.name(), "(account)", "not deleted", "in the bin"})
		}
	}
	for anchor, dn := range dead {
		if _, inBin := bin[anchor]; !inBin && c.held[anchor] != nil {
			if _, alive := live[anchor]; !alive {
				out = append(out, Difference{dn, "(account)", "in the bin", "gone for good"})
			}
		}
	}
	return out
}

func (a Account) name() string { return a.ID + " " + a.Values["userPrincipalName"] }
