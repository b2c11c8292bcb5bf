package mapping_test

import (
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/mapping"
	"github.com/dirbridge/dirbridge/source"
)

func TestOptionsThatCannotBeMeantAreRefused(t *testing.T) {
	for want, opts := range map[string]mapping.Options{
		`fallback "nickname" is unknown: use "upnPrefix" or "mailNickname"`:        {Fallback: "nickname"},
		`fallback domain "first" is unknown: use "initial" or "default"`:           {FallbackDomain: "first"},
		`usage location "Germany" isn't a country code of two letters, such as DE`: {UsageLocation: "Germany"},
		`AD domain "corp example" isn't a DNS name`:                                {ADDomain: "corp example"},
		`FallbackFunc and fallback "mailNickname" exclude each other`:              {Fallback: mapping.MailNickname, FallbackFunc: func(mapping.Input) string { return "" }},
	} {
		_, err := mapping.New(&opts)
		require.EqualError(t, err, "mapping: "+want)
	}
}

func TestTheFingerprintTellsOptionsApart(t *testing.T) {
	seen := map[string]bool{}
	all := []*mapping.Options{
		nil,
		{Fallback: mapping.MailNickname},
		{FallbackFunc: func(mapping.Input) string { return "x" }},
		{FallbackDomain: mapping.DefaultDomain},
		{ADDomain: "corp.example.com"},
		{UsageLocation: "DE"},
		{ExpiredIsDisabled: true},
		{AnyDirectory: true},
		{Skip: func(source.Object) string { return "" }},
		{Version: "2"},
	}
	for _, opts := range all {
		seen[newRules(t, opts).Fingerprint()] = true
	}
	require.Len(t, seen, len(all))
	require.Equal(t, newRules(t, nil).Fingerprint(), newRules(t, &mapping.Options{Fallback: mapping.UPNPrefix, FallbackDomain: mapping.InitialDomain}).Fingerprint())
}

func TestAFallbackFunctionSeesTheObject(t *testing.T) {
	rules := newRules(t, &mapping.Options{FallbackFunc: func(in mapping.Input) string {
		return in.Object.Attributes.First("employeeID")
	}})
	res := rules.Map(mapping.Input{Object: bare(source.Attributes{"employeeID": {"E 7"}}), Domains: contoso()})
	require.Equal(t, "E7@contoso.onmicrosoft.com", res.Attributes.First("userPrincipalName"))
	require.Contains(t, decision(t, res, "userPrincipalName").Inputs, mapping.Value{Name: "fallback", Values: []string{"E 7"}})
}

func TestSourceAttributesNameAllThatCounts(t *testing.T) {
	names := newRules(t, nil).SourceAttributes()
	require.IsIncreasing(t, lower(names))
	for name := range ann().Attributes {
		require.Contains(t, names, name)
	}
	for _, name := range []string{"mS-DS-ConsistencyGuid", "isCriticalSystemObject", "msExchRecipientTypeDetails", "msExchUsageLocation", "accountExpires"} {
		require.Contains(t, names, name)
	}
}

func TestRulesAreSafeForConcurrentUse(t *testing.T) {
	rules := newRules(t, &mapping.Options{Fallback: mapping.MailNickname})
	in := mapping.Input{Object: ann(), Domains: contoso()}
	want := rules.Map(in)
	var wg sync.WaitGroup
	got := make([]mapping.Result, 8)
	for i := range got {
		wg.Go(func() { got[i] = rules.Map(in) })
	}
	wg.Wait()
	for _, res := range got {
		require.Equal(t, want, res)
	}
}

func TestAResultBelongsToItsCaller(t *testing.T) {
	rules := newRules(t, nil)
	in := mapping.Input{Object: ann(), Domains: contoso()}
	res := rules.Map(in)
	for _, values := range res.Attributes {
		for i := range values {
			values[i] = "spoilt"
		}
	}
	for i := range res.CannotClear {
		res.CannotClear[i] = "spoilt"
	}
	require.Equal(t, "Engineer", in.Object.Attributes.First("title"))
	again := rules.Map(in)
	require.Equal(t, "Engineer", again.Attributes.First("jobTitle"))
	require.Equal(t, "userPrincipalName", again.CannotClear[0])
	require.Equal(t, []string{"Engineer"}, decision(t, res, "jobTitle").Result, "attributes and decisions share nothing")
}

func BenchmarkMap(b *testing.B) {
	domains := contoso()
	for name, o := range map[string]source.Object{"full": ann(), "bare": bare(nil)} {
		b.Run(name, func(b *testing.B) {
			rules := newRules(b, nil)
			in := mapping.Input{Object: o, Domains: domains}
			b.ReportAllocs()
			for b.Loop() {
				rules.Map(in)
			}
		})
	}
	b.Run("fallback", func(b *testing.B) {
		rules := newRules(b, nil)
		o := ann()
		o.Attributes["userPrincipalName"] = []string{"jürgen@corp.local"}
		in := mapping.Input{Object: o, Domains: domains}
		b.ReportAllocs()
		for b.Loop() {
			rules.Map(in)
		}
	})
}
