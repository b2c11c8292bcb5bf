package ldapsource_test

import (
	"maps"
	"os/exec"
	"slices"
	"testing"

	"github.com/dirbridge/dirbridge/source"
	"github.com/dirbridge/dirbridge/source/ldapsource"
	"github.com/go-ldap/ldap/v3"
	"github.com/stretchr/testify/require"
)

// TestS04_ARestoredDomainControllerIsSeenOnTheRealOne copies the domain controller's database,
// lets the original go on, and asks the copy: it has the same invocationId and
// lacks what happened since, as one restored from an image does, and would
// answer an old cookie with "nothing changed".
func TestS04_ARestoredDomainControllerIsSeenOnTheRealOne(t *testing.T) {
	bed := dc(t)
	run := func(args ...string) {
		out, err := exec.Command(bed.script, args...).CombinedOutput()
		require.NoError(t, err, "%v: %s", args, out)
	}
	copied := t.TempDir() + "/copy"
	run("stop", bed.dir)
	run("clone", bed.dir, copied)
	run("start", bed.dir)
	t.Cleanup(func() { run("destroy", copied) })

	h := newHands(t, bed)
	require.NoError(t, h.add("CN=Ann,"+h.in(), map[string][]string{"objectClass": {"user"}, "sAMAccountName": {h.unique("ann")}}))
	everybody := read(bed.source(t, "SYNC").All(t.Context()))
	require.NoError(t, everybody.err)
	last := slices.Min(slices.Collect(maps.Keys(everybody.upserts))) // whoever it is
	entitle := func(h *hands, title string) {
		m := ldap.NewModifyRequest(guidDN(last), nil)
		m.Replace("title", []string{title})
		require.NoError(t, h.conn.Modify(m))
	}
	entitle(h, "of the original")
	marks := map[string]source.Watermark{}
	for _, mode := range []ldapsource.DeltaMode{ldapsource.DeltaDirSync, ldapsource.DeltaUSN} {
		r := read(bed.source(t, "SYNC", func(o *ldapsource.Options) { o.Delta = mode }).All(t.Context()))
		require.NoError(t, r.err)
		marks[string(mode)] = r.mark()
	}

	run("start", copied)
	old := bed.at(t, copied)
	asked := func(why string) {
		for mode, mark := range marks {
			src := old.source(t, "SYNC")
			r := read(src.Since(t.Context(), mark))
			require.ErrorIs(t, r.err, source.ErrWatermarkExpired, mode)
			require.ErrorContains(t, r.err, why)
			require.Zero(t, r.events)
			maybe, err := src.Poll(t.Context(), mark)
			require.NoError(t, err)
			require.True(t, maybe)
		}
	}
	asked("went back from USN")

	// The copy goes on by itself, past the USN that was seen. Only the witnesses
	// tell now.
	other := newHands(t, old)
	require.NoError(t, other.add("CN=Ben,"+other.in(), map[string][]string{"objectClass": {"user"}, "sAMAccountName": {other.unique("ben")}}))
	for range 60 {
		_, err := other.put(source.Object{ID: other.id("CN=Ben," + other.in()), Attributes: source.Attributes{"title": {other.unique("x")}}})
		require.NoError(t, err)
		_, err = other.put(source.Object{ID: other.id("CN=Ben," + other.in()), Attributes: source.Attributes{"title": {other.unique("y")}}})
		require.NoError(t, err)
	}
	asked("restored from an image")

	// Whoever was the last to change changes again.
	entitle(other, "of the copy")
	asked("restored from an image")

	for mode, mark := range marks { // the original isn't suspected
		require.NoError(t, read(bed.source(t, "SYNC").Since(t.Context(), mark)).err, mode)
	}
}
