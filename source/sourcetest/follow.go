package sourcetest

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"

	"github.com/dirbridge/dirbridge/source"
)

// testFollow changes the directory in a fixed random order and follows it by
// deltas: what a reader knows must be what is there, again and again.
func testFollow(w *world) {
	w.three()
	w.delta()
	r := w.all()
	m, known := r.watermark(""), r.objects(nil)
	random := rand.New(rand.NewPCG(2026, 2))
	next := 4
	var mine, out []source.ID
	mine = slices.Sorted(maps.Keys(w.people))
	for round := range 8 {
		for range 6 {
			in := slices.Sorted(maps.Keys(w.people))
			pick := in[random.IntN(len(in))]
			switch kind := random.IntN(6); {
			case kind == 0 && w.Remove != nil && len(in) > 2:
				w.remove(pick)
			case kind == 1 && w.MoveOut != nil && len(in) > 2:
				kept := w.people[pick]
				w.moveOut(pick)
				if w.MoveIn != nil && random.IntN(2) == 0 {
					w.must("MoveIn", w.MoveIn(pick))
					w.people[pick] = kept
				} else {
					out = append(out, pick)
				}
			case kind == 2 && w.Remove != nil && len(out) > 0:
				w.remove(out[0])
				out = out[1:]
			case kind <= 3:
				mine = append(mine, w.put(person(next)))
				next++
			default:
				w.put(with(w.people[pick], "title", fmt.Sprintf("Clerk %d", random.IntN(100))))
			}
		}
		r := w.since(m)
		m, known = r.watermark(m), r.objects(known)
		w.holdsAll(known, mine...)
		if w.Failed() {
			w.Fatalf("the reader was left behind in round %d", round)
		}
	}
	w.holdsAll(w.all().objects(nil), mine...) // and a full read agrees
}
