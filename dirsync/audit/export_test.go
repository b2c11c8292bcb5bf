package audit

import "os"

// Break puts functions of a test in the place of those that write, cut and sync
// the file; nil leaves one as it is.
func (f *File) Break(write func(*os.File, []byte) error, truncate func(*os.File, int64) error, sync func(*os.File) error) {
	if write != nil {
		f.steps.write = write
	}
	if truncate != nil {
		f.steps.truncate = truncate
	}
	if sync != nil {
		f.steps.sync = sync
	}
}

// OpenWithoutSync opens a file that leaves syncing to the system, for tests that
// open thousands.
func OpenWithoutSync(path string) (*File, error) {
	f := &File{path: path, mode: 0o600, steps: steps{
		writeAll, (*os.File).Truncate,
		func(*os.File) error { return nil }, func(string) error { return nil },
	}}
	file, err := f.open()
	if err != nil {
		return nil, err
	}
	return f, file.Close()
}

// Chunk is the most that is written before a sync.
const Chunk = chunk
