package graphsim

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// The permissions for reading roles, groups and administrative units, least
// first, as the pages named in package contract's overlay list them.
var (
	readRoles = []string{"RoleManagement.Read.Directory", "Directory.Read.All", "RoleManagement.ReadWrite.Directory", "Directory.ReadWrite.All"}
	readElig  = []string{"RoleEligibilitySchedule.Read.Directory", "RoleManagement.Read.Directory", "RoleManagement.Read.All",
		"RoleEligibilitySchedule.ReadWrite.Directory", "RoleManagement.ReadWrite.Directory"}
	readGroupElig = []string{"PrivilegedEligibilitySchedule.Read.AzureADGroup", "PrivilegedEligibilitySchedule.ReadWrite.AzureADGroup"}
	readUnits     = []string{"AdministrativeUnit.Read.All", "Directory.Read.All", "AdministrativeUnit.ReadWrite.All", "Directory.ReadWrite.All"}
)

// Whose members are hidden shows none to who lacks the permission.
const hiddenMembership = "HiddenMembership"

var readHidden = []string{"Member.Read.Hidden"}

func visibility(hidden bool) any {
	if hidden {
		return hiddenMembership
	}
	return nil
}

// A RoleGroup is a group that may hold directory roles.
type RoleGroup struct {
	ID       string
	Members  []string // ids of users
	Owners   []string
	Eligible []string // for membership, by Privileged Identity Management
	Hidden   bool     // its members are shown only with Member.Read.Hidden
}

// An AdministrativeUnit is a part of the directory with administrators of its
// own.
type AdministrativeUnit struct {
	ID         string
	Restricted bool // only its own administrators may change its members
	Members    []string
	Hidden     bool // they are shown only with Member.Read.Hidden
}

// Powers say who has power over others in the tenant. They say what is read, and
// nothing about what is refused: that is [Tenant.Protect]'s.
type Powers struct {
	Assigned   []string // ids that hold a directory role
	Eligible   []string // ids that are eligible for one
	RoleGroups []RoleGroup
	Units      []AdministrativeUnit

	// Unlicensed: the tenant has no Privileged Identity Management, so that
	// reading eligibility is refused with AadPremiumLicenseRequired.
	Unlicensed bool
}

// EditPowers changes who has power over others; edit mustn't use the tenant.
// Empty ids of groups and units are filled in. Role-assignable groups are groups
// like others: what edit says of their members and owners is so afterwards.
func (t *Tenant) EditPowers(edit func(*Powers)) {
	t.mu.Lock()
	edit(&t.powers)
	for i := range t.powers.Units {
		if t.powers.Units[i].ID == "" {
			t.powers.Units[i].ID = t.newID()
		}
	}
	groups := slices.Clone(t.powers.RoleGroups)
	t.mu.Unlock()
	for i, g := range groups {
		if g.ID == "" {
			properties := map[string]any{"mailNickname": fmt.Sprintf("role-group-%d", i), "isAssignableToRole": true}
			if g.Hidden {
				properties["visibility"] = hiddenMembership
			}
			made, err := t.AddGroup(properties)
			if err != nil {
				panic(fmt.Sprintf("graphsim: edit powers: %v", err))
			}
			g.ID = made.ID
		}
		for attribute, to := range map[string][]string{refMembers: g.Members, refOwners: g.Owners} {
			if err := t.SetReferences(g.ID, attribute, to...); err != nil {
				panic(fmt.Sprintf("graphsim: edit powers: %v", err))
			}
		}
		t.mu.Lock()
		t.powers.RoleGroups[i].ID = g.ID
		t.mu.Unlock()
	}
}

func (t *Tenant) listRoleAssignments(c *call) reply {
	return t.powerList(c, func(p *Powers) ([]map[string]any, *apiError) { return schedules("assignment", p.Assigned, nil), nil })
}

func (t *Tenant) listEligibility(c *call) reply {
	return t.powerList(c, func(p *Powers) ([]map[string]any, *apiError) {
		return schedules("eligibility", p.Eligible, nil), p.license()
	})
}

func (p *Powers) license() *apiError {
	if !p.Unlicensed {
		return nil
	}
	return &apiError{status: http.StatusBadRequest, code: "AadPremiumLicenseRequired",
		message: "The tenant needs to have Microsoft Entra ID P2 or Microsoft Entra ID Governance license."}
}

// schedules are the entries for some principals.
func schedules(what string, principals []string, more map[string]any) (all []map[string]any) {
	for _, id := range principals {
		e := map[string]any{"id": what + "-" + id, "principalId": id}
		for k, v := range more {
			e[k] = v
		}
		all = append(all, e)
	}
	return all
}

// listTransitiveMembers lists whom a group holds, directly or by other groups.
func (t *Tenant) listTransitiveMembers(c *call) reply {
	return t.powerList(c, func(*Powers) (all []map[string]any, _ *apiError) {
		group := t.findGroup(c.segments[1])
		if group == nil || !group.deleted.IsZero() {
			return nil, notFound(c.segments[1])
		}
		if group.cur.str("visibility") == hiddenMembership && !c.allowed(t, readHidden) {
			return nil, nil
		}
		seen := map[*slot]bool{group: true}
		for todo := []*slot{group}; len(todo) > 0; todo = todo[1:] {
			for _, m := range t.living(refKey{todo[0], refMembers}) {
				if seen[m] {
					continue
				}
				seen[m] = true
				kind := "#microsoft.graph.user"
				if m.group {
					kind = "#microsoft.graph.group"
					todo = append(todo, m)
				}
				all = append(all, map[string]any{"@odata.type": kind, "id": m.id})
			}
		}
		return all, nil
	})
}

// users are entries of a list of directory objects.
func users(ids []string) (all []map[string]any) {
	for _, id := range ids {
		all = append(all, map[string]any{"@odata.type": "#microsoft.graph.user", "id": id})
	}
	return all
}

func (t *Tenant) listGroupEligibility(c *call) reply {
	var id string
	if n, err := fmt.Sscanf(c.query.Get("$filter"), "groupId eq '%36s'", &id); n != 1 || err != nil && !strings.Contains(err.Error(), "input does not match") {
		return c.fail(badRequest("A filter by groupId or principalId is required."))
	}
	return t.powerList(c, func(p *Powers) (all []map[string]any, e *apiError) {
		for _, g := range p.RoleGroups {
			if strings.EqualFold(g.ID, id) {
				all = schedules("eligibility", g.Eligible, map[string]any{"groupId": g.ID, "accessId": "member"})
			}
		}
		return all, p.license()
	})
}

func (t *Tenant) listUnits(c *call) reply {
	return t.powerList(c, func(p *Powers) (all []map[string]any, _ *apiError) {
		for _, u := range p.Units {
			all = append(all, map[string]any{"id": u.ID, "isMemberManagementRestricted": u.Restricted, "visibility": visibility(u.Hidden)})
		}
		return all, nil
	})
}

func (t *Tenant) listUnitMembers(c *call) reply {
	return t.powerList(c, func(p *Powers) ([]map[string]any, *apiError) {
		i := slices.IndexFunc(p.Units, func(u AdministrativeUnit) bool { return strings.EqualFold(u.ID, c.segments[2]) })
		if i < 0 {
			return nil, notFound(c.segments[2])
		}
		if p.Units[i].Hidden && !c.allowed(t, readHidden) {
			return nil, nil
		}
		return users(p.Units[i].Members), nil
	})
}

// powerList answers with a list; it comes in pages of [Options.PageSize], or of
// $top if that is smaller.
func (t *Tenant) powerList(c *call, of func(*Powers) ([]map[string]any, *apiError)) reply {
	top, e := t.top(c)
	if e != nil {
		return c.fail(e)
	}
	t.mu.RLock()
	defer t.mu.RUnlock()
	tok, e := t.parsePageToken(c)
	if e != nil {
		return c.fail(e)
	}
	all, e := of(&t.powers)
	if e != nil {
		return c.fail(e)
	}
	first := min(int(tok.After), len(all))
	last := min(first+min(top, t.opts.PageSize), len(all))
	b := append([]byte{'{'}, c.context(strings.Join(c.segments, "/"), []string{"id"}, false)...)
	if last < len(all) {
		b = append(b, `,"@odata.nextLink":`...)
		b = appendString(b, c.nextLink(pageToken{After: uint64(last), Epoch: t.epoch, Kind: c.op.Kind}))
	}
	b = append(b, `,"value":[`...)
	for i, o := range all[first:last] {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendValue(b, o)
	}
	return reply{status: http.StatusOK, body: append(b, `]}`...)}
}
