package ldapsource

import (
	"bytes"
	"context"
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
		s.resume(w)
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
	if o.kept { // a new one has just been asked
		if err := o.sess.readInvocationID(o.ctx); err != nil {
			return err
		}
	}
	lifetime, err := o.tombstoneLifetime()
	if err != nil {
		return err
	}
	if err := w.trusts(o.sess, lifetime); err != nil {
		return expired(err)
	}
	sees, err := o.seesDeleted()
	if err != nil {
		return err
	}
	if err := o.sameRights(w, sees); err != nil {
		return expired(err)
	}
	return o.remembers(w)
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

// checkpoint yields the watermark of what was read until now.
func (o *op) checkpoint(mark *watermark, yield func(source.Event) bool) error {
	if err := o.attest(mark); err != nil {
		return err
	}
	text := mark.text()
	o.sess.vouched = text
	o.src.settle(&o.containers, text)
	if !yield(source.Event{Op: source.Checkpoint, Watermark: text}) {
		return errStopped
	}
	return nil
}

// sinceCookie tells what changed by DirSync. The changes of one answer are
// collected first, some 200 bytes each and 16 for each reference: the connection
// carries one answer at a time, and the objects are read next.
func (o *op) sinceCookie(mark watermark, yield func(source.Event) bool) error {
	usn, now := o.sess.root.usn, o.sess.root.now
	for {
		var c changes
		next, more, err := o.dirSync(mark.Cookie, o.src.kinds.deltaFilter(), o.src.dirSyncAttributes(), func(e *ldap.Entry) error { return c.add(o, e) })
		if err != nil {
			return o.cookieError(err)
		}
		if more && bytes.Equal(next, mark.Cookie) {
			return fmt.Errorf("%w: DirSync doesn't move on", source.ErrIncomplete)
		}
		mark.Cookie, mark.Partial = next, more
		if !more {
			mark.USN, mark.Time = usn, now
		}
		if err := o.tell(c.list, yield); err != nil {
			return err
		}
		if err := o.checkpoint(&mark, yield); err != nil || !more {
			return err
		}
	}
}

// cookieError says what a refused DirSync means for its cookie.
func (o *op) cookieError(err error) error {
	switch c := code(err); c {
	case 0, ldap.LDAPResultTimeLimitExceeded, ldap.LDAPResultSizeLimitExceeded, ldap.LDAPResultAdminLimitExceeded,
		ldap.LDAPResultBusy, ldap.LDAPResultUnavailable:
		return err
	case ldap.LDAPResultInsufficientAccessRights:
		return expired(fmt.Errorf("the account had the right %q on %s when it was taken and hasn't now: %s: %w",
			getChanges, o.sess.root.domain, o.grantGetChanges(), err))
	}
	return expired(fmt.Errorf("the server refuses the DirSync cookie: %w", err))
}
