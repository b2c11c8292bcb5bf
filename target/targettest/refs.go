package targettest

import (
	"errors"
	"slices"
	"time"

	"github.com/dirbridge/dirbridge/target"
)

// refer is a change of o's references.
func refer(o target.Object, c target.Change, attribute string, add, remove []target.ID) target.Change {
	r := on(o, c, target.Refer, nil)
	r.Refs = &target.Refs{Attribute: attribute, Add: slices.Sorted(slices.Values(add)), Remove: slices.Sorted(slices.Values(remove))}
	return r
}

// referrer skips the test unless objects of the kind refer by the attribute.
func (w *world) referrer(kind target.Kind, attribute string) (add, remove int) {
	w.Helper()
	add, remove = target.RefBatch(w.Target, kind, attribute)
	if add < 1 || remove < 1 {
		w.Skipf("skipped: objects of kind %s have no %s here", kind, attribute)
	}
	return add, remove
}

// refers fails the test unless o refers to want, in any order.
func (w *world) refers(o target.Object, attribute string, want ...target.ID) {
	w.Helper()
	var got []target.ID
	for id, err := range target.ReadRefs(w.ctx(), w.Target, o.Kind, o.ID, attribute) {
		if err != nil {
			w.Fatalf("read the %s: %v", attribute, err)
		}
		got = append(got, id)
	}
	slices.Sort(got)
	if want = slices.Sorted(slices.Values(want)); !slices.Equal(got, want) {
		w.Errorf("the %s are %v, want %v", attribute, got, want)
	}
}

func testRefs(w *world) {
	w.referrer(target.Group, target.RefMembers)
	g, c := w.group(1)
	h, _ := w.group(2)
	ann, _ := w.person(3)
	bob, _ := w.person(4)
	w.refers(g, target.RefMembers)
	for range 2 { // what is there is done
		w.apply(refer(g, c, target.RefMembers, []target.ID{ann.ID, bob.ID}, nil))
		w.refers(g, target.RefMembers, ann.ID, bob.ID)
	}
	for range 2 { // and so is what isn't
		w.apply(refer(g, c, target.RefMembers, []target.ID{h.ID}, []target.ID{bob.ID}))
		w.refers(g, target.RefMembers, ann.ID, h.ID)
	}
	w.refers(h, target.RefMembers)
	w.has(w.live()[g.ID], c.Set)

	w.referrer(target.Group, target.RefOwners)
	w.apply(refer(g, c, target.RefOwners, []target.ID{bob.ID, ann.ID}, nil))
	w.apply(refer(g, c, target.RefOwners, nil, []target.ID{ann.ID}))
	w.refers(g, target.RefOwners, bob.ID)
	w.refers(g, target.RefMembers, ann.ID, h.ID)
}

func testManyRefs(w *world) {
	add, remove := w.referrer(target.Group, target.RefMembers)
	g, c := w.group(1)
	var ids []target.ID
	for n := range min(2*add, 60) + 1 {
		o, _ := w.person(10 + n)
		ids = append(ids, o.ID)
	}
	for part := range slices.Chunk(ids, add) {
		w.apply(refer(g, c, target.RefMembers, part, nil))
	}
	w.refers(g, target.RefMembers, ids...)
	for range target.ReadRefs(w.ctx(), w.Target, g.Kind, g.ID, target.RefMembers) {
		break // which releases what the sequence holds
	}
	gone := ids[:min(remove, len(ids))]
	w.apply(refer(g, c, target.RefMembers, nil, gone))
	w.refers(g, target.RefMembers, ids[len(gone):]...)

	for _, bad := range []target.Change{
		refer(g, c, target.RefMembers, append(slices.Repeat(ids[:1], add), ids[1]), nil),
		refer(g, c, target.RefManager, ids[:1], nil),
		on(g, c, target.Refer, nil),
	} {
		_, err := w.Target.Apply(w.ctx(), bad)
		w.refused(err, target.ErrInvalid, "")
	}
	w.refers(g, target.RefMembers, ids[len(gone):]...)
}

func testRefused(w *world) {
	add, _ := w.referrer(target.Group, target.RefMembers)
	g, c := w.group(1)
	gone, d := w.person(2)
	w.apply(on(gone, d, target.Delete, nil))
	ids := []target.ID{gone.ID}
	for n := range min(add, 20) - 1 {
		o, _ := w.person(10 + n)
		ids = append(ids, o.ID)
	}
	for range 2 {
		_, err := w.Target.Apply(w.ctx(), refer(g, c, target.RefMembers, ids, nil))
		some, ok := errors.AsType[*target.RefsError](err)
		if !ok {
			w.Fatalf("a change with a member that isn't there gave %v, want a RefsError", err)
		}
		if e := some.Refused[gone.ID]; len(some.Refused) != 1 || !errors.Is(e, target.ErrNotFound) && !errors.Is(e, target.ErrNotYet) {
			w.Errorf("refused is %v, want the one that isn't there, as not found", some.Refused)
		}
		w.refers(g, target.RefMembers, ids[1:]...)
	}
}

func testRefsGone(w *world) {
	w.referrer(target.Group, target.RefMembers)
	g, c := w.group(1)
	ann, _ := w.person(2)
	w.apply(on(g, c, target.Delete, nil))
	_, err := w.Target.Apply(w.ctx(), refer(g, c, target.RefMembers, []target.ID{ann.ID}, nil))
	w.refused(err, target.ErrNotFound, "")
	if _, some := errors.AsType[*target.RefsError](err); some {
		w.Errorf("the error is about a reference, and the group isn't there: %v", err)
	}
	_, err = w.Target.Apply(w.ctx(), refer(g, c, target.RefMembers, nil, []target.ID{ann.ID}))
	w.refused(err, target.ErrNotFound, "")
	n := 0
	for _, err := range target.ReadRefs(w.ctx(), w.Target, g.Kind, g.ID, target.RefMembers) {
		w.refused(err, target.ErrNotFound, "")
		n++
	}
	if n != 1 {
		w.Errorf("reading the members of what is gone yielded %d times", n)
	}
}

func testDeletedMember(w *world) {
	w.referrer(target.Group, target.RefMembers)
	g, c := w.group(1)
	ann, d := w.person(2)
	bob, _ := w.person(3)
	w.apply(refer(g, c, target.RefMembers, []target.ID{ann.ID, bob.ID}, nil))
	w.apply(on(ann, d, target.Delete, nil))
	w.refers(g, target.RefMembers, bob.ID)
	w.apply(refer(g, c, target.RefMembers, nil, []target.ID{ann.ID})) // who isn't there is removed
	if !target.CanRestore(w.Target) {
		return
	}
	w.apply(on(ann, d, target.Restore, nil))
	w.apply(refer(g, c, target.RefMembers, []target.ID{ann.ID}, nil)) // whether she is back in it or not
	w.refers(g, target.RefMembers, ann.ID, bob.ID)
}

func testManager(w *world) {
	w.referrer(target.User, target.RefManager)
	ann, c := w.person(1)
	bob, _ := w.person(2)
	eve, _ := w.person(3)
	w.refers(ann, target.RefManager)
	for _, boss := range []target.Object{bob, bob, eve} { // one takes the place of another
		w.apply(refer(ann, c, target.RefManager, []target.ID{boss.ID}, nil))
		w.refers(ann, target.RefManager, boss.ID)
	}
	w.apply(refer(ann, c, target.RefManager, nil, []target.ID{bob.ID}))
	w.refers(ann, target.RefManager, eve.ID) // who isn't the manager can't be removed
	for range 2 {
		w.apply(refer(ann, c, target.RefManager, nil, []target.ID{eve.ID}))
		w.refers(ann, target.RefManager)
	}
	w.apply(refer(ann, c, target.RefManager, []target.ID{bob.ID}, []target.ID{eve.ID}))
	w.refers(ann, target.RefManager, bob.ID)
}

func testRefsLost(w *world) {
	w.need("hand LoseReplies", w.LoseReplies != nil)
	add, _ := w.referrer(target.Group, target.RefMembers)
	g, c := w.group(1)
	var ids []target.ID
	for n := range min(add, 20) {
		o, _ := w.person(10 + n)
		ids = append(ids, o.ID)
	}
	for _, change := range []target.Change{refer(g, c, target.RefMembers, ids, nil), refer(g, c, target.RefMembers, nil, ids[:1])} {
		w.lose(change)
		change.Repeat = true
		w.apply(change)
	}
	w.refers(g, target.RefMembers, ids[1:]...)
}

func testRefsHidden(w *world) {
	w.need("hand HideNew", w.HideNew != nil)
	w.referrer(target.Group, target.RefMembers)
	g, c := w.group(1)
	old, _ := w.person(2)
	w.must("HideNew", w.HideNew(false)) // the group is shown
	w.must("HideNew", w.HideNew(true))
	ann, _ := w.person(3)
	change := refer(g, c, target.RefMembers, []target.ID{old.ID, ann.ID}, nil)
	change.Linked = time.Now()
	_, err := w.Target.Apply(w.ctx(), change)
	if some, ok := errors.AsType[*target.RefsError](err); err != nil && (!ok || len(some.Refused) != 1 || !errors.Is(some.Refused[ann.ID], target.ErrNotYet)) {
		w.Errorf("a member that was created just now gave %v, want ErrNotYet for it alone", err)
	}
	w.must("HideNew", w.HideNew(false))
	w.apply(change)
	w.refers(g, target.RefMembers, old.ID, ann.ID)
}
