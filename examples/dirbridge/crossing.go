package main

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/dirbridge/dirbridge/dirsync/plan"
)

// How many reasons for entering or leaving are told, and how many people of each
// are named.
const (
	mostReasons = 20
	mostOfThem  = 5
)

// A crossing is why some enter or leave the scope.
type crossing struct {
	Reason string     `json:"reason"`
	Count  int        `json:"count"`
	First  []affected `json:"first"`
}

// crossings are those of a plan, in the order in which their reasons came. The
// last one may be for all other reasons.
type crossings []crossing

// cross notes that c has somebody enter or leave, if it does.
func (s *story) cross(c *plan.Change) {
	switch c.Crossing {
	case plan.Enters:
		s.Enters.add(c)
	case plan.Leaves:
		s.Leaves.add(c)
	}
}

func (x *crossings) add(c *plan.Change) {
	reason := c.Reason
	i := slices.IndexFunc(*x, func(y crossing) bool { return y.Reason == reason })
	if i < 0 && len(*x) >= mostReasons {
		reason = "for other reasons"
		i = slices.IndexFunc(*x, func(y crossing) bool { return y.Reason == reason })
	}
	if i < 0 {
		i = len(*x)
		*x = append(*x, crossing{Reason: reason})
	}
	y := &(*x)[i]
	if y.Count++; len(y.First) < mostOfThem {
		y.First = append(y.First, affected{c.Op, c.Source, c.Name, c.UPN, c.ID, c.Effects()})
	}
}

// crossings prints who enters, or leaves, and why.
func (w *printer) crossings(verb string, x crossings) {
	for _, y := range x {
		fmt.Fprintf(w, "    %d %s the scope: %s\n", y.Count, verb, plain(y.Reason))
		for _, a := range y.First {
			fmt.Fprintf(w, "        %s %s  (%s, %s)\n", a.Op, plain(cmp.Or(a.UPN, a.Name)), plain(string(a.Object)), plain(a.Name))
		}
		if more := y.Count - len(y.First); more > 0 {
			fmt.Fprintf(w, "        and %d more\n", more)
		}
	}
}
