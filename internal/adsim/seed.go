package adsim

import (
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"strings"
)

// PeopleOU is the organizational unit below which [Directory.SeedPeople] puts
// its people, without the domain.
const PeopleOU = "OU=People,OU=Company"

var (
	givenNames = strings.Fields("Ada Amir Bea Carlos Chen Dana Elif Erik Fatima Gita Hugo Ida Ivan Jana Kofi Lena Marco Mei Nadia Omar Petra Ravi Sara Tomas Ursula Viktor Wanda Yuki")
	surnames   = strings.Fields("Abel Bauer Costa Dubois Egger Ferrari Gruber Hansen Ito Jansen Kaya Lind Moreau Novak Okafor Pereira Quist Rossi Sato Tamm Urban Vega Weber Yilmaz Zeman")
	// people whose names aren't ASCII, hold an apostrophe or a comma
	specialNames = [][2]string{
		{"Jörg", "Größl"}, {"Agnès", "Lefèvre"}, {"Øyvind", "Sørby"}, {"Zdeněk", "Dvořák"}, {"Paweł", "Wójcik"}, {"さくら", "鈴木"},
		{"Дмитрий", "Соколов"}, {"Ελένη", "Νικολάου"}, {"ליאור", "כהן"}, {"Siobhán", "O'Neill"}, {"Mary Ann", "Smith, Jr."}, {"李", "娜"},
	}
	departments = []string{"Accounting", "Design", "Legal & Risk", "Logistics", "Produktion, Süd", "Research", "Support"}
	jobTitles   = []string{"Accountant", "Architect", "Assistant", "Developer", "Head of Department", "Planner", "Technician"}
	offices     = []struct{ country, name, code, city, state, zip string }{
		{"AT", "Austria", "40", "Wien", "", "1010"}, {"FR", "France", "250", "Orléans", "", "45000"},
		{"BR", "Brazil", "76", "São Paulo", "SP", "01310-100"}, {"US", "United States", "840", "Denver", "CO", "80202"},
		{"IN", "India", "356", "Pune", "MH", "411001"},
	}
)

// SeedPeople makes n made-up people of a company, and the organizational units
// that they are in. Equal arguments give equal people, objectGUIDs included
// (SIDs and USNs follow what was there before). Called again with another seed
// it adds others.
//
// Of the people about 70 % have a userPrincipalName in contoso.com, 15 % in the
// directory's own domain, 10 % in fabrikam.local, which no tenant can verify,
// and the rest none. Some are disabled, have names outside ASCII, have no mail,
// or have a manager.
func (d *Directory) SeedPeople(n int, seed uint64) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	root := PeopleOU + "," + d.BaseDN()
	parents := []string{strings.SplitN(root, ",", 2)[1], root}
	for _, dep := range departments {
		parents = append(parents, "OU="+escapeRDN(dep)+","+root)
	}
	for _, dn := range parents {
		if p, err := d.locate(dn); err != nil || p.rec != nil {
			continue
		}
		if _, err := d.add(dn, Attrs{"objectClass": {"organizationalUnit"}}); err != nil {
			return fmt.Errorf("seed %s: %w", dn, err)
		}
	}
	var dns []string
	for i := range n {
		r := rand.New(rand.NewPCG(seed, uint64(i)))
		p := newPerson(r, seed, i, d.opts.Domain)
		dn := "CN=" + escapeRDN(p.cn) + ",OU=" + escapeRDN(p.department) + "," + root
		if i%40 != 0 {
			p.attrs["manager"] = []string{dns[i/40*40]} // the first of each forty leads them
		}
		if _, err := d.add(dn, p.attrs); err != nil {
			return fmt.Errorf("seed %s: %w", dn, err)
		}
		dns = append(dns, dn)
	}
	return nil
}

// A person is one made-up employee.
type person struct {
	cn, department string
	attrs          Attrs
}

func pick[T any](r *rand.Rand, from []T) T { return from[r.IntN(len(from))] }

func newPerson(r *rand.Rand, seed uint64, i int, domain string) person {
	given, sur := pick(r, givenNames), pick(r, surnames)
	if r.IntN(100) < 9 {
		special := pick(r, specialNames)
		given, sur = special[0], special[1]
	}
	guid := drawGUID(r)
	number := fmt.Sprintf("%d%06d", seed, i)
	login := "p" + number
	alias := asciiAlias(given, sur) + number
	office := pick(r, offices)
	p := person{cn: fmt.Sprintf("%s %s (%s)", given, sur, number), department: pick(r, departments)}
	p.attrs = Attrs{
		"objectClass": {"user"}, "objectGUID": {string(guid[:])}, "sAMAccountName": {login}, "givenName": {given}, "sn": {sur},
		"displayName": {given + " " + sur}, "title": {pick(r, jobTitles)}, "department": {p.department}, "company": {"Contoso AG"},
		"employeeID": {"C" + number}, "employeeType": {"internal"}, "c": {office.country}, "co": {office.name}, "countryCode": {office.code},
		"l": {office.city}, "postalCode": {office.zip}, "streetAddress": {fmt.Sprintf("Station Road %d\r\n%s", i%200+1, office.city)},
		"physicalDeliveryOfficeName": {fmt.Sprintf("%s-%d", office.country, i%90)}, "telephoneNumber": {fmt.Sprintf("+43 1 555 %05d", i%100000)},
		"extensionAttribute1": {fmt.Sprintf("cost-centre-%d", i%12)},
	}
	optional := func(percent int, name string, values ...string) {
		if r.IntN(100) < percent && values[0] != "" {
			p.attrs[name] = values
		}
	}
	mail := alias + "@contoso.com"
	switch n := r.IntN(100); {
	case n < 70:
		p.attrs["userPrincipalName"] = []string{mail}
	case n < 85:
		p.attrs["userPrincipalName"] = []string{login + "@" + domain}
	case n < 95:
		p.attrs["userPrincipalName"] = []string{alias + "@fabrikam.local"}
	}
	if r.IntN(100) < 94 {
		p.attrs["mail"] = []string{mail}
		p.attrs["mailNickname"] = []string{alias}
		p.attrs["proxyAddresses"] = []string{"SMTP:" + mail, "smtp:" + login + "@contoso.com"}
		optional(25, "proxyAddresses", "SMTP:"+mail, "smtp:"+login+"@contoso.com", "sip:"+mail, "X500:/o=Contoso/cn="+login)
	}
	optional(100, "st", office.state)
	optional(45, "mobile", fmt.Sprintf("+43 664 555%05d", i%100000))
	optional(10, "facsimileTelephoneNumber", fmt.Sprintf("+43 1 556 %05d", i%100000))
	optional(15, "otherTelephone", fmt.Sprintf("+43 1 557 %05d", i%100000), fmt.Sprintf("+43 1 558 %05d", i%100000))
	optional(30, "preferredLanguage", "de-AT")
	optional(40, "msExchUsageLocation", office.country)
	optional(20, "description", "made-up person "+number)
	optional(5, "extensionAttribute7", "project "+hex.EncodeToString(guid[:3]))
	optional(3, "msExchHideFromAddressLists", "TRUE")
	optional(4, "mS-DS-ConsistencyGuid", string(guid[8:])+string(guid[:8]))
	uac := "512"
	switch n := r.IntN(100); {
	case n < 6:
		uac = "514"
	case n < 20:
		uac = "66048"
	}
	p.attrs["userAccountControl"] = []string{uac}
	optional(3, "accountExpires", "132223104000000000") // 1 January 2020
	return p
}

// asciiAlias is what is left of a name in a mail address, "x" if nothing is.
func asciiAlias(given, sur string) string {
	alias := strings.Map(func(c rune) rune {
		if c >= 'a' && c <= 'z' || c == '.' {
			return c
		}
		return -1
	}, fold(given+"."+sur))
	if strings.Trim(alias, ".") == "" {
		return "x."
	}
	return strings.Trim(alias, ".") + "."
}
