package targettest

import (
	"context"
	"errors"
	"slices"

	"github.com/dirbridge/dirbridge/target"
)

// deltaer returns the Target as a Deltaer, or skips the test.
func (w *world) deltaer() target.Deltaer {
	w.Helper()
	d, ok := w.Target.(target.Deltaer)
	if !ok {
		w.Skip("skipped: this Target can't tell what changed")
	}
	return d
}

func (w *world) latest(d target.Deltaer) target.Token {
	w.Helper()
	return w.latestOf(d, target.User)
}

// latestOf is latest for a kind of which the Target may not be able to tell.
func (w *world) latestOf(d target.Deltaer, kind target.Kind) target.Token {
	w.Helper()
	token, err := d.Latest(w.ctx(), kind)
	if kind != target.User && errors.Is(err, errors.ErrUnsupported) {
		w.Skipf("skipped: this Target can't tell what changed of the kind %s", kind)
	}
	if err != nil || token == "" {
		w.Fatalf("Latest gave the token %q and %v", token, err)
	}
	return token
}

// changes reads what happened since token: the last event of each object, and
// the next token.
func (w *world) changes(d target.Deltaer, token target.Token) (map[target.ID]target.DeltaEvent, target.Token) {
	w.Helper()
	last, _, next := w.changesOf(d, target.User, token)
	return last, next
}

// A told is a reference of which a delta told.
type told struct {
	from      target.ID
	attribute string
	to        target.ID
}

// changesOf reads what happened to objects of a kind since token: the last event
// of each object, the references that were told (true: to add), and the next
// token.
func (w *world) changesOf(d target.Deltaer, kind target.Kind, token target.Token) (map[target.ID]target.DeltaEvent, map[told]bool, target.Token) {
	w.Helper()
	last, refs, next := map[target.ID]target.DeltaEvent{}, map[told]bool{}, target.Token("")
	for ev, err := range d.Changes(w.ctx(), kind, token) {
		for _, r := range ev.Refs {
			if ev.Op != target.Changed && ev.Op != target.Referred {
				w.Errorf("an event (%d) has references", ev.Op)
			}
			for _, to := range r.Add {
				refs[told{ev.Object.ID, r.Attribute, to}] = true
			}
			for _, to := range r.Remove {
				refs[told{ev.Object.ID, r.Attribute, to}] = false
			}
		}
		switch {
		case err != nil:
			w.Fatalf("read the changes: %v", err)
		case next != "":
			w.Fatalf("an event (%d, %s) came after the Checkpoint", ev.Op, ev.Object.ID)
		case ev.Op == target.Checkpoint && ev.Token == "":
			w.Fatal("a Checkpoint without a token")
		case ev.Op == target.Checkpoint:
			next = ev.Token
		case ev.Object.ID == "" || ev.Object.Kind != kind:
			w.Errorf("an event (%d) is about the object %q of kind %q", ev.Op, ev.Object.ID, ev.Object.Kind)
		case ev.Op == target.Referred && len(ev.Refs) == 0:
			w.Errorf("an event about references of %s has none", ev.Object.ID)
		case ev.Op == target.Referred:
		default:
			last[ev.Object.ID] = ev
		}
	}
	if next == "" {
		w.Fatal("the changes ended without a Checkpoint and without an error")
	}
	return last, refs, next
}

// tells fails the test unless there is an event op about id.
func (w *world) tells(events map[target.ID]target.DeltaEvent, id target.ID, op target.DeltaOp) target.Object {
	w.Helper()
	if ev := events[id]; ev.Op != op {
		w.Errorf("the changes tell %d of %s, want %d", ev.Op, id, op)
	}
	return events[id].Object
}

func testChanges(w *world) {
	d := w.deltaer()
	gone := target.Purged
	if target.CanRestore(w.Target) {
		gone = target.Binned
	}
	edited, a := w.person(1)
	deleted, b := w.person(2)
	start := w.latest(d)
	w.apply(on(edited, a, target.Update, set("jobTitle", "Director")))
	w.apply(on(deleted, b, target.Delete, nil))
	made, c := w.person(3)

	first, next := w.changes(d, start)
	w.has(w.tells(first, edited.ID, target.Changed), set("jobTitle", "Director"))
	w.has(w.tells(first, made.ID, target.Changed), c.Set)
	w.tells(first, deleted.ID, gone)
	if o := first[made.ID].Object; o.Anchor != c.Anchor {
		w.Errorf("the changes give %s the anchor %q, want %q", o.ID, o.Anchor, c.Anchor)
	}

	// From a token on, nothing is left out; from an old one, it comes again.
	_, next = w.changes(d, next)
	w.apply(on(made, c, target.Update, set("jobTitle", "Head")))
	second, _ := w.changes(d, next)
	w.has(w.tells(second, made.ID, target.Changed), set("jobTitle", "Head"))
	again, _ := w.changes(d, start)
	w.tells(again, edited.ID, target.Changed)
	w.tells(again, made.ID, target.Changed)
	w.tells(again, deleted.ID, gone)

	if gone == target.Binned {
		w.apply(on(deleted, b, target.Restore, nil))
		back, _ := w.changes(d, next)
		w.has(w.tells(back, deleted.ID, target.Changed), b.Set)
	}
	for range d.Changes(w.ctx(), target.User, start) {
		break // releases what the sequence holds
	}
}

func testForeignChanges(w *world) {
	d := w.deltaer()
	w.need("hand Add", w.Add != nil)
	start := w.latest(d)
	c := w.create(1)
	id, err := w.Add(target.Object{Kind: target.User, Attributes: c.Set.Clone()})
	w.must("Add", err)
	events, next := w.changes(d, start)
	w.has(w.tells(events, id, target.Changed), c.Set)
	w.need("hand Remove", w.Remove != nil)
	w.must("Remove", w.Remove(id))
	events, _ = w.changes(d, next)
	if op := events[id].Op; op != target.Binned && op != target.Purged {
		w.Errorf("the changes tell %d of %s, which was removed", op, id)
	}
}

func testTokens(w *world) {
	d := w.deltaer()
	w.person(1)
	for _, token := range []target.Token{"", "made up", "http://127.0.0.1:1/v1.0/users/delta?$deltatoken=x", "9.99999999999"} {
		var err error
		for ev, e := range d.Changes(w.ctx(), target.User, token) {
			if err = e; err == nil {
				w.Errorf("the token %q gave an event (%d, %s)", token, ev.Op, ev.Object.ID)
			}
		}
		if !errors.Is(err, target.ErrTokenExpired) {
			w.Errorf("the token %q gave %v, want an error that wraps ErrTokenExpired", token, err)
		}
	}
	ctx, cancel := context.WithCancel(w.ctx())
	token := w.latest(d)
	cancel()
	if _, err := d.Latest(ctx, target.User); err == nil {
		w.Error("Latest under a cancelled context gave no error")
	}
	var err error
	for ev, e := range d.Changes(ctx, target.User, token) {
		if err = e; ev.Op == target.Checkpoint {
			w.Error("Changes under a cancelled context gave a Checkpoint")
		}
	}
	if err == nil || errors.Is(err, target.ErrTokenExpired) {
		w.Errorf("Changes under a cancelled context gave %v", err)
	}
}

// groupDeltas skips the test for a target that tells nothing of groups.
func (w *world) groupDeltas() (target.Deltaer, target.Token) {
	w.Helper()
	d := w.deltaer()
	if !slices.Contains(target.Kinds(w.Target), target.Group) {
		w.Skip("skipped: this Target has no groups")
	}
	return d, w.latestOf(d, target.Group)
}

func testGroupChanges(w *world) {
	d, start := w.groupDeltas()
	people := w.latest(d)
	edited, a := w.group(1)
	deleted, b := w.group(2)
	first, _, next := w.changesOf(d, target.Group, start)
	w.has(w.tells(first, edited.ID, target.Changed), a.Set)
	if o := first[edited.ID].Object; o.Anchor != a.Anchor {
		w.Errorf("the changes give %s the anchor %q, want %q", o.ID, o.Anchor, a.Anchor)
	}
	w.apply(on(edited, a, target.Update, set("description", "Others")))
	w.apply(on(deleted, b, target.Delete, nil))
	ann, _ := w.person(3)
	second, _, _ := w.changesOf(d, target.Group, next)
	w.has(w.tells(second, edited.ID, target.Changed), set("description", "Others"))
	if op := second[deleted.ID].Op; op != target.Binned && op != target.Purged {
		w.Errorf("the changes tell %d of %s, which was deleted", op, deleted.ID)
	}
	if _, mixed := second[ann.ID]; mixed {
		w.Error("the changes of groups tell of a person")
	}
	of, _, _ := w.changesOf(d, target.User, people)
	w.tells(of, ann.ID, target.Changed)
	if _, mixed := of[edited.ID]; mixed {
		w.Error("the changes of people tell of a group")
	}
}

func testMemberChanges(w *world) {
	add, _ := w.referrer(target.Group, target.RefMembers)
	d, _ := w.groupDeltas()
	g, c := w.group(1)
	h, _ := w.group(2)
	ann, _ := w.person(3)
	bob, _ := w.person(4)
	w.apply(refer(g, c, target.RefMembers, []target.ID{ann.ID}, nil))
	start := w.latestOf(d, target.Group)
	w.apply(refer(g, c, target.RefMembers, []target.ID{bob.ID, h.ID}[:min(2, add)], nil))
	w.apply(refer(g, c, target.RefMembers, nil, []target.ID{ann.ID}))
	_, refs, next := w.changesOf(d, target.Group, start)
	for to, added := range map[target.ID]bool{bob.ID: true, h.ID: add > 1, ann.ID: false} {
		if was, said := refs[told{g.ID, target.RefMembers, to}]; was != added || !said && (to != h.ID || add > 1) {
			w.Errorf("the changes say of the member %s: added %t, said %t; want added %t", to, was, said, added)
		}
	}
	for r := range refs {
		if r.from != g.ID || r.attribute != target.RefMembers {
			w.Errorf("the changes tell of %s of %s, to which nothing happened", r.attribute, r.from)
		}
	}

	// From a token on, nothing is left out; from an old one, it comes again.
	_, _, next = w.changesOf(d, target.Group, next)
	w.apply(refer(g, c, target.RefMembers, []target.ID{ann.ID}, nil))
	_, refs, _ = w.changesOf(d, target.Group, next)
	if !refs[told{g.ID, target.RefMembers, ann.ID}] {
		w.Error("the changes don't tell of a member that came back")
	}
	_, refs, _ = w.changesOf(d, target.Group, start)
	if !refs[told{g.ID, target.RefMembers, bob.ID}] || !refs[told{g.ID, target.RefMembers, ann.ID}] {
		w.Errorf("the changes since an old token tell %v of the members", refs)
	}
}

func testFindRefs(w *world) {
	add, _ := w.referrer(target.Group, target.RefMembers)
	g, c := w.group(1)
	var all, in []target.ID
	var want []bool
	for n := range min(add, 20) + 3 {
		o, _ := w.person(10 + n)
		if all, want = append(all, o.ID), append(want, n%2 == 0); n%2 == 0 {
			in = append(in, o.ID)
		}
	}
	for part := range slices.Chunk(in, add) {
		w.apply(refer(g, c, target.RefMembers, part, nil))
	}
	got, err := target.FindRefs(w.ctx(), w.Target, g.Kind, g.ID, target.RefMembers, all)
	if err != nil || !slices.Equal(got, want) {
		w.Errorf("of every second one who is a member, FindRefs says %v and %v", got, err)
	}
	if got, err = target.FindRefs(w.ctx(), w.Target, g.Kind, g.ID, target.RefMembers, nil); err != nil || len(got) > 0 {
		w.Errorf("of nobody, FindRefs says %v and %v", got, err)
	}
	gone, d := w.group(2)
	w.apply(on(gone, d, target.Delete, nil))
	_, err = target.FindRefs(w.ctx(), w.Target, g.Kind, gone.ID, target.RefMembers, all[:1])
	w.refused(err, target.ErrNotFound, "")
	ctx, cancel := context.WithCancel(w.ctx())
	cancel()
	if _, err = target.FindRefs(ctx, w.Target, g.Kind, g.ID, target.RefMembers, all[:1]); err == nil {
		w.Error("FindRefs under a cancelled context gave no error")
	}
}
