package ldapsource

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/dirbridge/dirbridge/source"
	"github.com/go-ldap/ldap/v3"
)

// longestName is more bytes than any name in a directory has: a DN is the
// longest.
const longestName = 8 << 10

// Resolve implements [source.Resolver]. A name is an objectGUID (with or without
// braces), a DN, a userPrincipalName (the implicit one too, sAMAccountName and
// the domain's DNS name, of those who have no other), a sAMAccountName, alone or
// as CORP\name, or a mail address. Somebody found in two ways is one.
func (s *Source) Resolve(ctx context.Context, name string) ([]source.ID, error) {
	if err := ctx.Err(); err != nil {
		return nil, s.final(ctx, err)
	}
	if name == "" || len(name) > longestName || !utf8.ValidString(name) || strings.ContainsRune(name, 0) {
		return nil, nil // nobody's
	}
	o, err := s.open(ctx, -1)
	if err != nil {
		return nil, fmt.Errorf("resolve a name: %w", s.final(ctx, err))
	}
	defer o.end()
	ids, err := o.resolve(name)
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		o.sess.unusable = o.sess.unusable || code(err) == 0
		return nil, fmt.Errorf("resolve a name: %w", s.final(ctx, err))
	}
	slices.Sort(ids)
	return slices.Compact(ids), nil
}

// resolve finds people in scope by name.
func (o *op) resolve(name string) (ids []source.ID, err error) {
	if err := o.sess.resolve(o.ctx, o.src.scope); err != nil {
		return nil, err
	}
	sam, err := o.accountOf(name)
	if err != nil {
		return nil, err
	}
	q := query{base: o.sess.root.domain, scope: ldap.ScopeWholeSubtree, attrs: append(slices.Clone(bookkeeping), o.src.asked...),
		controls: o.sess.supported(oidDomainScope)}
	take := func(e *ldap.Entry) error {
		r, err := o.src.decode(e)
		if err != nil {
			return err
		}
		if ev, ok := o.event(r); ok && ev.Op == source.Upsert && (q.scope == ldap.ScopeBaseObject || called(r.object, name, sam)) {
			ids = append(ids, r.object.ID)
		}
		return nil
	}
	if dn, err := ldap.ParseDN(name); err == nil && len(dn.RDNs) > 0 {
		if domain, err := ldap.ParseDN(o.sess.root.domain); err == nil && within(dn, domain) {
			q.base, q.scope, q.filter = name, ldap.ScopeBaseObject, o.src.kinds.filter()
			err := o.read(q, take)
			if c := code(err); c == ldap.LDAPResultNoSuchObject || c == ldap.LDAPResultInvalidDNSyntax {
				err = nil
			}
			return ids, err // with an '=' and the domain at its end, it can be nothing else
		}
	}
	q.filter = "(&" + o.src.kinds.filter() + filterOfName(name, sam) + ")"
	return ids, o.read(q, take)
}

// filterOfName matches who is called name, or has the account name sam if that
// isn't empty. Of either, it holds nothing but escaped bytes.
func filterOfName(name, sam string) string {
	is := func(attribute, value string) string { return "(" + attribute + "=" + escapeBytes([]byte(value)) + ")" }
	f := "(|" + is("userPrincipalName", name) + is("sAMAccountName", name) + is("mail", name)
	if g, ok := parseGUID(bare(name)); ok {
		f += is("objectGUID", string(g[:]))
	}
	if sam != "" {
		f += is("sAMAccountName", sam)
	}
	return f + ")"
}

// bare is a GUID without the braces in which some programs write it.
func bare(name string) string {
	if t, ok := strings.CutPrefix(name, "{"); ok {
		if t, ok := strings.CutSuffix(t, "}"); ok {
			return t
		}
	}
	return name
}

// called checks what the directory found, which on Windows takes no account of
// accents either.
func called(x source.Object, name, sam string) bool {
	a := x.Attributes
	switch {
	case strings.EqualFold(string(x.ID), bare(name)),
		strings.EqualFold(a.First("userPrincipalName"), name),
		strings.EqualFold(a.First("sAMAccountName"), name),
		strings.EqualFold(a.First("mail"), name):
		return true
	case sam == "" || !strings.EqualFold(a.First("sAMAccountName"), sam):
		return false
	}
	return strings.ContainsRune(name, '\\') || a.First("userPrincipalName") == "" // else it isn't the implicit one
}

// accountOf is the account name in CORP\name or in an implicit
// userPrincipalName, "" if name is neither or means another domain.
func (o *op) accountOf(name string) (string, error) {
	if domain, sam, ok := strings.Cut(name, `\`); ok {
		if own, err := o.isDomain(domain); !own || err != nil {
			return "", err
		}
		return sam, nil
	}
	if at := strings.LastIndexByte(name, '@'); at > 0 && strings.EqualFold(name[at+1:], o.src.scope.domain) {
		return name[:at], nil
	}
	return "", nil
}

// isDomain reports whether this domain is called so, in the short form or by
// DNS.
func (o *op) isDomain(name string) (bool, error) {
	if strings.EqualFold(name, o.src.scope.domain) {
		return true, nil
	}
	q := query{base: "CN=Partitions," + o.sess.root.config, scope: ldap.ScopeSingleLevel, attrs: []string{"nETBIOSName"},
		filter: "(&(objectClass=crossRef)(nCName=" + escapeBytes([]byte(o.sess.root.domain)) + "))"}
	own := false
	err := o.read(q, func(e *ldap.Entry) error {
		own = own || strings.EqualFold(e.GetEqualFoldAttributeValue("nETBIOSName"), name)
		return nil
	})
	if err != nil {
		return false, fmt.Errorf("the domain's short name: %w", err)
	}
	return own, nil
}
