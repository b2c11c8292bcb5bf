// Package memsource is a directory in memory: a [source.Source] with all the
// optional abilities and with hands to change what it holds.
//
// It is a fake, not a mock: it keeps the whole contract and passes the suite in
// package sourcetest. Use it to test an engine, mapping rules or a program of
// your own without a directory.
//
//	src := memsource.New("corp", nil)
//	ann := src.Put(source.Object{Attributes: source.Attributes{"displayName": {"Ann"}}})
//	src.Remove(ann) // the next delta says Deleted, with its tombstone as evidence
//
// Groups and containers are objects with that Kind; whom an object refers to is
// changed by hands of its own:
//
//	staff := src.Put(source.Object{Kind: source.Group, Attributes: source.Attributes{"displayName": {"Staff"}}})
//	src.Refer(staff, "member", ann)
//
// As in Active Directory, deleting an object takes it out of what others refer to,
// and no event of those says so, not even when the object is undeleted: it is told
// as revived, and Confirm denies what it lost.
//
// What it doesn't do: break the contract on purpose (package internal/fault of
// this module does), or behave as Active Directory does in detail (attributes
// lost in tombstones, values hidden by rights).
package memsource
