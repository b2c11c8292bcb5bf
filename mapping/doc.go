// Package mapping decides what an object of the source should be at the target:
// whether it is synchronized at all, its source anchor, its name, and the value
// of every attribute, each with the reason why.
//
// Words used here:
//
//   - Rules: what turns an [Input] into a [Result]. They are pure: they ask
//     nothing, know no time but the input's, and give equal results for equal
//     inputs. Whoever runs them asks all questions (which domains are verified?)
//     before.
//   - Flow: the table that says which attribute of the target is made of which
//     attributes of the source. The first that has a value counts; a value of
//     nothing but white space is none.
//   - Login ID: what a person signs in with on premises.
//   - Decision: why a value is what it is, as data: the rule, what it looked at,
//     which way it went, what came out.
//   - Problem: what a person has to see about one object. It concerns that
//     object alone, mostly one attribute of it, and the rest goes on.
//
// There are three heights of use.
//
// One rule, to see what it does or to use it elsewhere: [UPNRules] for
// userPrincipalNames, [CleanLocalPart], [CleanNickname], [Placeholder].
//
// The default rules for people from Active Directory to Office 365, changed by
// [Options]:
//
//	rules, err := mapping.New(&mapping.Options{UsageLocation: "DE"})
//
// A [Mapper] of your own, for another target or another idea of what goes
// where. It may call the default rules and change what comes out; see the
// example of [Mapper].
//
// # The default rules
//
// The flow takes over, first that has a value:
//
//	userPrincipalName    userPrincipalName, else sAMAccountName@DOMAIN (see UPNRules)
//	displayName          displayName, cn, name (trimmed)
//	mailNickname         mailNickname, primary SMTP address, mail, login ID (what stands before the @), sAMAccountName
//	accountEnabled       userAccountControl, bit 2
//	givenName surname    givenName, sn
//	jobTitle             title
//	department           department
//	companyName          company
//	officeLocation       physicalDeliveryOfficeName
//	streetAddress        streetAddress
//	city state country   l, st, co
//	postalCode           postalCode
//	businessPhones       telephoneNumber (one)
//	mobilePhone          mobile
//	faxNumber            facsimileTelephoneNumber
//	mail otherMails      mail, otherMailbox
//	employeeId           employeeID
//	employeeType         employeeType
//	preferredLanguage    preferredLanguage
//	usageLocation        msExchUsageLocation, c, Options.UsageLocation
//	extensionAttributeN  extensionAttributeN (1 to 15)
//
// A value that is longer than the target takes (counted in UTF-16 code units),
// isn't of its form, or couldn't be read from the source is a [Problem] of that
// attribute: the attribute isn't named in the result and the target keeps what
// it has. Nothing is ever cut off. Control characters other than CR, LF and TAB
// are dropped from values.
//
// The source anchor is mS-DS-ConsistencyGuid if it had a value at first sight,
// else objectGUID, and stays from then on. See [Rules] for what is skipped.
//
// # Scope
//
// A [Scope] says who is synchronized at all: domains, organizational units,
// conditions on attributes. It is no part of the rules but goes before them;
// bound to the containers that it names, it answers in, out or unknown.
//
// # What it doesn't do
//
// It doesn't know which names are taken: that is a question about all objects
// at once, asked by the planner, who uses [Placeholder]. It doesn't compare with
// what the target holds. References (manager, members) are not its business.
package mapping
