package boltstate

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"

	"github.com/dirbridge/dirbridge/state"
)

// A stored value is: revision (8 bytes), checksum (4), value.
const headerSize = 12

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

var errChecksum = errors.New("checksum doesn't match")

// checksum covers all that makes a record. It begins with the key's length
// because otherwise a byte could move from key to value unnoticed. revision is
// in its stored form.
func checksum(key, revision, value []byte) uint32 {
	sum := crc32.Update(uint32(len(key)), castagnoli, key)
	sum = crc32.Update(sum, castagnoli, revision)
	return crc32.Update(sum, castagnoli, value)
}

func seal(key []byte, revision uint64, value []byte) (stored []byte, sum uint32) {
	stored = make([]byte, headerSize, headerSize+len(value))
	binary.BigEndian.PutUint64(stored, revision)
	sum = checksum(key, stored[:8], value)
	binary.BigEndian.PutUint32(stored[8:], sum)
	return append(stored, value...), sum
}

// unseal takes a stored value apart. value shares memory with stored.
func unseal(key, stored []byte) (revision uint64, sum uint32, value []byte, err error) {
	if len(stored) < headerSize {
		return 0, 0, nil, fmt.Errorf("%w: %q: only %d bytes", state.ErrCorrupt, key, len(stored))
	}
	revision = binary.BigEndian.Uint64(stored)
	sum = binary.BigEndian.Uint32(stored[8:])
	value = stored[headerSize:]
	if checksum(key, stored[:8], value) != sum {
		return 0, 0, nil, fmt.Errorf("%w: %q: %w", state.ErrCorrupt, key, errChecksum)
	}
	return revision, sum, value, nil
}

// unsealRecord is unseal for what is in the bucket of records.
func unsealRecord(key, stored []byte) (revision uint64, sum uint32, value []byte, err error) {
	revision, sum, value, err = unseal(key, stored)
	if err == nil && revision == 0 {
		err = fmt.Errorf("%w: %q: revision 0", state.ErrCorrupt, key)
	}
	return revision, sum, value, err
}

// Totals are kept in the same transaction as the records. They are what notices
// that a record is missing: a missing record has no checksum.
type totals struct {
	revision uint64 // last one given out; never given out again
	records  uint64
	sum      uint64 // of the records' checksums, modulo 2^64
}

func (t totals) seal() []byte {
	var b [24]byte
	binary.BigEndian.PutUint64(b[0:], t.revision)
	binary.BigEndian.PutUint64(b[8:], t.records)
	binary.BigEndian.PutUint64(b[16:], t.sum)
	stored, _ := seal(totalsKey, 0, b[:])
	return stored
}

func unsealTotals(stored []byte) (totals, error) {
	_, _, b, err := unseal(totalsKey, stored)
	if err == nil && len(b) != 24 {
		err = fmt.Errorf("%w: %q has %d bytes", state.ErrCorrupt, totalsKey, len(b))
	}
	if err != nil {
		return totals{}, err
	}
	return totals{
		revision: binary.BigEndian.Uint64(b[0:]),
		records:  binary.BigEndian.Uint64(b[8:]),
		sum:      binary.BigEndian.Uint64(b[16:]),
	}, nil
}
