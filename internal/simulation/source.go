package simulation

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/dirbridge/dirbridge/source"
)

var errPoison = errors.New("the entry can't be decoded")

// ldap are the result codes of the fault menu and what package source makes of
// them (RFC 4511, appendix A; the classes are those of source/errors.go).
var ldap = map[string]error{
	"operationsError":     source.ErrIncomplete,      // 1
	"timeLimitExceeded":   source.ErrIncomplete,      // 3
	"sizeLimitExceeded":   source.ErrIncomplete,      // 4
	"adminLimitExceeded":  source.ErrIncomplete,      // 11
	"insufficientAccess":  source.ErrForbidden,       // 50
	"busy":                source.ErrIncomplete,      // 51
	"unavailable":         source.ErrUnavailable,     // 52
	"invalidCredentials":  source.ErrUnauthenticated, // 49
	"other":               source.ErrIncomplete,      // 80
	"connection lost":     source.ErrIncomplete,
	"unclassified":        errors.New("unclassified"),
	"unavailableCritical": source.ErrWatermarkExpired, // 12, to a cookie
	"unwillingToPerform":  source.ErrWatermarkExpired, // 53, to a cookie
}

// A mark is the watermark of the simulated directory.
type mark struct {
	Invocation int       `json:"i"`
	USN        int64     `json:"u"`
	Time       time.Time `json:"t"`
	Witness    int       `json:"w,omitempty"`
	WitnessUSN int64     `json:"x,omitempty"`
	// Timeline can't be known to a real source: with it the world notices that
	// a restored domain controller wasn't noticed.
	Timeline int `json:"l"`
}

func (m mark) text() source.Watermark {
	b, _ := json.Marshal(m)
	return source.Watermark(b)
}

// A reader is the directory as the engine sees it in one run.
type reader struct {
	w    *world
	run  *runState
	side int // of two directories
}

var (
	_ source.DeltaSource = (*reader)(nil)
	_ source.Finder      = (*reader)(nil)
	_ source.Confirmer   = (*reader)(nil)
	_ source.Poller      = (*reader)(nil)
)

func (s *reader) Name() string { return sideNames[s.side] }

// dc is the domain controller that answers.
func (s *reader) dc() *directory {
	if s.run.stale && s.w.second != nil {
		return s.w.second
	}
	return s.w.dir
}

func (s *reader) Poll(_ context.Context, w source.Watermark) (bool, error) {
	var m mark
	d := s.dc()
	return json.Unmarshal([]byte(w), &m) != nil || m.Invocation != d.invocation || m.USN != d.usn, nil
}

func (s *reader) All(ctx context.Context) iter.Seq2[source.Event, error] {
	return func(yield func(source.Event, error) bool) {
		if err := s.isDown(); err != nil {
			yield(source.Event{}, err)
			return
		}
		d := s.dc()
		s.run.fullRead = true
		m := mark{Invocation: d.invocation, USN: d.usn, Time: time.Now().UTC(), Timeline: d.timeline}
		var list []source.Event
		for _, u := range s.sayings(d, 0) {
			list = append(list, u.Event)
		}
		for _, p := range d.sorted() {
			if s.run.blind || !p.deleted.IsZero() || p.out || d.outside(p.unit) || p.num%2 == 0 && s.run.halfBlind {
				continue
			}
			if ev, ok := s.event(d, p); ok && ev.Op != source.Deleted {
				ev.Revived = false // all is told whole
				list = append(list, ev)
				m.Witness, m.WitnessUSN = p.num, p.usn
				if s.w.refers() && ev.Op == source.Upsert {
					refs, _ := d.refers(s.w, p, 0)
					s.dims(p, refs)
					list = append(list, *refs)
				}
			}
		}
		if s.run.blind || s.run.halfBlind {
			s.w.hit("S-02")
			s.w.blinded = true
		}
		s.give(ctx, list, func(int) source.Watermark { return m.text() }, 0, yield)
	}
}

func (s *reader) Since(ctx context.Context, w source.Watermark) iter.Seq2[source.Event, error] {
	return func(yield func(source.Event, error) bool) {
		if err := s.isDown(); err != nil {
			yield(source.Event{}, err)
			return
		}
		d := s.dc()
		m, err := s.trust(d, w)
		if err != nil {
			s.w.logf("    watermark refused: %v", err)
			yield(source.Event{}, fmt.Errorf("%w: %w", source.ErrWatermarkExpired, err))
			return
		}
		if !s.w.oracle.checkpoints[w] {
			s.w.oracle.complain("I4", "a read from a watermark that no read gave")
		}
		var list []source.Event
		var usns []int64
		var witness []mark
		x := m
		for _, u := range s.sayings(d, m.USN) {
			list, usns, witness = append(list, u.Event), append(usns, u.usn), append(witness, x)
		}
		for _, p := range d.sorted() {
			renamed := d.ouUSN > m.USN && !p.out && p.deleted.IsZero()
			ev, ok := s.event(d, p)
			if s.w.refers() && ok && ev.Op == source.Upsert {
				// Whoever appears tells it whole.
				from := m.USN
				if p.usn > m.USN {
					from = 0
				}
				if refs, usn := d.refers(s.w, p, from); refs != nil {
					if from == 0 {
						usn = p.usn
						s.dims(p, refs)
					}
					list, usns, witness = append(list, *refs), append(usns, usn), append(witness, x)
				}
			}
			if p.usn <= m.USN && !renamed {
				continue
			}
			if ok {
				list = append(list, ev)
				if usns = append(usns, p.usn); p.usn > x.WitnessUSN && ev.Op != source.Unreadable {
					x.Witness, x.WitnessUSN = p.num, p.usn
				}
				witness = append(witness, x)
			}
		}
		now := time.Now().UTC()
		s.give(ctx, list, func(n int) source.Watermark {
			c := m
			if n > 0 {
				c = witness[n-1]
			}
			if c.USN = d.usn; n < len(list) {
				c.USN = max(m.USN, slices.Min(usns[n:])-1) // they may come in any order
			}
			c.Time, c.Timeline = now, d.timeline
			return c.text()
		}, s.w.config.Every, yield)
	}
}

// trust says why a delta from w can't be told, in the words of failure-modes.md
// S-03 to S-06.
func (s *reader) trust(d *directory, w source.Watermark) (m mark, err error) {
	if err := json.Unmarshal([]byte(w), &m); err != nil {
		return m, errors.New("it can't be read")
	}
	age := time.Since(m.Time)
	witness := d.people[m.Witness]
	switch {
	case s.run.expired != nil:
		s.w.hit("S-03")
		return m, s.run.expired
	case m.Invocation != d.invocation:
		s.w.hit("S-05")
		return m, errors.New("another domain controller")
	case m.USN > d.usn:
		s.w.hit("S-04")
		return m, errors.New("the USN went back")
	case m.WitnessUSN > 0 && (witness == nil || witness.usn < m.WitnessUSN):
		if m.Timeline != d.timeline {
			s.w.hit("S-04")
		}
		return m, errors.New("the witness went back")
	case age > d.lifetime/2:
		s.w.hit("S-06")
		return m, errors.New("older than half of the tombstone lifetime")
	}
	if m.Timeline != d.timeline {
		// A real one is seen by the last 32 objects to have changed, whoever
		// they are (source/ldapsource, timeline.go).
		s.w.hit("S-04")
		return m, errors.New("another history")
	}
	return m, nil
}

func (s *reader) Find(ctx context.Context, ids []source.ID) iter.Seq2[source.Event, error] {
	return func(yield func(source.Event, error) bool) {
		if err := s.isDown(); err != nil {
			yield(source.Event{}, err)
			return
		}
		if s.run.findFails {
			yield(source.Event{}, fmt.Errorf("look up: %w", source.ErrUnavailable))
			return
		}
		d := s.dc()
		var list []source.Event
		for _, p := range d.sorted() {
			for _, id := range ids {
				if p.id != id || s.run.blind && p.deleted.IsZero() {
					continue
				}
				if ev, ok := s.event(d, p); ok {
					list = append(list, ev)
					if s.w.refers() && ev.Op == source.Upsert {
						refs, _ := d.refers(s.w, p, 0)
						s.dims(p, refs)
						list = append(list, *refs)
					}
				}
			}
		}
		for _, u := range d.sortedUnits() {
			if ev, ok := d.unitEvent(u); ok && slices.Contains(ids, u.id) && (!s.run.blind || ev.Op == source.Left) {
				list = append(list, ev)
			}
		}
		s.give(ctx, list, nil, 0, yield)
	}
}

// give yields events with all that is to go wrong with them. at makes the
// checkpoint after n events; nil is a sequence without any.
func (s *reader) give(ctx context.Context, list []source.Event, at func(n int) source.Watermark, every int, yield func(source.Event, error) bool) {
	r := s.run
	if at == nil || every == 0 {
		every = len(list) + 1
	}
	n := 0
	say := func(ev source.Event) bool {
		if err := ctx.Err(); err != nil {
			yield(source.Event{}, err)
			return false
		}
		if r.cutErr != nil && at != nil && n == r.cutAfter {
			s.w.hit("S-01")
			yield(source.Event{}, r.cutErr)
			return false
		}
		n++
		if ev.Op == source.Checkpoint {
			s.w.oracle.checkpoints[ev.Watermark] = true
		} else if ev.Op == source.Refers {
			if !r.forgets {
				s.w.oracle.toldRefs(ev)
			}
			s.w.oracle.membersTold(ev)
		} else {
			s.tell(ev)
			if !r.forgets {
				s.w.oracle.locate(ev)
			}
		}
		return yield(ev, nil)
	}
	for start := 0; start < len(list); start += every {
		end := min(start+every, len(list))
		part := list[start:end]
		if r.shuffle { // another order, and some come twice
			part = s.w.shuffled(part)
		}
		for _, ev := range part {
			for _, ev := range parted(ev) {
				if !say(ev) {
					return
				}
			}
		}
		if at != nil && end < len(list) && !say(source.Event{Op: source.Checkpoint, Watermark: at(end)}) {
			return
		}
	}
	if at == nil {
		return
	}
	if r.noCheckpoint { // a source that breaks its contract
		s.w.hit("S-01")
		return
	}
	say(source.Event{Op: source.Checkpoint, Watermark: at(len(list))})
}
