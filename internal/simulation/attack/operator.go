package attack

import (
	"context"
	"errors"
	"time"

	"github.com/dirbridge/dirbridge/dirsync"
	"github.com/dirbridge/dirbridge/target"
)

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
