package attack

import (
	"context"
	"maps"
	"reflect"
	"slices"

	"github.com/dirbridge/dirbridge/target"
)

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
