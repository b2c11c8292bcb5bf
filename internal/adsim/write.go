package adsim

import (
	"strings"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"
)

// write carries out modify, add, delete, modifyDN and compare.
func (c *conn) write(op *ber.Packet, ctl *controls) error {
	if c.who == nil {
		return notBound()
	}
	d := c.dir
	if op.Tag == ldap.ApplicationCompareRequest {
		d.mu.RLock()
		defer d.mu.RUnlock()
		return d.compare(op, c.who)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if !c.who.admin() {
		return fail(ldap.LDAPResultInsufficientAccessRights, "00002098: SecErr: DSID-03150F94, problem 4003 (INSUFF_ACCESS_RIGHTS), data 0")
	}
	switch op.Tag {
	case ldap.ApplicationAddRequest:
		return d.addRequest(op)
	case ldap.ApplicationDelRequest:
		r, err := d.lookup(op.Data.String(), c.who)
		switch {
		case err != nil:
			return err
		case ctl.treeDelete:
			return d.deleteTree(r)
		}
		return d.delete(r)
	case ldap.ApplicationModifyDNRequest:
		return d.renameRequest(op, c.who)
	}
	return d.modifyRequest(op, ctl, c.who)
}

func (d *Directory) addRequest(op *ber.Packet) error {
	if len(op.Children) != 2 {
		return malformed("add request")
	}
	attrs := Attrs{}
	for _, a := range op.Children[1].Children {
		name, values, err := attributeOf(a)
		if err != nil {
			return err
		}
		if strings.EqualFold(name, "objectGUID") {
			return fail(ldap.LDAPResultUnwillingToPerform, "0000203B: objectGUID is the system's own")
		}
		attrs[name] = values
	}
	_, err := d.add(op.Children[0].Data.String(), attrs)
	return err
}

// attributeOf reads a PartialAttribute.
func attributeOf(p *ber.Packet) (name string, values []string, err error) {
	if len(p.Children) != 2 {
		return "", nil, malformed("attribute")
	}
	for _, v := range p.Children[1].Children {
		values = append(values, v.Data.String())
	}
	return p.Children[0].Data.String(), values, nil
}

func (d *Directory) renameRequest(op *ber.Packet, who *reader) error {
	if len(op.Children) < 3 {
		return malformed("modifyDN request")
	}
	r, err := d.lookup(op.Children[0].Data.String(), who)
	if err != nil {
		return err
	}
	parent := ""
	if len(op.Children) > 3 {
		parent = op.Children[3].Data.String()
	}
	return d.move(r, op.Children[1].Data.String(), parent)
}

func (d *Directory) modifyRequest(op *ber.Packet, ctl *controls, who *reader) error {
	if len(op.Children) != 2 {
		return malformed("modify request")
	}
	var mods []Mod
	reanimate, dn := false, ""
	for _, change := range op.Children[1].Children {
		if len(change.Children) != 2 {
			return malformed("modify request")
		}
		kind, ok := change.Children[0].Value.(int64)
		name, values, err := attributeOf(change.Children[1])
		switch {
		case err != nil:
			return err
		case !ok || kind < 0 || kind > 2:
			return malformed("modify request")
		case strings.EqualFold(name, "isDeleted") && kind == 1:
			reanimate = true
		case strings.EqualFold(name, "distinguishedName") && kind == 2 && len(values) == 1:
			dn = values[0]
		default:
			mods = append(mods, Mod{kind, name, values})
		}
	}
	r, err := d.lookup(op.Children[0].Data.String(), who)
	switch {
	case err != nil:
		return err
	case r.deleted && !ctl.showDeleted:
		return d.noSuchObject(place{})
	case r.deleted && reanimate && dn != "":
		return d.undelete(r, dn, mods)
	case r.deleted || reanimate || dn != "":
		return fail(ldap.LDAPResultUnwillingToPerform, "0000200F: SvcErr: DSID-031A1254, problem 5003 (WILL_NOT_PERFORM), data 0")
	}
	if ctl.permissive {
		mods = d.permit(r, mods)
	}
	return d.modify(r, mods)
}

// permit leaves out additions of what is there and deletions of what isn't,
// which are no errors with the permissive-modify control.
func (d *Directory) permit(r *record, mods []Mod) []Mod {
	var out []Mod
	for _, m := range mods {
		if m.op == 2 || len(m.values) == 0 {
			out = append(out, m)
			continue
		}
		var values []string
		for _, v := range m.values {
			if def := theSchema().attr(m.name); def == nil || d.equal(def, v)(r) != (m.op == 0) {
				values = append(values, v)
			}
		}
		if len(values) > 0 {
			out = append(out, Mod{m.op, m.name, values})
		}
	}
	return out
}

func (d *Directory) compare(op *ber.Packet, who *reader) error {
	if len(op.Children) != 2 || len(op.Children[1].Children) != 2 {
		return malformed("compare request")
	}
	r, err := d.lookup(op.Children[0].Data.String(), who)
	if err != nil {
		return err
	}
	name, value := assertion(op.Children[1])
	def := theSchema().attr(name)
	switch {
	case r.deleted:
		return d.noSuchObject(place{})
	case def == nil || !d.hasValue(r, def):
		return fail(ldap.LDAPResultNoSuchAttribute, "00002080: AtrErr: DSID-03080155, problem 1001 (NO_ATTRIBUTE_OR_VAL), data 0")
	case d.equal(def, value)(r):
		return fail(ldap.LDAPResultCompareTrue, "")
	}
	return fail(ldap.LDAPResultCompareFalse, "")
}
