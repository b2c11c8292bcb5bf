// Package simulation runs the real engine, unmodified, in a world that isn't: a
// directory, a tenant and a store that live in memory, obey their contracts, and
// go wrong in every way that a seed has chosen. An oracle that shares no code with
// the engine looks at every write and, when all is calm again, at the end.
//
//	sched := simulation.Generate(seed)
//	result := simulation.Run(sched)   // in a testing/synctest bubble
//	if result.Violation != nil {
//		sched = simulation.Shrink(sched, ...)
//	}
//
// A [Schedule] is an explicit list of [Step]s: what people do to the directory and
// the tenant, and runs of the engine with what goes wrong in them. Any step can be
// left out and the rest still makes sense, so that a failing schedule shrinks to
// the few steps that matter. One seed gives one schedule, one schedule one trace.
//
// Time is package time in a bubble: calls take time, retries come due, accounts
// become visible, bins are emptied, clocks jump. Calls to the target are carried
// out one after the other in the order of their (seeded) latencies, however many
// are on the wire.
//
// See the tests for how to run it longer, and for a single seed.
package simulation
