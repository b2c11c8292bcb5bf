package graphtarget

import (
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/microsoftgraph/msgraph-sdk-go/models"

	"github.com/dirbridge/dirbridge/target"
)

// anchorProperty carries the source anchor. It isn't part of the vocabulary:
// a create writes it from the change's Anchor, and an update may name it for an
// account that was adopted and has none.
const anchorProperty = "onPremisesImmutableId"

// extensionsProperty is the complex property that extensionAttribute1 to 15
// are members of. In the vocabulary they are flat.
const extensionsProperty = "onPremisesExtensionAttributes"

// A property is one attribute of the vocabulary: what it is called, how its
// values look in JSON, and how a write puts them into the SDK's model.
//
// Reading doesn't go through the models: for a page of 999 users they take about
// twice the time of this table and three times its memory (40 MB, see
// BenchmarkPage and BenchmarkPageByModels).
type property struct {
	name    string
	in      string // the complex property that it is a member of, or ""
	set     func(models.Userable, []string) error
	read    func(any) []string // a decoded JSON value to values
	cleared any                // what a PATCH sends for no value: null or []
}

// properties is the vocabulary. The order is of no importance; $select, the
// bodies of writes and the decoding of replies all come from this table.
//
//nolint:gochecknoglobals // a constant table; Go has no constant of this kind
var properties = []property{
	text("userPrincipalName", models.Userable.SetUserPrincipalName),
	text("displayName", models.Userable.SetDisplayName),
	text("mailNickname", models.Userable.SetMailNickname),
	flag("accountEnabled", models.Userable.SetAccountEnabled),
	text("givenName", models.Userable.SetGivenName),
	text("surname", models.Userable.SetSurname),
	text("jobTitle", models.Userable.SetJobTitle),
	text("department", models.Userable.SetDepartment),
	text("companyName", models.Userable.SetCompanyName),
	text("officeLocation", models.Userable.SetOfficeLocation),
	text("streetAddress", models.Userable.SetStreetAddress),
	text("city", models.Userable.SetCity),
	text("state", models.Userable.SetState),
	text("postalCode", models.Userable.SetPostalCode),
	text("country", models.Userable.SetCountry),
	list("businessPhones", models.Userable.SetBusinessPhones),
	text("mobilePhone", models.Userable.SetMobilePhone),
	text("faxNumber", models.Userable.SetFaxNumber),
	text("mail", models.Userable.SetMail),
	list("otherMails", models.Userable.SetOtherMails),
	text("employeeId", models.Userable.SetEmployeeId),
	text("employeeType", models.Userable.SetEmployeeType),
	text("preferredLanguage", models.Userable.SetPreferredLanguage),
	text("usageLocation", models.Userable.SetUsageLocation),
	extension("extensionAttribute1", extensions.SetExtensionAttribute1),
	extension("extensionAttribute2", extensions.SetExtensionAttribute2),
	extension("extensionAttribute3", extensions.SetExtensionAttribute3),
	extension("extensionAttribute4", extensions.SetExtensionAttribute4),
	extension("extensionAttribute5", extensions.SetExtensionAttribute5),
	extension("extensionAttribute6", extensions.SetExtensionAttribute6),
	extension("extensionAttribute7", extensions.SetExtensionAttribute7),
	extension("extensionAttribute8", extensions.SetExtensionAttribute8),
	extension("extensionAttribute9", extensions.SetExtensionAttribute9),
	extension("extensionAttribute10", extensions.SetExtensionAttribute10),
	extension("extensionAttribute11", extensions.SetExtensionAttribute11),
	extension("extensionAttribute12", extensions.SetExtensionAttribute12),
	extension("extensionAttribute13", extensions.SetExtensionAttribute13),
	extension("extensionAttribute14", extensions.SetExtensionAttribute14),
	extension("extensionAttribute15", extensions.SetExtensionAttribute15),
}

// extensions is shorthand for the SDK's name.
type extensions = models.OnPremisesExtensionAttributesable

// Vocabulary returns the attribute names that this target reads and writes, in
// ascending order. A change that sets any other is refused with
// [target.ErrInvalid].
func Vocabulary() []string {
	names := make([]string, len(properties))
	for i, p := range properties {
		names[i] = p.name
	}
	slices.Sort(names)
	return names
}

// propertyOf finds an attribute of the vocabulary.
func propertyOf(name string) (property, bool) {
	i := slices.IndexFunc(properties, func(p property) bool { return p.name == name })
	if i < 0 {
		return property{}, false
	}
	return properties[i], true
}

// selected is what a read asks for: the vocabulary, and what an Object has
// besides attributes.
func selected() []string {
	names := []string{"id", anchorProperty, "onPremisesSyncEnabled", "createdDateTime"}
	for _, p := range properties {
		name := p.name
		if p.in != "" {
			name = p.in
		}
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

func text(name string, set func(models.Userable, *string)) property {
	return property{
		name: name,
		read: readText,
		set: func(u models.Userable, values []string) error {
			v, err := single(name, values)
			if err != nil {
				return err
			}
			set(u, &v)
			return nil
		},
	}
}

func flag(name string, set func(models.Userable, *bool)) property {
	return property{
		name: name,
		read: func(v any) []string {
			if b, ok := v.(bool); ok {
				return []string{strconv.FormatBool(b)}
			}
			return nil
		},
		set: func(u models.Userable, values []string) error {
			v, err := single(name, values)
			if err != nil {
				return err
			}
			if v != "true" && v != "false" {
				return invalid(name, `is neither "true" nor "false"`)
			}
			b := v == "true"
			set(u, &b)
			return nil
		},
	}
}

func list(name string, set func(models.Userable, []string)) property {
	return property{
		name: name,
		read: readList,
		set: func(u models.Userable, values []string) error {
			set(u, values)
			return nil
		},
		cleared: []string{},
	}
}

func extension(name string, set func(extensions, *string)) property {
	return property{
		name: name,
		in:   extensionsProperty,
		read: readText,
		set: func(u models.Userable, values []string) error {
			v, err := single(name, values)
			if err != nil {
				return err
			}
			set(extensionsOf(u), &v)
			return nil
		},
	}
}

// extensionsOf returns u's complex property, which it adds if it isn't there.
func extensionsOf(u models.Userable) extensions {
	e := u.GetOnPremisesExtensionAttributes()
	if e == nil {
		e = models.NewOnPremisesExtensionAttributes()
		u.SetOnPremisesExtensionAttributes(e)
	}
	return e
}

// readText reads a property of one text. Graph keeps no empty texts; one that
// comes all the same is no value.
func readText(v any) []string {
	if s, ok := v.(string); ok && s != "" {
		return []string{s}
	}
	return nil
}

func readList(v any) []string {
	items, _ := v.([]any)
	var values []string
	for _, item := range items {
		values = append(values, readText(item)...)
	}
	slices.Sort(values)
	return values
}

// single is the one value of a property that can't have more.
func single(name string, values []string) (string, error) {
	if len(values) != 1 {
		return "", invalid(name, fmt.Sprintf("takes one value, not %d", len(values)))
	}
	if values[0] == "" {
		return "", invalid(name, "is empty: to clear it, give no value")
	}
	return values[0], nil
}

// invalid is our own refusal of an attribute, before any request.
func invalid(name, why string) error {
	return &target.Error{Sentinel: target.ErrInvalid, Attribute: name, Err: errors.New(why)}
}
