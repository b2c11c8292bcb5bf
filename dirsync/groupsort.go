package dirsync

import (
	"context"
	"fmt"

	"github.com/dirbridge/dirbridge/dirsync/internal/ledger"
	"github.com/dirbridge/dirbridge/mapping"
	"github.com/dirbridge/dirbridge/source"
	"github.com/dirbridge/dirbridge/target"
)

// What the target never changes about a group: it stays what it was made as.
var groupSort = []string{target.AttrGroupTypes, "mailEnabled", "securityEnabled"}

const codeGroupSort = "group-type"

// sameSort leaves a group what it was made as, whatever the rules say by now. To
// make another one in its place would take everything from it that others have
// given it: that is for a person to decide.
func sameSort(e *ledger.Entry, res mapping.Result) mapping.Result {
	if e.Kind() != target.Group || e.Link == nil || res.Skip != nil || res.Undecided || len(res.Attributes) == 0 {
		return res
	}
	is, wanted := e.Applied.Microsoft365(), res.Attributes.Microsoft365()
	if is == wanted {
		return res
	}
	for _, attr := range groupSort {
		delete(res.Attributes, attr)
	}
	word := map[bool]string{true: "a Microsoft 365 group", false: "a security group"}
	res.Problems = append(res.Problems, mapping.Problem{
		Code: codeGroupSort, Attribute: target.AttrGroupTypes,
		Message: fmt.Sprintf("by the rules it is %s, at the target it is %s, and a group can't be changed into another sort; the rest of it is synchronized", word[wanted], word[is]),
		Remedy:  "change the rule back; or take the group out of the scope, delete it at the target, and bring it back: a new one is made then, without what was given to the old one",
	})
	return res
}

// A sort says what sort of group an object is.
type sort byte

const (
	noGroup sort = iota
	securityGroup
	unifiedGroup
)

// sortOf is the sort of group that e is at the target, or is to be.
func (r *run) sortOf(e *ledger.Entry) sort {
	switch {
	case e == nil || e.Kind() != target.Group:
		return noGroup
	case e.Link != nil && e.Applied.Microsoft365(), e.Link == nil && r.mapped(e).Attributes.Microsoft365():
		return unifiedGroup
	}
	return securityGroup
}

// flat reports whether the group e can't have k as a member, since both are groups
// and one is a Microsoft 365 group: these don't nest. Such a member is dropped and
// counted. Its own members aren't taken in its place: then each change of a group
// would be one of all the groups above it.
func (r *run) flat(ctx context.Context, e *ledger.Entry, k ledger.RefKey) (bool, error) {
	if k.Attribute != target.RefMembers {
		return false, nil
	}
	to, known := r.refs.sorts[k.To]
	if !known {
		member, err := r.l.Entry(ctx, k.To)
		if err != nil {
			return false, err
		}
		to = r.sortOf(member)
		if r.refs.sorts == nil || len(r.refs.sorts) >= mostOut {
			r.refs.sorts = map[source.ID]sort{}
		}
		r.refs.sorts[k.To] = to
	}
	return to == unifiedGroup || to == securityGroup && r.sortOf(e) == unifiedGroup, nil
}
