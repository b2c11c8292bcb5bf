package ldapsource_test

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/dirbridge/dirbridge/source"
	"github.com/dirbridge/dirbridge/source/ldapsource"
	"github.com/go-ldap/ldap/v3"
	"github.com/stretchr/testify/require"
)

// A full read tells of every group whom ldapsearch finds in it, in one piece and
// in many.
func TestReal_EveryGroupHasTheMembersThatLdapsearchFinds(t *testing.T) {
	bed := dc(t)
	want, dn := map[string]int{}, ""
	for _, l := range bed.search(t, "SYNC", bed.env["BASE_DN"], "(objectClass=group)", "member") {
		switch {
		case strings.HasPrefix(l, "dn: "):
			dn = l[4:]
			want[dn] = 0
		case strings.HasPrefix(l, "dn:: "):
			raw, err := base64.StdEncoding.DecodeString(l[5:])
			require.NoError(t, err)
			dn = string(raw)
			want[dn] = 0
		case strings.HasPrefix(l, "member:"):
			want[dn]++
		}
	}
	require.Greater(t, len(want), 20)
	largest := 0
	for _, n := range want {
		largest = max(largest, n)
	}
	for _, pieces := range []int{5000, 100} {
		src := bed.source(t, "SYNC", everything)
		ldapsource.AskFor(src, pieces)
		events, _ := told(t, src, "")
		got, people := map[string]int{}, map[source.ID]bool{}
		unidentified := 0
		var containers int
		for _, e := range events {
			switch {
			case e.Op == source.Refers:
				unidentified += e.References.Unidentified
			case e.Object.Kind == source.Group:
				set, whole := known(events, e.Object.ID, "member")
				require.Equal(t, 1, whole, e.Object.DN)
				got[e.Object.DN] = len(set)
			case e.Object.Kind == source.User:
				people[e.Object.ID] = true
			case e.Object.Kind == source.Container:
				containers++
			}
			if e.Op == source.Upsert && e.Object.DN != bed.env["BASE_DN"] {
				require.NotEmpty(t, e.Object.Parent, e.Object.DN)
			}
		}
		require.Equal(t, want, got)
		require.Zero(t, unidentified)
		require.Greater(t, largest, 1500)
		require.Greater(t, len(people), 900)
		require.Greater(t, containers, 5)
	}
}

// large makes a group of all seeded people in OU=In and returns its ID.
func (h *hands) large() (source.ID, []string) {
	var dns []string
	r, err := h.conn.SearchWithPaging(ldap.NewSearchRequest(h.bed.env["BASE_DN"], ldap.ScopeWholeSubtree, 0, 0, 0, false,
		"(&(objectCategory=person)(objectClass=user))", []string{"1.1"}, nil), 500)
	require.NoError(h.t, err)
	for _, e := range r.Entries {
		if !strings.Contains(e.DN, ",OU=Test ") { // another test's
			dns = append(dns, e.DN)
		}
	}
	require.NotEmpty(h.t, dns)
	dn := "CN=Large," + h.in()
	require.NoError(h.t, h.add(dn, map[string][]string{"objectClass": {"group"}, "sAMAccountName": {h.unique("large")}, "member": dns}))
	return h.id(dn), dns
}

func TestReal_WhatADeltaSaysOfGroupsAndContainers(t *testing.T) {
	bed := dc(t)
	h := newHands(t, bed)
	g, members := h.large()
	ou, err := h.container("Sales", "")
	require.NoError(t, err)
	ann, bob := h.person("ann"), h.person("bob")
	require.NoError(t, h.refer(g, "member", []source.ID{bob}, nil))
	require.NoError(t, h.rename(bob, "", h.read(guidDN(ou), "1.1").DN))
	for _, mode := range []ldapsource.DeltaMode{ldapsource.DeltaDirSync, ldapsource.DeltaUSN} {
		var m meter
		src := bed.source(t, "SYNC", everything, by(mode), func(o *ldapsource.Options) { o.Dial = m.dial })
		_, w := told(t, src, "")
		delta := func() []source.Event {
			var events []source.Event
			events, w = told(t, src, w)
			// Others use the domain, too.
			return slices.DeleteFunc(events, func(e source.Event) bool { return !strings.Contains(e.Object.DN, h.ou) && e.Op != source.Deleted })
		}
		delta()
		before := m.n.Load()
		delta()
		idle := m.n.Load() - before
		require.NoError(t, h.refer(g, "member", []source.ID{ann}, nil)) // one of many
		before = m.n.Load()
		events := delta()
		bytes := m.n.Load() - before - idle
		t.Logf("%s: one of %d members: %d events, %d bytes more than of nothing", mode, len(members)+2, len(events), bytes)
		if mode == ldapsource.DeltaDirSync {
			require.Len(t, events, 1)
			require.Equal(t, &source.References{Attribute: "member", Add: []source.ID{ann}}, events[0].References)
			require.Equal(t, g, events[0].Object.ID)
			require.Less(t, bytes, int64(3000))
		} else {
			set, whole := known(events, g, "member")
			require.Len(t, set, len(members)+2)
			require.Equal(t, 1, whole)
		}

		require.NoError(t, h.rename(ou, "Trade "+string(mode), "")) // the container alone
		events = delta()
		require.Len(t, events, 1)
		require.Equal(t, ou, events[0].Object.ID)
		require.Equal(t, source.Container, events[0].Object.Kind)
		require.Equal(t, "Trade "+string(mode), events[0].Object.Attributes.First("ou"))

		require.NoError(t, h.refer(g, "member", nil, []source.ID{ann}))
		rid := h.read(guidDN(g), "objectSid").GetRawAttributeValue("objectSid")
		rid = rid[len(rid)-4:]
		primary := func(value string) {
			r := ldap.NewModifyRequest(guidDN(bob), nil)
			r.Replace("primaryGroupID", []string{value})
			require.NoError(t, h.conn.Modify(r))
		}
		delta()
		primary(fmt.Sprint(uint32(rid[0]) | uint32(rid[1])<<8 | uint32(rid[2])<<16 | uint32(rid[3])<<24))
		set, whole := known(delta(), g, "member") // whose primary group it is isn't among its members
		require.False(t, set[bob])
		if mode == ldapsource.DeltaUSN {
			require.Len(t, set, len(members))
			require.Equal(t, 1, whole)
		}
		primary("513")
		set, _ = known(delta(), g, "member")
		require.True(t, set[bob], "no longer primary, and so a member")

		cid := h.person("cid")
		require.NoError(t, h.refer(g, "member", []source.ID{cid}, nil))
		require.NoError(t, h.refer(cid, "manager", []source.ID{bob}, nil))
		set, _ = known(delta(), cid, "manager")
		require.Equal(t, map[source.ID]bool{bob: true}, set)
		require.NoError(t, h.remove(cid)) // a tombstone and nothing of the group
		events = slices.DeleteFunc(delta(), func(e source.Event) bool { return e.Object.ID != cid && e.Object.ID != g })
		require.Len(t, events, 1)
		require.Equal(t, source.Deleted, events[0].Op)
		require.Equal(t, source.User, events[0].Object.Kind)
		for e, err := range src.Find(t.Context(), []source.ID{g}) {
			require.NoError(t, err)
			require.NotContains(t, append([]source.ID{}, refsOf(e)...), cid)
		}
	}
}

func refsOf(e source.Event) []source.ID {
	if e.References == nil {
		return nil
	}
	return e.References.Add
}
