package graphtarget

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/dirbridge/dirbridge/target"
)

// Protected reads who holds or is eligible for a directory role, who is in,
// eligible for, or owns a role-assignable group, these groups themselves, and
// who is in a restricted management administrative unit; see
// [target.Protector]. It holds objects of all kinds. Graph refuses only some
// changes of some of these, and none of those who are merely eligible.
//
// The tenant's roles cost three requests, and three more for each role-assignable
// group (a tenant has 500 at most) and one for each restricted unit, twenty of
// them in a batch.
func (t *Target) Protected(ctx context.Context, _ target.Kind) (map[target.ID]target.Protection, error) {
	p := &powers{t: t, who: map[target.ID]target.Protection{}}
	var groups, units []secluded
	p.read(ctx, []powerList{
		{t.calls().top("roleManagement", "directory", "roleAssignments"), "RoleManagement.Read.Directory", 0, p.principals(target.HoldsRole)},
		{t.calls().top("roleManagement", "directory", "roleEligibilitySchedules"), "RoleEligibilitySchedule.Read.Directory", licensed, p.principals(target.EligibleForRole)},
		{t.calls().roleGroups(), readsGroups, 0, func(item map[string]any) {
			if s := seclusion(item); objectID(target.ID(s.id)) {
				groups = append(groups, s)
			}
		}},
		{t.calls().units(), readsUnits, 0, func(item map[string]any) {
			s := seclusion(item)
			if restricted, _ := item["isMemberManagementRestricted"].(bool); restricted && objectID(target.ID(s.id)) {
				units = append(units, s)
			}
		}},
	})
	var more []powerList
	for _, g := range groups {
		p.protect(g.id, target.RoleGroup)
		more = append(more,
			powerList{t.calls().top("groups", g.id, "transitiveMembers"), readsGroups, g.is, p.members(target.InRoleGroup)},
			powerList{t.calls().top("groups", g.id, "owners"), readsGroups, 0, p.members(target.OwnsRoleGroup)},
			powerList{t.calls().groupEligibility(g.id), "PrivilegedEligibilitySchedule.Read.AzureADGroup", licensed, p.principals(target.EligibleForRoleGroup)})
	}
	for _, u := range units {
		more = append(more, powerList{t.calls().top("directory", "administrativeUnits", u.id, "members"), readsUnits, u.is, p.members(target.InRestrictedUnit)})
	}
	p.read(ctx, more)
	if err := p.err(); err != nil {
		return nil, err
	}
	return p.who, nil
}

const (
	readsGroups = "GroupMember.Read.All"
	readsUnits  = "AdministrativeUnit.Read.All"
	readsHidden = "Member.Read.Hidden"
)

// A listKind is what is special about a list.
type listKind int

const (
	// licensed: of eligibilities, of which a tenant without the licence has none.
	licensed listKind = 1 + iota

	// hidden: of members that are shown to nobody without a permission of its own.
	hidden
)

// A secluded is a group or unit, and whether its members are hidden.
type secluded struct {
	id string
	is listKind
}

func seclusion(item map[string]any) (s secluded) {
	s.id, _ = item["id"].(string)
	if v, _ := item["visibility"].(string); v == "HiddenMembership" {
		s.is = hidden
	}
	return s
}

// A powerList is one that tells of powers, and what is done with its entries.
type powerList struct {
	call       call
	permission string // the least that it needs
	is         listKind
	each       func(item map[string]any)
}

// powers are gathered from lists. The first failure ends the reading, but for
// missing permissions, of which all are wanted.
type powers struct {
	t       *Target
	who     map[target.ID]target.Protection
	failure error
	missing []string
	refusal *target.Error

	unseen int  // lists of hidden members that show nobody
	seen   bool // one shows somebody: the permission is there
}

func (p *powers) protect(id string, why target.Protection) {
	if _, known := p.who[target.ID(id)]; !known && id != "" {
		p.who[target.ID(id)] = why
	}
}

// principals are those of assignments and schedules, members those of lists of
// directory objects. An entry without an id is of no use, and a sign that
// something else is read than what is meant.
func (p *powers) principals(why target.Protection) func(map[string]any) {
	return p.named("principalId", why)
}
func (p *powers) members(why target.Protection) func(map[string]any) { return p.named("id", why) }

func (p *powers) named(property string, why target.Protection) func(map[string]any) {
	return func(item map[string]any) {
		id, _ := item[property].(string)
		if id == "" {
			p.failure = errors.Join(p.failure, unavailable("an entry of a list of roles, groups or units names nobody"))
			return
		}
		p.protect(id, why)
	}
}

// read reads lists whole, their first pages in batches.
func (p *powers) read(ctx context.Context, lists []powerList) {
	cs := make([]call, len(lists))
	for i, l := range lists {
		cs[i] = l.call
	}
	for i, r := range p.t.read(ctx, cs, len(cs) > 1) {
		if p.failure != nil {
			return
		}
		p.one(ctx, lists[i], r)
	}
}

func (p *powers) one(ctx context.Context, l powerList, r reply) {
	page, err := decodeList(r)
	if err != nil {
		p.refused(ctx, l, r)
		return
	}
	if l.is == hidden && len(page.Value) == 0 && page.Next == "" {
		p.unseen++
	} else if l.is == hidden {
		p.seen = true
	}
	for _, item := range page.Value {
		l.each(item)
	}
	if page.Next == "" || p.failure != nil {
		return
	}
	next, err := p.t.follow(page.Next)
	if err != nil {
		p.failure = err
		return
	}
	for items, err := range p.t.pages(ctx, next) {
		if err != nil {
			p.failure = err
			return
		}
		for _, item := range items {
			l.each(item)
		}
	}
}

// refused notes why a list can't be read. A tenant without the licence for
// Privileged Identity Management has nobody who is eligible; of any other list
// that is no answer.
func (p *powers) refused(ctx context.Context, l powerList, r reply) {
	if l.is == licensed && r.fate == answered && faultOf(r).has(unlicensed) {
		return
	}
	err := readError(r)
	e, ok := errors.AsType[*target.Error](err)
	switch {
	case ctx.Err() != nil:
		p.failure = fmt.Errorf("read who is protected: %w", ctx.Err())
	case ok && e.Sentinel == target.ErrForbidden && r.status == http.StatusForbidden:
		p.refusal = e
		p.miss(l.permission)
		if l.is == hidden {
			p.miss(readsHidden)
		}
	default:
		p.failure = err
	}
}

// unlicensed is Graph's word for a tenant without Privileged Identity
// Management.
const unlicensed = "AadPremiumLicenseRequired"

func (p *powers) miss(permission string) {
	if !slices.Contains(p.missing, permission) {
		p.missing = append(p.missing, permission)
	}
}

// err says why it isn't known who is protected. Without its permission, Graph
// gives hidden members as none: that is believed only if it shows others.
func (p *powers) err() error {
	if p.failure == nil && p.unseen > 0 && !p.seen {
		p.miss(readsHidden)
		if p.refusal == nil {
			p.refusal = &target.Error{Sentinel: target.ErrForbidden, Err: fmt.Errorf("%d role-assignable groups or restricted units hide their members "+
				"(HiddenMembership), and show none; one that really has none needs a member, or has to go", p.unseen)}
		}
	}
	if p.failure != nil || p.refusal == nil {
		return p.failure
	}
	e := *p.refusal
	e.Err = fmt.Errorf("to know who is an administrator, the application needs %s: %w", strings.Join(p.missing, ", "), p.refusal.Err)
	return &e
}

// top is the first page, as long as can be, of the list at a path.
func (c calls) top(path ...string) call {
	u := c.base.JoinPath(path...)
	u.RawQuery = fmt.Sprintf("$top=%d", pageSize)
	return call{method: http.MethodGet, url: u}
}

func (c calls) roleGroups() call {
	l := c.top("groups")
	l.url.RawQuery = "$filter=isAssignableToRole%20eq%20true&$select=id,visibility&" + l.url.RawQuery
	return l
}

func (c calls) groupEligibility(id string) call {
	l := c.top("identityGovernance", "privilegedAccess", "group", "eligibilitySchedules")
	l.url.RawQuery = "$filter=groupId%20eq%20" + strings.ReplaceAll(quote(id), "'", "%27") + "&" + l.url.RawQuery
	return l
}

func (c calls) units() call {
	l := c.top("directory", "administrativeUnits")
	l.url.RawQuery = "$select=id,isMemberManagementRestricted,visibility&" + l.url.RawQuery
	return l
}
