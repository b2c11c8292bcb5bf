package sourcetest_test

import (
	"context"
	"errors"
	"iter"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/internal/fault"
	"github.com/dirbridge/dirbridge/source"
	"github.com/dirbridge/dirbridge/source/memsource"
	"github.com/dirbridge/dirbridge/source/sourcetest"
)

// A mutant is a source that breaks one sentence of the contract. Its tests run
// in a process of their own, which must fail in the test named.
type mutant struct {
	name, fails string
	breaks      func(*broken)
}

var mutants = []mutant{
	{"changes its name", "NameIsStableAndLegal", func(b *broken) {
		b.name = func() string { b.n++; return strings.Repeat("x", b.n) }
	}},
	{"has a slash in its name", "NameIsStableAndLegal", func(b *broken) { b.name = func() string { return "a/b" } }},
	{"loses an object", "AllYieldsEveryObjectAndACheckpointLast", func(b *broken) {
		b.both(skip(func(e source.Event) bool { return e.Object.Attributes.First("sAMAccountName") == "st000002" }))
	}},
	{"ends without a checkpoint", "AllYieldsEveryObjectAndACheckpointLast", func(b *broken) {
		b.both(skip(func(e source.Event) bool { return e.Op == source.Checkpoint }))
	}},
	{"gives differences", "SinceGivesWhatWasCreatedAndChanged", func(b *broken) {
		b.since = each(func(e *source.Event) { delete(e.Object.Attributes, "givenName") })
	}},
	{"doesn't sort values", "ObjectsAreWholeAndInOrder", func(b *broken) {
		b.both(each(func(e *source.Event) { slices.Reverse(e.Object.Attributes["otherMailbox"]) }))
	}},
	{"keeps empty attributes", "ObjectsAreWholeAndInOrder", func(b *broken) {
		b.both(each(func(e *source.Event) {
			if a := e.Object.Attributes; a != nil && a["title"] == nil {
				a["title"] = []string{}
			}
		}))
	}},
	{"reads differently each time", "AnUnchangedObjectReadsEqualTwice", func(b *broken) {
		b.both(each(func(e *source.Event) {
			if b.n++; e.Op == source.Upsert {
				e.Object.DN = strings.Repeat("x", b.n)
			}
		}))
	}},
	{"hands its own memory out", "EventsShareNoMemoryWithTheSource", func(b *broken) {
		own := map[source.ID]source.Object{}
		b.all = each(func(e *source.Event) {
			if o, ok := own[e.Object.ID]; ok && e.Op == source.Upsert {
				e.Object = o
			} else {
				own[e.Object.ID] = e.Object
			}
		})
	}},
	{"ignores its context", "ACancelledContextEndsInItsError", func(b *broken) { b.deaf = true }},
	{"ignores its context in deltas", "ACancelledContextEndsADelta", func(b *broken) { b.deaf = true }},
	{"ends a cut read as if it were complete", "ACutReadEndsInAnErrorAndIsMadeUpFor", func(b *broken) { b.cut = nil }},
	{"ends a cut delta as if it were complete", "ACutDeltaLosesNothing", func(b *broken) { b.cut = nil }},
	{"goes on after an error", "ACutReadEndsInAnErrorAndIsMadeUpFor", func(b *broken) {
		b.all = func(events iter.Seq2[source.Event, error]) iter.Seq2[source.Event, error] {
			return func(yield func(source.Event, error) bool) {
				for e, err := range events {
					if !yield(e, err) || err != nil && !yield(source.Event{Op: source.Checkpoint, Watermark: "x"}, nil) {
						return
					}
				}
			}
		}
	}},
	{"has checkpoints too early", "SinceResumesFromAnyCheckpoint", func(b *broken) {
		b.all = func(events iter.Seq2[source.Event, error]) iter.Seq2[source.Event, error] {
			return func(yield func(source.Event, error) bool) {
				r := slices.Collect(ok(events))
				if n := len(r); n > 0 {
					r = slices.Insert(r, 0, r[n-1])
				}
				for _, e := range r {
					if !yield(e, nil) {
						return
					}
				}
			}
		}
	}},
	{"takes the watermark last", "TheWatermarkIsTakenBeforeTheFirstObject", func(b *broken) {
		b.all = each(func(e *source.Event) {
			if e.Op == source.Checkpoint {
				for now := range ok(b.AbleSource.All(context.Background())) {
					*e = now
				}
			}
		})
	}},
	{"tells only the first members", "ACompleteReadTellsReferencesWhole", func(b *broken) {
		b.all = skip(func(e source.Event) bool { return e.Op == source.Refers && !e.References.First })
	}},
	{"says nothing of an empty group", "ACompleteReadTellsReferencesWhole", func(b *broken) {
		b.all = skip(func(e source.Event) bool { return e.Op == source.Refers && len(e.References.Add) == 0 })
	}},
	{"ends sets that it didn't tell", "ACompleteReadTellsReferencesWhole", func(b *broken) {
		b.all = each(func(e *source.Event) {
			if e.Op == source.Refers {
				e.References.Add, e.References.Last = e.References.Add[:min(8, len(e.References.Add))], true
			}
		})
	}},
	{"doesn't see who leaves a group", "ADeltaTellsReferences", func(b *broken) {
		b.since = each(func(e *source.Event) {
			if e.Op == source.Refers {
				e.References.Remove = nil
			}
		})
	}},
	{"takes new members for all", "ADeltaTellsReferences", func(b *broken) {
		b.since = each(func(e *source.Event) {
			if e.Op == source.Refers && len(e.References.Remove) == 0 {
				e.References.First, e.References.Last = true, true
			}
		})
	}},
	{"finds groups without their members", "FindTellsReferencesWhole", func(b *broken) {
		b.find = func(ids []source.ID, found []source.Event) []source.Event {
			return slices.DeleteFunc(found, func(e source.Event) bool { return e.Op == source.Refers })
		}
	}},
	{"tells a half-told set as whole", "ACutReadLeavesReferencesUnfinished", func(b *broken) {
		b.all = each(func(e *source.Event) {
			if e.Op == source.Refers {
				e.References.Last = true
			}
		})
	}},
	{"takes groups for people", "GroupsAreObjectsOfTheirKind", func(b *broken) {
		b.both(each(func(e *source.Event) { e.Object.Kind = source.User }))
	}},
	{"doesn't see deletions", "SinceGivesDeletionsWithEvidence", func(b *broken) {
		b.since = skip(func(e source.Event) bool { return e.Op == source.Deleted })
	}},
	{"has no evidence", "SinceGivesDeletionsWithEvidence", func(b *broken) {
		b.since = each(func(e *source.Event) { e.Evidence = source.Evidence{} })
	}},
	{"doesn't see who leaves", "SinceGivesWhatLeftAndCameBack", func(b *broken) {
		b.since = skip(func(e source.Event) bool { return e.Op == source.Left })
	}},
	{"takes leaving for deletion", "SinceGivesWhatLeftAndCameBack", func(b *broken) {
		b.since = each(func(e *source.Event) {
			if e.Op == source.Left {
				e.Op = source.Deleted
			}
		})
	}},
	{"takes any watermark", "ADoubtfulWatermarkHasExpired", func(b *broken) {
		b.since = func(events iter.Seq2[source.Event, error]) iter.Seq2[source.Event, error] {
			return func(yield func(source.Event, error) bool) {
				for e, err := range events {
					if errors.Is(err, source.ErrWatermarkExpired) {
						b.AbleSource.All(context.Background())(yield)
						return
					}
					if !yield(e, err) {
						return
					}
				}
			}
		}
	}},
	{"polls false", "PollIsFalseOnlyWhenNothingChanged", func(b *broken) { b.poll = func(bool) bool { return false } }},
	{"polls true", "PollIsFalseOnlyWhenNothingChanged", func(b *broken) { b.poll = func(bool) bool { return true } }},
	{"takes absence for deletion", "FindNeverTakesAbsenceForDeletion", func(b *broken) {
		b.find = func(ids []source.ID, found []source.Event) []source.Event {
			for _, id := range ids {
				if !slices.ContainsFunc(found, func(e source.Event) bool { return e.Object.ID == id }) {
					found = append(found, source.Event{Op: source.Deleted, Object: source.Object{ID: id, Kind: source.User}})
				}
			}
			return found
		}
	}},
	{"takes names for patterns", "ResolveTakesANameLiterally", func(b *broken) {
		b.resolve = func(name string, ids []source.ID) (string, []source.ID) {
			if name == "*" {
				return "", append(ids, "anybody")
			}
			return name, ids
		}
	}},
	{"resolves names to one of two", "ResolveFindsWhoIsMeantAndNobodyElse", func(b *broken) {
		b.resolve = func(name string, ids []source.ID) (string, []source.ID) { return name, ids[:min(1, len(ids))] }
	}},
	{"resolves one name to the next", "ResolveFindsWhoIsMeantAndNobodyElse", func(b *broken) {
		b.resolve = func(name string, ids []source.ID) (string, []source.ID) {
			return strings.Replace(name, "000001", "000002", 1), ids
		}
	}},
	{"ignores its context when it resolves", "ResolveFindsWhoIsMeantAndNobodyElse", func(b *broken) {
		b.deaf, b.resolve = true, func(name string, ids []source.ID) (string, []source.ID) { return name, ids }
	}},
	{"finds what nobody asked for", "FindSaysWhatIsCertain", func(b *broken) {
		b.find = func(ids []source.ID, found []source.Event) []source.Event {
			return slices.Collect(ok(b.AbleSource.All(context.Background())))
		}
	}},
}

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

// TestMutant is what the processes of [TestSuiteFindsEachMutant] run. By itself it runs
// the suite over the unbroken wrapper, which must pass.
func TestMutant(t *testing.T) {
	name := os.Getenv("DIRBRIDGE_MUTANT")
	sourcetest.Run(t, func(t *testing.T) sourcetest.Directory {
		mem := memsource.New("corp", &memsource.Options{MaxReferences: 10})
		faulty := fault.NewSource(mem)
		b := &broken{AbleSource: faulty, cut: source.ErrIncomplete}
		for _, m := range mutants {
			if m.name == name {
				m.breaks(b)
			}
		}
		return sourcetest.Directory{
			Source:   b,
			Put:      func(o source.Object) (source.ID, error) { return mem.Put(o), nil },
			Remove:   func(id source.ID) error { mem.Remove(id); return nil },
			Rename:   func(id source.ID, name string) error { mem.Rename(id, "CN="+name); return nil },
			MoveOut:  func(id source.ID) error { mem.MoveOut(id); return nil },
			MoveIn:   func(id source.ID) error { mem.MoveIn(id); return nil },
			Undelete: func(id source.ID) error { mem.Undelete(id); return nil },
			Group: func(o source.Object) (source.ID, error) {
				id := mem.Put(o)
				mem.Refer(id, "member") // groups have members from now on
				return id, nil
			},
			Refer: func(id source.ID, attribute string, add, remove []source.ID) error {
				mem.Unrefer(id, attribute, remove...)
				mem.Refer(id, attribute, add...)
				return nil
			},
			Cut: func(n int) error { faulty.Cut(n, b.cut); return nil },
		}
	})
}
