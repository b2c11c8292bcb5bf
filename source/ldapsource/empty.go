package ldapsource

import (
	"context"
	"fmt"

	"github.com/dirbridge/dirbridge/source"
	"github.com/go-ldap/ldap/v3"
)

// backLinks are where the directory shows each reference at its other end.
var backLinks = map[string]string{"member": "memberOf", "managedBy": "managedObjects", "manager": "directReports"}

// Empty implements [source.Emptier]. An attribute that the account may not read
// is simply missing from what Active Directory answers. The other ends of the links have an
// attribute of their own (memberOf, managedObjects, directReports), with rights of
// its own: nobody may show this object there, and somebody has to show another one,
// so that the account is known to read it. Members of other domains don't show it.
func (s *Source) Empty(ctx context.Context, id source.ID, attribute string) (bool, error) {
	if err := ctx.Err(); err != nil {
		return false, s.final(ctx, err)
	}
	back, known := backLinks[attribute]
	g, ok := parseGUID(string(id))
	if !known || !ok {
		return !ok, nil // nobody has such an ID
	}
	o, err := s.open(ctx, -1)
	if err != nil {
		return false, fmt.Errorf("look for %s: %w", back, s.final(ctx, err))
	}
	defer o.end()
	empty, err := o.empty(g, back)
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		o.sess.unusable = o.sess.unusable || code(err) == 0
		return false, fmt.Errorf("look for %s: %w", back, s.final(ctx, err))
	}
	return empty, nil
}

func (o *op) empty(g guid, back string) (bool, error) {
	e, _, err := o.sess.lookup(o.ctx, "<GUID="+g.text()+">", "(objectClass=*)", []string{"1.1"})
	if code(err) == ldap.LDAPResultNoSuchObject || err == nil && e == nil {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	if shown, err := o.some("(" + back + "=" + ldap.EscapeFilter(e.DN) + ")"); shown || err != nil {
		return false, err
	}
	return o.some("(" + back + "=*)")
}

// some reports whether anything in the domain matches filter.
func (o *op) some(filter string) (bool, error) {
	done := o.sess.guard.await()
	defer done()
	req := query{base: o.sess.root.domain, scope: ldap.ScopeWholeSubtree, filter: filter, attrs: []string{"1.1"},
		controls: o.sess.supported(oidDomainScope)}.request()
	req.SizeLimit = 1
	result, err := o.sess.conn.Search(req)
	full := ldap.IsErrorWithCode(err, ldap.LDAPResultSizeLimitExceeded)
	if err != nil && !full {
		return false, o.sess.explain(o.ctx, err)
	}
	return full || len(result.Entries) > 0, nil
}
