package simulation

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/dirbridge/dirbridge/mapping"
	"github.com/dirbridge/dirbridge/source"
)

// A unit is a container of a directory with units (Config.Units): 0 is the
// domain; 1 to 3 lie in it at first, 4 in 2, 5 in 4. Everybody is hired into 1. Of
// a unit that is renamed, moved or goes out of sight the directory tells that
// alone.
type unit struct {
	num     int
	id      source.ID
	parent  int
	renamed int
	out     bool // moved to where the reader doesn't look, with all that is in it
	hidden  bool // by its access rights; what is in it can be seen
	usn     int64
}

const nowhere = -1 // above the domain

func (d *directory) build(seed uint64) {
	d.units = map[int]*unit{}
	for num, parent := range []int{nowhere, 0, 0, 0, 2, 4} {
		d.usn++
		d.units[num] = &unit{num: num, id: guid(seed, 9000+num), parent: parent, usn: d.usn}
	}
}

// outside reports whether a unit is, or lies in one that is, out of the reader's
// sight.
func (d *directory) outside(num int) bool {
	for u := d.units[num]; u != nil; u = d.units[u.parent] {
		if u.out {
			return true
		}
	}
	return false
}

func (d *directory) unitDN(num int) string {
	u := d.units[num]
	if u == nil {
		return ""
	}
	if u.parent == nowhere {
		return "DC=corp,DC=local"
	}
	return fmt.Sprintf("OU=u%d-%d,%s", u.num, u.renamed, d.unitDN(u.parent))
}

// unitEvent is what the directory says of a unit.
func (d *directory) unitEvent(u *unit) (ev source.Event, ok bool) {
	ev.Object = source.Object{ID: u.id, Kind: source.Container, DN: d.unitDN(u.num)}
	switch {
	case u.hidden:
		return ev, false
	case d.outside(u.num):
		ev.Op = source.Left
		ev.Evidence = source.Evidence{Kind: "moved out of scope", Seen: time.Now().UTC()}
	default:
		ev.Op = source.Upsert
		if up := d.units[u.parent]; up != nil {
			ev.Object.Parent = up.id
		}
	}
	return ev, true
}

func (d *directory) sortedUnits() []*unit {
	return slices.SortedFunc(maps.Values(d.units), func(a, b *unit) int { return int(a.usn - b.usn) })
}

// A saying is an event with the update sequence number that it is of.
type saying struct {
	source.Event
	usn int64
	num int // of a person
}

// sayings are what a read of everything (since 0) or a delta gives of units.
func (s *reader) sayings(d *directory, since int64) (list []saying) {
	for _, u := range d.sortedUnits() {
		if s.side != 0 || u.usn <= since || since == 0 && (s.run.blind || s.run.halfBlind && u.num%2 == 0 || d.outside(u.num)) {
			continue
		}
		if ev, ok := d.unitEvent(u); ok {
			list = append(list, saying{ev, u.usn, 0})
		}
	}
	return list
}

// scope is the configuration number n.
func (w *world) scope(n int) *mapping.Scope {
	var s mapping.Scope
	for _, u := range scopes[n].include {
		s.Include = append(s.Include, string(guid(w.seed, 9000+u)))
	}
	for _, u := range scopes[n].exclude {
		s.Exclude = append(s.Exclude, string(guid(w.seed, 9000+u)))
	}
	if n == 0 {
		return nil
	}
	return &s
}

// scopes are the configurations. Only units are named that never go out of sight.
var scopes = []struct{ include, exclude []int }{
	{}, {nil, []int{2}}, {[]int{1, 2}, nil}, {[]int{0}, []int{3}}, {[]int{1, 3}, []int{2}}, {[]int{2}, nil},
}

// unitStep is a step that has to do with units, or with the scope.
func (w *world) unitStep(s *Step) bool {
	d := w.dir
	was := map[int]bool{}
	for num := range d.units {
		was[num] = d.outside(num)
	}
	defer func() {
		for _, u := range d.sortedUnits() {
			if was[u.num] && !d.outside(u.num) {
				w.cameIn(u)
			}
		}
	}()
	u := d.units[s.P]
	switch s.Do {
	case "place":
		if p := d.alive(s.P); p != nil && d.units[s.Q] != nil && p.unit != s.Q {
			w.hit("S-07")
			p.unit = s.Q
			d.touch(p)
		}
	case "unitmove":
		for x := d.units[s.Q]; x != nil; x = d.units[x.parent] {
			if x.num == s.P {
				return true // into itself
			}
		}
		if u != nil && u.num > 1 && d.units[s.Q] != nil && u.parent != s.Q && (u.num > 3 || s.Q < 4) {
			w.hit("S-08")
			u.parent = s.Q
			d.touchUnit(u)
		}
	case "unitrename":
		if u != nil && u.num > 0 {
			w.hit("S-08")
			u.renamed++
			d.touchUnit(u)
		}
	case "unitout", "unitin":
		if u != nil && u.num > 3 {
			u.out = s.Do == "unitout"
			d.touchUnit(u)
			for _, x := range d.units {
				// Of a unit that can't be seen no delta tells, nor of those in it.
				w.blinded = w.blinded || x.hidden
			}
		}
	case "unithide", "unitshow":
		if u != nil && u.num > 3 {
			if u.hidden = s.Do == "unithide"; !u.hidden {
				d.touchUnit(u)
			}
		}
	case "scope":
		if d.units != nil && w.scoped != s.N%len(scopes) {
			w.hit("scope")
			w.scoped = s.N % len(scopes)
			w.scopesUsed[w.scoped] = true
			clear(w.oracle.words.rejected)
		}
	default:
		return false
	}
	return true
}

// cameIn has the directory tell of a unit and those in it that come into sight.
// If it had told of the unit before, the engine has to ask by itself, unless it
// may have got a state that is older than that.
func (w *world) cameIn(u *unit) {
	if len(w.oracle.places[u.id]) > 0 && w.backup == nil {
		return
	}
	w.dir.touchUnit(u)
	for _, p := range w.dir.sorted() {
		if p.unit == u.num {
			w.dir.touch(p)
		}
	}
}

func (d *directory) touchUnit(u *unit) {
	d.usn++
	u.usn = d.usn
}

// A position is where something was told to lie. A unit may have been told to be
// out of sight.
type position struct {
	parent source.ID
	out    bool
}

// locate notes what the directory tells of somebody's place. What was ever told
// may be what the engine believes: it may have died before, or got an old state.
func (o *oracle) locate(ev source.Event) {
	if o.w.dir.units == nil {
		return
	}
	id, at := ev.Object.ID, position{parent: ev.Object.Parent}
	if o.places[id] == nil {
		o.places[id] = map[position]bool{}
	}
	switch ev.Op {
	case source.Upsert:
		o.places[id][at] = true
	case source.Left:
		if ev.Object.Kind == source.Container {
			for at := range maps.Clone(o.places[id]) {
				o.places[id][position{at.parent, true}] = true
			}
		}
	}
}

// sides are on which sides of the scope n something may be taken to be that lies
// in the unit id: in, out. Neither is: nobody can tell.
func (o *oracle) sides(n int, id source.ID, path []source.ID) (in, out bool) {
	if id == "" || len(path) > len(o.w.dir.units) {
		whole := len(path) > 0 && id == ""
		a := o.answer(n, path, whole)
		return a == mapping.InScope, a == mapping.OutOfScope
	}
	if len(o.places[id]) == 0 { // never told
		a := o.answer(n, path, false)
		return a == mapping.InScope, a == mapping.OutOfScope
	}
	path = append(slices.Clone(path), id)
	for at := range o.places[id] {
		if at.out {
			out = true
			continue
		}
		i, u := o.sides(n, at.parent, path)
		in, out = in || i, out || u
	}
	return in, out
}

// answer is what the scope n says of a path of units, the nearest first.
func (o *oracle) answer(n int, path []source.ID, whole bool) mapping.Answer {
	sc := scopes[n]
	if len(sc.include)+len(sc.exclude) == 0 {
		return mapping.InScope
	}
	for _, id := range path {
		for _, u := range sc.include {
			if id == guid(o.w.seed, 9000+u) {
				return mapping.InScope
			}
		}
		for _, u := range sc.exclude {
			if id == guid(o.w.seed, 9000+u) {
				return mapping.OutOfScope
			}
		}
	}
	switch {
	case !whole:
		return mapping.Undecided
	case len(sc.include) > 0:
		return mapping.OutOfScope
	}
	return mapping.InScope
}

// mayBe says on which sides of the scope the engine may take somebody to be. A
// repeat may be of a time of another scope.
func (o *oracle) mayBe(anchor string, repeat bool) (in, out bool) {
	for _, num := range o.w.numbers[anchor] {
		i, u := o.mayBelong(num, repeat)
		in, out = in || i, out || u
	}
	if o.w.dir.units == nil || !in {
		return in || len(o.w.numbers[anchor]) == 0, out
	}
	in = false
	for _, num := range o.w.numbers[anchor] {
		for n := range scopes {
			if n != o.w.scoped && !(repeat && o.w.scopesUsed[n]) {
				continue
			}
			for at := range o.places[guid(o.w.seed, num)] {
				i, u := o.sides(n, at.parent, nil)
				in, out = in || i, out || u
			}
		}
	}
	return in, out
}

// rescoped reports whether somebody can be out for no other reason than that the
// scope was changed: neither they nor a unit above them was ever told to be
// elsewhere.
func (o *oracle) rescoped(anchor string) bool {
	if o.w.dir.units == nil && !o.w.config.Circles || len(o.w.numbers[anchor]) != 1 || !o.settledCircles() {
		return false
	}
	if o.w.dir.units == nil {
		return true
	}
	id := guid(o.w.seed, o.w.numbers[anchor][0])
	for range len(o.w.dir.units) + 2 {
		if len(o.places[id]) != 1 {
			return false
		}
		for at := range o.places[id] {
			if id = at.parent; at.out {
				return false
			}
		}
		if id == "" {
			return true
		}
	}
	return false
}

// outOfScope reports whether the scope refuses a person, and whether that can be
// told.
func (w *world) outOfScope(p *person) (out, known bool) {
	out, known = w.outOfCircle(p)
	if w.dir.units == nil || out && known {
		return out, known
	}
	var path []source.ID
	for u := w.dir.units[p.unit]; u != nil; u = w.dir.units[u.parent] {
		path = append(path, u.id)
		known = known && !u.hidden
	}
	return out || w.oracle.answer(w.scoped, path, true) == mapping.OutOfScope || w.dir.outside(p.unit), known
}

// placed reports whether it can be told where a person is.
func (o *oracle) placed(p *person) bool {
	_, known := o.w.outOfScope(p)
	return known || !p.deleted.IsZero()
}

// gone reports whether a person that exists isn't to be synchronized.
func (o *oracle) gone(p *person) bool {
	if out, _ := o.w.outOfScope(p); out {
		return true
	}
	return p.out || p.attrs["isCriticalSystemObject"] == "TRUE" || o.w.rules == 1 && !p.faulty && p.attrs["title"] == skipTitle
}
