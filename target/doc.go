// Package target is the contract of the writing side: what a system has to
// offer so that the engine can keep it in step with a directory.
//
// Words used here and in all implementations:
//
//   - Object: one account or group as the target holds it.
//   - ID: the target's own identifier of an object, given by the target when it
//     is created.
//   - Anchor: the source anchor, the value that ties a target object to its
//     source object for good (onPremisesImmutableId). Written once, at creation.
//   - Change: one step from what the target holds to what it should hold, with
//     everything that is needed to carry it out. A target never sees a source.
//   - Owned: created by us, or adopted with somebody's approval. A target gets
//     changes only for objects that the engine owns.
//
// An author of a connector implements [Target] and whichever optional abilities
// the system has ([Batcher], [BinLister], [Deltaer], [Domainer], [Finder],
// [Kinder], [Protector], [Referrer], [Restorer]). Beside each
// ability stands a function that uses it or falls back, so that callers never
// assert types. Package targettest holds the conformance suite, package
// memtarget an in-memory target that passes it.
//
// This package depends on the standard library alone.
package target
