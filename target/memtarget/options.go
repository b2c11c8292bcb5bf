package memtarget

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/dirbridge/dirbridge/target"
)

// The attributes that the rules of [target.User] know by name, beside those in
// package target.
const (
	attrAnchor       = "onPremisesImmutableId"
	attrDisplayName  = "displayName"
	attrMailNickname = "mailNickname"
	attrUsage        = "usageLocation"
)

// Options are what may be chosen about a [Target]. The zero value is good.
type Options struct {
	// Domains are those of the tenant at the beginning.
	//
	// Defaults to one, NAME.onmicrosoft.com, where NAME is the target's name
	// up to its first dot; it is initial, default and verified.
	Domains []target.Domain

	// Limits are the most characters that a value may have, by attribute.
	//
	// Defaults to no limits. [Office365Limits] returns those of Office 365.
	Limits map[string]int

	// MaxBatch is the most changes in one batch.
	//
	// Defaults to 20, as in Microsoft Graph.
	MaxBatch int

	// MaxMembers is the most members of a group.
	//
	// Defaults to any number.
	MaxMembers int

	// NoGroupBin says that deleted groups are gone for good.
	NoGroupBin bool
}

// Office365Limits returns the longest values, in characters, that Office 365
// takes.
func Office365Limits() map[string]int {
	m := map[string]int{
		attrDisplayName: 256, attrMailNickname: 64, target.AttrUserPrincipalName: 113,
		"givenName": 64, "surname": 64, "jobTitle": 128, "department": 64, "companyName": 64, "officeLocation": 128,
		"streetAddress": 1024, "city": 128, "state": 128, "postalCode": 40, "country": 128,
		"businessPhones": 64, "mobilePhone": 64, "faxNumber": 64, "otherMails": 250, "employeeId": 16, attrUsage: 2,
	}
	for i := range 15 {
		m[fmt.Sprintf("extensionAttribute%d", i+1)] = 1024
	}
	return m
}

// domains keeps them by name, in lower case.
type domains map[string]target.Domain

func newDomains(name string, list []target.Domain) domains {
	ds := domains{}
	if len(list) == 0 {
		first, _, _ := strings.Cut(name, ".")
		list = []target.Domain{{Name: first + ".onmicrosoft.com", Verified: true, Initial: true, Default: true}}
	}
	for _, d := range list {
		ds.put(d)
	}
	return ds
}

func (ds domains) put(d target.Domain) {
	d.Name = strings.ToLower(d.Name)
	ds[d.Name] = d
}

func (ds domains) sorted() []target.Domain {
	out := make([]target.Domain, 0, len(ds))
	for _, name := range slices.Sorted(maps.Keys(ds)) {
		out = append(out, ds[name])
	}
	return out
}
