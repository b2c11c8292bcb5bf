package graphsim

import (
	"net/http"
	"slices"
	"strings"
)

// A route is one endpoint with one method.
type route struct {
	method  string
	pattern string
	id      int // index of the segment that names the object, 0 for none
	handle  func(*Tenant, *call) reply
	units   int      // resource units before discounts
	grants  []string // any of these application permissions will do, least first
	batch   bool
}

// The permissions of §12 of the facts and of the contract, least first.
var (
	readUsers     = []string{"User.Read.All", "User.ReadUpdate.All", "User.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"}
	createUsers   = []string{"User.Create", "User.ReadWrite.All", "Directory.ReadWrite.All"}
	updateUsers   = []string{"User.ReadUpdate.All", "User.ReadWrite.All", "Directory.ReadWrite.All"}
	deleteUsers   = []string{"User.DeleteRestore.All", "User.ReadWrite.All"}
	readDeleted   = []string{"User.Read.All", "User.DeleteRestore.All", "User.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"}
	readDomains   = []string{"Domain.Read.All", "Domain.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"}
	readTheTenant = []string{"Organization.Read.All", "Organization.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"}
)

func routes() []route { return slices.Concat(groupRoutes(), userRoutes()) }

func userRoutes() []route {
	const get, post, patch, del = http.MethodGet, http.MethodPost, http.MethodPatch, http.MethodDelete
	return []route{
		{method: post, pattern: "/$batch", batch: true},
		{method: get, pattern: "/users", handle: (*Tenant).listUsers, units: 2, grants: readUsers},
		{method: post, pattern: "/users", handle: (*Tenant).createUser, units: 1, grants: createUsers},
		{method: get, pattern: "/users/delta", handle: (*Tenant).deltaUsers, units: 2, grants: readUsers},
		{method: get, pattern: "/users/delta()", handle: (*Tenant).deltaUsers, units: 2, grants: readUsers},
		{method: get, pattern: "/users/$count", handle: (*Tenant).countUsers, units: 2, grants: readUsers},
		{method: get, pattern: "/users/{id}", id: 1, handle: (*Tenant).getUser, units: 1, grants: readUsers},
		{method: patch, pattern: "/users/{id}", id: 1, handle: (*Tenant).updateUser, units: 1, grants: updateUsers},
		{method: del, pattern: "/users/{id}", id: 1, handle: (*Tenant).deleteUser, units: 1, grants: deleteUsers},
		{method: get, pattern: "/domains", handle: (*Tenant).listDomains, units: 1, grants: readDomains},
		{method: get, pattern: "/domains/{id}", id: 1, handle: (*Tenant).getDomain, units: 1, grants: readDomains},
		{method: get, pattern: "/organization", handle: (*Tenant).listOrganization, units: 1, grants: readTheTenant},
		{method: get, pattern: "/organization/{id}", id: 1, handle: (*Tenant).getOrganization, units: 1, grants: readTheTenant},
		{method: get, pattern: "/roleManagement/directory/roleAssignments", handle: (*Tenant).listRoleAssignments, units: 1, grants: readRoles},
		{method: get, pattern: "/roleManagement/directory/roleEligibilitySchedules", handle: (*Tenant).listEligibility, units: 1, grants: readElig},
		{method: get, pattern: "/identityGovernance/privilegedAccess/group/eligibilitySchedules", handle: (*Tenant).listGroupEligibility, units: 1, grants: readGroupElig},
		{method: get, pattern: "/groups/{id}/transitiveMembers", id: 1, handle: (*Tenant).listTransitiveMembers, units: 5, grants: readGroups},
		{method: get, pattern: "/directory/administrativeUnits", handle: (*Tenant).listUnits, units: 1, grants: readUnits},
		{method: get, pattern: "/directory/administrativeUnits/{id}/members", id: 2, handle: (*Tenant).listUnitMembers, units: 1, grants: readUnits},
		{method: get, pattern: "/directory/deletedItems/microsoft.graph.user", handle: (*Tenant).listDeleted, units: 1, grants: readDeleted},
		{method: get, pattern: "/directory/deletedItems/graph.user", handle: (*Tenant).listDeleted, units: 1, grants: readDeleted},
		{method: get, pattern: "/directory/deletedItems/{id}", id: 2, handle: (*Tenant).getDeleted, units: 1, grants: slices.Concat(readDeleted, readGroups)},
		{method: del, pattern: "/directory/deletedItems/{id}", id: 2, handle: (*Tenant).purgeUser, units: 1, grants: slices.Concat(deleteUsers, deleteGroups)},
		{method: post, pattern: "/directory/deletedItems/{id}/restore", id: 2, handle: (*Tenant).restoreUser, units: 1, grants: slices.Concat(deleteUsers, deleteGroups)},
	}
}

// A routeTable finds routes by method and path.
type routeTable []struct {
	route
	parts []string
}

var table = func() (t routeTable) {
	for _, r := range routes() {
		t = append(t, struct {
			route
			parts []string
		}{r, strings.Split(r.pattern[1:], "/")})
	}
	return t
}()

// findRoute returns the route of the first pattern that fits, or nil.
func findRoute(method string, segments []string) *route {
	for i := range table {
		if r := &table[i]; r.method == method && fits(r.parts, segments) {
			return &r.route
		}
	}
	return nil
}

func fits(parts, segments []string) bool {
	if len(parts) != len(segments) {
		return false
	}
	for i, p := range parts {
		if p == "{id}" && segments[i] != "" {
			continue
		}
		if p == byUniqueName && isUniqueName(segments[i]) {
			continue
		}
		if !strings.EqualFold(p, segments[i]) {
			return false
		}
	}
	return true
}

// noRoute is the answer to what the simulator doesn't offer.
func (c *call) noRoute() *apiError {
	for i := range table {
		if fits(table[i].parts, c.segments) {
			return statusError(405)
		}
	}
	last := c.segments[len(c.segments)-1]
	if len(c.segments) == 2 && strings.EqualFold(c.segments[1], "deletedItems") {
		return &apiError{status: 400, code: codeBadRequest, message: "The request requires a type cast, as in /directory/deletedItems/microsoft.graph.user."}
	}
	return &apiError{status: 404, code: "BadRequest", message: "Resource not found for the segment '" + last + "'."}
}
