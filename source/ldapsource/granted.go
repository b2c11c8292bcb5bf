package ldapsource

import (
	"fmt"
	"strings"

	"github.com/go-ldap/ldap/v3"
)

// getChanges is the right that DirSync needs, as dsacls spells it.
const getChanges = "Replicating Directory Changes"

// deletedObjects is the DN of the container of deleted objects.
func (o *op) deletedObjects() string { return deletedObjectsDN + o.sess.root.domain }

// seesDeleted looks whether the account can read the container of deleted
// objects: being allowed to list it is not enough, and what the container itself
// shows of its attributes, its children do too.
func (o *op) seesDeleted() (bool, error) {
	e, _, err := o.sess.lookup(o.ctx, o.deletedObjects(), "(objectClass=*)", []string{"isDeleted"}, o.sess.supported(oidShowDeleted, oidShowRecycled)...)
	if err != nil && code(err) != ldap.LDAPResultNoSuchObject && code(err) != ldap.LDAPResultInsufficientAccessRights {
		return false, fmt.Errorf("look at %q: %w", o.deletedObjects(), err)
	}
	return e != nil && e.GetEqualFoldAttributeValue("isDeleted") != "", nil
}

// sameRights reports whether the account sees now, of deletions, what it saw
// when w was taken. The right to DirSync needs no question: without it, DirSync
// is refused.
func (o *op) sameRights(w watermark, sees bool) error {
	switch {
	case w.Deleted && !sees:
		return fmt.Errorf("the account could read %q when it was taken and can't now, so deletions go unnoticed: %s", o.deletedObjects(), o.grantDeleted())
	case !w.Deleted && sees:
		return fmt.Errorf("the account can read %q now and couldn't when it was taken: everything is read once, to find what was deleted meanwhile", o.deletedObjects())
	}
	return nil
}

// grantDeleted says how the right to see deletions is given.
func (o *op) grantDeleted() string {
	dn := o.deletedObjects()
	return fmt.Sprintf(`as a domain administrator: dsacls "%s" /takeownership, then dsacls "%s" /G "%s:LCRP" (Samba: samba-tool dsacl set --objectdn="%s" --sddl="(A;OICI;LCLORPRC;;;<SID of the account>)")`,
		dn, dn, o.account(), dn)
}

// grantGetChanges says how the right to use DirSync is given.
func (o *op) grantGetChanges() string {
	return fmt.Sprintf(`grant %q (not "... All"): dsacls "%s" /G "%s:CA;%s"`, getChanges, o.sess.root.domain, o.account(), getChanges)
}

// account is how dsacls is told of the bound account.
func (o *op) account() string {
	if u := o.src.bind.User; !strings.Contains(u, "=") {
		return u
	}
	return `DOMAIN\account`
}
