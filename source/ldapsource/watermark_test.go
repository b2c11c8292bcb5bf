package ldapsource_test

import (
	"testing"
	"time"

	"github.com/dirbridge/dirbridge/source"
	"github.com/dirbridge/dirbridge/source/ldapsource"
	"github.com/stretchr/testify/require"
)

var (
	noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	mark = ldapsource.Mark{Server: "ldaps://dc1", DC: "dc1.corp.example.com", Domain: "DC=corp,DC=example,DC=com", InvocationID: "i1", Scope: "s1",
		Mode: ldapsource.DeltaDirSync, Cookie: []byte("MSDS\x03"), USN: 500, Time: noon, Deleted: true,
		Timeline: ldapsource.NewTimeline(503, 490, 503, 499, 490)}
	dc1 = ldapsource.DC{InvocationID: "i1", Domain: "DC=corp,DC=example,DC=com", Name: "dc1.corp.example.com", USN: 503, Now: noon}
)

const days = 24 * time.Hour

func TestAWatermarkReadsBackAsItWas(t *testing.T) {
	back, err := ldapsource.ParseMark(mark.Text())
	require.NoError(t, err)
	require.Equal(t, mark, back)
}

func TestADamagedWatermarkIsRefused(t *testing.T) {
	text := []byte(mark.Text())
	for i := range text {
		bad := append([]byte(nil), text...)
		bad[i] ^= 1
		_, err := ldapsource.ParseMark(source.Watermark(bad))
		require.Error(t, err, "byte %d", i)
		_, err = ldapsource.ParseMark(source.Watermark(text[:i]))
		require.Error(t, err, "cut at %d", i)
	}
}

func TestAnyDoubtExpiresAWatermark(t *testing.T) {
	for _, tt := range []struct {
		name, want string
		change     func(*ldapsource.DC)
	}{
		{"nothing changed", "", func(*ldapsource.DC) {}},
		{"something changed", "", func(d *ldapsource.DC) { d.USN, d.Now = 900, noon.Add(3*time.Hour) }},
		{"spelling is no change", "", func(d *ldapsource.DC) { d.Domain = "dc=CORP,dc=example,dc=com" }},
		{"another domain controller", "database i2", func(d *ldapsource.DC) { d.InvocationID, d.Name = "i2", "dc2" }},
		{"a restored one", "from USN 503 to 502", func(d *ldapsource.DC) { d.USN = 502 }},
		{"another domain", "is one of DC=other", func(d *ldapsource.DC) { d.Domain = "DC=other" }},
		{"half of the tombstones' life", "", func(d *ldapsource.DC) { d.Now = noon.Add(30 * days) }},
		{"older than that", "deletions may be lost", func(d *ldapsource.DC) { d.Now = noon.Add(30*days + time.Second) }},
		{"a clock set back a little", "", func(d *ldapsource.DC) { d.Now = noon.Add(-time.Hour) }},
		{"the far future", "in the future", func(d *ldapsource.DC) { d.Now = noon.Add(-2 * days) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := dc1
			tt.change(&d)
			err := mark.Trusts(d, 60*days)
			if tt.want == "" {
				require.NoError(t, err)
			} else {
				require.ErrorContains(t, err, tt.want)
			}
		})
	}
	require.NoError(t, mark.Fits("s1", ldapsource.DeltaAuto))
	require.NoError(t, mark.Fits("s1", ldapsource.DeltaDirSync))
	require.ErrorContains(t, mark.Fits("s2", ldapsource.DeltaAuto), "other base DNs or attributes")
	require.ErrorContains(t, mark.Fits("s1", ldapsource.DeltaUSN), "Options.Delta is usn now")
	bare := mark
	bare.Cookie = nil
	require.Error(t, bare.Fits("s1", ldapsource.DeltaAuto))
}

func TestAChangedScopeExpiresTheWatermark(t *testing.T) {
	s := simulate(t, nil)
	s.people(2)
	all := read(s.source().All(t.Context()))
	require.NoError(t, all.err)
	more := s.source(func(o *ldapsource.Options) { o.Attributes = []string{"description"} })
	r := read(more.Since(t.Context(), all.mark()))
	require.ErrorIs(t, r.err, source.ErrWatermarkExpired)
	require.ErrorContains(t, r.err, "other base DNs or attributes")
	maybe, err := more.Poll(t.Context(), all.mark())
	require.NoError(t, err)
	require.True(t, maybe)
}

func TestResultsAreClassified(t *testing.T) {
	for _, tt := range []struct {
		code uint16
		text string
		want error
	}{
		{3, "", source.ErrIncomplete}, {4, "", source.ErrIncomplete}, {11, "", source.ErrIncomplete}, {51, "", source.ErrIncomplete},
		{52, "", source.ErrIncomplete}, {80, "", source.ErrIncomplete}, {50, "", source.ErrForbidden}, {49, "", source.ErrUnauthenticated},
		{8, "", source.ErrUnauthenticated}, {1, "00002020: Operation unavailable without authentication", source.ErrUnauthenticated},
		{1, "000004DC: LdapErr: DSID-0C0907E9, comment: In order to perform this operation a successful bind must be completed on the connection.", source.ErrUnauthenticated},
		{1, "something else", source.ErrIncomplete},
	} {
		require.ErrorIs(t, ldapsource.Classify(tt.code, tt.text), tt.want, "%d %s", tt.code, tt.text)
	}
	require.NotContains(t, ldapsource.Classify(80, "a\r\nb\x1b[31m").Error(), "\x1b")
}
