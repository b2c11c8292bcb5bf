package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/dirbridge/dirbridge/source"
)

func main() {
	path := filepath.Join("examples", "customsource", "people.csv")
	if len(os.Args) > 1 {
		path = os.Args[1]
	}
	for e, err := range NewCSV("people", path).All(context.Background()) {
		switch {
		case err != nil:
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		case e.Op == source.Unreadable:
			fmt.Printf("%s can't be read: %v\n", e.Object.DN, e.Err)
		case e.Op == source.Upsert:
			fmt.Printf("%s  %s <%s>\n", e.Object.ID, e.Object.Attributes.First("displayName"), e.Object.Attributes.First("userPrincipalName"))
		}
	}
}
