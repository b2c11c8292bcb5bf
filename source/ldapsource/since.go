package ldapsource

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"time"

	"github.com/dirbridge/dirbridge/source"
	"github.com/go-ldap/ldap/v3"
)

// Since implements [source.DeltaSource]. It yields a Checkpoint after each
// answer of DirSync, or one at the end when polling by USN.
//
// DirSync and USN only say which objects changed: each is then read whole by its
// objectGUID. An object deleted in between yields nothing; the next delta brings
// its tombstone.
func (s *Source) Since(ctx context.Context, w source.Watermark) iter.Seq2[source.Event, error] {
	if w == "" {
		return s.All(ctx)
	}
	mark, err := parseWatermark(w)
	if err == nil {
		err = mark.fits(s.hash, s.opts.Delta)
	}
	if err != nil {
		return func(yield func(source.Event, error) bool) {
			yield(source.Event{}, fmt.Errorf("%s: %w", s.name, expired(err)))
		}
	}
	return s.events(ctx, s.serverOf(mark), func(o *op, yield func(source.Event) bool) error {
		mark := mark // the sequence may be ranged over again
		if err := o.trust(mark); err != nil {
			return err
		}
		if err := o.sess.resolve(o.ctx, s.scope); err != nil {
			return err
		}
		if mark.Mode == DeltaDirSync {
			return o.sinceCookie(mark, yield)
		}
		return o.sinceUSN(mark, yield)
	})
}

// serverOf is the index of the server that w came from, -1 if it is none of
// ours.
func (s *Source) serverOf(w watermark) int {
	return slices.IndexFunc(s.servers, func(sv server) bool { return sv.url == w.Server })
}

// trust reports whether the server can tell for certain what changed since w.
func (o *op) trust(w watermark) error {
	lifetime, err := o.tombstoneLifetime()
	if err != nil {
		return err
	}
	if err := w.trusts(o.sess, lifetime); err != nil {
		return expired(err)
	}
	if w.WitnessID == "" {
		return nil
	}
	g, ok := parseGUID(string(w.WitnessID))
	if !ok {
		return expired(errors.New("it can't be read"))
	}
	e, _, err := o.sess.lookup(o.ctx, "<GUID="+g.text()+">", "(objectClass=*)", []string{"uSNChanged"}, o.sess.supported(oidShowDeleted, oidShowRecycled)...)
	if err != nil && code(err) != ldap.LDAPResultNoSuchObject {
		return fmt.Errorf("the witness %s: %w", w.WitnessID, err)
	}
	if e == nil {
		return expired(fmt.Errorf("%s no longer shows the object %s, the last one to have changed: it was restored, or the account can't see Deleted Objects", w.DC, w.WitnessID))
	}
	if usn, err := strconv.ParseInt(e.GetEqualFoldAttributeValue("uSNChanged"), 10, 64); err != nil || usn < w.WitnessUSN {
		return expired(fmt.Errorf("on %s the object %s went back from USN %d to %d: it was restored from an image", w.DC, w.WitnessID, w.WitnessUSN, usn))
	}
	return nil
}

// defaultLifetime holds where tombstoneLifetime isn't set (MS-ADTS 7.1.1.2.4.1.1).
const defaultLifetime = 60 * 24 * time.Hour

// tombstoneLifetime is how long the directory can tell of a deletion.
func (o *op) tombstoneLifetime() (time.Duration, error) {
	e, _, err := o.sess.lookup(o.ctx, "CN=Directory Service,CN=Windows NT,CN=Services,"+o.sess.root.config, "(objectClass=*)",
		[]string{"tombstoneLifetime", "msDS-DeletedObjectLifetime"})
	if err != nil && code(err) != ldap.LDAPResultNoSuchObject {
		return 0, fmt.Errorf("read tombstoneLifetime: %w", err)
	}
	if e == nil {
		return defaultLifetime, nil
	}
	days := func(name string, def time.Duration) time.Duration {
		if n, err := strconv.Atoi(e.GetEqualFoldAttributeValue(name)); err == nil && n > 0 {
			return time.Duration(n) * 24 * time.Hour
		}
		return def
	}
	tombstone := days("tombstoneLifetime", defaultLifetime)
	return min(tombstone, days("msDS-DeletedObjectLifetime", tombstone)), nil
}

// sinceCookie tells what changed by DirSync. The changes of one answer are
// collected first, some 150 bytes each: the connection carries one answer at a
// time, and the objects are read next.
func (o *op) sinceCookie(mark watermark, yield func(source.Event) bool) error {
	usn, now := o.sess.root.usn, o.sess.root.now
	for {
		var c changes
		next, more, err := o.dirSync(mark.Cookie, deltaFilter, o.src.dirSyncAttributes(), func(e *ldap.Entry) error { return c.add(o.sess, e) })
		if err != nil {
			return cookieError(err)
		}
		if more && bytes.Equal(next, mark.Cookie) {
			return fmt.Errorf("%w: DirSync doesn't move on", source.ErrIncomplete)
		}
		mark.Cookie, mark.Partial = next, more
		if !more {
			mark.USN, mark.Time = usn, now
		}
		if err := o.tell(c.list, &mark, yield); err != nil {
			return err
		}
		if !yield(source.Event{Op: source.Checkpoint, Watermark: mark.text()}) || !more {
			return nil
		}
	}
}

// cookieError says what a refused DirSync means for its cookie.
func cookieError(err error) error {
	switch c := code(err); c {
	case 0, ldap.LDAPResultTimeLimitExceeded, ldap.LDAPResultSizeLimitExceeded, ldap.LDAPResultAdminLimitExceeded,
		ldap.LDAPResultBusy, ldap.LDAPResultUnavailable:
		return err
	case ldap.LDAPResultInsufficientAccessRights:
		return expired(fmt.Errorf("the account may no longer use DirSync: %w", err))
	}
	return expired(fmt.Errorf("the server refuses the DirSync cookie: %w", err))
}

// tell yields what is certain about changed objects now.
func (o *op) tell(list []change, mark *watermark, yield func(source.Event) bool) error {
	var alive []guid
	moved := map[guid]bool{}
	for _, c := range list {
		if c.deleted {
			if !yield(o.gone(c.guid, c.dn)) {
				return errStopped
			}
			continue
		}
		alive = append(alive, c.guid)
		if c.moved {
			moved[c.guid] = true
		}
	}
	var containers []string
	err := o.byGUID(alive, false, func(r record) error {
		if r.class == container {
			if moved[r.guid] {
				containers = append(containers, r.object.DN)
			}
			return nil
		}
		mark.witness(r)
		return o.say(r, yield)
	}, yield)
	if err != nil {
		return err
	}
	return o.below(containers, mark, yield)
}
