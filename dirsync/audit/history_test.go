package audit_test

import (
	"bytes"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/dirsync/audit"
	"github.com/dirbridge/dirbridge/dirsync/audit/audittest"
)

func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

func TestA18_AnObjectIsFoundByWhateverNamesIt(t *testing.T) {
	const upn = "userPrincipalName"
	ann := audit.Record{
		Source: "0d5e1c4a-6e0b-4a3c-9d53-1b1f4f6f0a01", Name: "CN=Ann Öz,OU=Staff,DC=corp,DC=example", Target: "7f0c6a52-0000-4000-8000-00000000000a",
		Anchor: "ShxeDQtuPEqdUxsfT28KAQ==", UPN: "ann.new@corp.example",
		Before: map[string][]string{upn: {"ann.old@corp.example"}, "title": {"bob@corp.example"}},
		After:  map[string][]string{upn: {"ann.new@corp.example"}, "mail": {"ann@corp.example"}},
	}
	bob := audit.Record{Source: "b", Name: "CN=Bob", Target: "c", UPN: "bob@corp.example", Anchor: "shxedqtupeqduxsft28kaq=="}
	note := audit.Record{Event: audit.EventHalted}
	for _, text := range []string{
		ann.Source, strings.ToUpper(ann.Source), "{" + strings.ToUpper(ann.Source) + "}", ann.Name, strings.ToLower(ann.Name), strings.ToUpper(ann.Target),
		ann.Anchor, "ann.new@corp.example", "Ann.Old@CORP.example", "ANN@corp.example", " ann@corp.example\n",
	} {
		match := audit.Object(text)
		require.True(t, match(&ann), text)
		require.False(t, match(&bob), text)
		require.False(t, match(&note), text)
	}
	for _, text := range []string{"", " ", "{}", "ann", "user", "CN=Ann", "bob@corp.example", bob.Anchor} {
		require.False(t, audit.Object(text)(&ann), text)
		require.False(t, audit.Object(text)(&note), text)
	}
}

func TestHistoryGivesWhatMatchesInOrderAndStopsWhenAsked(t *testing.T) {
	c := audittest.Chain(audit.Head{}, 30, "a")
	log := text(t, c)
	var got []audit.Record
	for r, err := range audit.History(bytes.NewReader(log), func(r *audit.Record) bool { return r.Event == audit.EventHalted }) {
		require.NoError(t, err)
		if got = append(got, r); len(got) == 4 {
			break
		}
	}
	require.Equal(t, []audit.Record{c[1], c[4], c[7], c[10]}, got)
}

func TestHistoryGoesOnAfterALineThatCanNotBeTrusted(t *testing.T) {
	c := audittest.Chain(audit.Head{}, 4, "a")
	edited := c[1]
	edited.Approver = "mallory"
	log := slices.Concat(text(t, c[:1]), text(t, []audit.Record{edited}), []byte("nonsense\n\n"), text(t, c[2:3]), text(t, c[3:])[:100])
	var lines []int
	var seqs []uint64
	for r, err := range audit.History(bytes.NewReader(log), nil) {
		var b *audit.BrokenError
		if err != nil {
			require.ErrorAs(t, err, &b)
			require.Zero(t, r)
			lines = append(lines, b.Line)
			continue
		}
		seqs = append(seqs, r.Seq)
	}
	require.Equal(t, []int{2, 3, 4, 6}, lines)
	require.Equal(t, []uint64{1, 3}, seqs)
}
