// Package layering holds no code, only the tests that keep the arrows of this
// module true: who may import whom, which package alone names a heavy module,
// and what a program that embeds the engine never has to compile. They ask the
// go command and use no other tool.
//
// Below it lie two programs that exist to be compiled: embed, an engine with
// Active Directory on one side and a target of its own on the other, and readme,
// the example of README.md.
package layering
