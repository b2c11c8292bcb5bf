// Package attack has somebody who controls the whole directory go at the
// administrators of a tenant with history, as deterministic schedules: one seed,
// one story.
//
// The tenant has 200 people when the engine meets it first, ten of them with
// power over others: seven hold a role or own what holds one, three are only
// eligible. The directory belongs to the attacker, who gives its objects the
// administrators' names, addresses and anchors, moves, disables, deletes and
// restores them, and the operator approves every plan and may adopt whatever is
// proposed. [Run] carries a schedule out and says what went wrong:
//
//   - Without a file of pairs that somebody gave to Adopt, nothing of the 200
//     accounts changes.
//   - What is protected when a step begins isn't written in it, adopted, deleted,
//     or restored, and its manager stays.
//   - What is adopted was in the file, as it stood there.
//
// In the end a person whom nobody attacks has an account: an engine that does
// nothing is safe, too.
package attack
