package adsim_test

import (
	"fmt"
	"strings"

	"github.com/go-ldap/ldap/v3"
	"github.com/stretchr/testify/require"
)

func escape(raw string) string {
	var b strings.Builder
	for i := range len(raw) {
		fmt.Fprintf(&b, `\%02x`, raw[i])
	}
	return b.String()
}

func filterRow(filter string) row {
	return row{name: "filter " + filter, ask: func(w *world) string { return w.find(filter, "1.1") }}
}

func searchRows() []row {
	base, one, sub := ldap.ScopeBaseObject, ldap.ScopeSingleLevel, ldap.ScopeWholeSubtree
	any := "(objectClass=*)"
	rows := []row{
		{name: "a user with all attributes", ask: func(w *world) string { return w.find("(sAMAccountName=parity-ann)") }},
		{name: "a user without optional attributes", ask: func(w *world) string { return w.find("(sAMAccountName=parity-cid)", "*") }},
		{name: "a contact with all attributes", ask: func(w *world) string { return w.find("(cn=Con)") }},
		{name: "an organizational unit with all attributes", ask: func(w *world) string { return w.find("(ou=Staff)") }},
		{name: "a group with all attributes", ask: func(w *world) string { return w.find("(cn=Team)") }},
		{name: "names in any case, answered in the schema's spelling", ask: func(w *world) string {
			return w.find("(SAMACCOUNTNAME=PARITY-ANN)", "MAIL", "objectguid", "distinguishedname", "ms-ds-consistencyguid")
		}},
		{name: "an unknown attribute is left out", ask: func(w *world) string { return w.find("(cn=Cid)", "shoeSize", "name", "msDS-ConsistencyGuid") }},
		{name: "1.1 asks for no attribute", ask: func(w *world) string { return w.find("(cn=Cid)", "1.1") }},
		{name: "operational attributes come by name", ask: func(w *world) string {
			return w.find("(cn=Cid)", "parentGUID", "canonicalName", "structuralObjectClass", "memberOf", "whenCreated")
		}},
		{name: "types only", ask: func(w *world) string {
			req := ldap.NewSearchRequest(w.dn("CN=Cid"), base, 0, 0, 0, false, any, []string{"name", "description"}, nil)
			req.TypesOnly = true
			r, err := w.admin.Search(req)
			require.NoError(w.t, err)
			return w.text(r.Entries, false)
		}},
		{name: "base by GUID in text form", ask: func(w *world) string { return w.search(w.sync, w.guidDN("ann"), base, any, []string{"name"}) }},
		{name: "base by GUID in hexadecimal form", ask: func(w *world) string {
			return w.search(w.sync, fmt.Sprintf("<GUID=%x>", w.guid("ann")), base, any, []string{"name"})
		}},
		{name: "base by an unknown GUID", ask: func(w *world) string {
			return w.search(w.sync, "<GUID=01234567-0123-4123-8123-0123456789ab>", base, any, []string{"name"})
		}},
		{name: "a base in other case", ask: func(w *world) string {
			return w.search(w.sync, strings.ToUpper(w.dn("CN=Cid")), base, any, []string{"name"})
		}},
		{name: "a base that is not there", ask: func(w *world) string { return w.search(w.sync, w.dn("CN=Nobody"), base, any, nil) }},
		{name: "a base that is no DN", ask: func(w *world) string { return w.search(w.sync, "nonsense", base, any, nil) }},
		{name: "one level", ask: func(w *world) string { return w.search(w.sync, w.ou(), one, any, []string{"name"}) }},
		{name: "subtree, and the base is part of it", ask: func(w *world) string { return w.search(w.sync, w.ou(), sub, any, []string{"name"}) }},
		{name: "objectGUID by its bytes", ask: func(w *world) string { return w.find("(objectGUID="+escape(w.guid("bea"))+")", "objectGUID") }},
		{name: "consistency GUID by its bytes", ask: func(w *world) string { return w.find(`(mS-DS-ConsistencyGuid=\00\01\ff\fe0123456789ab)`, "1.1") }},
		{name: "manager by DN", ask: func(w *world) string { return w.find("(manager="+w.names["admin"]+")", "manager") }},
		{name: "members of a group", ask: func(w *world) string { return w.find("(memberOf="+w.dn("CN=Team")+")", "memberOf") }},
		{name: "in chain", ask: func(w *world) string { return w.find("(memberOf:1.2.840.113556.1.4.1941:="+w.dn("CN=Team")+")", "1.1") }},
		{name: "uSNChanged from the last change on", ask: func(w *world) string {
			return w.find(fmt.Sprintf("(uSNChanged>=%d)", w.usnOf("group")), "1.1")
		}},
		{name: "extended DNs in text form", ask: func(w *world) string {
			return w.search(w.sync, w.ou(), sub, "(|(cn=Team)(cn=Ann*))", []string{"member", "manager"}, &rawControl{"1.2.840.113556.1.4.529", []byte{0x30, 3, 2, 1, 1}})
		}},
		{name: "extended DNs in hexadecimal form", ask: func(w *world) string {
			return w.search(w.sync, w.ou(), sub, "(cn=Team)", []string{"member"}, &rawControl{"1.2.840.113556.1.4.529", nil})
		}},
		{name: "an unknown critical control", ask: func(w *world) string {
			return w.search(w.sync, w.ou(), base, any, []string{"name"}, control("1.2.3.4.5.6"))
		}},
		{name: "domain scope leaves the references out", ask: func(w *world) string {
			r, err := w.sync.Search(ldap.NewSearchRequest(w.base, sub, 0, 0, 0, false, "(cn=Cid)", []string{"name"}, []ldap.Control{control("1.2.840.113556.1.4.1339")}))
			require.NoError(w.t, err)
			return fmt.Sprint(len(r.Entries), r.Referrals)
		}},
		{name: "references to other naming contexts", ask: func(w *world) string {
			r, err := w.sync.Search(ldap.NewSearchRequest(w.base, sub, 0, 0, 0, false, "(cn=Cid)", []string{"name"}, nil))
			require.NoError(w.t, err)
			for i, u := range r.Referrals {
				_, r.Referrals[i], _ = strings.Cut(u, "://") // the scheme follows the connection on Samba only
			}
			return fmt.Sprint(len(r.Entries), r.Referrals)
		}},
		{name: "compare true", ask: func(w *world) string {
			ok, err := w.sync.Compare(w.dn("CN=Cid"), "description", "OLD")
			return fmt.Sprint(ok, code(err))
		}},
		{name: "compare false", ask: func(w *world) string {
			ok, err := w.sync.Compare(w.dn("CN=Cid"), "description", "new")
			return fmt.Sprint(ok, code(err))
		}},
	}
	for _, f := range []string{
		"(objectCategory=person)", "(objectClass=user)", "(&(objectCategory=person)(objectClass=user))", "(objectCategory=computer)", "(objectClass=contact)",
		"(sAMAccountType=805306368)", "(mail=*)", "(mail=ANN@CONTOSO.COM)", "(mail=a*@con*com)", "(proxyAddresses=smtp:a@contoso.com)", "(!(mail=*))",
		"(!(title=Clerk))", "(shoeSize=42)", "(!(shoeSize=42))", "(userAccountControl:1.2.840.113556.1.4.803:=2)", "(userAccountControl:1.2.840.113556.1.4.803:=514)",
		"(userAccountControl:1.2.840.113556.1.4.804:=4096)", "(employeeID>=6)", "(employeeID<=6)", "(userAccountControl>=547)", "(userAccountControl<=546)",
		"(|(cn=Cid)(cn=Con))", "(&(objectClass=user)(!(objectClass=computer))(|(mail=*)(description=old)))", "(name=*, B*)", "(cn=Ann Ä)", "(cn=ANN ä)",
		"(objectCategory=CN=Person,CN=Schema,CN=Configuration,DC=corp,DC=example,DC=com)", "(isDeleted=TRUE)", "(manager=*)", "(distinguishedName=*)",
		"(member=*)", "(groupType:1.2.840.113556.1.4.803:=2147483648)", "(groupType:1.2.840.113556.1.4.803:=8)", "(whenCreated>=20200101000000.0Z)",
		"(whenCreated<=20200101000000.0Z)", "(accountExpires=9223372036854775807)", "(uSNChanged>=9000000000)", "(!(uSNChanged>=9000000000))", "(&(cn=Cid))", "(cn~=cid)",
	} {
		rows = append(rows, filterRow(f))
	}
	return rows
}

func (w *world) usnOf(label string) int64 {
	r, err := w.admin.Search(ldap.NewSearchRequest(w.guidDN(label), 0, 0, 0, 0, false, "(objectClass=*)", []string{"uSNChanged"}, nil))
	require.NoError(w.t, err)
	var n int64
	_, err = fmt.Sscan(r.Entries[0].GetAttributeValue("uSNChanged"), &n)
	require.NoError(w.t, err)
	return n
}
