package boltstate

import (
	"encoding/binary"
	"fmt"

	"go.etcd.io/bbolt"

	"github.com/dirbridge/dirbridge/state"
)

// Names in the file. Those of the bucket meta and of the key format are for
// good: every version has to find the version.
var (
	metaBucket    = []byte("meta")
	recordsBucket = []byte("records")
	formatKey     = []byte("format")
	totalsKey     = []byte("totals")
)

// A migration brings a file from one format to the next, in the transaction that
// it is given.
type migration func(tx *bbolt.Tx) error

// migrations has at index i the step from format i+1; the format that this
// software writes is the one after the last step. A step is never changed once
// it is released. testdata holds a file of each released format.
var migrations = []migration{}

// newest is the format that steps lead to.
func newest(steps []migration) uint32 { return uint32(len(steps)) + 1 }

func sealFormat(version uint32) []byte {
	stored, _ := seal(formatKey, 0, binary.BigEndian.AppendUint32(nil, version))
	return stored
}

func unsealFormat(stored []byte) (uint32, error) {
	_, _, b, err := unseal(formatKey, stored)
	if err == nil && len(b) != 4 {
		err = fmt.Errorf("%w: %q has %d bytes", state.ErrCorrupt, formatKey, len(b))
	}
	if err != nil {
		return 0, err
	}
	return binary.BigEndian.Uint32(b), nil
}

// inspect returns the format of tx's file, 0 if nothing was ever written to it.
func inspect(tx *bbolt.Tx, known uint32) (uint32, error) {
	meta, records := tx.Bucket(metaBucket), tx.Bucket(recordsBucket)
	if meta == nil {
		if name, _ := tx.Cursor().First(); name != nil {
			return 0, errForeign
		}
		return 0, nil
	}
	version, err := knownFormat(meta.Get(formatKey), known)
	if err != nil || version < known {
		return version, err
	}
	if records == nil {
		return 0, fmt.Errorf("%w: bucket %q is missing", state.ErrCorrupt, recordsBucket)
	}
	_, err = unsealTotals(meta.Get(totalsKey))
	return version, err
}

var errForeign = fmt.Errorf("%w: a bbolt file, but not a store of this software", state.ErrCorrupt)

// knownFormat returns the stored format if this software can read or migrate it.
func knownFormat(stored []byte, known uint32) (uint32, error) {
	version, err := unsealFormat(stored)
	switch {
	case err != nil:
		return 0, err
	case version == 0:
		return 0, fmt.Errorf("%w: there is no format 0", state.ErrCorrupt)
	case version > known:
		return 0, fmt.Errorf("%w: %d, while this program knows %d: run the newer one", state.ErrNewerFormat, version, known)
	}
	return version, nil
}

// create makes an empty file a store.
func create(tx *bbolt.Tx, version uint32) error {
	meta, err := tx.CreateBucket(metaBucket)
	if err != nil {
		return err
	}
	if _, err := tx.CreateBucket(recordsBucket); err != nil {
		return err
	}
	if err := meta.Put(totalsKey, totals{}.seal()); err != nil {
		return err
	}
	return meta.Put(formatKey, sealFormat(version))
}

// migrate takes the steps that lie between version and the current format.
func migrate(tx *bbolt.Tx, version uint32, steps []migration) error {
	for _, step := range steps[version-1:] {
		if err := step(tx); err != nil {
			return fmt.Errorf("migrate from format %d: %w", version, err)
		}
		version++
	}
	return tx.Bucket(metaBucket).Put(formatKey, sealFormat(version))
}
