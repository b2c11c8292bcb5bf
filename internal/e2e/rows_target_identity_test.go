package e2e_test

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/internal/graphsim"
	"github.com/dirbridge/dirbridge/source"
	"github.com/dirbridge/dirbridge/state/memstate"
)

// victims are accounts that aren't ours: whoever asks for a change of one of
// them has lost.
type victims struct {
	t    *testing.T
	mu   sync.Mutex
	were map[string]graphsim.User
}

// guard makes every account that is there now a victim.
func (v *victims) guard(w *office) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.were = map[string]graphsim.User{}
	for _, u := range append(w.tenant.Users(), w.tenant.DeletedUsers()...) {
		v.were[u.ID] = u
	}
}

func (v *victims) see(op graphsim.Op) {
	v.mu.Lock()
	defer v.mu.Unlock()
	_, one := v.were[op.ID]
	require.False(v.t, op.Write && one, "a write to an account that isn't ours: %s %s %s", op.Method, op.Path, op.Body)
}

func (v *victims) unchanged(w *office) {
	v.t.Helper()
	for id, was := range v.were {
		now, there := w.tenant.User(id)
		require.True(v.t, there, "%s is gone", was.UPN())
		require.Equal(v.t, was, now)
	}
}

// cloud are accounts of the tenant's own, some of which carry an anchor: they
// were synchronized once, by another tool, or somebody put one there.
func (w *office) cloud(ids []source.ID) (all []graphsim.User) {
	w.t.Helper()
	for i := range 6 {
		u := map[string]any{
			"userPrincipalName": fmt.Sprintf("admin%d@contoso.com", i), "mail": fmt.Sprintf("admin%d@contoso.com", i),
			"proxyAddresses": []string{fmt.Sprintf("SMTP:admin%d@contoso.com", i), fmt.Sprintf("smtp:root%d@contoso.com", i)},
		}
		if i%2 == 1 {
			u["onPremisesImmutableId"] = fmt.Sprintf("AAECAwQFBgcICQoLDA0O%02dA=", i)[:22] + "=="
		}
		made, err := w.tenant.AddUser(u)
		require.NoError(w.t, err)
		all = append(all, made)
	}
	return all
}

// An attacker who may write everything on premises claims whatever the cloud's
// own accounts have, in any order, while replies get lost, what is new shows
// late, and the state is lost in between.
func TestA01_NothingThatIsClaimedOnPremisesMakesUsWriteToAnAccountThatIsntOurs(t *testing.T) {
	for seed := range uint64(40) {
		options := graphsim.Options{Seed: seed + 1, Switches: graphsim.Switches{
			DuplicateAnchor: []graphsim.DuplicateAnchor{graphsim.DuplicateAnchorRefused, graphsim.DuplicateAnchorAllowed}[seed%2],
		}}
		if seed%3 == 0 {
			options.Lag, options.Flap = 30*time.Second, time.Minute
		}
		inOffice(t, options, func(t *testing.T, w *office) {
			chance := rand.New(rand.NewPCG(seed, 3))
			v := &victims{t: t}
			ids := w.people(8)
			cloud := w.cloud(ids)
			v.guard(w)
			var dice sync.Mutex
			w.tenant.SetFault(func(op graphsim.Op) *graphsim.Fault {
				v.see(op)
				dice.Lock()
				defer dice.Unlock()
				if chance.Float64() < 0.15 {
					return graphsim.ReplyLost()
				}
				return nil
			})
			for step := range 30 {
				dice.Lock()
				id := ids[chance.IntN(len(ids))]
				u := cloud[chance.IntN(len(cloud))]
				attack := chance.IntN(9)
				dice.Unlock()
				switch attack {
				case 0:
					w.src.Edit(id, func(o *source.Object) { o.Attributes.Set("userPrincipalName", u.UPN()) })
				case 1:
					w.src.Edit(id, func(o *source.Object) { o.Attributes.Set("mail", u.Get("mail")) })
				case 2:
					w.src.Edit(id, func(o *source.Object) {
						o.Attributes.Set("proxyAddresses", u.Properties["proxyAddresses"].([]string)...)
					})
				case 3:
					w.src.Edit(id, func(o *source.Object) {
						o.Attributes.Set("mS-DS-ConsistencyGuid", u.Get("onPremisesImmutableId"))
					})
				case 4: // a new object that has all of it
					ids = append(ids, w.person(fmt.Sprintf("eve%d", step), "contoso.com",
						"mS-DS-ConsistencyGuid", u.Get("onPremisesImmutableId"), "mail", u.Get("mail"), "userPrincipalName", u.UPN()))
				case 5:
					w.src.Remove(id)
				case 6:
					w.src.Undelete(id)
				case 7:
					w.src.MoveOut(id)
				case 8:
					w.src.MoveIn(id)
				}
				_, _ = w.try()
				time.Sleep(time.Minute)
				if step == 20 && seed%4 == 0 { // the state is lost: now nothing is ours any more
					w.store = memstate.New()
					w.restart()
					v.guard(w)
				}
			}
			v.unchanged(w)
			w.oneEachOfOurs(v)
		})
	}
}

// oneEachOfOurs is oneEach without those that carried an anchor before us.
func (w *office) oneEachOfOurs(v *victims) {
	w.t.Helper()
	seen := map[string]string{}
	for _, u := range w.tenant.Users() {
		if _, theirs := v.were[u.ID]; theirs {
			continue
		}
		a := u.Get("onPremisesImmutableId")
		require.NotEmpty(w.t, a)
		require.Empty(w.t, seen[a], "two accounts for the anchor %s", a)
		seen[a] = u.ID
	}
}

// One AD object claims the anchor of another one's account.
func TestA02_AnObjectThatCopiesAnothersAnchorIsAConflictAndMovesNoAccount(t *testing.T) {
	const consistency = "mS-DS-ConsistencyGuid"
	claim := func(w *office, anchor string) source.ID {
		return w.person("eve", "contoso.com", consistency, anchor, "displayName", "Eve", "title", "Impostor")
	}
	for _, tt := range []struct {
		name   string
		attack func(w *office, victim source.ID, anchor string) (eve source.ID)
		gone   bool // the victim's account is in the bin
	}{
		{"a new object", func(w *office, _ source.ID, anchor string) source.ID { return claim(w, anchor) }, false},
		{"an object that has an account", func(w *office, _ source.ID, anchor string) source.ID {
			eve := w.person("eve", "contoso.com", "displayName", "Eve")
			w.sync()
			w.set(eve, consistency, anchor)
			w.set(eve, "title", "Impostor")
			return eve
		}, false},
		{"together with the name", func(w *office, victim source.ID, anchor string) source.ID {
			w.set(victim, "userPrincipalName", "other@contoso.com")
			eve := claim(w, anchor)
			w.set(eve, "userPrincipalName", "p000@contoso.com")
			return eve
		}, false},
		{"after the victim was deleted", func(w *office, victim source.ID, anchor string) source.ID {
			w.src.Remove(victim)
			w.sync()
			return claim(w, anchor)
		}, true},
		{"after the victim left the scope", func(w *office, victim source.ID, anchor string) source.ID {
			w.src.MoveOut(victim)
			w.sync()
			return claim(w, anchor)
		}, false},
		{"while the victim can't be seen", func(w *office, victim source.ID, anchor string) source.ID {
			w.src.Hide(victim)
			return claim(w, anchor)
		}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inOffice(t, graphsim.Options{Switches: graphsim.Switches{DuplicateAnchor: graphsim.DuplicateAnchorAllowed}}, func(t *testing.T, w *office) {
				ids := w.people(3)
				w.sync()
				was := w.account("p000@contoso.com")
				anchor := was.Get("onPremisesImmutableId")
				eve := tt.attack(w, ids[0], anchor)
				var codes []string
				for range 4 {
					rep, err := w.try()
					require.NoError(t, err)
					for _, p := range rep.Problems {
						if p.Object == eve {
							codes = append(codes, p.Code)
						}
					}
					time.Sleep(24 * time.Hour)
				}
				require.NotEmpty(t, codes, "a claim to a known anchor is reported")
				now, there := w.tenant.User(was.ID)
				require.True(t, there)
				require.Equal(t, tt.gone, !now.Deleted.IsZero(), "it stays where it was")
				require.Equal(t, anchor, now.Get("onPremisesImmutableId"))
				require.Equal(t, "Person p000", now.Get("displayName"))
				require.Empty(t, now.Get("jobTitle"))
				w.oneEach()
				for _, u := range append(w.tenant.Users(), w.tenant.DeletedUsers()...) {
					require.False(t, u.ID != was.ID && u.Get("onPremisesImmutableId") == anchor, "another account carries the anchor")
				}
			})
		})
	}
}

// Names that look like an administrator's, made of letters that AD takes.
func TestA16_NoNameWithLettersThatLookLikeOthersReachesTheTenant(t *testing.T) {
	legal := regexp.MustCompile(`^[A-Za-z0-9'._!#^~-]+@[a-z0-9.-]+$`)
	inOffice(t, graphsim.Options{}, func(t *testing.T, w *office) {
		admin, err := w.tenant.AddUser(map[string]any{"userPrincipalName": "admin@contoso.com"})
		require.NoError(t, err)
		for i, name := range []string{
			"аdmin", "admіn", "ａｄｍｉｎ", "adm\u0131n", "admin\u200b", "ad\u00admin", "\u202enimda", "admin\u0301", "αdmin", "admin\u2024x",
			"a\u0000dmin", "admin\r\n", " admin", "admin ", "\u212adm", "𝐚𝐝𝐦𝐢𝐧", "Ԁmin",
		} {
			id := w.person(fmt.Sprintf("evil%d", i), "contoso.com")
			w.set(id, "userPrincipalName", name+"@contoso.com")
			id = w.person(fmt.Sprintf("suffix%d", i), "contoso.com")
			w.set(id, "userPrincipalName", "admin@cont\u043eso.com", "x")
		}
		w.sync()
		for _, upn := range w.upns() {
			require.Regexp(t, legal, upn)
		}
		now, _ := w.tenant.User(admin.ID)
		require.Equal(t, admin, now, "and who becomes \"admin\" by cleaning meets the one who is")
		w.rest()
	})
}
