package adsim

import "slices"

// relink brings the back-link index from old to rec. Link values are kept on
// the object that points; what points to an object is found here.
func (d *Directory) relink(old, rec *record) {
	if old != nil { // links that rec no longer has at all, as a tombstone's
		for i := range old.attrs {
			was := &old.attrs[i]
			if !was.def.forwardLink() || rec.attr(was.def) != nil {
				continue
			}
			for t := range targets(was.refs) {
				d.dropBack(backKey{t, was.def.link}, rec.guid)
			}
		}
	}
	for i := range rec.attrs {
		now := &rec.attrs[i]
		if !now.def.forwardLink() {
			continue
		}
		var before []ref
		if old != nil {
			if s := old.attr(now.def); s != nil {
				before = s.refs
			}
		}
		if sameSlice(before, now.refs) {
			continue // nothing happened to this attribute
		}
		had, has := targets(before), targets(now.refs)
		for t := range had {
			if !has[t] {
				d.dropBack(backKey{t, now.def.link}, rec.guid)
			}
		}
		for t := range has {
			if !had[t] {
				k := backKey{t, now.def.link}
				d.back[k] = append(slices.Clip(d.back[k]), rec.guid)
			}
		}
	}
}

// dropBack removes one back link without touching the slice that a snapshot may
// share.
func (d *Directory) dropBack(k backKey, from GUID) {
	rest := slices.DeleteFunc(slices.Clone(d.back[k]), func(g GUID) bool { return g == from })
	if len(rest) == 0 {
		delete(d.back, k)
		return
	}
	d.back[k] = rest
}

func sameSlice(a, b []ref) bool {
	return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0])
}

func targets(refs []ref) map[GUID]bool {
	m := make(map[GUID]bool, len(refs))
	for _, r := range refs {
		if !r.gone {
			m[r.target] = true
		}
	}
	return m
}

// unlinkAll removes every link value that points to an object which becomes a
// tombstone. The objects that point get no stamp and no USN: readers of a delta
// don't hear of it (ad-facts.md 2 and 5).
func (d *Directory) unlinkAll(target GUID) {
	for _, def := range theSchema().ordered {
		if !def.forwardLink() {
			continue
		}
		k := backKey{target, def.link}
		for _, from := range d.back[k] {
			old := d.records[from]
			s := *old.attr(def)
			s.refs = slices.DeleteFunc(slices.Clone(s.refs), func(r ref) bool { return r.target == target })
			rec := old.edit()
			rec.put(s)
			d.records[from] = rec
		}
		delete(d.back, k)
	}
}
