package ldapsource_test

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/dirbridge/dirbridge/source"
	"github.com/dirbridge/dirbridge/source/ldapsource"
	"github.com/go-ldap/ldap/v3"
	"github.com/stretchr/testify/require"
)

// long reports whether the tests that take minutes are wanted.
func long() bool { return os.Getenv("DIRBRIDGE_E2E") == "1" && !testing.Short() }

// person adds somebody to OU=In.
func (h *hands) person(name string) source.ID {
	h.t.Helper()
	dn := "CN=" + name + "," + h.in()
	require.NoError(h.t, h.add(dn, map[string][]string{"objectClass": {"user"}, "sAMAccountName": {h.unique(name)},
		"userPrincipalName": {h.unique(name) + "@contoso.com"}, "userAccountControl": {"514"}}))
	return h.id(dn)
}

// follow reads as the engine does: what changed, or everything if the source
// has doubts.
func follow(t *testing.T, src *ldapsource.Source, mark source.Watermark, known map[source.ID]source.Object) (full bool) {
	t.Helper()
	r := read(src.Since(t.Context(), mark))
	if r.err != nil {
		require.ErrorIs(t, r.err, source.ErrWatermarkExpired)
		r, full = read(src.All(t.Context())), true
		require.NoError(t, r.err)
		require.Empty(t, r.deleted)
	}
	r.apply(known)
	if full { // reconcile: who is absent is looked up
		var absent []source.ID
		for id := range known {
			if _, there := r.upserts[id]; !there {
				absent = append(absent, id)
			}
		}
		found := read(src.Find(t.Context(), absent))
		require.NoError(t, found.err)
		found.apply(known)
	}
	return full
}

// TestS03_AnyDamageToAWatermarkGivesTheResultOfAFullRead mutates watermarks in
// 200 ways: as text, which the checksum notices, and as cookies that are whole
// for us and damaged for the server, also all zero, of another length, or of
// another domain.
func TestS03_AnyDamageToAWatermarkGivesTheResultOfAFullRead(t *testing.T) {
	bed := dc(t)
	h := newHands(t, bed)
	for i := range 8 {
		h.person(fmt.Sprint("p", i))
	}
	src := bed.scoped(t, "SYNC", h.in(), by(ldapsource.DeltaDirSync))
	all := read(src.All(t.Context()))
	require.NoError(t, all.err)
	whole, err := ldapsource.ParseMark(all.mark())
	require.NoError(t, err)
	require.NoError(t, h.remove(h.id("CN=p1,"+h.in())))
	_, err = h.put(source.Object{ID: h.id("CN=p2," + h.in()), Attributes: source.Attributes{"title": {"changed"}}})
	require.NoError(t, err)
	h.person("late")
	truth := read(src.All(t.Context()))
	require.NoError(t, truth.err)

	mutations := 20
	if long() {
		mutations = 200
	}
	fulls := 0
	for n := range mutations {
		random := rand.New(rand.NewPCG(uint64(n), 3))
		damaged := all.mark()
		mark, cookie := whole, bytes.Clone(whole.Cookie)
		switch n % 10 {
		case 0, 1: // the text
			b := []byte(damaged)
			b[random.IntN(len(b))] ^= byte(1 + random.IntN(255))
			damaged = source.Watermark(b)
		case 2:
			damaged = damaged[:random.IntN(len(damaged)-1)+1]
		case 3:
			mark.Cookie = make([]byte, len(cookie)) // Samba takes 108 zero bytes
			damaged = mark.Text()
		case 4:
			mark.Cookie = cookie[:1+random.IntN(len(cookie)-1)]
			damaged = mark.Text()
		case 5:
			mark.Cookie = append(cookie, make([]byte, 1+random.IntN(64))...)
			damaged = mark.Text()
		case 6: // the USN in it
			copy(cookie[28:36], make([]byte, 8))
			mark.Cookie = cookie
			damaged = mark.Text()
		case 7: // another domain controller's
			for i := range 16 {
				cookie[52+i] = byte(random.Uint32())
			}
			mark.Cookie = cookie
			damaged = mark.Text()
		default:
			at := random.IntN(len(cookie))
			if at >= 28 && at < 52 || at >= 68 {
				at = 0 // other USNs in a good cookie aren't damage, but another cookie
			}
			cookie[at] ^= byte(1 << random.IntN(8))
			mark.Cookie = cookie
			damaged = mark.Text()
		}
		known := maps.Clone(all.upserts)
		if follow(t, src, damaged, known) {
			fulls++
		}
		require.Equal(t, truth.upserts, known, "mutation %d", n)
	}
	t.Logf("%d of %d led to a full read", fulls, mutations)
	require.Greater(t, fulls, mutations/4)
}

// TestS09_NoOptionHidesDeletions: twelve choices of scope, mode and page (four
// unless DIRBRIDGE_E2E=1), six lists of attributes. Filters can't be chosen at all.
func TestS09_NoOptionHidesDeletions(t *testing.T) {
	bed := dc(t)
	h := newHands(t, bed)
	ids := []source.ID{h.person("stays"), h.person("goes"), h.person("leaves")}
	type choice struct {
		name  string
		src   *ldapsource.Source
		mark  source.Watermark
		whole bool // the scope holds OU=Out too
	}
	var choices []choice
	scopes := map[string][]string{"one": {h.in()}}
	if long() {
		scopes["above"], scopes["domain"] = []string{h.ou}, []string{bed.env["BASE_DN"]}
	}
	for name, bases := range scopes {
		for _, mode := range bothModes {
			for _, page := range []int{1, 1000} {
				if name == "domain" && page == 1 {
					page = 100
				}
				for list, attrs := range map[string][]string{"none": nil, "one": {"description"}, "not in the schema": {"noSuchAttribute"},
					"lost on tombstones": {"mail", "displayName", "manager"}, "binary": {"thumbnailPhoto", "objectSid"}, "again in other case": {"NAME", "OBJECTCLASS", "objectguid"}} {
					src, err := ldapsource.New([]string{bed.env["LDAPS_URL"]}, bases, bed.as("SYNC"),
						&ldapsource.Options{RootCAs: bed.roots(t), Delta: mode, PageSize: page, Attributes: attrs})
					require.NoError(t, err)
					all := read(src.All(t.Context()))
					require.NoError(t, all.err)
					require.NoError(t, src.Close())
					choices = append(choices, choice{fmt.Sprintf("%s %s %d %s", name, mode, page, list), src, all.mark(), name != "one"})
				}
			}
		}
	}
	require.Len(t, choices, len(scopes)*4*6)
	require.NoError(t, h.remove(ids[1]))
	require.NoError(t, h.rename(ids[2], "", h.out()))
	for _, c := range choices {
		r := read(c.src.Since(t.Context(), c.mark))
		require.NoError(t, r.err, c.name)
		require.Equal(t, "tombstone", r.deleted[ids[1]].Evidence.Kind, c.name)
		if c.whole {
			require.Contains(t, r.upserts, ids[2], c.name)
		} else {
			require.Contains(t, r.left, ids[2], c.name)
		}
		require.NotContains(t, r.deleted, ids[0], c.name)
		require.NoError(t, c.src.Close())
	}
	for _, name := range []string{"isDeleted", "isRecycled", "parentGUID", "lastKnownParent", "*", "+"} {
		_, err := ldapsource.New([]string{bed.env["LDAPS_URL"]}, []string{h.in()}, bed.as("SYNC"), &ldapsource.Options{Attributes: []string{name}})
		require.Error(t, err, "what a deletion is known by can't be meddled with")
	}
}

// TestS10_WhatAccessControlHidesIsNeverDeleted, by either account, in either
// mode, in a delta, a full read, or a look-up.
func TestS10_WhatAccessControlHidesIsNeverDeleted(t *testing.T) {
	bed := dc(t)
	for _, who := range []string{"SYNC", "READER"} {
		for _, mode := range bothModes {
			if who == "READER" && mode == ldapsource.DeltaDirSync {
				continue // has no right to it
			}
			h := newHands(t, bed)
			ann, ben, cy := h.person("ann"), h.person("ben"), h.person("cy")
			src := bed.scoped(t, who, h.in(), by(mode))
			all := read(src.All(t.Context()))
			require.NoError(t, all.err)
			require.Len(t, all.upserts, 3)

			h.editACL(guidDN(ann), func(aces [][]byte) [][]byte { return slices.Insert(aces, 0, deny(h.sid(bed.env[who+"_DN"]))) })
			require.NoError(t, h.remove(ben))
			events := 0
			mark := all.mark()
			for _, r := range []reading{read(src.Since(t.Context(), mark)), read(src.All(t.Context())), read(src.Find(t.Context(), []source.ID{ann, cy}))} {
				if r.err != nil {
					require.ErrorIs(t, r.err, source.ErrWatermarkExpired)
				}
				require.NotContains(t, r.deleted, ann, "%s %s", who, mode)
				require.NotContains(t, r.left, ann, "%s %s", who, mode)
				require.NotContains(t, r.upserts, ann, "%s %s: it is hidden", who, mode)
				if who == "READER" {
					require.Empty(t, r.deleted, "it can see no deletion")
				}
				events += len(r.upserts)
			}
			require.Positive(t, events)
			if who == "SYNC" {
				r := read(src.Find(t.Context(), []source.ID{ben}))
				require.Contains(t, r.deleted, ben)
			}
		}
	}
}

// TestS10_RightsLostAreSeenOnTheRealDomainController: the right to see deletions
// is taken from the account, and given back.
func TestS10_RightsLostAreSeenOnTheRealDomainController(t *testing.T) {
	bed := dc(t)
	h := newHands(t, bed)
	h.person("ann")
	bin := "CN=Deleted Objects," + bed.env["BASE_DN"]
	marks := map[ldapsource.DeltaMode]source.Watermark{}
	for _, mode := range bothModes {
		r := read(bed.scoped(t, "SYNC", h.in(), by(mode)).All(t.Context()))
		require.NoError(t, r.err)
		marks[mode] = r.mark()
	}
	back := bed.denyAsSystem(t, bin, bed.env["SYNC_DN"])
	blind := map[ldapsource.DeltaMode]source.Watermark{}
	for mode, mark := range marks {
		src := bed.scoped(t, "SYNC", h.in(), by(mode))
		maybe, err := src.Poll(t.Context(), mark)
		require.NoError(t, err)
		require.True(t, maybe)
		r := read(src.Since(t.Context(), mark))
		require.ErrorIs(t, r.err, source.ErrWatermarkExpired)
		require.ErrorContains(t, r.err, "Deleted Objects")
		require.ErrorContains(t, r.err, "samba-tool dsacl set")
		all := read(src.All(t.Context()))
		require.NoError(t, all.err)
		require.Len(t, all.upserts, 1)
		blind[mode] = all.mark()
		require.NoError(t, read(src.Since(t.Context(), all.mark())).err, "once is enough")
	}
	back()
	for mode, mark := range blind {
		r := read(bed.scoped(t, "SYNC", h.in(), by(mode)).Since(t.Context(), mark))
		require.ErrorIs(t, r.err, source.ErrWatermarkExpired)
		require.ErrorContains(t, r.err, "everything is read once")
		require.NoError(t, read(bed.scoped(t, "SYNC", h.in(), by(mode)).Since(t.Context(), marks[mode])).err)
	}
}

// TestS11_DeletedAndMadeAnewAreTwoOnTheRealDomainController.
func TestS11_DeletedAndMadeAnewAreTwoOnTheRealDomainController(t *testing.T) {
	bed := dc(t)
	for _, mode := range bothModes {
		h := newHands(t, bed)
		was := h.person("ann")
		src := bed.scoped(t, "SYNC", h.in(), by(mode))
		all := read(src.All(t.Context()))
		require.NoError(t, all.err)
		require.NoError(t, h.remove(was))
		is := h.person("ann")
		require.NotEqual(t, was, is)
		r := read(src.Since(t.Context(), all.mark()))
		require.NoError(t, r.err)
		require.Contains(t, r.deleted, was)
		require.Contains(t, r.upserts, is)
		require.Equal(t, all.upserts[was].Attributes["userPrincipalName"], r.upserts[is].Attributes["userPrincipalName"])
		require.Len(t, r.upserts, 1)
		ids, err := src.Resolve(t.Context(), h.unique("ann"))
		require.NoError(t, err)
		require.Equal(t, []source.ID{is}, ids, "the old one has no name any more")
	}
}

// TestA06_TheLeastAccountReadsNoSecret: what the documented account can't read
// can't be stolen from it. All other tests run as it.
func TestA06_TheLeastAccountReadsNoSecret(t *testing.T) {
	bed := dc(t)
	secrets := []string{"unicodePwd", "dBCSPwd", "ntPwdHistory", "lmPwdHistory", "supplementalCredentials", "ms-Mcs-AdmPwd", "msDS-ManagedPassword", "userPassword"}
	for _, l := range bed.search(t, "SYNC", bed.env["BASE_DN"], append([]string{"(objectClass=user)"}, secrets...)...) {
		name, _, _ := strings.Cut(l, ":")
		require.NotContains(t, secrets, name)
	}
	admin := bed.search(t, "BIND", bed.env["BASE_DN"], "(objectClass=user)", "nTSecurityDescriptor")
	require.Greater(t, len(admin), 1000, "the search finds what it may")
}

// TestA11_NamesAreResolvedOnTheRealDomainController in all their forms, and
// nothing in a name is a filter.
func TestA11_NamesAreResolvedOnTheRealDomainController(t *testing.T) {
	bed := dc(t)
	h := newHands(t, bed)
	ann := h.person("ann")
	weird := `we*ird (x) \ #`
	require.NoError(t, h.add("CN="+ldap.EscapeDN(weird)+","+h.in(), map[string][]string{"objectClass": {"user"}, "sAMAccountName": {h.unique("weird")},
		"mail": {weird}, "userAccountControl": {"514"}}))
	odd := h.id("CN=" + ldap.EscapeDN(weird) + "," + h.in())
	src := bed.scoped(t, "SYNC", h.in())
	for name, want := range map[string]source.ID{
		string(ann): ann, "{" + strings.ToUpper(string(ann)) + "}": ann, "CN=ann," + h.in(): ann, "cn=ANN, " + strings.ToLower(h.in()): ann,
		h.unique("ann"): ann, strings.ToUpper(h.unique("ann")): ann, `CORP\` + h.unique("ann"): ann, `corp.example.com\` + h.unique("ann"): ann,
		h.unique("ann") + "@contoso.com": ann, h.unique("weird") + "@corp.example.com": odd, weird: odd, "CN=" + ldap.EscapeDN(weird) + "," + h.in(): odd,
		`OTHER\` + h.unique("ann"): "", h.unique("ann") + "@corp.example.com": "", // it has another userPrincipalName
		"*": "", h.unique("*"): "", h.unique("an") + "?": "", "we*": "", h.in(): "", bed.env["BASE_DN"]: "", bed.env["SYNC_DN"]: "", // out of scope
		"CN=nobody," + h.in(): "", "CN=ann\x00," + h.in(): "", `CN=\zz,` + h.in(): "", ")(|(objectClass=*": "", `\28objectClass=\2a\29`: "",
	} {
		ids, err := src.Resolve(t.Context(), name)
		require.NoError(t, err, "%q", name)
		if want == "" {
			require.Empty(t, ids, "%q", name)
		} else {
			require.Equal(t, []source.ID{want}, ids, "%q", name)
		}
	}
}
