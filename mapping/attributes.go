package mapping

// The attributes of the source that rules other than the plain flow look at, as
// Active Directory's schema spells them.
const (
	attrUPN          = "userPrincipalName"
	attrSAM          = "sAMAccountName"
	attrNickname     = "mailNickname"
	attrProxies      = "proxyAddresses"
	attrMail         = "mail"
	attrUAC          = "userAccountControl"
	attrExpires      = "accountExpires"
	attrGUID         = "objectGUID"
	attrConsistency  = "mS-DS-ConsistencyGuid" // mind the hyphens
	attrCritical     = "isCriticalSystemObject"
	attrExchType     = "msExchRecipientTypeDetails"
	attrExchLocation = "msExchUsageLocation"
)
