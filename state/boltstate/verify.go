package boltstate

import (
	"bytes"
	"context"
	"os"
)

// verify walks a whole file that nobody is writing to: all pages, all keys, all
// checksums, the totals. known is the newest format that can be understood. It
// changes nothing.
func verify(ctx context.Context, file *os.File, known uint32) error {
	info, err := file.Stat()
	if err != nil {
		return err
	}
	img, err := openImage(ctx, file, info.Size())
	if err != nil {
		return err
	}
	buckets := map[string][]byte{}
	walkRoot := walk{img: img, visit: func(e entry) error {
		if !e.bucket {
			return errForeign
		}
		buckets[string(e.key)] = bytes.Clone(e.value)
		return nil
	}}
	if err := walkRoot.tree(img.root, nil, nil); err != nil {
		return err
	}
	if len(buckets) == 0 && img.txid <= 1 { // bbolt made it, then the program ended
		return nil
	}
	if err := img.contents(buckets, known); err != nil {
		return err
	}
	return img.free()
}

// contents checks what the buckets hold.
func (img *image) contents(buckets map[string][]byte, known uint32) error {
	if buckets[string(metaBucket)] == nil {
		return errForeign
	}
	meta := map[string][]byte{}
	err := img.bucket(buckets[string(metaBucket)], func(e entry) error {
		if e.bucket {
			return corrupt("%q is a bucket", e.key)
		}
		meta[string(e.key)] = bytes.Clone(e.value)
		return nil
	})
	if err != nil {
		return err
	}
	version, err := knownFormat(meta[string(formatKey)], known)
	if err != nil {
		return err
	}
	if version < known {
		// What an older format looks like is the business of its migration;
		// here only the pages count.
		for name, header := range buckets {
			if name != string(metaBucket) {
				if err := img.bucket(header, func(entry) error { return nil }); err != nil {
					return err
				}
			}
		}
		return nil
	}
	stored, err := unsealTotals(meta[string(totalsKey)])
	if err != nil {
		return err
	}
	if len(buckets) != 2 || buckets[string(recordsBucket)] == nil {
		return corrupt("bucket %q is missing, or there are others", recordsBucket)
	}
	counted := totals{revision: stored.revision}
	err = img.bucket(buckets[string(recordsBucket)], func(e entry) error {
		if e.bucket {
			return corrupt("%q is a bucket", e.key)
		}
		revision, sum, _, err := unsealRecord(e.key, e.value)
		if err == nil && revision > stored.revision {
			err = corrupt("%q is at revision %d, beyond the last one", e.key, revision)
		}
		counted.records++
		counted.sum += uint64(sum)
		return err
	})
	if err == nil && counted != stored {
		err = corrupt("%d records with checksum %x, where %d with %x were written", counted.records, counted.sum, stored.records, stored.sum)
	}
	return err
}
