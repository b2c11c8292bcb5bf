// Package ldapsource reads people from Active Directory over LDAP.
//
// It implements [source.Source] and every optional ability: deltas by DirSync
// or USN, a cheap poll, a look-up by objectGUID, and a check before the first
// run. It never writes to the directory.
//
//	src, err := ldapsource.New(
//		[]string{"ldaps://dc1.corp.example.com"},
//		[]string{"DC=corp,DC=example,DC=com"},
//		ldapsource.Credentials{User: "svc-sync@corp.example.com", Password: password},
//		&ldapsource.Options{RootCAs: pool},
//	)
//
// Words used here:
//
//   - Scope: the base DNs, each with everything below it, and there people:
//     objects of class user that are no computers, managed service accounts or
//     trusts. The domain controller judges the scope of a full read, this
//     package that of a delta, since DirSync knows no scope but a whole domain.
//   - Delta mode: DirSync where the account has the right "Replicating Directory
//     Changes", else polling by uSNChanged. Either only says which objects
//     changed; each of them is then given whole. Both need to see the container
//     Deleted Objects, or deletions never come: see [Source.Check].
//   - Watermark: names the domain controller's database (its invocationId), the
//     DirSync cookie or USN, highestCommittedUSN, the controller's own clock, a
//     witness (the entry with the highest uSNChanged seen), and a hash of the
//     scope. Any doubt about one of them is [source.ErrWatermarkExpired].
//
// A read is complete only when the server said so: every page's control was
// there, the last cookie was empty (or DirSync's "more" was zero) and the result
// was success. Anything else is an error that wraps [source.ErrIncomplete].
//
// Every byte that a server sends passes a guard, which refuses large, deeply
// nested or indefinite BER before it is decoded. Credentials are sent only over
// TLS 1.2 or later with a verified name and chain. Referrals are never followed.
//
// It doesn't read groups, follow trusts, discover domain controllers or use
// Kerberos.
package ldapsource
