package compare_test

import (
	"fmt"
	"maps"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/internal/e2e/compare"
)

const initial = "contoso.onmicrosoft.com"

// ann has a value in every row of the flow.
func ann() compare.Entry {
	v := map[string][]string{
		"objectguid": {"\xf7\x2e\xab\xb9\x1b\x09\xbf\x50\x84\x5c\x72\xbb\x8a\x00\xe9\x09"}, "samaccountname": {"ann"},
		"userprincipalname": {"ann@contoso.com"}, "useraccountcontrol": {"512"}, "mailnickname": {"ann.archer"}, "mail": {"ann@contoso.com"},
		"proxyaddresses": {"smtp:a@contoso.com", "SMTP:ann@contoso.com"}, "othermailbox": {"z@x.org", "a@x.org"},
		"displayname": {"Ann Archer"}, "cn": {"Archer, Ann"}, "name": {"Archer, Ann"}, "givenname": {"Ann"}, "sn": {"Archer"}, "title": {"Clerk"},
		"department": {"Sales"}, "company": {"Contoso, Ltd."}, "physicaldeliveryofficename": {"B1/1"}, "streetaddress": {"1 Main Street\r\nFloor 1"},
		"l": {"Köln"}, "st": {"NRW"}, "postalcode": {"50667"}, "co": {"Germany"}, "c": {"de"}, "telephonenumber": {"+49 1"}, "mobile": {"+49 2"},
		"facsimiletelephonenumber": {"+49 3"}, "employeeid": {"E1"}, "employeetype": {"internal"}, "preferredlanguage": {"de-DE"},
	}
	for i := 1; i <= 15; i++ {
		v[fmt.Sprint("extensionattribute", i)] = []string{fmt.Sprint("ea", i)}
	}
	return compare.Entry{DN: `CN=Archer\, Ann,OU=Sales,DC=corp,DC=example,DC=com`, Values: v}
}

const annsAnchor = "9y6ruRsJv1CEXHK7igDpCQ=="

// annsAccount is written by hand: what Graph has to give for ann.
func annsAccount() compare.Account {
	v := map[string]string{
		"userPrincipalName": "ann@contoso.com", "displayName": "Ann Archer", "mailNickname": "ann.archer", "accountEnabled": "true",
		"givenName": "Ann", "surname": "Archer", "jobTitle": "Clerk", "department": "Sales", "companyName": "Contoso, Ltd.",
		"officeLocation": "B1/1", "streetAddress": "1 Main Street\r\nFloor 1", "city": "Köln", "state": "NRW", "postalCode": "50667",
		"country": "Germany", "businessPhones": "+49 1", "mobilePhone": "+49 2", "faxNumber": "+49 3", "mail": "ann@contoso.com",
		"otherMails": "a@x.org\nz@x.org", "employeeId": "E1", "employeeType": "internal", "preferredLanguage": "de-DE", "usageLocation": "DE",
	}
	for i := 1; i <= 15; i++ {
		v[fmt.Sprint("extensionAttribute", i)] = fmt.Sprint("ea", i)
	}
	return compare.Account{ID: "1", Anchor: annsAnchor, Values: v}
}

func tenant(live ...compare.Account) *compare.Tenant {
	return &compare.Tenant{Initial: initial, Verified: map[string]bool{initial: true, "contoso.com": true}, Live: live}
}

func with(e compare.Entry, name string, values ...string) compare.Entry {
	e.Values = maps.Clone(e.Values)
	e.Values[strings.ToLower(name)] = values
	return e
}

func live(e ...compare.Entry) *compare.Directory { return &compare.Directory{Live: e} }

// found are the attributes in which the tenant differs.
func found(ds []compare.Difference) (names []string) {
	for _, d := range ds {
		names = append(names, d.Attribute)
	}
	return names
}

func TestEqualsHaveNoDifference(t *testing.T) {
	c := compare.New("corp.example.com")
	require.Empty(t, c.Compare(live(ann()), tenant(annsAccount())))
	a, ok := c.Account("b9ab2ef7-091b-50bf-845c-72bb8a00e909")
	require.True(t, ok, "objectGUID in its text form")
	require.Equal(t, "Clerk", a.Values["jobTitle"])
	require.Equal(t, 1, c.Accounts())
}

func TestADifferenceInAnyOneAttributeIsFound(t *testing.T) {
	require.GreaterOrEqual(t, len(annsAccount().Values), 39, "all rows of the flow")
	for name, value := range annsAccount().Values {
		for what, other := range map[string]string{"another value": value + "x", "no value": ""} {
			if name == "accountEnabled" {
				other = "false"
			}
			a := annsAccount()
			if a.Values[name] = other; other == "" {
				delete(a.Values, name)
			}
			ds := compare.New("corp.example.com").Compare(live(ann()), tenant(a))
			require.Equal(t, []string{name}, found(ds), "%s: %s", name, what)
			require.Equal(t, compare.Difference{Object: ann().DN, Attribute: name, Want: value, Have: other}, ds[0])
		}
	}
}

func TestAChangeInAnyOneAttributeOfTheDirectoryIsFound(t *testing.T) {
	changed := map[string]string{"userPrincipalName": "amy@contoso.com", "mailNickname": "amy", "mail": "amy@contoso.com",
		"userAccountControl": "514", "c": "FR", "otherMailbox": "only@x.org"}
	for name := range ann().Values {
		switch name {
		case "objectguid", "samaccountname", "cn", "name", "proxyaddresses": // not looked at: what comes before them has a value
			continue
		}
		value := "changed"
		for k, v := range changed {
			if strings.EqualFold(k, name) {
				value = v
			}
		}
		ds := compare.New("corp.example.com").Compare(live(with(ann(), name, value)), tenant(annsAccount()))
		require.Len(t, ds, 1, name)
	}
}

func TestAccountsTooManyTooFewAndTwice(t *testing.T) {
	other := annsAccount()
	other.ID, other.Anchor = "2", "somebody else"
	again := annsAccount()
	again.ID = "3"
	for what, tt := range map[string]struct {
		dir    *compare.Directory
		tenant *compare.Tenant
	}{
		"nobody has one":       {live(ann()), tenant()},
		"nobody should have":   {live(ann()), tenant(annsAccount(), other)},
		"one has two":          {live(ann()), tenant(annsAccount(), again)},
		"skipped but there":    {live(with(ann(), "isCriticalSystemObject", "TRUE")), tenant(annsAccount())},
		"in the bin too early": {live(ann()), &compare.Tenant{Initial: initial, Verified: tenant().Verified, Live: []compare.Account{annsAccount()}, Deleted: []compare.Account{again}}},
	} {
		require.Equal(t, []string{"(account)"}, found(compare.New("corp.example.com").Compare(tt.dir, tt.tenant)), what)
	}
}

func TestTheAccountsOfDeletedPeopleAreInTheBin(t *testing.T) {
	gone := &compare.Directory{Deleted: []compare.Entry{ann()}}
	binned := tenant()
	binned.Deleted = []compare.Account{annsAccount()}
	for what, tt := range map[string]struct {
		tenant *compare.Tenant
		found  []string
	}{
		"right":       {binned, nil},
		"still live":  {tenant(annsAccount()), []string{"(account)"}},
		"not to find": {tenant(), []string{"(account)"}},
	} {
		c := compare.New("corp.example.com")
		require.Empty(t, c.Compare(live(ann()), tenant(annsAccount())))
		require.Equal(t, tt.found, found(c.Compare(gone, tt.tenant)), what)
	}
	require.Empty(t, compare.New("corp.example.com").Compare(gone, tenant()), "who came and went between two looks")
}

func TestWhatCantBeClearedKeepsItsValue(t *testing.T) {
	c := compare.New("corp.example.com")
	require.Empty(t, c.Compare(live(ann()), tenant(annsAccount())))
	bare := with(with(with(ann(), "mail"), "c"), "title", strings.Repeat("x", 129))
	require.Empty(t, c.Compare(live(bare), tenant(annsAccount())), "mail, usageLocation and a title that is too long stay")
	changed := annsAccount()
	delete(changed.Values, "mail")
	changed.Values["usageLocation"], changed.Values["jobTitle"] = "FR", strings.Repeat("x", 128)
	require.Equal(t, []string{"jobTitle", "mail", "usageLocation"}, found(c.Compare(live(bare), tenant(changed))))
	fresh := annsAccount()
	for _, name := range []string{"mail", "usageLocation", "jobTitle"} {
		delete(fresh.Values, name)
	}
	require.Empty(t, compare.New("corp.example.com").Compare(live(bare), tenant(fresh)), "a new account has none of them")
}

func TestNames(t *testing.T) {
	for _, tt := range []struct {
		upn, sam, nick string // of the directory
		wantUPN, want  string
	}{
		{"ann@contoso.com", "a", "", "ann@contoso.com", "ann"},
		{"ann@Contoso.com", "a", "", "ann@Contoso.com", "ann"},
		{"ann@corp.example.com", "a", "", "ann@" + initial, "ann"},
		{"ann@fabrikam.local", "a", "bad alias 7", "ann@" + initial, "badalias7"},
		{"ann,e@fabrikam.local", "a", "n", "anne@" + initial, "n"},
		{"", "a", "", "a@" + initial, "a"},
	} {
		e := with(with(with(with(with(ann(), "userPrincipalName", tt.upn), "sAMAccountName", tt.sam), "mailNickname", tt.nick), "proxyAddresses"), "mail")
		if tt.upn == "" {
			e = with(e, "userPrincipalName")
		}
		if tt.nick == "" {
			e = with(e, "mailNickname")
		}
		a := annsAccount()
		a.Values["userPrincipalName"], a.Values["mailNickname"] = tt.wantUPN, tt.want
		delete(a.Values, "mail")
		require.Empty(t, compare.New("corp.example.com").Compare(live(e), tenant(a)), "%+v", tt)
	}
	verified := tenant(annsAccount())
	verified.Verified["corp.example.com"] = true
	ds := compare.New("corp.example.com").Compare(live(with(ann(), "userPrincipalName", "ann@corp.example.com")), verified)
	require.Equal(t, []compare.Difference{{ann().DN, "userPrincipalName", "ann@corp.example.com", "ann@contoso.com"}}, ds)
	ds = compare.New("corp.example.com").Compare(live(with(ann(), "userPrincipalName", "jürgen@contoso.com")), tenant(annsAccount()))
	require.Contains(t, found(ds), "(rule)", "it says what it can't judge")
}

func TestWhoIsSkipped(t *testing.T) {
	for _, e := range []compare.Entry{
		with(ann(), "isCriticalSystemObject", "TRUE"), with(ann(), "sAMAccountName"), with(ann(), "userAccountControl"),
		with(ann(), "sAMAccountName", "MSOL_1"), with(ann(), "sAMAccountName", "aad_1"), with(ann(), "sAMAccountName", "SUPPORT_388945a0"),
		with(ann(), "mailNickname", "SystemMailbox{1}"), with(ann(), "mailNickname", "CAS_{1}"), with(ann(), "sAMAccountName", "CAS_{1}"),
		with(ann(), "msExchRecipientTypeDetails", "536870912"), with(ann(), "msExchRecipientTypeDetails", "2"),
		{DN: `CN=Ann\0ACNF:1,DC=corp`, Values: ann().Values},
	} {
		require.Empty(t, compare.New("corp.example.com").Compare(live(e), tenant()), "%v", e)
	}
	mailbox := with(ann(), "msExchRecipientTypeDetails", "2147483648")
	require.Empty(t, compare.New("corp.example.com").Compare(live(mailbox), tenant(annsAccount())))
}

func TestTheAnchorIsThatOfTheFirstSight(t *testing.T) {
	c := compare.New("corp.example.com")
	c.Observe(live(ann()))
	later := with(ann(), "mS-DS-ConsistencyGuid", strings.Repeat("x", 16))
	require.Empty(t, c.Compare(live(later), tenant(annsAccount())))
	a := annsAccount()
	a.Anchor = "eHh4eHh4eHh4eHh4eHh4eA=="
	require.Empty(t, compare.New("corp.example.com").Compare(live(later), tenant(a)))
}

// The opinion is worth something because it is another one.
func TestItSharesNothingWithTheRestOfTheModule(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", ".").Output()
	require.NoError(t, err)
	ours := slices.DeleteFunc(strings.Fields(string(out)), func(p string) bool { return !strings.Contains(p, "dirbridge") })
	require.Equal(t, []string{"github.com/dirbridge/dirbridge/internal/e2e/compare"}, ours)
}
