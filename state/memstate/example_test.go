package memstate_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/dirbridge/dirbridge/state"
	"github.com/dirbridge/dirbridge/state/memstate"
)

func Example() {
	ctx := context.Background()
	store := memstate.New()

	// Two records in one commit: both or none.
	if err := store.Commit(ctx,
		state.Put("link/ann", []byte("t1")),
		state.Put("link/bob", []byte("t2")),
	); err != nil {
		fmt.Println(err)
	}
	for r, err := range store.Scan(ctx, "link/") {
		if err != nil {
			fmt.Println(err)
			break
		}
		fmt.Printf("%s is %s\n", r.Key, r.Value)
	}

	// Only if nobody was faster: Ann must not exist yet, but she does.
	err := store.Commit(ctx, state.Write{Key: "link/ann", Value: []byte("t9"), Check: true, Revision: 0})
	fmt.Println("conflict:", errors.Is(err, state.ErrConflict))

	// Output:
	// link/ann is t1
	// link/bob is t2
	// conflict: true
}
