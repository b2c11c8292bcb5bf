package dirsync_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/dirsync"
	"github.com/dirbridge/dirbridge/source"
	"github.com/dirbridge/dirbridge/source/memsource"
	"github.com/dirbridge/dirbridge/state/memstate"
	"github.com/dirbridge/dirbridge/target"
	"github.com/dirbridge/dirbridge/target/memtarget"
)

// crowded are people who want one another's names: logins, logins that fall
// back to them, and addresses, each wanted by several.
func crowded(n int) []source.Object {
	var all []source.Object
	for i := range n {
		id := fmt.Sprintf("%08d-0000-4000-8000-000000000000", i)
		domain := []string{"contoso.com", "corp.local", "else.where"}[i%3]
		all = append(all, source.Object{ID: source.ID(id), Kind: source.User, DN: "CN=" + id, Attributes: source.Attributes{
			"sAMAccountName": {fmt.Sprintf("s%d", i)}, "userAccountControl": {"512"}, "displayName": {id},
			"userPrincipalName": {fmt.Sprintf("Wanted%d@%s", i%7, domain)},
			"mail":              {fmt.Sprintf("mail%d@contoso.com", i%5)},
		}})
	}
	return all
}

func tenant() *memtarget.Target {
	return memtarget.New("contoso.onmicrosoft.com", &memtarget.Options{Domains: []target.Domain{
		{Name: "contoso.onmicrosoft.com", Initial: true, Verified: true},
		{Name: "contoso.com", Verified: true, Default: true},
	}})
}

// TestWhoWinsANameDoesntDependOnTheOrder: whatever the order in which the
// objects come, the plan is the same, and so is its hash.
func TestWhoWinsANameDoesntDependOnTheOrder(t *testing.T) {
	shuffles := 1000
	if testing.Short() {
		shuffles = 50
	}
	r := rand.New(rand.NewPCG(1, 2))
	people := crowded(20)
	first := ""
	for i := range shuffles {
		r.Shuffle(len(people), func(i, j int) { people[i], people[j] = people[j], people[i] })
		src := memsource.New("corp", nil)
		for _, o := range people {
			src.Put(o)
		}
		eng, err := dirsync.New(src, tenant(), memstate.New(), nil)
		require.NoError(t, err)
		p, err := eng.Preview(t.Context(), nil)
		require.NoError(t, err)
		if first == "" {
			first = p.Hash
			require.Equal(t, len(people), p.Counts.Create)
		}
		require.Equal(t, first, p.Hash, "shuffle %d", i)
	}
}
