// Package mutation proves that the simulation bites: it plants bugs in the
// engine, one at a time, and has the simulation find each of them.
//
// Nothing but tests is here. A bug is a row of a table: a file of the engine,
// a text that occurs in it once, and what somebody could have written there. The
// ordinary test sees that no row rots. With DIRBRIDGE_MUTANTS=1 each bug is
// compiled into the simulation with the go command's -overlay, so that no file of
// the tree is touched, and has to break an invariant within 10,000 seeds, which
// the engine as it is survives.
//
// Three that survive 10,000 seeds aren't among the rows, since something else in
// the engine seems to make them harmless. That is an argument, not a proof:
//   - a complete read that ends without a checkpoint counts as complete: each
//     object that it didn't give is looked up, and the next read is complete too;
//   - who gives a name up erases whoever is noted as its holder: nobody else
//     should be;
//   - who left gives up the claims on its names: the index of holders keeps them.
//
// Some of the simulation's stories (stories.go) were written because a bug
// survived without them. The score says that these bugs are found, not how many
// of others would be.
package mutation
