package state_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/dirbridge/dirbridge/state"
	"github.com/dirbridge/dirbridge/state/memstate"
)

// Two writers count in one record. Who comes second is told, reads again, and
// loses nothing.
func Example() {
	ctx := context.Background()
	store := memstate.New()
	add := func(rec state.Record) error {
		return store.Commit(ctx,
			state.Write{Key: "count", Value: append(rec.Value, '|'), Check: true, Revision: rec.Revision},
			state.Put("last", []byte("one more")), // in the same commit: with it or not at all
		)
	}
	var none state.Record // revision 0: there is none yet
	fmt.Println(add(none))
	fmt.Println("too late:", errors.Is(add(none), state.ErrConflict))
	now, err := store.Get(ctx, "count")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(add(now))
	now, err = store.Get(ctx, "count")
	fmt.Printf("%s %v\n", now.Value, err)
	// Output:
	// <nil>
	// too late: true
	// <nil>
	// || <nil>
}
