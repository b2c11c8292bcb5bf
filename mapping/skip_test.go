package mapping_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/mapping"
	"github.com/dirbridge/dirbridge/source"
)

func TestSkippedByDefault(t *testing.T) {
	for _, tt := range []struct {
		name string
		with source.Attributes
		want string // "" is taken
	}{
		{"an ordinary person", nil, ""},
		{"a critical system object", source.Attributes{"isCriticalSystemObject": {"TRUE"}}, "critical system object"},
		{"an object that says it isn't critical", source.Attributes{"isCriticalSystemObject": {"FALSE"}}, ""},
		{"no sAMAccountName", source.Attributes{"sAMAccountName": {}, "userPrincipalName": {"bob@contoso.com"}}, "has no sAMAccountName"},
		{"AAD_", source.Attributes{"sAMAccountName": {"AAD_1234"}}, "service account of a synchronization or of Windows"},
		{"msol_ in small letters", source.Attributes{"sAMAccountName": {"msol_1234"}}, "service account of a synchronization or of Windows"},
		{"SUPPORT_388945a0", source.Attributes{"sAMAccountName": {"support_388945A0"}}, "service account of a synchronization or of Windows"},
		{"SUPPORT_388945a0x is a person", source.Attributes{"sAMAccountName": {"SUPPORT_388945a0x"}}, ""},
		{"a computer's name", source.Attributes{"sAMAccountName": {"PC1$"}}, "account of a computer, a managed service or a trust"},
		{"SystemMailbox{", source.Attributes{"mailNickname": {"systemmailbox{1f05}"}}, "system mailbox"},
		{"SystemMailbox without a brace", source.Attributes{"mailNickname": {"SystemMailbox"}}, ""},
		{"CAS_ nickname", source.Attributes{"mailNickname": {"CAS_{1f05}"}}, "mailbox of an Exchange monitoring task"},
		{"CAS_ name", source.Attributes{"sAMAccountName": {"cas_1f05}"}}, "mailbox of an Exchange monitoring task"},
		{"CAS_ without a brace", source.Attributes{"sAMAccountName": {"CAS_tro"}}, ""},
		{"a mailbox plan", source.Attributes{"msExchRecipientTypeDetails": {"16777216"}}, "system recipient of Exchange"},
		{"a system mailbox by type", source.Attributes{"msExchRecipientTypeDetails": {"16384"}}, "system recipient of Exchange"},
		{"a discovery mailbox", source.Attributes{"msExchRecipientTypeDetails": {"536870912"}}, "system recipient of Exchange"},
		{"a remote mailbox is a person", source.Attributes{"msExchRecipientTypeDetails": {"2147483648"}}, ""},
		{"a linked mailbox", source.Attributes{"msExchRecipientTypeDetails": {"2"}}, "linked mailbox: its account is in another forest"},
		{"a type that is no number", source.Attributes{"msExchRecipientTypeDetails": {"x"}}, ""},
		{"no userAccountControl", source.Attributes{"userAccountControl": {}}, "has no userAccountControl"},
		{"a computer by userAccountControl", source.Attributes{"userAccountControl": {"4096"}}, "account of a computer or a trust"},
		{"a disabled person is taken", source.Attributes{"userAccountControl": {"514"}}, ""},
		{"adminDescription is nobody's business", source.Attributes{"adminDescription": {"User_DoNotSync"}}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			previous := mapping.Memory{Anchor: "a"}
			res := newRules(t, nil).Map(mapping.Input{Object: bare(tt.with), Domains: contoso(), Previous: previous})
			if tt.want == "" {
				require.Nil(t, res.Skip)
				return
			}
			require.NotNil(t, res.Skip)
			require.Equal(t, "skip", res.Skip.Rule)
			require.Equal(t, tt.want, res.Skip.Branch)
			require.NotEmpty(t, res.Skip.Inputs)
			require.Empty(t, res.Attributes)
			require.Equal(t, previous, res.Memory, "what was decided before isn't forgotten")
		})
	}
}

func TestReplicationVictimsAreSkipped(t *testing.T) {
	for dn, want := range map[string]bool{
		`CN=Bob\0ACNF:b9ab2ef7-091b-50bf-845c-72bb8a00e909,OU=Sales,DC=x`: true,
		`CN=Bob\0acnf:b9ab2ef7-091b-50bf-845c-72bb8a00e909,OU=Sales,DC=x`: true,
		"CN=Bob\nCNF:b9ab2ef7-091b-50bf-845c-72bb8a00e909,OU=Sales,DC=x":  true,
		`CN=A\,Bob\0ACNF:b9ab2ef7,OU=Sales,DC=x`:                          true,
		`CN=Bob,OU=Old\0ACNF:b9ab2ef7,DC=x`:                               false,
		`CN=CNF:Bob,DC=x`:                                                 false,
		``:                                                                false,
	} {
		o := bare(nil)
		o.DN = dn
		require.Equal(t, want, newRules(t, nil).Map(mapping.Input{Object: o}).Skip != nil, dn)
	}
}

func TestOnlyPeopleAreMapped(t *testing.T) {
	o := bare(nil)
	o.Kind = "group"
	require.NotNil(t, newRules(t, nil).Map(mapping.Input{Object: o}).Skip)
}

func TestAnUnreadableAttributeSkipsNobody(t *testing.T) {
	o := bare(source.Attributes{"userAccountControl": {}, "sAMAccountName": {}})
	o.Faults = []source.Fault{{Attribute: "userAccountControl", Reason: "x"}, {Attribute: "sAMAccountName", Reason: "x"}}
	res := newRules(t, nil).Map(mapping.Input{Object: o, Domains: contoso()})
	require.Nil(t, res.Skip)
	require.NotEmpty(t, res.Problems)
}

func TestAnImporterSkipsMore(t *testing.T) {
	rules := newRules(t, &mapping.Options{Skip: func(o source.Object) string {
		if o.Attributes.First("extensionAttribute15") == "NoSync" {
			return "marked NoSync"
		}
		return ""
	}})
	require.Nil(t, rules.Map(mapping.Input{Object: bare(nil), Domains: contoso()}).Skip)
	res := rules.Map(mapping.Input{Object: bare(source.Attributes{"extensionAttribute15": {"NoSync"}}), Domains: contoso()})
	require.Equal(t, &mapping.Decision{Rule: "skip", Branch: "marked NoSync"}, res.Skip)
}

func TestAnyDirectoryNeedsNoAttributesOfAD(t *testing.T) {
	o := source.Object{ID: "10023", Kind: source.User, Attributes: source.Attributes{
		"displayName": {"Ann"}, "userPrincipalName": {"ann@contoso.com"},
	}}
	require.NotNil(t, newRules(t, nil).Map(mapping.Input{Object: o, Domains: contoso()}).Skip)

	rules := newRules(t, &mapping.Options{AnyDirectory: true})
	res := rules.Map(mapping.Input{Object: o, Domains: contoso()})
	require.Nil(t, res.Skip)
	require.Empty(t, res.Problems)
	require.Equal(t, "true", res.Attributes.First("accountEnabled"))
	require.Equal(t, "ann", res.Attributes.First("mailNickname"))
	require.Equal(t, "MTAwMjM=", res.Anchor)

	delete(o.Attributes, "userPrincipalName")
	require.NotNil(t, rules.Map(mapping.Input{Object: o, Domains: contoso()}).Skip, "somebody without any name is nobody")
}
