// Package boltstate is the embedded default [state.Store]: one bbolt file, no
// server, nothing to install.
//
//	store, err := boltstate.Open("/var/lib/dirbridge/state.db", nil)
//	if err != nil {
//		return err
//	}
//	defer store.Close()
//
// # What it promises
//
//   - A commit that returned nil survives a crash of the program at any point,
//     and a loss of power on a disk that keeps its word about fsync.
//   - Damage is noticed, not passed on. [Open] walks the file before using it:
//     every page, every key's place, every record's checksum, and the number and
//     sum of all records, so that a record that went missing is noticed as well.
//     After that, each record is checked again whenever it is read.
//   - After a failed write the handle is done for. What reached the disk is
//     unknown, and the kernel may have dropped what it failed to write; so every
//     later call fails, and the file has to be opened again.
//   - One process at a time: the file is locked while it is open. Another
//     process that opens it gets [state.ErrLocked].
//   - The file is its owner's alone (mode 0600 on Unix). From one that others
//     could use, Open takes that away ([Options.OnWideMode]). Nothing here can
//     keep somebody who may write the directory from putting another file there.
//   - For a look without consequences there is [Options.ReadOnly]: not a byte of
//     the file is changed, and none is made.
//
// # When a file is damaged
//
// Open returns an error that wraps [state.ErrCorrupt] and touches nothing. Put
// back a copy. Without one, a new file makes the engine start from the beginning:
// it removes nothing, and reports the accounts that carry its anchors instead of
// taking them. Don't edit the file.
//
// # Format
//
// The bucket "meta" holds the format's version and the totals, the bucket
// "records" the records. A value is stored with its revision and a CRC-32C over
// key, revision and value, so that a record under a wrong key is noticed too. A
// file of an older format is migrated by Open in one transaction; one of a newer
// format is refused with [state.ErrNewerFormat].
//
// The file never shrinks; [Store.Compact] writes a smaller copy.
//
// Make large first loads in commits of several thousand records: the cost of a
// commit is mostly two fsyncs and the pages touched.
package boltstate
