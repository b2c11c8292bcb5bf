package audit_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/dirsync/audit"
)

const canary = "canary-7b1d"

func TestSecretsNeverGetIntoARecord(t *testing.T) {
	for _, attr := range []string{
		"password", "Password", "passwordProfile", "passwordProfile/password", "passwordProfile.password", "unicodePwd", "UNICODEPWD", "userPassword", "unixUserPassword", "dBCSPwd", "ntPwdHistory", "lmPwdHistory",
		"supplementalCredentials", "ms-Mcs-AdmPwd", "msLAPS-Password", "msLAPS-EncryptedPassword", "msLAPS-EncryptedPasswordHistory", "msDS-ManagedPassword", "msDS-KeyCredentialLink", "keyCredentials", "passwordCredentials",
		"clientSecret", "initialPassword", "msFVE-RecoveryPassword", "msFVE-KeyPackage", "msPKIAccountCredentials", "msPKI-CredentialRoamingTokens", "trustAuthIncoming", "currentValue", "extension_1_privateKey",
	} {
		values := map[string][]string{attr: {canary, canary}, "title": {"clerk"}}
		r := audit.Record{Before: values, After: values}
		require.NotContains(t, string(requireRoundTrip(t, r)), canary, attr)
		r.Seal(audit.Head{})
		require.Equal(t, []string{"(secret)", "(secret)"}, r.Before[attr])
		require.Equal(t, []string{"clerk"}, r.After["title"])
		require.Equal(t, []string{canary, canary}, values[attr], "the caller's own values are the caller's")
		require.True(t, audit.IsSecret(attr), attr)
	}
	for _, attr := range []string{"userPrincipalName", "displayName", "mail", "accountEnabled", "passwordPolicies", "pwdLastSet", "lastPasswordChangeDateTime", "jobTitle", ""} {
		require.False(t, audit.IsSecret(attr), attr)
	}
	cleared := audit.Record{After: map[string][]string{"password": nil}}
	cleared.Seal(audit.Head{})
	require.Equal(t, map[string][]string{"password": {}}, cleared.After)
}

func TestAHashDependsOnEveryField(t *testing.T) {
	base := full("x")
	base.Seal(audit.Head{Seq: 1, Hash: "a"})
	seen := map[string]string{base.Hash: "nothing"}
	for _, field := range reflect.VisibleFields(reflect.TypeFor[audit.Record]()) {
		if field.Name == "Hash" {
			continue
		}
		r := full("x")
		r.Seal(audit.Head{Seq: 1, Hash: "a"})
		v := reflect.ValueOf(&r).Elem().FieldByIndex(field.Index)
		v.SetZero()
		require.Error(t, r.Check(), field.Name)
		if field.Name == "Seq" || field.Name == "Prev" {
			continue // Seal sets them
		}
		r.Seal(audit.Head{Seq: 1, Hash: "a"})
		require.NotContains(t, seen, r.Hash, "%s", field.Name)
		seen[r.Hash] = field.Name
	}
	for _, after := range []audit.Head{{Seq: 1, Hash: "b"}, {Seq: 2, Hash: "a"}, {}} {
		r := full("x")
		r.Seal(after)
		require.NotContains(t, seen, r.Hash)
		seen[r.Hash] = fmt.Sprint(after)
	}
}

func TestARecordIsNeverTooLargeToBeSealed(t *testing.T) {
	long := strings.Repeat("\x01", 60<<10) // six times as long in the line
	many := map[string][]string{"members": nil, "title": {"clerk"}}
	for range 30 {
		many["members"] = append(many["members"], long)
	}
	r := audit.Record{Name: "n", Before: many, After: many}
	requireRoundTrip(t, r)
	r.Seal(audit.Head{})
	require.Len(t, r.After["members"], 1)
	require.Contains(t, r.After["members"][0], "30 values, 1843200 bytes")
	require.Equal(t, []string{"clerk"}, r.After["title"])
	require.Len(t, many["members"], 30)

	for i := range 30 {
		many[fmt.Sprint(i, long)] = []string{long}
	}
	r = full(long)
	r.Name, r.After = "n", many
	requireRoundTrip(t, r)
	r.Seal(audit.Head{})
	require.Nil(t, r.After)
	require.Equal(t, "n", r.Name)
	require.Contains(t, r.Detail, "too long")

	r = audit.Record{Error: strings.Repeat("ü", 50_000)}
	r.Seal(audit.Head{})
	require.True(t, strings.HasPrefix(r.Error, strings.Repeat("ü", 512)+"... (100000 bytes, SHA-256 "), r.Error)
}

func TestATimeThatNoLineCanHoldIsLeftOut(t *testing.T) {
	for _, at := range []time.Time{time.Date(10_000, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(-1, 1, 1, 0, 0, 0, 0, time.UTC), time.Unix(1<<60, 0)} {
		r := audit.Record{Time: at, Evidence: &audit.Evidence{Seen: at}}
		_, err := audit.Encode(&r)
		require.Error(t, err)
		requireRoundTrip(t, r)
		require.Equal(t, at, r.Evidence.Seen, "the caller's")
	}
	requireRoundTrip(t, audit.Record{Time: time.Now()})
}

func TestARecordThatIsTooLongIsNotEncoded(t *testing.T) {
	r := audit.Record{Detail: strings.Repeat("x", audit.MaxLine)}
	_, err := audit.Encode(&r)
	require.ErrorContains(t, err, "at most")
}
