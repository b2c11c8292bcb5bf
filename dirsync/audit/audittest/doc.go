// Package audittest is the conformance suite of [audit.Sink]: each sentence of
// the contract is a test, and its name says which.
//
// The test file of a sink is a few lines:
//
//	func TestSink(t *testing.T) {
//		audittest.Run(t, func(t *testing.T) (audit.Sink, func() []audit.Record) {
//			s := mysink.New(t.TempDir())
//			return s, s.Records
//		})
//	}
//
// [RunDurable] adds what must hold when a sink is closed and opened again. That
// records survive a loss of power, and what a crash leaves behind, a sink has to
// test for itself; package audit does so for its file.
//
// The suite needs nothing but the standard library. A rule that a bug teaches
// goes in here first.
package audittest
