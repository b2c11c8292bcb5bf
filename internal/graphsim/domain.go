package graphsim

import (
	"slices"
	"strings"
)

// A Domain is one of the tenant's domains.
type Domain struct {
	Name      string
	Verified  bool
	Federated bool
	Default   bool
	Initial   bool
}

func initialDomains(initial string, more []string) []Domain {
	ds := []Domain{{Name: initial, Verified: true, Initial: true}}
	for _, name := range more {
		if !slices.ContainsFunc(ds, func(d Domain) bool { return strings.EqualFold(d.Name, name) }) {
			ds = append(ds, Domain{Name: name, Verified: true})
		}
	}
	if len(ds) > 1 {
		ds[1].Default = true
	} else {
		ds[0].Default = true
	}
	return ds
}

// Domains returns the tenant's domains, the initial one first.
func (t *Tenant) Domains() []Domain {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return slices.Clone(t.domains)
}

// AddDomain adds a domain that isn't verified yet. A domain that is there stays
// as it is.
func (t *Tenant) AddDomain(name string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.domain(name, true)
}

// VerifyDomain adds a domain, if it isn't there, and verifies it.
func (t *Tenant) VerifyDomain(name string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.domain(name, true).Verified = true
}

// Federate makes a domain federated, adding and verifying it if need be.
func (t *Tenant) Federate(name string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	d := t.domain(name, true)
	d.Verified, d.Federated = true, true
}

// RemoveDomain takes a domain away; the initial one stays. Users keep their
// names: they can't be given the domain again.
func (t *Tenant) RemoveDomain(name string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	wasDefault := false
	t.domains = slices.DeleteFunc(t.domains, func(d Domain) bool {
		gone := !d.Initial && strings.EqualFold(d.Name, name)
		wasDefault = wasDefault || gone && d.Default
		return gone
	})
	if wasDefault {
		t.domains[0].Default = true
	}
}

// domain finds a domain; the pointer is good while mu is held.
func (t *Tenant) domain(name string, add bool) *Domain {
	for i := range t.domains {
		if strings.EqualFold(t.domains[i].Name, name) {
			return &t.domains[i]
		}
	}
	if !add {
		return nil
	}
	t.domains = append(t.domains, Domain{Name: strings.ToLower(name)})
	return &t.domains[len(t.domains)-1]
}

// suffix returns the verified domain of a UPN, or nil. A subdomain counts only
// once it has been added to the tenant.
func (t *Tenant) suffix(upn string) *Domain {
	_, name, _ := strings.Cut(upn, "@")
	if d := t.domain(name, false); d != nil && d.Verified {
		return d
	}
	return nil
}

func (d Domain) authentication() string {
	if d.Federated {
		return "Federated"
	}
	return "Managed"
}

// isRoot reports whether no other domain of the tenant stands above d.
func (t *Tenant) isRoot(d Domain) bool {
	return d.Verified && !slices.ContainsFunc(t.domains, func(o Domain) bool {
		return o.Verified && strings.HasSuffix(d.Name, "."+o.Name)
	})
}

func (t *Tenant) domainObject(d Domain) map[string]any {
	services := []string{}
	if d.Verified {
		services = []string{"Email", "OfficeCommunicationsOnline"}
	}
	return map[string]any{
		"id": d.Name, "authenticationType": d.authentication(), "availabilityStatus": nil,
		"isAdminManaged": true, "isDefault": d.Default, "isInitial": d.Initial, "isRoot": t.isRoot(d),
		"isVerified": d.Verified, "passwordNotificationWindowInDays": 14, "passwordValidityPeriodInDays": 90,
		"state": nil, "supportedServices": services,
	}
}

func (t *Tenant) organizationObject() map[string]any {
	var verified []any
	for _, d := range t.domains {
		if d.Verified {
			verified = append(verified, map[string]any{
				"capabilities": "Email, OfficeCommunicationsOnline", "isDefault": d.Default, "isInitial": d.Initial,
				"name": d.Name, "type": d.authentication(),
			})
		}
	}
	name, _, _ := strings.Cut(t.opts.Initial, ".")
	return map[string]any{
		"id": t.id, "displayName": name, "tenantType": "AAD", "verifiedDomains": verified,
		"onPremisesSyncEnabled": nil, "onPremisesLastSyncDateTime": nil, "defaultUsageLocation": nil,
		"assignedPlans": []any{}, "businessPhones": []string{}, "countryLetterCode": nil, "deletedDateTime": nil,
	}
}
