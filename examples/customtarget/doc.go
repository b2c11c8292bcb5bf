// Command customtarget shows how to write a target of your own: a file of JSON
// lines, one for each change. The connector is in jsonlines.go, its test in
// jsonlines_test.go runs the suite that every target has to pass.
//
//	go run ./examples/customtarget FILE
//
// prints the objects that the changes in FILE lead to.
//
// The target has none of the optional abilities: no batches, no domains, no bin.
// An engine that uses it looks objects up by reading them all, and a deletion is
// final.
package main
