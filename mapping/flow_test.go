package mapping_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/mapping"
	"github.com/dirbridge/dirbridge/source"
	"github.com/dirbridge/dirbridge/target"
)

func TestEveryRowOfTheFlowIsTakenOver(t *testing.T) {
	res := newRules(t, nil).Map(mapping.Input{Object: ann(), Domains: contoso()})
	want := target.Attributes{
		"userPrincipalName": {"ann.adams@contoso.com"},
		"displayName":       {"Ann Adams"},
		"mailNickname":      {"ann.a"},
		"accountEnabled":    {"true"},
		"givenName":         {"Ann"},
		"surname":           {"Adams"},
		"jobTitle":          {"Engineer"},
		"department":        {"R&D, Labs"},
		"companyName":       {"Contoso, Ltd."},
		"officeLocation":    {"B1/2"},
		"streetAddress":     {"1 Main Street\r\nFloor 2"},
		"city":              {"Zürich"},
		"state":             {"ZH"},
		"postalCode":        {"8001"},
		"country":           {"Switzerland"},
		"businessPhones":    {"+41 44 555 0001"},
		"mobilePhone":       {"+41 79 555 0001"},
		"faxNumber":         {"+41 44 555 0002"},
		"mail":              {"ann.adams@contoso.com"},
		"otherMails":        {"a@example.net", "ann@example.org"},
		"employeeId":        {"E0000001"},
		"employeeType":      {"staff"},
		"preferredLanguage": {"de-CH"},
		"usageLocation":     {"CH"},
	}
	for _, n := range []string{"1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "13", "14", "15"} {
		want["extensionAttribute"+n] = []string{"ea" + n}
	}
	require.Equal(t, want, res.Attributes)
	require.Empty(t, res.Problems)
	require.Nil(t, res.Skip)
	require.Equal(t, target.User, res.Kind)
	require.Equal(t, "9y6ruRsJv1CEXHK7igDpCQ==", res.Anchor)
	require.Equal(t, "ann.adams@contoso.com", res.LoginID)
	require.Equal(t, "contoso.com", res.Suffix)
	require.Equal(t, []string{"userPrincipalName", "displayName", "mailNickname", "accountEnabled", "mail", "usageLocation"}, res.CannotClear)
}

func TestAPersonWithoutValuesShallHaveNone(t *testing.T) {
	rules := newRules(t, nil)
	res := rules.Map(mapping.Input{Object: bare(nil), Domains: contoso()})
	require.Empty(t, res.Problems)
	require.Len(t, res.Attributes, len(rules.Attributes()))
	for _, name := range rules.Attributes() {
		require.Contains(t, res.Attributes, name)
		switch name {
		case "userPrincipalName", "displayName", "mailNickname", "accountEnabled":
			require.Len(t, res.Attributes[name], 1, name)
		default:
			require.Empty(t, res.Attributes[name], name)
			require.NotEmpty(t, decision(t, res, name).Inputs, name)
		}
	}
}

func TestThereIsOneDecisionForEachAttributeInTheFlowsOrder(t *testing.T) {
	rules := newRules(t, nil)
	for _, o := range []source.Object{ann(), bare(nil), bare(source.Attributes{"title": {strings.Repeat("x", 200)}, "displayName": {strings.Repeat("x", 300)}})} {
		var got []string
		for _, d := range rules.Map(mapping.Input{Object: o, Domains: contoso()}).Decisions {
			require.NotEmpty(t, d.Rule)
			require.NotEmpty(t, d.Branch)
			if d.Attribute != "onPremisesImmutableId" {
				got = append(got, d.Attribute)
			}
		}
		require.Equal(t, rules.Attributes(), got)
	}
}

func TestTheFirstSourceThatHasAValueCounts(t *testing.T) {
	for _, tt := range []struct {
		name      string
		with      source.Attributes
		attribute string
		want      []string
		branch    string
	}{
		{"displayName comes first", source.Attributes{"displayName": {"D"}, "cn": {"C"}, "name": {"N"}}, "displayName", []string{"D"}, "from displayName"},
		{"then cn", source.Attributes{"displayName": {}, "cn": {"C"}, "name": {"N"}}, "displayName", []string{"C"}, "from cn"},
		{"then name", source.Attributes{"cn": {}, "name": {"N"}}, "displayName", []string{"N"}, "from name"},
		{"a blank displayName is none", source.Attributes{"displayName": {" \t\u00a0"}, "cn": {"C"}}, "displayName", []string{"C"}, "from cn"},
		{"displayName is trimmed", source.Attributes{"displayName": {"\u00a0D D  "}}, "displayName", []string{"D D"}, "from displayName"},
		{"others aren't trimmed", source.Attributes{"title": {" T "}}, "jobTitle", []string{" T "}, "from title"},
		{"a blank value is none", source.Attributes{"title": {"  "}}, "jobTitle", nil, "no value"},
		{"businessPhones is one value", source.Attributes{"telephoneNumber": {"1", "2"}}, "businessPhones", []string{"1"}, "from telephoneNumber"},
		{"country is co, not c", source.Attributes{"co": {"Germany"}, "c": {"DE"}}, "country", []string{"Germany"}, "from co"},
		{"lines of an address stay", source.Attributes{"streetAddress": {"a\r\n\tb"}}, "streetAddress", []string{"a\r\n\tb"}, "from streetAddress"},
		{"control characters are dropped", source.Attributes{"title": {"a\x00b\x1b[31m\u0085\x7f"}}, "jobTitle", []string{"ab[31m"}, "from title, 4 control characters dropped"},
		{"bytes that aren't UTF-8 are dropped", source.Attributes{"title": {"a\xffb"}}, "jobTitle", []string{"ab"}, "from title, 1 control characters dropped"},
		{"bidirectional and zero width marks are text", source.Attributes{"displayName": {"a\u202eb\u200bc"}}, "displayName", []string{"a\u202eb\u200bc"}, "from displayName"},
		{"nothing but control characters is none", source.Attributes{"title": {"\x01\x02"}}, "jobTitle", nil, "no value"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			res := newRules(t, nil).Map(mapping.Input{Object: bare(tt.with), Domains: contoso()})
			require.Empty(t, res.Problems)
			require.Equal(t, tt.want, res.Attributes[tt.attribute])
			d := decision(t, res, tt.attribute)
			require.Equal(t, tt.branch, d.Branch)
			require.Equal(t, tt.want, d.Result)
		})
	}
}

func TestALimitIsCountedInUTF16AndOnlyTheAttributeSuffers(t *testing.T) {
	for attribute, limit := range map[string]struct {
		from  string
		most  int
		fatal bool
	}{
		"displayName":         {"displayName", 256, true},
		"givenName":           {"givenName", 64, false},
		"surname":             {"sn", 64, false},
		"jobTitle":            {"title", 128, false},
		"department":          {"department", 64, false},
		"companyName":         {"company", 64, false},
		"officeLocation":      {"physicalDeliveryOfficeName", 128, false},
		"streetAddress":       {"streetAddress", 1024, false},
		"city":                {"l", 128, false},
		"state":               {"st", 128, false},
		"postalCode":          {"postalCode", 40, false},
		"country":             {"co", 128, false},
		"businessPhones":      {"telephoneNumber", 64, false},
		"mobilePhone":         {"mobile", 64, false},
		"faxNumber":           {"facsimileTelephoneNumber", 64, false},
		"employeeId":          {"employeeID", 16, false},
		"extensionAttribute1": {"extensionAttribute1", 1024, false},
	} {
		t.Run(attribute, func(t *testing.T) {
			rules := newRules(t, nil)
			for _, char := range []string{"x", "ü", "山", "😀"} {
				units := 1
				if char == "😀" {
					units = 2
				}
				fits := strings.Repeat(char, limit.most/units)
				res := rules.Map(mapping.Input{Object: bare(source.Attributes{limit.from: {fits}}), Domains: contoso()})
				require.Empty(t, res.Problems)
				require.Equal(t, []string{fits}, res.Attributes[attribute])

				res = rules.Map(mapping.Input{Object: bare(source.Attributes{limit.from: {fits + "x"}}), Domains: contoso()})
				p := problem(t, res)
				require.Equal(t, mapping.CodeTooLong, p.Code)
				require.Equal(t, attribute, p.Attribute)
				require.Equal(t, limit.fatal, p.Fatal)
				require.Less(t, len(p.Message), 700, "messages are short")
				require.NotContains(t, res.Attributes, attribute, "the target keeps what it has")
				require.Len(t, res.Attributes, len(rules.Attributes())-1, "the rest goes on")
			}
		})
	}
}

func TestAMissingDisplayNameIsFatal(t *testing.T) {
	res := newRules(t, nil).Map(mapping.Input{Object: bare(source.Attributes{"cn": {}}), Domains: contoso()})
	p := problem(t, res)
	require.Equal(t, mapping.CodeMissing, p.Code)
	require.Equal(t, "displayName", p.Attribute)
	require.True(t, p.Fatal)
	require.NotContains(t, res.Attributes, "displayName")
}

func TestAnUnreadableValueIsNotTakenForNone(t *testing.T) {
	for _, tt := range []struct {
		fault, attribute string
		fatal            bool
	}{
		{"title", "jobTitle", false},
		{"TITLE", "jobTitle", false},
		{"mail", "mail", false},
		{"otherMailbox", "otherMails", false},
		{"msExchUsageLocation", "usageLocation", false},
		{"userAccountControl", "accountEnabled", true},
		{"displayName", "displayName", true},
		{"userPrincipalName", "userPrincipalName", true},
		{"mailNickname", "mailNickname", true},
		{"mS-DS-ConsistencyGuid", "onPremisesImmutableId", true},
	} {
		t.Run(tt.fault, func(t *testing.T) {
			o := ann()
			for name := range o.Attributes {
				if strings.EqualFold(name, tt.fault) {
					delete(o.Attributes, name)
				}
			}
			o.Faults = []source.Fault{{Attribute: tt.fault, Reason: "not UTF-8"}}
			res := newRules(t, nil).Map(mapping.Input{Object: o, Domains: contoso()})
			require.Nil(t, res.Skip)
			found := false
			for _, p := range res.Problems {
				require.Equal(t, mapping.CodeUnreadable, p.Code)
				if p.Attribute == tt.attribute {
					found = true
					require.Equal(t, tt.fatal, p.Fatal)
				}
			}
			require.True(t, found)
			require.NotContains(t, res.Attributes, tt.attribute)
		})
	}
}
