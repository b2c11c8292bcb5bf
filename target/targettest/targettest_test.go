package targettest_test

import (
	"errors"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/internal/fault"
	"github.com/dirbridge/dirbridge/target"
	"github.com/dirbridge/dirbridge/target/memtarget"
	"github.com/dirbridge/dirbridge/target/targettest"
)

// A mutant is a target that breaks one sentence of the contract. Its tests run
// in a process of their own, which must fail in the test named.
type mutant struct {
	name, fails string
	breaks      func(*broken)
}

var mutants = append(refMutants, []mutant{
	{"has a slash in its name", "NameIsStableAndLegal", func(b *broken) { b.name = "a/b" }},
	{"forgets an attribute", "CreateMakesAnObject", func(b *broken) {
		b.before = func(c *target.Change) { delete(c.Set, "department") }
	}},
	{"forgets the anchor", "CreateMakesAnObject", func(b *broken) { b.before = func(c *target.Change) { c.Anchor = "" } }},
	{"never looks the anchor up", "ARepeatedCreateMakesOneObject", func(b *broken) {
		b.before = func(c *target.Change) { c.Repeat = false }
	}},
	{"makes a second object", "ARepeatedCreateMakesOneObject", func(b *broken) {
		b.before = func(c *target.Change) {
			if c.Repeat {
				b.tenant.Edit(b.last, func(o *target.Object) { o.Anchor, o.Attributes = "", nil })
			}
		}
	}},
	{"clears what isn't named", "UpdateWritesWhatItNamesAndNothingElse", func(b *broken) {
		b.before = func(c *target.Change) {
			if c.Op == target.Update && c.Set["department"] == nil {
				c.Set["department"] = nil
			}
		}
	}},
	{"clears nothing", "AnAttributeWithoutValuesIsCleared", func(b *broken) {
		b.before = func(c *target.Change) {
			for name, values := range c.Set {
				if len(values) == 0 {
					delete(c.Set, name)
				}
			}
		}
	}},
	{"keeps the order of values", "ValuesAreASet", func(b *broken) {
		b.each = func(o *target.Object) { slices.Reverse(o.Attributes["otherMails"]) }
	}},
	{"doesn't enable", "DisableAndEnableTurnTheAccountOffAndOn", func(b *broken) {
		b.before = func(c *target.Change) {
			if c.Op == target.Enable {
				c.Set["accountEnabled"] = []string{"false"}
			}
		}
	}},
	{"doesn't find what to delete", "DeleteTakesAnObjectAway", func(b *broken) {
		b.after = func(c target.Change, o target.Object, err error) error {
			if c.Op == target.Delete && o.Attributes == nil || c.Op == target.Delete && len(o.Attributes) == 0 {
				return &target.Error{Sentinel: target.ErrNotFound}
			}
			return err
		}
	}},
	{"takes a missing object for updated", "WhatIsGoneIsNotFound", func(b *broken) {
		b.after = func(_ target.Change, _ target.Object, err error) error {
			if errors.Is(err, target.ErrNotFound) {
				return nil
			}
			return err
		}
	}},
	{"restores without writing", "RestoreBringsTheObjectBack", func(b *broken) {
		b.before = func(c *target.Change) {
			if c.Op == target.Restore {
				c.Set = nil
			}
		}
	}},
	{"keeps the caller's memory", "ObjectsAndChangesShareNoMemoryWithTheTarget", func(b *broken) {
		own := map[target.ID]target.Attributes{}
		b.each = func(o *target.Object) {
			if own[o.ID] == nil {
				own[o.ID] = o.Attributes
			}
			o.Attributes = own[o.ID]
		}
	}},
	{"ignores its context", "ACancelledContextEndsEachCall", func(b *broken) { b.deaf = true }},
	{"deletes another object", "DifferentObjectsAreWrittenConcurrently", func(b *broken) {
		b.before = func(c *target.Change) {
			if c.Op == target.Delete {
				c.ID = "nobody"
			}
		}
	}},
	{"doesn't name the attribute", "ANameThatIsTakenIsRefusedWithItsAttribute", func(b *broken) {
		b.after = func(_ target.Change, _ target.Object, err error) error {
			if errors.Is(err, target.ErrExists) {
				return &target.Error{Sentinel: target.ErrExists}
			}
			return err
		}
	}},
	{"takes any domain", "ANameInAnUnverifiedDomainIsRefused", func(b *broken) {
		b.before = func(c *target.Change) {
			if _, domain, ok := strings.Cut(c.Set.First("userPrincipalName"), "@"); ok {
				b.tenant.VerifyDomain(domain)
			}
		}
	}},
	{"classes nothing", "AValueThatIsRefusedIsNamed", func(b *broken) {
		b.after = func(_ target.Change, _ target.Object, err error) error {
			if err != nil {
				return errors.New(err.Error())
			}
			return nil
		}
	}},
	{"never writes an anchor later", "AnUpdateWritesAnAnchorWhereThereIsNone", func(b *broken) {
		b.before = func(c *target.Change) { delete(c.Set, target.AttrAnchor) }
	}},
	{"protects everybody", "WhoIsProtectedIsKnownAtOnce", func(b *broken) { b.protects = "everybody" }},
	{"protects nobody", "WhoIsProtectedIsKnownAtOnce", func(b *broken) { b.protects = "nobody" }},
	{"lists the bin", "CurrentYieldsEveryLiveObject", func(b *broken) { b.bin = true }},
	{"hides others' objects", "CurrentYieldsEveryLiveObject", func(b *broken) { b.own = true }},
	{"finds in another order", "FindAnswersEachKeyInOrder", func(b *broken) {
		b.find = func(found [][]target.Object) [][]target.Object { slices.Reverse(found); return found }
	}},
	{"finds for the first keys only", "FindAnswersEachKeyInOrder", func(b *broken) {
		b.find = func(found [][]target.Object) [][]target.Object {
			for i := 20; i < len(found); i++ {
				found[i] = nil
			}
			return found
		}
	}},
	{"doesn't sort its domains", "DomainsAreInOrder", func(b *broken) { b.domains = slices.Reverse[[]target.Domain] }},
	{"stops a batch at an error", "ABatchHasAnOutcomeForEachChange", func(b *broken) {
		b.batch = func(cs []target.Change, rs []target.Result) []target.Result {
			if i := slices.IndexFunc(rs, func(r target.Result) bool { return r.Err != nil }); i >= 0 {
				return rs[:i+1]
			}
			return rs
		}
	}},
	{"answers a batch in another order", "ABatchHasAnOutcomeForEachChange", func(b *broken) {
		b.batch = func(_ []target.Change, rs []target.Result) []target.Result { slices.Reverse(rs); return rs }
	}},
	{"takes no batch of one", "ABatchOfOneOrNoneIsABatch", func(b *broken) {
		b.batch = func(cs []target.Change, rs []target.Result) []target.Result { return rs[min(len(rs), 1):] }
	}},
	{"doesn't tell of deletions", "ChangesTellsWhatHappenedSinceAToken", func(b *broken) {
		b.event = func(ev target.DeltaEvent) bool { return ev.Op != target.Binned }
	}},
	{"ends without a checkpoint", "ChangesTellsWhatHappenedSinceAToken", func(b *broken) {
		b.event = func(ev target.DeltaEvent) bool { return ev.Op != target.Checkpoint }
	}},
	{"doesn't tell of others' objects", "ChangesTellsWhatOthersDid", func(b *broken) {
		b.event = func(ev target.DeltaEvent) bool { return ev.Op != target.Changed || ev.Object.Anchor != "" }
	}},
	{"takes any token", "ATokenThatIsNotKnownIsExpired", func(b *broken) { b.anyToken = true }},
	{"takes a lost reply for a refusal", "ALostReplyIsAnUnknownOutcomeThatConverges", func(b *broken) {
		b.after = func(_ target.Change, _ target.Object, err error) error {
			if target.OutcomeUnknown(err) {
				return &target.Error{Sentinel: target.ErrUnavailable}
			}
			return err
		}
	}},
	{"never looks anchors up in a batch", "ALostReplyInABatchConverges", func(b *broken) {
		b.before = func(c *target.Change) { c.Repeat = false }
	}},
	{"takes hidden for missing", "WhatIsNotShownYetIsNotMissing", func(b *broken) {
		b.after = func(_ target.Change, _ target.Object, err error) error {
			if errors.Is(err, target.ErrNotYet) {
				return &target.Error{Sentinel: target.ErrNotFound}
			}
			return err
		}
	}},
}...)

func TestSuiteFindsEachMutant(t *testing.T) {
	exe, err := os.Executable()
	require.NoError(t, err)
	for _, m := range mutants {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			cmd := exec.CommandContext(t.Context(), exe, "-test.run=^TestMutant$/^"+m.fails+"$", "-test.v")
			cmd.Env = append(os.Environ(), "DIRBRIDGE_MUTANT="+m.name)
			out, err := cmd.CombinedOutput()
			require.Error(t, err, "the suite took it for sound")
			require.Contains(t, string(out), "--- FAIL: TestMutant/"+m.fails)
		})
	}
}

// TestMutant is what the processes of [TestSuiteFindsEachMutant] run. By itself
// it runs the suite over the unbroken wrapper, which must pass.
func TestMutant(t *testing.T) {
	name := os.Getenv("DIRBRIDGE_MUTANT")
	targettest.Run(t, func(t *testing.T) targettest.Harness {
		tenant := memtarget.New("contoso", nil)
		faulty := fault.NewTarget(tenant)
		b := &broken{AbleTarget: faulty, tenant: tenant}
		for _, m := range mutants {
			if m.name == name {
				m.breaks(b)
			}
		}
		return targettest.Harness{
			Target:      b,
			Domain:      "contoso.onmicrosoft.com",
			Unverified:  "corp.local",
			Unique:      []string{"userPrincipalName", "mail"},
			Refuses:     target.Attributes{"jobTitle": {""}},
			Add:         func(o target.Object) (target.ID, error) { return tenant.Add(o), nil },
			Remove:      func(id target.ID) error { tenant.Remove(id); return nil },
			LoseReplies: func(n int) error { faulty.LoseReplies(n); return nil },
			HideNew:     func(hide bool) error { faulty.HideNew(hide); return nil },
			Protect: func(id target.ID, on bool) error {
				why := target.HoldsRole
				if !on {
					why = ""
				}
				tenant.Protect(id, why)
				return nil
			},
			Verify: func(domain string, verified bool) error {
				tenant.AddDomain(target.Domain{Name: domain, Verified: verified})
				return nil
			},
		}
	})
}
