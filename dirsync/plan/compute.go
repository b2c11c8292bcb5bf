package plan

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/dirbridge/dirbridge/mapping"
	"github.com/dirbridge/dirbridge/source"
	"github.com/dirbridge/dirbridge/target"
)

// Compute decides about one object. It returns nil if nothing has to change.
// Equal inputs give equal results, and in stays as it was.
func Compute(in Input) (*Change, []Problem) {
	switch {
	case in.Presence == Missing:
		return missing(in)
	case in.Presence == Deleted:
		return deleted(in), nil
	case in.Presence == Present && in.Result.Undecided:
		return nil, in.undecided()
	case in.Presence == Left || in.Result.Skip != nil:
		return left(in), in.stays()
	default:
		return present(in)
	}
}

// missing: absence proves nothing, so nothing changes; an account that we own
// is reported.
func missing(in Input) (*Change, []Problem) {
	if in.Link == nil || !in.Link.Binned.IsZero() {
		return nil, nil
	}
	return nil, []Problem{in.problem(mapping.Problem{
		Code:    "missing-in-source",
		Message: "a complete read of the source didn't give this object, and neither the object nor its tombstone can be found; its account is kept",
		Remedy:  "check that the sync account may read the object; if it is really gone, remove the account by hand",
	})}
}

// undecided: the rules can't tell, so nothing changes.
func (in Input) undecided() []Problem {
	var ps []Problem
	for _, p := range in.Result.Problems {
		ps = append(ps, in.problem(p))
	}
	return ps
}

// deleted: the object's deletion was seen. An account that we own follows it.
func deleted(in Input) *Change {
	if in.Link == nil || !in.Link.Binned.IsZero() && !in.MayLive {
		return nil
	}
	return in.removal(target.Delete, "deleted in the source", nil)
}

// stays reports a group that left and is kept.
func (in Input) stays() []Problem {
	if in.Kind != target.Group || in.Link == nil || !in.Link.Binned.IsZero() || in.Leaving == DeleteOnLeave || in.Leaving == KeepOnLeave {
		return nil
	}
	return []Problem{in.problem(mapping.Problem{
		Code:    "group-kept",
		Message: "the group left the scope; it is kept at the target with the members that it has, and doesn't follow the source any more",
		Remedy:  "delete it by hand, or set that what leaves is deleted; if it was to stay, bring it back into the scope",
	})}
}

// left: the object exists but isn't to be synchronized (any more).
func left(in Input) *Change {
	if in.Link == nil || !in.Link.Binned.IsZero() && !in.MayLive {
		return nil
	}
	reason := "left the scope"
	if in.Presence == Present {
		reason = "no longer synchronized: " + in.Result.Skip.Branch
	}
	if in.refused() {
		reason = "left the scope: " + in.Result.Skip.Branch
		if in.Rescoped {
			reason = "the scope was changed: " + in.Result.Skip.Branch
		}
		if in.Vanished {
			reason += "; there is no value any more"
		}
	}
	switch in.Leaving {
	case KeepOnLeave:
		return nil
	case DeleteOnLeave:
		return in.removal(target.Delete, reason, nil)
	}
	if in.Kind == target.Group {
		return nil // nothing of a group can be disabled
	}
	if in.Applied.First(target.AttrAccountEnabled) == "false" && !slices.Contains(in.Unsure, target.AttrAccountEnabled) {
		return nil
	}
	return in.removal(target.Disable, reason, target.Attributes{target.AttrAccountEnabled: {"false"}})
}

func (in Input) removal(op target.Op, reason string, set target.Attributes) *Change {
	c := in.change(op, set)
	c.Reason = reason
	c.Removal = true
	if in.Presence == Left || in.refused() {
		c.Crossing, c.Rescoped, c.Vanished = Leaves, in.Rescoped, in.Vanished
	}
	c.Evidence = in.Evidence
	if c.Evidence == nil && in.Result.Skip != nil {
		c.Evidence = &source.Evidence{Kind: "rule", Detail: in.Result.Skip.Rule + ": " + in.Result.Skip.Branch}
	}
	return c
}

// nameAttr is the attribute that [Input.UPN] is about.
func (in Input) nameAttr() string {
	if in.Kind == target.Group {
		return target.AttrMailNickname
	}
	return target.AttrUserPrincipalName
}

// refused reports whether it is the scope that doesn't want the object.
func (in Input) refused() bool {
	return in.Presence == Present && in.Result.Skip != nil && in.Result.Skip.Rule == mapping.RuleScope
}

// entering makes c, the change of an object that is wanted, say that it comes into
// the scope.
func (in Input) entering(c *Change) *Change {
	if in.Returned {
		c.Crossing, c.Rescoped, c.Reason = Enters, in.Rescoped, "entered the scope"
		if in.Rescoped {
			c.Reason = "the scope was changed"
		}
		if in.Entering != "" {
			c.Reason += ": " + in.Entering
		}
	}
	return c
}

// present: the object is to have an account with these values.
func present(in Input) (*Change, []Problem) {
	var problems []Problem
	fatal, foreign := false, false
	for _, p := range in.Result.Problems {
		problems = append(problems, in.problem(p))
		fatal = fatal || p.Fatal
	}
	desired := in.Result.Attributes.Clone()
	if in.Link != nil && in.Link.Unstamped && in.Kind != target.Group {
		desired[target.AttrAnchor] = []string{in.Link.Anchor}
	}
	for _, n := range []struct {
		attr  string
		claim Claim
	}{{in.nameAttr(), in.UPN}, {target.AttrMail, in.Mail}} {
		attr, claim := n.attr, n.claim
		if claim.Holder == "" || len(desired[attr]) == 0 {
			continue
		}
		// An unowned account that carries the anchor is one problem, not three.
		if !claim.Temporary && (in.AnchorHolder == "" || claim.Holder != string(in.AnchorHolder)) {
			problems = append(problems, in.conflict(attr, desired.First(attr), claim))
		}
		switch {
		case claim.Foreign:
			foreign = true
			delete(desired, attr)
		case claim.Placeholder != "":
			desired[attr] = []string{claim.Placeholder}
		default:
			delete(desired, attr)
		}
	}
	for _, attr := range slices.Sorted(maps.Keys(in.Refused)) {
		if v, ok := desired[attr]; ok && slices.Equal(v, in.Refused[attr]) {
			delete(desired, attr)
			problems = append(problems, in.problem(mapping.Problem{
				Code: "value-refused", Attribute: attr,
				Message: "the target refuses the value of " + attr + "; the rest of the object is synchronized without it",
				Remedy:  "correct the value in the source",
			}))
		}
	}

	if in.Link == nil && in.AnchorHolder != "" {
		foreign = true
		p := in.problem(mapping.Problem{
			Code:    "anchor-unowned",
			Message: fmt.Sprintf("the account %s carries this object's source anchor, but this program didn't create it; it isn't touched", in.AnchorHolder),
			Remedy:  "if the state was lost, put back a copy of it; if the account is this person's, adopt it (match, adopt); otherwise remove its onPremisesImmutableId or the account",
		})
		if in.AnchorBinned {
			p.Message = fmt.Sprintf("the account %s in the target's bin carries this object's source anchor, but this state doesn't know it as ours; no second one is made", in.AnchorHolder)
			p.Remedy = "if the state was lost, put back a copy of it; if the account is this person's, restore it in the tenant, then adopt it (match, adopt); " +
				"one that nobody needs leaves the bin by itself after its time there, and a new one is made then"
		}
		p.Holder = string(in.AnchorHolder)
		problems = append(problems, p)
	}

	if in.Link == nil && in.AnchorOwner != "" {
		foreign = true
		p := in.problem(mapping.Problem{
			Code:    "anchor-twice",
			Message: fmt.Sprintf("the object %s has the same source anchor; this one gets no account", in.AnchorOwner),
			Remedy:  "give one of the two another mS-DS-ConsistencyGuid",
		})
		p.Holder = string(in.AnchorOwner)
		problems = append(problems, p)
	}

	switch {
	case in.Link == nil && (fatal || foreign):
		return nil, problems
	case in.Link == nil:
		for attr, v := range desired {
			if len(v) == 0 {
				delete(desired, attr)
			}
		}
		c := in.change(target.Create, desired)
		c.Reason = "new in the source"
		return in.entering(c), problems
	}

	set, keep := in.diff(desired)
	for _, attr := range keep {
		problems = append(problems, in.problem(mapping.Problem{
			Code: "cannot-clear", Attribute: attr, Once: true,
			Message: attr + " has no value in the source any more, but the target can't clear it; it keeps the old value",
			Remedy:  "give the source object a new value, or change it at the target by hand",
		}))
	}
	switch {
	case !in.Link.Binned.IsZero():
		c := in.change(target.Restore, set)
		c.Reason = "came back in the source"
		return in.entering(c), problems
	case len(set) == 0:
		return nil, problems
	}
	op := target.Update
	if v, ok := set[target.AttrAccountEnabled]; ok {
		op = target.Enable
		if v[0] == "false" {
			op = target.Disable
		}
	}
	c := in.change(op, set)
	c.Reason = "changed in the source"
	if in.Again {
		c.Then = in.then()
	}
	return in.entering(c), problems
}

// then are the names that in steps aside for.
func (in Input) then() []Effect {
	in.Again = false
	for _, claim := range []*Claim{&in.UPN, &in.Mail} {
		if claim.Temporary {
			*claim = Claim{}
		}
	}
	if c, _ := present(in); c != nil {
		return c.names()
	}
	return nil
}

// diff returns the desired values that differ from the applied ones, and the
// attributes that should have none but can't be cleared.
func (in Input) diff(desired target.Attributes) (set target.Attributes, keep []string) {
	set = target.Attributes{}
	for _, attr := range desired.Names() {
		want, have := desired[attr], in.Applied[attr]
		unsure := slices.Contains(in.Unsure, attr)
		if len(want) == 0 && len(have) == 0 && slices.Contains(in.Result.CannotClear, attr) {
			unsure = false // whatever it has, it keeps
		}
		switch {
		case slices.Equal(want, have) && !unsure:
		case len(want) == 0 && slices.Contains(in.Result.CannotClear, attr):
			keep = append(keep, attr)
		default:
			set[attr] = want
		}
	}
	return set, keep
}

// change fills in what all changes have.
func (in Input) change(op target.Op, set target.Attributes) *Change {
	c := &Change{
		Change: target.Change{Op: op, Kind: cmp.Or(in.Kind, target.User), Set: set},
		Source: in.ID, Name: in.Name, Until: in.Result.Until, Again: in.Again,
	}
	c.Precondition = Precondition{Object: in.Presence.word(), Account: AccountOf(in.Link)}
	c.UPN = in.Applied.First(target.AttrUserPrincipalName)
	if op == target.Create {
		c.UPN = set.First(target.AttrUserPrincipalName)
	}
	if in.Link != nil {
		c.ID, c.Anchor, c.Linked = in.Link.ID, in.Link.Anchor, in.Link.Since
		for attr := range set {
			if v := in.Applied[attr]; len(v) > 0 {
				if c.Before == nil {
					c.Before = target.Attributes{}
				}
				c.Before[attr] = v
			}
		}
	} else {
		c.Anchor = in.Result.Anchor
	}
	for _, d := range in.Result.Decisions {
		if _, ok := set[d.Attribute]; ok {
			c.Decisions = append(c.Decisions, d)
		}
	}
	return c
}

func (in Input) problem(p mapping.Problem) Problem {
	return Problem{Object: in.ID, Name: in.Name, Problem: p}
}

func (in Input) conflict(attr, value string, claim Claim) Problem {
	p := in.problem(mapping.Problem{Code: "conflict", Attribute: attr})
	p.Holder = claim.Holder
	switch {
	case claim.Foreign:
		p.Code = "conflict-unowned"
		p.Message = fmt.Sprintf("%s %q is held by the object %s, which this program doesn't own", attr, value, claim.Holder)
		p.Remedy = "rename one of the two; an account that exists already isn't taken over"
	case claim.Placeholder != "":
		p.Message = fmt.Sprintf("%s %q is held by %s; this object gets %q until it is free", attr, value, claim.Holder, claim.Placeholder)
		p.Remedy = "give one of the two another value in the source"
	default:
		p.Message = fmt.Sprintf("%s %q is held by %s; this object goes without until it is free", attr, value, claim.Holder)
		p.Remedy = "give one of the two another value in the source"
	}
	return p
}
