package attack

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"

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
