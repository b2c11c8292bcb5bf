package statetest

import (
	"testing"

	"github.com/dirbridge/dirbridge/state"
)

type rule struct {
	name string
	test func(t *testing.T, s state.Store)
}

// Run checks the contract of [state.Store] on stores made by open. Each rule
// gets a store of its own, which must be empty. Whatever has to be released,
// open registers with t.Cleanup.
//
// It takes a second or two for a store in memory and writes some 50 MiB.
func Run(t *testing.T, open func(t *testing.T) state.Store) {
	for _, rules := range [][]rule{readRules, scanRules, scanCommitRules, commitRules, checkRules, limitRules, contextRules, concurrentRules} {
		for _, r := range rules {
			t.Run(r.name, func(t *testing.T) { r.test(t, open(t)) })
		}
	}
}
