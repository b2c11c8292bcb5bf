package adsim

import (
	"slices"
	"sort"
	"time"
)

// A record is one object at one moment. It is never changed once it is in the
// directory: a change makes a new record. So a search can use a record without
// a lock, and a snapshot is a copy of the maps that lead to records.
type record struct {
	guid    GUID
	parent  GUID
	nc      GUID // the head of its naming context
	rdnType string
	attrs   []attrState // ascending by attribute id

	usnCreated, usnChanged int64
	created, changed       time.Time
	deleted                bool   // a tombstone or deleted object
	lastParent             string // DN of the parent when it was deleted
	bin                    bool   // CN=Deleted Objects itself, which says isDeleted too
}

// An attrState is what an object holds of one attribute, and when it came. An
// attribute that was cleared stays, without values: its stamp is news too.
type attrState struct {
	def    *attribute
	usn    int64
	values []string // everything but references
	refs   []ref    // DN syntax
}

// A ref is a DN-valued value. usn is kept for link values only, each of which
// has its own; one that was removed stays as gone.
type ref struct {
	target GUID
	usn    int64
	gone   bool
}

func (s *attrState) empty() bool {
	if s.def.syntax != dnRef {
		return len(s.values) == 0
	}
	return !slices.ContainsFunc(s.refs, func(r ref) bool { return !r.gone })
}

// lastUSN is the newest stamp of the attribute or of any of its link values.
func (s *attrState) lastUSN() int64 {
	usn := s.usn
	for i := range s.refs {
		usn = max(usn, s.refs[i].usn)
	}
	return usn
}

// attr returns the state of an attribute, nil if the object never had it.
func (r *record) attr(def *attribute) *attrState {
	i := sort.Search(len(r.attrs), func(i int) bool { return r.attrs[i].def.id >= def.id })
	if i < len(r.attrs) && r.attrs[i].def == def {
		return &r.attrs[i]
	}
	return nil
}

// first is the first value of an attribute that holds text, or "".
func (r *record) first(def *attribute) string {
	if s := r.attr(def); s != nil && len(s.values) > 0 {
		return s.values[0]
	}
	return ""
}

// edit returns a copy of r whose attributes may be set with put.
func (r *record) edit() *record {
	c := *r
	c.attrs = slices.Clone(r.attrs)
	return &c
}

// put sets the state of one attribute in a record that isn't in the directory
// yet.
func (r *record) put(s attrState) {
	i := sort.Search(len(r.attrs), func(i int) bool { return r.attrs[i].def.id >= s.def.id })
	if i < len(r.attrs) && r.attrs[i].def == s.def {
		r.attrs[i] = s
		return
	}
	r.attrs = slices.Insert(r.attrs, i, s)
}
