package wire_test

import (
	"os"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dirbridge/dirbridge/dirsync"
	"github.com/dirbridge/dirbridge/dirsync/plan"
	"github.com/dirbridge/dirbridge/internal/adsim"
	"github.com/dirbridge/dirbridge/internal/fault"
	"github.com/dirbridge/dirbridge/internal/graphsim"
)

// Random companies, with the real leaves between engine and simulators.
// DIRBRIDGE_SEED tells the story of one seed, DIRBRIDGE_SEEDS makes so many.
func TestSchedulesOverTheWireEndInWhatTheDirectorySays(t *testing.T) {
	first, n := uint64(1), 40
	if s := os.Getenv("DIRBRIDGE_SEEDS"); s != "" {
		n, _ = strconv.Atoi(s)
	}
	if s := os.Getenv("DIRBRIDGE_SEED"); s != "" {
		first, _ = strconv.ParseUint(s, 10, 64)
		n = 1
	}
	start := time.Now()
	for seed := first; seed < first+uint64(n); seed++ {
		var w *world
		synctest.Test(t, func(t *testing.T) {
			w = newWorld(t, seed)
			defer w.srv.Close()
			leaving := []plan.Leaving{plan.DisableOnLeave, plan.DeleteOnLeave, plan.KeepOnLeave}[w.IntN(3)]
			for range 2 + w.IntN(4) {
				for range 1 + w.IntN(4) {
					w.change()
				}
				w.stormy(leaving)
			}
			w.calm(leaving)
		})
		if len(w.wrong) > 0 || n == 1 {
			t.Logf("seed %d:\n%s", seed, strings.Join(w.trace, "\n"))
		}
		if len(w.wrong) > 0 {
			t.Errorf("violation seed=%d: %s", seed, strings.Join(w.wrong, "\n"))
		}
		if t.Failed() && os.Getenv("DIRBRIDGE_ALL") == "" {
			return
		}
	}
	t.Logf("%d schedules, %.1f a second", n, float64(n)/time.Since(start).Seconds())
}

// stormy makes a run in which things go wrong on the wire.
func (w *world) stormy(leaving plan.Leaving) {
	store := fault.NewStore(w.store)
	for range w.IntN(3) {
		switch n := 1 + w.IntN(6); w.IntN(5) {
		case 0, 1:
			f := w.ldapFault()
			w.say("  ldap search %d: %+v", n, f)
			w.srv.Inject(adsim.OnSearch(n, f))
		case 2, 3:
			f := w.graphFault()
			w.say("  graph write %d: %+v", n, f)
			w.tenant.SetFault(graphsim.Nth(n, f, nil))
		case 4:
			done := w.IntN(2) == 0
			w.say("  the process dies at commit %d, done %v", n, done)
			for i := range 1000 {
				store.OnCommit(n+i, fault.Fault{Done: i == 0 && done})
			}
		}
	}
	eng, end := w.engine(store, leaving)
	rep, err := eng.Sync(w.t.Context(), &dirsync.Request{Full: w.IntN(5) == 0, Retry: w.IntN(2) == 0})
	end()
	w.srv.Inject(nil)
	w.tenant.SetFault(nil)
	w.say("run: %s %d, created %d updated %d disabled %d deleted %d restored %d: %v", rep.Mode, rep.Read, rep.Created, rep.Updated, rep.Disabled, rep.Deleted, rep.Restored, err)
	if err != nil && strings.Contains(err.Error(), "cnry") {
		w.complain("a value in an error: %v", err)
	}
	if err != nil && (strings.Contains(err.Error(), adsim.SyncPassword) || strings.Contains(err.Error(), w.tenant.Token())) {
		w.complain("a secret in an error")
	}
}

func (w *world) ldapFault() adsim.Fault {
	f := adsim.Fault{After: w.IntN(4)}
	switch w.IntN(5) {
	case 0:
		f.Cut = true
	case 1:
		f.Code = []uint16{1, 3, 4, 11, 12, 50, 51, 52, 53, 80}[w.IntN(10)]
	case 2:
		f.RejectCookie = true
	case 3:
		f.LoseCookie = true
	default:
		f.CutAfterBytes = 1 + w.IntN(2000)
	}
	return f
}

func (w *world) graphFault() *graphsim.Fault {
	status := []int{500, 502, 503, 504, 507, 423, 412}[w.IntN(7)]
	return []*graphsim.Fault{
		graphsim.ReplyLost(), graphsim.RequestLost(), graphsim.Throttle("3"), graphsim.Throttle(""), graphsim.Refuse(status), graphsim.RefuseApplied(status),
		graphsim.Broken(graphsim.Truncate), graphsim.Broken(graphsim.CutJSON), graphsim.HTML(502), graphsim.AppliedTimeout(), graphsim.Timeout(), graphsim.Empty(502),
	}[w.IntN(12)]
}

// calm makes runs until nothing changes, and then a complete one.
func (w *world) calm(leaving plan.Leaving) {
	rest, meddled := 0, false
	for range 12 {
		time.Sleep(time.Hour) // what is new is shown by now
		eng, end := w.engine(fault.NewStore(w.store), leaving)
		rep, err := eng.Sync(w.t.Context(), &dirsync.Request{Retry: true, Full: rest == 2})
		end()
		w.say("calm: %s %d, changed %d, problems %d: %v", rep.Mode, rep.Read, rep.Changed(), len(rep.Problems), err)
		switch {
		case err != nil:
			w.complain("a calm run failed: %v", err)
			return
		case rest == 2 && rep.Changed() > 0:
			w.complain("a complete run after rest changes %d", rep.Changed())
			return
		case rest == 2:
			w.judge(leaving, rep)
			return
		}
		if rest++; rep.Changed() > 0 {
			rest = 0
		}
		if rest == 1 && !meddled {
			w.meddle()
			meddled = true
		}
	}
	w.complain("it doesn't come to rest")
}
