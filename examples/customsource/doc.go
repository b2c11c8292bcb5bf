// Command customsource shows how to write a source of your own: a CSV file of
// people. The connector is in csv.go, its test in csv_test.go runs the suite
// that every source has to pass.
//
//	go run ./examples/customsource [FILE]
//
// brings the people of the file into a tenant in memory and prints what it did.
// The first line of the file names the
// attributes, spelt as in Active Directory, and the column "id", which holds
// what identifies a person for good. Several values in one field stand in lines
// of their own.
//
// The file can't tell what changed (no [source.DeltaSource]), so each run reads
// all of it; and since a missing line proves nothing, nobody is removed because
// of it. It can tell that nothing changed at all ([source.Poller]).
package main
