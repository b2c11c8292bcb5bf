package adsim

import (
	"slices"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"
)

const (
	oidDirSync       = "1.2.840.113556.1.4.841"
	oidShowDeleted   = "1.2.840.113556.1.4.417"
	oidShowRecycled  = "1.2.840.113556.1.4.2064"
	oidShowLinks     = "1.2.840.113556.1.4.2065"
	oidExtendedDN    = "1.2.840.113556.1.4.529"
	oidSDFlags       = "1.2.840.113556.1.4.801"
	oidDomainScope   = "1.2.840.113556.1.4.1339"
	oidPaged         = "1.2.840.113556.1.4.319"
	oidRangeNoErr    = "1.2.840.113556.1.4.1948"
	oidTreeDelete    = "1.2.840.113556.1.4.805"
	oidPermissiveMod = "1.2.840.113556.1.4.1413"
	oidManageDsaIT   = "2.16.840.1.113730.3.4.2"
	oidStartTLS      = "1.3.6.1.4.1.1466.20037"
	oidWhoAmI        = "1.3.6.1.4.1.4203.1.11.3"
)

// supportedControls are those that change an answer here. Deactivated links
// and security descriptors aren't kept, so their controls are accepted and
// leave the answer as it is.
var supportedControls = []string{
	oidDirSync, oidShowDeleted, oidShowRecycled, oidShowLinks, oidExtendedDN, oidSDFlags, oidDomainScope, oidPaged,
	oidRangeNoErr, oidTreeDelete, oidPermissiveMod,
}

// controls are the request controls of one operation.
type controls struct {
	showDeleted  bool
	domainScope  bool
	rangeNoError bool
	treeDelete   bool
	permissive   bool
	extendedDN   int // see view
	paged        *pagedRequest
	dirSync      *dirSyncRequest
}

type pagedRequest struct {
	size   int64
	cookie string
}

type dirSyncRequest struct {
	critical bool
	flags    int64
	flagsLen int // bytes of the flags on the wire
	maxBytes int64
	cookie   string
}

func malformed(what string) error {
	return fail(ldap.LDAPResultProtocolError, "0000203D: LdapErr: DSID-0C0907C5, comment: Error decoding ldap message, data 0: %s", what)
}

// parseControls reads the controls of a request. An unknown critical one is
// refused, an unknown other one is ignored (RFC 4511, 4.1.11).
func parseControls(p *ber.Packet) (*controls, error) {
	c := &controls{}
	if p == nil {
		return c, nil
	}
	for _, item := range p.Children {
		if len(item.Children) == 0 {
			return nil, malformed("control without a type")
		}
		oid, _ := item.Children[0].Value.(string)
		critical := false
		var value *ber.Packet
		for _, part := range item.Children[1:] {
			if part.Tag == ber.TagBoolean {
				critical = isTrue(part)
			} else {
				value = part
			}
		}
		if err := c.take(oid, critical, value); err != nil {
			return nil, err
		}
	}
	if c.dirSync != nil && c.paged != nil {
		return nil, fail(ldap.LDAPResultOperationsError, "00000057: DirSync and paged results exclude each other")
	}
	return c, nil
}

// isTrue reads a BOOLEAN. RFC 4511 wants 0xFF, and Samba takes nothing else,
// which go-ldap's ControlString and TypesOnly run into (ad-facts.md 9). How
// Windows reads 0x01 isn't known; the strict reading finds a client's mistake.
func isTrue(p *ber.Packet) bool {
	return len(p.ByteValue) == 1 && p.ByteValue[0] == 0xff
}

func (c *controls) take(oid string, critical bool, value *ber.Packet) error {
	switch oid {
	case oidShowDeleted, oidShowRecycled:
		c.showDeleted = true
	case oidDomainScope:
		c.domainScope = true
	case oidRangeNoErr:
		c.rangeNoError = true
	case oidTreeDelete:
		c.treeDelete = true
	case oidPermissiveMod:
		c.permissive = true
	case oidExtendedDN:
		c.extendedDN = 1
		if seq, err := inner(value); err == nil && len(seq.Children) == 1 {
			if n, _ := seq.Children[0].Value.(int64); n == 1 {
				c.extendedDN = 2
			}
		}
	case oidPaged:
		seq, err := inner(value)
		if err != nil || len(seq.Children) != 2 {
			return malformed("paged results control")
		}
		size, ok := seq.Children[0].Value.(int64)
		if !ok {
			return malformed("paged results control")
		}
		c.paged = &pagedRequest{size, seq.Children[1].Data.String()}
	case oidDirSync:
		seq, err := inner(value)
		if err != nil || len(seq.Children) != 3 {
			return malformed("dirsync control")
		}
		flags, ok1 := seq.Children[0].Value.(int64)
		maxBytes, ok2 := seq.Children[1].Value.(int64)
		if !ok1 || !ok2 {
			return malformed("dirsync control")
		}
		c.dirSync = &dirSyncRequest{critical, flags, len(seq.Children[0].ByteValue), maxBytes, seq.Children[2].Data.String()}
	case oidShowLinks, oidSDFlags, oidManageDsaIT:
	default:
		if critical && !slices.Contains(supportedControls, oid) {
			return fail(ldap.LDAPResultUnavailableCriticalExtension, "00000057: LdapErr: DSID-0C09079A, comment: Error processing control, data 0: %s", oid)
		}
	}
	return nil
}

// inner decodes the BER that a control's value holds.
func inner(value *ber.Packet) (*ber.Packet, error) {
	if value == nil {
		return nil, malformed("control without a value")
	}
	return ber.DecodePacketErr(value.Data.Bytes())
}

// encodeControl makes a response control.
func encodeControl(oid string, value *ber.Packet) *ber.Packet {
	p := ber.NewSequence("")
	p.AppendChild(octetString(oid))
	p.AppendChild(octetString(string(value.Bytes())))
	return p
}

func pagedResponse(estimate int, cookie string) *ber.Packet {
	seq := ber.NewSequence("")
	seq.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagInteger, estimate, ""))
	seq.AppendChild(octetString(cookie))
	return encodeControl(oidPaged, seq)
}

func dirSyncResponse(more bool, cookie string) *ber.Packet {
	flag := 0
	if more {
		flag = 1
	}
	seq := ber.NewSequence("")
	seq.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagInteger, flag, ""))
	seq.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagInteger, 0, ""))
	seq.AppendChild(octetString(cookie))
	return encodeControl(oidDirSync, seq)
}
