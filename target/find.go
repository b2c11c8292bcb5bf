package target

import (
	"context"
	"slices"
	"strings"
)

// A Key is something by which objects are looked up. Exactly one field is set.
type Key struct {
	ID                ID
	Anchor            string
	UserPrincipalName string
	Mail              string
}

// matches reports whether o is what k asks for. Names compare without case.
func (k Key) matches(o Object) bool {
	switch {
	case k.ID != "":
		return o.ID == k.ID
	case k.Anchor != "":
		return o.Anchor == k.Anchor
	case k.UserPrincipalName != "":
		return strings.EqualFold(o.Attributes.First(AttrUserPrincipalName), k.UserPrincipalName)
	case k.Mail != "":
		return strings.EqualFold(o.Attributes.First(AttrMail), k.Mail)
	}
	return false
}

// A Finder can look live objects up by a key.
type Finder interface {
	Target

	// Find returns for each key the live objects that match it, none if there
	// are none, in the order of keys. A target may lag behind its own writes:
	// nothing found isn't proof of absence.
	Find(ctx context.Context, kind Kind, keys []Key) ([][]Object, error)
}

// Find looks keys up in t. For a target that is no [Finder] it reads all
// objects once.
func Find(ctx context.Context, t Target, kind Kind, keys []Key) ([][]Object, error) {
	if len(keys) == 0 {
		return nil, nil
	}
	if f, ok := t.(Finder); ok {
		return f.Find(ctx, kind, keys)
	}
	out := make([][]Object, len(keys))
	for o, err := range t.Current(ctx) {
		if err != nil {
			return nil, err
		}
		for i, k := range keys {
			if o.Kind == kind && k.matches(o) {
				out[i] = append(slices.Clip(out[i]), o)
			}
		}
	}
	return out, nil
}
