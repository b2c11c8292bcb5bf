// Package memtarget is a tenant in memory: a [target.Target] with all the
// optional abilities, the rules of Office 365 that matter to an engine, hands to
// change things behind its back, and counters of the calls it got.
//
// It is a fake, not a mock: it keeps the whole contract and passes the suite in
// package targettest. It checks what Microsoft Graph checks at the same point:
// required attributes at creation, unique names, addresses and anchors, verified
// domains, values that can't be cleared, and by option the longest values.
// Deleted objects lie in a bin until they are restored or purged.
//
// Groups have members (users and groups; a Microsoft 365 group has users alone
// and is in no group) and owners, users have a manager. An object in the bin is
// nobody's member, owner or manager, and is so again when it is restored.
//
//	tgt := memtarget.New("contoso", nil)       // contoso.onmicrosoft.com
//	tgt.VerifyDomain("contoso.com")
//
// What it doesn't do: break the contract on purpose or lag behind its own
// writes (package internal/fault of this module does the first).
package memtarget
