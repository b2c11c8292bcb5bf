package simulation

import (
	"time"

	"github.com/dirbridge/dirbridge/target"
)

// mostCalm is how many runs it may take until nothing is left to do. The
// specification says four cycles; the longest cycles of names take more rounds
// than a run plans.
const mostCalm = 12

// calm ends every schedule: nothing goes wrong any more, nobody changes
// anything, and the engine has to come to rest, with the tenant as the oracle
// wants it, and then to write nothing.
func (w *world) calm() int {
	o := w.oracle
	o.calm, o.names = true, nil
	w.config.Removals, w.policy = 0, "" // somebody approves
	w.calmCircles()
	w.release()
	w.land()
	w.tenant.lag, w.tenant.full = 0, false
	clear(w.tenant.refused)
	time.Sleep(25 * time.Hour) // whatever was new is visible by now, and nobody waits for it any more
	o.names = map[target.ID][]string{}
	w.logf("calm")
	full := w.blinded || w.unnoticed || len(w.took) > 0
	timed := w.config.Timed && !w.needsRetry
	rest := 0
	for i := range mostCalm {
		if timed {
			time.Sleep(25 * time.Hour)
		}
		time.Sleep(time.Hour) // what was written shows everywhere
		rep, err := w.sync(&runState{}, full, !timed)
		full = false
		if err != nil {
			o.complain("I1", "a calm run failed: %v", err)
			return i
		}
		if rest++; o.accepted > 0 || rep.HeldBack > 0 {
			rest = 0
		}
		if rep.HeldBack > 0 {
			w.consent()
		}
		if rest < 2 {
			continue
		}
		before := o.w.runs
		rep, err = w.sync(&runState{}, true, true)
		if err != nil || o.accepted > 0 {
			o.complain("I3", "run %d, a complete one after rest, changes %d: %v", before+1, o.accepted, err)
			return i
		}
		o.judge(rep)
		w.audited()
		return i - 1
	}
	o.complain("I1", "it doesn't come to rest in %d runs", mostCalm)
	return mostCalm
}
