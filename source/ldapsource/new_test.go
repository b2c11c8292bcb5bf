package ldapsource_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/dirbridge/dirbridge/source/ldapsource"
	"github.com/stretchr/testify/require"
)

func TestNewExplainsWhatIsWrong(t *testing.T) {
	good := ldapsource.Credentials{User: "svc-sync@corp.example.com", Password: ldapsource.Password("p")}
	servers, bases := []string{"ldaps://dc1.corp.example.com"}, []string{"DC=corp,DC=example,DC=com"}
	for _, tt := range []struct {
		name    string
		servers []string
		bases   []string
		bind    ldapsource.Credentials
		opts    *ldapsource.Options
		want    string // "" if it is accepted
	}{
		{"the least", servers, bases, good, nil, ""},
		{"two units", servers, []string{"OU=A,DC=corp,DC=example,DC=com", "ou=b,dc=CORP,dc=example,dc=com"}, good, nil, ""},
		{"no server", nil, bases, good, nil, "no server"},
		{"another scheme", []string{"https://dc1"}, bases, good, nil, "want ldaps://"},
		{"no scheme", []string{"dc1.corp.example.com:636"}, bases, good, nil, `"dc1.corp.example.com:636"`},
		{"a base in the URL", []string{"ldaps://dc1/DC=corp"}, bases, good, nil, "give the host alone"},
		{"a password in the URL", []string{"ldaps://me:hunter2@dc1"}, bases, good, nil, "give these as Credentials"},
		{"the global catalogue", []string{"ldaps://dc1:3269"}, bases, good, nil, "global catalogue"},
		{"a server twice", []string{"ldaps://dc1", "ldaps://dc1:636"}, bases, good, nil, "named twice"},
		{"no base", servers, nil, good, nil, "no base DN"},
		{"no name", servers, []string{"corp.example.com"}, good, nil, "not a distinguished name"},
		{"no domain", servers, []string{"O=Example"}, good, nil, "doesn't end in DC="},
		{"two domains", servers, []string{"DC=corp,DC=example,DC=com", "DC=fabrikam,DC=com"}, good, nil, "make one for each"},
		{"a base in a base", servers, []string{"DC=corp,DC=example,DC=com", "OU=a,DC=Corp, DC=example,DC=com"}, good, nil, "name the outer one alone"},
		{"a base twice", servers, []string{"OU=a,DC=x", "ou=A,dc=x"}, good, nil, "name the outer one alone"},
		{"nobody", servers, bases, ldapsource.Credentials{Password: good.Password}, nil, "Credentials.User is empty"},
		{"no password", servers, bases, ldapsource.Credentials{User: "u"}, nil, "Credentials.Password is nil"},
		{"everything", servers, bases, good, &ldapsource.Options{Attributes: []string{"*"}}, "name the attributes"},
		{"an option", servers, bases, good, &ldapsource.Options{Attributes: []string{"member;range=0-*"}}, "name the attribute alone"},
		{"a filter", servers, bases, good, &ldapsource.Options{Attributes: []string{"a)(b=*"}}, "not an attribute's name"},
		{"its own time", servers, bases, good, &ldapsource.Options{Attributes: []string{"whenChanged"}}, "changes without the object"},
		{"page size", servers, bases, good, &ldapsource.Options{PageSize: 5000}, "1 to 1000"},
		{"delta", servers, bases, good, &ldapsource.Options{Delta: "cookie"}, "Options.Delta"},
		{"time", servers, bases, good, &ldapsource.Options{IdleTimeout: -time.Second}, "can't be negative"},
		{"name", servers, bases, good, &ldapsource.Options{Name: "a/b"}, "can't contain '/'"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			src, err := ldapsource.New(tt.servers, tt.bases, tt.bind, tt.opts)
			if tt.want == "" {
				require.NoError(t, err)
				require.Equal(t, "ad:corp.example.com", src.Name())
				return
			}
			require.ErrorContains(t, err, tt.want)
			require.NotContains(t, err.Error(), "hunter2")
			require.Nil(t, src)
		})
	}
}

func TestA07_SecretsAreNeverAskedFor(t *testing.T) {
	for _, name := range []string{"unicodePwd", "UNICODEPWD", "dBCSPwd", "ntPwdHistory", "lmPwdHistory", "supplementalCredentials", "userPassword",
		"unixUserPassword", "ms-Mcs-AdmPwd", "ms-Mcs-AdmPwdExpirationTime", "msLAPS-Password", "msLAPS-EncryptedPassword", "msDS-ManagedPassword",
		"msDS-ManagedPasswordId", "msDS-KeyCredentialLink", "msDS-KeyCredentialLink-BL", "msFVE-RecoveryPassword", "msFVE-KeyPackage",
		"currentValue", "trustAuthIncoming", "trustAuthOutgoing", "initialAuthIncoming", "msPKI-CredentialRoamingTokens", "msTPM-OwnerInformation"} {
		_, err := ldapsource.New([]string{"ldaps://dc1"}, []string{"DC=x"}, ldapsource.Credentials{User: "u", Password: ldapsource.Password("p")},
			&ldapsource.Options{Attributes: []string{name}})
		require.ErrorContains(t, err, "holds secrets", name)
	}
}

func TestNoFormattingShowsAPassword(t *testing.T) {
	c := ldapsource.Credentials{User: "u", Password: ldapsource.Password("s3cret")}
	src, err := ldapsource.New([]string{"ldaps://dc1"}, []string{"DC=x"}, c, nil)
	require.NoError(t, err)
	for _, v := range []any{c, &c, src} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
			require.NotContains(t, fmt.Sprintf(verb, v), "s3cret")
		}
	}
	require.Equal(t, "ad:x at ldaps://dc1", src.String())
}

func TestTheDefaultAttributesHoldTheFlow(t *testing.T) {
	list := ldapsource.DefaultAttributes()
	for _, n := range []string{"objectGUID", "mS-DS-ConsistencyGuid", "userPrincipalName", "displayName", "proxyAddresses", "extensionAttribute15",
		"userAccountControl", "accountExpires", "isCriticalSystemObject", "otherMailbox", "msExchUsageLocation", "c"} {
		require.Contains(t, list, n)
	}
	for _, n := range []string{"uSNChanged", "whenChanged", "parentGUID", "isDeleted", "lastKnownParent"} {
		require.NotContains(t, list, n)
	}
	list[0] = "changed"
	require.NotContains(t, ldapsource.DefaultAttributes(), "changed")
}
