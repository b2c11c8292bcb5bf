package targettest

import (
	"context"
	"errors"

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
	token, err := d.Latest(w.ctx(), target.User)
	if err != nil || token == "" {
		w.Fatalf("Latest gave the token %q and %v", token, err)
	}
	return token
}

// changes reads what happened since token: the last event of each object, and
// the next token.
func (w *world) changes(d target.Deltaer, token target.Token) (map[target.ID]target.DeltaEvent, target.Token) {
	w.Helper()
	last, next := map[target.ID]target.DeltaEvent{}, target.Token("")
	for ev, err := range d.Changes(w.ctx(), target.User, token) {
		switch {
		case err != nil:
			w.Fatalf("read the changes: %v", err)
		case next != "":
			w.Fatalf("an event (%d, %s) came after the Checkpoint", ev.Op, ev.Object.ID)
		case ev.Op == target.Checkpoint && ev.Token == "":
			w.Fatal("a Checkpoint without a token")
		case ev.Op == target.Checkpoint:
			next = ev.Token
		case ev.Object.ID == "" || ev.Object.Kind != target.User:
			w.Errorf("an event (%d) is about the object %q of kind %q", ev.Op, ev.Object.ID, ev.Object.Kind)
		default:
			last[ev.Object.ID] = ev
		}
	}
	if next == "" {
		w.Fatal("the changes ended without a Checkpoint and without an error")
	}
	return last, next
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
