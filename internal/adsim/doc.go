// Package adsim is an LDAP server in this process that answers like a domain
// controller of Active Directory, for tests, for the quick start, and for
// anybody who has no directory at hand.
//
//	dir := adsim.New(nil)
//	if err := dir.SeedPeople(1000, 1); err != nil { … }
//	srv, err := adsim.Start("127.0.0.1:0", dir)
//	if err != nil { … }
//	defer srv.Close()
//	// srv.URL(), srv.CAPEM(), dir.AccountDN(adsim.SyncName), adsim.SyncPassword, dir.BaseDN()
//
// A [Directory] is the database, a [Server] speaks for it. [Server.ServeConn]
// takes any [net.Conn], [net.Pipe] included, so that clients can be tested in a
// bubble of testing/synctest. A [Hook] makes operations fail.
//
// # What is simulated
//
// Simple binds over ldaps, StartTLS and plain LDAP; search (filters with AD's
// matching rules, paged results and ranges with Windows's limits, deleted
// objects, extended DNs, references), DirSync with pages, cookies and link
// values, polling by USN; add, modify, delete, rename, move, undelete, compare,
// whoami; tombstones and the recycle bin; back links; the rootDSE, the schema's
// entries, the NTDS Settings object, Directory Service. Access control knows
// three kinds of accounts ([Account]) and single hidden objects
// ([Directory.Hide]). A second domain controller ([Directory.Replica]) and one
// that was reset to an old image ([Directory.Restore]) can be had.
//
// Not simulated: SASL, the global catalogue, change notification, sorting,
// security descriptors, password policy, operational rules of the schema beyond
// syntax and number of values, other domains of a forest.
//
// # How it is known to be right
//
// The package's test plays one table of questions against this server and
// against a Samba domain controller and demands the same answers. With
// [Options].Samba the two agree in all but the listed exceptions. Where Windows
// is known to differ, the usual manner follows what Microsoft documents
// (ad-facts.md, marked [D] or [U] there); nobody has compared these with a
// Windows server:
//
//   - the limits of pages and values, the form of ranges, the error for a range
//     past the end
//   - DirSync's pages and moreResults, link values in entries of their own at
//     the end of a page, tombstones for an account with Get-Changes that can't
//     see CN=Deleted Objects, bare tombstones with OBJECT_SECURITY, and that the
//     right bypasses access control (so [Directory.Hide] shows with
//     OBJECT_SECURITY or in Samba's manner only)
//   - the refusal of dirsync flags in five bytes
//   - the success of a bind without a password, and whoami's text
//   - "data" in a refused bind other than 52e
//   - the recycle bin's undelete
//   - the host in references is the DNS domain, with ldap:// whatever the
//     connection
//   - all texts of errors but those of binds; codes are Samba's unless noted
//
// Text is compared without case, but with accents, which Windows leaves out of
// account too.
package adsim
