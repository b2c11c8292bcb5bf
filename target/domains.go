package target

import (
	"context"
	"strings"
)

// A Domain is a name that users' addresses may end in.
type Domain struct {
	Name      string `json:"name"` // lower case
	Verified  bool   `json:"verified"`
	Initial   bool   `json:"initial,omitempty"`   // the tenant's first, always verified
	Default   bool   `json:"default,omitempty"`   // what the tenant gives new users
	Federated bool   `json:"federated,omitempty"` // sign-in happens elsewhere
}

// A Domainer is a Target whose users' names must end in one of its domains.
type Domainer interface {
	Target

	// Domains returns the target's domains, verified or not, in ascending
	// order of their names.
	Domains(ctx context.Context) ([]Domain, error)
}

// Domains returns t's domains. supported is false for a target that accepts
// names in any domain.
func Domains(ctx context.Context, t Target) (domains []Domain, supported bool, err error) {
	d, ok := t.(Domainer)
	if !ok {
		return nil, false, nil
	}
	domains, err = d.Domains(ctx)
	for i := range domains {
		domains[i].Name = strings.ToLower(domains[i].Name)
	}
	return domains, true, err
}
