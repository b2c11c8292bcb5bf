package main

import (
	"fmt"
	"strings"

	"github.com/dirbridge/dirbridge/internal/adsim"
)

// others is how many people there are beside those whom the story follows.
const others = 200

// A company is its Active Directory, and the people whom the story follows by
// the name that they sign in with.
type company struct {
	*adsim.Directory
	people map[string]adsim.GUID
	dns    map[string]string
}

// cast are the people of the story, in order: sAMAccountName, userPrincipalName,
// given name, surname, title, userAccountControl.
var cast = [][6]string{
	{"ann", "ann.abel@contoso.com", "Ann", "Abel", "Clerk", "512"},
	{"bob", "bob@corp.example.com", "Bob", "Berg", "Planner", "512"},
	{"eve", "", "Eve", "Engel", "Technician", "512"},
	{"fay", "fay@fabrikam.com", "Fay", "Fuchs", "Designer", "512"},
	{"gus", "gus@contoso.com", "Gus", "Graf", "Driver", "512"},
	{"joerg", "jörg.größl@contoso.com", "Jörg", "Größl", "Architect", "512"},
	{"sam", "sam@fabrikam.com", "Sam", "Sato", "Developer", "512"},
	{"samir", "sam@corp.example.com", "Samir", "Said", "Accountant", "512"},
	{"zoe", "zoe@contoso.com", "Zoe", "Zeman", "Assistant", "514"},
	{"AAD_backup", "backup@contoso.com", "Backup", "Service", "", "512"},
}

func newCompany() (*company, error) {
	c := &company{Directory: adsim.New(&adsim.Options{RecycleBin: true}), people: map[string]adsim.GUID{}, dns: map[string]string{}}
	if err := c.SeedPeople(others, 1); err != nil {
		return nil, err
	}
	if _, err := c.Add("OU=Story,"+c.scope(), adsim.Attrs{"objectClass": {"organizationalUnit"}}); err != nil {
		return nil, err
	}
	for _, p := range cast {
		if err := c.hire(p); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// scope is where the company's people are; service accounts of the domain live
// elsewhere.
func (c *company) scope() string { return "OU=Company," + c.BaseDN() }

func (c *company) hire(p [6]string) error {
	cn := p[2] + " " + p[3]
	attrs := adsim.Attrs{
		"objectClass": {"user"}, "sAMAccountName": {p[0]}, "givenName": {p[2]}, "sn": {p[3]}, "displayName": {cn},
		"department": {"Story"}, "c": {"AT"}, "userAccountControl": {p[5]},
	}
	// Equal objectGUIDs in every version of the simulator, so that the story
	// stays the same. The first four bytes are kept in reverse.
	attrs["objectGUID"] = []string{string([]byte{byte(len(c.people) + 1), 0, 0, 0}) + strings.Repeat("\x11", 12)}
	if p[1] != "" {
		attrs["userPrincipalName"] = []string{p[1]}
	}
	if p[4] != "" {
		attrs["title"] = []string{p[4]}
	}
	dn := "CN=" + cn + ",OU=Story," + c.scope()
	id, err := c.Add(dn, attrs)
	if err != nil {
		return fmt.Errorf("hire %s: %w", cn, err)
	}
	c.people[p[0]], c.dns[p[0]] = id, dn
	return nil
}

// change gives somebody new values.
func (c *company) change(name string, values ...string) error {
	var mods []adsim.Mod
	for i := 0; i+1 < len(values); i += 2 {
		mods = append(mods, adsim.Replace(values[i], values[i+1]))
	}
	return c.Modify(c.dns[name], mods...)
}

// marry gives somebody another surname, login and place in the directory.
func (c *company) marry(name, given, surname, login string) error {
	if err := c.change(name, "sn", surname, "displayName", given+" "+surname, "userPrincipalName", login); err != nil {
		return err
	}
	old, rdn := c.dns[name], "CN="+given+" "+surname
	c.dns[name] = rdn + ",OU=Story," + c.scope()
	return c.Rename(old, rdn)
}
