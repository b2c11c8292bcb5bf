package ldapsource_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os/exec"
	"sync"
	"testing"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"
	"github.com/stretchr/testify/require"
)

// daclOnly asks for and writes the discretionary part of a security descriptor
// alone (MS-ADTS 3.1.1.3.4.1.11), of deleted objects too.
func daclOnly() []ldap.Control {
	return []ldap.Control{rawControl{"1.2.840.113556.1.4.801", []byte{0x30, 3, 2, 1, 4}}, ldap.NewControlMicrosoftShowDeleted()}
}

type rawControl struct {
	oid   string
	value []byte
}

func (c rawControl) GetControlType() string { return c.oid }
func (c rawControl) String() string         { return c.oid }
func (c rawControl) Encode() *ber.Packet {
	p := ber.Encode(ber.ClassUniversal, ber.TypeConstructed, ber.TagSequence, nil, "")
	p.AppendChild(ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, c.oid, ""))
	p.AppendChild(ber.NewLDAPBoolean(ber.ClassUniversal, ber.TypePrimitive, ber.TagBoolean, true, ""))
	p.AppendChild(ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, string(c.value), ""))
	return p
}

// dacl reads the security descriptor of dn, with its DACL alone.
func (h *hands) dacl(dn string) []byte {
	r, err := h.conn.Search(ldap.NewSearchRequest(dn, ldap.ScopeBaseObject, ldap.NeverDerefAliases, 0, 0, false, "(objectClass=*)",
		[]string{"nTSecurityDescriptor"}, daclOnly()))
	require.NoError(h.t, err)
	require.Len(h.t, r.Entries, 1)
	sd := r.Entries[0].GetRawAttributeValue("nTSecurityDescriptor")
	require.Greater(h.t, len(sd), 28)
	return sd
}

func (h *hands) setDACL(dn string, sd []byte) {
	m := ldap.NewModifyRequest(dn, daclOnly())
	m.Replace("nTSecurityDescriptor", []string{string(sd)})
	require.NoError(h.t, h.conn.Modify(m))
}

// editACL rewrites the entries of dn's access control list, until the test ends.
func (h *hands) editACL(dn string, edit func(aces [][]byte) [][]byte) {
	was := h.dacl(dn)
	at := binary.LittleEndian.Uint32(was[16:])
	acl := was[at:]
	n := int(binary.LittleEndian.Uint16(acl[4:]))
	var aces [][]byte
	for rest := acl[8:]; n > 0; n-- {
		size := binary.LittleEndian.Uint16(rest[2:])
		aces = append(aces, bytes.Clone(rest[:size]))
		rest = rest[size:]
	}
	aces = edit(aces)
	body := bytes.Join(aces, nil)
	head := bytes.Clone(acl[:8])
	binary.LittleEndian.PutUint16(head[2:], uint16(8+len(body)))
	binary.LittleEndian.PutUint16(head[4:], uint16(len(aces)))
	sd := append(bytes.Clone(was[:at]), append(head, body...)...)
	h.setDACL(dn, sd)
	h.t.Cleanup(func() { h.setDACL(dn, was) })
}

// sid is the SID of the object at dn.
func (h *hands) sid(dn string) []byte {
	s := h.read(dn, "objectSid").GetRawAttributeValue("objectSid")
	require.NotEmpty(h.t, s)
	return s
}

// deny is an entry that denies everything to sid.
func deny(sid []byte) []byte {
	a := append([]byte{1, 0, 0, 0, 0xff, 0x01, 0x0f, 0}, sid...)
	binary.LittleEndian.PutUint16(a[2:], uint16(len(a)))
	return a
}

// denyAsSystem denies the account at who to list and read dn, which not even an
// administrator may decide of CN=Deleted Objects. What it returns undoes it, as
// does the end of the test.
func (b *testbed) denyAsSystem(t testing.TB, dn, who string) (undo func()) {
	t.Helper()
	const script = `
import os, sys
from samba.param import LoadParm
from samba.samdb import SamDB
from samba.auth import system_session
from samba.dcerpc import security
from samba.ndr import ndr_pack, ndr_unpack
import ldb
d, dn, who, old = sys.argv[1:5]
lp = LoadParm(); lp.load(os.path.join(d, "etc", "smb.conf"))
db = SamDB(url=os.path.join(d, "private", "sam.ldb"), lp=lp, session_info=system_session(lp))
domain, controls = security.dom_sid(db.get_domain_sid()), ["show_deleted:1", "sd_flags:1:4"]
if not old:
    was = ndr_unpack(security.descriptor, db.search(dn, ldb.SCOPE_BASE, attrs=["nTSecurityDescriptor"], controls=controls)[0]["nTSecurityDescriptor"][0]).as_sddl(domain)
    sid = ndr_unpack(security.dom_sid, db.search(who, ldb.SCOPE_BASE, attrs=["objectSid"])[0]["objectSid"][0])
    i = was.find("(", was.index("D:"))
    new = was[:i] + "(D;OICI;LCLORPRC;;;%s)" % sid + was[i:]
else:
    was, new = "", old
m = ldb.Message(ldb.Dn(db, dn))
m["x"] = ldb.MessageElement(ndr_pack(security.descriptor.from_sddl(new, domain)), ldb.FLAG_MOD_REPLACE, "nTSecurityDescriptor")
db.modify(m, controls=controls)
print(was, end="")
`
	run := func(old string) string {
		out, err := exec.Command("/usr/bin/python3", "-c", script, b.dir, dn, who, old).Output()
		if e, ok := errors.AsType[*exec.ExitError](err); ok {
			t.Fatalf("%v: %s", err, e.Stderr)
		}
		require.NoError(t, err)
		return string(out)
	}
	was := run("")
	undo = sync.OnceFunc(func() { run(was) })
	t.Cleanup(undo)
	return undo
}
