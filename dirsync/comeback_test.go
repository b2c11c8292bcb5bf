package dirsync_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/dirsync"
	"github.com/dirbridge/dirbridge/target"
)

// Simulation seeds 80024315, 80028035: who can't have the account in the bin back
// kept others from the name.
func TestAnAccountThatCannotComeBackKeepsNobodyFromAName(t *testing.T) {
	for name, taken := range map[string]func(ann target.Object) target.Object{
		"its address is taken": func(target.Object) target.Object {
			return target.Object{Attributes: target.Attributes{"userPrincipalName": {"else@contoso.com"}, "mail": {"ann@contoso.com"}, "displayName": {"X"}}}
		},
		"its anchor is taken": func(ann target.Object) target.Object {
			return target.Object{Anchor: ann.Anchor, Attributes: target.Attributes{"userPrincipalName": {"else@contoso.com"}, "displayName": {"X"}}}
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			ann := w.person("ann", "contoso.com", "mail", "ann@contoso.com")
			ben := w.person("ben", "contoso.com")
			w.sync()
			account := w.account("ann@contoso.com")
			w.src.Remove(ann)
			w.sync()
			w.src.Undelete(ann)
			w.tgt.Add(taken(account))
			w.set(ben, "userPrincipalName", "ann@contoso.com")
			rep := w.rest()
			require.Equal(t, []string{"ann@contoso.com", "else@contoso.com"}, w.upns())
			require.Contains(t, codes(rep), "conflict-at-target")
			for _, p := range rep.Problems {
				if p.Code == "conflict-at-target" && p.Attribute == target.AttrMail {
					require.True(t, strings.Contains(p.Message, "ann@contoso.com") && p.Holder != "", "it must say what is in the way: %+v", p)
				}
			}
			rep = w.sync(dirsync.Request{Full: true, Retry: true})
			require.Zero(t, rep.Changed())
		})
	}
}
