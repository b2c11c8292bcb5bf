package main

import (
	"context"
	"encoding/csv"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/source"
	"github.com/dirbridge/dirbridge/source/sourcetest"
)

func TestContract(t *testing.T) {
	sourcetest.Run(t, func(t *testing.T) sourcetest.Directory {
		f := file{path: filepath.Join(t.TempDir(), "people.csv"), rows: map[source.ID]source.Attributes{}}
		require.NoError(t, f.save())
		return sourcetest.Directory{Source: NewCSV("people", f.path), Put: f.put, Remove: f.remove}
	})
}

func TestADamagedFileIsNoCompleteRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "people.csv")
	for _, content := range []string{"", "name\nAnn\n", "id,title\ne1,Clerk\ne2"} {
		require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
		var last error
		for _, err := range NewCSV("people", path).All(t.Context()) {
			last = err
		}
		require.ErrorIs(t, last, source.ErrIncomplete, "%q", content)
	}
}

func TestALineWithoutAGoodIDIsReportedAndTheRestGoesOn(t *testing.T) {
	path := filepath.Join(t.TempDir(), "people.csv")
	require.NoError(t, os.WriteFile(path, []byte("id,title\n,Clerk\ne1,Clerk\na/b,Clerk\ne1,Director\ne2,\xff\n"), 0o600))
	var got []string
	for e, err := range NewCSV("people", path).All(t.Context()) {
		require.NoError(t, err)
		got = append(got, fmt.Sprint(e.Op, " ", e.Object.DN, " ", e.Object.Attributes["title"], len(e.Object.Faults)))
	}
	require.Equal(t, []string{"unreadable people.csv:2 [] 0", "upsert people.csv:3 [Clerk] 0", "unreadable people.csv:4 [] 0",
		"unreadable people.csv:5 [] 0", "upsert people.csv:6 [] 1", "checkpoint  [] 0"}, got)
}

func Example() {
	for e := range NewCSV("people", "people.csv").All(context.Background()) {
		fmt.Println(e.Op, e.Object.ID, e.Object.Attributes["otherMailbox"])
	}
	// Output:
	// upsert e1001 []
	// upsert e1002 [b.clark@example.org ben@example.org]
	// upsert e1003 []
	// checkpoint  []
}

func Example_engine() {
	if err := run(context.Background(), os.Stdout, "people.csv"); err != nil {
		fmt.Println(err)
	}
	// Output:
	// create anna.berg@contoso.com (e1001)
	// create ben.clark@contoso.onmicrosoft.com (e1002)
	// create zoe.mueller@contoso.com (e1003)
	// 3 read, 3 created
}

// A file is the hands of the suite: people who are written down anew with each
// change.
type file struct {
	path string
	rows map[source.ID]source.Attributes
}

func (f file) put(o source.Object) (source.ID, error) {
	if o.ID == "" {
		o.ID = source.ID("e-" + o.Attributes.First("sAMAccountName"))
	}
	f.rows[o.ID] = o.Attributes
	return o.ID, f.save()
}

func (f file) remove(id source.ID) error {
	delete(f.rows, id)
	return f.save()
}

func (f file) save() error {
	header := append([]string{"id"}, sourcetest.Names()...)
	lines := [][]string{header}
	for _, id := range slices.Sorted(maps.Keys(f.rows)) {
		line := []string{string(id)}
		for _, name := range header[1:] {
			line = append(line, strings.Join(f.rows[id][name], "\n"))
		}
		lines = append(lines, line)
	}
	var b strings.Builder
	if err := csv.NewWriter(&b).WriteAll(lines); err != nil {
		return err
	}
	if err := os.WriteFile(f.path+".new", []byte(b.String()), 0o600); err != nil {
		return err
	}
	return os.Rename(f.path+".new", f.path)
}
