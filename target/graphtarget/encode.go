package graphtarget

import (
	"github.com/microsoftgraph/msgraph-sdk-go/models"

	"github.com/dirbridge/dirbridge/target"
)

// newUser is the body of a create. Attributes without values aren't sent:
// there is nothing to clear yet.
func newUser(anchor string, set target.Attributes, p Password) (models.Userable, error) {
	u := models.NewUser()
	for _, name := range set.Names() {
		prop, ok := propertyOf(name)
		if !ok {
			return nil, unknownAttribute(name)
		}
		if values := set[name]; len(values) > 0 {
			if err := prop.set(u, values); err != nil {
				return nil, err
			}
		}
	}
	u.SetOnPremisesImmutableId(&anchor)

	secret, change := p.Reveal(), true
	profile := models.NewPasswordProfile()
	profile.SetPassword(&secret)
	profile.SetForceChangePasswordNextSignIn(&change)
	u.SetPasswordProfile(profile)
	return u, nil
}

// changedUser is the body of an update: what set names, and nothing else. It is
// made of the change and never of a user that was read: the SDK writes back
// either all of such a user or, with a backing store, nothing of what was set.
//
// What is cleared goes into the additional data, since a setter given nil
// leaves the property out of the body.
func changedUser(set target.Attributes) (models.Userable, error) {
	u := models.NewUser()
	cleared, clearedExtensions := map[string]any{}, map[string]any{}
	for _, name := range set.Names() {
		prop, ok := propertyOf(name)
		switch values := set[name]; {
		case name == anchorProperty: // of an account that was adopted
			anchor, err := single(name, values)
			if err != nil {
				return nil, err
			}
			u.SetOnPremisesImmutableId(&anchor)
		case !ok:
			return nil, unknownAttribute(name)
		case len(values) > 0:
			if err := prop.set(u, values); err != nil {
				return nil, err
			}
		case prop.in == extensionsProperty:
			clearedExtensions[name] = prop.cleared
		default:
			cleared[name] = prop.cleared
		}
	}
	if len(cleared) > 0 {
		u.SetAdditionalData(cleared)
	}
	if len(clearedExtensions) > 0 {
		extensionsOf(u).SetAdditionalData(clearedExtensions)
	}
	return u, nil
}

func unknownAttribute(name string) error {
	return invalid(name, "isn't an attribute that this target writes")
}
