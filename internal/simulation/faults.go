package simulation

import (
	"errors"
	"fmt"

	"github.com/dirbridge/dirbridge/target"
)

// runStep makes a run of the engine in which the step's faults happen.
func (w *world) runStep(s *Step) {
	r := &runState{commitFault: map[int]string{}, writeFault: map[int]Fault{}, readErr: map[string]error{}}
	w.rough = w.rough || len(s.Faults) > 0
	for _, f := range s.Faults {
		if !w.sourceFault(r, f) && !w.targetFault(r, f) {
			w.processFault(r, f)
		}
	}
	w.sync(r, s.Full, s.Retry)
}

func (w *world) sourceFault(r *runState, f Fault) bool {
	switch f.Kind {
	case "cut":
		if r.cutErr = fmt.Errorf("result %s: %w", f.S, ldap[f.S]); ldap[f.S] == nil {
			r.cutErr = errors.New(f.S)
		}
		r.cutAfter = f.N
	case "no checkpoint":
		r.noCheckpoint = true
	case "down":
		r.down = f.N
	case "shuffle":
		r.shuffle = true
	case "stale":
		r.stale = w.second != nil
	case "blind":
		r.blind = true
	case "half blind":
		r.halfBlind = true
	case "dim":
		r.dim = f.N
	case "expired":
		r.expired = errors.New("unavailableCriticalExtension")
	case "find fails":
		r.findFails = true
	default:
		return false
	}
	return true
}

func (w *world) targetFault(r *runState, f Fault) bool {
	switch f.Kind {
	case "write":
		r.writeFault[f.N] = f
	case "amid":
		r.amid = f.N
	case "lose replies":
		r.loseReplies = f.N
	case "short reply":
		r.shortReply = true
	case "slow":
		r.slow = f.N
	case "read": // what can be asked: current, find, bin, domains, protected
		r.readErr[f.S] = sentinels[[]string{"unavailable", "throttled", "unauthenticated", "forbidden"}[f.N%4]]
	case "delta cut":
		r.deltaCut = f.N
	case "delta expired":
		w.tenant.timeline++
	case "between": // an administrator makes or moves something between plan and write
		num := f.N
		r.between = func() {
			switch f.S {
			case "lock":
				w.do1("lock", num)
			case "grant":
				w.do1("grant", num)
			case "takeover":
				w.do1("takeover", num)
			case "delete":
				w.do1("admindelete", num)
			default: // without the anchor: see decision 005
				w.tenantStep(&Step{Do: "foreign", S: f.S})
			}
		}
	default:
		return false
	}
	return true
}

func (w *world) do1(what string, num int) { w.tenantStep(&Step{Do: what, P: num}) }

func (w *world) processFault(r *runState, f Fault) {
	switch f.Kind {
	case "commit": // die before, die after, fail, unknown
		r.commitFault[f.N] = f.S
	case "disk full":
		r.diskFull = f.N
	case "store reads":
		r.readFails = f.N
	case "audit":
		r.auditFault = f
	case "cancel":
		r.stopAt = f.N
	}
}

// faulted counts an injected refusal.
func (w *world) faulted(name string) {
	switch name {
	case "throttled":
		w.hit("T-04")
	case "unauthenticated", "forbidden":
		w.hit("T-14")
	case "unknown", "unclassified":
		w.hit("T-02")
	case "notyet":
		w.hit("T-03")
	case "quota":
		w.hit("T-12")
	}
}

// refusal counts what the tenant itself refused.
func (w *world) refusal(err error) {
	switch {
	case err == nil:
	case errors.Is(err, target.ErrNotYet):
		w.hit("T-03")
	case errors.Is(err, target.ErrQuota):
		w.hit("T-12")
	case errors.Is(err, target.ErrExists):
		w.hit("T-11")
	}
}
