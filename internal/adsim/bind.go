package adsim

import (
	"slices"
	"strings"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"
)

// notBound is what everything but the rootDSE answers to strangers.
func notBound() error {
	return fail(ldap.LDAPResultOperationsError, "000004DC: LdapErr: DSID-0C090A5C, comment: In order to perform this operation a successful bind must be completed on the connection., data 0, v4563")
}

// badCredentials has Windows's reason in data: 52e wrong password, 525 no such
// user, 533 disabled.
func badCredentials(data string) error {
	return fail(ldap.LDAPResultInvalidCredentials, "80090308: LdapErr: DSID-0C0903A9, comment: AcceptSecurityContext error, data %s, v1db1", data)
}

// bind is the simple bind, by DN, UPN, or DOMAIN\name. A refused bind leaves
// the connection anonymous.
func (c *conn) bind(op *ber.Packet) error {
	c.who = nil
	if len(op.Children) != 3 {
		return malformed("bind request")
	}
	name, _ := op.Children[1].Value.(string)
	auth := op.Children[2]
	if auth.ClassType != ber.ClassContext || auth.Tag != 0 {
		return fail(ldap.LDAPResultAuthMethodNotSupported, "00002027: LdapErr: DSID-0C090456, comment: only simple bind is simulated, data 0")
	}
	password := auth.Data.String()
	switch {
	case name == "" && password == "":
		return nil
	case c.dir.opts.RequireSigning && !c.secure:
		return fail(ldap.LDAPResultStrongAuthRequired, "00002028: LdapErr: DSID-0C090202, comment: The server requires binds to turn on integrity checking if SSL\\TLS are not already active on the connection, data 0, v1db1")
	case password == "" && !c.dir.opts.Samba:
		return nil // RFC 4513's unauthenticated bind: success, and anonymous
	}
	who, err := c.dir.authenticate(name, password)
	if err != nil {
		return err
	}
	c.who = who
	return nil
}

// authenticate finds the account behind a bind name and checks its password.
func (d *Directory) authenticate(name, password string) (*reader, error) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	r := d.principal(name)
	if r == nil || r.deleted {
		if d.opts.Samba {
			return nil, badCredentials("52e")
		}
		return nil, badCredentials("525")
	}
	i := slices.IndexFunc(d.opts.Accounts, func(a Account) bool { return strings.EqualFold(a.Name, r.first(d.a.sam)) })
	if i < 0 || d.opts.Accounts[i].Password != password || password == "" {
		return nil, badCredentials("52e")
	}
	if n, ok := asNumber(d.a.uac, r.first(d.a.uac)); ok && n&2 != 0 {
		return nil, badCredentials("533")
	}
	return &reader{name: d.opts.NetBIOS + `\` + r.first(d.a.sam), acct: &d.opts.Accounts[i]}, nil
}

// principal finds an account by DN, DOMAIN\name, UPN or name@domain.
func (d *Directory) principal(name string) *record {
	if p, err := d.locate(name); err == nil && p.rec != nil {
		return p.rec
	}
	if domain, sam, ok := strings.Cut(name, `\`); ok {
		if !strings.EqualFold(domain, d.opts.NetBIOS) {
			return nil
		}
		return d.records[d.sam[fold(sam)]]
	}
	if r := d.records[d.upn[fold(name)]]; r != nil {
		return r
	}
	if sam, domain, ok := strings.Cut(name, "@"); ok && strings.EqualFold(domain, d.opts.Domain) {
		return d.records[d.sam[fold(sam)]]
	}
	return nil
}

// extended answers StartTLS and whoami.
func (c *conn) extended(op *ber.Packet) (p *ber.Packet, upgrade bool) {
	oid := ""
	if len(op.Children) > 0 {
		oid = op.Children[0].Data.String()
	}
	switch {
	case oid == oidStartTLS && c.secure:
		return resultPacket(ldap.ApplicationExtendedResponse, fail(ldap.LDAPResultOperationsError, "00000001: TLS is already there")), false
	case oid == oidStartTLS:
		p = resultPacket(ldap.ApplicationExtendedResponse, nil)
		p.AppendChild(ber.NewString(ber.ClassContext, ber.TypePrimitive, 10, oidStartTLS, ""))
		return p, true
	case oid == oidWhoAmI && !c.dir.opts.Samba:
		p = resultPacket(ldap.ApplicationExtendedResponse, nil)
		name := ""
		if c.who != nil {
			name = "u:" + c.who.name
		}
		p.AppendChild(ber.NewString(ber.ClassContext, ber.TypePrimitive, 11, name, ""))
		return p, false
	}
	return resultPacket(ldap.ApplicationExtendedResponse, fail(ldap.LDAPResultProtocolError, "0000203D: LdapErr: DSID-0C090C7D, comment: Unknown extended request OID, data 0, v1db1")), false
}
