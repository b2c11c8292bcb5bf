// Package dirsync is the engine: it keeps a target in step with a source and
// remembers in a store what it did.
//
//	eng, err := dirsync.New(src, tgt, store, nil)
//	...
//	report, err := eng.Sync(ctx, nil)
//
// # One run
//
// [Engine.Sync] is a straight line. The source is read: a delta if it can tell
// what changed since the watermark, everything in the first run, when asked and
// when the source is in doubt. What changed is remembered as due, in one commit
// with the new watermark; from here on nothing can be lost. What was on the wire
// when an earlier run died is settled: repeated if the source still stands
// behind it, looked up if not. Every due object is
// mapped, the names that our own objects want are settled among them, and each
// gets at most one change: create, update, disable, enable, delete, restore. The
// plan lies in the store, in the order in which it will be applied, and has a
// hash. The guard looks at it whole. Then it is carried out, batch by batch: the
// intents are made durable, the target is called, the outcomes are settled in
// plan order. Some outcomes (a refused domain, an account found in the bin, a
// name that became free) lead to another round of planning in the same run.
//
// # Groups and references
//
// Who is a member of a group, who owns it, and who is somebody's manager are
// references: each is remembered for itself, planned behind the objects of the
// same plan, and written as a difference, so that a group's size costs nothing.
// One that points at somebody without an account waits for it. It needs a source
// that was asked for references, and a target that is a [target.Referrer].
//
// # Plans and somebody's word
//
// A plan that exceeds a budget of [plan.Limits] halts the run, and waits:
//
//	report, err := eng.Sync(ctx, nil)
//	if errors.Is(err, dirsync.ErrHalted) {
//		p, err := eng.Waiting(ctx) // what it would do, and its hash
//		...
//		err = eng.Approve(ctx, p.Hash, "ann@contoso.com", time.Now().Add(24*time.Hour))
//		report, err = eng.Sync(ctx, nil) // carries it out, if it still stands
//	}
//
// [Engine.Plan] makes such a plan without being halted, and [Engine.Apply]
// carries out just that one; [Engine.Reject] holds its changes back. [Engine.Undo]
// plans the inverse of a run. [Engine.Preview] writes nothing at all.
//
// # Who is synchronized
//
// The source gives whom it reads; [Options.Scope] takes some of them, by the
// containers in which they lie and by conditions on their attributes. Containers
// are known by their IDs: renamed or moved within the scope, nothing happens.
// Whoever leaves the scope is disabled, by default, within the budget of
// removals. Whoever leaves it because the scope itself was changed needs
// somebody's approval.
//
// # What it promises
//
//   - A member leaves a group by the group's own word alone.
//   - Only owned objects are written: those that this engine created, and those
//     that somebody gave it, pair by pair ([Engine.Match], [Engine.Adopt]). An
//     account that carries our anchor without being ours is reported.
//   - Accounts of administrators, and those that [Options.Protected] lists, are
//     never written, also if they gain their role later; who can't be told to be
//     none counts as one.
//   - Absence never removes anything. A removal needs a tombstone, or an object
//     that was seen out of scope.
//   - A plan that exceeds a budget of [plan.Limits] isn't begun.
//   - Every call that is meant to change something has a record in the audit
//     ([Options.Audit]), also after a crash at any moment.
//   - What others changed at our accounts is found, and put back or reported
//     ([Options.Drift]); nobody is fought for ever.
//   - Objects that didn't change cost neither a write nor a read at the target,
//     but for the look at all of them every [Options.Reconcile].
//   - An object that fails is remembered, tried again later, and holds back
//     neither the others nor the watermark.
//   - A crash at any moment repeats at most the calls that were on the wire, and
//     repeating is harmless.
//
// # What it doesn't do
//
// It has no timer ([schedule] has), reads no flags and no environment, and logs
// no names and no values.
//
// docs/safety.md says which test holds which promise.
//
// [schedule]: https://pkg.go.dev/github.com/dirbridge/dirbridge/dirsync/schedule
package dirsync
