// Package fault holds wrappers that break the contracts on purpose: [Source],
// [Target] and [Store] pass all calls on to an implementation that keeps its
// contract, until they were told to fail, cut, stall, repeat or reorder.
//
// What goes wrong is said beforehand and counted in calls, so that a test can
// put one fault at each step of a run, one after the other:
//
//	for n := 1; ; n++ {
//		tgt := fault.NewTarget(memtarget.New("contoso", nil))
//		tgt.OnWrite(n, fault.Fault{Err: errors.New("connection lost"), Done: true})
//		// run, run again, compare
//		if tgt.Writes() < n {
//			break // the fault was never reached
//		}
//	}
//
// A wrapper implements each optional ability itself, which is why it asks for an
// inner value that has all of them. It is safe for concurrent use if the inner
// value is. For tests only.
package fault
