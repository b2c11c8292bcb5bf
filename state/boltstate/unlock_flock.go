//go:build unix && !aix && !solaris

package boltstate

import (
	"os"
	"syscall"
)

// unlock releases the lock that bbolt took by flock(2): it would last as long as
// the mapping does.
func unlock(f *os.File) error { return syscall.Flock(int(f.Fd()), syscall.LOCK_UN) }
