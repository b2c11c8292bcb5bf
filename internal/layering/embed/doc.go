// Command embed is a program that embeds the engine: people from Active
// Directory go to a target of its own, a telephone list. It exists to be
// measured. It must build without a module of the Graph SDK being downloaded or
// compiled, from an empty build cache in less than 30 seconds on two cores; the
// layering tests hold the first, .ci/run and .ci/nightly measure the second.
//
// It uses only public packages, so that a copy of it builds in any module.
package main
