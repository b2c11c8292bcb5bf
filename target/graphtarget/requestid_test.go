package graphtarget_test

import (
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/internal/graphsim"
	"github.com/dirbridge/dirbridge/target"
)

// lifeOf applies one change of each kind to a new account.
func lifeOf(t *testing.T, tg target.Target, apply func(target.Change) target.Object) (objects []target.Object) {
	t.Helper()
	made := apply(ann(1))
	set := target.Attributes{"jobTitle": {"Lead"}}
	objects = append(objects, made)
	for _, c := range []target.Change{
		on(made, target.Update, set), on(made, target.Disable, nil), on(made, target.Enable, nil),
		on(made, target.Delete, nil), on(made, target.Restore, nil),
		on(made, target.Delete, nil), on(made, target.Restore, set),
	} {
		objects = append(objects, apply(c))
	}
	return objects
}

// writesOf returns the ids of the accepted writes, in their order.
func writesOf(tn *graphsim.Tenant) (ids []string) {
	for _, op := range tn.Requests() {
		if op.Write && op.Status/100 == 2 {
			ids = append(ids, op.RequestID)
		}
	}
	return ids
}

func TestA18_EveryAcceptedChangeHasTheRequestIdThatGraphGaveIt(t *testing.T) {
	tn := contoso(graphsim.Options{})
	tg := open(t, tn, nil)
	objects := lifeOf(t, tg, func(c target.Change) target.Object {
		o, err := tg.Apply(t.Context(), c)
		require.NoError(t, err)
		return o
	})
	ids := writesOf(tn)
	require.Len(t, ids, len(objects)+1, "the last restore takes two calls")
	ids = append(ids[:len(ids)-2], ids[len(ids)-1]) // and tells the id of the second
	for i, o := range objects {
		require.Equal(t, ids[i], o.RequestID, i)
	}
	sent := map[string]bool{}
	for _, op := range tn.Requests() {
		id := op.Header.Get("client-request-id")
		require.Regexp(t, `^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`, id)
		require.False(t, sent[id], "an id is one request's")
		sent[id] = true
		for _, o := range objects {
			require.Equal(t, o.RequestID == op.RequestID, o.ClientRequestID == id)
		}
	}
}

func TestA18_EveryPartOfABatchHasARequestIdOfItsOwn(t *testing.T) {
	tn := contoso(graphsim.Options{})
	tg := open(t, tn, nil)
	results := tg.ApplyBatch(t.Context(), people(20))
	byID := map[string]graphsim.Op{}
	var batch graphsim.Op
	for _, op := range tn.Requests() {
		byID[op.RequestID] = op
		if !op.Part {
			batch = op
		}
	}
	require.Len(t, byID, 21)
	for i, r := range results {
		require.NoError(t, r.Err)
		op := byID[r.Object.RequestID]
		require.True(t, op.Part)
		require.Contains(t, string(op.Body), ann(i+1).Anchor, "it is this change's")
		require.Equal(t, batch.Header.Get("client-request-id"), r.Object.ClientRequestID)
	}
}

func TestA18_APartWithoutARequestIdHasThatOfItsBatch(t *testing.T) {
	const own, whole = "99999999-0000-0000-0000-000000000001", "11111111-2222-3333-4444-555555555555"
	f := always(200, `{"responses":[{"id":"1","status":204,"headers":{"request-id":"`+own+`"}},{"id":"2","status":204},
		{"id":"3","status":400,"body":{"error":{"code":"Request_BadRequest","message":"x"}}}]}`)
	tg := over(t, f, nil)
	cs := []target.Change{update, update, update}
	for i := range cs {
		cs[i].ID = target.ID(fmt.Sprintf("aaaaaaaa-bbbb-cccc-dddd-%012d", i+1))
	}
	r := tg.ApplyBatch(t.Context(), cs)
	require.Equal(t, own, r[0].Object.RequestID)
	require.Equal(t, whole, r[1].Object.RequestID)
	require.ErrorContains(t, r[2].Err, "[request-id "+whole+"]")
}

func TestA18_ACallWithoutAReplyIsKnownByTheIdThatWeGaveIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tn := contoso(graphsim.Options{})
		tn.SetFault(func(graphsim.Op) *graphsim.Fault { return graphsim.ReplyLost() })
		tg := openBy(t, tn, tn.Transport(), nil)
		_, err := tg.Apply(t.Context(), update)
		require.ErrorIs(t, err, target.ErrUnknownOutcome)
		ops := tn.Requests()
		require.ErrorContains(t, err, "[client-request-id "+ops[len(ops)-1].Header.Get("client-request-id")+"]", "of the last try")
	})
}

func TestA18_AnIdThatIsNoneIsLeftOut(t *testing.T) {
	f := &fake{answer: func(int, asked) (*http.Response, error) {
		return says(204, "", "request-id", "not an id\r\n: <script>"), nil
	}}
	o, err := over(t, f, nil).Apply(t.Context(), update)
	require.NoError(t, err)
	require.Empty(t, o.RequestID)
}
