// Package source is the contract of the reading side: what a directory has to
// offer so that the engine can keep a target in step with it.
//
// Words used here and in all implementations:
//
//   - Object: one directory entry as it is now, whole, never a difference.
//   - ID: the source's own immutable identifier of an object. For Active
//     Directory that is objectGUID in its usual text form; it survives renames
//     and moves and is never used again for another object. A DN is a place,
//     not an identity.
//   - Event: something the source says about one object ([Upsert], [Left],
//     [Deleted], [Unreadable], [Refers]), or a [Checkpoint].
//   - References: what an object says about others (members, a manager). They
//     come as events of their own ([Refers]), by value, never as attributes.
//   - Watermark: the source's own note of how far a reader has come. Opaque to
//     everybody else.
//   - Tombstone: what a directory keeps of a deleted object for some time. Only
//     a tombstone (or an equally positive statement) is proof of a deletion;
//     absence from a read proves nothing.
//
// An author of a connector implements [Source] and whichever optional abilities
// the directory has ([DeltaSource], [Poller], [Finder], [Confirmer], [Resolver],
// [Checker]). Beside each
// ability stands a function that uses it or says that it is missing, so that
// callers never assert types. Package sourcetest holds the conformance suite:
// run it against your implementation. Package memsource is an editable
// directory in memory that passes it.
//
// This package depends on the standard library alone. It holds nothing that
// only one vendor needs.
package source
