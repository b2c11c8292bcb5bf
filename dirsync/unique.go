package dirsync

import (
	"slices"

	"github.com/dirbridge/dirbridge/dirsync/internal/ledger"
	"github.com/dirbridge/dirbridge/mapping"
	"github.com/dirbridge/dirbridge/target"
)

// uniques are the attributes of which no two objects at the target may have the
// same value: names of people, addresses whosever they are, and the nicknames of
// Microsoft 365 groups. Anchors are apart: who has one keeps it.
//
// The nicknames of people and of security groups aren't among them, since the
// target takes any number of the same.
var uniques = []string{target.AttrUserPrincipalName, target.AttrMail, target.AttrMailNickname}

// isUnique reports whether attr of an object of this kind is, or may be, unique.
func isUnique(kind target.Kind, attr string) bool {
	return slices.Contains(uniques, attr) && (attr != target.AttrMailNickname || kind == target.Group)
}

// uniqueValue is the value of attr that an object with these attributes keeps from
// others, "" if it keeps none.
func uniqueValue(kind target.Kind, a target.Attributes, attr string) string {
	if !uniqueIn(kind, a, attr) {
		return ""
	}
	return a.First(attr)
}

// uniqueIn reports whether attr must be unique in an object with these attributes.
func uniqueIn(kind target.Kind, a target.Attributes, attr string) bool {
	return isUnique(kind, attr) && (attr != target.AttrMailNickname || a.Microsoft365())
}

// nameAttr is the attribute by which objects of a kind are named: one that they
// can't be without, so that who loses the value gets a placeholder.
func nameAttr(kind target.Kind) string {
	if kind == target.Group {
		return target.AttrMailNickname
	}
	return target.AttrUserPrincipalName
}

// nameOf is the unique name among these attributes.
func nameOf(kind target.Kind, a target.Attributes) string {
	return uniqueValue(kind, a, nameAttr(kind))
}

// wantedName is the unique name that the rules want for e; named says whether they
// say anything of it. What sort of group there is at the target stays.
func wantedName(e *ledger.Entry, res mapping.Result) (name string, named bool) {
	attr := nameAttr(e.Kind())
	v, named := res.Attributes[attr]
	of := res.Attributes
	if e.Link != nil {
		of = e.Applied
	}
	if e.Kind() == target.Group && !of.Microsoft365() {
		return "", true
	}
	return first(v), named
}

// whoHas are the objects at the target that have what key says, of any kind where
// it is an address. What can't be read counts as nobody.
func (r *run) whoHas(kind target.Kind, key target.Key) (all []target.Object) {
	kinds := []target.Kind{kind}
	if key.Mail != "" {
		kinds = target.Kinds(r.tgt)
	}
	for _, kind := range kinds {
		if key == (target.Key{}) {
			return nil
		}
		if found, err := target.Find(r.wire, r.tgt, kind, []target.Key{key}); err == nil {
			all = append(all, found[0]...)
		}
	}
	return all
}
