package ldapsource

import (
	"cmp"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"slices"
	"strconv"
	"strings"

	"github.com/go-ldap/ldap/v3"
)

const (
	witnesses = 32      // objects that a watermark remembers
	enough    = 8       // of them do; fewer are looked for further back
	nearest   = 1 << 8  // USNs to look among first
	farthest  = 1 << 17 // USNs to look among at most
)

// A timeline is the end of a database's history as a watermark remembers it:
// which objects carried the last USNs up to Top. USNs are given once and never
// again, so from then on such an object either carries the same one or one above
// Top, and no other object can come to carry one from Low to Top. On a controller
// that was restored from an image and went on, other changes carry them, however
// far it went on.
type timeline struct {
	Top  int64     `json:"top"` // highestCommittedUSN once everything was read
	Low  int64     `json:"low"` // Seen holds every object, as far as the account sees, with a USN from here to Top
	Seen witnessed `json:"seen,omitempty"`
}

// A witness is one object with the USN that it carried, and when it was changed.
type witness struct {
	guid guid
	usn  int64
	when uint32 // hash of whenChanged: the same object may get the same USN again
}

// witnessed are written in 28 bytes each, so that a watermark stays small.
type witnessed []witness

// MarshalText implements [encoding.TextMarshaler].
func (l witnessed) MarshalText() ([]byte, error) {
	raw := make([]byte, 0, 28*len(l))
	for _, w := range l {
		raw = append(raw, w.guid[:]...)
		raw = binary.BigEndian.AppendUint64(raw, uint64(w.usn))
		raw = binary.BigEndian.AppendUint32(raw, w.when)
	}
	return base64.RawStdEncoding.AppendEncode(nil, raw), nil
}

// UnmarshalText is the inverse of MarshalText.
func (l *witnessed) UnmarshalText(text []byte) error {
	raw, err := base64.RawStdEncoding.AppendDecode(nil, text)
	if err != nil || len(raw)%28 != 0 {
		return errors.New("not a list of witnesses")
	}
	*l = nil
	for w := range slices.Chunk(raw, 28) {
		*l = append(*l, witness{guid(w[:16]), int64(binary.BigEndian.Uint64(w[16:])), binary.BigEndian.Uint32(w[24:])})
	}
	return nil
}

// attest notes in w the end of the database's history as it is now, after
// everything that w covers was read: an image from before is noticed even if it
// already holds the USN from which the next delta begins.
func (o *op) attest(w *watermark) error {
	if err := o.sess.readRoot(o.ctx, false); err != nil {
		return err
	}
	t := timeline{Top: o.sess.root.usn}
	for width := int64(nearest); ; width *= 8 {
		t.Low, t.Seen = max(1, t.Top-width+1), nil
		err := o.traces(window(t.Low, t.Top), func(x witness) error { t.Seen = append(t.Seen, x); return nil })
		if err != nil {
			return fmt.Errorf("the last changes up to USN %d: %w", t.Top, err)
		}
		if len(t.Seen) >= enough || t.Low == 1 || width >= farthest {
			break
		}
	}
	slices.SortFunc(t.Seen, func(a, b witness) int { return cmp.Compare(b.usn, a.usn) })
	if len(t.Seen) > witnesses {
		t.Low = t.Seen[witnesses-1].usn
		t.Seen = slices.DeleteFunc(t.Seen, func(x witness) bool { return x.usn < t.Low })
	}
	w.Timeline = t
	return nil
}

// remembers asks whether the database still has the history that w attests. It
// costs one search.
func (o *op) remembers(w watermark) error {
	missing := make(map[guid]witness, len(w.Timeline.Seen))
	var ids []guid
	for _, x := range w.Timeline.Seen {
		missing[x.guid] = x
		ids = append(ids, x.guid)
	}
	filter := window(w.Timeline.Low, w.Timeline.Top)
	if len(ids) > 0 {
		filter = "(|" + filter + filterOfGUIDs(ids) + ")"
	}
	var why error
	err := o.traces(filter, func(x witness) error {
		was, known := missing[x.guid]
		delete(missing, x.guid)
		switch {
		case x.usn > w.Timeline.Top: // changed since
		case known && x == was:
		case known && x.usn < was.usn:
			why = fmt.Errorf("on %s the object %s went back to USN %d, after USN %d was seen: the domain controller was restored from an image",
				w.DC, x.guid.text(), x.usn, was.usn)
		default:
			why = fmt.Errorf("on %s the object %s carries USN %d, which belonged to another change: the domain controller was restored from an image",
				w.DC, x.guid.text(), x.usn)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("the witnesses of USN %d: %w", w.Timeline.Top, err)
	}
	if why != nil {
		return expired(why)
	}
	for _, x := range w.Timeline.Seen {
		if _, gone := missing[x.guid]; gone {
			return expired(fmt.Errorf("%s no longer shows the object %s, one of the last to have changed: the domain controller was restored from an image, or the account may see less than before",
				w.DC, x.guid.text()))
		}
		if !w.Deleted { // others may be deleted, which this account can't see
			break
		}
	}
	return nil
}

// window is a filter for what carries a USN from low to top. The upper end is a
// negation since no index is used for that: the lower end is the selective one.
func window(low, top int64) string {
	return "(&(uSNChanged>=" + strconv.FormatInt(low, 10) + ")(!(uSNChanged>=" + strconv.FormatInt(top+1, 10) + ")))"
}

// traces gives what the account sees of the objects that fit filter, wherever in
// the domain and deleted ones too, to each.
func (o *op) traces(filter string, each func(witness) error) error {
	q := query{base: o.sess.root.domain, scope: ldap.ScopeWholeSubtree, filter: filter,
		attrs: []string{"objectGUID", "uSNChanged", "whenChanged"}, controls: o.sess.supported(oidDomainScope, oidShowDeleted, oidShowRecycled)}
	return o.sess.paged(o.ctx, q, 1000, func(e *ldap.Entry) error {
		g, err := guidFrom(e.GetEqualFoldRawAttributeValue("objectGUID"))
		usn, bad := strconv.ParseInt(e.GetEqualFoldAttributeValue("uSNChanged"), 10, 64)
		if err != nil || bad != nil || strings.EqualFold(e.DN, o.sess.root.domain) {
			// What may be seen and not read tells nothing. The head of the domain
			// holds replication's own notes, which follow rules of their own.
			return nil
		}
		h := fnv.New32a()
		_, _ = h.Write([]byte(e.GetEqualFoldAttributeValue("whenChanged")))
		return each(witness{g, usn, h.Sum32()})
	}, nil)
}
