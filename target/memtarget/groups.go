package memtarget

import (
	"slices"
	"strings"

	"github.com/dirbridge/dirbridge/target"
)

// The attributes that the rules of [target.Group] know by name.
const (
	attrGroupTypes      = "groupTypes" // with the value Unified: a Microsoft 365 group
	attrMailEnabled     = "mailEnabled"
	attrSecurityEnabled = "securityEnabled"
)

// Kinds returns groups and users. See [target.Kinder].
func (t *Target) Kinds() []target.Kind { return []target.Kind{target.Group, target.User} }

// unified reports whether o is a Microsoft 365 group.
func (o *object) unified() bool {
	for _, at := range o.attrs {
		if o.kind == target.Group && at.name == attrGroupTypes {
			return slices.Contains(at.values, "Unified")
		}
	}
	return false
}

// required are the attributes that a new object of the kind must have.
func required(kind target.Kind) []string {
	if kind == target.Group {
		return []string{attrDisplayName, attrMailNickname}
	}
	return []string{target.AttrAccountEnabled, attrDisplayName, attrMailNickname, target.AttrUserPrincipalName}
}

// checkGroup says why the tenant refuses to hold the group o after set was
// written.
func checkGroup(o *object, set target.Attributes) error {
	for _, name := range set.Names() {
		values := set[name]
		switch name {
		case target.AttrUserPrincipalName, target.AttrAccountEnabled:
			return refuse(target.ErrInvalid, name, "a group has none")
		case target.AttrMail:
			return refuse(target.ErrReadOnly, name, "a group's address isn't ours to write")
		case attrMailEnabled, attrSecurityEnabled:
			if len(values) != 1 || values[0] != "true" && values[0] != "false" {
				return refuse(target.ErrInvalid, name, "neither true nor false")
			}
		case attrMailNickname:
			if strings.ContainsAny(strings.Join(values, ""), "@()\\[]\";:<>, ") {
				return refuse(target.ErrInvalid, name, "it has a character that it must not have")
			}
		}
	}
	if o.first(attrMailEnabled) == "true" && !o.unified() {
		return refuse(target.ErrInvalid, attrMailEnabled, "only Microsoft 365 groups have mail")
	}
	return nil
}
