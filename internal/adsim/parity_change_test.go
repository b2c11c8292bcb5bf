package adsim_test

import (
	"fmt"
	"strings"

	"github.com/go-ldap/ldap/v3"
	"github.com/stretchr/testify/require"
)

func writeRows() []row {
	mod := func(name, op, attr string, values ...string) row {
		return row{name: name, ask: func(w *world) string { return w.modify(w.dn("CN=Cid"), op, attr, values...) }}
	}
	return []row{
		mod("replace a value", "replace", "title", "One"),
		mod("add a value to an attribute that has one only", "add", "title", "Two"),
		mod("two values for an attribute that has one only", "replace", "title", "Two", "Three"),
		mod("add a value that is there", "add", "otherTelephone", "1"),
		mod("add a value twice", "add", "otherTelephone", "1"),
		mod("the same value twice in one change", "replace", "otherTelephone", "2", "2"),
		mod("delete a value that is not there", "delete", "otherTelephone", "9"),
		mod("delete an attribute that is not there", "delete", "mobile"),
		mod("clear an attribute that is not there", "replace", "mobile"),
		mod("an unknown attribute", "replace", "shoeSize", "42"),
		mod("a number that is none", "replace", "countryCode", "forty"),
		mod("a truth value that is none", "replace", "msExchHideFromAddressLists", "yes"),
		mod("an empty value", "replace", "description", ""),
		mod("the name itself", "replace", "cn", "Sid"),
		mod("the system's own attribute", "replace", "whenCreated", "20200101000000.0Z"),
		mod("objectGUID", "replace", "objectGUID", "0123456789abcdef"),
		{name: "an object that is not there", ask: func(w *world) string { return w.modify(w.dn("CN=Nobody"), "replace", "title", "x") }},
		{name: "a member that is not there is added", ask: func(w *world) string { return w.modify(w.dn("CN=Team"), "add", "member", w.dn("CN=Nobody")) }},
		{name: "a member is added twice", ask: func(w *world) string { return w.modify(w.dn("CN=Team"), "add", "member", w.dn("CN=Cid")) }},
		{name: "a member that is none is removed", ask: func(w *world) string { return w.modify(w.dn("CN=Team"), "delete", "member", w.dn("CN=PC1")) }},
		{name: "rename to a name that is taken", ask: func(w *world) string {
			return code(w.admin.ModifyDN(ldap.NewModifyDNRequest(w.dn("CN=Cid"), "CN=Con", true, "")))
		}},
		{name: "move to where nothing is", ask: func(w *world) string {
			return code(w.admin.ModifyDN(ldap.NewModifyDNRequest(w.dn("CN=Cid"), "CN=Cid", true, w.dn("OU=Nowhere"))))
		}},
		{name: "move an organizational unit below itself", ask: func(w *world) string {
			return code(w.admin.ModifyDN(ldap.NewModifyDNRequest(w.dn("OU=Staff"), "OU=Staff", true, w.dn("OU=Staff"))))
		}},
		{name: "delete what has children", ask: func(w *world) string { return code(w.admin.Del(ldap.NewDelRequest(w.dn("OU=Staff"), nil))) }},
		{name: "delete what is not there", ask: func(w *world) string { return code(w.admin.Del(ldap.NewDelRequest(w.dn("CN=Nobody"), nil))) }},
		{name: "what all this came to", ask: func(w *world) string {
			return w.find("(|(cn=Cid)(cn=Team))", "title", "otherTelephone", "description", "member")
		}},
	}
}

// usual is what a source asks DirSync for.
var usual = []string{"objectClass", "name", "parentGUID", "isDeleted", "isRecycled", "lastKnownParent", "mail", "title", "mobile",
	"proxyAddresses", "userAccountControl", "manager", "member", "sAMAccountName", "otherTelephone", "displayName"}

// delta asks what came of a change, with three kinds of reader.
func delta(name string, change func(w *world) string) row {
	return row{name: "delta: " + name, ask: func(w *world) string {
		var out strings.Builder
		fmt.Fprintln(&out, change(w))
		fmt.Fprintln(&out, w.dirSync(w.sync, "usual", 0, "(objectClass=*)", usual))
		fmt.Fprintln(&out, w.incremental("incremental"))
		fmt.Fprintln(&out, w.dirSync(w.sync, "mail", 0, "(objectClass=user)", []string{"mail", "isDeleted"}))
		fmt.Fprintln(&out, w.poll())
		return out.String()
	}}
}

// incremental reads with changed link values only, object by object: Windows
// gives links apart from the rest, so what belongs to one object is joined.
func (w *world) incremental(cookie string) string {
	return w.dirSync(w.sync, cookie, ldap.DirSyncIncrementalValues, "(objectClass=*)", []string{"member", "manager"})
}

// poll is the other way to find changes: by USN.
func (w *world) poll() string {
	root, err := w.sync.Search(ldap.NewSearchRequest("", 0, 0, 0, 0, false, "(objectClass=*)", []string{"highestCommittedUSN"}, nil))
	require.NoError(w.t, err)
	var high int64
	_, err = fmt.Sscan(root.Entries[0].GetAttributeValue("highestCommittedUSN"), &high)
	require.NoError(w.t, err)
	from := w.usns["poll"] + 1
	w.usns["poll"] = high
	r, err := w.sync.Search(ldap.NewSearchRequest(w.base, ldap.ScopeWholeSubtree, 0, 0, 0, false, fmt.Sprintf("(uSNChanged>=%d)", from), []string{"objectGUID", "isDeleted", "mail", "member"},
		[]ldap.Control{control("1.2.840.113556.1.4.417"), control("1.2.840.113556.1.4.2064"), ldap.NewControlPaging(500)}))
	if err != nil {
		return code(err)
	}
	return w.text(r.Entries, true)
}

func dirSyncRows() []row {
	start := func(name string, flags int64, filter string, attrs []string) row {
		return row{name: "first read " + name, ask: func(w *world) string { return w.dirSync(w.sync, name, flags, filter, attrs) }}
	}
	rows := []row{
		start("usual", 0, "(objectClass=*)", usual),
		start("incremental", ldap.DirSyncIncrementalValues, "(objectClass=*)", []string{"member", "manager"}),
		start("mail", 0, "(objectClass=user)", []string{"mail", "isDeleted"}),
		start("one attribute that few have", 0, "(objectClass=*)", []string{"employeeID"}),
		start("never returned", 0, "(objectClass=*)", []string{"memberOf", "lastLogon", "whenChanged", "uSNChanged", "distinguishedName", "canonicalName", "cn"}),
		{name: "first poll", ask: func(w *world) string { w.usns["poll"] = w.usnOf("admin"); return w.poll() }},
		{name: "a reader may not use DirSync", ask: func(w *world) string { return w.dirSync(w.reader, "reader", 0, "(objectClass=*)", usual) }},
		{name: "a reader with object security", ask: func(w *world) string {
			return w.dirSync(w.reader, "secure", ldap.DirSyncObjectSecurity, "(objectClass=user)", []string{"mail", "isDeleted"})
		}},
		{name: "DirSync below the root", ask: func(w *world) string {
			_, err := w.sync.DirSync(ldap.NewSearchRequest(w.ou(), 2, 0, 0, 0, false, "(objectClass=*)", usual, nil), 0, 0, nil)
			return code(err)
		}},
		{name: "DirSync below the root with object security", ask: func(w *world) string {
			_, err := w.sync.DirSync(ldap.NewSearchRequest(w.ou(), 2, 0, 0, 0, false, "(objectClass=*)", usual, nil), ldap.DirSyncObjectSecurity, 0, nil)
			return code(err)
		}},
		{name: "a cookie of rubbish", ask: func(w *world) string {
			_, err := w.sync.DirSync(ldap.NewSearchRequest(w.base, 2, 0, 0, 0, false, "(objectClass=*)", usual, nil), 0, 0, []byte("rubbish"))
			return code(err)
		}},
		{name: "DirSync with pages", ask: func(w *world) string {
			_, err := w.sync.DirSync(ldap.NewSearchRequest(w.base, 2, 0, 0, 0, false, "(objectClass=*)", usual, []ldap.Control{ldap.NewControlPaging(10)}), 0, 0, nil)
			return code(err)
		}},
		{name: "the length of a cookie", ask: func(w *world) string { return fmt.Sprint(len(w.cookies["usual"]), string(w.cookies["usual"][:4])) }},
		delta("nothing", func(w *world) string { return "" }),
		delta("a value changes", func(w *world) string { return w.modify(w.dn("CN=Cid"), "replace", "title", "Chief") }),
		delta("the same value again", func(w *world) string { return w.modify(w.dn("CN=Cid"), "replace", "title", "Chief") }),
		delta("a value is cleared", func(w *world) string { return w.modify(w.dn(`CN=Beta\, Bea,OU=Staff`), "replace", "mobile") }),
		delta("a value among several", func(w *world) string {
			return w.modify(w.dn("CN=Ann Ä,OU=Staff"), "add", "proxyAddresses", "smtp:more@contoso.com")
		}),
		delta("two changes", func(w *world) string {
			return w.modify(w.dn("CN=Cid"), "replace", "mail", "c1@contoso.com") + w.modify(w.dn("CN=Cid"), "replace", "mail", "c2@contoso.com")
		}),
		delta("the case of a value", func(w *world) string { return w.modify(w.dn("CN=Cid"), "replace", "mail", "C2@contoso.com") }),
		delta("an attribute that nobody asked for", func(w *world) string { return w.modify(w.dn("CN=Cid"), "replace", "info", "x") }),
		delta("a rename", func(w *world) string {
			return code(w.admin.ModifyDN(ldap.NewModifyDNRequest(w.dn("CN=Cid"), "CN=Sid", true, "")))
		}),
		delta("a move", func(w *world) string {
			return code(w.admin.ModifyDN(ldap.NewModifyDNRequest(w.dn("CN=Sid"), "CN=Sid", true, w.dn("OU=Staff"))))
		}),
		delta("an organizational unit is renamed", func(w *world) string {
			return code(w.admin.ModifyDN(ldap.NewModifyDNRequest(w.dn("OU=Staff"), "OU=People", true, "")))
		}),
		delta("a member is added", func(w *world) string { return w.modify(w.dn("CN=Team"), "add", "member", w.dn("CN=Ann Ä,OU=People")) }),
		delta("a member is removed", func(w *world) string {
			return w.modify(w.dn("CN=Team"), "delete", "member", w.dn("CN=Ann Ä,OU=People"))
		}),
		delta("the last member is removed", func(w *world) string { return w.modify(w.dn("CN=Team"), "delete", "member", w.dn("CN=Sid,OU=People")) }),
		delta("members are set", func(w *world) string {
			return w.modify(w.dn("CN=Team"), "replace", "member", w.dn("CN=Ann Ä,OU=People"), w.dn("CN=Sid,OU=People"))
		}),
		delta("a manager is set", func(w *world) string {
			return w.modify(w.dn("CN=Sid,OU=People"), "replace", "manager", w.dn("CN=Ann Ä,OU=People"))
		}),
		delta("a manager is replaced", func(w *world) string {
			return w.modify(w.dn("CN=Sid,OU=People"), "replace", "manager", w.dn(`CN=Beta\, Bea,OU=People`))
		}),
		delta("a manager is cleared", func(w *world) string { return w.modify(w.dn("CN=Sid,OU=People"), "replace", "manager") }),
		delta("a user is disabled", func(w *world) string {
			return w.modify(w.dn("CN=Ann Ä,OU=People"), "replace", "userAccountControl", "514")
		}),
	}
	return rows
}

func deletionRows() []row {
	shown := []ldap.Control{control("1.2.840.113556.1.4.417"), control("1.2.840.113556.1.4.2064")}
	undelete := func(label, rdn string) func(w *world) string {
		return func(w *world) string {
			req := ldap.NewModifyRequest(w.tombstone(label), []ldap.Control{control("1.2.840.113556.1.4.417")})
			req.Delete("isDeleted", nil)
			req.Replace("distinguishedName", []string{w.dn(rdn)})
			return code(w.admin.Modify(req))
		}
	}
	return []row{
		delta("a member and manager is deleted", func(w *world) string {
			w.modify(w.dn("CN=Sid,OU=People"), "replace", "manager", w.dn("CN=Ann Ä,OU=People"))
			w.dirSync(w.sync, "usual", 0, "(objectClass=*)", usual)
			w.incremental("incremental")
			w.poll()
			return code(w.admin.Del(ldap.NewDelRequest(w.dn("CN=Ann Ä,OU=People"), nil)))
		}),
		{name: "the tombstone", ask: func(w *world) string {
			return w.search(w.admin, "CN=Deleted Objects,"+w.base, ldap.ScopeSingleLevel, "(sAMAccountName=parity-ann)", nil, shown...)
		}},
		{name: "the tombstone by its GUID", ask: func(w *world) string {
			return w.search(w.sync, w.guidDN("ann"), ldap.ScopeBaseObject, "(objectClass=*)", []string{"isDeleted", "lastKnownParent"}, shown...)
		}},
		{name: "the tombstone by its GUID without the control", ask: func(w *world) string {
			return w.search(w.sync, w.guidDN("ann"), ldap.ScopeBaseObject, "(objectClass=*)", []string{"isDeleted"})
		}},
		{name: "the tombstone for a reader", ask: func(w *world) string {
			return w.search(w.reader, w.guidDN("ann"), ldap.ScopeBaseObject, "(objectClass=*)", []string{"isDeleted"}, shown...)
		}},
		{name: "the container of the deleted for the sync account", ask: func(w *world) string {
			return w.search(w.sync, "CN=Deleted Objects,"+w.base, ldap.ScopeBaseObject, "(objectClass=*)", []string{"name", "isDeleted"}, shown...)
		}},
		{name: "the container of the deleted for a reader", ask: func(w *world) string {
			return w.search(w.reader, "CN=Deleted Objects,"+w.base, ldap.ScopeBaseObject, "(objectClass=*)", []string{"name"}, shown...)
		}},
		{name: "what is in the container for a reader", ask: func(w *world) string {
			return w.search(w.reader, "CN=Deleted Objects,"+w.base, ldap.ScopeSingleLevel, "(objectClass=*)", []string{"name"}, shown...)
		}},
		{name: "the container of the deleted without the control", ask: func(w *world) string {
			return w.search(w.sync, "CN=Deleted Objects,"+w.base, ldap.ScopeBaseObject, "(objectClass=*)", []string{"name"})
		}},
		{name: "a category hides the tombstone, a class doesn't", ask: func(w *world) string {
			f := "(&(sAMAccountName=parity-ann)(%s))"
			return w.search(w.sync, w.base, 2, fmt.Sprintf(f, "objectCategory=person"), []string{"1.1"}, shown...) +
				w.search(w.sync, w.base, 2, fmt.Sprintf(f, "objectClass=user"), []string{"1.1"}, shown...)
		}},
		{name: "a reader with object security and deletions", ask: func(w *world) string {
			return w.dirSync(w.reader, "secure", ldap.DirSyncObjectSecurity, "(objectClass=user)", []string{"mail", "isDeleted"})
		}, windows: "ad-facts.md 2: on Windows objects it may not read still come when deleted, bare"},
		{name: "the members and the report after it", ask: func(w *world) string { return w.find("(|(cn=Team)(cn=Sid))", "member", "manager") }},
		delta("the deleted comes back", undelete("ann", "CN=Ann Ä,OU=People")),
		{name: "what came back", ask: func(w *world) string { return w.find("(sAMAccountName=parity-ann)") }},
		delta("created and deleted between reads", func(w *world) string {
			s := w.add("dot", "CN=Dot", map[string][]string{"objectClass": {"user"}, "sAMAccountName": {"parity-dot"}, "mail": {"dot@contoso.com"}})
			return s + code(w.admin.Del(ldap.NewDelRequest(w.dn("CN=Dot"), nil)))
		}),
		delta("a name is used again", func(w *world) string {
			return w.add("dot2", "CN=Dot", map[string][]string{"objectClass": {"user"}, "sAMAccountName": {"parity-dot"}, "mail": {"dot@contoso.com"}})
		}),
		{name: "undelete to a name that is taken", ask: undelete("dot", "CN=Dot")},
		delta("a whole tree is deleted", func(w *world) string {
			return code(w.admin.Del(ldap.NewDelRequest(w.dn("OU=People"), []ldap.Control{control(ldap.ControlTypeSubtreeDelete)})))
		}),
	}
}

// tombstone is the DN of a deleted object. Samba can't undelete by GUID.
func (w *world) tombstone(label string) string {
	r, err := w.admin.Search(ldap.NewSearchRequest("CN=Deleted Objects,"+w.base, 1, 0, 0, 0, false, "(objectGUID="+escape(w.guid(label))+")", []string{"1.1"},
		[]ldap.Control{control("1.2.840.113556.1.4.417")}))
	require.NoError(w.t, err)
	require.Len(w.t, r.Entries, 1)
	return r.Entries[0].DN
}

func limitRows() []row {
	return []row{
		{name: "1010 contacts are added", ask: func(w *world) string {
			var members []string
			for i := range 1010 {
				dn := w.dn(fmt.Sprintf("CN=Bulk %04d", i))
				req := ldap.NewAddRequest(dn, nil)
				req.Attribute("objectClass", []string{"contact"})
				require.NoError(w.t, w.admin.Add(req))
				members = append(members, dn)
			}
			return w.modify(w.dn("CN=Team"), "replace", "member", members...)
		}},
		{name: "an unpaged search above the limit", ask: func(w *world) string {
			r, err := w.sync.Search(ldap.NewSearchRequest(w.ou(), 2, 0, 0, 0, false, "(cn=Bulk*)", []string{"cn"}, nil))
			return fmt.Sprint(len(r.Entries), code(err))
		}, windows: "ad-facts.md 6: Windows ends it with the first 1000 and sizeLimitExceeded, Samba doesn't"},
		{name: "a client's own size limit", ask: func(w *world) string {
			r, err := w.sync.Search(ldap.NewSearchRequest(w.ou(), 2, 0, 7, 0, false, "(cn=Bulk*)", []string{"cn"}, nil))
			return fmt.Sprint(len(r.Entries), code(err))
		}, windows: "ad-facts.md 6: Samba enforces no size limit, here not even the client's own; RFC 4511, 4.5.1.4"},
		{name: "pages", ask: func(w *world) string {
			r, err := w.sync.SearchWithPaging(ldap.NewSearchRequest(w.ou(), 2, 0, 0, 0, false, "(cn=Bulk*)", []string{"cn"}, nil), 300)
			seen := map[string]bool{}
			for _, e := range r.Entries {
				seen[e.DN] = true
			}
			return fmt.Sprint(len(r.Entries), len(seen), code(err))
		}},
		{name: "pages larger than the limit", ask: func(w *world) string {
			ctl := ldap.NewControlPaging(5000)
			r, err := w.sync.Search(ldap.NewSearchRequest(w.ou(), 2, 0, 0, 0, false, "(cn=Bulk*)", []string{"cn"}, []ldap.Control{ctl}))
			return fmt.Sprint(len(r.Entries), code(err))
		}, windows: "ad-facts.md 6: a page is at most MaxPageSize on Windows"},
		{name: "a page cookie on another connection", ask: func(w *world) string {
			ctl := ldap.NewControlPaging(10)
			req := ldap.NewSearchRequest(w.ou(), 2, 0, 0, 0, false, "(cn=Bulk*)", []string{"cn"}, []ldap.Control{ctl})
			r, err := w.sync.Search(req)
			require.NoError(w.t, err)
			ctl.SetCookie(ldap.FindControl(r.Controls, ldap.ControlTypePaging).(*ldap.ControlPaging).Cookie)
			_, err = w.dial("sync").Search(req)
			return code(err)
		}},
		{name: "pages with references at the end", ask: func(w *world) string {
			r, err := w.sync.SearchWithPaging(ldap.NewSearchRequest(w.base, 2, 0, 0, 0, false, "(cn=Bulk 000*)", []string{"cn"}, nil), 4)
			return fmt.Sprint(len(r.Entries), len(r.Referrals) > 0, code(err))
		}},
		ranged("range=0-9"), ranged("range=1005-*"), ranged("range=0-*"), ranged("range=1000-5000"),
		{name: "member;range past the end", ask: func(w *world) string { return w.members("member;range=1010-*") },
			windows: "ad-facts.md 6: operationsError on Windows, no values on Samba"},
	}
}

func ranged(r string) row {
	return row{name: "member;" + r, ask: func(w *world) string { return w.members("member;" + r) }}
}

// members says which pieces of the group's members an attribute brings.
func (w *world) members(attr string) string {
	r, err := w.sync.Search(ldap.NewSearchRequest(w.dn("CN=Team"), 0, 0, 0, 0, false, "(objectClass=*)", []string{attr}, nil))
	if err != nil {
		return code(err)
	}
	var out []string
	for _, a := range r.Entries[0].Attributes {
		out = append(out, fmt.Sprint(a.Name, " ", len(a.Values)))
	}
	return strings.Join(out, ", ")
}
