package targettest

import (
	"context"
	"errors"
	"testing"

	"github.com/dirbridge/dirbridge/target"
)

// A Harness is a Target under test with what is special about it and hands to
// change the world behind it. All but Target and Domain are optional; a hand
// that can't may also return [errors.ErrUnsupported].
type Harness struct {
	// Target is what is tested.
	Target target.Target

	// Domain is one in which users' names are accepted ("contoso.com").
	Domain string

	// Unverified is a domain in which names are refused with
	// [target.ErrDomainNotVerified]. Empty for a target without such domains.
	Unverified string

	// Unique are the attributes whose values only one live object may have,
	// without regard to case: of userPrincipalName and mail.
	Unique []string

	// Refuses are values, by attribute, that the target refuses with
	// [target.ErrInvalid] when one of them is written: too long, empty.
	Refuses target.Attributes

	// Add puts an object into the target behind our back, as an
	// administrator does. O has what is in [Names].
	Add func(o target.Object) (target.ID, error)

	// Remove deletes a live object behind our back.
	Remove func(id target.ID) error

	// Verify makes the target take names in a domain, or refuse them.
	Verify func(domain string, verified bool) error

	// Protect makes an object one that a [target.Protector] protects, or ends
	// that.
	Protect func(id target.ID, on bool) error

	// LoseReplies makes the target carry out the next n calls that write, and
	// lose their replies.
	LoseReplies func(n int) error

	// HideNew makes the target not show objects that are created from now on
	// (true), until all are shown (false): replication that lags.
	HideNew func(hide bool) error
}

// Names returns the attributes that the suite writes. OtherMails has several
// values.
func Names() []string {
	return []string{"accountEnabled", "department", "displayName", "givenName", "jobTitle", "mail", "mailNickname",
		"otherMails", "surname", "userPrincipalName"}
}

// Run checks the contract against targets made by open, a new one for each test,
// without objects of the suite's.
func Run(t *testing.T, open func(t *testing.T) Harness) {
	for _, tt := range []struct {
		name string
		test func(*world)
	}{
		{"NameIsStableAndLegal", testName},
		{"CreateMakesAnObject", testCreate},
		{"ARepeatedCreateMakesOneObject", testCreateRepeated},
		{"UpdateWritesWhatItNamesAndNothingElse", testUpdate},
		{"AnAttributeWithoutValuesIsCleared", testClear},
		{"ValuesAreASet", testSet},
		{"DisableAndEnableTurnTheAccountOffAndOn", testSwitch},
		{"DeleteTakesAnObjectAway", testDelete},
		{"WhatIsGoneIsNotFound", testGone},
		{"RestoreBringsTheObjectBack", testRestore},
		{"ObjectsAndChangesShareNoMemoryWithTheTarget", testMemory},
		{"ACancelledContextEndsEachCall", testCancelled},
		{"DifferentObjectsAreWrittenConcurrently", testConcurrent},

		{"ANameThatIsTakenIsRefusedWithItsAttribute", testExists},
		{"ANameInAnUnverifiedDomainIsRefused", testDomain},
		{"AValueThatIsRefusedIsNamed", testInvalid},

		{"CurrentYieldsEveryLiveObject", testCurrent},
		{"FindAnswersEachKeyInOrder", testFind},
		{"DomainsAreInOrder", testDomains},
		{"AnUpdateWritesAnAnchorWhereThereIsNone", testStamp},
		{"WhoIsProtectedIsKnownAtOnce", testProtected},
		{"ABatchHasAnOutcomeForEachChange", testBatch},
		{"ABatchOfOneOrNoneIsABatch", testSmallBatch},

		{"ChangesTellsWhatHappenedSinceAToken", testChanges},
		{"ChangesTellsWhatOthersDid", testForeignChanges},
		{"ATokenThatIsNotKnownIsExpired", testTokens},
		{"ChangesTellsWhatHappenedToGroups", testGroupChanges},
		{"ChangesTellsOfMembersByValue", testMemberChanges},
		{"SingleReferencesAreFound", testFindRefs},

		{"ALostReplyIsAnUnknownOutcomeThatConverges", testLost},
		{"ALostReplyInABatchConverges", testLostBatch},
		{"WhatIsNotShownYetIsNotMissing", testHidden},

		{"GroupsAreMadeByTheirUniqueName", testGroupCreate},
		{"GroupsAreChangedAndDeleted", testGroupChange},
		{"ALostReplyMakesNoSecondGroup", testGroupLost},
		{"NicknamesOfMicrosoft365GroupsAreUnique", testNickname},
		{"LimitsOfReferencesAreSaid", testRefLimit},
		{"ReferencesAreAddedAndRemoved", testRefs},
		{"ReferencesBeyondOneChangeAreRead", testManyRefs},
		{"OneRefusedReferenceStopsNoOther", testRefused},
		{"ReferencesOfWhatIsGoneAreNotFound", testRefsGone},
		{"WhatIsDeletedIsNobodysMemberUntilItIsRestored", testDeletedMember},
		{"TheManagerIsOne", testManager},
		{"ALostReplyOfReferencesConverges", testRefsLost},
		{"AMemberThatIsNotShownYetIsNotMissing", testRefsHidden},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := open(t)
			if h.Target == nil || h.Domain == "" {
				t.Fatal("the Harness has no Target or no Domain")
			}
			tt.test(&world{T: t, Harness: h})
		})
	}
}

// A world is one test's target.
type world struct {
	*testing.T
	Harness
}

func (w *world) ctx() context.Context { return w.Context() }

// need skips the test if the harness lacks something.
func (w *world) need(what string, has bool) {
	w.Helper()
	if !has {
		w.Skipf("skipped: this Harness has no %s", what)
	}
}

// must skips or fails the test if a hand could not do its work.
func (w *world) must(hand string, err error) {
	w.Helper()
	if errors.Is(err, errors.ErrUnsupported) {
		w.Skipf("skipped: this target can't %s", hand)
	}
	if err != nil {
		w.Fatalf("the hand %s: %v", hand, err)
	}
}
