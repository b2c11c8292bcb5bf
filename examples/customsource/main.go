package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/dirbridge/dirbridge/dirsync"
	"github.com/dirbridge/dirbridge/mapping"
	"github.com/dirbridge/dirbridge/state/memstate"
	"github.com/dirbridge/dirbridge/target/memtarget"
)

func main() {
	path := filepath.Join("examples", "customsource", "people.csv")
	if len(os.Args) > 1 {
		path = os.Args[1]
	}
	if err := run(context.Background(), os.Stdout, path); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// run brings the people of the file into a tenant in memory, and says how.
func run(ctx context.Context, w io.Writer, path string) error {
	rules, err := mapping.New(&mapping.Options{AnyDirectory: true}) // a CSV knows no userAccountControl
	if err != nil {
		return err
	}
	tenant := memtarget.New("contoso", nil)
	tenant.VerifyDomain("contoso.com")
	eng, err := dirsync.New(NewCSV("people", path), tenant, memstate.New(), &dirsync.Options{Mapper: rules})
	if err != nil {
		return err
	}
	plan, err := eng.Preview(ctx, nil)
	if err != nil {
		return err
	}
	for c, err := range plan.Changes(ctx) {
		if err != nil {
			return err
		}
		fmt.Fprintf(w, "%s %s (%s)\n", c.Op, c.Set.First("userPrincipalName"), c.Source)
	}
	report, err := eng.Sync(ctx, nil)
	if err != nil {
		return err
	}
	for _, p := range report.Problems {
		fmt.Fprintf(w, "problem with %s: %s (%s)\n", p.Object, p.Message, p.Remedy)
	}
	fmt.Fprintf(w, "%d read, %d created\n", report.Read, report.Created)
	return nil
}
