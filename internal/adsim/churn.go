package adsim

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
)

// A Change is one line of the log of [Directory.Churn].
type Change struct {
	// Op is "modify", "clear", "add-proxy", "disable", "enable", "rename",
	// "move", "delete", "undelete" or "create".
	Op   string
	GUID GUID

	// DN is where the object is after the change; of a deleted one, where it
	// was.
	DN string

	// Attr and Value are what was written, where the Op writes one attribute.
	Attr, Value string
}

// Churn makes k random changes to the people that SeedPeople made, each with
// its own USN, and returns what it did. Equal directories and seeds give equal
// changes. It stops early, with an error, if nobody is left.
func (d *Directory) Churn(k int, seed uint64) ([]Change, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	c := &churn{d: d, r: rand.New(rand.NewPCG(seed, 0xc4)), seed: seed}
	root, err := d.lookup(PeopleOU+","+d.BaseDN(), nil)
	if err != nil {
		return nil, fmt.Errorf("churn: no people: %w", err)
	}
	for _, g := range d.order {
		r := d.records[g]
		switch {
		case r.deleted || !d.within(r, root.guid):
		case r.first(d.a.sam) != "":
			c.people = append(c.people, g)
		case r.guid != root.guid:
			c.units = append(c.units, g)
		}
	}
	var log []Change
	for i := range k {
		if len(c.people) == 0 {
			return log, fmt.Errorf("churn: nobody is left after %d of %d changes", i, k)
		}
		change, err := c.step(i)
		if err != nil {
			return log, fmt.Errorf("churn: %s %s: %w", change.Op, change.DN, err)
		}
		log = append(log, change)
	}
	return log, nil
}

// churn is one run of changes.
type churn struct {
	d             *Directory
	r             *rand.Rand
	seed          uint64
	people, units []GUID
	gone          []goner
}

type goner struct {
	guid   GUID
	parent GUID
	name   string
}

func (c *churn) step(i int) (Change, error) {
	at := c.r.IntN(len(c.people))
	rec := c.d.records[c.people[at]]
	change := Change{GUID: rec.guid, DN: c.d.dnOf(rec)}
	text := fmt.Sprintf("%d-%d-%d", c.seed, i, c.r.IntN(1e6))
	var err error
	switch n := c.r.IntN(100); {
	case n < 40:
		change.Op, change.Attr, change.Value = "modify", pick(c.r, []string{"title", "department", "telephoneNumber", "displayName", "physicalDeliveryOfficeName"}), "changed "+text
		err = c.d.modify(rec, []Mod{Replace(change.Attr, change.Value)})
	case n < 48:
		change.Op, change.Attr = "clear", pick(c.r, []string{"mobile", "description", "preferredLanguage", "streetAddress"})
		err = c.d.modify(rec, []Mod{Replace(change.Attr)})
	case n < 56:
		change.Op, change.Attr, change.Value = "add-proxy", "proxyAddresses", "smtp:alias."+text+"@contoso.com"
		err = c.d.modify(rec, []Mod{AddValues(change.Attr, change.Value)})
	case n < 64:
		uac, _ := asNumber(c.d.a.uac, rec.first(c.d.a.uac))
		change.Op = "disable"
		if uac&2 != 0 {
			change.Op = "enable"
		}
		change.Attr, change.Value = "userAccountControl", strconv.FormatInt(uac^2, 10)
		err = c.d.modify(rec, []Mod{Replace(change.Attr, change.Value)})
	case n < 72:
		change.Op = "rename"
		err = c.d.move(rec, "CN="+escapeRDN("Renamed "+text), "")
		change.DN = c.d.dnOf(c.d.records[rec.guid])
	case n < 80:
		change.Op = "move"
		others := slices.DeleteFunc(slices.Clone(c.units), func(g GUID) bool { return g == rec.parent })
		err = c.d.move(rec, "", c.d.dnOf(c.d.records[pick(c.r, others)]))
		change.DN = c.d.dnOf(c.d.records[rec.guid])
	case n < 87:
		change.Op = "delete"
		c.gone = append(c.gone, goner{rec.guid, rec.parent, rec.first(c.d.a.name)})
		err = c.d.delete(rec)
		c.people = slices.Delete(c.people, at, at+1)
	case n < 92 && len(c.gone) > 0:
		return c.undelete()
	default:
		return c.create(text)
	}
	return change, err
}

func (c *churn) undelete() (Change, error) {
	i := c.r.IntN(len(c.gone))
	g := c.gone[i]
	c.gone = slices.Delete(c.gone, i, i+1)
	dn := "CN=" + escapeRDN(g.name) + "," + c.d.dnOf(c.d.records[g.parent])
	c.people = append(c.people, g.guid)
	return Change{Op: "undelete", GUID: g.guid, DN: dn}, c.d.undelete(c.d.records[g.guid], dn, nil)
}

func (c *churn) create(text string) (Change, error) {
	dn := "CN=" + escapeRDN("New "+text) + "," + c.d.dnOf(c.d.records[pick(c.r, c.units)])
	login := "n" + text
	guid, err := c.d.add(dn, Attrs{
		"objectClass": {"user"}, "sAMAccountName": {login}, "userPrincipalName": {login + "@contoso.com"}, "mail": {login + "@contoso.com"},
		"proxyAddresses": {"SMTP:" + login + "@contoso.com"}, "givenName": {"New"}, "sn": {text}, "displayName": {"New " + text}, "userAccountControl": {"512"},
	})
	c.people = append(c.people, guid)
	return Change{Op: "create", GUID: guid, DN: dn}, err
}
