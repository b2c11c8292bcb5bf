package dirsync

import (
	"fmt"
	"strings"

	"github.com/dirbridge/dirbridge/mapping"
	"github.com/dirbridge/dirbridge/target"
)

// firstContact is what there is to know while nothing at the target is ours:
// people may have accounts there that no key shows, since the name that they get
// is under another domain. Nothing keeps them from a second account, so that
// somebody is told.
type firstContact struct {
	is     bool
	wanted map[string]string // the names that newcomers are to get, by local part
	alike  int               // accounts that aren't ours and have one of these under another domain
	others int               // accounts that aren't ours
}

// local is the part of a name before its @, in lower case.
func local(upn string) string {
	l, _, _ := strings.Cut(strings.ToLower(upn), "@")
	return l
}

// want notes the name of a newcomer.
func (f *firstContact) want(res mapping.Result) {
	upn := res.Attributes.First(target.AttrUserPrincipalName)
	if !f.is || res.Kind != target.User || upn == "" {
		return
	}
	if f.wanted == nil {
		f.wanted = map[string]string{}
	}
	f.wanted[local(upn)] = strings.ToLower(upn)
}

// see compares an account that isn't ours with them.
func (f *firstContact) see(o target.Object) {
	if !f.is || o.Kind != target.User {
		return
	}
	f.others++
	upn := strings.ToLower(o.Attributes.First(target.AttrUserPrincipalName))
	if w := f.wanted[local(upn)]; w != "" && w != upn {
		f.alike++
	}
}

// warning says what was seen, once a run.
func (r *run) warnAlike(f *firstContact) {
	if f.alike == 0 || r.toldAlike {
		return
	}
	r.toldAlike = true
	r.warn(Warning{Code: "second-accounts",
		Message: fmt.Sprintf("the target has %d accounts that aren't ours, and %d of them have the name of one that would be made, under another domain: people may get a second account", f.others, f.alike),
		Remedy:  "before the first run that writes, verify the domains of the people's userPrincipalNames, or let accounts be matched and adopted; if these are other people, go on"})
}
