package e2e_test

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/go-ldap/ldap/v3"
	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/internal/e2e/compare"
)

// TestRealDirectory is the main job on a real domain controller, by the program
// as an operator runs it: everything once, then ten rounds of changes. The nights
// have more people and more rounds (DIRBRIDGE_E2E_PEOPLE and _ROUNDS).
func TestRealDirectory(t *testing.T) {
	bed := realDC(t)
	w := newWorld(t, bed.ad, worldOptions{groups: true})
	added := bed.addGroups(t)
	few := fewPeople(t, bed, 20)
	bed.fillRows(t, few, "x")
	w.opinion.Observe(bed.read(t))

	first := w.synced(t)
	require.Equal(t, "full", first.Mode)
	require.GreaterOrEqual(t, first.Created, realPeople)
	require.Len(t, first.Problems, 1, "one value is too long: %+v", first.Problems)
	w.requireSame(t, "after the first run")
	require.Equal(t, writes{created: w.opinion.Accounts()}, w.made())
	require.Equal(t, w.opinion.Accounts()+w.opinion.Groups(), first.Created)
	require.GreaterOrEqual(t, w.opinion.Groups(), 15)
	t.Logf("first run: %s", first)

	for _, again := range [][]string{nil, {"--full"}} {
		w.tenant.ResetCounts()
		r := w.synced(t, again...)
		require.Zero(t, w.tenant.Counts().TotalWrites(), "%v: %s", again, r)
		require.Len(t, r.Problems, 1)
		t.Logf("again, nothing changed: %s", r)
	}
	w.requireSame(t, "after runs without a change")

	x := newExplainer(bed.read(t))
	var gone []op // deleted in an earlier round, and not back
	for round := 1; round <= number("DIRBRIDGE_E2E_ROUNDS", 10); round++ {
		ops := bed.churn(t, 60)
		if round%3 == 0 { // the testbed's own log brings back only whom it deleted itself
			for _, o := range gone[:min(2, len(gone))] {
				bed.undelete(t, o.GUID, o.DN)
				ops = append(ops, op{Op: "undelete", GUID: o.GUID, DN: o.DN})
			}
			gone = gone[min(2, len(gone)):]
		}
		want := x.explain(t, ops, w.opinion)
		w.tenant.ResetCounts()
		r := w.synced(t)
		require.Equal(t, "delta", r.Mode, r.FullReason)
		w.requireSame(t, "after a round of changes")
		t.Logf("round %d: %d changes explain %+v: %s", round, len(ops), want, r)
		require.Equal(t, want, w.made(), "the log explains %+v", want)
		require.Equal(t, writes{r.Created, r.Updated + r.Disabled + r.Restored, r.Deleted, r.Restored}, want, "the report's own counts")
		requireKnownProblems(t, r)
		w.requireIdle(t)
		for _, o := range stayDeleted(ops) {
			if _, was := w.opinion.Account(o.GUID); !was {
				gone = append(gone, o)
			}
		}
	}

	t.Run("groups change", func(t *testing.T) { groupsChange(t, bed, w, added) })
	t.Run("the rows that churn leaves alone", func(t *testing.T) {
		here := stillHere(t, bed, few)
		for _, value := range []string{"y", ""} {
			bed.fillRows(t, here, value)
			w.tenant.ResetCounts()
			r := w.synced(t)
			w.requireSame(t, "after other values")
			require.Equal(t, writes{patched: len(here)}, w.made())
			t.Logf("%d people, value %q: %s", len(here), value, r)
		}
	})
	t.Run("a domain becomes verified, and is removed", func(t *testing.T) { theDomainComesAndGoes(t, bed, w) })
	t.Run("polling by USN", func(t *testing.T) { theSameByUSN(t, bed, w, x) })
	t.Run("killed", func(t *testing.T) {
		w.unchecked.Store(true)
		defer w.unchecked.Store(false)
		k := newKiller(t, w)
		for range 10 {
			k.killAndRecover(t, func() { bed.churn(t, 60) })
		}
	})
	t.Run("cut", func(t *testing.T) { cutReal(t, bed, w) })
	t.Run("an account that can't see deletions is told so", func(t *testing.T) {
		r := newWorld(t, bed.ad, worldOptions{as: bed.reader}).sync(t, "--dry-run")
		require.Contains(t, r.stderr+r.Error, "Deleted Objects", "exit code %d", r.ExitCode)
	})
}

// requireKnownProblems accepts what is wrong with people who came back from a
// tombstone: their ConsistencyGuid is lost, and so is a mail or usageLocation
// that Graph can't clear; the value that fillRows made too long; and nothing
// else.
func requireKnownProblems(t testing.TB, r *report) {
	t.Helper()
	for _, p := range r.Problems {
		require.Contains(t, []string{"anchor-changed onPremisesImmutableId", "cannot-clear mail", "cannot-clear usageLocation", "value-too-long extensionAttribute14"},
			p.Code+" "+p.Attribute, "%+v", p)
	}
}

// stayDeleted are the deletions of a log that nothing took back.
func stayDeleted(ops []op) (out []op) {
	last := map[string]op{}
	for _, o := range ops {
		if o.Op == "delete" || o.Op == "undelete" {
			last[o.GUID] = o
		}
	}
	for _, o := range ops {
		if l := last[o.GUID]; l == o && l.Op == "delete" {
			out = append(out, o)
		}
	}
	return out
}

// fewPeople are n people whom the testbed made, by their objectGUIDs.
func fewPeople(t *testing.T, bed *testbed, n int) (guids []string) {
	for _, e := range bed.read(t).Live {
		if strings.Contains(e.DN, ",OU=People,") && len(guids) < n {
			guids = append(guids, e.GUID())
		}
	}
	require.Len(t, guids, n)
	return guids
}

// stillHere leaves out who was deleted.
func stillHere(t *testing.T, bed *testbed, guids []string) (here []string) {
	for _, e := range bed.read(t).Live {
		if slices.Contains(guids, e.GUID()) {
			here = append(here, e.GUID())
		}
	}
	return here
}

// fillRows gives people a value in those rows of the flow that the testbed
// leaves empty, or none; for the first of them one that is too long.
func (b *testbed) fillRows(t *testing.T, guids []string, value string) {
	t.Helper()
	c := b.connect(t)
	defer c.Close()
	for i, guid := range guids {
		m := ldap.NewModifyRequest("<GUID="+guid+">", nil)
		set := func(name string, values ...string) {
			if value == "" {
				values = nil
			}
			m.Replace(name, values)
		}
		set("facsimileTelephoneNumber", fmt.Sprint("+1 555 ", i, value))
		set("otherMailbox", fmt.Sprintf("b%d@%s.example", i, value), fmt.Sprintf("a%d@%s.example", i, value))
		set("employeeType", "kind "+value)
		set("preferredLanguage", "de-"+value)
		set("st", "state "+value)
		for n := 2; n <= 14; n++ {
			set(fmt.Sprint("extensionAttribute", n), fmt.Sprint(n, " ", value))
		}
		if i == 0 {
			set("extensionAttribute14", strings.Repeat(value, 1025))
		}
		require.NoError(t, c.Modify(m))
	}
}

func theDomainComesAndGoes(t *testing.T, bed *testbed, w *world) {
	domain := bed.domain()
	concerned := 0 // people who sign in with a name in that domain, or with the implicit one
	for _, e := range bed.read(t).Live {
		if _, synced := w.opinion.Account(e.GUID()); !synced {
			continue
		}
		if upn := first(e, "userprincipalname"); upn == "" || strings.HasSuffix(strings.ToLower(upn), "@"+domain) {
			concerned++
		}
	}
	require.Greater(t, concerned, realPeople/10)
	for _, step := range []struct {
		what string
		do   func(string)
	}{{"verified", w.tenant.VerifyDomain}, {"removed", w.tenant.RemoveDomain}} {
		step.do(domain)
		w.tenant.ResetCounts()
		r := w.synced(t)
		require.Equal(t, "delta", r.Mode, r.FullReason)
		w.requireSame(t, domain+" "+step.what)
		require.Equal(t, writes{patched: concerned}, w.made(), "only those concerned")
		t.Logf("%s %s: %d concerned: %s", domain, step.what, concerned, r)
	}
}

func first(e compare.Entry, name string) string {
	if v := e.Values[name]; len(v) > 0 {
		return v[0]
	}
	return ""
}

// theSameByUSN goes on with the other way to find changes. What DirSync's
// watermark tells is of no use to it, so it begins with a full read.
func theSameByUSN(t *testing.T, bed *testbed, w *world, x *explainer) {
	text, err := os.ReadFile(w.config())
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(w.config(), bytes.Replace(text, []byte("delta: auto"), []byte("delta: usn"), 1), 0o600))
	w.tenant.ResetCounts()
	r := w.synced(t)
	require.Equal(t, "full", r.Mode)
	require.NotEmpty(t, r.FullReason)
	require.Zero(t, w.tenant.Counts().TotalWrites())
	t.Logf("first run by USN: %s", r)
	for range 2 {
		ops := bed.churn(t, 60)
		want := x.explain(t, ops, w.opinion)
		w.tenant.ResetCounts()
		r := w.synced(t)
		require.Equal(t, "delta", r.Mode, r.FullReason)
		w.requireSame(t, "after a round of changes, by USN")
		require.Equal(t, want, w.made(), "the log explains %+v", want)
		t.Logf("by USN: %d changes explain %+v: %s", len(ops), want, r)
	}
	w.tenant.ResetCounts()
	r = w.synced(t)
	require.Equal(t, "delta", r.Mode, r.FullReason)
	require.Zero(t, w.tenant.Counts().TotalWrites())
}
