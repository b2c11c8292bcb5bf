package mapping

import (
	"slices"
	"strings"

	"github.com/dirbridge/dirbridge/target"
)

// Domains are the facts about the target's domains that rules need. The zero
// value is a target that takes names in any domain.
type Domains struct {
	// Restricted says that names must end in a verified domain.
	Restricted bool

	// Verified are the verified domains, in lower case.
	Verified map[string]bool

	// Initial is the tenant's first domain, NAME.onmicrosoft.com.
	Initial string

	// Default is what the tenant gives new users; Initial unless an
	// administrator changed it.
	Default string
}

// NewDomains makes Domains of what a target answered.
func NewDomains(list []target.Domain) Domains {
	d := Domains{Restricted: true, Verified: make(map[string]bool, len(list))}
	for _, x := range list {
		name := strings.ToLower(x.Name)
		if x.Verified {
			d.Verified[name] = true
		}
		if x.Initial {
			d.Initial = name
		}
		if x.Default {
			d.Default = name
		}
	}
	if d.Default == "" {
		d.Default = d.Initial
	}
	return d
}

// Accepts reports whether a name may end in domain (lower case).
func (d Domains) Accepts(domain string) bool { return !d.Restricted || d.Verified[domain] }

// List returns the verified domains in ascending order.
func (d Domains) List() []string {
	list := make([]string, 0, len(d.Verified))
	for name := range d.Verified {
		list = append(list, name)
	}
	slices.Sort(list)
	return list
}

// Fingerprint identifies the set: equal sets give equal text.
func (d Domains) Fingerprint() string {
	if !d.Restricted {
		return "any"
	}
	return d.Initial + "|" + d.Default + "|" + strings.Join(d.List(), ",")
}
