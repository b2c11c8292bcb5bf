// Package targettest is the conformance suite of package target: it holds an
// implementation of [target.Target] against every sentence of the contract.
//
// A connector's own test opens a [Harness], which is the Target under test, what
// is special about it, and hands to change the world behind it:
//
//	func TestContract(t *testing.T) {
//		targettest.Run(t, func(t *testing.T) targettest.Harness {
//			return targettest.Harness{Target: newTestTarget(t), Domain: "example.com"}
//		})
//	}
//
// Only Target and Domain are needed. A test that needs a hand or a statement
// which is missing is skipped with a word that says so; optional abilities are
// tested when the Target has them.
//
// Groups are tested if the target's Kinds say that it has them, references if it
// is a [target.Referrer]. Of groups, the suite writes displayName, mailNickname,
// description and, if it takes them, groupTypes.
//
// The suite writes the attributes in [Names] and judges only its own objects; a
// target may hold others. It expects to read its own writes at once, but for
// what [Harness.HideNew] hides.
package targettest
