package compare

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
)

// A Group is a group as Graph gives it.
type Group struct {
	ID      string
	Unique  string            // uniqueName
	Values  map[string]string // as an [Account] has them
	Members []string          // their ids
}

func (g Group) name() string { return g.ID + " " + g.Values["displayName"] }

var groupNames = []string{"displayName", "description", "mailNickname", "mailEnabled", "securityEnabled", "groupTypes"}

// ReadGroups adds to t the groups with their members, those in the bin, and the
// managers of the live accounts.
func (t *Tenant) ReadGroups(ctx context.Context, client *http.Client, base, token string) error {
	g := graph{ctx, client, token}
	query := "?$top=999&$select=id,uniqueName," + strings.Join(groupNames, ",")
	take := func(to *[]Group) func(map[string]any) {
		return func(o map[string]any) {
			a := account(o)
			one := Group{Unique: a.Values["uniqueName"], Values: a.Values, ID: a.ID}
			delete(one.Values, "uniqueName")
			*to = append(*to, one)
		}
	}
	if err := g.list(base+"/groups"+query, take(&t.Groups)); err != nil {
		return err
	}
	if err := g.list(base+"/directory/deletedItems/microsoft.graph.group"+query, take(&t.DeletedGroups)); err != nil {
		return err
	}
	for i := range t.Groups {
		err := g.list(base+"/groups/"+t.Groups[i].ID+"/members?$top=999&$select=id", func(o map[string]any) {
			id, _ := o["id"].(string)
			t.Groups[i].Members = append(t.Groups[i].Members, id)
		})
		if err != nil {
			return err
		}
	}
	for i := range t.Live {
		var err error
		if t.Live[i].Manager, err = g.manager(base, t.Live[i].ID); err != nil {
			return err
		}
	}
	return nil
}

// inGroup reports whether a group is synchronized: a security group without mail
// that is no part of the system.
func (e Entry) inGroup() bool {
	bits, err := strconv.ParseInt(e.first("groupType"), 10, 32)
	details, _ := strconv.ParseInt(e.first("msExchRecipientTypeDetails"), 10, 64)
	mailed := len(e.Values["proxyaddresses"]) == 0 && e.first("mail") != ""
	for _, p := range e.Values["proxyaddresses"] {
		mailed = mailed || strings.HasPrefix(strings.ToLower(p), "smtp:")
	}
	switch {
	case e.GUID() == "", err != nil, bits >= 0, bits&1 != 0, mailed, details&0x40000000 != 0:
		return false
	case len(e.Values["iscriticalsystemobject"]) > 0 && e.first("isCriticalSystemObject") != "FALSE":
		return false
	case strings.EqualFold(e.first("sAMAccountName"), "MSOL_AD_Sync_RichCoexistence"):
		return false
	}
	return !e.conflicting()
}

// judgeGroup says what e's group should be, members left out.
func (e Entry) judgeGroup() map[string]string {
	want := map[string]string{"securityEnabled": "true", "mailEnabled": "false", "description": e.first("description")}
	for _, from := range []string{"name", "cn", "displayName"} {
		if v := strings.TrimSpace(e.first(from)); v != "" {
			want["displayName"] = v
		}
	}
	for _, from := range []string{"sAMAccountName", "mailNickname"} {
		var p person
		if v := p.only(e.first(from), "!#$%&'*+-./=?^_`{|}~", from); v != "" {
			want["mailNickname"] = v
		}
		for _, u := range p.unjudged {
			want["(rule)"] = u
		}
	}
	for name, most := range map[string]int{"displayName": 256, "description": 1024, "mailNickname": 64} {
		if len(utf16.Encode([]rune(want[name]))) > most {
			want["(rule)"] = name + " is too long"
		}
	}
	return want
}

// CompareGroups returns all differences in groups, their members, and people's
// managers. It follows a [Comparer.Compare] of the same two, from which it knows
// whose account is whose.
func (c *Comparer) CompareGroups(d *Directory, t *Tenant) []Difference {
	var out []Difference
	bad := func(object, attribute, want, have string) {
		out = append(out, Difference{object, attribute, want, have})
	}
	byUnique := map[string]Group{}
	for _, g := range t.Groups {
		if other, twice := byUnique[g.Unique]; twice {
			bad(g.name(), "(group)", "one group with uniqueName "+g.Unique, "another one is "+other.name())
		}
		byUnique[g.Unique] = g
	}

	ids, names := map[string]string{}, map[string]string{} // by DN: who can be referred to; by id: DN
	note := func(dn, id string) { ids[strings.ToLower(dn)], names[id] = id, dn }
	people := map[string]Account{}
	for _, e := range d.Live {
		if a, ok := c.Account(e.GUID()); ok && e.in() {
			note(e.DN, a.ID)
			people[e.GUID()] = a
		}
	}
	wanted := map[string]Entry{}
	for _, e := range d.Groups {
		if e.inGroup() {
			unique := "dirbridge-" + e.GUID()
			wanted[unique] = e
			if g, ok := byUnique[unique]; ok {
				note(e.DN, g.ID)
			} else {
				bad(e.DN, "(group)", "a group with uniqueName "+unique, "none")
			}
		}
	}

	managers := map[string]string{} // by account
	for _, a := range t.Live {
		managers[a.ID] = a.Manager
	}
	for _, e := range d.Live {
		if a, ok := people[e.GUID()]; ok {
			if want, have := ids[strings.ToLower(e.first("manager"))], managers[a.ID]; want != have {
				bad(e.DN, "manager", cmp.Or(names[want], want), cmp.Or(names[have], have))
			}
		}
	}
	for unique, e := range wanted {
		g, ok := byUnique[unique]
		if !ok {
			continue
		}
		want := e.judgeGroup()
		for _, name := range append(slices.Clone(groupNames), "(rule)") {
			if want[name] != g.Values[name] {
				bad(e.DN, name, want[name], g.Values[name])
			}
		}
		should, have := map[string]bool{}, map[string]bool{}
		for _, dn := range e.Values["member"] {
			if id := ids[strings.ToLower(dn)]; id != "" {
				should[id] = true
			}
		}
		for _, id := range g.Members {
			if have[id] {
				bad(e.DN, "members", "each once", "twice: "+id)
			}
			if have[id] = true; !should[id] {
				bad(e.DN, "members", "", cmp.Or(names[id], id))
			}
		}
		for id := range should {
			if !have[id] {
				bad(e.DN, "members", names[id], "")
			}
		}
	}

	c.groupsWanted = len(wanted)
	dead := map[string]Entry{} // those that were seen live: what came and went between two looks needs no group
	for _, e := range d.DeletedGroups {
		if unique := "dirbridge-" + e.GUID(); c.groups[unique] {
			dead[unique] = e
		}
	}
	bin := map[string]bool{}
	for _, g := range t.DeletedGroups {
		if _, ok := dead[g.Unique]; !ok || bin[g.Unique] {
			bad(g.name(), "(group)", "not in the bin, or once", "in the bin")
		}
		bin[g.Unique] = true
	}
	for unique, e := range dead {
		if g, alive := byUnique[unique]; alive || !bin[unique] {
			bad(e.DN, "(group)", "in the bin", cmp.Or(g.ID, "gone for good"))
		}
	}
	for unique, g := range byUnique {
		_, ok := wanted[unique]
		if _, deleted := dead[unique]; !ok && !deleted && !c.groups[unique] { // one that left is kept as it is
			bad(g.name(), "(group)", "none: no group in the directory has uniqueName "+unique, "live")
		}
		c.groups[unique] = true
	}
	slices.SortStableFunc(out, func(a, b Difference) int { return cmp.Compare(a.Object+a.Attribute, b.Object+b.Attribute) })
	return out
}

// Groups is the number of groups that the last comparison wanted.
func (c *Comparer) Groups() int { return c.groupsWanted }
