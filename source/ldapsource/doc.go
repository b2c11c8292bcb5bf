// Package ldapsource reads people from Active Directory over LDAP, and groups,
// containers and references if asked to (Options.Kinds, Options.References).
//
// It implements [source.Source] and every optional ability: deltas by DirSync
// or USN, a cheap poll, look-ups by objectGUID and by name, and a check before
// the first run. It never writes to the directory.
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
//     Groups and containers are all of their class within the scope, CN=System's
//     containers and the built-in groups included.
//   - References: member and managedBy of groups, manager of people, identified by
//     objectGUID with the extended-DN control. A full read, a poll by USN and Find
//     tell sets whole, of a large one as many values at once as the server gives;
//     DirSync tells what came and went, and the group isn't read for that. The
//     members of a primary group aren't among its values, as everywhere in AD.
//   - Delta mode: DirSync where the account has the right "Replicating Directory
//     Changes", else polling by uSNChanged. Either only says which objects
//     changed; each of them is then given whole. Both need to see the container
//     Deleted Objects, or deletions never come: see [Source.Check].
//   - Watermark: names the domain controller's database (its invocationId), the
//     DirSync cookie or USN, highestCommittedUSN, the controller's own clock,
//     whether the account could see deletions, witnesses, and a hash of the
//     scope, the kinds and the references. Any doubt about one of them is [source.ErrWatermarkExpired], and its
//     text says which and what to do.
//   - Witnesses: the last 32 objects to have changed, wherever in the domain,
//     deleted ones too, with their USNs. See below.
//
// A read is complete only when the server said so: every page's control was
// there, the last cookie was empty (or DirSync's "more" was zero) and the result
// was success. Anything else is an error that wraps [source.ErrIncomplete].
//
// Every byte that a server sends passes a guard, which refuses large, deeply
// nested or indefinite BER before it is decoded. Credentials are sent only over
// TLS 1.2 or later with a verified name and chain. Referrals are never followed.
//
// Active Directory says nothing of a group when one of its members is deleted,
// renamed or moved, nor of the objects below a container that is: the tombstone,
// or the container, is all that comes. Where the scope is less than the domain, a
// container that came into it or left it brings everybody below as events of their
// own; a source that just started can't tell that from a rename, so it repeats
// them. An object that is undeleted refers to whom it does then, whole, and is told as
// revived in deltas, from then on each time (its lastKnownParent stays). Who doesn't refer to it any more, Confirm
// finds: by a search for those of the holders that lack it as a value, on the domain controller of
// the watermark. What the account may not see of member reads as an empty set;
// [Source.Empty] tells one from the other, by the other ends of the links.
//
// An account that can't see deleted objects may still be told of them by DirSync
// on Windows. What kind they were is then likely and not certain.
//
// It doesn't follow trusts, discover domain controllers or use
// Kerberos.
//
// # A restored domain controller
//
// A controller restored from an image without being told keeps its invocationId
// and gives out the USNs after the image a second time. An old cookie then finds
// nothing, without an error. Each delta, and each poll on a new connection,
// therefore asks first: highestCommittedUSN must not be lower than it was after
// the last read, no object but the witnesses may carry a USN of their range (a
// USN is given once), and each witness must carry the same one, from the same
// second, or a higher one than any seen. It costs one search, and one more to
// find the next witnesses (up to four in a domain whose last 256 changes lie
// elsewhere, in DNS zones for instance).
//
// What this can't see: an image from before the range of the witnesses, if since
// the restore every one of them was changed again, and every other object that
// was changed within their range was changed again later. Within the range,
// nothing is lost even then, since all of these are in the delta. Objects that
// the account may not see bear no witness. An account that can't see deletions
// is content with the last witness alone, since others may have been deleted,
// and reads everything when that one is gone. A full read, which the engine
// makes when asked to, sees what is there whatever happened.
package ldapsource
