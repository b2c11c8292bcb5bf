package wire_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/dirsync"
	"github.com/dirbridge/dirbridge/dirsync/plan"
	"github.com/dirbridge/dirbridge/internal/fault"
	"github.com/dirbridge/dirbridge/internal/graphsim"
)

// meddle has an administrator change an account and delete another one.
func (w *world) meddle() {
	var in []graphsim.User
	for _, p := range w.people {
		for _, u := range w.tenant.Users() {
			if u.Get("onPremisesImmutableId") == p.anchor() && !p.deleted && !p.out {
				in = append(in, u)
			}
		}
	}
	if len(in) < 2 {
		return
	}
	i := w.IntN(len(in))
	w.patch(in[i].ID, fmt.Sprintf(`{"accountEnabled":%v}`, in[i].Properties["accountEnabled"] != true))
	require.NoError(w.t, w.tenant.DeleteUser(in[(i+1)%len(in)].ID))
	if w.IntN(3) == 0 {
		w.tenant.ExpireDeltas()
	}
	w.say("an administrator changes %s and deletes %s", in[i].UPN(), in[(i+1)%len(in)].UPN())
}

func (w *world) patch(id, body string) {
	w.t.Helper()
	r, err := http.NewRequestWithContext(w.t.Context(), http.MethodPatch, "http://127.0.0.1/v1.0/users/"+id, strings.NewReader(body))
	require.NoError(w.t, err)
	r.Header.Set("Authorization", "Bearer "+w.tenant.Token())
	r.Header.Set("Content-Type", "application/json")
	res, err := w.tenant.Transport().RoundTrip(r)
	require.NoError(w.t, err)
	defer res.Body.Close()
	require.Equal(w.t, http.StatusNoContent, res.StatusCode)
}

// What an administrator does, over the wire: read by /users/delta, put back.
func TestT09_DriftOverTheWire(t *testing.T) {
	for seed := uint64(1); seed <= 6; seed++ {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, seed)
			defer w.srv.Close()
			sync := func() *dirsync.Report {
				eng, end := w.engine(fault.NewStore(w.store), plan.DisableOnLeave)
				defer end()
				rep, err := eng.Sync(t.Context(), nil)
				require.NoError(t, err)
				time.Sleep(time.Hour)
				return rep
			}
			require.Equal(t, 3, sync().Created)
			require.Zero(t, sync().Writes)
			users := w.tenant.Users()
			w.patch(users[0].ID, `{"displayName":"somebody else","city":"Graz"}`)
			require.NoError(t, w.tenant.DeleteUser(users[1].ID))
			require.NoError(t, w.tenant.DeleteUser(users[2].ID))
			require.NoError(t, w.tenant.PurgeUser(users[2].ID))
			if seed%2 == 0 { // T-13
				time.Sleep(8 * 24 * time.Hour)
			}
			rep := sync()
			require.Equal(t, 3, rep.Drifted)
			require.Equal(t, []int{1, 1, 0}, []int{rep.Updated, rep.Restored, rep.Created})
			require.Len(t, rep.Problems, 1)
			require.Equal(t, "missing-at-target", rep.Problems[0].Code)
			u, ok := w.tenant.User(users[0].ID)
			require.True(t, ok)
			require.Equal(t, users[0].Get("displayName"), u.Get("displayName"))
			require.Equal(t, "Graz", u.Get("city"))
			_, ok = w.tenant.User(users[1].ID)
			require.True(t, ok)

			w.tenant.ResetCounts()
			require.Zero(t, sync().Writes)
			sync()
			w.tenant.ResetCounts()
			require.Zero(t, sync().Writes)
			require.Equal(t, map[string]int{"GET /domains": 1, "GET /users/delta": 1}, w.tenant.Counts().Requests, "an idle run")
		})
	}
}
