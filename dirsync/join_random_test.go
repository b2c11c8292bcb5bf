package dirsync_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/source"
	"github.com/dirbridge/dirbridge/target"
)

// A story of two directories is told to engines that have them in either order and
// get their events in any: after each run, all have written the same.
func TestAnyStoryOfJoinedSourcesGivesOneTenant(t *testing.T) {
	for seed := range uint64(60) {
		var tenants []string
		for n := range uint64(3) {
			u := newPersons(t)
			if n > 0 {
				u.corp.mixes, u.east.mixes = rand.New(rand.NewPCG(n, 1)), rand.New(rand.NewPCG(n, 2))
			}
			tenants = append(tenants, u.story(rand.New(rand.NewPCG(seed, 9)), n == 1))
		}
		require.Equal(t, tenants[0], tenants[1], "seed %d, the other order", seed)
		require.Equal(t, tenants[0], tenants[2], "seed %d, another order of events", seed)
	}
}

// story is what happens in 8 runs, and how the tenant looks after each. Nobody
// loses an account who is there, and no address has two.
func (u *union) story(r *rand.Rand, swapped bool) string {
	u.join(swapped)
	var b strings.Builder
	for range 8 {
		for range 1 + r.IntN(4) {
			u.happens(r)
		}
		rep := u.sync()
		for _, p := range rep.Problems {
			fmt.Fprintln(&b, p.Object, p.Code, p.Attribute)
		}
		text := ""
		for o, err := range u.tgt.Current(u.t.Context()) {
			require.NoError(u.t, err)
			text += fmt.Sprintln(o.Anchor, o.Attributes.First(target.AttrUserPrincipalName), o.Attributes.First("displayName"),
				o.Attributes.First(target.AttrMail), o.Attributes.First(target.AttrAccountEnabled), o.Attributes.First("jobTitle"))
		}
		b.WriteString(sortedLines(text) + "--\n")
	}
	before := u.tgt.Counts().Writes()
	u.sync()
	u.corp.Expire()
	u.east.Expire()
	u.sync()
	require.Equal(u.t, before, u.tgt.Counts().Writes(), "it rests")
	return b.String()
}

// happens changes one object: there are six in each directory, four of which may
// be moved, and three addresses.
func (u *union) happens(r *rand.Rand) {
	in, other := u.corp, u.east
	if r.IntN(2) == 0 {
		in, other = other, in
	}
	n := r.IntN(6)
	id := source.ID(fmt.Sprintf("%02x000000-0000-0000-0000-00000000%s", (n*89+7)%256, map[string]string{"corp": "c000", "east": "ea00"}[in.Name()]))
	if n < 2 {
		id = source.ID(fmt.Sprintf("%02x000000-0000-0000-0000-000000000000", n*170))
	}
	mail := fmt.Sprintf("m%d@contoso.com", r.IntN(3))
	switch o, there := in.Get(id); r.IntN(7) {
	case 0, 1, 2:
		if !there {
			u.hire(in, id, fmt.Sprint("p", n, in.Name()), "mail", mail)
		}
	case 3:
		in.Remove(id)
	case 4:
		in.Edit(id, func(o *source.Object) {
			o.Attributes.Set("userAccountControl", []string{"512", "514"}[r.IntN(2)])
			o.Attributes.Set("title", fmt.Sprint("T", r.IntN(9)))
		})
	case 5:
		in.Edit(id, func(o *source.Object) { o.Attributes.Set("mail", mail) })
	case 6:
		if there && n < 2 {
			other.Put(o)
			if r.IntN(2) == 0 {
				in.Remove(id)
			}
		}
	}
}
