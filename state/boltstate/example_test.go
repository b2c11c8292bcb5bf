package boltstate_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/dirbridge/dirbridge/state"
	"github.com/dirbridge/dirbridge/state/boltstate"
)

func Example() {
	dir, err := os.MkdirTemp("", "boltstate")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "state.db")
	ctx := context.Background()

	store, err := boltstate.Open(path, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	err = store.Commit(ctx, state.Put("link/ann", []byte("t1")))
	fmt.Println("committed:", err == nil)

	// Nobody else gets at the file meanwhile.
	_, err = boltstate.Open(path, &boltstate.Options{LockTimeout: -1})
	fmt.Println("locked:", errors.Is(err, state.ErrLocked))
	store.Close()

	store, err = boltstate.Open(path, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer store.Close()
	r, err := store.Get(ctx, "link/ann")
	fmt.Printf("after opening it again: %s %v\n", r.Value, err)

	// Output:
	// committed: true
	// locked: true
	// after opening it again: t1 <nil>
}
