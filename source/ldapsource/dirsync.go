package ldapsource

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/dirbridge/dirbridge/source"
	"github.com/go-ldap/ldap/v3"
)

const (
	// deltaFilter finds what a delta must know of. Classes alone, since they
	// survive on tombstones, and objectCategory doesn't. Containers come
	// because those within them don't when they are moved; deleted ones have
	// nothing to tell.
	deltaFilter = "(|(&(objectClass=user)(!(objectClass=computer)))" +
		"(&(|(objectClass=organizationalUnit)(objectClass=container))(!(isDeleted=TRUE))))"

	// nothingFilter matches no object, by an indexed attribute.
	nothingFilter = `(objectGUID=\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00)`

	dirSyncBytes = 4 << 20 // asked for in one answer; the server caps it
)

// dirSyncAttributes are a filter too: an entry comes only when one of them
// changed. Without name, renames and moves wouldn't.
func (s *Source) dirSyncAttributes() []string {
	return append([]string{"name", "parentGUID", "isDeleted", "isRecycled", "lastKnownParent"}, s.asked...)
}

// mark is a watermark of now: the DirSync cookie if the account may have one and
// DirSync is wanted, else the USN.
func (o *op) mark() (watermark, error) {
	w := watermark{Server: o.sess.server.url, DC: o.sess.root.dnsHostName, Domain: o.sess.root.domain, InvocationID: o.sess.invocationID,
		Scope: o.src.hash, Mode: DeltaUSN, USN: o.sess.root.usn, Time: o.sess.root.now}
	if o.src.opts.Delta == DeltaUSN {
		return w, nil
	}
	cookie, err := o.prime()
	switch {
	case err == nil:
		w.Mode, w.Cookie = DeltaDirSync, cookie
		return w, nil
	case code(err) == ldap.LDAPResultInsufficientAccessRights && o.src.opts.Delta == DeltaAuto:
		o.src.opts.Logger.Info("ldap: DirSync denied, polling by USN", "source", o.src.name, "server", w.Server)
		return w, nil
	case code(err) == ldap.LDAPResultInsufficientAccessRights:
		return w, fmt.Errorf("%w: DirSync needs the right %q on %s: %w", source.ErrForbidden, "Replicating Directory Changes", w.Domain, err)
	}
	return w, fmt.Errorf("DirSync: %w", err)
}

// prime gets the cookie of now without what came before it.
func (o *op) prime() ([]byte, error) {
	var cookie []byte
	for {
		next, more, err := o.dirSync(cookie, nothingFilter, []string{"objectClass"}, func(*ldap.Entry) error { return nil })
		if err != nil {
			return nil, err
		}
		if !more {
			return next, nil
		}
		if bytes.Equal(next, cookie) {
			return nil, fmt.Errorf("%w: DirSync doesn't move on", source.ErrIncomplete)
		}
		cookie = next
	}
}

// dirSync asks once for what changed since cookie and gives each entry, which
// holds only what changed, to each. It returns the next cookie and whether there
// is more.
func (o *op) dirSync(cookie []byte, filter string, attrs []string, each func(*ldap.Entry) error) (next []byte, more bool, err error) {
	q := query{base: o.sess.root.domain, scope: ldap.ScopeWholeSubtree, filter: filter, attrs: attrs}
	controls, err := o.sess.stream(o.ctx, q.request(ldap.NewRequestControlDirSync(0, dirSyncBytes, cookie)), each)
	if err != nil {
		return nil, false, err
	}
	c, ok := ldap.FindControl(controls, ldap.ControlTypeDirSync).(*ldap.ControlDirSync)
	if !ok || len(c.Cookie) == 0 {
		return nil, false, o.sess.noEnd("no DirSync control")
	}
	return bytes.Clone(c.Cookie), c.Flags != 0, nil
}

// A change is what DirSync says about one object: which, and hardly more.
type change struct {
	guid    guid
	dn      string
	deleted bool
	moved   bool // renamed, moved, or new
}

// changes collects the changes of one answer, each object once and in its last
// state: an object may come several times, in parts.
type changes struct {
	list []change
	at   map[guid]int
}

// add takes one entry of an answer.
func (c *changes) add(s *session, e *ldap.Entry) error {
	g, err := guidFrom(e.GetEqualFoldRawAttributeValue("objectGUID"))
	if err != nil {
		return fmt.Errorf("%w: DirSync entry %q: %w", source.ErrIncomplete, e.DN, err)
	}
	if c.at == nil {
		c.at = map[guid]int{}
	}
	i, ok := c.at[g]
	if !ok {
		i = len(c.list)
		c.at[g], c.list = i, append(c.list, change{guid: g})
	}
	x := &c.list[i]
	x.dn = e.DN
	for _, a := range e.Attributes {
		switch strings.ToLower(a.Name) {
		case "isdeleted": // undeleted: it comes without a value
			x.deleted = len(a.Values) > 0 && strings.EqualFold(a.Values[0], "TRUE")
		case "name", "parentguid":
			x.moved = true
		}
	}
	if s.isDeletedDN(e.DN) {
		x.deleted = true
	}
	return nil
}
