package graphtarget

import (
	"encoding/json"
	"errors"
	"slices"
	"strconv"

	"github.com/dirbridge/dirbridge/target"
)

// uniqueNameProperty carries the anchor of a group. It is Graph's alternate key
// of groups, set by the upsert that makes one and never again.
const uniqueNameProperty = "uniqueName"

// The properties of groups that this package itself knows by name.
const (
	propMailEnabled     = "mailEnabled"
	propSecurityEnabled = "securityEnabled"
	propGroupTypes      = "groupTypes"
	unifiedType         = "Unified"
	dynamicType         = "DynamicMembership"
)

// A groupProperty is one attribute of a group's vocabulary.
type groupProperty struct {
	name     string
	flag     bool // else text
	list     bool
	readOnly bool
}

//nolint:gochecknoglobals // a constant table; Go has no constant of this kind
var groupProperties = []groupProperty{
	{name: "displayName"},
	{name: "description"},
	{name: target.AttrMail, readOnly: true},
	{name: "mailNickname"},
	{name: propMailEnabled, flag: true},
	{name: propSecurityEnabled, flag: true},
	{name: propGroupTypes, list: true},
	{name: "visibility"},
}

// GroupVocabulary returns the attribute names of groups that this target reads,
// in ascending order. It writes all but mail, which Exchange gives.
func GroupVocabulary() []string {
	names := make([]string, len(groupProperties))
	for i, p := range groupProperties {
		names[i] = p.name
	}
	slices.Sort(names)
	return names
}

// selectedOfGroups is what a read of groups asks for.
func selectedOfGroups() []string {
	names := []string{"id", uniqueNameProperty, "onPremisesSyncEnabled", "isAssignableToRole", "createdDateTime"}
	for _, p := range groupProperties {
		names = append(names, p.name)
	}
	return names
}

// decodeGroup makes an Object of a group as JSON holds it; see decodeUser.
//
// What Graph doesn't let us write is Foreign: what is synchronized by Microsoft's
// own tools, and what belongs to Exchange (distribution lists, mail-enabled
// security groups), and groups whose members the tenant finds by a rule. So are
// groups that directory roles can be assigned to: who
// is in one of them is for a person to decide, however much we were allowed.
func decodeGroup(g map[string]any) (o target.Object, ok bool) {
	id, _ := g["id"].(string)
	if id == "" {
		return target.Object{}, false
	}
	o = target.Object{ID: target.ID(id), Kind: target.Group, Attributes: make(target.Attributes, len(groupProperties))}
	o.Anchor, _ = g[uniqueNameProperty].(string)
	o.Created = readTime(g["createdDateTime"])
	o.Deleted = !readTime(g["deletedDateTime"]).IsZero()
	for _, p := range groupProperties {
		var v []string
		switch {
		case p.list:
			v = readList(g[p.name])
		case p.flag:
			if b, ok := g[p.name].(bool); ok {
				v = []string{strconv.FormatBool(b)}
			}
		default:
			v = readText(g[p.name])
		}
		if len(v) > 0 {
			o.Attributes[p.name] = v
		}
	}
	synced, _ := g["onPremisesSyncEnabled"].(bool)
	roles, _ := g["isAssignableToRole"].(bool)
	mail, _ := g[propMailEnabled].(bool)
	switch {
	case synced:
	case roles:
		o.ForeignWhy = "directory roles can be assigned to it"
	case mail && !o.Attributes.Microsoft365():
		o.ForeignWhy = "it is Exchange's: a distribution list, or a mail-enabled security group"
	case slices.Contains(o.Attributes[propGroupTypes], dynamicType):
		o.ForeignWhy = "its members follow a rule of the tenant (dynamic membership)"
	}
	o.Foreign = synced || o.ForeignWhy != ""
	return o, true
}

// newGroup is the body of a create. A Microsoft 365 group is one whose
// groupTypes has Unified; what Set doesn't say about mailEnabled and
// securityEnabled is as usual for the type.
func newGroup(set target.Attributes) ([]byte, error) {
	unified := slices.Contains(set[propGroupTypes], unifiedType)
	body := map[string]any{propMailEnabled: unified, propSecurityEnabled: !unified}
	for _, name := range set.Names() {
		if len(set[name]) == 0 {
			continue // there is nothing to clear yet
		}
		v, err := groupValue(name, set[name])
		if err != nil {
			return nil, err
		}
		body[name] = v
	}
	switch {
	case !unified && body[propMailEnabled] == true:
		return nil, invalid(propMailEnabled, "is for Microsoft 365 groups: Exchange alone makes other groups with mail")
	case !unified && body[propSecurityEnabled] == false:
		return nil, invalid(propSecurityEnabled, "is off: Graph makes no groups but security groups and Microsoft 365 groups")
	case unified && body[propMailEnabled] == false:
		return nil, invalid(propMailEnabled, "is off: a Microsoft 365 group has mail")
	}
	return json.Marshal(body)
}

// changedGroup is the body of an update: what set names, and nothing else; what
// has no values is cleared.
func changedGroup(set target.Attributes) ([]byte, error) {
	body := map[string]any{}
	for _, name := range set.Names() {
		v, err := groupValue(name, set[name])
		if err != nil {
			return nil, err
		}
		body[name] = v
	}
	return json.Marshal(body)
}

// groupValue is what goes into a body for an attribute: nil clears it.
func groupValue(name string, values []string) (any, error) {
	i := slices.IndexFunc(groupProperties, func(p groupProperty) bool { return p.name == name })
	switch {
	case i < 0:
		return nil, unknownAttribute(name)
	case groupProperties[i].readOnly:
		return nil, &target.Error{Sentinel: target.ErrReadOnly, Attribute: name, Err: errors.New("is given by Exchange")}
	case groupProperties[i].list:
		return append([]string{}, values...), nil
	case len(values) == 0:
		return nil, nil
	}
	v, err := single(name, values)
	if err != nil {
		return nil, err
	}
	if !groupProperties[i].flag {
		return v, nil
	}
	if v != "true" && v != "false" {
		return nil, invalid(name, `is neither "true" nor "false"`)
	}
	return v == "true", nil
}
