package targettest_test

import (
	"context"
	"errors"
	"iter"
	"maps"

	"github.com/dirbridge/dirbridge/target"
)

// only applies change to the refers that add or remove.
func only(change func(*target.Refs)) func(*broken) {
	return func(b *broken) {
		b.before = func(c *target.Change) {
			if c.Refs != nil {
				refs := *c.Refs
				c.Refs = &refs
				change(c.Refs)
			}
		}
	}
}

// instead gives another error for those that err is.
func instead(is, other error) func(*broken) {
	return func(b *broken) {
		b.after = func(_ target.Change, _ target.Object, err error) error {
			if errors.Is(err, is) {
				return other
			}
			return err
		}
	}
}

var refMutants = []mutant{
	{"makes a group anew", "GroupsAreMadeByTheirUniqueName", func(b *broken) {
		b.before = func(c *target.Change) {
			if c.Kind == target.Group && c.Op == target.Create {
				b.tenant.Edit(b.last, func(o *target.Object) { o.Anchor += "2" })
			}
		}
	}},
	{"takes another's group", "GroupsAreMadeByTheirUniqueName", func(b *broken) {
		b.before = func(c *target.Change) { c.Repeat = c.Kind == target.Group }
	}},
	{"lists groups as users", "GroupsAreMadeByTheirUniqueName", func(b *broken) { b.each = func(o *target.Object) { o.Kind = target.User } }},
	{"clears no description", "GroupsAreChangedAndDeleted", func(b *broken) {
		b.before = func(c *target.Change) { maps.DeleteFunc(c.Set, func(_ string, v []string) bool { return len(v) == 0 }) }
	}},
	{"makes a second group", "ALostReplyMakesNoSecondGroup", func(b *broken) {
		b.before = func(c *target.Change) {
			if c.Repeat {
				c.Anchor += "2"
			}
		}
	}},
	{"removes nothing", "ReferencesAreAddedAndRemoved", only(func(r *target.Refs) { r.Remove = nil })},
	{"adds owners as members", "ReferencesAreAddedAndRemoved", only(func(r *target.Refs) { r.Attribute = target.RefMembers })},
	{"replaces members", "ReferencesAreAddedAndRemoved", func(b *broken) {
		b.before = func(c *target.Change) {
			if c.Refs != nil {
				b.tenant.SetRefs(c.ID, c.Refs.Attribute)
			}
		}
	}},
	{"reads the first page", "ReferencesBeyondOneChangeAreRead", func(b *broken) { b.page = 20 }},
	{"takes more than it says", "ReferencesBeyondOneChangeAreRead", instead(target.ErrInvalid, nil)},
	{"adds none because of one", "OneRefusedReferenceStopsNoOther", instead(target.ErrNotFound, &target.Error{Sentinel: target.ErrNotFound})},
	{"refuses them all", "OneRefusedReferenceStopsNoOther", func(b *broken) {
		b.after = func(c target.Change, _ target.Object, err error) error {
			if some, ok := errors.AsType[*target.RefsError](err); ok {
				for _, id := range c.Refs.Add {
					some.Refused[id] = &target.Error{Sentinel: target.ErrNotFound}
				}
			}
			return err
		}
	}},
	{"blames the members for the group", "ReferencesOfWhatIsGoneAreNotFound", func(b *broken) {
		b.after = func(c target.Change, _ target.Object, err error) error {
			if c.Refs != nil && errors.Is(err, target.ErrNotFound) {
				return &target.RefsError{Refused: map[target.ID]error{"x": err}}
			}
			return err
		}
	}},
	{"has no members instead of no group", "ReferencesOfWhatIsGoneAreNotFound", func(b *broken) { b.quiet = true }},
	{"keeps deleted members", "WhatIsDeletedIsNobodysMemberUntilItIsRestored", func(b *broken) {
		b.before = func(c *target.Change) {
			if c.Op == target.Delete {
				c.ID = "nobody"
			}
		}
	}},
	{"clears any manager", "TheManagerIsOne", func(b *broken) {
		b.before = func(c *target.Change) {
			if c.Refs != nil && len(c.Refs.Add) == 0 {
				b.tenant.SetRefs(c.ID, target.RefManager)
			}
		}
	}},
	{"keeps the manager", "TheManagerIsOne", func(b *broken) {
		b.before = func(c *target.Change) {
			if c.Refs != nil && len(b.tenant.RefsOf(c.ID, target.RefManager)) > 0 {
				c.Refs = &target.Refs{Attribute: target.RefManager, Remove: c.Refs.Remove}
			}
		}
	}},
	{"takes a lost refer for a refusal", "ALostReplyOfReferencesConverges", func(b *broken) {
		b.after = func(_ target.Change, _ target.Object, err error) error {
			if target.OutcomeUnknown(err) {
				return &target.Error{Sentinel: target.ErrUnavailable}
			}
			return err
		}
	}},
	{"takes a hidden member for missing", "AMemberThatIsNotShownYetIsNotMissing", func(b *broken) {
		b.after = func(_ target.Change, _ target.Object, err error) error {
			if some, ok := errors.AsType[*target.RefsError](err); ok {
				for id := range some.Refused {
					some.Refused[id] = &target.Error{Sentinel: target.ErrNotFound}
				}
			}
			return err
		}
	}},
}

func (b *broken) Refs(ctx context.Context, kind target.Kind, id target.ID, attribute string) iter.Seq2[target.ID, error] {
	return func(yield func(target.ID, error) bool) {
		n := 0
		for to, err := range b.AbleTarget.Refs(b.listen(ctx), kind, id, attribute) {
			if n++; b.page > 0 && n > b.page || err != nil && b.quiet {
				return
			}
			if !yield(to, err) {
				return
			}
		}
	}
}
