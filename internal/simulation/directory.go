package simulation

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/dirbridge/dirbridge/source"
)

// A directory is a small Active Directory: people in one organizational unit
// that is in scope and another that isn't, update sequence numbers, tombstones
// that are purged, and access rights that hide.
type directory struct {
	usn        int64
	invocation int // of the domain controller's database
	timeline   int // which history this is: nobody in the world can see it
	ou         int // how often the unit in scope was renamed
	ouUSN      int64
	lifetime   time.Duration // of tombstones
	people     map[int]*person
	units      map[int]*unit // nil without
}

type person struct {
	num     int
	id      source.ID
	attrs   map[string]string
	unit    int  // where there are units
	out     bool // in the other unit
	hidden  bool // by its access rights
	poison  bool // can't be read
	faulty  bool // its title can't be read
	deleted time.Time
	revived bool // it was deleted once
	usn     int64
	names   []string // that it ever wanted
	side    int      // in which of two directories it lives
	lived   [2]bool  // in which it lived before
	moving  transit  // how far it has moved
	group   bool
	refs    map[refTo]toldRef // whom it refers to, or did
}

func newDirectory() *directory {
	return &directory{people: map[int]*person{}, lifetime: 60 * 24 * time.Hour, invocation: 1}
}

// clone is an image of the domain controller.
func (d *directory) clone() *directory {
	c := *d
	c.people = make(map[int]*person, len(d.people))
	for n, p := range d.people {
		q := *p
		q.attrs, q.refs = maps.Clone(p.attrs), maps.Clone(p.refs)
		c.people[n] = &q
	}
	if d.units != nil {
		c.units = make(map[int]*unit, len(d.units))
		for n, u := range d.units {
			v := *u
			c.units[n] = &v
		}
	}
	return &c
}

// guid is the objectGUID of the person num in the world of this seed.
func guid(seed uint64, num int) source.ID {
	h := sha256.Sum256(fmt.Appendf(nil, "%d/%d", seed, num))
	return source.ID(fmt.Sprintf("%x-%x-%x-%x-%012x", h[:4], h[4:6], h[6:8], h[8:10], num))
}

// guidBase64 is the base64 of the bytes of a GUID as Active Directory keeps them.
func guidBase64(id source.ID) string {
	b, _ := hex.DecodeString(strings.ReplaceAll(string(id), "-", ""))
	slices.Reverse(b[:4])
	slices.Reverse(b[4:6])
	slices.Reverse(b[6:8])
	return base64.StdEncoding.EncodeToString(b)
}

// touch gives p the next update sequence number.
func (d *directory) touch(p *person) {
	d.usn++
	p.usn = d.usn
}

// alive returns the person num if it exists and isn't deleted.
func (d *directory) alive(num int) *person {
	if p := d.people[num]; p != nil && p.deleted.IsZero() {
		return p
	}
	return nil
}

// set gives a person's attribute a value, "" none.
func (d *directory) set(p *person, name, value string) {
	if p.attrs[name] == value {
		return
	}
	if p.attrs[name] = value; value == "" {
		delete(p.attrs, name)
	}
	if name == "userPrincipalName" || name == "mail" {
		p.wants(value)
	}
	d.touch(p)
}

// wants notes a name, and what becomes of it at the initial domain.
func (p *person) wants(name string) {
	local, _, _ := strings.Cut(strings.ToLower(name), "@")
	p.names = append(p.names, strings.ToLower(name), local+"@"+initialDomain)
}

// purge drops tombstones past their lifetime.
func (d *directory) purge() (purged []*person) {
	for _, p := range d.sorted() {
		if !p.deleted.IsZero() && time.Since(p.deleted) > d.lifetime {
			delete(d.people, p.num)
			purged = append(purged, p)
		}
	}
	return purged
}

// sorted are all people in the order of their last change.
func (d *directory) sorted() []*person {
	return slices.SortedFunc(maps.Values(d.people), func(a, b *person) int { return int(a.usn - b.usn) })
}

// object is what a reader gets of a person.
func (d *directory) object(p *person) source.Object {
	a := make(source.Attributes, len(p.attrs))
	for name, v := range p.attrs {
		a[name] = []string{v}
	}
	o := source.Object{ID: p.id, Kind: source.User, DN: d.dn(p), Attributes: a}
	if u := d.units[p.unit]; u != nil {
		o.Parent = u.id
	}
	if p.group {
		o.Kind = source.Group
	}
	if p.faulty {
		delete(a, "title")
		o.Faults = []source.Fault{{Attribute: "title", Reason: "not UTF-8"}}
	}
	return o
}

func (d *directory) dn(p *person) string {
	if d.units != nil && !p.out {
		return fmt.Sprintf("CN=p%d,%s", p.num, d.unitDN(p.unit))
	}
	unit := fmt.Sprint("Staff", d.ou)
	if p.out {
		unit = "Leavers"
	}
	return fmt.Sprintf("CN=p%d,OU=%s,DC=corp,DC=local", p.num, unit)
}

// event is what the directory says of a person; ok is false if it says nothing.
func (d *directory) event(p *person) (ev source.Event, ok bool) {
	ev.Object = source.Object{ID: p.id, Kind: source.User}
	if p.group {
		ev.Object.Kind = source.Group
	}
	switch {
	case !p.deleted.IsZero():
		ev.Op = source.Deleted
		ev.Evidence = source.Evidence{Kind: "tombstone", Detail: fmt.Sprint("USN ", p.usn), Seen: time.Now().UTC()}
	case p.hidden:
		return ev, false
	case p.poison:
		ev.Op, ev.Object.DN, ev.Err = source.Unreadable, d.dn(p), errPoison
	case p.out || d.outside(p.unit):
		ev.Op, ev.Object.DN, ev.Revived = source.Left, d.dn(p), p.revived
		ev.Evidence = source.Evidence{Kind: "moved out of scope", Seen: time.Now().UTC()}
	default:
		ev.Op, ev.Object, ev.Revived = source.Upsert, d.object(p), p.revived
	}
	return ev, true
}
