package attack

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/dirbridge/dirbridge/dirsync"
	"github.com/dirbridge/dirbridge/dirsync/plan"
	"github.com/dirbridge/dirbridge/source"
	"github.com/dirbridge/dirbridge/source/memsource"
	"github.com/dirbridge/dirbridge/state/memstate"
	"github.com/dirbridge/dirbridge/target"
	"github.com/dirbridge/dirbridge/target/memtarget"
)

// What the tenant has at first.
const (
	people = 200
	admins = 10
)

// powers are those of the administrators; the last three have them only when
// they ask for them.
var powers = []target.Protection{
	target.HoldsRole, target.HoldsRole, target.HoldsRole, target.InRoleGroup, target.OwnsRoleGroup, target.InRestrictedUnit, target.HoldsRole,
	target.EligibleForRole, target.EligibleForRole, target.EligibleForRoleGroup,
}

// A Result is what became of a schedule.
type Result struct {
	Wrong string         // "" if nothing went wrong
	Marks map[string]int // what happened, to see that schedules get anywhere
	Trace []string       // the story
}

// A world is where one schedule happens.
type world struct {
	*rand.Rand
	src   *memsource.Source
	tgt   *memtarget.Target
	store *memstate.Store
	opt   *dirsync.Options

	theirs  []target.ID           // the 200
	adopted map[target.ID]bool    // of these
	power   map[target.ID]bool    // who is protected now
	binned  map[target.ID]bool    // accounts that lay in the bin in this step
	objects []source.ID           // of the attacker's directory
	file    []dirsync.Match       // proposed last
	before  map[target.ID]picture // at the beginning of the step, or when they were given power
	res     *Result
}

// Run carries out the schedule of a seed. Call it in a bubble of
// testing/synctest, where waiting takes no time.
func Run(seed uint64) (res Result) {
	res.Marks = map[string]int{}
	w := &world{Rand: rand.New(rand.NewPCG(seed, 77)), res: &res, adopted: map[target.ID]bool{}, power: map[target.ID]bool{}}
	w.build()
	honest := w.hire("honest", "honest@contoso.com", "")
	for range 3 + w.IntN(6) {
		for range 1 + w.IntN(4) {
			w.attack()
		}
		w.watched(w.act)
		if res.Wrong != "" {
			return res
		}
	}
	w.watched(func() {
		if _, err := w.engine().Release(context.Background(), honest); err != nil { // it may have been undone
			w.wrong("release: %v", err)
		}
		w.sync(&dirsync.Request{Full: true, Retry: true})
	})
	if res.Wrong == "" && !slices.ContainsFunc(w.tgt.Objects(), func(o target.Object) bool { return o.Anchor == anchorOf(honest) }) {
		w.wrong("somebody whom nobody attacks has no account")
	}
	return res
}

func (w *world) build() {
	w.src, w.store = memsource.New("corp", nil), memstate.New()
	w.tgt = memtarget.New("contoso.onmicrosoft.com", nil)
	w.tgt.VerifyDomain("contoso.com")
	for i := range people {
		o := target.Object{Attributes: target.Attributes{"userPrincipalName": {fmt.Sprintf("u%03d@contoso.com", i)},
			"displayName": {"theirs"}, "mailNickname": {fmt.Sprintf("u%03d", i)}, "accountEnabled": {"true"}}}
		if w.IntN(2) == 0 {
			o.Attributes["mail"] = []string{fmt.Sprintf("u%03d@contoso.com", i)}
		}
		if w.IntN(3) == 0 { // another tool was here
			o.Anchor = base64.StdEncoding.EncodeToString(fmt.Appendf(nil, "anchor of %06d", i))
		}
		w.theirs = append(w.theirs, w.tgt.Add(o))
	}
	for i := range admins {
		w.tgt.Protect(w.theirs[i], powers[i])
		w.power[w.theirs[i]] = true
	}
	w.opt = &dirsync.Options{Limits: plan.Unlimited(), Logger: slog.New(slog.DiscardHandler), Patience: -1}
	if w.IntN(2) == 0 {
		w.opt.Limits = plan.Limits{}
	}
	w.opt.Leaving = []plan.Leaving{plan.DisableOnLeave, plan.DeleteOnLeave, plan.KeepOnLeave}[w.IntN(3)]
	// Accounts for emergencies hold no role that the target could name.
	w.opt.Protected = []string{string(w.theirs[admins]), "u011@contoso.com"}
	w.power[w.theirs[admins]], w.power[w.theirs[admins+1]] = true, true
}

// hire makes an object in the attacker's directory.
func (w *world) hire(name, upn, mail string) source.ID {
	a := source.Attributes{"sAMAccountName": {fmt.Sprint(name, len(w.objects))}, "userAccountControl": {"512"}, "displayName": {name}}
	if upn != "" {
		a["userPrincipalName"] = []string{upn}
	}
	if mail != "" {
		a["mail"] = []string{mail}
	}
	return w.src.Put(source.Object{Attributes: a})
}

// victim is mostly an administrator's number.
func (w *world) victim() int {
	if w.IntN(4) == 0 {
		return w.IntN(people)
	}
	return w.IntN(admins + 2)
}

func (w *world) upn(i int) string {
	return pick(w, "u%03d@contoso.com", "U%03d@contoso.com", "u%03d@corp.local")(i)
}

func pick(w *world, of ...string) func(int) string {
	format := of[w.IntN(len(of))]
	return func(i int) string { return fmt.Sprintf(format, i) }
}

// object is one that the attacker made.
func (w *world) object() source.ID {
	if len(w.objects) == 0 {
		w.impostor()
	}
	return w.objects[w.IntN(len(w.objects))]
}

func (w *world) set(id source.ID, attr, value string) {
	w.src.Edit(id, func(o *source.Object) {
		if o.Attributes[attr] = []string{value}; value == "" {
			delete(o.Attributes, attr)
		}
	})
}

// impostor makes an object like an account of the tenant.
func (w *world) impostor() {
	v := w.victim()
	upn, mail, anchor := "", "", ""
	switch w.IntN(5) {
	case 0:
		upn = w.upn(v)
	case 1:
		upn, mail = fmt.Sprintf("x%d@contoso.com", len(w.objects)), w.upn(v)
	case 2:
		upn, anchor = fmt.Sprintf("y%d@contoso.com", len(w.objects)), w.anchor(v)
	case 3:
		upn, mail, anchor = w.upn(v), w.upn(v), w.anchor(v)
	default:
		upn = fmt.Sprintf("z%d@contoso.com", len(w.objects))
	}
	id := w.hire("impostor", upn, mail)
	if anchor != "" {
		w.set(id, "mS-DS-ConsistencyGuid", anchor)
	}
	w.objects = append(w.objects, id)
	w.tell("object %d: upn %q, mail %q, anchor %q", len(w.objects), upn, mail, anchor)
}

// anchor is that of an account, if it has one.
func (w *world) anchor(v int) string {
	o, _ := w.tgt.Get(w.theirs[v])
	return o.Anchor
}

// attack changes something in the directory.
func (w *world) attack() {
	id, v := w.object(), w.victim()
	switch n := w.IntN(14); n {
	case 0, 1, 2:
		w.impostor()
		return
	case 3:
		w.set(id, "userPrincipalName", w.upn(v))
	case 4:
		w.set(id, "mail", w.upn(v))
	case 5:
		w.set(id, "mS-DS-ConsistencyGuid", w.anchor(v))
	case 6:
		w.set(id, "userAccountControl", []string{"512", "514"}[w.IntN(2)])
	case 7:
		w.set(id, "displayName", fmt.Sprint("pwned ", w.IntN(9)))
	case 8:
		w.src.Remove(id)
	case 9:
		w.src.Undelete(id)
	case 10:
		w.src.MoveOut(id)
	case 11:
		w.src.MoveIn(id)
	case 12:
		w.src.SetRefs(id, "manager", w.object())
	case 13: // a group of everybody, which may be named like another
		group := w.src.Put(source.Object{Kind: source.Group, Attributes: source.Attributes{"sAMAccountName": {fmt.Sprint("g", w.IntN(3))},
			"displayName": {"g"}, "groupType": {"-2147483646"}, "cn": {"g"}}})
		w.src.Refer(group, "member", w.objects...)
	}
	w.tell("attack %s", id)
}

// act is what the operator does, and the tenant's own administrators.
func (w *world) act() {
	switch w.IntN(11) {
	case 0, 1, 2:
		w.match()
		w.adopt()
		w.sync(nil)
	case 3:
		w.adopt() // an old file
	case 4, 5:
		w.sync(nil)
		w.grant()
		for range 4 {
			w.attack()
		}
		w.sync(&dirsync.Request{Retry: true})
	case 6:
		time.Sleep(time.Duration(w.IntN(40*24)) * time.Hour)
		w.sync(&dirsync.Request{Retry: true, Reconcile: w.IntN(2) == 0})
	case 7:
		w.undo()
	default:
		w.sync(&dirsync.Request{Full: w.IntN(4) == 0, Retry: w.IntN(2) == 0, Reconcile: w.IntN(4) == 0})
	}
}

func (w *world) engine() *dirsync.Engine {
	eng, err := dirsync.New(w.src, w.tgt, w.store, w.opt)
	if err != nil {
		panic(err)
	}
	return eng
}

// sync makes a run, and has its plan approved if it wants that.
func (w *world) sync(req *dirsync.Request) {
	eng, ctx := w.engine(), context.Background()
	rep, err := eng.Sync(ctx, req)
	if errors.Is(err, dirsync.ErrHalted) {
		w.mark("halted")
		if err = eng.Approve(ctx, rep.PlanHash, "the operator", time.Now().Add(time.Hour)); err == nil {
			rep, err = eng.Sync(ctx, req)
		}
	}
	if err != nil && !errors.Is(err, dirsync.ErrHalted) {
		w.wrong("sync: %v", err)
	}
	for _, p := range rep.Problems {
		w.mark(p.Code)
	}
	w.mark("synchronized")
	w.tell("run %d: created %d, updated %d, disabled %d, deleted %d, restored %d", rep.Run, rep.Created, rep.Updated, rep.Disabled, rep.Deleted, rep.Restored)
}

// undo takes back one of the last runs.
func (w *world) undo() {
	eng, ctx := w.engine(), context.Background()
	var runs []uint64
	for rec, err := range eng.Runs(ctx) {
		if err == nil && rec.Mode != dirsync.Undo {
			runs = append(runs, rec.Run)
		}
	}
	if len(runs) == 0 {
		return
	}
	p, err := eng.Undo(ctx, runs[w.IntN(len(runs))])
	if err != nil || p == nil || p.Hash == "" {
		return
	}
	_ = eng.Approve(ctx, p.Hash, "the operator", time.Now().Add(time.Hour))
	_, err = eng.Apply(ctx, p.Hash)
	w.mark("undone")
	w.tell("undo: %v", err)
}

func (w *world) match() {
	list, err := w.engine().Match(context.Background(), &dirsync.MatchPolicy{UserPrincipalName: w.IntN(4) > 0, Mail: w.IntN(2) == 0})
	if err != nil {
		w.wrong("match: %v", err)
	}
	w.file = list
	w.tell("match: %d pairs", len(list))
}

// adopt takes all that was proposed, or some, whatever the conflicts.
func (w *world) adopt() {
	var pairs []dirsync.Pair
	all := w.IntN(2) == 0
	for _, m := range w.file {
		if all || w.IntN(2) == 0 {
			pairs = append(pairs, m.Pair)
		}
	}
	if len(pairs) == 0 {
		return
	}
	before := map[target.ID]bool{}
	for id, is := range w.power {
		before[id] = is
	}
	done, err := w.engine().Adopt(context.Background(), pairs, "the operator")
	if err != nil {
		w.wrong("adopt: %v", err)
	}
	for i, a := range done {
		if a.Pair != pairs[i] {
			w.wrong("adopted %v, which isn't in the file", a.Pair)
		}
		w.mark("adopt " + string(a.Outcome))
		if a.Outcome != dirsync.AdoptDone && a.Outcome != dirsync.AdoptRebound {
			if before[a.Account] {
				w.mark("adoption of an administrator refused")
			}
			continue
		}
		if before[a.Account] {
			w.wrong("%s was adopted, and is protected", w.name(a.Account))
		}
		w.adopted[a.Account] = true
		w.tell("adopted %s for %s", w.name(a.Account), a.Object)
	}
}

// grant gives power to an account, one of ours if there are any.
func (w *world) grant() {
	var ours []target.Object
	for _, o := range w.tgt.Objects() {
		if o.Kind == target.User && !w.power[o.ID] && (w.adopted[o.ID] || w.ours(o.ID)) {
			ours = append(ours, o)
		}
	}
	if len(ours) == 0 {
		return
	}
	o := ours[w.IntN(len(ours))]
	w.before[o.ID] = w.picture(o.ID)
	w.lookIntoTheBin()
	w.tgt.Protect(o.ID, powers[w.IntN(admins)])
	w.power[o.ID] = true
	w.mark("granted")
	w.tell("%s is given power", w.name(o.ID))
}

// lookIntoTheBin notes whose accounts lie there: whom the bin gives back is
// somebody's manager again, without any write to that account.
func (w *world) lookIntoTheBin() {
	for o := range w.tgt.Deleted(context.Background(), target.User) {
		w.binned[o.ID] = true
	}
}

// A picture is what an account is, whoever looks.
type picture struct {
	object   target.Object
	there    bool
	managers []target.ID
}

func (p picture) same(q picture) bool {
	return p.there == q.there && slices.Equal(p.managers, q.managers) && reflect.DeepEqual(p.object, q.object)
}

func (w *world) picture(id target.ID) picture {
	o, ok := w.tgt.Get(id)
	return picture{o, ok, w.tgt.RefsOf(id, "manager")}
}

// watched does something and looks at what became of those who may not be
// written.
func (w *world) watched(do func()) {
	w.before = map[target.ID]picture{}
	w.binned = map[target.ID]bool{}
	w.lookIntoTheBin()
	for _, id := range w.theirs {
		if !w.adopted[id] || w.power[id] {
			w.before[id] = w.picture(id)
		}
	}
	for id := range w.power {
		w.before[id] = w.picture(id)
	}
	do()
	for _, id := range slices.Sorted(maps.Keys(w.before)) {
		was := w.before[id]
		was.managers = slices.DeleteFunc(was.managers, func(m target.ID) bool { // whose own account went
			o, ok := w.tgt.Get(m)
			return !ok || o.Deleted || w.binned[m]
		})
		is := w.picture(id)
		is.managers = slices.DeleteFunc(is.managers, func(m target.ID) bool { return w.binned[m] }) // whom the bin gave back
		if !w.power[id] && w.adopted[id] || was.same(is) {
			continue
		}
		what := "isn't ours"
		if w.power[id] {
			what = "has power over others"
		}
		w.wrong("%s %s, and was written: %+v, %+v", w.name(id), what, was, is)
	}
}

// ours reports whether the engine made this account.
func (w *world) ours(id target.ID) bool { return !slices.Contains(w.theirs, id) }

func (w *world) name(id target.ID) string {
	o, _ := w.tgt.Get(id)
	return o.Attributes.First("userPrincipalName")
}

func (w *world) mark(m string) { w.res.Marks[m]++ }

func (w *world) tell(format string, args ...any) {
	w.res.Trace = append(w.res.Trace, fmt.Sprintf(format, args...))
}

func (w *world) wrong(format string, args ...any) {
	if w.res.Wrong == "" {
		w.res.Wrong = fmt.Sprintf(format, args...)
	}
}

// anchorOf is the source anchor of an object that has no other.
func anchorOf(id source.ID) string {
	b, _ := hex.DecodeString(strings.ReplaceAll(string(id), "-", ""))
	slices.Reverse(b[:4])
	slices.Reverse(b[4:6])
	slices.Reverse(b[6:8])
	return base64.StdEncoding.EncodeToString(b)
}
