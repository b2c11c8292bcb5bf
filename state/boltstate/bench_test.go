package boltstate_test

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/state"
	"github.com/dirbridge/dirbridge/state/boltstate"
)

// Opening a state of so many people: an entry of 1.5 KB each, and the five small
// records that an engine keeps beside it.
func BenchmarkOpen(b *testing.B) {
	for _, people := range []int{10_000, 100_000} {
		path := filepath.Join(b.TempDir(), "state.db")
		fill(b, path, people)
		for name, opts := range map[string]boltstate.Options{
			"verified": {}, "unverified": {SkipVerify: true}, "reading": {ReadOnly: true}, "reading, unverified": {ReadOnly: true, SkipVerify: true},
		} {
			b.Run(fmt.Sprintf("%d people, %s", people, name), func(b *testing.B) {
				for b.Loop() {
					s, err := boltstate.Open(path, &opts)
					require.NoError(b, err)
					require.NoError(b, s.Close())
				}
			})
		}
	}
}

func fill(b *testing.B, path string, people int) {
	b.Helper()
	s := open(b, path)
	defer func() { require.NoError(b, s.Close()) }()
	random := rand.New(rand.NewPCG(1, 2))
	value := make([]byte, 1500)
	var writes []state.Write
	for i := range people {
		id := fmt.Sprintf("%08x-0000-4000-8000-%012x", random.Uint32(), i)
		login := fmt.Sprintf("user%06d", i)
		writes = append(writes, state.Put("object/corp/contoso/"+id, value),
			state.Put("claim/contoso/userPrincipalName/"+login+"@contoso.com", []byte(id)),
			state.Put("claim/contoso/onPremisesImmutableId/"+id[:8]+login, []byte(id)),
			state.Put("held/contoso/userPrincipalName/"+login+"@contoso.com", []byte(id)),
			state.Put("link/contoso/"+id, []byte(id)),
			state.Put("suffix/corp/contoso/contoso.com/"+id, []byte{1}))
		if len(writes) >= 12_000 || i == people-1 {
			require.NoError(b, s.Commit(ctx, writes...))
			writes = nil
		}
	}
}
