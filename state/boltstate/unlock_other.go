//go:build !unix || aix || solaris

package boltstate

import "os"

// unlock does nothing: here a lock ends when its file is closed.
func unlock(*os.File) error { return nil }
