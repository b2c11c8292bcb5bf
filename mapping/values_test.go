package mapping_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/mapping"
	"github.com/dirbridge/dirbridge/source"
)

func TestAccountEnabled(t *testing.T) {
	const (
		in2020 = "132223104000000000" // 2020-01-01
		in2099 = "157153824000000000" // 2099-01-01
	)
	now := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
	y2020 := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
	y2099 := time.Date(2099, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		name    string
		opts    mapping.Options
		uac     string
		expires string
		now     time.Time
		want    string
		until   time.Time
		problem string
	}{
		{"a normal account", mapping.Options{}, "512", "", now, "true", time.Time{}, ""},
		{"bit 2", mapping.Options{}, "514", "", now, "false", time.Time{}, ""},
		{"other bits don't count", mapping.Options{}, "66080", "", now, "true", time.Time{}, ""},
		{"negative numbers are bits too", mapping.Options{}, "-2147483134", "", now, "false", time.Time{}, ""},
		{"not a number", mapping.Options{}, "abc", "", now, "", time.Time{}, mapping.CodeInvalid},
		{"an expired account stays enabled by default", mapping.Options{}, "512", in2020, now, "true", time.Time{}, ""},
		{"expired by option", mapping.Options{ExpiredIsDisabled: true}, "512", in2020, now, "false", time.Time{}, ""},
		{"expires at that very instant", mapping.Options{ExpiredIsDisabled: true}, "512", in2020, y2020, "false", time.Time{}, ""},
		{"will expire", mapping.Options{ExpiredIsDisabled: true}, "512", in2099, now, "true", y2099, ""},
		{"no time is known", mapping.Options{ExpiredIsDisabled: true}, "512", in2020, time.Time{}, "true", y2020, ""},
		{"0 is never", mapping.Options{ExpiredIsDisabled: true}, "512", "0", now, "true", time.Time{}, ""},
		{"the largest number is never", mapping.Options{ExpiredIsDisabled: true}, "512", "9223372036854775807", now, "true", time.Time{}, ""},
		{"disabled and to expire", mapping.Options{ExpiredIsDisabled: true}, "514", in2099, now, "false", time.Time{}, ""},
		{"a time that is none", mapping.Options{ExpiredIsDisabled: true}, "512", "soon", now, "", time.Time{}, mapping.CodeInvalid},
		{"a time that is none doesn't matter without the option", mapping.Options{}, "512", "soon", now, "true", time.Time{}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			with := source.Attributes{"userAccountControl": {tt.uac}}
			if tt.expires != "" {
				with["accountExpires"] = []string{tt.expires}
			}
			res := newRules(t, &tt.opts).Map(mapping.Input{Object: bare(with), Domains: contoso(), Now: tt.now})
			require.Nil(t, res.Skip)
			require.Equal(t, tt.want, res.Attributes.First("accountEnabled"))
			require.Equal(t, tt.until, res.Until)
			if tt.problem == "" {
				require.Empty(t, res.Problems)
				return
			}
			p := problem(t, res)
			require.Equal(t, tt.problem, p.Code)
			require.Equal(t, "accountEnabled", p.Attribute)
			require.True(t, p.Fatal)
			require.NotContains(t, res.Attributes, "accountEnabled")
		})
	}
}

func TestUsageLocation(t *testing.T) {
	for _, tt := range []struct {
		name, exch, c, option string
		want, branch          string
		problem               bool
	}{
		{"msExchUsageLocation comes first", "DE", "CH", "US", "DE", "from msExchUsageLocation", false},
		{"small letters are raised", "de", "", "", "DE", "from msExchUsageLocation", false},
		{"then c", "", "ch", "US", "CH", "from c", false},
		{"then the default", "", "", "us", "US", "configured default: no value", false},
		{"none", "", "", "", "", "no value", false},
		{"a blank one is none", " ", "CH", "", "CH", "from c", false},
		{"a c that is no code is passed over", "", "Germany", "US", "US", "configured default: c is no country code", false},
		{"a c of other letters is passed over", "", "Д", "", "", "c is no country code", false},
		{"a bad msExchUsageLocation is a Problem", "Germany", "DE", "US", "", "msExchUsageLocation is no country code", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			with := source.Attributes{}
			if tt.exch != "" {
				with["msExchUsageLocation"] = []string{tt.exch}
			}
			if tt.c != "" {
				with["c"] = []string{tt.c}
			}
			res := newRules(t, &mapping.Options{UsageLocation: tt.option}).Map(mapping.Input{Object: bare(with), Domains: contoso()})
			require.Equal(t, tt.want, res.Attributes.First("usageLocation"))
			require.Equal(t, tt.branch, decision(t, res, "usageLocation").Branch)
			if tt.problem {
				p := problem(t, res)
				require.Equal(t, mapping.CodeInvalid, p.Code)
				require.False(t, p.Fatal)
				require.NotContains(t, res.Attributes, "usageLocation")
			} else {
				require.Empty(t, res.Problems)
				require.Contains(t, res.Attributes, "usageLocation")
			}
		})
	}
}

func TestMailMustBeAnAddress(t *testing.T) {
	for value, ok := range map[string]bool{
		"ann@contoso.com":        true,
		"o'brien+x@contoso.com":  true,
		"ann@münchen.example":    false,
		"änn@contoso.com":        false,
		"ann contoso@contoso.de": false,
		"ann":                    false,
		"@contoso.com":           false,
		"ann@":                   false,
		"a@b@contoso.com":        false,
		"<ann@contoso.com>":      false,
		"ann@contoso.com\r\n":    false,
		strings.Repeat("x", 244) + "@contoso.com": true,
		strings.Repeat("x", 245) + "@contoso.com": false,
	} {
		res := newRules(t, nil).Map(mapping.Input{Object: bare(source.Attributes{"mail": {value}, "mailNickname": {"bob"}}), Domains: contoso()})
		if ok {
			require.Empty(t, res.Problems, value)
			require.Equal(t, []string{value}, res.Attributes["mail"])
			continue
		}
		p := problem(t, res)
		require.Equal(t, "mail", p.Attribute)
		require.Contains(t, []string{mapping.CodeInvalidAddress, mapping.CodeTooLong}, p.Code)
		require.False(t, p.Fatal)
		require.NotContains(t, res.Attributes, "mail", value)
	}
}

func TestOtherMailsAreASetOfAddresses(t *testing.T) {
	var many []string
	for i := range 251 {
		many = append(many, fmt.Sprintf("a%03d@example.org", i))
	}
	for _, tt := range []struct {
		name    string
		in      []string
		want    []string
		problem string
	}{
		{"in ascending order", []string{"b@example.org", "a@example.org"}, []string{"a@example.org", "b@example.org"}, ""},
		{"each once, without case", []string{"A@example.org", "a@example.org"}, []string{"A@example.org"}, ""},
		{"trimmed", []string{" a@example.org", "a@example.org"}, []string{"a@example.org"}, ""},
		{"blank ones are none", []string{" "}, nil, ""},
		{"one bad address keeps the whole set back", []string{"a@example.org", "nobody"}, nil, mapping.CodeInvalidAddress},
		{"an address that is too long too", []string{strings.Repeat("x", 239) + "@example.org"}, nil, mapping.CodeTooLong},
		{"250 fit", many[:250], many[:250], ""},
		{"251 don't", many, nil, mapping.CodeTooLong},
	} {
		t.Run(tt.name, func(t *testing.T) {
			res := newRules(t, nil).Map(mapping.Input{Object: bare(source.Attributes{"otherMailbox": tt.in}), Domains: contoso()})
			require.Equal(t, tt.want, res.Attributes["otherMails"])
			if tt.problem == "" {
				require.Empty(t, res.Problems)
				require.Contains(t, res.Attributes, "otherMails")
				return
			}
			require.Equal(t, tt.problem, problem(t, res).Code)
			require.NotContains(t, res.Attributes, "otherMails")
		})
	}
}

func TestMessagesAreShortAndHarmless(t *testing.T) {
	evil := "\x1b[31m\u202e\r\n" + strings.Repeat("😀", 300)
	res := newRules(t, nil).Map(mapping.Input{Object: bare(source.Attributes{"title": {evil}, "mail": {evil}, "msExchUsageLocation": {evil}, "userAccountControl": {evil}}), Domains: contoso()})
	require.Len(t, res.Problems, 4)
	for _, p := range res.Problems {
		require.Less(t, len([]rune(p.Message)), 300)
		for _, r := range p.Message + p.Remedy {
			require.True(t, r >= ' ' && r != '\u202e' && r != 0x7f, "%q", p.Message)
		}
	}
}
