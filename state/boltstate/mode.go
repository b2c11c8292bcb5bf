package boltstate

import (
	"fmt"
	"io/fs"
	"os"
	"runtime"
)

// others are the permission bits of all but the owner.
const others fs.FileMode = 0o077

// narrow leaves the file to its owner alone. It works on the open and locked
// file, so that nothing can be put in its place meanwhile.
func narrow(file *os.File, tell func(was fs.FileMode)) error {
	if runtime.GOOS == "windows" { // the directory's access list decides
		return nil
	}
	info, err := file.Stat()
	if err != nil {
		return err
	}
	was := info.Mode()
	if was&others == 0 {
		return nil
	}
	if err := file.Chmod(was &^ others); err != nil {
		return fmt.Errorf("others may use the file (mode %s), and that can't be changed: give it to the user who runs this program, with mode 0600: %w", was, err)
	}
	if tell != nil {
		tell(was)
	}
	return nil
}
