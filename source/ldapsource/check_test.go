package ldapsource_test

import (
	"testing"

	"github.com/dirbridge/dirbridge/source"
	"github.com/dirbridge/dirbridge/source/ldapsource"
	"github.com/stretchr/testify/require"
)

func codes(findings []source.Finding) []string {
	list := []string{}
	for _, f := range findings {
		list = append(list, string(f.Severity)+" "+f.Code)
	}
	return list
}

func TestA06_CheckSaysWhatAnAccountCanAndCantSee(t *testing.T) {
	bed := dc(t)
	for _, tt := range []struct {
		who, name string
		change    func(*ldapsource.Options)
		base      string
		want      []string
	}{
		{"SYNC", "the account as it should be", nil, "", []string{}},
		{"READER", "an ordinary account", nil, "", []string{"warning dirsync-denied", "warning deleted-objects-hidden"}},
		{"READER", "DirSync demanded", func(o *ldapsource.Options) { o.Delta = ldapsource.DeltaDirSync }, "",
			[]string{"blocker dirsync-denied", "warning deleted-objects-hidden"}},
		{"BIND", "an administrator", nil, "", []string{"warning more-rights-than-needed"}},
		{"SYNC", "a mistyped attribute", func(o *ldapsource.Options) { o.Attributes = []string{"msDS-ConsistencyGuid", "description"} }, "",
			[]string{"warning attribute-not-in-schema"}},
		{"SYNC", "a base that isn't there", nil, "OU=Nobody," + bed.env["BASE_DN"], []string{"blocker base-dn-missing"}},
		{"SYNC", "a base elsewhere", nil, "DC=fabrikam,DC=example", []string{"blocker base-dn-outside"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.base == "" {
				tt.base = bed.env["BASE_DN"]
			}
			if tt.change == nil {
				tt.change = func(*ldapsource.Options) {}
			}
			findings, err := bed.scoped(t, tt.who, tt.base, tt.change).Check(t.Context())
			require.NoError(t, err)
			require.Equal(t, tt.want, codes(findings), "%+v", findings)
		})
	}
}

func TestCheckReportsARefusedBind(t *testing.T) {
	bed := dc(t)
	src, err := ldapsource.New([]string{bed.env["LDAPS_URL"]}, []string{bed.env["BASE_DN"]},
		ldapsource.Credentials{User: bed.env["SYNC_DN"], Password: ldapsource.Password("not this")}, &ldapsource.Options{RootCAs: bed.roots(t)})
	require.NoError(t, err)
	findings, err := src.Check(t.Context())
	require.NoError(t, err)
	require.Equal(t, []string{"blocker bind-refused"}, codes(findings))
	require.Contains(t, findings[0].Message, "wrong password")
	require.NotContains(t, findings[0].Message, "not this")
}
