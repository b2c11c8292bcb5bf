package mapping

import (
	"fmt"

	"github.com/dirbridge/dirbridge/source"
)

// An Answer says on which side of a scope an object is.
type Answer string

const (
	InScope    Answer = "in"
	OutOfScope Answer = "out"
	Undecided  Answer = "unknown" // it can't be told: nothing is changed
)

// A Verdict is what a scope says about an object.
type Verdict struct {
	Answer Answer

	// Decision says why: in words and, for conditions, on what grounds.
	Decision Decision

	// Problem is set if Answer is Undecided.
	Problem *Problem
}

// A Container is one of those that an object lies in.
type Container struct {
	ID source.ID
	DN string // for people

	// Outside says that the container itself was seen outside of what the
	// source reads: what lies in it is there, too.
	Outside bool
}

// A Place is where an object lies: the containers above it, the nearest first.
// Whole says that they go up to the top; else what is above the last isn't
// known. The zero value says that nothing is known.
type Place struct {
	Path  []Container
	Whole bool
}

func (p Place) whole() bool { return p.Whole && len(p.Path) > 0 }

// At says what b makes of everything that lies there, whatever else is true of
// it.
func (b *BoundScope) At(p Place) Verdict {
	for _, c := range p.Path {
		if c.Outside {
			return verdict(OutOfScope, fmt.Sprintf("in %s, which was moved out of what the source reads", c.DN))
		}
	}
	byUnit, byDomain := b.unit(p), b.domain(p)
	for _, a := range []Answer{OutOfScope, Undecided} {
		switch a {
		case byUnit.Answer:
			return byUnit
		case byDomain.Answer:
			return byDomain
		}
	}
	if len(b.listed) == 0 && len(b.domains) > 0 {
		return byDomain
	}
	return byUnit
}

// unit asks the nearest listed container.
func (b *BoundScope) unit(p Place) Verdict {
	if len(b.listed) == 0 {
		return verdict(InScope, "everywhere")
	}
	for _, c := range p.Path {
		switch included, listed := b.listed[c.ID]; {
		case listed && included:
			return verdict(InScope, "in "+c.DN+" (included)")
		case listed:
			return verdict(OutOfScope, "in "+c.DN+" (excluded)")
		}
	}
	switch {
	case !p.whole():
		return unknownPlace(p)
	case b.includes:
		return verdict(OutOfScope, "in "+p.Path[0].DN+" (not included)")
	}
	return verdict(InScope, "in "+p.Path[0].DN+" (not excluded)")
}

// domain asks whether one of the domains is above.
func (b *BoundScope) domain(p Place) Verdict {
	if len(b.domains) == 0 {
		return verdict(InScope, "in every domain")
	}
	for _, c := range p.Path {
		if b.domains[c.ID] {
			return verdict(InScope, "in the domain "+c.DN)
		}
	}
	if !p.whole() {
		return unknownPlace(p)
	}
	return verdict(OutOfScope, "in the domain "+p.Path[len(p.Path)-1].DN+" (not included)")
}

// Decide says on which side o is, if at is what [BoundScope.At] says of its place.
func (b *BoundScope) Decide(o *source.Object, at Verdict) Verdict {
	if at.Answer == OutOfScope {
		return at
	}
	unread := at
	for _, c := range b.conditions {
		met, known := c.Met(o)
		switch {
		case !known && unread.Answer != Undecided:
			unread = verdict(Undecided, c.Attribute+" can't be read")
			unread.Problem = &Problem{
				Code:    CodeScopeUnreadable,
				Message: fmt.Sprintf("whether this object is in scope can't be told, since %s can't be read; nothing is changed for it", c.Attribute),
				Remedy:  fmt.Sprintf("correct %s in the directory", c.Attribute),
				Fatal:   true,
			}
		case known && !met:
			v := verdict(OutOfScope, "doesn't meet the condition ("+c.String()+")")
			v.Decision.Inputs = []Value{{Name: c.Attribute, Values: valuesOf(o.Attributes, c.Attribute)}}
			return v
		}
	}
	return unread
}

func verdict(a Answer, why string) Verdict {
	return Verdict{Answer: a, Decision: Decision{Rule: RuleScope, Branch: why}}
}

func unknownPlace(p Place) Verdict {
	v := verdict(Undecided, "where it lies isn't known")
	above := "the container that it lies in"
	if n := len(p.Path); n > 0 {
		above = "the container above " + p.Path[n-1].DN
	}
	v.Problem = &Problem{
		Code:    CodeContainerUnknown,
		Message: fmt.Sprintf("whether this object is in scope can't be told, since the source hasn't given %s; nothing is changed for it", above),
		Remedy:  "see that the sync account may read the container, and make a complete run",
		Fatal:   true,
	}
	return v
}
