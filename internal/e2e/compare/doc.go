// Package compare says by itself what a tenant should hold for the people and the
// groups of a directory, and lists every difference to what it does hold.
//
// It is the second opinion of the end-to-end tests: written from the flow table
// and the rules of who is synchronized, not from the code that implements them,
// so it imports nothing of this module. A mistake in the mapping can't hide in
// here as well.
//
//	c := compare.New("corp.example.com")
//	c.Observe(directory)                  // before the first run
//	...                                   // a run
//	for _, d := range c.Compare(directory, tenant) { t.Error(d) }
//	for _, d := range c.CompareGroups(directory, tenant) { t.Error(d) }
//
// A [Directory] is entries as LDAP gives them, a [Tenant] is what [Read] gets
// from Graph, with [Tenant.ReadGroups] for what CompareGroups looks at.
//
// # What it judges
//
// Who is in, the anchor, the name (own domain if verified, else the local part
// at the initial domain), and every row of the flow with its limit. What can't
// be cleared, and what is too long or ill-formed, keeps the value that the
// account had; for that a [Comparer] remembers what it saw. Who was deleted in
// the directory must be in the bin, nobody else may be there, and no account may
// be there twice.
//
// Of groups: security groups without mail, their uniqueName, values and members as
// far as these are synchronized, nested as they are; and people's managers. A
// group that left is not looked at.
//
// # What it doesn't
//
// Letters outside ASCII in names that must be ASCII, two people who want one
// name, and people without a displayName and a cn. It doesn't guess about them:
// each is a Difference whose Attribute is "(rule)".
package compare
