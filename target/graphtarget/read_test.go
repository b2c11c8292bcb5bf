package graphtarget_test

import (
	"fmt"
	"net/http"
	"net/url"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/internal/graphsim"
	"github.com/dirbridge/dirbridge/target"
	"github.com/dirbridge/dirbridge/target/graphtarget"
)

func TestEveryAttributeComesBackAsItWasWritten(t *testing.T) {
	tn := contoso(graphsim.Options{})
	tg := open(t, tn, nil)
	c := ann(1)
	for _, name := range graphtarget.Vocabulary() {
		if c.Set[name] == nil {
			c.Set[name] = []string{"\"" + name + "\" <'é\u2028\\\t>"}
		}
	}
	c.Set["mail"], c.Set["usageLocation"] = []string{"ann.1@contoso.com"}, []string{"DE"}
	c.Set["businessPhones"], c.Set["otherMails"] = []string{"+49 30 1"}, []string{"a@x.example", "b@x.example"}
	c.Set["employeeId"], c.Set["preferredLanguage"] = []string{"007"}, []string{"de-DE"}
	_, err := tg.Apply(t.Context(), c)
	require.NoError(t, err)
	got := all(t, tg)
	require.Len(t, got, 1)
	require.Equal(t, c.Set, got[0].Attributes)
	require.Equal(t, c.Anchor, got[0].Anchor)
	require.False(t, got[0].Created.IsZero())

	clear := target.Attributes{}
	for _, name := range graphtarget.Vocabulary() {
		switch name {
		case "userPrincipalName", "displayName", "mailNickname", "accountEnabled", "mail", "usageLocation":
		default:
			clear[name] = nil
		}
	}
	_, err = tg.Apply(t.Context(), on(got[0], target.Update, clear))
	require.NoError(t, err)
	left := all(t, tg)[0].Attributes.Names()
	require.Equal(t, []string{"accountEnabled", "displayName", "mail", "mailNickname", "usageLocation", "userPrincipalName"}, left)
}

func TestAListIsReadBy999AndTheNextPageIsFetchedMeanwhile(t *testing.T) {
	tn := contoso(graphsim.Options{})
	for n := range 2500 {
		_, err := tn.AddUser(properties(target.Object{Attributes: ann(n).Set}))
		require.NoError(t, err)
	}
	tg := openBy(t, tn, tn.Transport(), nil)
	require.Len(t, all(t, tg), 2500)
	require.Equal(t, 3, tn.Counts().HTTP)

	synctest.Test(t, func(t *testing.T) {
		tn.ResetCounts()
		tg := openBy(t, tn, tn.Transport(), nil)
		for _, err := range tg.Current(t.Context()) {
			require.NoError(t, err)
			synctest.Wait()
			require.Equal(t, 2, tn.Counts().HTTP, "the second page is here while the first is looked at, the third isn't")
			break
		}
		synctest.Wait() // and the bubble ends only if nothing goes on
	})
}

func TestAnErrorInTheMiddleOfAListIsYieldedOnceAndLast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, fault := range []*graphsim.Fault{graphsim.HTML(502), graphsim.Broken(graphsim.CutJSON), graphsim.Broken(graphsim.Truncate), graphsim.ReplyLost(), graphsim.Timeout()} {
			tn := contoso(graphsim.Options{})
			for n := range 1500 {
				_, err := tn.AddUser(properties(target.Object{Attributes: ann(n).Set}))
				require.NoError(t, err)
			}
			broken := true
			tn.SetFault(func(op graphsim.Op) *graphsim.Fault {
				if broken && tn.Counts().HTTP > 1 {
					return fault
				}
				return nil
			})
			tg := openBy(t, tn, tn.Transport(), nil)
			n, failed := 0, 0
			for o, err := range tg.Current(t.Context()) {
				require.Zero(t, failed, "nothing comes after the error")
				if err != nil {
					failed++
					require.ErrorIs(t, err, target.ErrUnavailable)
					require.Zero(t, o.ID)
					continue
				}
				n++
			}
			require.Equal(t, 999, n)
			require.Equal(t, 1, failed, "a list that broke off doesn't look complete")
		}
	})
}

func TestAReadThatFailsInPassingIsRepeated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, fault := range []*graphsim.Fault{graphsim.Refuse(503), graphsim.ReplyLost(), graphsim.HTML(404), graphsim.Throttle("2")} {
			tn := contoso(graphsim.Options{Fault: graphsim.Nth(1, fault, func(graphsim.Op) bool { return true })})
			tg := openBy(t, tn, tn.Transport(), nil)
			domains, err := tg.Domains(t.Context())
			require.NoError(t, err)
			require.Len(t, domains, 2)
		}
	})
}

func TestA12_FindQuotesAndEncodesItsKeys(t *testing.T) {
	tn := contoso(graphsim.Options{})
	tg := open(t, tn, nil)
	c := ann(1)
	c.Anchor = "a+/b==&'x'#%" // worse than base64 gets
	c.Set["userPrincipalName"], c.Set["mail"] = []string{"o'hara~1@contoso.com"}, []string{"o'hara+a&b@contoso.com"}
	made, err := tg.Apply(t.Context(), c)
	require.NoError(t, err)
	keys := []target.Key{
		{Anchor: c.Anchor}, {UserPrincipalName: "O'Hara~1@contoso.com"}, {Mail: "o'hara+a&b@contoso.com"}, {ID: made.ID},
		{Anchor: "x' or onPremisesImmutableId ne '"}, {UserPrincipalName: "x') or ('a' eq 'a"}, {ID: someID}, {ID: "../users"},
	}
	found, err := tg.Find(t.Context(), target.User, keys)
	require.NoError(t, err)
	for i := range 4 {
		require.Len(t, found[i], 1, i)
		require.Equal(t, made.ID, found[i][0].ID, i)
		require.Equal(t, c.Anchor, found[i][0].Anchor, i)
	}
	for i := 4; i < len(keys); i++ {
		require.Empty(t, found[i], i)
	}
	for _, k := range keys[:4] { // alone, and not in a batch
		one, err := tg.Find(t.Context(), target.User, []target.Key{k})
		require.NoError(t, err)
		require.Len(t, one[0], 1)
	}
	_, err = tg.Find(t.Context(), target.User, []target.Key{{}})
	require.ErrorIs(t, err, target.ErrInvalid)
	none, err := tg.Find(t.Context(), target.User, nil)
	require.NoError(t, err)
	require.Empty(t, none)
}

func TestFindTakesTwentyKeysInOneRequest(t *testing.T) {
	tn := contoso(graphsim.Options{})
	tg := open(t, tn, nil)
	for _, r := range target.ApplyAll(t.Context(), tg, people(45)) {
		require.NoError(t, r.Err)
	}
	tn.ResetCounts()
	var keys []target.Key
	for _, c := range people(45) {
		keys = append(keys, target.Key{Anchor: c.Anchor})
	}
	found, err := tg.Find(t.Context(), target.User, keys)
	require.NoError(t, err)
	for i, objects := range found {
		require.Len(t, objects, 1)
		require.Equal(t, keys[i].Anchor, objects[0].Anchor)
	}
	require.Equal(t, 3, tn.Counts().HTTP)
}

func TestAForeignObjectSaysSo(t *testing.T) {
	tn := contoso(graphsim.Options{})
	p := properties(target.Object{Attributes: ann(1).Set})
	p["onPremisesSyncEnabled"] = true
	u, err := tn.AddUser(p)
	require.NoError(t, err)
	tg := open(t, tn, nil)
	o := all(t, tg)[0]
	require.True(t, o.Foreign)
	_, err = tg.Apply(t.Context(), on(target.Object{ID: target.ID(u.ID)}, target.Update, target.Attributes{"jobTitle": {"x"}}))
	require.ErrorIs(t, err, target.ErrReadOnly)
}

func TestDomainsAreReadWithAllThatIsSaidOfThem(t *testing.T) {
	tn := contoso(graphsim.Options{})
	tn.AddDomain("new.example")
	tn.VerifyDomain("fed.example")
	tn.Federate("fed.example")
	got, err := open(t, tn, nil).Domains(t.Context())
	require.NoError(t, err)
	require.Equal(t, []target.Domain{
		{Name: "contoso.com", Verified: true, Default: true},
		{Name: "contoso.onmicrosoft.com", Verified: true, Initial: true},
		{Name: "fed.example", Verified: true, Federated: true},
		{Name: "new.example"},
	}, got)
}

func TestTheBinIsReadAlsoWhereItIsStrictAboutProperties(t *testing.T) {
	f := &fake{answer: func(_ int, a asked) (*http.Response, error) {
		if a.URL.RawQuery != "" {
			return says(400, graphError("BadRequest", "Could not find a property named 'jobTitle' on type 'microsoft.graph.directoryObject'.")), nil
		}
		return says(200, `{"@odata.type":"#microsoft.graph.user","id":"`+someID+`","displayName":"Ann"}`), nil
	}}
	o, err := over(t, f, nil).FindDeleted(t.Context(), target.User, someID)
	require.NoError(t, err)
	require.Equal(t, target.Object{ID: someID, Kind: target.User, Deleted: true, Attributes: target.Attributes{"displayName": {"Ann"}}}, o)
}

func TestA12_AQueryIsOnePerValue(t *testing.T) {
	f := always(200, `{"value":[]}`)
	_, err := over(t, f, nil).Find(t.Context(), target.User, []target.Key{{Anchor: "a+/=&$filter=x"}})
	require.NoError(t, err)
	q, err := url.ParseQuery(f.asked(1).URL.RawQuery)
	require.NoError(t, err)
	require.Len(t, q, 2)
	require.Equal(t, "onPremisesImmutableId eq 'a+/=&$filter=x'", q.Get("$filter"))
	require.NotEmpty(t, q.Get("$select"))
}

func TestT03_WhatWasMadeHereAShortWhileAgoIsNotYetThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tn := contoso(graphsim.Options{Lag: 10 * time.Minute})
		tg := open(t, tn, nil)
		o, err := tg.Apply(t.Context(), ann(1))
		require.NoError(t, err)
		jobTitle := target.Attributes{"jobTitle": {"Lead"}}
		_, err = tg.Apply(t.Context(), on(o, target.Update, jobTitle))
		require.ErrorIs(t, err, target.ErrNotYet)
		_, err = tg.Apply(t.Context(), on(o, target.Delete, nil))
		require.ErrorIs(t, err, target.ErrNotYet)
		time.Sleep(10 * time.Minute)
		_, err = tg.Apply(t.Context(), on(o, target.Update, jobTitle))
		require.NoError(t, err)
		_, err = tg.Apply(t.Context(), on(o, target.Delete, nil))
		require.NoError(t, err)
		_, err = tg.Apply(t.Context(), on(o, target.Delete, nil))
		require.NoError(t, err, "young, but in the bin")
		require.NoError(t, tn.PurgeUser(string(o.ID)))
		_, err = tg.Apply(t.Context(), on(o, target.Delete, nil))
		require.NoError(t, err)
		_, err = tg.Apply(t.Context(), on(o, target.Restore, nil))
		require.ErrorIs(t, err, target.ErrNotFound)
	})
}

func TestARestoreComesBackUnderItsNewNameIfTheOldIsTaken(t *testing.T) {
	tn := contoso(graphsim.Options{})
	tg := open(t, tn, nil)
	o, err := tg.Apply(t.Context(), ann(1))
	require.NoError(t, err)
	_, err = tg.Apply(t.Context(), on(o, target.Delete, nil))
	require.NoError(t, err)
	usurper := ann(2)
	usurper.Set["userPrincipalName"] = ann(1).Set["userPrincipalName"]
	_, err = tg.Apply(t.Context(), usurper)
	require.NoError(t, err)

	_, err = tg.Apply(t.Context(), on(o, target.Restore, target.Attributes{"jobTitle": {"Lead"}}))
	require.ErrorIs(t, err, target.ErrExists)
	require.Equal(t, "userPrincipalName", target.AttributeOf(err))
	bin, err := tg.FindDeleted(t.Context(), target.User, o.ID)
	require.NoError(t, err)
	require.True(t, bin.Deleted)
	require.Equal(t, o.Anchor, bin.Anchor)

	back, err := tg.Apply(t.Context(), on(o, target.Restore, target.Attributes{"userPrincipalName": {"ann.b@contoso.com"}, "jobTitle": {"Lead"}}))
	require.NoError(t, err)
	require.Equal(t, o.ID, back.ID)
	u, ok := tn.User(string(o.ID))
	require.True(t, ok)
	require.Equal(t, "ann.b@contoso.com", u.UPN())
	require.Equal(t, "Lead", u.Get("jobTitle"))
}

func ExampleVocabulary() {
	fmt.Println(graphtarget.Vocabulary()[:4])
	// Output: [accountEnabled businessPhones city companyName]
}
