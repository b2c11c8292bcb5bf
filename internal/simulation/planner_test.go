package simulation_test

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/dirsync/plan"
	"github.com/dirbridge/dirbridge/mapping"
	"github.com/dirbridge/dirbridge/source"
	"github.com/dirbridge/dirbridge/target"
)

// The planner alone: a random state of one object is perturbed twice, which makes
// what the source wants, what was applied, and what the target holds three
// relatives of one another. Plans are applied to a model until there are none;
// then the model must be as the words say.

// A leaf is the planner's whole world: one object with its account.
type leaf struct {
	in      plan.Input
	account target.Attributes // nil: none; what the target holds
	binned  bool
}

var planned = []string{"displayName", "jobTitle", "department", "userPrincipalName", "mail", "accountEnabled"}

func values(r *rand.Rand, attr string) []string {
	switch attr {
	case "accountEnabled":
		return []string{fmt.Sprint(r.IntN(4) > 0)}
	case "displayName", "userPrincipalName":
		return []string{fmt.Sprint(attr[:1], r.IntN(3))}
	}
	if r.IntN(3) == 0 {
		return nil
	}
	return []string{fmt.Sprint(attr[:1], r.IntN(3))}
}

// perturbed is a with some attributes changed.
func perturbed(r *rand.Rand, a target.Attributes) target.Attributes {
	b := make(target.Attributes, len(a))
	for k, v := range a {
		b[k] = v
	}
	for range r.IntN(3) {
		attr := planned[r.IntN(len(planned))]
		b[attr] = values(r, attr)
	}
	return b
}

func withValues(a target.Attributes) target.Attributes {
	b := make(target.Attributes, len(a))
	for k, v := range a {
		if len(v) > 0 {
			b[k] = v
		}
	}
	return b
}

func newLeaf(r *rand.Rand) *leaf {
	base := make(target.Attributes, len(planned))
	for _, attr := range planned {
		base[attr] = values(r, attr)
	}
	l := &leaf{in: plan.Input{
		ID:       "a-source-id",
		Presence: []plan.Presence{plan.Present, plan.Present, plan.Present, plan.Left, plan.Deleted, plan.Missing}[r.IntN(6)],
		Leaving:  []plan.Leaving{plan.DisableOnLeave, plan.DeleteOnLeave, plan.KeepOnLeave}[r.IntN(3)],
	}}
	in := &l.in
	if in.Presence == plan.Present {
		in.Result = mapping.Result{Kind: target.User, Anchor: "anchor", Attributes: perturbed(r, base),
			CannotClear: []string{"displayName", "userPrincipalName", "mail", "accountEnabled"}}
		if r.IntN(8) == 0 {
			in.Result.Skip = &mapping.Decision{Rule: "skip", Branch: "why"}
		}
		if r.IntN(10) == 0 {
			in.Result.Problems = []mapping.Problem{{Code: "x", Fatal: r.IntN(2) == 0}}
		}
		in.UPN, in.Mail = claim(r, "u-placeholder"), claim(r, "")
	} else if in.Presence != plan.Missing {
		in.Evidence = &source.Evidence{Kind: "tombstone"}
	}
	if r.IntN(3) > 0 {
		in.Link = &plan.Link{ID: "account", Anchor: "anchor", Since: time.Unix(1, 0)}
		in.Applied = withValues(perturbed(r, base))
		l.account = withValues(perturbed(r, in.Applied)) // drift
		if r.IntN(5) == 0 {
			in.Link.Binned, l.binned = time.Unix(2, 0), true
		}
		if r.IntN(4) == 0 {
			in.Unsure = []string{planned[r.IntN(len(planned))]}
		}
	} else if r.IntN(8) == 0 {
		in.AnchorHolder = "somebody"
	}
	return l
}

func claim(r *rand.Rand, placeholder string) plan.Claim {
	switch r.IntN(12) {
	case 0:
		return plan.Claim{Holder: "other", Placeholder: placeholder}
	case 1:
		return plan.Claim{Holder: "theirs", Foreign: true}
	case 2:
		return plan.Claim{Holder: "other", Temporary: true}
	}
	return plan.Claim{}
}

// apply makes the change in the model, as the target and the ledger would.
func (l *leaf) apply(c *plan.Change) error {
	in := &l.in
	switch c.Op {
	case target.Create:
		if l.account != nil || c.ID != "" {
			return fmt.Errorf("a second account")
		}
		l.account, in.Applied = target.Attributes{}, target.Attributes{}
		in.Link = &plan.Link{ID: "account", Anchor: c.Anchor, Since: time.Unix(3, 0)}
	case target.Delete:
		l.binned, in.Link.Binned = true, time.Unix(4, 0)
		return nil
	case target.Restore:
		if !l.binned {
			return fmt.Errorf("restore of what lives")
		}
		l.binned, in.Link.Binned = false, time.Time{}
	default:
		if l.account == nil || l.binned || c.ID != in.Link.ID {
			return fmt.Errorf("%s of nothing", c.Op)
		}
	}
	for attr, v := range c.Set {
		in.Unsure = slices.DeleteFunc(slices.Clone(in.Unsure), func(u string) bool { return u == attr })
		if len(v) == 0 {
			delete(l.account, attr)
			delete(in.Applied, attr)
		} else {
			l.account[attr], in.Applied[attr] = v, v
		}
	}
	return nil
}

// settle plans and applies until nothing is left to do, and says what is wrong.
func (l *leaf) settle() error {
	drifted := map[string]bool{}
	for _, attr := range planned {
		drifted[attr] = !slices.Equal(l.account[attr], l.in.Applied[attr])
	}
	first := *l
	for step := 0; ; step++ {
		c, problems := plan.Compute(l.in)
		if c == nil {
			return l.judge(&first, problems, drifted)
		}
		if step == 2 {
			return fmt.Errorf("no rest: %s %v", c.Op, c.Set)
		}
		removes := c.Op == target.Delete || c.Removal
		proof := l.in.Presence == plan.Deleted && c.Op == target.Delete ||
			(l.in.Presence == plan.Left || l.in.Result.Skip != nil) && (c.Op == target.Delete) == (l.in.Leaving == plan.DeleteOnLeave) && l.in.Leaving != plan.KeepOnLeave
		if removes && !proof {
			return fmt.Errorf("%s without proof", c.Op)
		}
		if c.Op != target.Create && l.in.Link == nil {
			return fmt.Errorf("%s of what isn't ours", c.Op)
		}
		for attr := range c.Set {
			drifted[attr] = false
		}
		if err := l.apply(c); err != nil {
			return err
		}
	}
}

// judge says what is wrong with the end.
func (l *leaf) judge(first *leaf, problems []plan.Problem, drifted map[string]bool) error {
	in := &l.in
	live := l.account != nil && !l.binned
	was := first.account != nil && !first.binned
	fatal := slices.ContainsFunc(in.Result.Problems, func(p mapping.Problem) bool { return p.Fatal })
	switch {
	case in.Presence == plan.Missing:
		if live != was {
			return fmt.Errorf("absence changed something")
		}
	case in.Presence == plan.Deleted:
		if live {
			return fmt.Errorf("deleted, and lives")
		}
	case in.Presence == plan.Left || in.Result.Skip != nil:
		switch {
		case live && in.Leaving == plan.DeleteOnLeave:
			return fmt.Errorf("left, and lives")
		case live && in.Leaving == plan.DisableOnLeave && in.Applied.First("accountEnabled") != "false":
			return fmt.Errorf("left, and is enabled")
		case live != was && in.Leaving != plan.DeleteOnLeave:
			return fmt.Errorf("left, and gone or back")
		}
	case !live:
		if !fatal && !in.UPN.Foreign && !in.Mail.Foreign && in.AnchorHolder == "" {
			return fmt.Errorf("no account")
		}
		if len(problems) == 0 {
			return fmt.Errorf("no account, and nobody is told")
		}
	default:
		for _, attr := range planned {
			want, got := in.Result.Attributes[attr], l.account[attr]
			held := attr == "userPrincipalName" && in.UPN.Holder != "" || attr == "mail" && in.Mail.Holder != ""
			kept := len(want) == 0 && slices.Contains(in.Result.CannotClear, attr)
			if !held && !kept && !drifted[attr] && !slices.Equal(got, want) {
				return fmt.Errorf("%s is %v, must be %v", attr, got, want)
			}
		}
	}
	return nil
}

func TestPlansOfRelatedTriplesComeToRestInWhatTheWordsSay(t *testing.T) {
	n := int(env("DIRBRIDGE_TRIPLES", 20*seeds))
	r := rand.New(rand.NewPCG(1, 1))
	start := time.Now()
	for i := range n {
		l := newLeaf(r)
		was := fmt.Sprintf("%+v", l.in.Presence)
		if err := l.settle(); err != nil {
			t.Fatalf("triple %d (%s): %v\n%+v", i, was, err, l)
		}
	}
	t.Logf("%.0f triples/s", float64(n)/time.Since(start).Seconds())
}

// The planner is pure: it keeps its input, and equal inputs give equal plans.
func TestThePlannerIsPure(t *testing.T) {
	for seed := range uint64(5000) {
		a, b := newLeaf(rand.New(rand.NewPCG(seed, 2))), newLeaf(rand.New(rand.NewPCG(seed, 2)))
		c, ps := plan.Compute(a.in)
		require.True(t, reflect.DeepEqual(a.in, b.in), "seed %d: the input changed", seed)
		d, qs := plan.Compute(b.in)
		require.Equal(t, c, d)
		require.Equal(t, ps, qs)
	}
}

func BenchmarkPlanner(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 1))
	for b.Loop() {
		if err := newLeaf(r).settle(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "triples/s")
}
