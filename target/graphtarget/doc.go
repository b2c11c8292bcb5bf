// Package graphtarget is the [target.Target] for Office 365: the users of one
// tenant and, with [Options.Groups], its groups, by way of Microsoft Graph.
//
//	cred, err := graphtarget.Certificate("contoso.onmicrosoft.com", clientID, pem, "", nil)
//	...
//	t, err := graphtarget.New("contoso.onmicrosoft.com", cred, nil)
//
// # Permissions
//
// The application needs these application permissions, with an
// administrator's consent, and no directory role:
//
//   - User.ReadWrite.All: create, read, update, enable, disable, delete, restore
//   - Domain.Read.All: the tenant's domains
//
// To know who is an administrator, and so must not be written (see
// [Target.Protected]), it needs to read:
//
//   - RoleManagement.Read.Directory: who holds a directory role
//   - RoleEligibilitySchedule.Read.Directory: who is eligible for one (the one
//     before may be enough; Microsoft's page lists both)
//   - GroupMember.Read.All: members and owners of role-assignable groups
//   - PrivilegedEligibilitySchedule.Read.AzureADGroup: who is eligible for these
//   - AdministrativeUnit.Read.All: restricted management administrative units
//   - Member.Read.Hidden, only where a role-assignable group or a restricted unit
//     hides its members (visibility HiddenMembership): Graph shows none without it
//
// Never give it RoleManagement.ReadWrite.Directory: without that, Graph itself
// keeps it from role-assignable groups.
//
// User.ReadWrite.All can be had narrower: User.Create, User.ReadUpdate.All and
// User.DeleteRestore.All in the place of User.ReadWrite.All. (Not documented
// beyond doubt: that the second one is enough to read all users, else add
// User.Read.All, and that the third is for delete as well as for restore.)
// The second is not enough for managers: these need User.ReadWrite.All.
//
// With [Options.Groups] it needs Group.ReadWrite.All too: groups, members and
// owners. (Group.Create makes groups that it may not change afterwards;
// GroupMember.ReadWrite.All changes members alone.)
//
// None of these lets the application touch an administrator: such changes give
// [target.ErrForbidden], which is as it should be. The same goes for groups that
// directory roles can be assigned to, which are Foreign besides.
//
// # Words
//
// The attributes are Graph's property names, see [Vocabulary]; extensionAttribute1
// to 15, which Graph nests, stand beside the others. The anchor is
// onPremisesImmutableId, written once, at creation or adoption. An object is
// Foreign if onPremisesSyncEnabled is true. What Graph refuses to clear
// (displayName, mail, usageLocation, ...) is for the mapping to keep.
//
// # Creating
//
// Graph wants a password. It gets a random one, to be changed at the first
// sign-in, which is given to [Options.OnPassword] and forgotten; in a federated
// domain it is of no use, and sent all the same.
//
// A create is never repeated blindly. When its outcome is unknown, the anchor
// is looked up; see [target.ErrUnknownOutcome] for what happens if Graph doesn't
// show anything yet.
//
// # Groups
//
// Security groups, and Microsoft 365 groups where groupTypes has Unified; see
// [GroupVocabulary]. The anchor is uniqueName, under which a group is made by an
// upsert, so that a create whose reply is lost makes no second one. The name is
// looked up before: an upsert writes to the group that has it, whoever's it is.
// (Where Graph doesn't show that group yet, ours is refused after the upsert has
// written our attributes to it.) What Exchange or Microsoft's own
// synchronization masters is Foreign.
//
// Twenty members are added by one write, which Graph makes whole or not at all.
// What stands in the way is found by halving, for eight further writes, or by
// reading the members where that is cheaper. Removals are a write each; they go
// in batches in which each waits for the one before, because writes to one group
// at the same time collide. To clear a manager it must be the one that is to go.
//
// Whether Graph keeps deleted security groups for thirty days isn't documented
// beyond doubt: count on it that it doesn't.
//
// # Pace
//
// A [Target] stays within a share of Microsoft's quotas (3,000 writes in 150
// seconds, 3,500 or more resource units in 10) and stops altogether while
// a 429 says so; see [Options.QuotaShare] and [Options.MaxThrottleWait]. What
// goes by $batch and the lists are marked as low priority, so that Graph
// throttles them before others' work.
//
// # Care
//
// Requests go to the endpoint's host and to no other; redirects aren't
// followed. Replies are bounded. Error texts hold Graph's codes, names of
// properties and request ids, never Graph's messages: these quote people's names.
//
// The package compiles msgraph-sdk-go's models, which takes about three minutes
// and 5 GiB the first time. Nothing but a program that wants Office 365 should
// import it.
package graphtarget
