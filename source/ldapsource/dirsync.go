package ldapsource

import (
	"bytes"
	"fmt"

	"github.com/dirbridge/dirbridge/source"
	"github.com/go-ldap/ldap/v3"
)

const (
	// nothingFilter matches no object, by an indexed attribute.
	nothingFilter = `(objectGUID=\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00)`

	dirSyncBytes = 4 << 20 // asked for in one answer; the server caps it

	incrementalValues = 0x80000000 // of links, only what came and went
)

// dirSyncAttributes are a filter too: an entry comes only when one of them
// changed. Without name, renames and moves wouldn't.
func (s *Source) dirSyncAttributes() []string {
	names := append([]string{"name", "parentGUID", "isDeleted", "isRecycled", "lastKnownParent"}, s.asked...)
	for _, r := range s.kinds.refs {
		names = append(names, r.name)
	}
	return names
}

// mark is a watermark of now: the DirSync cookie if the account may have one and
// DirSync is wanted, else the USN.
func (o *op) mark() (watermark, error) {
	if o.kept {
		if err := o.sess.readInvocationID(o.ctx); err != nil {
			return watermark{}, err
		}
	}
	sees, err := o.seesDeleted()
	if err != nil {
		return watermark{}, err
	}
	if !sees {
		o.src.opts.Logger.Warn("ldap: deletions will not be seen", "source", o.src.name, "server", o.sess.server.url, "container", o.deletedObjects())
	}
	w := watermark{Server: o.sess.server.url, DC: o.sess.root.dnsHostName, Domain: o.sess.root.domain, InvocationID: o.sess.invocationID,
		Scope: o.src.hash, Deleted: sees, Mode: DeltaUSN, USN: o.sess.root.usn, Time: o.sess.root.now}
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
		return w, fmt.Errorf("%w: DirSync needs the right %q on %s: %w", source.ErrForbidden, getChanges, w.Domain, err)
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
	flags := int64(0)
	if len(o.src.kinds.refs) > 0 {
		extended, err := o.sess.extendedDN()
		if err != nil {
			return nil, false, err
		}
		flags, q.controls = incrementalValues, []ldap.Control{extended}
	}
	controls, err := o.sess.stream(o.ctx, q.request(ldap.NewRequestControlDirSync(flags, dirSyncBytes, cookie)), each)
	if err != nil {
		return nil, false, err
	}
	c, ok := ldap.FindControl(controls, ldap.ControlTypeDirSync).(*ldap.ControlDirSync)
	if !ok || len(c.Cookie) == 0 {
		return nil, false, o.sess.noEnd("no DirSync control")
	}
	return bytes.Clone(c.Cookie), c.Flags != 0, nil
}
