package audit

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"sync"
)

// FileOptions configure a [File].
type FileOptions struct {
	// Mode is that of a file that is created, before the umask: 0600 by
	// default, since records name people. A file that is there keeps its own.
	Mode fs.FileMode
}

// chunk is the most bytes that are written before a sync, unless one record is
// longer: as much as a loss of power can damage. It is read again when a file is
// opened.
const chunk = 1 << 20

// A File is a Sink that appends to a file. It keeps no handle between calls: the
// file can be renamed at any time between two of them, and the next Append
// begins a new one (so logrotate needs no signal; don't use copytruncate, which
// loses records). It only ever appends, except to cut off an incomplete last
// line, and works on a file that the system lets nobody but append to.
//
// It doesn't lock the file. Whoever writes to it must hold the lock of the state
// that the records come from, as the engine does; reading is fine at any time,
// but the last line may be incomplete for a moment.
//
// A File is safe for concurrent use within a process.
type File struct {
	path string
	mode fs.FileMode

	mu   sync.Mutex
	head Head
	ok   bool
	info fs.FileInfo // the file as head was found in it; nil: look again
	size int64       // what is durable of it
	cut  bool        // what is beyond size is what is left of a failed write

	steps steps
}

// steps are what a File asks the system for and tests make fail.
type steps struct {
	write    func(*os.File, []byte) error
	truncate func(*os.File, int64) error
	sync     func(*os.File) error
	syncDir  func(dir string) error
}

// OpenFile opens the log at path, or creates it in a directory that must exist.
//
// An incomplete last line is what a crash in the middle of a write leaves; it is
// cut off, and the engine delivers the record again. Any other damage in the
// last MiB, and a file that is something else, is an error, and the file stays
// as it is. (What is before that only [Verify] looks at.) The way out is to move
// the file away, as evidence: a new one goes on where the engine's outbox
// begins.
//
// An empty file goes on from any record. So that nothing comes twice across a
// rotation, rotate when no crashed run is waiting to deliver again; within one
// process this is taken care of.
func OpenFile(path string, o *FileOptions) (*File, error) {
	f := &File{path: path, mode: 0o600, steps: steps{writeAll, (*os.File).Truncate, (*os.File).Sync, syncDirectory}}
	if o != nil && o.Mode != 0 {
		f.mode = o.Mode
	}
	file, err := f.open()
	if err == nil {
		err = file.Close()
	}
	if err != nil {
		return nil, fmt.Errorf("audit: open %s: %w", path, err)
	}
	return f, nil
}

// Path is the path that the File was opened with.
func (f *File) Path() string { return f.path }

// Position returns the last record in the file or, if that was renamed or
// emptied meanwhile, the last one that was in it.
func (f *File) Position(ctx context.Context) (Head, bool, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return Head{}, false, err
	}
	file, err := f.open()
	if err != nil {
		return Head{}, false, fmt.Errorf("audit: open %s: %w", f.path, err)
	}
	return f.head, f.ok, file.Close()
}

// Append writes those of records that the file doesn't hold and syncs it, as
// [Sink] says. After a failed write or sync the rest is cut off again, and the
// next call begins with the file as it is then.
func (f *File) Append(ctx context.Context, records []Record) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := ctx.Err(); err != nil || len(records) == 0 {
		return err
	}
	file, err := f.open()
	if err != nil {
		return fmt.Errorf("audit: open %s: %w", f.path, err)
	}
	rest, err := Pending(f.head, f.ok, records, func(seq uint64) (string, error) { return hashOf(file, seq) })
	if err == nil {
		err = f.append(ctx, file, rest)
	}
	if err := errors.Join(err, file.Close()); err != nil {
		return fmt.Errorf("audit: append to %s: %w", f.path, err)
	}
	return nil
}

func (f *File) append(ctx context.Context, file *os.File, records []Record) error {
	var buf []byte
	var end Head
	flush := func() error {
		if len(buf) == 0 {
			return nil
		}
		err := f.steps.write(file, buf)
		if err == nil {
			err = f.steps.sync(file)
		}
		if err != nil {
			// What a failed sync left behind must not be trusted, nor this
			// handle: what is beyond size goes, and then it is written anew.
			f.cut = true
			return errors.Join(err, f.truncate())
		}
		f.size += int64(len(buf))
		f.head, f.ok, buf = end, true, buf[:0]
		f.info, err = file.Stat()
		return err
	}
	for i := range records {
		line, err := Encode(&records[i])
		if err != nil {
			return errors.Join(flush(), err)
		}
		if len(buf)+len(line) > chunk {
			if err := flush(); err != nil {
				return err
			}
			if err := ctx.Err(); err != nil {
				return err
			}
		}
		buf, end = append(buf, line...), records[i].Head()
	}
	return flush()
}

// open opens the file and brings head up to date with it.
func (f *File) open() (_ *os.File, err error) {
	if f.cut {
		if err := f.truncate(); err != nil {
			return nil, fmt.Errorf("cut off what a failed write left: %w", err)
		}
	}
	file, err := os.OpenFile(f.path, os.O_RDWR|os.O_APPEND|os.O_CREATE, f.mode)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, file.Close())
		}
	}()
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("not a regular file but %s", info.Mode().Type())
	}
	if f.info != nil && os.SameFile(f.info, info) && info.Size() == f.size {
		return file, nil
	}
	head, ok, size, err := lookAtEnd(file, info.Size())
	if err != nil {
		return nil, err
	}
	if size < info.Size() {
		if err := f.cutTo(size); err != nil {
			return nil, fmt.Errorf("cut off its incomplete last line: %w", err)
		}
	}
	// Whoever wrote what is there may have died before its sync, of the file or
	// of the directory.
	if err := errors.Join(f.steps.sync(file), f.steps.syncDir(filepath.Dir(f.path))); err != nil {
		return nil, err
	}
	if ok { // else a new file: it goes on where the old one ended
		f.head, f.ok = head, true
	}
	f.info, f.size = info, size
	return file, nil
}

// truncate removes what a failed write left in the file, if it is still there.
func (f *File) truncate() error {
	info, err := os.Stat(f.path)
	switch {
	case errors.Is(err, fs.ErrNotExist), err == nil && !os.SameFile(f.info, info):
	case err != nil:
		return err
	case info.Size() > f.size:
		if err := f.cutTo(f.size); err != nil {
			return err
		}
	}
	f.cut, f.info = false, nil
	return nil
}

// cutTo cuts the file through a handle of its own: one for appending can't on
// every system.
func (f *File) cutTo(size int64) error {
	file, err := os.OpenFile(f.path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	err = f.steps.truncate(file, size)
	if err == nil {
		err = f.steps.sync(file)
	}
	return errors.Join(err, file.Close())
}

func writeAll(file *os.File, b []byte) error {
	_, err := file.Write(b)
	return err
}

// syncDirectory makes the entry of a new file durable. Windows has no such call
// and needs none.
func syncDirectory(dir string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
