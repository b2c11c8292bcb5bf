package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/state/boltstate"
)

// tooMany is a world in which the next run would delete A and B and change C,
// and is over its limit.
func tooMany(t *testing.T, more ...string) *world {
	t.Helper()
	w := newWorld(t, append(more, "limits: {removals: 1}")...)
	for _, cn := range []string{"A", "B", "C"} {
		w.person(cn, strings.ToLower(cn)+"@contoso.com", "title", "Clerk")
	}
	require.Zero(t, first(w.run("sync")))
	for _, cn := range []string{"A", "B"} {
		require.NoError(t, w.ad.Delete(dn(w, cn)))
	}
	w.set("C", "title", "Director")
	return w
}

var (
	wholeHash = regexp.MustCompile(`\b[0-9a-f]{64}\b`)
	shortHash = regexp.MustCompile(`(plan|approve|reject) [0-9a-f]{12}\b`)
)

// planned makes a plan and returns its hash.
func (w *world) planned() string {
	w.t.Helper()
	code, out, errs := w.run("plan")
	require.Zero(w.t, code, errs)
	hash := wholeHash.FindString(out)
	require.NotEmpty(w.t, hash, out)
	return hash
}

// settled is text without what differs each time.
func (w *world) settled(text string) string {
	text = strings.ReplaceAll(text, w.config, "d.yaml")
	text = shortHash.ReplaceAllString(wholeHash.ReplaceAllString(text, "HASH"), "$1 HASH")
	return instant.ReplaceAllString(regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ`).ReplaceAllString(text, "TIME"), "TIME")
}

func TestT07_AHaltedRunIsApprovedAndGoesThroughExactlyOnce(t *testing.T) {
	w := tooMany(t)
	writes := w.tenant.Counts().TotalWrites()
	code, out, errs := w.run("sync")
	require.Equal(t, 4, code)
	golden(t, "halted.txt", w.settled(out+errs))

	code, out, errs = w.run("plan", "--exit-code")
	require.Equal(t, 10, code, errs)
	golden(t, "plan.txt", w.settled(out))
	hash := wholeHash.FindString(out)
	require.Equal(t, writes, w.tenant.Counts().TotalWrites())

	code, out, errs = w.run("approve", hash[:12])
	require.Zero(t, code, errs)
	golden(t, "approved.txt", w.settled(out))

	code, out, errs = w.run("sync", "--approved")
	require.Zero(t, code, errs)
	require.Contains(t, out, "updated 1, disabled 0, deleted 2,")
	require.Contains(t, out, "approved by root@here")
	require.Equal(t, []string{"c@contoso.com"}, w.upns())

	writes = w.tenant.Counts().TotalWrites()
	code, _, errs = w.run("sync", "--approved")
	require.Equal(t, 1, code)
	require.Contains(t, errs, "no plan waits")
	require.Zero(t, first(w.run("sync")))
	require.Equal(t, writes, w.tenant.Counts().TotalWrites(), "and nothing is done twice")
	require.Zero(t, first(w.run("audit", "verify")))
}

func TestT07_AnApprovalIsForNoOtherPlan(t *testing.T) {
	w := tooMany(t)
	hash := w.planned()
	require.Zero(t, first(w.run("approve", hash)))
	require.NoError(t, w.ad.Delete(dn(w, "C")))
	writes := w.tenant.Counts().TotalWrites()

	code, _, errs := w.run("sync", "--approved")
	require.Equal(t, 1, code)
	require.Contains(t, errs, "the plan doesn't hold any more")
	require.Contains(t, errs, "what to do: dirbridge plan makes the plan anew")
	require.Equal(t, 4, first(w.run("sync")))
	code, _, errs = w.run("approve", hash)
	require.Equal(t, 1, code, "what was approved once isn't what waits now")
	require.Contains(t, errs, "the plan that waits now is ")
	require.Equal(t, writes, w.tenant.Counts().TotalWrites(), "nothing was written")
}

func TestT07_NothingIsWrittenWithoutAnApprovalThatIsGood(t *testing.T) {
	w := tooMany(t)
	writes := w.tenant.Counts().TotalWrites()
	code, _, errs := w.run("sync", "--approved")
	require.Equal(t, 1, code)
	require.Contains(t, errs, "no plan waits")

	hash := w.planned()
	asked := w.tenant.Counts().HTTP
	code, out, _ := w.run("sync", "--approved", "-o", "json")
	require.Equal(t, 1, code)
	require.Contains(t, parsed(t, out)["error"], "nobody has approved the plan "+hash[:12])
	require.Equal(t, asked, w.tenant.Counts().HTTP, "the tenant isn't even asked")

	require.Zero(t, first(w.run("approve", hash, "--for", "1s")))
	time.Sleep(1100 * time.Millisecond) // the program has no clock but the machine's
	code, _, errs = w.run("sync", "--approved")
	require.Equal(t, 1, code)
	require.Contains(t, errs, "was good until")
	require.Equal(t, 4, first(w.run("sync")))
	require.Equal(t, writes, w.tenant.Counts().TotalWrites())
}

func TestARejectionIsRememberedAndTheRestGoesOn(t *testing.T) {
	w := tooMany(t)
	require.Equal(t, 4, first(w.run("sync")))
	hash := w.planned()
	code, out, _ := w.run("reject", strings.Repeat("0", 12), "-o", "json")
	require.Equal(t, 1, code)
	require.NotContains(t, parsed(t, out), "heldBack")
	code, out, errs := w.run("reject", hash[:12], "--by", "Carol")
	require.Zero(t, code, errs)
	golden(t, "rejected.txt", w.settled(out))

	code, out, errs = w.run("sync")
	require.Equal(t, 3, code, errs)
	require.Contains(t, out, "updated 1, disabled 0, deleted 0,")
	require.Equal(t, 2, strings.Count(out, "! held"))
	require.Contains(t, out, "Carol rejected this change (delete")
	require.Equal(t, 3, first(w.run("sync")), "nobody is asked about it again")
	require.Len(t, w.upns(), 3)

	code, out, errs = w.run("release", "a@contoso.com")
	require.Zero(t, code, errs)
	require.Contains(t, out, "1 released\n", "the audit log knows the name of somebody whom the directory has deleted")
	code, out, _ = w.run("sync")
	require.Equal(t, 3, code)
	require.Contains(t, out, "deleted 1,")

	code, _, errs = w.run("release", "nobody")
	require.Equal(t, 2, code)
	require.Contains(t, errs, "nobody called nobody")
	code, out, _ = w.run("release", dn(w, "B"), "00000009-1111-1111-1111-111111111111", "-o", "json")
	require.Zero(t, code)
	require.Equal(t, float64(1), parsed(t, out)["released"])
	code, out, _ = w.run("release")
	require.Zero(t, code)
	require.Equal(t, "nothing is held back there\n", out)
}

func TestWhatPeopleDecideNeedsNeitherDirectoryNorTenantNorSecrets(t *testing.T) {
	w := tooMany(t)
	hash := w.planned()
	require.NoError(t, w.ldap.Close())
	require.NoError(t, w.graph.Close())
	require.NoError(t, os.Remove(filepath.Join(w.dir, "ca.pem")))
	for _, args := range [][]string{{"approve", hash}, {"undo", "1"}, {"release"}, {"runs"}, {"audit", "verify"}, {"history", "a@contoso.com"}} {
		p, _, stderr := w.program()
		p.env = func(string) (string, bool) { return "", false }
		require.Zero(t, p.run(t.Context(), append(args, "-c", w.config)), "%v: %s", args, stderr)
	}
	p, _, stderr := w.program()
	p.env = func(string) (string, bool) { return "", false }
	require.Equal(t, 2, p.run(t.Context(), []string{"sync", "-c", w.config}))
	require.Contains(t, stderr.String(), "BIND_PASSWORD isn't set")
}

func TestWhatPeopleDecideNeedsAState(t *testing.T) {
	w := newWorld(t)
	for _, args := range [][]string{{"approve", strings.Repeat("a", 12)}, {"reject", strings.Repeat("a", 12)}, {"release"}, {"undo", "1"}} {
		code, _, errs := w.run(args...)
		require.Equal(t, 1, code, args)
		require.Contains(t, errs, "there is no state at")
	}
	require.Zero(t, first(w.run("runs")))
	require.NoFileExists(t, filepath.Join(w.dir, "state.db"))
	require.NoFileExists(t, filepath.Join(w.dir, "state-audit.jsonl"))
}

func TestWrongWordsOfADecisionEndWithCodeTwo(t *testing.T) {
	w := tooMany(t)
	hash := w.planned()
	for _, args := range [][]string{
		{"approve"}, {"approve", hash[:11]}, {"approve", "no-hash-at-all"}, {"approve", hash, "--for", "0s"}, {"approve", hash, "--for", "soon"},
		{"approve", hash, "--by", " "}, {"reject", hash, "--by", "a\x1b[2Jb"}, {"reject", hash, "--by", "a\u202eb"}, {"undo", "last"},
		{"sync", "--approved", "--full"}, {"sync", "--approved", "--dry-run"}, {"sync", "--only", "a", "--full"}, {"sync", "--only", "a", "--approved"},
		{"audit"}, {"history"},
	} {
		code, out, errs := w.run(args...)
		require.Equal(t, 2, code, args)
		require.Empty(t, out, args)
		require.NotContains(t, errs, "\x1b")
		require.NotContains(t, errs, "\u202e")
	}
	code, out, _ := w.run("approve", "nonsense", "-o", "json")
	require.Equal(t, 2, code)
	require.Equal(t, float64(2), parsed(t, out)["exitCode"])
}

func TestACommandWaitsForTheStateAndSaysSo(t *testing.T) {
	w := tooMany(t)
	hash := w.planned()
	other, err := boltstate.Open(filepath.Join(w.dir, "state.db"), nil)
	require.NoError(t, err)
	code, _, errs := w.run("approve", hash)
	require.Equal(t, 5, code)
	require.Contains(t, errs, "another instance uses the state; waiting up to 300ms for it\n")

	p, stdout, stderr := w.program()
	p.patience = time.Minute
	said := make(lines, 10)
	p.stderr = said
	ended := make(chan int)
	go func() { ended <- p.run(t.Context(), []string{"approve", hash, "-c", w.config}) }()
	require.Contains(t, <-said, "waiting up to 1m0s")
	require.NoError(t, other.Close())
	require.Zero(t, <-ended, stderr)
	require.Contains(t, stdout.String(), "approved by root@here until ")
}

func TestARunIsUndoneAndHeldUntilItIsReleased(t *testing.T) {
	w := newWorld(t)
	w.person("Ann Abel", "ann@contoso.com", "title", "Clerk")
	w.person("Gus Graf", "gus@contoso.com")
	w.person("Zoe Zeman", "zoe@contoso.com")
	require.Zero(t, first(w.run("sync")))
	w.set("Ann Abel", "title", "Director")
	w.set("Zoe Zeman", "userAccountControl", "514")
	require.NoError(t, w.ad.Delete(dn(w, "Gus Graf")))
	w.person("New Nora", "nora@contoso.com")
	require.Zero(t, first(w.run("sync")))
	require.ElementsMatch(t, []string{"ann@contoso.com", "zoe@contoso.com", "nora@contoso.com"}, w.upns())

	code, out, errs := w.run("undo", "2")
	require.Zero(t, code, errs)
	golden(t, "undo.txt", w.settled(out))
	hash := wholeHash.FindString(out)
	require.Zero(t, first(w.run("approve", hash)))
	code, out, errs = w.run("sync", "--approved")
	require.Equal(t, 3, code, errs)
	require.Contains(t, out, "undo run 4: ")
	require.Contains(t, out, "run 2 undone, approved by root@here")
	require.Equal(t, 4, strings.Count(out, "! held"), "what is held back from now on is told at once")
	require.NotContains(t, out, "unfinished")
	require.ElementsMatch(t, []string{"ann@contoso.com", "zoe@contoso.com", "gus@contoso.com"}, w.upns())

	writes := w.tenant.Counts().TotalWrites()
	code, out, _ = w.run("sync")
	require.Equal(t, 3, code, out)
	require.Contains(t, out, "! held")
	require.Equal(t, writes, w.tenant.Counts().TotalWrites())

	require.Zero(t, first(w.run("release")))
	code, out, errs = w.run("sync")
	require.Zero(t, code, out+errs)
	require.ElementsMatch(t, []string{"ann@contoso.com", "zoe@contoso.com", "nora@contoso.com"}, w.upns())

	code, _, errs = w.run("undo", "99")
	require.Equal(t, 1, code)
	require.Contains(t, errs, "undo run 99: it isn't remembered, or it changed nothing")
	code, out, _ = w.run("runs")
	require.Zero(t, code)
	golden(t, "runs.txt", w.settled(out))
}

func TestWhatCantBeUndoneIsTold(t *testing.T) {
	w := newWorld(t)
	w.person("Ann Abel", "ann@contoso.com", "title", "Clerk")
	require.Zero(t, first(w.run("sync")))
	w.set("Ann Abel", "title", "Director")
	require.Zero(t, first(w.run("sync")))
	w.set("Ann Abel", "title", "President")
	require.Zero(t, first(w.run("sync")))
	code, out, _ := w.run("undo", "2", "-o", "json")
	require.Equal(t, 3, code)
	d := parsed(t, out)
	require.Equal(t, float64(3), d["exitCode"])
	problem := d["problems"].([]any)[0].(map[string]any)
	require.Equal(t, "cannot-undo", problem["code"])
	require.Contains(t, problem["message"], "jobTitle was changed again since")
}
