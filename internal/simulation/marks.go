package simulation

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Marks count how often the world got into the situation of a row of
// failure-modes.md, section 2.
type Marks map[string]int

// Required are the marks that every pass through the seeds has to hit: the rows
// that apply to people and that a typed world can show.
var Required = []string{
	"S-01", "S-02", "S-03", "S-04", "S-05", "S-06", "S-07", "S-08", "S-10", "S-11", "S-12", "S-16", "S-17", "S-18", "S-19", "S-20",
	"T-01", "T-02", "T-03", "T-04", "T-05", "T-07", "T-09", "T-10", "T-11", "T-12", "T-13", "T-14", "T-15",
	"E-01", "E-02", "E-05", "E-07", "A-01", "A-02", "A-03", "I7", "taken over", "adopted", "rebound",
}

// Add adds up.
func (m Marks) Add(other Marks) {
	for k, n := range other {
		m[k] += n
	}
}

// String lists the marks.
func (m Marks) String() string {
	var b strings.Builder
	for _, k := range slices.Sorted(maps.Keys(m)) {
		fmt.Fprintf(&b, "%s:%d ", k, m[k])
	}
	return strings.TrimSpace(b.String())
}
