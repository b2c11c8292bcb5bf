package graphtarget_test

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/internal/graphsim"
	"github.com/dirbridge/dirbridge/target"
)

const denied = "Insufficient privileges to complete the operation."

func TestT14_AForbiddenAccountIsThatAccountsProblem(t *testing.T) {
	tn := contoso(graphsim.Options{})
	tg := open(t, tn, nil)
	boss, err := tg.Apply(t.Context(), ann(1))
	require.NoError(t, err)
	require.NoError(t, tn.Protect(string(boss.ID), true))
	for range 3 {
		_, err = tg.Apply(t.Context(), on(boss, target.Disable, nil))
		require.ErrorIs(t, err, target.ErrForbidden)
		require.NotErrorIs(t, err, target.ErrUnauthenticated)
	}
	require.Equal(t, 1, tn.Counts().Requests["GET /users"], "asked once a minute")
}

func TestT14_AConsentThatWasWithdrawnIsNoObjectsProblem(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		given := false
		f := &fake{answer: func(_ int, a asked) (*http.Response, error) {
			switch {
			case strings.HasSuffix(a.URL.Path, "$batch"):
				return says(200, `{"responses":[{"id":"1","status":403,"body":`+graphError("Authorization_RequestDenied", denied)+`},
					{"id":"2","status":403,"body":`+graphError("Authorization_RequestDenied", denied)+`}]}`), nil
			case given && a.Method == http.MethodGet:
				return says(200, `{"value":[]}`), nil
			}
			return says(403, graphError("Authorization_RequestDenied", denied)), nil
		}}
		tg := over(t, f, nil)
		for _, r := range tg.ApplyBatch(t.Context(), people(2)) {
			require.ErrorIs(t, r.Err, target.ErrUnauthenticated)
			require.ErrorIs(t, r.Err, target.ErrForbidden, "and why")
			require.False(t, target.OutcomeUnknown(r.Err))
		}
		require.Equal(t, []string{"POST /v1.0/$batch", "GET /v1.0/users"}, f.calls())

		given = true
		time.Sleep(time.Minute)
		_, err := tg.Apply(t.Context(), update)
		require.ErrorIs(t, err, target.ErrForbidden)
		require.NotErrorIs(t, err, target.ErrUnauthenticated, "the answer was asked for again")
	})
}

func TestT14_AQuestionWithoutAnAnswerDecidesNothing(t *testing.T) {
	f := &fake{answer: func(_ int, a asked) (*http.Response, error) {
		if a.Method == http.MethodGet {
			return says(503, ""), nil
		}
		return says(403, graphError("Authorization_RequestDenied", denied)), nil
	}}
	_, err := over(t, f, nil).Apply(t.Context(), update)
	require.ErrorIs(t, err, target.ErrForbidden)
	require.NotErrorIs(t, err, target.ErrUnauthenticated)
}
