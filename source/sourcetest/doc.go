// Package sourcetest is the conformance suite of package source: it holds an
// implementation of [source.Source] against every sentence of the contract.
//
// A connector's own test opens a [Directory], which is the Source under test and
// hands to change the world behind it, and runs the suite:
//
//	func TestContract(t *testing.T) {
//		sourcetest.Run(t, func(t *testing.T) sourcetest.Directory {
//			dir := newTestDirectory(t)
//			return sourcetest.Directory{
//				Source: dir.Source(),
//				Put:    dir.Put,
//				Remove: dir.Remove,
//			}
//		})
//	}
//
// Only Source and Put are needed. A test that needs a hand which is missing, or
// which returns [errors.ErrUnsupported], is skipped with a word that says so;
// optional abilities are tested when the Source has them.
//
// The directory may hold other objects before and meanwhile (a real one does):
// the suite judges what is said about its own objects, and the form of all.
//
// What it can't test: goroutines and connections left behind (use a leak
// detector in your own test), and whether a directory that was cut off really
// ends in an error on the wire (offer [Directory.Cut]).
package sourcetest
