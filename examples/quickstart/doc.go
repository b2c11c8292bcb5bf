// Command quickstart shows in a minute what this library does. It needs
// nothing but Go:
//
//	go run ./examples/quickstart
//
// A made-up company's Active Directory is played on a loopback address and read
// over real LDAP with TLS, as a real one is. The tenant is one in memory, so
// that Microsoft's large SDK needn't be compiled; see examples/dirbridge for the
// program that uses it. What the engine remembers is kept in a file, in a
// directory that is removed at the end.
//
// The files in the order in which to read them: main.go (how an engine is put
// together), company.go (who is in the directory), story.go (what happens),
// tell.go (how it is printed).
package main
