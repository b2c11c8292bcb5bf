package simulation

import (
	"fmt"
	"maps"
	"slices"

	"github.com/dirbridge/dirbridge/dirsync"
	"github.com/dirbridge/dirbridge/source"
	"github.com/dirbridge/dirbridge/target"
)

// A Violation is an invariant of failure-modes.md 3.4 that didn't hold.
type Violation struct {
	Invariant string      `json:"invariant"`
	Text      string      `json:"text"`
	After     int         `json:"after"` // the step; 0 is the calm at the end
	All       []Violation `json:"-"`     // what else was wrong then
}

// An oracleState is what a restored state brings back.
type oracleState struct {
	mine    map[target.ID]bool // accounts that the engine made and knows of
	beliefs map[source.ID]bits // what it may take an object for
	ever    map[source.ID]bits // and at any time: a repeated change has an old reason
	words   words
}

func newOracleState() oracleState {
	return oracleState{map[target.ID]bool{}, map[source.ID]bits{}, map[source.ID]bits{}, newWords()}
}

func newOracle(w *world) *oracle {
	return &oracle{oracleState: newOracleState(), circleState: newCircleState(), w: w, places: map[source.ID]map[position]bool{}, checkpoints: map[source.Watermark]bool{}, doubt: map[target.ID]bool{}, answered: map[string]int{}}
}

func (o *oracle) save() oracleState {
	return oracleState{maps.Clone(o.mine), maps.Clone(o.beliefs), maps.Clone(o.ever), o.words.clone()}
}

func (o *oracle) load(s oracleState) {
	clear(o.answered)
	clear(o.believed)
	o.oracleState = oracleState{maps.Clone(s.mine), maps.Clone(s.beliefs), maps.Clone(s.ever), s.words.clone()}
}

func (o *oracle) complain(invariant, format string, args ...any) {
	v := Violation{Invariant: invariant, Text: fmt.Sprintf(format, args...), After: o.w.step}
	o.w.logf("!! %s: %s", v.Invariant, v.Text)
	o.wrong = append(o.wrong, v)
}

// reported says whether the engine reports a problem with p.
func reported(rep *dirsync.Report, p *person) bool {
	return slices.ContainsFunc(rep.Problems, func(x dirsync.Problem) bool { return x.Object == p.id })
}

// found: the engine found an account that its lost create may have made.
func (o *oracle) found(id target.ID) {
	if a := o.w.tenant.accounts[id]; a != nil && a.foreign == "" {
		o.mine[id], o.doubt[id] = true, true
	}
}
