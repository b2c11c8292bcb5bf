// Package plan decides what has to change at the target. It is pure: no
// context, no clock, no log, no I/O. [Compute] looks at one object (what the
// source says, what the rules want, what was last applied) and returns at most
// one [Change] and the [Problem]s; [Counts] and [Limits] look at a set of
// changes; [Hasher] gives a plan its name.
//
// The order in which changes are applied is part of a plan: see [Change.Less].
//
// Three sides are compared, not two: desired, last applied, and (in a run that
// reads the target) current. Only so is "changed here" different from "changed
// there".
package plan
