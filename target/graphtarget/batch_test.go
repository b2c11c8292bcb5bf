package graphtarget_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/internal/graphsim"
	"github.com/dirbridge/dirbridge/target"
)

func TestT05_EachPartOfABatchHasItsOwnOutcome(t *testing.T) {
	tn := contoso(graphsim.Options{})
	tg := open(t, tn, nil)
	held, err := tg.Apply(t.Context(), ann(1))
	require.NoError(t, err)
	gone, err := tg.Apply(t.Context(), ann(2))
	require.NoError(t, err)
	_, err = tg.Apply(t.Context(), on(gone, target.Delete, nil))
	require.NoError(t, err)

	taken := ann(3)
	taken.Set["userPrincipalName"] = held.Attributes["userPrincipalName"]
	foreign := ann(4)
	foreign.Set["userPrincipalName"] = []string{"ann@elsewhere.example"}
	unknown := ann(5)
	unknown.Set["proxyAddresses"] = []string{"x"}
	stranger := held
	stranger.ID = someID

	results := tg.ApplyBatch(t.Context(), []target.Change{
		taken, ann(6), foreign, on(held, target.Update, target.Attributes{"jobTitle": {"Lead"}}), unknown,
		on(gone, target.Restore, target.Attributes{"department": {"R&D"}}),
		on(stranger, target.Delete, nil), on(stranger, target.Update, target.Attributes{"jobTitle": {"x"}}), {Op: target.Create},
	})
	var got []error
	for _, r := range results {
		got = append(got, r.Err)
	}
	for i, want := range []error{target.ErrExists, nil, target.ErrDomainNotVerified, nil, target.ErrInvalid, nil, nil, target.ErrNotFound, target.ErrInvalid} {
		require.ErrorIs(t, got[i], want, i)
	}
	require.Equal(t, gone.ID, results[5].Object.ID)
	require.Equal(t, ann(6).Anchor, results[1].Object.Anchor)
	require.True(t, results[6].Object.Deleted)
	require.Len(t, tn.Users(), 3)
}

func TestT05_APartThatIsMissingDoubledOrNonsenseIsSettledByItself(t *testing.T) {
	for _, broken := range []string{``, `,{"id":"3","status":201,"body":{"id":"x"}}`, `,{"id":"2"}`, `,{"id":"2","status":99}`, `,7`, `,{"id":2,"status":204}`, `,null`, `,{"id":"-1","status":204}`} {
		synctest.Test(t, func(t *testing.T) {
			f := &fake{answer: func(n int, a asked) (*http.Response, error) {
				if n > 1 {
					return says(204, ""), nil
				}
				return says(200, `{"responses":[{"id":"1","status":204},{"id":"3","status":204}`+broken+`]}`), nil
			}}
			tg := over(t, f, nil)
			cs := []target.Change{update, update, update}
			for i := range cs {
				cs[i].ID = target.ID(fmt.Sprintf("aaaaaaaa-bbbb-cccc-dddd-%012d", i+1))
			}
			for _, r := range tg.ApplyBatch(t.Context(), cs) {
				require.NoError(t, r.Err, broken)
			}
			calls := f.calls()
			require.Contains(t, calls[1:], "PATCH /v1.0/users/"+string(cs[1].ID), broken)
			require.NotContains(t, calls[1:], "PATCH /v1.0/users/"+string(cs[0].ID), broken)
			if strings.Contains(broken, `"3"`) {
				require.Contains(t, calls[1:], "PATCH /v1.0/users/"+string(cs[2].ID), "two replies are none")
			}
		})
	}
}

func TestABatchThatGraphRefusesAsAWholeIsSentOneByOne(t *testing.T) {
	f := &fake{answer: func(_ int, a asked) (*http.Response, error) {
		if strings.HasSuffix(a.URL.Path, "$batch") {
			return says(400, graphError("BadRequest", "Invalid batch payload format.")), nil
		}
		if a.URL.Path == "/v1.0/users/"+someID {
			return says(400, graphError("Request_BadRequest", "x")), nil
		}
		return says(204, ""), nil
	}}
	tg := over(t, f, nil)
	other := update
	other.ID = "aaaaaaaa-bbbb-cccc-dddd-000000000001"
	r := tg.ApplyBatch(t.Context(), []target.Change{update, other})
	require.ErrorIs(t, r[0].Err, target.ErrInvalid)
	require.NoError(t, r[1].Err)
	require.Len(t, f.calls(), 3)
}

func TestT14_ACredentialThatIsRefusedFailsEachPartOnceAndWithoutRetries(t *testing.T) {
	f := always(401, graphError("InvalidAuthenticationToken", "x"))
	tg := over(t, f, nil)
	for _, r := range tg.ApplyBatch(t.Context(), people(20)) {
		require.ErrorIs(t, r.Err, target.ErrUnauthenticated)
	}
	require.Len(t, f.calls(), 1)
}
