package graphtarget_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/internal/graphsim"
	"github.com/dirbridge/dirbridge/target"
	"github.com/dirbridge/dirbridge/target/graphtarget"
)

// TestGroupsThatArentOursToWriteSayWhy: what Graph refuses, and what a person has
// to decide.
func TestGroupsThatArentOursToWriteSayWhy(t *testing.T) {
	tn := contoso(graphsim.Options{})
	tg := open(t, tn, &graphtarget.Options{Groups: true})
	for nick, p := range map[string]map[string]any{
		"synced":   {"onPremisesSyncEnabled": true},
		"roles":    {"isAssignableToRole": true},
		"dynamic":  {"groupTypes": []string{"DynamicMembership"}},
		"team":     {"groupTypes": []string{"DynamicMembership", "Unified"}, "mailEnabled": true},
		"exchange": {"mailEnabled": true},
		"plain":    {},
		"unified":  {"groupTypes": []string{"Unified"}, "mailEnabled": true},
	} {
		p["mailNickname"] = nick
		_, err := tn.AddGroup(p)
		require.NoError(t, err, nick)
	}
	got := map[string]string{}
	for o, err := range tg.Current(t.Context()) {
		require.NoError(t, err)
		if o.Kind == target.Group && o.Foreign {
			got[o.Attributes.First("mailNickname")] = o.ForeignWhy
		}
	}
	require.Len(t, got, 5)
	require.Empty(t, got["synced"], "another system of record")
	require.Contains(t, got["roles"], "directory roles")
	require.Contains(t, got["dynamic"], "dynamic membership")
	require.Contains(t, got["team"], "dynamic membership")
	require.Contains(t, got["exchange"], "Exchange")
}

// TestAnAddressOfAGroupIsntGivenToAPerson: Graph keeps addresses unique over all
// kinds, and the holder is found.
func TestAnAddressOfAGroupIsntGivenToAPerson(t *testing.T) {
	tn := contoso(graphsim.Options{})
	tg := open(t, tn, &graphtarget.Options{Groups: true})
	c := target.Change{Op: target.Create, Kind: target.Group, Anchor: "dirbridge-x", Set: target.Attributes{
		"displayName": {"Team"}, "mailNickname": {"team"}, "groupTypes": {"Unified"}}}
	made, err := tg.Apply(t.Context(), c)
	require.NoError(t, err)
	g, ok := tn.Group(string(made.ID))
	require.True(t, ok)
	require.NotEmpty(t, g.Get("mail"))
	found, err := tg.Find(t.Context(), target.Group, []target.Key{{Mail: g.Get("mail")}, {MailNickname: "TEAM"}})
	require.NoError(t, err)
	require.Len(t, found[0], 1)
	require.Equal(t, made.ID, found[0][0].ID)
	require.Len(t, found[1], 1)
	p := ann(1)
	p.Set = p.Set.Clone()
	p.Set[target.AttrMail] = []string{g.Get("mail")}
	_, err = tg.Apply(t.Context(), p)
	require.ErrorIs(t, err, target.ErrExists)
	require.Equal(t, target.AttrMail, target.AttributeOf(err))
	require.Equal(t, 250_000, target.RefLimit(tg, target.Group, target.RefMembers))
	require.Equal(t, 100, target.RefLimit(tg, target.Group, target.RefOwners))
}
