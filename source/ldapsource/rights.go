package ldapsource

import (
	"bytes"
	"encoding/binary"
)

// administrators names the first of an account's groups, by SID, that makes it
// an administrator, "" if none does.
func administrators(sids [][]byte) string {
	builtin := []byte{1, 2, 0, 0, 0, 0, 0, 5, 32, 0, 0, 0, 0x20, 2, 0, 0} // S-1-5-32-544
	for _, s := range sids {
		if bytes.Equal(s, builtin) {
			return "Administrators"
		}
		if len(s) != 28 || s[1] != 5 { // S-1-5-21-domain-RID
			continue
		}
		switch binary.LittleEndian.Uint32(s[24:]) {
		case 512:
			return "Domain Admins"
		case 516, 498, 521:
			return "Domain Controllers"
		case 518:
			return "Schema Admins"
		case 519:
			return "Enterprise Admins"
		}
	}
	return ""
}

// getChangesAll is DS-Replication-Get-Changes-All,
// 1131f6ad-9c07-11d1-f79f-00c04fc2dcd2.
var getChangesAll = []byte{0xad, 0xf6, 0x31, 0x11, 0x07, 0x9c, 0xd1, 0x11, 0xf7, 0x9f, 0x00, 0xc0, 0x4f, 0xc2, 0xdc, 0xd2}

// grantsGetChangesAll reports whether an entry of a security descriptor's DACL
// (MS-DTYP 2.4.6) allows one of sids to replicate secrets. It doesn't weigh
// denials against it: too much is warned of rather than too little.
func grantsGetChangesAll(sd []byte, sids [][]byte) bool {
	if len(sd) < 20 {
		return false
	}
	at := binary.LittleEndian.Uint32(sd[16:])
	if at == 0 || uint64(at)+8 > uint64(len(sd)) {
		return false
	}
	acl := sd[at:]
	count := binary.LittleEndian.Uint16(acl[4:])
	for acl = acl[8:]; count > 0 && len(acl) >= 8; count-- {
		size := int(binary.LittleEndian.Uint16(acl[2:]))
		if size < 8 || size > len(acl) {
			return false
		}
		if aceGrants(acl[:size], sids) {
			return true
		}
		acl = acl[size:]
	}
	return false
}

// aceGrants judges one access control entry (MS-DTYP 2.4.4).
func aceGrants(ace []byte, sids [][]byte) bool {
	const (
		allowed, allowedObject = 0, 5
		inheritOnly            = 0x08
		controlAccess          = 0x00000100
		genericAll             = 0x10000000
	)
	mask, sid := binary.LittleEndian.Uint32(ace[4:]), ace[8:]
	if ace[1]&inheritOnly != 0 || mask&(controlAccess|genericAll) == 0 || ace[0] != allowed && ace[0] != allowedObject {
		return false
	}
	if ace[0] == allowedObject {
		if len(ace) < 12 {
			return false
		}
		flags := binary.LittleEndian.Uint32(ace[8:])
		sid = ace[12:]
		if flags&1 != 0 { // one right, not all of them
			if len(sid) < 16 || !bytes.Equal(sid[:16], getChangesAll) {
				return false
			}
			sid = sid[16:]
		}
		if flags&2 != 0 {
			sid = sid[min(16, len(sid)):]
		}
	}
	for _, s := range sids {
		if len(s) > 0 && bytes.Equal(sid[:min(len(s), len(sid))], s) {
			return true
		}
	}
	return false
}
