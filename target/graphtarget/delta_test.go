package graphtarget_test

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/internal/graphsim"
	"github.com/dirbridge/dirbridge/target"
	"github.com/dirbridge/dirbridge/target/graphtarget"
)

// changes reads a delta to its end.
func changes(t *testing.T, tg *graphtarget.Target, token target.Token) (ops map[target.ID]target.DeltaOp, next target.Token, err error) {
	t.Helper()
	ops = map[target.ID]target.DeltaOp{}
	for ev, err := range tg.Changes(t.Context(), target.User, token) {
		if err != nil {
			return ops, "", err
		}
		if ev.Op == target.Checkpoint {
			next = ev.Token
			continue
		}
		ops[ev.Object.ID] = ev.Op
	}
	return ops, next, nil
}

func TestT13_AnExpiredDeltaTokenIsToldFromOtherErrors(t *testing.T) {
	for _, refused := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			tn := contoso(graphsim.Options{Switches: graphsim.Switches{DeltaTokenRefused: refused}})
			tg := open(t, tn, nil)
			token, err := tg.Latest(t.Context(), target.User)
			require.NoError(t, err)
			time.Sleep(8 * 24 * time.Hour)
			_, _, err = changes(t, tg, token)
			require.ErrorIs(t, err, target.ErrTokenExpired)
			token, err = tg.Latest(t.Context(), target.User)
			require.NoError(t, err)
			tn.SetFault(func(graphsim.Op) *graphsim.Fault { return graphsim.Refuse(403) })
			_, _, err = changes(t, tg, token)
			require.Error(t, err)
			require.NotErrorIs(t, err, target.ErrTokenExpired)
			require.ErrorIs(t, err, target.ErrForbidden)
		})
	}
}

func TestADeltaOfManyPagesIsReadToItsEnd(t *testing.T) {
	tn := contoso(graphsim.Options{PageSize: 7, Switches: graphsim.Switches{DeltaReplays: true}})
	tg := open(t, tn, nil)
	token, err := tg.Latest(t.Context(), target.User)
	require.NoError(t, err)
	var ids []string
	for n := range 30 {
		u, err := tn.AddUser(properties(target.Object{Attributes: ann(n).Set}))
		require.NoError(t, err)
		ids = append(ids, u.ID)
	}
	require.NoError(t, tn.DeleteUser(ids[0]))
	require.NoError(t, tn.PurgeUser(ids[1]))
	ops, next, err := changes(t, tg, token)
	require.NoError(t, err)
	require.Len(t, ops, 30)
	require.Equal(t, target.Binned, ops[target.ID(ids[0])])
	require.Equal(t, target.Purged, ops[target.ID(ids[1])])
	require.Equal(t, target.Changed, ops[target.ID(ids[2])])
	ops, _, err = changes(t, tg, next)
	require.NoError(t, err)
	require.Less(t, len(ops), 4, "what is replayed")
}

func TestADeltaThatBreaksOffIsAnError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tn := contoso(graphsim.Options{PageSize: 2})
		tg := openBy(t, tn, tn.Transport(), nil)
		token, err := tg.Latest(t.Context(), target.User)
		require.NoError(t, err)
		for n := range 5 {
			_, err := tn.AddUser(properties(target.Object{Attributes: ann(n).Set}))
			require.NoError(t, err)
		}
		tn.ResetCounts()
		tn.SetFault(func(graphsim.Op) *graphsim.Fault {
			if tn.Counts().HTTP > 1 {
				return graphsim.HTML(502)
			}
			return nil
		})
		ops, _, err := changes(t, tg, token)
		require.ErrorIs(t, err, target.ErrUnavailable)
		require.Len(t, ops, 2)
	})
}

func TestA11_ADeltaLinkLeadsToNoOtherHost(t *testing.T) {
	const users = `http://127.0.0.1/v1.0/users/delta?$deltatoken=x`
	f := &fake{answer: func(int, asked) (*http.Response, error) {
		return says(200, `{"value":[],"@odata.deltaLink":"http://evil.example/v1.0/users/delta?$deltatoken=x"}`), nil
	}}
	tg := over(t, f, nil)
	_, err := tg.Latest(t.Context(), target.User)
	require.ErrorIs(t, err, target.ErrUnavailable)
	_, _, err = changes(t, tg, users)
	require.ErrorIs(t, err, target.ErrUnavailable)
	asked := len(f.calls())
	for _, token := range []target.Token{"http://evil.example/v1.0/users/delta?$deltatoken=x", "http://127.0.0.1/v1.0/users?$top=1", "https://127.0.0.1:1/", "%", "x"} {
		_, _, err := changes(t, tg, token)
		require.ErrorIs(t, err, target.ErrTokenExpired)
	}
	require.Len(t, f.calls(), asked, "a token that was put into the state by somebody is sent nowhere")

	_, _, err = changes(t, over(t, always(200, `{"value":[{"id":"`+someID+`"},{"x":1}]}`), nil), users)
	require.ErrorIs(t, err, target.ErrUnavailable, "without a link it isn't whole")
}

func TestADeltaOfAnotherKindIsRefused(t *testing.T) {
	tg := over(t, always(200, `{}`), nil)
	_, err := tg.Latest(t.Context(), target.Group) // without the option
	require.ErrorIs(t, err, target.ErrInvalid)
	for _, err := range tg.Changes(t.Context(), "group", "x") {
		require.ErrorIs(t, err, target.ErrInvalid)
	}
}

func TestADeltaOfGroupsTellsMembersHoweverItIsCut(t *testing.T) {
	const groups = `http://127.0.0.1/v1.0/groups/delta?$deltatoken=x`
	const a, b = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"
	body := `{"value":[
		{"id":"` + someID + `","displayName":"x","members@delta":[{"@odata.type":"#microsoft.graph.user","id":"` + a + `"},{"id":"` + b + `","@removed":{"reason":"deleted"}},{"x":1},7]},
		{"id":"` + someID + `","@odata.type":"#microsoft.graph.group","members@delta":[{"@odata.type":"#microsoft.graph.device","id":"` + b + `"}]},
		{"id":"` + someID + `","members@delta":{}},
		{"id":"` + someID + `","@removed":{"reason":"changed"}}],"@odata.deltaLink":"` + groups + `"}`
	var got []target.DeltaEvent
	for ev, err := range over(t, always(200, body), &graphtarget.Options{Groups: true}).Changes(t.Context(), target.Group, groups) {
		require.NoError(t, err)
		got = append(got, ev)
	}
	require.Len(t, got, 5)
	require.Equal(t, target.Changed, got[0].Op)
	require.Equal(t, []target.Refs{{Attribute: target.RefMembers, Add: []target.ID{a}, Remove: []target.ID{b}}}, got[0].Refs)
	require.Equal(t, target.Referred, got[1].Op)
	require.Equal(t, []target.Refs{{Attribute: target.RefMembers, Add: []target.ID{b}}}, got[1].Refs)
	require.Equal(t, target.Changed, got[2].Op)
	require.Empty(t, got[2].Refs)
	require.Equal(t, target.Binned, got[3].Op)
	require.Equal(t, target.Checkpoint, got[4].Op)
}

func TestSingleMembersAreReadWholeIfGraphWillNotFilter(t *testing.T) {
	tn := contoso(graphsim.Options{})
	tg := open(t, tn, &graphtarget.Options{Groups: true})
	g, err := tn.AddGroup(map[string]any{"mailNickname": "g"})
	require.NoError(t, err)
	u, err := tn.AddUser(properties(target.Object{Attributes: ann(1).Set}))
	require.NoError(t, err)
	require.NoError(t, tn.SetReferences(g.ID, "members", u.ID))
	ids := []target.ID{target.ID(u.ID), someID}
	for _, refused := range []bool{false, true} {
		if refused {
			tn.SetFault(func(op graphsim.Op) *graphsim.Fault {
				if op.Query.Has("$filter") {
					return graphsim.Refuse(400)
				}
				return nil
			})
		}
		is, err := tg.FindRefs(t.Context(), target.Group, target.ID(g.ID), target.RefMembers, ids)
		require.NoError(t, err)
		require.Equal(t, []bool{true, false}, is)
	}
}
