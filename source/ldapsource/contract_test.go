package ldapsource_test

import (
	"crypto/tls"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/dirbridge/dirbridge/source"
	"github.com/dirbridge/dirbridge/source/ldapsource"
	"github.com/dirbridge/dirbridge/source/sourcetest"
	"github.com/go-ldap/ldap/v3"
	"github.com/stretchr/testify/require"
)

// hands change the real directory as its administrator, in an organizational
// unit of the test's own, of which OU=In is the scope.
type hands struct {
	t    testing.TB
	bed  *testbed
	conn *ldap.Conn
	ou   string
}

func newHands(t testing.TB, bed *testbed) *hands {
	conn, err := ldap.DialURL(bed.env["LDAPS_URL"], ldap.DialWithTLSConfig(&tls.Config{RootCAs: bed.roots(t), ServerName: bed.env["LDAP_IP"]}))
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	require.NoError(t, conn.Bind(bed.env["BIND_DN"], bed.env["BIND_PASSWORD"]))
	h := &hands{t: t, bed: bed, conn: conn, ou: fmt.Sprintf("OU=Test %08x,%s", rand.Uint32(), bed.env["BASE_DN"])}
	for _, dn := range []string{h.ou, h.in(), h.out()} {
		require.NoError(t, h.add(dn, map[string][]string{"objectClass": {"organizationalUnit"}}))
	}
	return h
}

func (h *hands) in() string  { return "OU=In," + h.ou }
func (h *hands) out() string { return "OU=Out," + h.ou }

func (h *hands) add(dn string, attrs map[string][]string) error {
	r := ldap.NewAddRequest(dn, nil)
	for k, v := range attrs {
		r.Attribute(k, v)
	}
	return h.conn.Add(r)
}

func guidDN(id source.ID) string { return "<GUID=" + string(id) + ">" }

// read gives the object's DN and these attributes.
func (h *hands) read(base string, attrs ...string) *ldap.Entry {
	r, err := h.conn.Search(ldap.NewSearchRequest(base, ldap.ScopeBaseObject, ldap.NeverDerefAliases, 0, 0, false, "(objectClass=*)", attrs,
		[]ldap.Control{ldap.NewControlMicrosoftShowDeleted()}))
	require.NoError(h.t, err)
	require.Len(h.t, r.Entries, 1)
	return r.Entries[0]
}

func (h *hands) id(dn string) source.ID {
	b := h.read(dn, "objectGUID").GetRawAttributeValue("objectGUID")
	require.Len(h.t, b, 16)
	return source.ID(fmt.Sprintf("%x-%x-%x-%x-%x", []byte{b[3], b[2], b[1], b[0]}, []byte{b[5], b[4]}, []byte{b[7], b[6]}, b[8:10], b[10:]))
}

func (h *hands) put(o source.Object) (source.ID, error) {
	if o.ID == "" {
		dn := "CN=" + o.Attributes.First("sAMAccountName") + "," + h.in()
		attrs := map[string][]string{"objectClass": {"user"}, "userAccountControl": {"514"}}
		for k, v := range o.Attributes {
			attrs[k] = v
		}
		attrs["sAMAccountName"] = []string{h.unique(o.Attributes.First("sAMAccountName"))}
		attrs["userPrincipalName"] = []string{h.unique(o.Attributes.First("userPrincipalName"))}
		if err := h.add(dn, attrs); err != nil {
			return "", err
		}
		return h.id(dn), nil
	}
	m := ldap.NewModifyRequest(guidDN(o.ID), nil)
	for _, n := range sourcetest.Names() {
		if n != "sAMAccountName" && n != "userPrincipalName" {
			m.Replace(n, o.Attributes[n])
		}
	}
	return o.ID, h.conn.Modify(m)
}

// unique makes names unique in the domain, which holds one world for each test.
func (h *hands) unique(name string) string {
	return h.ou[len("OU=Test "):len("OU=Test ")+8] + name
}

func (h *hands) remove(id source.ID) error {
	return h.conn.Del(ldap.NewDelRequest(guidDN(id), nil))
}

func (h *hands) rename(id source.ID, name, parent string) error {
	dn := h.read(guidDN(id), "1.1").DN
	rdn := dn[:3] + ldap.EscapeDN(name)
	if name == "" {
		rdn = dn[:strings.Index(dn, ",OU=")]
	}
	return h.conn.ModifyDN(ldap.NewModifyDNRequest(dn, rdn, true, parent))
}

// group makes or changes a group in OU=In.
func (h *hands) group(o source.Object) (source.ID, error) {
	if o.ID != "" {
		m := ldap.NewModifyRequest(guidDN(o.ID), nil)
		m.Replace("displayName", o.Attributes["displayName"])
		return o.ID, h.conn.Modify(m)
	}
	name := o.Attributes.First("sAMAccountName")
	dn := "CN=" + name + "," + h.in()
	attrs := map[string][]string{"objectClass": {"group"}, "displayName": o.Attributes["displayName"], "sAMAccountName": {h.unique(name)}}
	if err := h.add(dn, attrs); err != nil {
		return "", err
	}
	return h.id(dn), nil
}

func (h *hands) refer(id source.ID, attribute string, add, remove []source.ID) error {
	m := ldap.NewModifyRequest(guidDN(id), nil)
	dns := func(ids []source.ID) (list []string) {
		for _, to := range ids {
			list = append(list, h.read(guidDN(to), "1.1").DN)
		}
		return list
	}
	if len(remove) > 0 {
		m.Delete(attribute, dns(remove))
	}
	if len(add) > 0 {
		m.Add(attribute, dns(add))
	}
	return h.conn.Modify(m)
}

func (h *hands) container(name string, parent source.ID) (source.ID, error) {
	in := h.in()
	if parent != "" {
		in = h.read(guidDN(parent), "1.1").DN
	}
	dn := "OU=" + name + "," + in
	if err := h.add(dn, map[string][]string{"objectClass": {"organizationalUnit"}}); err != nil {
		return "", err
	}
	return h.id(dn), nil
}

func (h *hands) undelete(id source.ID) error {
	tomb := h.read(guidDN(id), "name")
	name, _, _ := strings.Cut(tomb.GetAttributeValue("name"), "\n") // "Ann\nDEL:guid"
	m := ldap.NewModifyRequest(tomb.DN, []ldap.Control{ldap.NewControlMicrosoftShowDeleted()})
	m.Delete("isDeleted", nil)
	m.Replace("distinguishedName", []string{"CN=" + name + "," + h.in()})
	return h.conn.Modify(m)
}

// newMove is a request to rename or move an object.
func newMove(dn, rdn, parent string) *ldap.ModifyDNRequest {
	return ldap.NewModifyDNRequest(dn, rdn, true, parent)
}

// TestContractOnARealDomainController runs the conformance suite in both delta
// modes.
func TestContractOnARealDomainController(t *testing.T) {
	bed := dc(t)
	for _, mode := range []ldapsource.DeltaMode{ldapsource.DeltaDirSync, ldapsource.DeltaUSN} {
		t.Run(string(mode), func(t *testing.T) {
			sourcetest.Run(t, func(t *testing.T) sourcetest.Directory {
				h := newHands(t, bed)
				cut := newCutter()
				src := bed.scoped(t, "SYNC", h.in(), everything, func(o *ldapsource.Options) { o.Delta, o.Dial = mode, cut.dial })
				return sourcetest.Directory{
					Source:   src,
					Put:      h.put,
					Keeps:    []string{"displayName", "givenName", "mail", "otherMailbox", "sn", "title"},
					Remove:   h.remove,
					Rename:   func(id source.ID, name string) error { return h.rename(id, name, "") },
					MoveOut:  func(id source.ID) error { return h.rename(id, "", h.out()) },
					MoveIn:   func(id source.ID) error { return h.rename(id, "", h.in()) },
					Undelete: h.undelete,

					Group:     h.group,
					Refer:     h.refer,
					Container: h.container,
					Place: func(id, container source.ID) error {
						return h.rename(id, "", h.read(guidDN(container), "1.1").DN)
					},
					Cut: func(n int) error {
						r := read(src.Find(t.Context(), nil)) // so that there is a connection
						cut.arm(1000 + 400*n)
						return r.err
					},
					Foreign: func() (source.Watermark, error) {
						r := read(bed.scoped(t, "SYNC", h.out()).All(t.Context()))
						return r.mark(), r.err
					},
				}
			})
		})
	}
}
