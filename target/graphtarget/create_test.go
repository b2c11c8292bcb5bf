package graphtarget_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/internal/graphsim"
	"github.com/dirbridge/dirbridge/target"
	"github.com/dirbridge/dirbridge/target/graphtarget"
)

// byAnchor counts the tenant's live users by anchor, behind the API.
func byAnchor(tn *graphsim.Tenant) map[string]int {
	n := map[string]int{}
	for _, u := range tn.Users() {
		n[u.Get("onPremisesImmutableId")]++
	}
	return n
}

// TestT02_LostRepliesAndReplicationLagNeverMakeASecondAccount is T-03, too: of
// all calls, batch parts and batches, 30 in 100 lose their reply and 10 their
// request, new users show late and then come and go, and the tenant would take
// a second user with the same anchor.
func TestT02_LostRepliesAndReplicationLagNeverMakeASecondAccount(t *testing.T) {
	for seed := range uint64(8) {
		synctest.Test(t, func(t *testing.T) {
			var mu sync.Mutex
			chance := rand.New(rand.NewPCG(seed, 1))
			tn := contoso(graphsim.Options{Lag: 20 * time.Second, Flap: 20 * time.Second, Switches: graphsim.Switches{
				DuplicateAnchor: graphsim.DuplicateAnchorAllowed,
			}})
			tn.SetFault(func(graphsim.Op) *graphsim.Fault {
				mu.Lock()
				defer mu.Unlock()
				switch p := chance.Float64(); {
				case p < 0.3:
					return graphsim.ReplyLost()
				case p < 0.4:
					return graphsim.RequestLost()
				}
				return nil
			})
			// Without the contract: a batch that lacks a part breaks it on purpose.
			tg := openBy(t, tn, tn.Transport(), nil)
			todo := people(60)
			done := map[string]target.ID{}
			for round := 0; len(todo) > 0; round++ {
				require.Less(t, round, 20, "it doesn't converge")
				var again []target.Change
				for i, r := range target.ApplyAll(t.Context(), tg, todo) {
					switch c := todo[i]; {
					case r.Err == nil:
						done[c.Anchor] = r.Object.ID
					case target.OutcomeUnknown(r.Err):
						c.Repeat = true
						again = append(again, c)
					default:
						t.Fatalf("seed %d: %s: %v", seed, c.Anchor, r.Err)
					}
					for anchor, n := range byAnchor(tn) {
						require.LessOrEqual(t, n, 1, "seed %d: %s", seed, anchor)
					}
				}
				todo = again
				time.Sleep(time.Minute)
			}
			require.Len(t, tn.Users(), 60)
			for _, u := range tn.Users() {
				require.Equal(t, target.ID(u.ID), done[u.Get("onPremisesImmutableId")])
			}
		})
	}
}

func TestACreateWhoseReplyIsLostFindsItsAccountByTheAnchor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, fault := range []*graphsim.Fault{
			graphsim.ReplyLost(), graphsim.AppliedTimeout(), graphsim.RefuseApplied(503), graphsim.RefuseApplied(500),
			graphsim.Broken(graphsim.CutJSON), graphsim.Broken(graphsim.Truncate), {Apply: true, Status: 201, Body: []byte{}},
		} {
			tn := contoso(graphsim.Options{Fault: graphsim.Nth(1, fault, nil)})
			tg := openBy(t, tn, tn.Transport(), nil)
			o, err := tg.Apply(t.Context(), ann(1))
			require.NoError(t, err)
			require.Len(t, tn.Users(), 1)
			require.Equal(t, target.ID(tn.Users()[0].ID), o.ID)
			require.Equal(t, ann(1).Anchor, o.Anchor)
			require.Equal(t, 1, tn.Counts().Requests["POST /users"], "it isn't sent again once it is found")
		}
	})
}

func TestACreateWhoseRequestIsLostIsSentAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tn := contoso(graphsim.Options{Fault: graphsim.Nth(1, graphsim.RequestLost(), nil)})
		tg := open(t, tn, nil)
		_, err := tg.Apply(t.Context(), ann(1))
		require.NoError(t, err)
		require.Len(t, tn.Users(), 1)
	})
}

func TestACreateThatStaysInvisibleIsLeftUnknownAndFoundLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tn := contoso(graphsim.Options{Lag: 5 * time.Minute, Fault: graphsim.Nth(1, graphsim.ReplyLost(), nil)})
		tg := open(t, tn, &graphtarget.Options{SettleTimeout: 30 * time.Second})
		c := ann(1)
		start := time.Now()
		_, err := tg.Apply(t.Context(), c)
		require.ErrorIs(t, err, target.ErrUnknownOutcome)
		require.Less(t, time.Since(start), time.Minute)
		require.Len(t, tn.Users(), 1)

		c.Repeat = true
		_, err = tg.Apply(t.Context(), c)
		require.ErrorIs(t, err, target.ErrUnknownOutcome, "its own name is taken, but not proven to be another's")
		require.Len(t, tn.Users(), 1)

		time.Sleep(5 * time.Minute)
		o, err := tg.Apply(t.Context(), c)
		require.NoError(t, err)
		require.Equal(t, target.ID(tn.Users()[0].ID), o.ID)
		require.Equal(t, []string{"ann.1@contoso.com"}, o.Attributes["userPrincipalName"])
	})
}

func TestANameHeldByAnotherIsSaidEvenInDoubt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, attribute := range []string{"userPrincipalName", "mail"} {
			tn := contoso(graphsim.Options{})
			c := ann(1)
			c.Set["mail"] = []string{"ann.1@contoso.com"}
			held := properties(target.Object{Attributes: c.Set})
			if attribute == "mail" {
				held["userPrincipalName"] = "other@contoso.com"
			}
			_, err := tn.AddUser(held)
			require.NoError(t, err)
			tg := open(t, tn, nil)
			_, err = tg.Apply(t.Context(), c)
			require.ErrorIs(t, err, target.ErrExists)
			require.Equal(t, 1, tn.Counts().HTTP, "without doubt there is nothing to look up")

			c.Repeat = true
			_, err = tg.Apply(t.Context(), c)
			require.ErrorIs(t, err, target.ErrExists)
			require.False(t, target.OutcomeUnknown(err))
			require.Equal(t, attribute, target.AttributeOf(err))

			c.Set["userPrincipalName"] = []string{"ann@elsewhere.example"}
			_, err = tg.Apply(t.Context(), c)
			require.ErrorIs(t, err, target.ErrDomainNotVerified)
		}
	})
}

func TestARepeatedCreateReturnsTheAccountOfTheFirstAndKeepsItsPasswordUnknown(t *testing.T) {
	tn := contoso(graphsim.Options{})
	told := 0
	tg := open(t, tn, &graphtarget.Options{OnPassword: func(context.Context, target.Object, graphtarget.Password) { told++ }})
	c := ann(1)
	first, err := tg.Apply(t.Context(), c)
	require.NoError(t, err)
	require.Equal(t, 1, told)
	c.Repeat = true
	second, err := tg.Apply(t.Context(), c)
	require.NoError(t, err)
	require.Equal(t, first.ID, second.ID)
	require.Equal(t, 1, told)
	require.Equal(t, 1, tn.Counts().Requests["POST /users"])

	c = ann(2)
	c.Repeat = true // whose first call never arrived
	_, err = tg.Apply(t.Context(), c)
	require.NoError(t, err)
	require.Equal(t, 2, told)
}

func TestTwoAccountsWithOneAnchorAreAConflict(t *testing.T) {
	tn := contoso(graphsim.Options{Switches: graphsim.Switches{DuplicateAnchor: graphsim.DuplicateAnchorAllowed}})
	for _, c := range people(2) {
		_, err := tn.AddUser(properties(target.Object{Anchor: "QQ==", Attributes: c.Set}))
		require.NoError(t, err)
	}
	tg := open(t, tn, nil)
	c := ann(3)
	c.Anchor, c.Repeat = "QQ==", true
	_, err := tg.Apply(t.Context(), c)
	require.ErrorIs(t, err, target.ErrExists)
	require.Equal(t, "onPremisesImmutableId", target.AttributeOf(err))
	require.Len(t, tn.Users(), 2)
}

func TestA15_TheFirstPasswordGoesToTheCallbackAndNowhereElse(t *testing.T) {
	const canary = "Canary-Pass-9!"
	var seen []string
	o := &graphtarget.Options{
		NewPassword: func() (graphtarget.Password, error) { return graphtarget.NewPassword(canary), nil },
		OnPassword: func(_ context.Context, o target.Object, p graphtarget.Password) {
			require.NotEmpty(t, o.ID)
			seen = append(seen, p.Reveal(), fmt.Sprintf("%v %+v %#v %s %d", p, p, p, p, p))
		},
	}
	f := &fake{answer: func(_ int, a asked) (*http.Response, error) {
		return says(201, `{"id":"`+someID+`","userPrincipalName":"ann.1@contoso.com","mail":null}`), nil
	}}
	tg := over(t, f, o)
	made, err := tg.Apply(t.Context(), ann(1))
	require.NoError(t, err)
	require.Equal(t, []string{canary, "[secret] [secret] [secret] [secret] [secret]"}, seen)
	require.Equal(t, target.Object{ID: someID, Kind: target.User, Anchor: ann(1).Anchor,
		Attributes: target.Attributes{"userPrincipalName": {"ann.1@contoso.com"}},
		RequestID:  made.RequestID, ClientRequestID: made.ClientRequestID}, made)
	require.JSONEq(t, `{"@odata.type":"#microsoft.graph.user","accountEnabled":true,"displayName":"Ann 1","mailNickname":"ann.1",
		"userPrincipalName":"ann.1@contoso.com","onPremisesImmutableId":"`+ann(1).Anchor+`",
		"passwordProfile":{"forceChangePasswordNextSignIn":true,"password":"`+canary+`"}}`, f.asked(1).body)
}

func TestA15_SecretsAreInNoErrorAndNoPrint(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const password, token = "Canary-Pass-9!", "token-canary"
		o := &graphtarget.Options{NewPassword: func() (graphtarget.Password, error) { return graphtarget.NewPassword(password), nil }}
		answers := []*fake{
			{answer: func(_ int, a asked) (*http.Response, error) { // a server that echoes everything
				return says(400, graphError("Request_BadRequest", a.body+a.Header.Get("Authorization"), password, password),
					"request-id", password, "Retry-After", token), nil
			}},
			{answer: func(_ int, a asked) (*http.Response, error) {
				return nil, errors.New(a.body + a.Header.Get("Authorization"))
			}},
			{answer: func(_ int, a asked) (*http.Response, error) {
				return says(503, a.body+a.Header.Get("Authorization")), nil
			}},
			{answer: func(_ int, a asked) (*http.Response, error) { panic(a.body) }},
			{answer: func(_ int, a asked) (*http.Response, error) { return nil, io.ErrUnexpectedEOF }},
		}
		for _, f := range answers {
			tg := over(t, f, o)
			c := ann(1)
			c.Set["displayName"] = []string{"Canary-Person"}
			_, err := tg.Apply(t.Context(), c)
			require.Error(t, err)
			batch := tg.ApplyBatch(t.Context(), []target.Change{c, ann(2)})
			_, findErr := tg.Find(t.Context(), target.User, []target.Key{{UserPrincipalName: "Canary-Person@contoso.com"}})
			shown := fmt.Sprintf("%v %+v %#v %v %v %v %+v", err, err, err.Error(), batch[0].Err, findErr, tg.Name(), graphtarget.StaticToken(token))
			for _, secret := range []string{password, token, "Canary-Person"} {
				require.NotContains(t, shown, secret)
			}
		}
	})
}

func TestACallbackThatPanicsLosesNoAccount(t *testing.T) {
	tn := contoso(graphsim.Options{})
	tg := open(t, tn, &graphtarget.Options{OnPassword: func(context.Context, target.Object, graphtarget.Password) { panic("canary") }})
	c := ann(1)
	_, err := tg.Apply(t.Context(), c)
	require.ErrorIs(t, err, target.ErrUnknownOutcome)
	require.NotContains(t, err.Error(), "canary")
	c.Repeat = true
	_, err = tg.Apply(t.Context(), c)
	require.NoError(t, err)

	tg = open(t, tn, &graphtarget.Options{NewPassword: func() (graphtarget.Password, error) { return graphtarget.Password{}, errors.New("canary") }})
	_, err = tg.Apply(t.Context(), ann(2))
	require.ErrorIs(t, err, target.ErrInvalid)
	require.NotContains(t, err.Error(), "canary")
	require.Len(t, tn.Users(), 1)
}

func TestRandomPasswordsMeetEveryComplexityRule(t *testing.T) {
	seen := map[string]bool{}
	for range 200 {
		p, err := graphtarget.RandomPassword()
		require.NoError(t, err)
		s := p.Reveal()
		require.Len(t, s, 32)
		require.Regexp(t, `[A-Z]`, s)
		require.Regexp(t, `[a-z]`, s)
		require.Regexp(t, `[0-9]`, s)
		require.Regexp(t, `[^A-Za-z0-9]`, s)
		require.False(t, seen[s])
		seen[s] = true
	}
}
