package ldapsource_test

import (
	"encoding/binary"
	"encoding/hex"
	"testing"

	"github.com/dirbridge/dirbridge/source"
	"github.com/dirbridge/dirbridge/source/ldapsource"
	"github.com/go-ldap/ldap/v3"
	"github.com/stretchr/testify/require"
)

func bytesOf(t *testing.T, s string) []byte {
	b, err := hex.DecodeString(s)
	require.NoError(t, err)
	return b
}

func TestGUIDsAreLittleEndianInTheirFirstThreeFields(t *testing.T) {
	raw := bytesOf(t, "f72eabb91b09bf50845c72bb8a00e909") // the example of ad-facts 7
	text, err := ldapsource.GUIDText(raw)
	require.NoError(t, err)
	require.Equal(t, "b9ab2ef7-091b-50bf-845c-72bb8a00e909", text)
	back, ok := ldapsource.ParseGUID("B9AB2EF7-091b-50bf-845c-72bb8a00e909")
	require.True(t, ok)
	require.Equal(t, raw, back[:])
	require.Equal(t, `(|(objectGUID=\f7\2e\ab\b9\1b\09\bf\50\84\5c\72\bb\8a\00\e9\09))`, ldapsource.FilterOfGUIDs(back))
	for _, bad := range []string{"", "b9ab2ef7091b50bf845c72bb8a00e909", "b9ab2ef7-091b-50bf-845c-72bb8a00e90)", "{b9ab2ef7-091b-50bf-845c-72bb8a00e9}"} {
		_, ok := ldapsource.ParseGUID(bad)
		require.False(t, ok, bad)
	}
	_, err = ldapsource.GUIDText(raw[:15])
	require.Error(t, err)
}

func TestAnEntryBecomesAnObject(t *testing.T) {
	attr := func(name string, values ...string) *ldap.EntryAttribute { return ldap.NewEntryAttribute(name, values) }
	guid := string(bytesOf(t, "f72eabb91b09bf50845c72bb8a00e909"))
	o, err := ldapsource.Decode(&ldap.Entry{DN: `CN=Ann\, Example,DC=x`, Attributes: []*ldap.EntryAttribute{
		attr("OBJECTGUID", guid), attr("objectClass", "top", "person", "user"), attr("GivenName", "Ann"), attr("displayname", "Ann\x00Example"),
		attr("title", "bad \xff byte"), attr("proxyAddresses", "smtp:b@x", "SMTP:a@x"), attr("mobile"), attr("ms-ds-consistencyguid", "\x01\xff"),
		attr("thumbnailPhoto", "\xff\xd8", "\x00"), attr("uSNChanged", "7"), attr("nobodyAskedForThis", "x"), attr("sn;lang-de", "Beispiel"),
	}}, "thumbnailPhoto")
	require.NoError(t, err)
	require.Equal(t, source.Object{ID: "b9ab2ef7-091b-50bf-845c-72bb8a00e909", Kind: source.User, DN: `CN=Ann\, Example,DC=x`,
		Attributes: source.Attributes{
			"objectGUID": {"9y6ruRsJv1CEXHK7igDpCQ=="}, "objectClass": {"person", "top", "user"}, "givenName": {"Ann"}, "displayName": {"Ann\x00Example"},
			"proxyAddresses": {"SMTP:a@x", "smtp:b@x"}, "mS-DS-ConsistencyGuid": {"Af8="}, "thumbnailPhoto": {"/9g=", "AA=="}, "sn": {"Beispiel"},
		},
		Faults: []source.Fault{{Attribute: "title", Reason: "the value isn't valid UTF-8 text"}},
	}, o)
	_, err = ldapsource.Decode(&ldap.Entry{DN: "CN=x", Attributes: []*ldap.EntryAttribute{attr("cn", "x")}})
	require.ErrorContains(t, err, "no objectGUID")
}

func TestOnlyAccountsOfPeopleArePeople(t *testing.T) {
	for _, tt := range []struct {
		want    string
		classes []string
		uac     string
	}{
		{"person", []string{"top", "person", "organizationalPerson", "user"}, "512"},
		{"person", []string{"top", "person", "organizationalPerson", "user", "inetOrgPerson"}, "66050"},
		{"person", []string{"TOP", "USER"}, ""},
		{"machine", []string{"top", "person", "organizationalPerson", "user", "computer"}, "4096"},
		{"machine", []string{"top", "person", "organizationalPerson", "user", "computer", "msDS-GroupManagedServiceAccount"}, "4096"},
		{"machine", []string{"top", "person", "organizationalPerson", "user"}, "2080"},   // a trust: FABRIKAM$
		{"machine", []string{"top", "person", "organizationalPerson", "user"}, "532480"}, // a domain controller
		{"container", []string{"top", "organizationalUnit"}, ""},
		{"other", []string{"top", "person", "organizationalPerson", "contact"}, ""},
		{"group", []string{"top", "group"}, ""},
		{"other", nil, ""},
	} {
		require.Equal(t, tt.want, ldapsource.ClassOf(tt.classes, tt.uac), "%v %s", tt.classes, tt.uac)
	}
}

func TestRangesAreParsed(t *testing.T) {
	for d, want := range map[string]ldapsource.ValueRange{
		"member;range=0-1499":      {Name: "member", High: 1499},
		"member;Range=1500-*":      {Name: "member", Low: 1500, Last: true},
		"proxyAddresses;range=0-0": {Name: "proxyAddresses"},
	} {
		got, ok := ldapsource.ParseRange(d)
		require.True(t, ok, d)
		require.Equal(t, want, got)
	}
	for _, d := range []string{"member", "member;", "member;binary", "member;range=", "member;range=5", "member;range=5-1", "member;range=-1-5", "member;range=a-b"} {
		_, ok := ldapsource.ParseRange(d)
		require.False(t, ok, d)
	}
}

// descriptor is a security descriptor with these access control entries.
func descriptor(aces ...[]byte) []byte {
	body := []byte{4, 0, 0, 0, byte(len(aces)), 0, 0, 0}
	for _, a := range aces {
		body = append(body, a...)
	}
	binary.LittleEndian.PutUint16(body[2:], uint16(len(body)))
	head := make([]byte, 20)
	head[0], head[16] = 1, 20
	return append(head, body...)
}

func ace(kind, flags byte, mask uint32, parts ...[]byte) []byte {
	b := []byte{kind, flags, 0, 0, 0, 0, 0, 0}
	binary.LittleEndian.PutUint32(b[4:], mask)
	for _, p := range parts {
		b = append(b, p...)
	}
	b[2] = byte(len(b))
	return b
}

func TestA06_TooManyRightsAreNoticed(t *testing.T) {
	domain := bytesOf(t, "010500000000000515000000c7353a428e6b748455a1aec6")
	rid := func(n uint32) []byte { return binary.LittleEndian.AppendUint32(append([]byte(nil), domain...), n) }
	require.Equal(t, "Domain Admins", ldapsource.Administrators(rid(1103), rid(512)))
	require.Equal(t, "Enterprise Admins", ldapsource.Administrators(rid(519)))
	require.Equal(t, "Administrators", ldapsource.Administrators(bytesOf(t, "01020000000000052000000020020000")))
	require.Empty(t, ldapsource.Administrators(rid(513), rid(1103), bytesOf(t, "01020000000000052000000021020000"), nil, []byte{1}))

	me, object := rid(1103), []byte{1, 0, 0, 0}
	all, one := bytesOf(t, "adf63111079cd111f79f00c04fc2dcd2"), bytesOf(t, "aaf63111079cd111f79f00c04fc2dcd2")
	for _, tt := range []struct {
		name string
		want bool
		sd   []byte
	}{
		{"Get-Changes-All", true, descriptor(ace(5, 0, 0x100, object, all, me))},
		{"Get-Changes alone", false, descriptor(ace(5, 0, 0x100, object, one, me))},
		{"somebody else's", false, descriptor(ace(5, 0, 0x100, object, all, rid(1104)))},
		{"all extended rights", true, descriptor(ace(5, 0, 0x100, object, one, me), ace(0, 0, 0x100, me))},
		{"everything", true, descriptor(ace(0, 0, 0x10000000, me))},
		{"for children only", false, descriptor(ace(5, 8, 0x100, object, all, me))},
		{"read", false, descriptor(ace(0, 0, 0x20094, me))},
		{"a denial", false, descriptor(ace(6, 0, 0x100, object, all, me))},
		{"cut short", false, descriptor(ace(5, 0, 0x100, object, all, me))[:60]},
		{"nothing", false, nil},
	} {
		require.Equal(t, tt.want, ldapsource.GrantsGetChangesAll(tt.sd, me), tt.name)
	}
}

// TestACriticalControlIsCritical: go-ldap's ControlString writes TRUE as 0x01,
// which Samba reads as FALSE.
func TestACriticalControlIsCritical(t *testing.T) {
	require.Equal(t, tlv(0x30, tlv(4, []byte("1.2.840.113556.1.4.417")), []byte{1, 1, 0xff}), ldapsource.ControlBytes("1.2.840.113556.1.4.417"))
}
