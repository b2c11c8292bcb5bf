package fault_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/internal/fault"
	"github.com/dirbridge/dirbridge/target"
	"github.com/dirbridge/dirbridge/target/memtarget"
	"github.com/dirbridge/dirbridge/target/targettest"
)

// Without faults the wrapper keeps the contract, and with lost replies and lag
// the in-memory tenant converges.
func TestTargetKeepsTheContract(t *testing.T) {
	targettest.Run(t, func(t *testing.T) targettest.Harness {
		tgt := fault.NewTarget(memtarget.New("contoso", nil))
		return targettest.Harness{
			Target:      tgt,
			Domain:      "contoso.onmicrosoft.com",
			Unique:      []string{"userPrincipalName", "mail"},
			LoseReplies: func(n int) error { tgt.LoseReplies(n); return nil },
			HideNew:     func(hide bool) error { tgt.HideNew(hide); return nil },
		}
	})
}

func create(n int) target.Change {
	nick := fmt.Sprintf("user%d", n)
	return target.Change{Op: target.Create, Kind: target.User, Anchor: nick, Set: target.Attributes{"displayName": {nick},
		"mailNickname": {nick}, "accountEnabled": {"true"}, "userPrincipalName": {nick + "@contoso.onmicrosoft.com"}}}
}

func TestTheNthChangeFailsBeforeOrAfterItIsMade(t *testing.T) {
	for _, done := range []bool{false, true} {
		for _, batch := range []bool{false, true} {
			t.Run(fmt.Sprintf("done %t, batch %t", done, batch), func(t *testing.T) {
				mem := memtarget.New("contoso", nil)
				tgt := fault.NewTarget(mem)
				tgt.OnWrite(2, fault.Fault{Done: done})
				cs := []target.Change{create(1), create(2), create(3)}
				var results []target.Result
				if batch {
					results = tgt.ApplyBatch(t.Context(), cs)
				} else {
					for _, c := range cs {
						o, err := tgt.Apply(t.Context(), c)
						results = append(results, target.Result{Object: o, Err: err})
					}
				}
				require.Len(t, results, 3)
				require.NoError(t, results[0].Err)
				require.ErrorIs(t, results[1].Err, target.ErrUnknownOutcome)
				require.Zero(t, results[1].Object)
				require.NoError(t, results[2].Err)
				require.Equal(t, "user3", results[2].Object.Anchor)
				require.Equal(t, done, mem.Len() == 3)
				require.Equal(t, 3, tgt.Writes())
			})
		}
	}
}

func TestTheErrorIsTheGivenOne(t *testing.T) {
	tgt := fault.NewTarget(memtarget.New("contoso", nil))
	throttled := &target.Error{Sentinel: target.ErrThrottled}
	tgt.OnWrite(1, fault.Fault{Err: throttled})
	_, err := tgt.Apply(t.Context(), create(1))
	require.Same(t, throttled, err)

	boom := errors.New("boom")
	tgt.OnDomains(1, fault.Fault{Err: boom})
	_, err = tgt.Domains(t.Context())
	require.ErrorIs(t, err, boom)
	tgt.OnFind(1, fault.Fault{Err: boom})
	_, err = tgt.Find(t.Context(), target.User, nil)
	require.ErrorIs(t, err, boom)
	tgt.OnFindDeleted(1, fault.Fault{Err: boom})
	_, err = tgt.FindDeleted(t.Context(), target.User, "x")
	require.ErrorIs(t, err, boom)
	tgt.OnDeleted(1, fault.Fault{Err: boom})
	for _, err := range tgt.Deleted(t.Context(), target.User) {
		require.ErrorIs(t, err, boom)
	}
	tgt.OnCurrent(1, fault.Fault{Err: boom})
	for _, err := range tgt.Current(t.Context()) {
		require.ErrorIs(t, err, boom)
	}
}
