package memtarget

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"

	"github.com/dirbridge/dirbridge/target"
)

// A history is what happened to which object, the last time of each counting.
type history struct {
	moment       uint64
	epoch        int // tokens of an earlier one have expired
	happened     []happening
	purged       map[target.ID]purge
	refsHappened []refHappening
	lastRef      map[refHappening]uint64 // by the reference, without the moment
}

// A refHappening is that a reference was added or removed, or that what it points
// at was deleted or came back.
type refHappening struct {
	link
	to target.ID
	at uint64
}

// noteRef remembers that something happens to a reference. t.mu is held.
func (t *Target) noteRef(l link, to target.ID) {
	if t.lastRef == nil {
		t.lastRef = map[refHappening]uint64{}
	}
	if len(t.refsHappened) > 2*len(t.lastRef)+64 {
		kept := make([]refHappening, 0, len(t.lastRef)+1)
		for _, h := range t.refsHappened {
			if t.lastRef[refHappening{h.link, h.to, 0}] == h.at {
				kept = append(kept, h)
			}
		}
		t.refsHappened = kept
	}
	t.moment++
	t.lastRef[refHappening{l, to, 0}] = t.moment
	t.refsHappened = append(t.refsHappened, refHappening{l, to, t.moment})
}

// noteRefsTo notes that all references to id show, or show no more. t.mu is
// held.
func (t *Target) noteRefsTo(id target.ID) {
	for l := range t.refs.in[id] {
		t.noteRef(l, id)
	}
}

// A purge is that an object went for good.
type purge struct {
	kind target.Kind
	at   uint64
}

type happening struct {
	id target.ID
	at uint64
}

// note remembers that something happens to id, and returns the moment, which
// the object keeps. t.mu is held.
func (t *Target) note(id target.ID) uint64 {
	if len(t.happened) > 2*(len(t.live)+len(t.bin)+len(t.purged))+64 {
		kept := make([]happening, 0, len(t.live)+1)
		for _, h := range t.happened {
			if t.lastOf(h.id) == h.at {
				kept = append(kept, h)
			}
		}
		t.happened = kept
	}
	t.moment++
	t.happened = append(t.happened, happening{id, t.moment})
	return t.moment
}

// lastOf is the moment of what happened to id last. t.mu is held.
func (t *Target) lastOf(id target.ID) uint64 {
	if o := t.live[id]; o != nil {
		return o.moment
	}
	if o := t.bin[id]; o != nil {
		return o.moment
	}
	return t.purged[id].at
}

// forgotten notes that o is gone for good. t.mu is held.
func (t *Target) forgotten(o *object) {
	if t.purged == nil {
		t.purged = map[target.ID]purge{}
	}
	t.purged[o.id] = purge{o.kind, t.note(o.id)}
}

// ExpireTokens makes all tokens given so far useless, as a service does after a
// week.
func (t *Target) ExpireTokens() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.epoch++
}

func (t *Target) token() target.Token {
	return target.Token(fmt.Sprintf("%d.%d", t.epoch, t.moment))
}

// since is the moment of a token.
func (t *Target) since(token target.Token) (uint64, error) {
	epoch, moment, _ := strings.Cut(string(token), ".")
	at, err := strconv.ParseUint(moment, 10, 64)
	if err != nil || epoch != strconv.Itoa(t.epoch) || at > t.moment {
		return 0, fmt.Errorf("the token of %s: %w", t.name, target.ErrTokenExpired)
	}
	return at, nil
}

// Latest returns the token of now. See [target.Deltaer].
func (t *Target) Latest(ctx context.Context, _ target.Kind) (target.Token, error) {
	if err := ctx.Err(); err != nil {
		return "", fmt.Errorf("read the latest token of %s: %w", t.name, err)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.counts.Deltas++
	return t.token(), nil
}

// Changes yields each object to which something happened once, in the order of
// what happened to it last, as it is when it is yielded, then each reference,
// managers included. See [target.Deltaer].
func (t *Target) Changes(ctx context.Context, kind target.Kind, token target.Token) iter.Seq2[target.DeltaEvent, error] {
	return func(yield func(target.DeltaEvent, error) bool) {
		t.mu.Lock()
		t.counts.Deltas++
		from, err := t.since(token)
		now, all := t.token(), t.happened[:len(t.happened):len(t.happened)] // never written to again
		first, _ := slices.BinarySearchFunc(t.refsHappened, from+1, func(h refHappening, at uint64) int { return cmp.Compare(h.at, at) })
		referred := t.refsHappened[first:len(t.refsHappened):len(t.refsHappened)]
		t.mu.Unlock()
		if err != nil {
			yield(target.DeltaEvent{}, err)
			return
		}
		for _, h := range all {
			if h.at <= from {
				continue
			}
			if err := ctx.Err(); err != nil {
				yield(target.DeltaEvent{}, fmt.Errorf("read the changes of %s: %w", t.name, err))
				return
			}
			if ev, ok := t.event(kind, h); ok && !yield(ev, nil) {
				return
			}
		}
		for _, h := range referred {
			if ev, ok := t.refEvent(kind, h); ok && !yield(ev, nil) {
				return
			}
		}
		if err := ctx.Err(); err != nil {
			yield(target.DeltaEvent{}, fmt.Errorf("read the changes of %s: %w", t.name, err))
			return
		}
		yield(target.DeltaEvent{Op: target.Checkpoint, Token: now}, nil)
	}
}

// event is what h has become. ok is false if it isn't of that kind, or something
// else happened since, of which another event tells.
func (t *Target) event(kind target.Kind, h happening) (ev target.DeltaEvent, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	ev = target.DeltaEvent{Op: target.Purged, Object: target.Object{ID: h.id, Kind: t.purged[h.id].kind}}
	if o := t.live[h.id]; o != nil {
		ev = target.DeltaEvent{Op: target.Changed, Object: o.export()}
	} else if o := t.bin[h.id]; o != nil {
		ev.Op, ev.Object.Kind = target.Binned, o.kind
	}
	if ev.Object.Kind != kind || t.lastOf(h.id) != h.at {
		return ev, false
	}
	t.counts.Events++
	return ev, true
}

// refEvent is what h has become.
func (t *Target) refEvent(kind target.Kind, h refHappening) (ev target.DeltaEvent, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	o := t.live[h.from]
	if o == nil || o.kind != kind || t.lastRef[refHappening{h.link, h.to, 0}] != h.at {
		return ev, false
	}
	refs := target.Refs{Attribute: h.attribute}
	if t.refs.out[h.link][h.to] && t.live[h.to] != nil {
		refs.Add = []target.ID{h.to}
	} else {
		refs.Remove = []target.ID{h.to}
	}
	t.counts.Events++
	return target.DeltaEvent{Op: target.Referred, Object: target.Object{ID: o.id, Kind: o.kind}, Refs: []target.Refs{refs}}, true
}
