package adsim

import (
	"time"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"
)

// flushAt is how much of an answer is gathered before it is written.
const flushAt = 32 << 10

// start strikes a fault that strikes at once, and reports whether the search is
// to go on.
func (a *answer) start() bool { return a.fault.After > 0 || a.strike() }

// strikes says whether the fault ends the answer in any way.
func (f Fault) strikes() bool { return f.Code != 0 || f.Cut || f.Hang }

// strike ends the answer as the fault says. It reports true if it doesn't.
func (a *answer) strike() bool {
	f := a.fault
	if !f.strikes() {
		return true
	}
	a.flush()
	switch {
	case f.Cut:
		a.conn.raw.Close()
	case f.Hang:
		<-a.ctx.Done()
	default:
		_ = a.conn.reply(a.id, resultPacket(ldap.ApplicationSearchResultDone, fail(f.Code, "%s", f.Text)), nil)
	}
	a.ended = true
	return false
}

// entry sends one entry or reference. It reports false if the answer has ended.
func (a *answer) entry(op *ber.Packet) bool {
	if a.ended || a.ctx.Err() != nil {
		a.ended = true
		return false
	}
	if a.fault.strikes() && a.sent >= a.fault.After {
		return a.strike()
	}
	if a.fault.Drip > 0 {
		a.flush()
		select {
		case <-time.After(a.fault.Drip):
		case <-a.ctx.Done():
			a.ended = true
			return false
		}
	}
	a.buf.Write(envelope(a.id, op, nil).Bytes())
	a.sent++
	if a.buf.Len() >= flushAt {
		a.flush()
	}
	return !a.ended
}

// done ends the answer, unless it has been cut or abandoned.
func (a *answer) done(controls []*ber.Packet, err error) {
	if a.ended || a.ctx.Err() != nil || !a.strike() {
		return
	}
	a.buf.Write(envelope(a.id, resultPacket(ldap.ApplicationSearchResultDone, err), controls).Bytes())
	a.flush()
}

// flush writes what is gathered, or as much as the fault lets through.
func (a *answer) flush() {
	b := a.buf.Bytes()
	if most := a.fault.CutAfterBytes; most > 0 && a.bytes+len(b) >= most {
		_ = a.conn.send(b[:most-a.bytes])
		a.conn.raw.Close()
		a.ended = true
		return
	}
	if len(b) > 0 && a.conn.send(b) != nil {
		a.ended = true
	}
	a.bytes += len(b)
	a.buf.Reset()
}

// referrals names the naming contexts that lie below the base of the search
// and that it didn't enter.
func (a *answer) referrals(q *query, s *searchRequest, ctl *controls) {
	d := a.conn.dir
	if d.opts.NoReferrals || ctl.domainScope || s.scope == ldap.ScopeBaseObject || q.base.guid != q.base.nc {
		return
	}
	scheme, suffix := "ldap://", ""
	if a.conn.secure && d.opts.Samba {
		scheme = "ldaps://"
	}
	if s.scope == ldap.ScopeSingleLevel {
		suffix = "??base"
	}
	for _, dn := range d.subordinate(q.base) {
		p := ber.Encode(ber.ClassApplication, ber.TypeConstructed, ldap.ApplicationSearchResultReference, nil, "")
		p.AppendChild(octetString(scheme + d.opts.Domain + "/" + dn + suffix))
		if !a.entry(p) {
			return
		}
	}
}

// subordinate are the naming contexts right below another, DNS's included,
// which this simulator has in name only.
func (d *Directory) subordinate(r *record) []string {
	d.mu.RLock()
	defer d.mu.RUnlock()
	base := d.BaseDN()
	switch d.headDN[r.guid] {
	case base:
		return []string{d.configDN(), "DC=DomainDnsZones," + base, "DC=ForestDnsZones," + base}
	case d.configDN():
		return []string{d.schemaDN()}
	}
	return nil
}
