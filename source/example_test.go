package source_test

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/dirbridge/dirbridge/source"
)

// A greeter is a source with one object and no optional ability.
type greeter struct{}

func (greeter) Name() string { return "greeter" }

func (greeter) All(context.Context) iter.Seq2[source.Event, error] {
	ann := source.Object{ID: "1", Kind: source.User, Attributes: source.Attributes{"displayName": {"Ann"}}}
	return func(yield func(source.Event, error) bool) {
		if yield(source.Event{Op: source.Upsert, Object: ann}, nil) {
			yield(source.Event{Op: source.Checkpoint, Watermark: "one"}, nil)
		}
	}
}

// The functions beside the abilities say what a source can't do, so that nobody
// has to ask for its type.
func Example() {
	ctx := context.Background()
	src := greeter{}

	events, delta := source.Read(ctx, src, "one")
	fmt.Println("delta:", delta) // it has none, so everything comes again
	for ev, err := range events {
		fmt.Println(ev.Op, ev.Object.Attributes.First("displayName"), err)
	}
	for _, err := range source.Find(ctx, src, []source.ID{"1"}) {
		fmt.Println("can't look up:", errors.Is(err, errors.ErrUnsupported))
	}
	changed, err := source.Poll(ctx, src, "one")
	fmt.Println("perhaps changed:", changed, err)
	// Output:
	// delta: false
	// upsert Ann <nil>
	// checkpoint  <nil>
	// can't look up: true
	// perhaps changed: true <nil>
}
