package graphsim

import (
	"strconv"
	"strings"
)

// parseSelect reads $select; without it, def.
func (c *call) parseSelect(known func(string) (string, bool), typ string, def []string) ([]string, *apiError) {
	raw, ok := c.query["$select"]
	if !ok {
		return def, nil
	}
	var out []string
	for name := range strings.SplitSeq(strings.Join(raw, ","), ",") {
		name = strings.TrimSpace(name)
		canonical, ok := known(name)
		if !ok {
			return nil, &apiError{status: 400, code: codeBadRequest,
				message: "Parsing OData Select and Expand failed: Could not find a property named '" + name + "' on type '" + typ + "'."}
		}
		if canonical != "" {
			out = append(out, canonical)
		}
	}
	return out, nil
}

// selectUser reads the $select of a user or of users.
func (t *Tenant) selectUser(c *call) ([]string, *apiError) {
	def := defaultSelect
	if t.opts.Switches.SecurityIdentifierByDefault {
		def = append(append([]string(nil), def...), "securityIdentifier")
	}
	for name := range strings.SplitSeq(c.query.Get("$select"), ",") {
		if p := t.schema[name]; p != nil && p.service && !t.schema.readable(name) {
			return nil, &apiError{status: 501, code: "NotImplemented", message: "Reading " + name + " is not supported for this request."}
		}
	}
	return c.parseSelect(func(name string) (string, bool) {
		if name == "passwordProfile" {
			return "", true // can be asked for, never comes
		}
		return name, t.schema.readable(name)
	}, "microsoft.graph.user", def)
}

// advanced reports whether the caller asked for the advanced query engine.
func (c *call) advanced() bool {
	return strings.EqualFold(c.header.Get("ConsistencyLevel"), "eventual") && c.query.Get("$count") == "true"
}

// refuseUnsupported answers the query options that these endpoints don't take.
func (c *call) refuseUnsupported(allowed ...string) *apiError {
	for name := range c.query {
		if !strings.HasPrefix(name, "$") {
			continue
		}
		ok := false
		for _, a := range allowed {
			ok = ok || a == name
		}
		if !ok {
			if name == "$search" {
				return &apiError{status: 400, code: codeUnsupported, message: "Request with $search query parameter only works through MSGraph with a special request header: 'ConsistencyLevel: eventual'"}
			}
			return &apiError{status: 400, code: codeUnsupported, message: "The query specified in the URI is not valid: " + name + " is not supported here."}
		}
	}
	return nil
}

// top is the page size asked for.
func (t *Tenant) top(c *call) (int, *apiError) {
	raw := c.query.Get("$top")
	if raw == "" {
		return t.opts.PageSize, nil
	}
	n, err := strconv.Atoi(raw)
	if err != nil || n < 1 || n > 999 {
		return 0, badRequest("Invalid page size specified: '%s'. Must be between 1 and 999 inclusive.", raw)
	}
	return n, nil
}
