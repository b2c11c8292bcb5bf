package graphsim

import "slices"

// A kind is the JSON type of a property.
type kind uint8

const (
	kindString kind = iota
	kindBool
	kindDate
	kindStrings // collection of strings
	kindObject  // complex type
	kindObjects // collection of a complex type
	kindInt
)

// A property is what the service knows about one property of a user.
type property struct {
	name     string
	kind     kind
	max      int  // longest string, 0 for no limit known
	maxItems int  // of a collection
	readOnly bool // can't be written by Graph
	required bool // at creation; never null
	service  bool // lives in SharePoint, or needs a signed-in user: no application may write it
	filter   bool // can stand in a $filter without ConsistencyLevel
}

// userProperties are the properties of microsoft.graph.user that can be
// selected, in the order of replies.
var userProperties = []property{
	{name: "id", readOnly: true, filter: true},
	{name: "deletedDateTime", kind: kindDate, readOnly: true},
	{name: "accountEnabled", kind: kindBool, required: true, filter: true},
	{name: "ageGroup"},
	{name: "assignedLicenses", kind: kindObjects, readOnly: true},
	{name: "assignedPlans", kind: kindObjects, readOnly: true},
	{name: "businessPhones", kind: kindStrings, max: 64, maxItems: 1},
	{name: "city", max: 128, filter: true},
	{name: "companyName", max: 64},
	{name: "consentProvidedForMinor"},
	{name: "country", max: 128, filter: true},
	{name: "createdDateTime", kind: kindDate, readOnly: true},
	{name: "creationType", readOnly: true},
	{name: "department", max: 64, filter: true},
	{name: "displayName", max: 256, required: true, filter: true},
	{name: "employeeHireDate", kind: kindDate, service: true},
	{name: "employeeId", max: 16, filter: true},
	{name: "employeeLeaveDateTime", kind: kindDate},
	{name: "employeeOrgData", kind: kindObject},
	{name: "employeeType"},
	{name: "externalUserState", readOnly: true},
	{name: "externalUserStateChangeDateTime", kind: kindDate, readOnly: true},
	{name: "faxNumber", max: 64},
	{name: "givenName", max: 64, filter: true},
	{name: "identities", kind: kindObjects},
	{name: "imAddresses", kind: kindStrings, readOnly: true},
	{name: "isResourceAccount", kind: kindBool},
	{name: "jobTitle", max: 128, filter: true},
	{name: "lastPasswordChangeDateTime", kind: kindDate, readOnly: true},
	{name: "legalAgeGroupClassification", readOnly: true},
	{name: "licenseAssignmentStates", kind: kindObjects, readOnly: true},
	{name: "mail", filter: true},
	{name: "mailNickname", max: 64, required: true, filter: true},
	{name: "mobilePhone", max: 64},
	{name: "officeLocation", max: 128},
	{name: "onPremisesDistinguishedName", readOnly: true},
	{name: "onPremisesDomainName", readOnly: true},
	{name: "onPremisesExtensionAttributes", kind: kindObject},
	{name: "onPremisesImmutableId", filter: true},
	{name: "onPremisesLastSyncDateTime", kind: kindDate, readOnly: true},
	{name: "onPremisesProvisioningErrors", kind: kindObjects, readOnly: true},
	{name: "onPremisesSamAccountName", readOnly: true},
	{name: "onPremisesSecurityIdentifier", readOnly: true},
	{name: "onPremisesSyncEnabled", kind: kindBool, readOnly: true, filter: true},
	{name: "onPremisesUserPrincipalName", readOnly: true},
	{name: "otherMails", kind: kindStrings, max: 250, maxItems: 250},
	{name: "passwordPolicies"},
	{name: "postalCode", max: 40},
	{name: "preferredDataLocation"},
	{name: "preferredLanguage"},
	{name: "provisionedPlans", kind: kindObjects, readOnly: true},
	{name: "proxyAddresses", kind: kindStrings, readOnly: true},
	{name: "securityIdentifier", readOnly: true},
	{name: "serviceProvisioningErrors", kind: kindObjects, readOnly: true},
	{name: "showInAddressList", kind: kindBool},
	{name: "signInSessionsValidFromDateTime", kind: kindDate, readOnly: true},
	{name: "state", max: 128, filter: true},
	{name: "streetAddress", max: 1024},
	{name: "surname", max: 64, filter: true},
	{name: "usageLocation", filter: true},
	{name: "userPrincipalName", max: 113, required: true, filter: true},
	{name: "userType", filter: true},
}

// writeOnly and service properties that can't be selected here.
var unreadable = []property{
	{name: "passwordProfile", kind: kindObject, required: true},
	{name: "aboutMe", service: true}, {name: "birthday", kind: kindDate, service: true},
	{name: "interests", kind: kindStrings, service: true}, {name: "mySite", service: true},
	{name: "pastProjects", kind: kindStrings, service: true},
	{name: "responsibilities", kind: kindStrings, service: true},
	{name: "schools", kind: kindStrings, service: true}, {name: "skills", kind: kindStrings, service: true},
}

// defaultSelect is what a reply holds without $select.
var defaultSelect = []string{"businessPhones", "displayName", "givenName", "id", "jobTitle", "mail", "mobilePhone",
	"officeLocation", "preferredLanguage", "surname", "userPrincipalName"}

// schema finds properties by name.
type schema map[string]*property

func newSchema() schema {
	s := make(schema)
	for _, ps := range [][]property{userProperties, unreadable} {
		for i := range ps {
			s[ps[i].name] = &ps[i]
		}
	}
	return s
}

// readable reports whether name can be selected.
func (s schema) readable(name string) bool {
	p := s[name]
	return p != nil && !p.service && name != "passwordProfile" || name == "employeeHireDate"
}

// sensitive are the properties of a protected administrator that an ordinary
// application can't change.
var sensitive = []string{"accountEnabled", "businessPhones", "mobilePhone", "onPremisesImmutableId", "otherMails",
	"passwordProfile", "userPrincipalName"}

func isSensitive(name string) bool { return slices.Contains(sensitive, name) }
