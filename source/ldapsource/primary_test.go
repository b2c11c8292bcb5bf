package ldapsource_test

import (
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/dirbridge/dirbridge/internal/adsim"
	"github.com/dirbridge/dirbridge/source"
	"github.com/dirbridge/dirbridge/source/ldapsource"
	"github.com/dirbridge/dirbridge/source/sourcetest"
	"github.com/go-ldap/ldap/v3"
	"github.com/stretchr/testify/require"
)

func primaries(o *ldapsource.Options) {
	everything(o)
	o.PrimaryGroups = true
}

// The conformance suite is the same with primary groups, which its people have,
// too.
func TestContractWithPrimaryGroups(t *testing.T) {
	for _, mode := range []ldapsource.DeltaMode{ldapsource.DeltaDirSync, ldapsource.DeltaUSN} {
		t.Run(string(mode), func(t *testing.T) {
			sourcetest.Run(t, func(t *testing.T) sourcetest.Directory {
				s := simulate(t, &adsim.Options{DirSyncPage: 2, MaxValRange: 7})
				return s.directory(s.source(primaries, func(o *ldapsource.Options) { o.Delta, o.PageSize = mode, 2 }))
			})
		})
	}
}

// On a real domain controller: whoever has a group as the primary one is its
// member by what the source tells, first, in every change, and in a complete read.
func TestReal_PrimaryGroups(t *testing.T) {
	bed := dc(t)
	for _, mode := range []ldapsource.DeltaMode{ldapsource.DeltaDirSync, ldapsource.DeltaUSN} {
		t.Run(string(mode), func(t *testing.T) {
			h := newHands(t, bed)
			ann, bob, cid := h.person("ann"), h.person("bob"), h.person("cid")
			group := func(name string) (source.ID, string) {
				dn := "CN=" + name + "," + h.in()
				require.NoError(t, h.add(dn, map[string][]string{"objectClass": {"group"}, "sAMAccountName": {h.unique(name)}}))
				sid := h.read(dn, "objectSid").GetRawAttributeValue("objectSid")
				return h.id(dn), fmt.Sprint(binary.LittleEndian.Uint32(sid[len(sid)-4:]))
			}
			primary := func(id source.ID, rid string) {
				r := ldap.NewModifyRequest(guidDN(id), nil)
				r.Replace("primaryGroupID", []string{rid})
				require.NoError(t, h.conn.Modify(r))
			}
			a, ridA := group("a")
			b, ridB := group("b")
			require.NoError(t, h.refer(a, "member", []source.ID{ann, bob}, nil))
			require.NoError(t, h.refer(b, "member", []source.ID{bob}, nil))
			primary(bob, ridA)

			src := bed.scoped(t, "SYNC", h.in(), primaries, by(mode), func(o *ldapsource.Options) { o.PageSize = 2 })
			members := map[source.ID]map[source.ID]bool{}
			var w source.Watermark
			read := func() {
				var events []source.Event
				events, w = told(t, src, w)
				for _, e := range events {
					if e.Op != source.Refers || e.References.Attribute != "member" {
						continue
					}
					if e.References.First {
						members[e.Object.ID] = map[source.ID]bool{}
					}
					for _, id := range e.References.Add {
						members[e.Object.ID][id] = true
					}
					for _, id := range e.References.Remove {
						delete(members[e.Object.ID], id)
					}
				}
			}
			require.Empty(t, bobsAttributes(t, src, bob), "what it takes isn't part of the object")
			must := func(what string, wantA, wantB []source.ID) {
				t.Helper()
				read()
				set := func(ids []source.ID) map[source.ID]bool {
					m := map[source.ID]bool{}
					for _, id := range ids {
						m[id] = true
					}
					return m
				}
				require.Equal(t, set(wantA), members[a], what)
				require.Equal(t, set(wantB), members[b], what)
			}
			must("at first", []source.ID{ann, bob}, []source.ID{bob})
			must("nothing changed", []source.ID{ann, bob}, []source.ID{bob})
			primary(bob, ridB)
			must("another one", []source.ID{ann, bob}, []source.ID{bob})
			require.NoError(t, h.refer(a, "member", nil, []source.ID{bob}))
			must("taken out of the old one", []source.ID{ann}, []source.ID{bob})
			require.NoError(t, h.refer(b, "member", []source.ID{cid}, nil))
			primary(cid, ridB)
			must("one more", []source.ID{ann}, []source.ID{bob, cid})
			primary(bob, "513")
			require.NoError(t, h.refer(b, "member", nil, []source.ID{bob}))
			must("one less", []source.ID{ann}, []source.ID{cid})
			kept := maps.Clone(members)
			w = ""
			read()
			require.Equal(t, kept, members, "a complete read says the same")
			for e, err := range src.Find(t.Context(), []source.ID{b}) {
				require.NoError(t, err)
				if e.Op == source.Refers && len(e.References.Add) > 0 {
					require.Equal(t, []source.ID{cid}, e.References.Add)
				}
			}
		})
	}
}

func bobsAttributes(t *testing.T, src *ldapsource.Source, bob source.ID) (names []string) {
	for e, err := range src.Find(t.Context(), []source.ID{bob}) {
		require.NoError(t, err)
		for _, n := range slices.Sorted(maps.Keys(e.Object.Attributes)) {
			if n == "objectSid" || n == "primaryGroupID" {
				names = append(names, n)
			}
		}
	}
	return names
}

func TestPrimaryGroupsNeedMembers(t *testing.T) {
	o := &ldapsource.Options{PrimaryGroups: true}
	_, err := ldapsource.New([]string{"ldaps://dc1.corp.example.com"}, []string{"DC=corp,DC=example,DC=com"}, ldapsource.Credentials{User: "u", Password: ldapsource.Password("p")}, o)
	require.ErrorContains(t, err, "Options.PrimaryGroups")
}
