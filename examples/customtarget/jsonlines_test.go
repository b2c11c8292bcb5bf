package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/target"
	"github.com/dirbridge/dirbridge/target/targettest"
)

func TestContract(t *testing.T) {
	targettest.Run(t, func(t *testing.T) targettest.Harness {
		tgt, err := OpenJSONLines("people", filepath.Join(t.TempDir(), "people.jsonl"))
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, tgt.Close()) })
		return targettest.Harness{Target: tgt, Domain: "example.com"}
	})
}

func TestObjectsAreThereAgainWhenTheFileIsOpened(t *testing.T) {
	path := filepath.Join(t.TempDir(), "people.jsonl")
	tgt, err := OpenJSONLines("people", path)
	require.NoError(t, err)
	var ids []target.ID
	for _, name := range []string{"Ann", "Bob", "Carl"} {
		o, err := tgt.Apply(t.Context(), target.Change{Op: target.Create, Kind: target.User, Anchor: name, Set: target.Attributes{"displayName": {name}}})
		require.NoError(t, err)
		ids = append(ids, o.ID)
	}
	_, err = tgt.Apply(t.Context(), target.Change{Op: target.Delete, Kind: target.User, ID: ids[1]})
	require.NoError(t, err)
	_, err = tgt.Apply(t.Context(), target.Change{Op: target.Update, Kind: target.User, ID: ids[0], Set: target.Attributes{"title": {"Clerk"}, "displayName": nil}})
	require.NoError(t, err)
	want := live(t, tgt)
	require.Len(t, want, 2)
	require.NoError(t, tgt.Close())

	// A crash in the middle of a line.
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, append(data, `{"op":"delete","id":"1"`...), 0o600))
	for range 2 {
		tgt, err = OpenJSONLines("people", path)
		require.NoError(t, err)
		require.Equal(t, want, live(t, tgt))
		o, err := tgt.Apply(t.Context(), target.Change{Op: target.Create, Kind: target.User, Anchor: "Dora", Repeat: true})
		require.NoError(t, err)
		require.NotContains(t, ids, o.ID) // no ID is given twice
		want = live(t, tgt)
		require.Len(t, want, 3)
		require.NoError(t, tgt.Close())
	}
}

func live(t *testing.T, tgt *JSONLines) map[target.ID]target.Object {
	all := map[target.ID]target.Object{}
	for o, err := range tgt.Current(t.Context()) {
		require.NoError(t, err)
		o.Created = o.Created.Round(0).UTC()
		all[o.ID] = o
	}
	return all
}

func Example() {
	dir, err := os.MkdirTemp("", "customtarget")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	tgt, err := OpenJSONLines("people", filepath.Join(dir, "people.jsonl"))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer tgt.Close()
	ann, err := tgt.Apply(context.Background(), target.Change{Op: target.Create, Kind: target.User, Anchor: "QW5u",
		Set: target.Attributes{"displayName": {"Ann"}}})
	fmt.Println(ann.ID, ann.Attributes, err)
	_, err = tgt.Apply(context.Background(), target.Change{Op: target.Update, Kind: target.User, ID: "2"})
	fmt.Println(err)
	// Output:
	// 1 map[displayName:[Ann]] <nil>
	// not found at the target: user 2
}
