package ldapsource

import (
	"strings"

	"github.com/dirbridge/dirbridge/source"
)

// inside are the containers in scope that the reader of a watermark was told of.
// It saves a delta from reading everybody below a container that was renamed:
// only one that came into scope, or left it, brings others with it. It isn't
// known after a start, nor when the watermark is another one than the last.
type inside struct {
	at  source.Watermark
	ids map[guid]bool
}

// noted are the containers that a read tells of, to be known from its next
// checkpoint on.
type noted struct {
	all  bool // of a complete read
	seen []guid
	here []bool
}

func (n *noted) note(r record, here bool) {
	if r.class == container {
		n.seen, n.here = append(n.seen, r.guid), append(n.here, here)
	}
}

// settle makes what was noted known to readers of w.
func (s *Source) settle(n *noted, w source.Watermark) {
	if n.all {
		s.inside.ids = map[guid]bool{}
	}
	if s.inside.ids != nil {
		for i, g := range n.seen {
			if n.here[i] {
				s.inside.ids[g] = true
			} else {
				delete(s.inside.ids, g)
			}
		}
	}
	s.inside.at = w
	*n = noted{}
}

// resume forgets what was known to readers of another watermark.
func (s *Source) resume(w source.Watermark) {
	if s.inside.at != w {
		s.inside = inside{}
	}
}

// crosses reports whether those below a container that changed may have come
// into scope or left it, or, where containers aren't given, have another name.
func (o *op) crosses(r record) bool {
	switch {
	case !o.src.kinds.containers:
		return true
	case strings.EqualFold(r.object.DN, o.sess.root.domain), o.everywhere():
		return false // it stays where it is, or nothing is out of scope
	case o.src.inside.ids == nil:
		return true
	}
	here, err := withinAny(r.object.DN, o.sess.bases)
	return err != nil || here != o.src.inside.ids[r.guid]
}
