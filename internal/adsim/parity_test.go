package adsim_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/internal/adsim"
)

var sidHex = regexp.MustCompile(`<SID=[^>]*>`)

// rawControl is a critical control with the TRUE that RFC 4511 wants
// (go-ldap's ControlString sends another: ad-facts.md 9).
type rawControl struct {
	oid   string
	value []byte
}

func (c *rawControl) GetControlType() string { return c.oid }
func (c *rawControl) String() string         { return c.oid }
func (c *rawControl) Encode() *ber.Packet {
	p := ber.NewSequence("")
	p.AppendChild(ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, c.oid, ""))
	p.AppendChild(ber.NewLDAPBoolean(ber.ClassUniversal, ber.TypePrimitive, ber.TagBoolean, true, ""))
	if c.value != nil {
		p.AppendChild(ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, string(c.value), ""))
	}
	return p
}

// A row is one question. The rows are asked in order, of each world alike.
type row struct {
	name string
	ask  func(w *world) string

	// windows says that adsim in its usual manner answers otherwise, and cites
	// the page that says that Windows does. In Samba's manner it must answer
	// as Samba does.
	windows string
}

// exceptions are answers in which adsim isn't like Samba in any manner, each
// with its reason.
var exceptions = map[string]string{
	"an unknown critical control": "ad-facts.md 9: Samba answers some of them with an extended response, which no client expects; RFC 4511, 4.1.11 wants 12",
	"filter (cn~=cid)":            "not in ad-facts.md: seen here that Samba 4.17 answers operationsError; MS-ADTS says that AD takes ~= as =",
	"move to where nothing is":    "not in ad-facts.md: seen here that Samba 4.17 answers other (80); the object named isn't there: 32",
}

// TestSimulatorAnswersAsTheRealDomainController plays one table against a real
// domain controller and against the simulator, in both of its manners.
func TestSimulatorAnswersAsTheRealDomainController(t *testing.T) {
	dc := real(t)
	samba, windows := simulated(t, &adsim.Options{Samba: true}), simulated(t, nil)
	cleanUp(dc)
	t.Cleanup(func() { cleanUp(dc) })
	for _, r := range parityRows() {
		want := r.ask(dc)
		gotSamba, gotWindows := r.ask(samba), r.ask(windows)
		t.Run(r.name, func(t *testing.T) {
			if why, ok := exceptions[r.name]; ok {
				require.NotEqual(t, want, gotSamba, "no exception any more: %s", why)
				return
			}
			assert.Equal(t, want, gotSamba, "in Samba's manner")
			if r.windows == "" {
				assert.Equal(t, want, gotWindows, "in Windows's manner")
			} else {
				assert.NotEqual(t, want, gotWindows, "listed as different on Windows: %s", r.windows)
			}
		})
	}
}

// TestTableIsTheSameInBothManners plays the table against the simulator alone,
// so that a machine without Samba notices a change too.
func TestTableIsTheSameInBothManners(t *testing.T) {
	samba, windows := simulated(t, &adsim.Options{Samba: true}), simulated(t, nil)
	for _, r := range parityRows() {
		a, b := r.ask(samba), r.ask(windows)
		if r.windows == "" {
			require.Equal(t, a, b, r.name)
		} else {
			require.NotEqual(t, a, b, r.name)
		}
	}
}

// cleanUp deletes what an earlier run left.
func cleanUp(w *world) {
	_ = w.admin.Del(ldap.NewDelRequest(w.ou(), []ldap.Control{control(ldap.ControlTypeSubtreeDelete)}))
}

func parityRows() []row {
	return slices.Concat(bindRows(), addRows(), searchRows(), writeRows(), dirSyncRows(), deletionRows(), limitRows())
}

func (w *world) bindAs(name, password string) string {
	c := w.dial("")
	if password == "" {
		return code(c.UnauthenticatedBind(name))
	}
	err := c.Bind(name, password)
	if err != nil && strings.Contains(err.Error(), "data 52e") {
		return code(err) + " data 52e"
	}
	return code(err)
}

func bindRows() []row {
	return []row{
		{name: "the administrator binds by DN", ask: func(w *world) string { return w.bindAs(w.names["admin"], w.passwords["admin"]) }},
		{name: "the sync account binds by UPN", ask: func(w *world) string { return w.bindAs("svc-sync@corp.example.com", w.passwords["sync"]) }},
		{name: "the sync account binds as DOMAIN\\name", ask: func(w *world) string { return w.bindAs(`CORP\svc-sync`, w.passwords["sync"]) }},
		{name: "a wrong password is 49 with data 52e", ask: func(w *world) string { return w.bindAs(w.names["sync"], "wrong") }},
		{name: "an unknown user is refused", ask: func(w *world) string { return w.bindAs("CN=nobody,"+w.base, "wrong") },
			windows: "ad-facts.md 8: Windows puts the cause into data, 525 for no such user; Samba gave 52e"},
		{name: "a bind with a name and no password", ask: func(w *world) string { return w.bindAs(w.names["sync"], "") },
			windows: "ad-facts.md 8: Windows answers success, as anonymous"},
		{name: "a stranger reads the rootDSE", ask: func(w *world) string {
			return w.search(w.dial(""), "", ldap.ScopeBaseObject, "(objectClass=*)", []string{
				"defaultNamingContext", "configurationNamingContext", "schemaNamingContext", "rootDomainNamingContext", "dsServiceName",
				"serverName", "dnsHostName", "isSynchronized", "ldapServiceName", "supportedCapabilities", "subschemaSubentry",
			})
		}},
		{name: "a stranger reads nothing else", ask: func(w *world) string {
			return w.search(w.dial(""), w.base, ldap.ScopeBaseObject, "(objectClass=*)", []string{"name"})
		}},
		{name: "dsServiceName leads to the invocationId", ask: func(w *world) string {
			r, err := w.sync.Search(ldap.NewSearchRequest("", 0, 0, 0, 0, false, "(objectClass=*)", []string{"dsServiceName"}, nil))
			require.NoError(w.t, err)
			r, err = w.sync.Search(ldap.NewSearchRequest(r.Entries[0].GetAttributeValue("dsServiceName"), 0, 0, 0, 0, false, "(objectClass=*)", []string{"invocationId"}, nil))
			require.NoError(w.t, err)
			return fmt.Sprint(len(r.Entries[0].GetRawAttributeValue("invocationId")), " bytes")
		}},
		{name: "whoami", ask: func(w *world) string { _, err := w.sync.WhoAmI(nil); return code(err) },
			windows: "ad-facts.md 8: not supported by Samba, Windows has it since 2008"},
		{name: "the schema lists an attribute by its name", ask: func(w *world) string {
			return w.search(w.sync, "CN=Schema,CN=Configuration,"+w.base, ldap.ScopeSingleLevel, "(lDAPDisplayName=mS-DS-ConsistencyGuid)",
				[]string{"lDAPDisplayName", "attributeID", "attributeSyntax", "oMSyntax", "isSingleValued"})
		}},
		{name: "the schema does not list a misspelt one", ask: func(w *world) string {
			return w.search(w.sync, "CN=Schema,CN=Configuration,"+w.base, ldap.ScopeSingleLevel, "(lDAPDisplayName=msDS-ConsistencyGuid)", []string{"name"})
		}},
	}
}

func (w *world) add(label, rdn string, attrs map[string][]string) string {
	req := ldap.NewAddRequest(w.dn(rdn), nil)
	for k, v := range attrs {
		req.Attribute(k, v)
	}
	err := w.admin.Add(req)
	if err == nil {
		w.learn(label, w.dn(rdn))
	}
	return code(err)
}

func (w *world) modify(dn, op, attr string, values ...string) string {
	req := ldap.NewModifyRequest(dn, nil)
	switch op {
	case "add":
		req.Add(attr, values)
	case "delete":
		req.Delete(attr, values)
	default:
		req.Replace(attr, values)
	}
	return code(w.admin.Modify(req))
}

func addRows() []row {
	user := func(more map[string][]string) map[string][]string {
		attrs := map[string][]string{"objectClass": {"user"}}
		for k, v := range more {
			attrs[k] = v
		}
		return attrs
	}
	return []row{
		{name: "an organizational unit is added", ask: func(w *world) string {
			req := ldap.NewAddRequest(w.ou(), nil)
			req.Attribute("objectClass", []string{"organizationalUnit"})
			err := w.admin.Add(req)
			if err == nil {
				w.learn("parity", w.ou())
			}
			for _, who := range []string{"admin", "sync", "reader"} {
				w.learn(who, w.names[who])
			}
			return code(err)
		}},
		{name: "a second one below it", ask: func(w *world) string {
			return w.add("staff", "OU=Staff", map[string][]string{"objectClass": {"organizationalUnit"}})
		}},
		{name: "a user is added with his attributes", ask: func(w *world) string {
			return w.add("ann", "CN=Ann Ä,OU=Staff", user(map[string][]string{
				"sAMAccountName": {"parity-ann"}, "givenName": {"Ann"}, "sn": {"Ä"}, "mail": {"Ann@contoso.com"}, "userPrincipalName": {"ann@contoso.com"},
				"proxyAddresses": {"SMTP:Ann@contoso.com", "smtp:a@contoso.com"}, "title": {"Clerk"}, "manager": {w.names["admin"]},
				"mS-DS-ConsistencyGuid": {"\x00\x01\xff\xfe0123456789ab"}, "employeeID": {"7"},
			}))
		}},
		{name: "another with a comma in her name", ask: func(w *world) string {
			return w.add("bea", `CN=Beta\, Bea,OU=Staff`, user(map[string][]string{"sAMAccountName": {"parity-bea"}, "mail": {"bea@contoso.com"}, "mobile": {"1"}}))
		}},
		{name: "one without a UPN", ask: func(w *world) string {
			return w.add("cid", "CN=Cid", user(map[string][]string{"sAMAccountName": {"parity-cid"}, "description": {"old"}}))
		}},
		{name: "a contact", ask: func(w *world) string {
			return w.add("con", "CN=Con", map[string][]string{"objectClass": {"contact"}, "mail": {"con@partner.example"}})
		}},
		{name: "a computer", ask: func(w *world) string {
			return w.add("pc", "CN=PC1", map[string][]string{"objectClass": {"computer"}, "sAMAccountName": {"PARITYPC1$"}})
		}},
		{name: "a group with a member", ask: func(w *world) string {
			return w.add("group", "CN=Team", map[string][]string{"objectClass": {"group"}, "sAMAccountName": {"parity-team"}, "groupType": {"-2147483640"},
				"member": {w.dn("CN=Cid")}})
		}},
		{name: "a DN that is taken", ask: func(w *world) string {
			return w.add("x", "CN=Cid", user(map[string][]string{"sAMAccountName": {"parity-x"}}))
		}},
		{name: "a sAMAccountName that is taken", ask: func(w *world) string {
			return w.add("x", "CN=X", user(map[string][]string{"sAMAccountName": {"PARITY-cid"}}))
		}},
		{name: "a UPN that is taken", ask: func(w *world) string {
			return w.add("x", "CN=X", user(map[string][]string{"sAMAccountName": {"parity-x"}, "userPrincipalName": {"ANN@contoso.com"}}))
		}},
		{name: "a parent that is not there", ask: func(w *world) string { return w.add("x", "CN=X,OU=Nowhere", user(nil)) }},
		{name: "an attribute that the schema lacks", ask: func(w *world) string {
			return w.add("x", "CN=X", user(map[string][]string{"shoeSize": {"42"}}))
		}},
		{name: "an unknown class", ask: func(w *world) string {
			return w.add("x", "CN=X", map[string][]string{"objectClass": {"martian"}})
		}},
		{name: "a manager who is not there", ask: func(w *world) string {
			return w.add("x", "CN=X", user(map[string][]string{"sAMAccountName": {"parity-x"}, "manager": {w.dn("CN=Nobody")}}))
		}},
		{name: "a reader may not write", ask: func(w *world) string {
			req := ldap.NewModifyRequest(w.dn("CN=Cid"), nil)
			req.Replace("title", []string{"x"})
			return code(w.reader.Modify(req))
		}},
	}
}
