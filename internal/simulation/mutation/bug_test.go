package mutation_test

import (
	"bytes"
	"fmt"
	"go/format"
	"strings"
)

// A bug is what somebody could have written into the engine.
type bug struct {
	name string
	dies string // the invariant of failure-modes.md 3.4 that should break first
	file string // below the module's root
	old  string // occurs once in file
	new  string
	what string // is wrong with it
}

// bugs are all rows.
func bugs() (all []bug) {
	for _, rows := range [][]bug{readBugs, stateBugs, planBugs, nameBugs, callBugs, answerBugs, wordBugs, driftBugs, powerBugs, adoptBugs, scopeBugs, circleBugs, refBugs, groupBugs, reviveBugs, twoBugs} {
		all = append(all, rows...)
	}
	return all
}

// plant returns src with the bug in it.
func (b bug) plant(src []byte) ([]byte, error) {
	switch n := bytes.Count(src, []byte(b.old)); {
	case n != 1:
		return nil, fmt.Errorf("%s: its old text occurs %d times in %s, want once: the engine has changed, write the row anew", b.name, n, b.file)
	case strings.TrimSpace(b.old) == strings.TrimSpace(b.new):
		return nil, fmt.Errorf("%s: its new text is the old one", b.name)
	}
	out := bytes.Replace(src, []byte(b.old), []byte(b.new), 1)
	if _, err := format.Source(out); err != nil {
		return nil, fmt.Errorf("%s: %s isn't Go any more: %w", b.name, b.file, err)
	}
	return out, nil
}
