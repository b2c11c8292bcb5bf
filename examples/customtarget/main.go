package main

import (
	"context"
	"fmt"
	"os"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: customtarget FILE")
		os.Exit(2)
	}
	if err := show(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func show(path string) error {
	tgt, err := OpenJSONLines("people", path)
	if err != nil {
		return err
	}
	defer tgt.Close()
	for o, err := range tgt.Current(context.Background()) {
		if err != nil {
			return err
		}
		fmt.Println(o.ID, o.Anchor)
		for _, name := range o.Attributes.Names() {
			fmt.Printf("    %s: %q\n", name, o.Attributes[name])
		}
	}
	return nil
}
