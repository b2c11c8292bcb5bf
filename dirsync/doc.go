// Package dirsync is the engine: it keeps a target in step with a source and
// remembers in a store what it did.
//
//	eng, err := dirsync.New(src, tgt, store, nil)
//	...
//	report, err := eng.Sync(ctx, nil)
//
// # One run
//
// [Engine.Sync] is a straight line. What was on the wire when an earlier run
// died is settled first. Then the source is read: a delta if it can tell what
// changed since the watermark, everything in the first run, when asked and when
// the source is in doubt. What changed is remembered as due, in one commit with
// the new watermark; from here on nothing can be lost. Every due object is
// mapped, the names that our own objects want are settled among them, and each
// gets at most one change: create, update, disable, enable, delete, restore. The
// plan lies in the store, in the order in which it will be applied, and has a
// hash. The guard looks at it whole. Then it is carried out, batch by batch: the
// intents are made durable, the target is called, the outcomes are settled in
// plan order. Some outcomes (a refused domain, an account found in the bin, a
// name that became free) lead to another round of planning in the same run.
//
// # What it promises
//
//   - Only owned objects are written: those that this engine created. An account
//     that carries our anchor without being ours is reported.
//   - Absence never removes anything. A removal needs a tombstone, or an object
//     that was seen out of scope.
//   - A run that would remove more than [plan.Limits] allow writes nothing.
//   - Objects that didn't change cost neither a write nor a read at the target.
//   - An object that fails is remembered, tried again later, and holds back
//     neither the others nor the watermark.
//   - A crash at any moment repeats at most the calls that were on the wire, and
//     repeating is harmless.
//
// # What it doesn't do
//
// It has no timer ([schedule] has), reads no flags and no environment, and logs
// no names and no values. It doesn't look for changes that others make at the
// target.
//
// [schedule]: https://pkg.go.dev/github.com/dirbridge/dirbridge/dirsync/schedule
package dirsync
