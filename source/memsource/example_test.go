package memsource_test

import (
	"context"
	"fmt"

	"github.com/dirbridge/dirbridge/source"
	"github.com/dirbridge/dirbridge/source/memsource"
)

func Example() {
	ctx := context.Background()
	src := memsource.New("corp", nil)
	ann := src.Put(source.Object{Attributes: source.Attributes{"displayName": {"Ann"}}})
	bob := src.Put(source.Object{Attributes: source.Attributes{"displayName": {"Bob"}}})

	var w source.Watermark
	read := func() {
		events, delta := source.Read(ctx, src, w)
		fmt.Println("delta:", delta)
		for e, err := range events {
			switch {
			case err != nil:
				fmt.Println(err)
			case e.Op == source.Checkpoint:
				w = e.Watermark
			default:
				fmt.Println(e.Op, e.Object.DN, e.Object.Attributes["title"])
			}
		}
	}
	read()
	src.Edit(bob, func(o *source.Object) { o.Attributes.Set("title", "Engineer") })
	src.Remove(ann)
	read()
	// Output:
	// delta: false
	// upsert CN=Ann,OU=People,DC=mem []
	// upsert CN=Bob,OU=People,DC=mem []
	// delta: true
	// upsert CN=Bob,OU=People,DC=mem [Engineer]
	// deleted CN=Ann,OU=People,DC=mem []
}
