package dirsync_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/dirsync"
	"github.com/dirbridge/dirbridge/dirsync/plan"
	"github.com/dirbridge/dirbridge/internal/fault"
	"github.com/dirbridge/dirbridge/source"
	"github.com/dirbridge/dirbridge/source/memsource"
	"github.com/dirbridge/dirbridge/state/memstate"
	"github.com/dirbridge/dirbridge/target"
	"github.com/dirbridge/dirbridge/target/memtarget"
)

// Random histories: a few people who fight over few names, in a directory and a
// tenant that are changed at random, synchronized by runs in which random things
// go wrong. Then all is calm, the engine comes to rest, and an oracle that knows
// nothing of the engine looks at the tenant. DIRBRIDGE_SEEDS=n makes n histories,
// DIRBRIDGE_SEED=s tells the one with the seed s.
func TestRandomHistoriesEndInWhatTheDirectorySays(t *testing.T) {
	first, n := uint64(1), 400
	if s := os.Getenv("DIRBRIDGE_SEEDS"); s != "" {
		n, _ = strconv.Atoi(s)
	}
	if s := os.Getenv("DIRBRIDGE_SEED"); s != "" {
		first, _ = strconv.ParseUint(s, 10, 64)
		n = 1
	}
	for seed := first; seed < first+uint64(n); seed++ {
		synctest.Test(t, func(t *testing.T) {
			h := newHistory(t, seed)
			for range 2 + h.IntN(6) {
				for range 1 + h.IntN(5) {
					h.change()
				}
				h.stormyRun()
			}
			rep := h.calmDown()
			if h.judge(rep); len(h.wrong) > 0 {
				t.Errorf("seed %d:\n%s\n--\n%s", seed, strings.Join(h.trace, "\n"), strings.Join(h.wrong, "\n"))
			}
		})
		if t.Failed() && os.Getenv("DIRBRIDGE_ALL") == "" {
			return
		}
	}
}

const initialDomain = "contoso.onmicrosoft.com"

var (
	logins  = []string{"ann", "bob", "Ann", "eve"}
	domains = []string{"contoso.com", "fabrikam.com", "corp.local", initialDomain}
	unknown = &target.Error{Sentinel: target.ErrUnknownOutcome}
	errs    = []error{unknown, unknown, errors.New("unclassified"), &target.Error{Sentinel: target.ErrThrottled},
		&target.Error{Sentinel: target.ErrUnavailable}, &target.Error{Sentinel: target.ErrForbidden}, &target.Error{Sentinel: target.ErrNotYet},
		&target.Error{Sentinel: target.ErrQuota}, &target.Error{Sentinel: target.ErrNotApplied}}
	placeholder = regexp.MustCompile(`-[0-9a-f]{8}@` + regexp.QuoteMeta(initialDomain) + `$`)
)

// A history is one company and what happened to it.
type history struct {
	*rand.Rand
	t       *testing.T
	src     *memsource.Source
	tgt     *memtarget.Target
	store   *memstate.Store
	leaving plan.Leaving

	ids     []source.ID
	place   map[source.ID]string // "in", "out", "deleted", "hidden"
	deleted map[source.ID]bool   // at some time
	unseen  map[string]bool      // names of accounts that an administrator deleted, which the engine may not know
	foreign map[target.ID]bool
	trace   []string
	wrong   []string
}

func newHistory(t *testing.T, seed uint64) *history {
	h := &history{Rand: rand.New(rand.NewPCG(seed, 1)), t: t, tgt: memtarget.New("contoso", nil), store: memstate.New(),
		place: map[source.ID]string{}, deleted: map[source.ID]bool{}, unseen: map[string]bool{}, foreign: map[target.ID]bool{}}
	h.src = memsource.New("corp", &memsource.Options{CheckpointEvery: 1 + h.IntN(5)})
	h.leaving = pick(h, []plan.Leaving{plan.DisableOnLeave, plan.DeleteOnLeave, plan.KeepOnLeave})
	h.tgt.VerifyDomain("contoso.com")
	h.say("leavers: %s", h.leaving)
	for range 3 {
		h.hire()
	}
	return h
}

func pick[T any](h *history, of []T) T { return of[h.IntN(len(of))] }

func (h *history) say(format string, args ...any) {
	h.trace = append(h.trace, fmt.Sprintf(format, args...))
}

func (h *history) name(of ...string) string { return pick(h, logins) + "@" + pick(h, of) }

func (h *history) hire() {
	id := source.ID(fmt.Sprintf("%08x-0000-4000-8000-%012x", h.Uint32(), len(h.ids)+1))
	a := source.Attributes{"sAMAccountName": {fmt.Sprint("sam", len(h.ids))}, "userAccountControl": {"512"}, "displayName": {fmt.Sprint("D", len(h.ids))}}
	a.Set("userPrincipalName", h.name(domains...))
	if h.IntN(2) == 0 {
		a.Set("mail", h.name("mail.com"))
	}
	h.src.Put(source.Object{ID: id, Kind: source.User, DN: fmt.Sprintf("CN=%d,DC=corp", len(h.ids)), Attributes: a})
	h.ids, h.place[id] = append(h.ids, id), "in"
	h.say("hire %.8s %s, mail %s", id, a.First("userPrincipalName"), a.First("mail"))
}

func (h *history) set(id source.ID, name string, values ...string) {
	if h.src.Edit(id, func(o *source.Object) { o.Attributes.Set(name, values...) }) {
		h.say("%.8s: %s = %v", id, name, values)
	}
}

// change does one thing to the directory or the tenant.
func (h *history) change() {
	id, other := pick(h, h.ids), pick(h, h.ids)
	move := func(did bool, to string) {
		if did {
			h.place[id] = to
			h.deleted[id] = h.deleted[id] || to == "deleted"
			h.say("%.8s is now %s", id, to)
		}
	}
	switch h.IntN(20) {
	case 0, 1:
		h.hire()
	case 2, 3:
		h.set(id, "userPrincipalName", h.name(domains...))
	case 4:
		h.set(id, "mail", h.name("mail.com"))
	case 5:
		h.set(id, "mail")
	case 6, 7: // swap
		a, _ := h.src.Get(id)
		b, _ := h.src.Get(other)
		for _, name := range []string{"userPrincipalName", "mail"} {
			if x, y := a.Attributes[name], b.Attributes[name]; h.IntN(3) > 0 && len(x) > 0 && len(y) > 0 {
				h.set(id, name, y...)
				h.set(other, name, x...)
			}
		}
	case 8:
		h.set(id, "userAccountControl", pick(h, []string{"512", "514"}))
	case 9:
		h.set(id, "title", fmt.Sprint("T", h.IntN(100)))
	case 10:
		h.set(id, "isCriticalSystemObject", pick(h, []string{"TRUE", "FALSE"}))
	case 11:
		move(h.src.Remove(id), "deleted")
	case 12:
		move(h.src.Undelete(id), "in")
	case 13:
		move(h.src.MoveOut(id), "out")
	case 14:
		move(h.src.MoveIn(id), "in")
	case 15:
		if h.IntN(2) == 0 {
			move(h.src.Hide(id), "hidden")
		} else {
			move(h.src.Show(id), "in")
		}
	case 16:
		d := pick(h, domains[:3])
		if h.IntN(2) == 0 {
			h.tgt.VerifyDomain(d)
		} else {
			h.tgt.UnverifyDomain(d)
		}
		h.say("domains %v", h.verified())
	case 17:
		h.src.Expire()
		h.say("watermarks expire")
	case 18: // another tool's account, or it goes
		upn, mail := h.name(domains...), h.name("mail.com")
		if len(h.holders(upn, mail)) == 0 && !h.unseen[strings.ToLower(upn)] && !h.unseen[strings.ToLower(mail)] {
			f := h.tgt.Add(target.Object{Anchor: fmt.Sprint("theirs", h.Uint32()), Attributes: target.Attributes{"userPrincipalName": {upn}, "mail": {mail}, "displayName": {"theirs"}}})
			h.foreign[f] = true
			h.say("another tool's account: %s, mail %s", upn, mail)
		} else {
			for f := range h.foreign {
				h.tgt.Remove(f)
			}
			h.say("the other tool's accounts go")
		}
	case 19: // an administrator deletes an account; the person's next change brings it back
		for _, o := range h.tgt.Objects() {
			if o.Anchor == h.anchor(id) && h.place[id] == "in" {
				h.tgt.Remove(o.ID)
				h.unseen[strings.ToLower(o.Attributes.First("userPrincipalName"))] = true
				h.unseen[strings.ToLower(o.Attributes.First("mail"))] = true
				h.say("an administrator deletes the account of %.8s", id)
				h.set(id, "title", fmt.Sprint("after ", h.Uint32()))
			}
		}
	}
}

// stormyRun makes a run in which something may go wrong.
func (h *history) stormyRun() {
	src, tgt, store := fault.NewSource(h.src), fault.NewTarget(h.tgt), fault.NewStore(h.store)
	ctx, cancel := context.WithCancel(h.t.Context())
	defer cancel()
	events, stopAt := 0, -1
	for range h.IntN(3) {
		n := 1 + h.IntN(6)
		switch h.IntN(9) {
		case 0, 1, 2:
			err, done := pick(h, errs), h.IntN(2) == 0
			tgt.OnWrite(n, fault.Fault{Err: err, Done: done && target.OutcomeUnknown(err)})
			h.say("  write %d: %v, done: %v", n, err, done)
		case 3:
			tgt.LoseReplies(n)
			h.say("  %d replies get lost", n)
		case 4: // the process dies
			for i := range 1000 {
				store.OnCommit(n+i, fault.Fault{Done: i == 0 && h.IntN(2) == 0})
			}
			h.say("  the process dies at commit %d", n)
		case 5:
			src.Cut(n, source.ErrIncomplete)
			h.say("  the read is cut after %d events", n)
		case 6:
			src.OnFind(1, fault.Fault{Err: source.ErrUnavailable})
			tgt.OnFind(n, fault.Fault{Err: &target.Error{Sentinel: target.ErrUnavailable}})
			h.say("  looking up fails")
		case 7:
			store.OnGet(10*n, fault.Fault{})
			h.say("  get %d fails", 10*n)
		case 8:
			stopAt = n
			h.say("  cancelled at event %d", n)
		}
	}
	opt := h.options()
	opt.OnEvent = func(dirsync.Event) {
		if events++; events == stopAt {
			cancel()
		}
	}
	req := dirsync.Request{Full: h.IntN(6) == 0, Retry: h.IntN(3) > 0}
	eng, err := dirsync.New(src, &watched{tgt, h}, store, opt)
	require.NoError(h.t, err)
	rep, err := eng.Sync(ctx, &req)
	h.say("run %+v: %s read %d, created %d, updated %d, disabled %d, deleted %d, restored %d, writes %d: %v",
		req, rep.Mode, rep.Read, rep.Created, rep.Updated, rep.Disabled, rep.Deleted, rep.Restored, rep.Writes, err)
}

func (h *history) options() *dirsync.Options {
	return &dirsync.Options{Leaving: h.leaving, Limits: plan.Unlimited(), Patience: -1, Grace: -1, Parallel: 1 + h.IntN(3)}
}

// calmDown makes deltas until one has nothing to do; then a complete run mustn't
// have either, and what Plan says is what Sync does.
func (h *history) calmDown() *dirsync.Report {
	eng, err := dirsync.New(h.src, &watched{fault.NewTarget(h.tgt), h}, h.store, h.options())
	require.NoError(h.t, err)
	rest := 0
	for i := range 12 {
		time.Sleep(25 * time.Hour) // what a target has accepted, it shows by then
		req := &dirsync.Request{Retry: true}
		p, err := eng.Preview(h.t.Context(), req)
		require.NoError(h.t, err)
		rep, err := eng.Sync(h.t.Context(), req)
		require.NoError(h.t, err)
		h.say("calm run: %s read %d, changed %d, writes %d, problems %v", rep.Mode, rep.Read, rep.Changed(), rep.Writes, codes(rep))
		if i > 0 && p.Hash != rep.PlanHash { // the first one may settle what was on the wire
			h.complain("Preview's hash isn't Sync's")
		}
		if rest++; rep.Changed() > 0 {
			rest = 0
		}
		if rest < 2 { // what a conflict has shown may be acted upon in the next run
			continue
		}
		if rep, err = eng.Sync(h.t.Context(), &dirsync.Request{Full: true, Retry: true}); rep.Changed() > 0 || err != nil {
			h.complain("a complete run after rest changes %d: %v", rep.Changed(), err)
		}
		return rep
	}
	h.complain("it doesn't come to rest")
	return &dirsync.Report{}
}

func (h *history) complain(format string, args ...any) {
	h.wrong = append(h.wrong, fmt.Sprintf(format, args...))
}
