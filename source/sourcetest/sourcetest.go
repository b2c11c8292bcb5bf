package sourcetest

import (
	"context"
	"errors"
	"testing"

	"github.com/dirbridge/dirbridge/source"
)

// A Directory is a Source under test with hands to change the world behind it.
// The hands may be used while a read is on its way. They return when the change
// is there to be read. All but Source and Put are optional: nil means that there
// is no such hand.
type Directory struct {
	// Source is what is tested. It was given no read yet.
	Source source.Source

	// Put makes the directory hold o, and returns its ID. With an empty o.ID
	// it creates an object in scope, else it changes that one: of the
	// attributes in [Names], o has all that it should have. Every o has at
	// least displayName and sAMAccountName; the rest of what a new object
	// needs, its place included, is up to Put.
	Put func(o source.Object) (source.ID, error)

	// Keeps are the names among [Names] that the Source gives back just as
	// they were put. Nil means all.
	Keeps []string

	// Remove deletes the object.
	Remove func(id source.ID) error

	// Rename gives the object another name (an RDN, "Ann Other"), so another
	// DN, within the scope.
	Rename func(id source.ID, name string) error

	// MoveOut and MoveIn move the object out of the Source's scope and back.
	MoveOut func(id source.ID) error
	MoveIn  func(id source.ID) error

	// Undelete brings a removed object back under its old ID. It may have
	// lost attributes.
	Undelete func(id source.ID) error

	// Group makes the directory hold a group, under the rules of Put. Of the
	// attributes in Names, groups have displayName, sAMAccountName and perhaps
	// mail. With it, Remove, MoveOut and MoveIn work on groups too.
	Group func(o source.Object) (source.ID, error)

	// Refer makes the object id refer to add by attribute, and to remove no
	// more: a group by member (with Group), a person by manager, which is one
	// at most. It returns [errors.ErrUnsupported] for an attribute that the
	// Source doesn't tell.
	Refer func(id source.ID, attribute string, add, remove []source.ID) error

	// Container makes a container in the scope, called name, within another
	// one, or anywhere if parent is "". With it, Remove (of one in which
	// nothing lies) and Rename work on containers too.
	Container func(name string, parent source.ID) (source.ID, error)

	// Place moves the object into a container.
	Place func(id, container source.ID) error

	// Cut makes the next read break after n entries, as a lost connection
	// does. It is asked for fewer entries than there are.
	Cut func(n int) error

	// Foreign returns a watermark in good form that isn't the Source's: of
	// another directory, or older than it keeps its tombstones.
	Foreign func() (source.Watermark, error)
}

// Names returns the attributes that the suite puts. They are spelt as in Active
// Directory's schema; otherMailbox has several values.
func Names() []string {
	return []string{"displayName", "givenName", "mail", "otherMailbox", "sAMAccountName", "sn", "title", "userPrincipalName"}
}

// Run checks the contract against directories made by open, a new one for each
// test, without objects of the suite's.
func Run(t *testing.T, open func(t *testing.T) Directory) {
	for _, tt := range []struct {
		name string
		test func(*world)
	}{
		{"NameIsStableAndLegal", testName},
		{"AllYieldsEveryObjectAndACheckpointLast", testAll},
		{"ObjectsAreWholeAndInOrder", testWhole},
		{"AllYieldsWhatIsThereNow", testNow},
		{"AnUnchangedObjectReadsEqualTwice", testEqualTwice},
		{"EventsShareNoMemoryWithTheSource", testMemory},
		{"BreakReleasesTheSource", testBreak},
		{"ACancelledContextEndsInItsError", testCancelled},
		{"ACutReadEndsInAnErrorAndIsMadeUpFor", testCut},

		{"SinceGivesWhatWasCreatedAndChanged", testSinceChanged},
		{"SinceGivesRenamesUnderTheSameID", testSinceRenamed},
		{"SinceGivesDeletionsWithEvidence", testSinceDeleted},
		{"SinceGivesWhatLeftAndCameBack", testSinceLeft},
		{"SinceGivesWhatWasUndeleted", testSinceUndeleted},
		{"SinceGivesTheSameTwice", testSinceTwice},
		{"SinceIsQuietWhenNothingChanged", testSinceQuiet},
		{"SinceResumesFromAnyCheckpoint", testResume},
		{"SinceNothingIsFromTheBeginning", testSinceEmpty},
		{"TheWatermarkIsTakenBeforeTheFirstObject", testBefore},
		{"ADoubtfulWatermarkHasExpired", testExpired},
		{"ACancelledContextEndsADelta", testSinceCancelled},
		{"ACutDeltaLosesNothing", testSinceCut},
		{"AReaderThatFollowsKnowsWhatIsThere", testFollow},

		{"GroupsAreObjectsOfTheirKind", testGroups},
		{"ACompleteReadTellsReferencesWhole", testRefsWhole},
		{"ADeltaTellsReferences", testRefsDelta},
		{"WhoLeavesRefersToNobody", testRefsLeft},
		{"ADeletedObjectIsNotReferredTo", testRefsDeleted},
		{"AManagerIsAReference", testManager},
		{"ACutReadLeavesReferencesUnfinished", testRefsCut},
		{"FindTellsReferencesWhole", testRefsFind},
		{"AReaderThatFollowsKnowsTheReferences", testRefsFollow},
		{"WhoCameBackIsToldSoAndIsDenied", testRevived},
		{"ConfirmDeniesOnlyWhatIsCertain", testConfirm},
		{"ObjectsSayWhereTheyLie", testContainers},

		{"PollIsFalseOnlyWhenNothingChanged", testPoll},
		{"FindSaysWhatIsCertain", testFind},
		{"FindNeverTakesAbsenceForDeletion", testFindUnknown},
		{"ResolveFindsWhoIsMeantAndNobodyElse", testResolve},
		{"ResolveTakesANameLiterally", testResolveLiterally},
		{"CheckHasItsFindingsInOrder", testCheck},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := open(t)
			if d.Source == nil || d.Put == nil {
				t.Fatal("the Directory has no Source or no Put")
			}
			tt.test(&world{T: t, Directory: d, people: map[source.ID]source.Object{}, refs: map[refKey]idSet{}})
		})
	}
}

// A world is one test's directory, with what the suite knows to be in it.
type world struct {
	*testing.T
	Directory
	people map[source.ID]source.Object // in scope, groups too
	refs   map[refKey]idSet            // whom those that exist refer to
}

func (w *world) ctx() context.Context { return w.Context() }

// put makes the directory hold o.
func (w *world) put(o source.Object) source.ID {
	w.Helper()
	id, err := w.Put(o)
	if err != nil {
		w.Fatalf("the hand Put: %v", err)
	}
	if o.ID != "" && id != o.ID {
		w.Fatalf("the hand Put changed the ID %q to %q: a change keeps the ID", o.ID, id)
	}
	o.ID = id
	w.people[id] = o
	return id
}

// need skips the test if a hand is missing.
func (w *world) need(hand string, has bool) {
	w.Helper()
	if !has {
		w.Skipf("skipped: this directory has no hand %s", hand)
	}
}

// must skips or fails the test if a hand could not do its work.
func (w *world) must(hand string, err error) {
	w.Helper()
	if errors.Is(err, errors.ErrUnsupported) {
		w.Skipf("skipped: this directory can't %s", hand)
	}
	if err != nil {
		w.Fatalf("the hand %s: %v", hand, err)
	}
}

func (w *world) remove(id source.ID) {
	w.Helper()
	w.need("Remove", w.Remove != nil)
	w.must("Remove", w.Remove(id))
	delete(w.people, id)
	forget(w.refs, id)
	for _, set := range w.refs {
		delete(set, id)
	}
}

func (w *world) moveOut(id source.ID) {
	w.Helper()
	w.need("MoveOut", w.MoveOut != nil)
	w.must("MoveOut", w.MoveOut(id))
	delete(w.people, id)
}

// delta returns the Source as a DeltaSource, or skips the test.
func (w *world) delta() source.DeltaSource {
	w.Helper()
	d, ok := w.Source.(source.DeltaSource)
	if !ok {
		w.Skip("skipped: this Source has no deltas")
	}
	return d
}
