package graphsim

import (
	"net/http"
	"slices"
	"strings"
)

// groupParts is what a tenant has for groups and for references.
type groupParts struct {
	groupSchema  schema
	groups       ordered // live
	groupBin     ordered
	byUniqueName map[string]*slot
	byNickname   map[string]*slot // Microsoft 365 groups
	refs         references
}

func newGroupParts() groupParts {
	return groupParts{groupSchema: newGroupSchema(), byUniqueName: map[string]*slot{}, byNickname: map[string]*slot{}, refs: newReferences()}
}

func (t *Tenant) liveOf(s *slot) *ordered {
	if s.group {
		return &t.groups
	}
	return &t.live
}

func (t *Tenant) binOf(s *slot) *ordered {
	if s.group {
		return &t.groupBin
	}
	return &t.bin
}

// indexGroup and unindexGroup are index and unindex for a group.
func (t *Tenant) indexGroup(s *slot, r record) {
	if u := r.str("uniqueName"); u != "" {
		t.byUniqueName[u] = s
	}
	if r.unified() {
		t.byNickname[strings.ToLower(r.str("mailNickname"))] = s
	}
	for _, p := range r.strs("proxyAddresses") {
		t.byProxy[t.proxyKey(p)] = s
	}
}

func (t *Tenant) unindexGroup(s *slot, r record) {
	if u := r.str("uniqueName"); t.byUniqueName[u] == s {
		delete(t.byUniqueName, u)
	}
	if k := strings.ToLower(r.str("mailNickname")); t.byNickname[k] == s {
		delete(t.byNickname, k)
	}
	for _, p := range r.strs("proxyAddresses") {
		if k := t.proxyKey(p); t.byProxy[k] == s {
			delete(t.byProxy, k)
		}
	}
}

// uniqueGroup is unique for a group. The caller holds mu.
func (t *Tenant) uniqueGroup(s *slot, r record) *apiError {
	if o := t.byUniqueName[r.str("uniqueName")]; o != nil && o != s {
		return t.conflict("uniqueName", o)
	}
	if o := t.byNickname[strings.ToLower(r.str("mailNickname"))]; r.unified() && o != nil && o != s {
		return t.conflict("mailNickname", o)
	}
	for _, p := range r.strs("proxyAddresses") { // unique among users, groups and contacts
		if o := t.byProxy[t.proxyKey(p)]; o != nil && o != s {
			return t.conflict("proxyAddresses", o)
		}
	}
	return nil
}

// findGroup returns the group, live or deleted, with an object id. The caller
// holds mu.
func (t *Tenant) findGroup(id string) *slot {
	if s := t.slots[strings.ToLower(id)]; s != nil && s.group {
		return s
	}
	return nil
}

// The permissions of groups, least first.
var (
	readGroups   = []string{"GroupMember.Read.All", "GroupMember.ReadWrite.All", "Group.Read.All", "Group.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"}
	createGroups = []string{"Group.Create", "Group.ReadWrite.All", "Directory.ReadWrite.All"}
	updateGroups = []string{"Group.ReadWrite.All", "Directory.ReadWrite.All"}
	deleteGroups = []string{"Group.ReadWrite.All"}
	writeMembers = []string{"GroupMember.ReadWrite.All", "Group.ReadWrite.All", "Directory.ReadWrite.All"}
	writeManager = []string{"User.ReadWrite.All", "Directory.ReadWrite.All"}
)

// byUniqueName is the path segment of the alternate key of groups.
const byUniqueName = "groups(uniqueName='{name}')"

func isUniqueName(segment string) bool {
	const prefix, suffix = "groups(uniqueName='", "')"
	if len(segment) <= len(prefix+suffix) || !strings.EqualFold(segment[:len(prefix)], prefix) || !strings.HasSuffix(segment, suffix) {
		return false
	}
	name := segment[len(prefix) : len(segment)-len(suffix)]
	return !strings.Contains(strings.ReplaceAll(name, "''", ""), "'") // quotes are doubled
}

// uniqueName is the name in a segment.
func uniqueName(segment string) string {
	return strings.ReplaceAll(segment[len("groups(uniqueName='"):len(segment)-len("')")], "''", "'")
}

func groupRoutes() []route {
	const get, post, patch, put, del = http.MethodGet, http.MethodPost, http.MethodPatch, http.MethodPut, http.MethodDelete
	routes := []route{
		{method: get, pattern: "/groups", handle: (*Tenant).listGroups, units: 1, grants: readGroups},
		{method: post, pattern: "/groups", handle: (*Tenant).createGroup, units: 1, grants: createGroups},
		{method: get, pattern: "/groups/delta", handle: (*Tenant).deltaGroups, units: 1, grants: readGroups},
		{method: get, pattern: "/groups/delta()", handle: (*Tenant).deltaGroups, units: 1, grants: readGroups},
		{method: get, pattern: "/groups/{id}", id: 1, handle: (*Tenant).getGroup, units: 1, grants: readGroups},
		{method: patch, pattern: "/groups/{id}", id: 1, handle: (*Tenant).updateGroup, units: 1, grants: writeMembers},
		{method: del, pattern: "/groups/{id}", id: 1, handle: (*Tenant).deleteGroup, units: 1, grants: deleteGroups},
		{method: get, pattern: "/" + byUniqueName, handle: (*Tenant).getGroup, units: 1, grants: readGroups},
		{method: patch, pattern: "/" + byUniqueName, handle: (*Tenant).upsertGroup, units: 1, grants: createGroups},
		{method: get, pattern: "/directory/deletedItems/microsoft.graph.group", handle: (*Tenant).listDeletedGroups, units: 1, grants: readGroups},
		{method: get, pattern: "/directory/deletedItems/graph.group", handle: (*Tenant).listDeletedGroups, units: 1, grants: readGroups},
		{method: get, pattern: "/users/{id}/manager", id: 1, handle: (*Tenant).getManager, units: 1, grants: readUsers},
		{method: put, pattern: "/users/{id}/manager/$ref", id: 1, handle: (*Tenant).putManager, units: 1, grants: writeManager},
		{method: del, pattern: "/users/{id}/manager/$ref", id: 1, handle: (*Tenant).deleteManager, units: 1, grants: writeManager},
	}
	for _, attribute := range []string{refMembers, refOwners} {
		routes = append(routes,
			route{method: get, pattern: "/groups/{id}/" + attribute, id: 1, handle: (*Tenant).listReferences, units: 3, grants: readGroups},
			route{method: post, pattern: "/groups/{id}/" + attribute + "/$ref", id: 1, handle: (*Tenant).addReference, units: 1, grants: writeMembers},
			route{method: del, pattern: "/groups/{id}/" + attribute + "/{id}/$ref", id: 1, handle: (*Tenant).deleteReference, units: 1, grants: writeMembers})
	}
	// What looks like an id comes last.
	slices.SortStableFunc(routes, func(a, b route) int { return strings.Count(a.pattern, "{id}") - strings.Count(b.pattern, "{id}") })
	return routes
}

// writes is what a call costs in writes.
func (c *call) writes(t *Tenant) float64 {
	if !t.opts.Switches.BindsCostThirds || !strings.HasPrefix(c.op.Kind, "PATCH /groups") {
		return 1
	}
	body, err := decodeObject(c.body)
	if err != nil {
		return 1
	}
	bound, _ := body[refMembers+bindSuffix].([]any)
	return float64(max(1, (len(bound)+2)/3))
}

// collides reports whether a part of a batch writes to the group that an earlier
// one writes to, without waiting for it.
func collides(parts []batchPart, i int) bool {
	group := groupOf(parts[i])
	if group == "" {
		return false
	}
	after := map[string]bool{} // all that part i comes after
	for todo := slices.Clone(parts[i].DependsOn); len(todo) > 0; todo = todo[1:] {
		if after[todo[0]] {
			continue
		}
		after[todo[0]] = true
		for _, p := range parts {
			if p.ID == todo[0] {
				todo = append(todo, p.DependsOn...)
			}
		}
	}
	return slices.ContainsFunc(parts[:i], func(p batchPart) bool { return groupOf(p) == group && !after[p.ID] })
}

func groupOf(p batchPart) string {
	segments := strings.Split(strings.Trim(p.URL, "/"), "/")
	if p.Method == http.MethodGet || len(segments) < 2 || segments[0] != "groups" {
		return ""
	}
	return segments[1]
}
