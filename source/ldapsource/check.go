package ldapsource

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/dirbridge/dirbridge/source"
	"github.com/go-ldap/ldap/v3"
)

// Check implements [source.Checker]. Its codes:
//
//   - bind-refused, not-active-directory, configuration-hidden, base-dn-missing,
//     base-dn-outside (blockers): no read can succeed.
//   - dirsync-denied: deltas go by USN instead; a blocker if Options.Delta
//     demands DirSync.
//   - deleted-objects-hidden (warning): deletions will not be seen.
//   - more-rights-than-needed (warning): the account is an administrator or may
//     read password hashes.
//   - insecure-connection (warning): Options.InsecurePlainLDAP is in use.
//   - attribute-not-in-schema: a warning for attributes of Options, which may be
//     misspelt, else for information.
func (s *Source) Check(ctx context.Context) ([]source.Finding, error) {
	o, err := s.open(ctx, -1)
	if err != nil {
		if f, ok := s.connectFinding(err); ok {
			return []source.Finding{f}, nil
		}
		return nil, fmt.Errorf("check: %w", s.final(ctx, err))
	}
	defer o.end()
	var findings []source.Finding
	for _, check := range []func() ([]source.Finding, error){o.checkBases, o.checkDirSync, o.checkDeleted, o.checkRights, o.checkSchema} {
		f, err := check()
		if err != nil {
			return nil, fmt.Errorf("check: %w", s.final(ctx, err))
		}
		findings = append(findings, f...)
	}
	if s.opts.InsecurePlainLDAP && !o.sess.server.tls {
		findings = append(findings, source.Finding{Severity: source.Warning, Code: "insecure-connection",
			Message: "the password and everybody's data cross the network in clear (Options.InsecurePlainLDAP)",
			Remedy:  "use ldaps://, or ldap:// without that option, which means StartTLS"})
	}
	slices.SortStableFunc(findings, func(a, b source.Finding) int { return gravity(b.Severity) - gravity(a.Severity) })
	return findings, nil
}

func gravity(s source.Severity) int {
	return slices.Index([]source.Severity{source.Info, source.Warning, source.Blocker}, s)
}

// connectFinding is what an administrator has to do about a refused connection.
// A server that can't be reached is no finding: the check could not be made.
func (s *Source) connectFinding(err error) (source.Finding, bool) {
	f := source.Finding{Severity: source.Blocker, Message: err.Error()}
	switch {
	case errors.Is(err, source.ErrUnauthenticated):
		f.Code, f.Remedy = "bind-refused", fmt.Sprintf("correct the name or password of %q, or unlock and enable the account", s.bind.User)
	case errors.Is(err, errNotAD):
		f.Code, f.Remedy = "not-active-directory", "name a domain controller"
	case errors.Is(err, source.ErrForbidden):
		f.Code, f.Remedy = "configuration-hidden", "let the account read the configuration partition, as Authenticated Users may by default"
	default:
		return f, false
	}
	return f, true
}

func (o *op) checkBases() ([]source.Finding, error) {
	err := o.sess.resolve(o.ctx, o.src.scope)
	if err == nil {
		return nil, nil
	}
	f := source.Finding{Severity: source.Blocker, Message: err.Error()}
	switch {
	case errors.Is(err, errNoBase):
		f.Code, f.Remedy = "base-dn-missing", "correct the base DN, or let the account list what is above it"
	case errors.Is(err, errForeignBase):
		f.Code, f.Remedy = "base-dn-outside", "name servers of that domain, or base DNs in this one"
	default:
		return nil, err
	}
	return []source.Finding{f}, nil
}

func (o *op) checkDirSync() ([]source.Finding, error) {
	if o.src.opts.Delta == DeltaUSN {
		return nil, nil
	}
	_, err := o.prime()
	if code(err) != ldap.LDAPResultInsufficientAccessRights {
		return nil, err
	}
	f := source.Finding{Severity: source.Warning, Code: "dirsync-denied",
		Message: "the account may not use DirSync, so changes are found by polling uSNChanged, which asks more of the domain controller",
		Remedy:  o.grantGetChanges()}
	if o.src.opts.Delta == DeltaDirSync {
		f.Severity, f.Message = source.Blocker, "the account may not use DirSync, which Options.Delta demands"
	}
	return []source.Finding{f}, nil
}

func (o *op) checkDeleted() ([]source.Finding, error) {
	if sees, err := o.seesDeleted(); sees || err != nil {
		return nil, err
	}
	return []source.Finding{{Severity: source.Warning, Code: "deleted-objects-hidden",
		Message: fmt.Sprintf("the account can't read %q: deletions will not be seen, and accounts of people who were deleted stay as they are", o.deletedObjects()),
		Remedy:  o.grantDeleted()}}, nil
}

func (o *op) checkRights() ([]source.Finding, error) {
	why := ""
	if name := administrators(o.sess.root.tokenGroups); name != "" {
		why = "it is a member of " + name
	} else {
		flags := control{oid: oidSDFlags, value: []byte{0x30, 3, 2, 1, 4}} // the DACL alone
		if !o.sess.controls[oidSDFlags] {
			return nil, nil
		}
		e, _, err := o.sess.lookup(o.ctx, o.sess.root.domain, "(objectClass=*)", []string{"nTSecurityDescriptor"}, flags)
		if err != nil {
			return nil, err
		}
		if e != nil && grantsGetChangesAll(e.GetEqualFoldRawAttributeValue("nTSecurityDescriptor"), o.sess.root.tokenGroups) {
			why = `it holds "Replicating Directory Changes All"`
		}
	}
	if why == "" {
		return nil, nil
	}
	return []source.Finding{{Severity: source.Warning, Code: "more-rights-than-needed",
		Message: "the account can read every password hash of the domain: " + why,
		Remedy:  `use an ordinary account with "Replicating Directory Changes" on the domain (not "... All") and the right to read Deleted Objects, nothing else`,
	}}, nil
}

// checkSchema finds names that the schema lacks: asked for, they just read as
// empty.
func (o *op) checkSchema() ([]source.Finding, error) {
	var f strings.Builder
	f.WriteString("(&(objectClass=attributeSchema)(|")
	for _, n := range o.src.asked {
		f.WriteString("(lDAPDisplayName=" + n + ")") // a name is letters, digits and hyphens
	}
	f.WriteString("))")
	have := map[string]bool{}
	err := o.read(query{base: o.sess.root.schema, scope: ldap.ScopeSingleLevel, filter: f.String(), attrs: []string{"lDAPDisplayName"}},
		func(e *ldap.Entry) error {
			have[strings.ToLower(e.GetEqualFoldAttributeValue("lDAPDisplayName"))] = true
			return nil
		})
	if err != nil {
		return nil, err
	}
	var standard, own []string
	for _, n := range o.src.asked {
		switch {
		case have[strings.ToLower(n)]:
		case slices.Contains(defaultAttributes, n):
			standard = append(standard, n)
		default:
			own = append(own, n)
		}
	}
	var findings []source.Finding
	if len(own) > 0 {
		findings = append(findings, source.Finding{Severity: source.Warning, Code: "attribute-not-in-schema",
			Message: "the directory's schema has no attribute " + strings.Join(own, ", ") + ": it will read as empty",
			Remedy:  "spell the names as in the schema (mS-DS-ConsistencyGuid, not msDS-ConsistencyGuid), or leave them out"})
	}
	if len(standard) > 0 {
		findings = append(findings, source.Finding{Severity: source.Info, Code: "attribute-not-in-schema",
			Message: "the directory's schema has no attribute " + strings.Join(standard, ", ") + ", as in a domain that never had Exchange: it will read as empty",
			Remedy:  "nothing to do"})
	}
	return findings, nil
}
