package graphsim

import (
	"slices"
	"strings"
)

// groupProperties are the properties of microsoft.graph.group that can be
// selected here, in the order of replies.
var groupProperties = []property{
	{name: "id", readOnly: true, filter: true},
	{name: "deletedDateTime", kind: kindDate, readOnly: true},
	{name: "classification"},
	{name: "createdDateTime", kind: kindDate, readOnly: true},
	{name: "description", max: 1024},
	{name: "displayName", max: 256, required: true, filter: true},
	{name: "expirationDateTime", kind: kindDate, readOnly: true},
	{name: "groupTypes", kind: kindStrings, filter: true},
	{name: "isAssignableToRole", kind: kindBool, filter: true},
	{name: "mail", readOnly: true, filter: true},
	{name: "mailEnabled", kind: kindBool, required: true, filter: true},
	{name: "mailNickname", max: 64, required: true, filter: true},
	{name: "membershipRule"},
	{name: "membershipRuleProcessingState"},
	{name: "onPremisesDomainName", readOnly: true},
	{name: "onPremisesLastSyncDateTime", kind: kindDate, readOnly: true},
	{name: "onPremisesNetBiosName", readOnly: true},
	{name: "onPremisesSamAccountName", readOnly: true},
	{name: "onPremisesSecurityIdentifier", readOnly: true},
	{name: "onPremisesSyncEnabled", kind: kindBool, readOnly: true, filter: true},
	{name: "preferredDataLocation"},
	{name: "preferredLanguage"},
	{name: "proxyAddresses", kind: kindStrings, readOnly: true},
	{name: "renewedDateTime", kind: kindDate, readOnly: true},
	{name: "resourceBehaviorOptions", kind: kindStrings},
	{name: "resourceProvisioningOptions", kind: kindStrings},
	{name: "securityEnabled", kind: kindBool, required: true, filter: true},
	{name: "securityIdentifier", readOnly: true},
	{name: "theme"},
	{name: "uniqueName", readOnly: true, filter: true},
	{name: "visibility"},
}

// defaultGroup is what a reply holds of a group without $select.
var defaultGroup = func() (names []string) {
	for _, p := range groupProperties {
		names = append(names, p.name)
	}
	return names
}()

func newGroupSchema() schema {
	s := make(schema)
	for i := range groupProperties {
		s[groupProperties[i].name] = &groupProperties[i]
	}
	return s
}

func (t *Tenant) schemaOf(s *slot) schema {
	if s.group {
		return t.groupSchema
	}
	return t.schema
}

// schemaOfList is that of the objects that a call lists.
func (t *Tenant) schemaOfList(c *call) schema {
	if last := strings.ToLower(c.segments[len(c.segments)-1]); c.segments[0] == "groups" || strings.HasSuffix(last, "graph.group") {
		return t.groupSchema
	}
	return t.schema
}

// selectGroup reads the $select of a group or of groups.
func (t *Tenant) selectGroup(c *call) ([]string, *apiError) {
	return c.parseSelect(func(name string) (string, bool) { return name, t.groupSchema.readable(name) }, "microsoft.graph.group", defaultGroup)
}

func (s *slot) odataType() string {
	if s.group {
		return "#microsoft.graph.group"
	}
	return "#microsoft.graph.user"
}

// unified reports whether r is a Microsoft 365 group.
func (r record) unified() bool { return slices.Contains(r.strs("groupTypes"), "Unified") }

// exchange reports whether r is a distribution list or a mail-enabled security
// group, which Graph reads and doesn't write.
func (r record) exchange() bool { return r["mailEnabled"] == true && !r.unified() }

// validGroup checks a value of a group's property.
func (t *Tenant) validGroup(p *property, v any) bool {
	switch v := v.(type) {
	case nil:
		return !p.required
	case string:
		if v == "" || p.max > 0 && utf16Len(v) > p.max {
			return false
		}
		switch p.name {
		case "visibility":
			return slices.Contains([]string{"Private", "Public", "HiddenMembership"}, v)
		case "mailNickname":
			return validText(p.name, v)
		}
		return validText("", v)
	case []string:
		return p.name != "groupTypes" || !slices.ContainsFunc(v, func(s string) bool { return s != "Unified" && s != "DynamicMembership" })
	}
	return true
}
