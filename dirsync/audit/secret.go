package audit

import "strings"

// secretValue stands in a record for each value that is a secret.
const secretValue = "(secret)"

// IsSecret reports whether the values of an attribute never get into a record.
// Besides known names it takes every name that speaks of passwords and secrets.
func IsSecret(attribute string) bool {
	name := strings.ToLower(attribute)
	if secrets[name] {
		return true
	}
	if harmless[name] {
		return false
	}
	for _, part := range []string{"password", "passwd", "pwd", "passphrase", "secret", "privatekey", "credential"} {
		if strings.Contains(name, part) {
			return true
		}
	}
	return false
}

// secrets are names that don't say so themselves, in lower case.
var secrets = map[string]bool{
	"dbcspwd": true, "unicodepwd": true, "ntpwdhistory": true, "lmpwdhistory": true, "supplementalcredentials": true,
	"ms-mcs-admpwd": true, "mslaps-password": true, "mslaps-encryptedpassword": true, "msds-managedpassword": true,
	"msds-keycredentiallink": true, "mspki-accountcredentials": true, "mspkidpapimasterkeys": true,
	"currentvalue": true, "initialauthincoming": true, "initialauthoutgoing": true, "trustauthincoming": true, "trustauthoutgoing": true,
	"msfve-keypackage": true, "msfve-recoverypassword": true, "unixuserpassword": true, "userpassword": true,
	"passwordprofile": true, "keycredentials": true,
}

// harmless are names that speak of passwords and hold none.
var harmless = map[string]bool{
	"passwordpolicies": true, "lastpasswordchangedatetime": true, "pwdlastset": true, "badpwdcount": true,
	"msds-userpasswordexpirytimecomputed": true,
}
