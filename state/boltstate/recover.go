package boltstate

import (
	"fmt"
	"runtime/debug"

	"github.com/dirbridge/dirbridge/state"
)

// A panicError is what bbolt panicked with. It wraps [state.ErrCorrupt]: short
// of a bug, bbolt panics only over pages that can't be.
type panicError struct{ value any }

func (e panicError) Error() string { return fmt.Sprintf("%v: bbolt: %v", state.ErrCorrupt, e.value) }
func (e panicError) Unwrap() error { return state.ErrCorrupt }

// recovering runs f and returns its panic as a panicError. That includes the
// fault (SIGBUS, SIGSEGV) of reading a mapped page that the file doesn't have.
// It can't help when bbolt goes round in circles; see verifyFile.
func recovering(f func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if v := recover(); v != nil {
			err = panicError{v}
		}
	}()
	return f()
}
