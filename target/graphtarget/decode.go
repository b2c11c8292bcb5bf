package graphtarget

import (
	"time"

	"github.com/dirbridge/dirbridge/target"
)

// decodeUser makes an Object of a user as JSON holds it. ok is false if there
// is no id, so that it is nobody.
//
// What isn't there, is null or has a type that the property can't have is no
// value.
func decodeUser(u map[string]any) (o target.Object, ok bool) {
	id, _ := u["id"].(string)
	if id == "" {
		return target.Object{}, false
	}
	o = target.Object{ID: target.ID(id), Kind: target.User, Attributes: make(target.Attributes, len(properties))}
	o.Anchor, _ = u[anchorProperty].(string)
	o.Foreign, _ = u["onPremisesSyncEnabled"].(bool)
	o.Created = readTime(u["createdDateTime"])
	o.Deleted = !readTime(u["deletedDateTime"]).IsZero()
	for _, p := range properties {
		from := u
		if p.in != "" {
			from, _ = u[p.in].(map[string]any)
		}
		if v := p.read(from[p.name]); len(v) > 0 {
			o.Attributes[p.name] = v
		}
	}
	return o, true
}

func readTime(v any) time.Time {
	s, _ := v.(string)
	at, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return time.Time{}
	}
	return at
}
