// Package graphsim is an HTTP server that answers like Microsoft Graph v1.0, for
// tests and for trying a client without a tenant:
//
//	tenant := graphsim.New(&graphsim.Options{Domains: []string{"contoso.com"}})
//	server, err := tenant.Start("127.0.0.1:0")
//	// point the client at server.URL with the bearer token server.Token
//
// It stands on the standard library. Its own tests check every exchange against
// Microsoft's description of the API; see package contract.
//
// # What is simulated
//
//   - /users: create, list ($select, $filter, $top, paging), count; read, update
//     and delete by object id or userPrincipalName
//   - /users/delta: all users, $deltatoken=latest, and what changed since, with
//     deletions; tokens that expire
//   - /groups: create, upsert by uniqueName, list, read, update, delete; security
//     and Microsoft 365 groups; distribution lists, mail-enabled security groups
//     and role-assignable groups are read-only
//   - members and owners of groups: list, add one or up to 20 all-or-nothing,
//     remove; the manager of a user; no references to or from what is deleted,
//     until it is restored
//   - /domains and /organization, read-only
//   - /directory/deletedItems: list of users or groups, read, restore, purge
//   - /$batch with up to 20 parts, dependsOn, answers in any order
//   - required, read-only, over-long, malformed and null values; verified and
//     federated domains; uniqueness of names, addresses and anchors; users that
//     another system of record owns; administrators that are protected; the bin
//     of thirty days; the quota of objects
//   - the error bodies that were recorded, with request-id and details
//   - tokens and, with [Options.Permissions], the application permission that each
//     endpoint needs
//   - throttling by token buckets with Microsoft's numbers ([MicrosoftLimits])
//   - replication lag ([Options.Lag]): a new user can't be read for a while, but
//     its names are taken at once
//   - gzip both ways; HTTP that goes wrong ([Fault])
//
// Time is package time, so all of it works in a testing/synctest bubble, where
// [Tenant.Transport] takes the place of the network.
//
// # What isn't
//
// Contacts, licences, deltas of groups, transitive members, dynamic membership, $expand, $search,
// $orderby, extension_ properties, ETags, and properties that live outside the
// directory. They are answered with an error, never with an invented success.
// Passwords are checked and forgotten. An accepted write is visible to the next
// request unless a lag is set; the real service gives no such promise.
//
// # Switches
//
// Where the service's behaviour isn't documented, or was seen both ways, a field
// of [Switches] chooses; the first column is the default:
//
//	default                                  switched                      field
//	second user with an anchor: 400          500; accepted                 DuplicateAnchor
//	anchor of a deleted user is free         counts as taken               DeletedAnchorBlocks
//	$filter on anchors is exact              ignores case                  AnchorFilterIgnoresCase
//	anchor null clears                       400                           NullAnchorRefused
//	mail null: 400                           clears                        NullMailAccepted
//	usageLocation null: 400                  clears                        NullUsageLocationAccepted
//	accountEnabled null: 400                 clears                        NullAccountEnabledAccepted
//	UPNs differ by more than case            case is enough                UPNCaseSensitive
//	addresses differ by more than case       case is enough                ProxyCaseSensitive
//	conflict names the holder in details     only ObjectConflict           NoConflictingObjects
//	read-only property refused by name       in general terms; ignored     ReadOnly
//	a deleted user's UPN gets a prefix       stays                         DeletedUPNKept
//	a deleted user's UPN is free             counts as taken               DeletedUPNBlocks
//	deleted users: a quarter of the quota    in full                       DeletedCountsInQuota
//	synced user can't be deleted             can                           SyncedDeleteAllowed
//	administrators: sensitive properties     all properties                ProtectedWholly
//	User.DeleteRestore.All is enough         403                           DeleteRestoreRefused
//	429 has Retry-After in whole seconds     none; with fractions          NoRetryAfter, FractionalRetryAfter
//	429 says TooManyRequests                 any code                      ThrottleCode
//	refused requests use up quota            they don't                    FreeRejections
//	401 says InvalidAuthenticationToken      any code                      UnauthenticatedCode
//	expired page token: 400                  410                           PageTokenGone
//	expired delta token: 410                 400                           DeltaTokenRefused
//	a change comes once in a delta           the last ones come again      DeltaReplays
//	$filter takes 15 comparisons             any number                    MaxFilterClauses
//	securityIdentifier only with $select     always                        SecurityIdentifierByDefault
//	batch parts in any order                 in the request's order        BatchInOrder
//	deletions, updates visible at once       after the lag                 LagDeletes, LagUpdates
//	deleted security groups are restorable   gone for good                 SecurityGroupsPurged
//	20 members by PATCH cost one write       seven                         BindsCostThirds
//	a missing member is named                the group is                  UnnamedReferences
//	removing a non-member: 404               400                           NonMemberAs400
//	writes to one group in a batch pass      409 without dependsOn         BatchCollides
//	values kept as sent                      white space cut off           TrimsValues
//
// A few texts are our wording where no recording was at hand: those for wrong
// JSON types, weak passwords, the quota of objects, expired page tokens and most
// of $batch's own refusals. Clients are to go by status and code.
package graphsim
