package plan_test

import (
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/dirsync/plan"
	"github.com/dirbridge/dirbridge/mapping"
	"github.com/dirbridge/dirbridge/source"
	"github.com/dirbridge/dirbridge/target"
)

var (
	since     = time.Date(2026, 11, 1, 8, 0, 0, 0, time.UTC)
	link      = &plan.Link{ID: "t1", Anchor: "anchor-1", Since: since}
	binned    = &plan.Link{ID: "t1", Anchor: "anchor-1", Since: since, Binned: since.Add(time.Hour)}
	tombstone = &source.Evidence{Kind: "tombstone", Detail: "CN=ann\\0ADEL:…", Seen: since}
	moved     = &source.Evidence{Kind: "moved out of scope", Seen: since}
)

func ann(extra ...string) target.Attributes {
	a := target.Attributes{"userPrincipalName": {"ann@contoso.com"}, "displayName": {"Ann"}, "accountEnabled": {"true"}, "mail": nil, "jobTitle": nil}
	for i := 0; i+1 < len(extra); i += 2 {
		a[extra[i]] = []string{extra[i+1]}
	}
	return a
}

func applied(extra ...string) target.Attributes {
	a := ann(extra...)
	for k, v := range a {
		if v == nil {
			delete(a, k)
		}
	}
	return a
}

func wanted(a target.Attributes, problems ...mapping.Problem) mapping.Result {
	return mapping.Result{Kind: target.User, Anchor: "anchor-1", Attributes: a,
		CannotClear: []string{"userPrincipalName", "displayName", "mail"}, Problems: problems}
}

func TestCompute(t *testing.T) {
	skip := mapping.Result{Skip: &mapping.Decision{Rule: "skip", Branch: "critical system object"}}
	change := func(op target.Op, reason string, set, before target.Attributes) *plan.Change {
		return &plan.Change{
			Change: target.Change{Op: op, Kind: target.User, ID: "t1", Anchor: "anchor-1", Set: set, Linked: since},
			Source: "s1", Name: "CN=ann", UPN: "ann@contoso.com", Before: before, Reason: reason,
		}
	}
	removal := func(op target.Op, reason string, e *source.Evidence, set, before target.Attributes) *plan.Change {
		c := change(op, reason, set, before)
		c.Removal, c.Evidence = true, e
		if e == moved {
			c.Crossing = plan.Leaves
		}
		return c
	}
	crossing := func(c *plan.Change, x plan.Crossing, rescoped bool, reason string) *plan.Change {
		d := *c
		d.Crossing, d.Rescoped, d.Reason = x, rescoped, reason
		return &d
	}
	refused := mapping.Result{Skip: &mapping.Decision{Rule: mapping.RuleScope, Branch: "in OU=Lab (excluded)"}}
	create := &plan.Change{
		Change: target.Change{Op: target.Create, Kind: target.User, Anchor: "anchor-1", Set: applied()},
		Source: "s1", Name: "CN=ann", UPN: "ann@contoso.com", Reason: "new in the source",
	}
	off := target.Attributes{"accountEnabled": {"false"}}
	on := target.Attributes{"accountEnabled": {"true"}}

	for _, tt := range []struct {
		name     string
		in       plan.Input
		want     *plan.Change
		problems []string
	}{
		{"a new object gets an account with the values it has",
			plan.Input{Presence: plan.Present, Result: wanted(ann())}, create, nil},
		{"an object that can't be mapped gets none",
			plan.Input{Presence: plan.Present, Result: wanted(ann(), mapping.Problem{Code: "no-upn", Fatal: true})}, nil, []string{"no-upn"}},
		{"a problem that isn't fatal doesn't prevent it",
			plan.Input{Presence: plan.Present, Result: wanted(ann(), mapping.Problem{Code: "value-too-long"})}, create, []string{"value-too-long"}},
		{"an object that is skipped and was never ours is left alone",
			plan.Input{Presence: plan.Present, Result: skip}, nil, nil},
		{"an account that isn't ours but carries the anchor isn't taken, nor doubled",
			plan.Input{Presence: plan.Present, Result: wanted(ann()), AnchorHolder: "t9"}, nil, []string{"anchor-unowned"}},
		{"a name that an unowned object holds prevents the creation",
			plan.Input{Presence: plan.Present, Result: wanted(ann()), UPN: plan.Claim{Holder: "t9", Foreign: true}}, nil, []string{"conflict-unowned"}},
		{"an unchanged object needs nothing",
			plan.Input{Presence: plan.Present, Result: wanted(ann()), Link: link, Applied: applied()}, nil, nil},
		{"only what differs is written",
			plan.Input{Presence: plan.Present, Result: wanted(ann("jobTitle", "Clerk")), Link: link, Applied: applied()},
			change(target.Update, "changed in the source", target.Attributes{"jobTitle": {"Clerk"}}, nil), nil},
		{"a value that went is cleared",
			plan.Input{Presence: plan.Present, Result: wanted(ann()), Link: link, Applied: applied("jobTitle", "Clerk")},
			change(target.Update, "changed in the source", target.Attributes{"jobTitle": nil}, target.Attributes{"jobTitle": {"Clerk"}}), nil},
		{"a value that can't be cleared stays",
			plan.Input{Presence: plan.Present, Result: wanted(ann()), Link: link, Applied: applied("mail", "ann@contoso.com")}, nil, []string{"cannot-clear"}},
		{"a value that the target refused isn't written again",
			plan.Input{Presence: plan.Present, Result: wanted(ann("jobTitle", "Clerk")), Link: link, Applied: applied(),
				Refused: map[string][]string{"jobTitle": {"Clerk"}}}, nil, []string{"value-refused"}},
		{"another value than the refused one is",
			plan.Input{Presence: plan.Present, Result: wanted(ann("jobTitle", "Clerk")), Link: link, Applied: applied(),
				Refused: map[string][]string{"jobTitle": {"Cl\x01erk"}}},
			change(target.Update, "changed in the source", target.Attributes{"jobTitle": {"Clerk"}}, nil), nil},
		{"an account turned off is a disable, and no removal",
			plan.Input{Presence: plan.Present, Result: wanted(ann("accountEnabled", "false")), Link: link, Applied: applied()},
			change(target.Disable, "changed in the source", off, on), nil},
		{"an account turned on is an enable",
			plan.Input{Presence: plan.Present, Result: wanted(ann()), Link: link, Applied: applied("accountEnabled", "false")},
			change(target.Enable, "changed in the source", on, off), nil},
		{"the loser of a name gets its placeholder",
			plan.Input{Presence: plan.Present, Result: wanted(ann()), Link: link, Applied: applied(),
				UPN: plan.Claim{Holder: "s2", Placeholder: "ann-1@x"}},
			change(target.Update, "changed in the source", target.Attributes{"userPrincipalName": {"ann-1@x"}}, target.Attributes{"userPrincipalName": {"ann@contoso.com"}}),
			[]string{"conflict"}},
		{"stepping aside in a cycle is no problem",
			plan.Input{Presence: plan.Present, Result: wanted(ann()), Link: link, Applied: applied(),
				UPN: plan.Claim{Holder: "s2", Placeholder: "ann-1@x", Temporary: true}},
			change(target.Update, "changed in the source", target.Attributes{"userPrincipalName": {"ann-1@x"}}, target.Attributes{"userPrincipalName": {"ann@contoso.com"}}), nil},
		{"the loser of an address goes without",
			plan.Input{Presence: plan.Present, Result: wanted(ann("mail", "a@x")), Link: link, Applied: applied(), Mail: plan.Claim{Holder: "s2"}}, nil, []string{"conflict"}},
		{"a tombstone deletes the account that is ours",
			plan.Input{Presence: plan.Deleted, Evidence: tombstone, Link: link, Applied: applied()},
			removal(target.Delete, "deleted in the source", tombstone, nil, nil), nil},
		{"a tombstone of an object that has no account needs nothing",
			plan.Input{Presence: plan.Deleted, Evidence: tombstone}, nil, nil},
		{"an account in the bin isn't deleted again",
			plan.Input{Presence: plan.Deleted, Evidence: tombstone, Link: binned}, nil, nil},
		{"who comes back gets the account out of the bin, with what changed meanwhile",
			plan.Input{Presence: plan.Present, Result: wanted(ann("jobTitle", "Back")), Link: binned, Applied: applied()},
			change(target.Restore, "came back in the source", target.Attributes{"jobTitle": {"Back"}}, nil), nil},
		{"who leaves the scope is disabled",
			plan.Input{Presence: plan.Left, Evidence: moved, Link: link, Applied: applied()},
			removal(target.Disable, "left the scope", moved, off, on), nil},
		{"who left and is disabled already needs nothing",
			plan.Input{Presence: plan.Left, Evidence: moved, Link: link, Applied: applied("accountEnabled", "false")}, nil, nil},
		{"who leaves is deleted if that is the policy",
			plan.Input{Presence: plan.Left, Evidence: moved, Link: link, Applied: applied(), Leaving: plan.DeleteOnLeave},
			removal(target.Delete, "left the scope", moved, nil, nil), nil},
		{"who leaves is kept if that is the policy",
			plan.Input{Presence: plan.Left, Evidence: moved, Link: link, Applied: applied(), Leaving: plan.KeepOnLeave}, nil, nil},
		{"an account whose object is to be skipped now has left",
			plan.Input{Presence: plan.Present, Result: skip, Link: link, Applied: applied()},
			removal(target.Disable, "no longer synchronized: critical system object", &source.Evidence{Kind: "rule", Detail: "skip: critical system object"}, off, on), nil},
		{"whom the scope refuses has left it",
			plan.Input{Presence: plan.Present, Result: refused, Evidence: tombstone, Link: link, Applied: applied()},
			crossing(removal(target.Disable, "", tombstone, off, on), plan.Leaves, false, "left the scope: in OU=Lab (excluded)"), nil},
		{"and if the scope was changed, it says so",
			plan.Input{Presence: plan.Present, Result: refused, Evidence: tombstone, Rescoped: true, Link: link, Applied: applied()},
			crossing(removal(target.Disable, "", tombstone, off, on), plan.Leaves, true, "the scope was changed: in OU=Lab (excluded)"), nil},
		{"who was outside and gets an account enters",
			plan.Input{Presence: plan.Present, Result: wanted(ann()), Returned: true},
			crossing(create, plan.Enters, false, "entered the scope"), nil},
		{"who was outside and is enabled enters",
			plan.Input{Presence: plan.Present, Result: wanted(ann()), Link: link, Applied: applied("accountEnabled", "false"), Returned: true, Rescoped: true},
			crossing(change(target.Enable, "", on, off), plan.Enters, true, "the scope was changed"), nil},
		{"what can't be told changes nothing, not even for an account in the bin",
			plan.Input{Presence: plan.Present, Link: binned, Result: mapping.Result{Undecided: true, Problems: []mapping.Problem{{Code: "container-unknown"}}}},
			nil, []string{"container-unknown"}},
		{"absence changes nothing and is reported",
			plan.Input{Presence: plan.Missing, Link: link, Applied: applied()}, nil, []string{"missing-in-source"}},
		{"absence of what was never ours is nothing",
			plan.Input{Presence: plan.Missing}, nil, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			in := tt.in
			in.ID, in.Name = "s1", "CN=ann"
			before := fmt.Sprintf("%+v", in)
			got, problems := plan.Compute(in)
			if got != nil && tt.want != nil {
				words := map[plan.Presence]string{plan.Present: "present", plan.Left: "left", plan.Deleted: "deleted"}
				require.Equal(t, plan.Precondition{Object: words[in.Presence], Account: plan.AccountOf(in.Link)}, got.Precondition)
				tt.want.Precondition = got.Precondition
			}
			require.Equal(t, tt.want, got)
			var codes []string
			for _, p := range problems {
				require.Equal(t, source.ID("s1"), p.Object)
				codes = append(codes, p.Code)
			}
			require.Equal(t, tt.problems, codes)
			require.Equal(t, before, fmt.Sprintf("%+v", in), "the input stays as it was")
			again, _ := plan.Compute(in)
			require.True(t, reflect.DeepEqual(got, again), "equal inputs give equal results")
		})
	}
}

func TestLimits(t *testing.T) {
	for _, tt := range []struct {
		name     string
		limits   plan.Limits
		removals int
		owned    int
		breaches int
	}{
		{"500 removals of many are let through", plan.Limits{}, 500, 10000, 0},
		{"501 aren't", plan.Limits{}, 501, 10000, 1},
		{"20 % of over 100 are let through", plan.Limits{}, 24, 120, 0},
		{"more isn't", plan.Limits{}, 25, 120, 1},
		{"the percentage doesn't count up to 100", plan.Limits{}, 100, 100, 0},
		{"both can be exceeded", plan.Limits{}, 600, 1000, 2},
		{"a limit can be set", plan.Limits{Removals: plan.Limit{Count: 5}}, 6, 10000, 1},
		{"and lifted", plan.Unlimited(), 9999, 10000, 0},
		{"the size from which the percentage counts can be set", plan.Limits{Removals: plan.Limit{From: 10}}, 4, 11, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			planned := plan.Tally{target.User: {plan.Removals: tt.removals}}
			require.Len(t, tt.limits.Check(planned, nil, map[target.Kind]int{target.User: tt.owned}), tt.breaches)
		})
	}
}

func TestEachEffectHasABudgetThatEarlierRunsSpendToo(t *testing.T) {
	owned := map[target.Kind]int{target.User: 10000}
	for effect, most := range map[plan.Effect]int{
		plan.Removals: 500, plan.Disables: 500, plan.UPNChanges: 1000, plan.AddressChanges: 1000,
		plan.Restores: 500, plan.Clears("jobTitle"): 500,
	} {
		tally := func(n int) plan.Tally { return plan.Tally{target.User: {effect: n}} }
		require.Empty(t, plan.Limits{}.Check(tally(1), tally(most-1), owned), effect)
		require.Equal(t, []plan.Breach{{Kind: target.User, Effect: effect, Bound: "count", Planned: 1, Spent: most, Owned: 10000, Allowed: most}},
			plan.Limits{}.Check(tally(1), tally(most), owned), effect)
		require.Empty(t, plan.Limits{}.Check(nil, tally(2*most), owned), "a plan without it exceeds nothing")
	}
	// Each attribute, and each kind, is counted for itself.
	two := plan.Tally{target.User: {plan.Clears("jobTitle"): 400, plan.Clears("city"): 400}, "group": {plan.Removals: 400}}
	require.Empty(t, plan.Limits{}.Check(two, plan.Tally{target.User: {plan.Removals: 400}}, owned))
}

func TestAChangeCountsForWhatItDoes(t *testing.T) {
	before := target.Attributes{"userPrincipalName": {"a@b.c"}, "mail": {"a@b.c"}, "jobTitle": {"Clerk"}}
	for _, tt := range []struct {
		c    plan.Change
		want []plan.Effect
	}{
		{plan.Change{Change: target.Change{Op: target.Create, Set: target.Attributes{"userPrincipalName": {"x"}}}}, nil},
		{plan.Change{Change: target.Change{Op: target.Delete}, Removal: true}, []plan.Effect{plan.Removals}},
		{plan.Change{Change: target.Change{Op: target.Disable}, Removal: true}, []plan.Effect{plan.Removals}},
		{plan.Change{Change: target.Change{Op: target.Disable}}, []plan.Effect{plan.Disables}},
		{plan.Change{Change: target.Change{Op: target.Restore}}, []plan.Effect{plan.Restores}},
		{plan.Change{Change: target.Change{Op: target.Update, Set: target.Attributes{"userPrincipalName": {"x"}}}}, []plan.Effect{plan.UPNChanges}},
		{plan.Change{Change: target.Change{Op: target.Update, Set: target.Attributes{"userPrincipalName": {"x"}}}, Again: true}, nil},
		{plan.Change{Change: target.Change{Op: target.Update, Set: target.Attributes{"mail": {"x"}}}}, []plan.Effect{plan.AddressChanges}},
		{plan.Change{Change: target.Change{Op: target.Update, Set: target.Attributes{"jobTitle": nil, "city": nil}}}, []plan.Effect{plan.Clears("jobTitle")}},
		{plan.Change{Change: target.Change{Op: target.Update, Set: target.Attributes{"jobTitle": {"Boss"}}}}, nil},
	} {
		tt.c.Before = before
		require.Equal(t, tt.want, tt.c.Effects(), "%+v", tt.c)
	}
}

func TestLeavingHasBudgetsOfItsOwn(t *testing.T) {
	gone := plan.Change{Change: target.Change{Op: target.Disable, Kind: target.User}, Removal: true, Crossing: plan.Leaves}
	require.Equal(t, []plan.Effect{plan.Removals, plan.LeavesScope}, gone.Effects())
	gone.Rescoped = true
	require.Equal(t, []plan.Effect{plan.Removals, plan.LeavesScope, plan.Rescoped}, gone.Effects())
	var tally plan.Tally
	tally.Add(&gone, 2)
	owned := map[target.Kind]int{target.User: 1000}
	b := plan.Limits{}.Check(tally, nil, owned)
	require.Len(t, b, 1, "one is too many, if the scope's configuration is to blame")
	require.Equal(t, plan.Breach{Kind: target.User, Effect: plan.Rescoped, Bound: plan.ByCount, Planned: 2, Owned: 1000}, b[0])
	require.Empty(t, plan.Limits{Rescoped: plan.Limit{Count: 2}}.Check(tally, nil, owned))
	require.Len(t, plan.Limits{Rescoped: plan.NoLimit, Leaving: plan.Limit{Count: 1}}.Check(tally, nil, owned), 1)
	require.Empty(t, plan.Unlimited().Check(tally, nil, owned))
}

func TestTheWindowReachesBackInTimeAndInRuns(t *testing.T) {
	var l plan.Limits
	require.True(t, l.InWindow(100, 23*time.Hour))
	require.False(t, l.InWindow(8, 24*time.Hour))
	require.True(t, l.InWindow(7, 1000*time.Hour), "a clock that jumps ahead empties no window")
	require.True(t, l.InWindow(100, -time.Hour), "nor does one that was set back")
	l = plan.Limits{Window: time.Hour, WindowRuns: 1}
	require.False(t, l.InWindow(1, 2*time.Hour))
}

func TestTwoChangesAreTheSameWhateverIsSaidAboutThem(t *testing.T) {
	c := plan.Change{Change: target.Change{Op: target.Update, ID: "t1", Set: target.Attributes{"city": {"Bern"}}}, Source: "s1",
		Before: target.Attributes{"city": {"Basel"}}, Reason: "changed in the source", Name: "CN=ann",
		Precondition: plan.Precondition{Object: "present", Account: "live"}}
	d := c
	d.Reason, d.Name = "the rules changed", "CN=ann,OU=new"
	require.True(t, plan.Same(&c, &d))
	for name, edit := range map[string]func(*plan.Change){
		"before":       func(c *plan.Change) { c.Before = target.Attributes{"city": {"Genf"}} },
		"precondition": func(c *plan.Change) { c.Precondition.Object = "left" },
		"evidence":     func(c *plan.Change) { c.Evidence = &source.Evidence{Kind: "tombstone"} },
	} {
		d := c
		edit(&d)
		require.False(t, plan.Same(&c, &d), name)
		require.Equal(t, c.Deed(), d.Deed(), "%s: it does the same", name)
	}
	for name, edit := range map[string]func(*plan.Change){
		"operation": func(c *plan.Change) { c.Op = target.Enable },
		"account":   func(c *plan.Change) { c.ID = "t2" },
		"value":     func(c *plan.Change) { c.Set = target.Attributes{"city": {"Genf"}} },
		"object":    func(c *plan.Change) { c.Source = "s2" },
		"removal":   func(c *plan.Change) { c.Removal = true },
	} {
		d := c
		edit(&d)
		require.False(t, plan.Same(&c, &d), name)
		require.NotEqual(t, c.Deed(), d.Deed(), name)
	}
	d = c
	d.Wave = 1
	require.False(t, plan.Same(&c, &d))
}

func TestPoliciesFilter(t *testing.T) {
	ops := []target.Op{target.Create, target.Update, target.Enable, target.Disable, target.Delete, target.Restore}
	allowed := func(p plan.Policy, removal bool) (all []target.Op) {
		for _, op := range ops {
			if p.Allows(&plan.Change{Change: target.Change{Op: op}, Removal: removal && (op == target.Disable || op == target.Delete)}) {
				all = append(all, op)
			}
		}
		return all
	}
	require.Equal(t, ops, allowed(plan.SyncAll, true))
	require.Equal(t, []target.Op{target.Create, target.Update, target.Enable, target.Restore}, allowed(plan.UpsertOnly, true))
	require.Equal(t, []target.Op{target.Create, target.Update, target.Enable, target.Disable, target.Restore}, allowed(plan.UpsertOnly, false))
	require.Equal(t, []target.Op{target.Create}, allowed(plan.CreateOnly, true))
	require.NoError(t, plan.UpsertOnly.Check())
	require.Error(t, plan.Policy("all").Check())
}

func TestChangesAreAppliedByWaveThenPhaseThenObject(t *testing.T) {
	c := func(wave int, op target.Op, id source.ID) *plan.Change {
		return &plan.Change{Change: target.Change{Op: op}, Wave: wave, Source: id}
	}
	order := []*plan.Change{
		c(0, target.Create, "b"), c(0, target.Restore, "c"), c(0, target.Update, "a"), c(0, target.Disable, "a"),
		c(0, target.Delete, "a"), c(1, target.Create, "a"),
	}
	for i := range order {
		for j := range order {
			require.Equal(t, i < j, order[i].Less(order[j]), "%d before %d", i, j)
		}
	}
}

func TestAPlansHashIsTheSameWheneverItIsMade(t *testing.T) {
	hash := func(seen time.Time, title string) string {
		h := plan.NewHasher()
		c := &plan.Change{Change: target.Change{Op: target.Update, Set: target.Attributes{"jobTitle": {title}, "city": {"Bern"}}},
			Evidence: &source.Evidence{Kind: "tombstone", Seen: seen}}
		require.NoError(t, h.Add(c))
		require.Equal(t, seen, c.Evidence.Seen)
		return h.Sum()
	}
	require.Equal(t, hash(since, "x"), hash(since.Add(time.Hour), "x"))
	require.NotEqual(t, hash(since, "x"), hash(since, "y"))
}

func ExampleCompute() {
	change, _ := plan.Compute(plan.Input{
		ID:       "b9ab2ef7-091b-50bf-845c-72bb8a00e909",
		Presence: plan.Deleted,
		Evidence: &source.Evidence{Kind: "tombstone"},
		Link:     &plan.Link{ID: "42"},
	})
	fmt.Println(change.Op, change.ID, "because:", change.Reason, "- evidence:", change.Evidence.Kind)

	change, problems := plan.Compute(plan.Input{Presence: plan.Missing, Link: &plan.Link{ID: "42"}})
	fmt.Println(change, problems[0].Code)
	// Output:
	// delete 42 because: deleted in the source - evidence: tombstone
	// <nil> missing-in-source
}
