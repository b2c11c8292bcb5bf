// Package graphtarget is the [target.Target] for Office 365: the users of one
// tenant, by way of Microsoft Graph. (Groups, licences and managers come later.)
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
// They can be had narrower: User.Create, User.ReadUpdate.All and
// User.DeleteRestore.All in the place of User.ReadWrite.All. (Not documented
// beyond doubt: that the second one is enough to read all users, else add
// User.Read.All, and that the third is for delete as well as for restore.)
// None of these lets the application touch an administrator: such changes give
// [target.ErrForbidden], which is as it should be.
//
// # Words
//
// The attributes are Graph's property names, see [Vocabulary]; extensionAttribute1
// to 15, which Graph nests, stand beside the others. The anchor is
// onPremisesImmutableId, written at creation and never again. An object is
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
