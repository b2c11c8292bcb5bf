package ldapsource_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/dirbridge/dirbridge/internal/adsim"
	"github.com/dirbridge/dirbridge/source"
	"github.com/dirbridge/dirbridge/source/ldapsource"
	"github.com/stretchr/testify/require"
)

var bothModes = []ldapsource.DeltaMode{ldapsource.DeltaDirSync, ldapsource.DeltaUSN}

func by(mode ldapsource.DeltaMode) func(*ldapsource.Options) {
	return func(o *ldapsource.Options) { o.Delta = mode }
}

// entitle gives person i a title.
func (s *simulation) entitle(i int, title string) {
	s.t.Helper()
	require.NoError(s.t, s.dir.Modify(fmt.Sprintf("CN=Person %d,%s", i, s.in), adsim.Replace("title", title)))
}

// reach spends USNs on nothing that anybody sees, up to usn.
func (s *simulation) reach(usn int64) {
	for s.dir.HighestCommittedUSN() < usn {
		s.dir.Touch()
	}
}

// TestS04_ARestoredDomainControllerIsSeenInOneCycle: before is what happens
// between image and watermark, after what happens once the image is back. The
// USN then passes the old one in all cases but the first.
func TestS04_ARestoredDomainControllerIsSeenInOneCycle(t *testing.T) {
	for _, tt := range []struct {
		name          string
		before, after func(s *simulation)
		want          string
	}{
		{"its USN is lower", func(s *simulation) { s.entitle(1, "a") }, nil, "went back from USN"},
		{"the last change never was", func(s *simulation) { s.entitle(1, "a") }, func(s *simulation) {}, "went back to USN"},
		{"another object carries the USN", func(s *simulation) { s.entitle(1, "a") }, func(s *simulation) { s.entitle(2, "b") }, "restored from an image"},
		{"whoever changed last changes again later", func(s *simulation) { s.entitle(1, "a"); s.entitle(2, "a") },
			func(s *simulation) { s.entitle(3, "b"); s.reach(s.dir.HighestCommittedUSN() + 50); s.entitle(2, "b") }, "restored from an image"},
		{"nothing was seen to change before", func(s *simulation) { s.reach(s.dir.HighestCommittedUSN() + 40) },
			func(s *simulation) { s.entitle(5, "b") }, "belonged to another change"},
		{"the last change was a deletion", func(s *simulation) { require.NoError(s.t, s.dir.Delete("CN=Person 4,"+s.in)) },
			func(s *simulation) {}, "went back to USN"},
		{"the last change was a creation", func(s *simulation) { s.more("New") }, func(s *simulation) {}, "no longer shows"},
		{"the last change was out of scope", func(s *simulation) {
			require.NoError(s.t, s.dir.Modify(s.out, adsim.Replace("description", "a")))
		}, func(s *simulation) {}, "went back to USN"},
		{"the same object gets the same USN", func(s *simulation) { s.entitle(1, "a") },
			func(s *simulation) { s.dir.Skew(time.Minute); s.entitle(1, "b") }, "belonged to another change"},
	} {
		for _, mode := range bothModes {
			t.Run(tt.name+" "+string(mode), func(t *testing.T) {
				s := simulate(t, nil)
				s.people(10)
				image := s.dir.Snapshot()
				tt.before(s)
				src := s.source(by(mode))
				all := read(src.All(t.Context()))
				require.NoError(t, all.err)
				top := s.dir.HighestCommittedUSN()

				require.NoError(t, src.Close()) // a controller that is restored drops its connections
				s.dir.Restore(image)
				if tt.after != nil {
					tt.after(s)
					s.reach(top)
					maybe, err := src.Poll(t.Context(), all.mark())
					require.NoError(t, err)
					require.True(t, maybe, "at the very same USN")
					s.reach(top + 100)
				}
				maybe, err := src.Poll(t.Context(), all.mark())
				require.NoError(t, err)
				require.True(t, maybe)
				r := read(src.Since(t.Context(), all.mark()))
				require.ErrorIs(t, r.err, source.ErrWatermarkExpired)
				require.ErrorContains(t, r.err, tt.want)
				require.Zero(t, r.events)

				again := read(src.All(t.Context()))
				require.NoError(t, again.err)
				require.NoError(t, read(src.Since(t.Context(), again.mark())).err, "and then it goes on")
			})
		}
	}
}

// more adds one person to OU=In.
func (s *simulation) more(name string) {
	_, err := s.dir.Add("CN="+name+","+s.in, adsim.Attrs{"objectClass": {"user"}, "sAMAccountName": {name}})
	require.NoError(s.t, err)
}

// TestS04_ADomainControllerThatWasNotRestoredIsTrusted: what happens all the
// time isn't taken for a restored image.
func TestS04_ADomainControllerThatWasNotRestoredIsTrusted(t *testing.T) {
	for _, mode := range bothModes {
		s := simulate(t, nil)
		s.people(40)
		src := s.source(by(mode))
		mark := read(src.All(t.Context())).mark()
		for round := range 30 {
			random := rand.New(rand.NewPCG(uint64(round), 4))
			s.history(random, 1+random.IntN(60), fmt.Sprint("r", round))
			require.NoError(t, src.Close())
			r := read(src.Since(t.Context(), mark))
			require.NoError(t, r.err, "round %d %s", round, mode)
			mark = r.mark()
		}
	}
}

// history makes n changes of all sorts.
func (s *simulation) history(random *rand.Rand, n int, tag string) {
	s.t.Helper()
	people := s.everybody()
	for k := range n {
		i := random.IntN(len(people))
		dn := people[i]
		switch op := random.IntN(20); {
		case op < 8:
			require.NoError(s.t, s.dir.Modify(dn, adsim.Replace("title", fmt.Sprint(tag, k))))
		case op < 12:
			s.dir.Touch()
		case op < 14:
			s.more(fmt.Sprint(tag, k))
		case op < 15 && len(people) > 5:
			require.NoError(s.t, s.dir.Delete(dn))
			people = slices.Delete(people, i, i+1)
		case op < 16:
			require.NoError(s.t, s.dir.Rename(dn, fmt.Sprint("CN=renamed ", tag, k)))
		case op < 17:
			require.NoError(s.t, s.dir.Move(dn, fmt.Sprint("CN=moved ", tag, k), s.out))
		case op < 18:
			require.NoError(s.t, s.dir.Modify(s.out, adsim.Replace("description", fmt.Sprint(tag, k))))
		default:
			s.reach(s.dir.HighestCommittedUSN() + int64(random.IntN(30)))
		}
	}
}

// everybody are the people in OU=In, by names that stay.
func (s *simulation) everybody() (dns []string) {
	for e, err := range s.eyes().All(s.t.Context()) {
		require.NoError(s.t, err)
		if e.Op == source.Upsert {
			dns = append(dns, guidDN(e.Object.ID))
		}
	}
	return dns
}

// eyes are a Source for the test's own use.
func (s *simulation) eyes() *ldapsource.Source {
	if s.own == nil {
		s.own = s.source()
	}
	return s.own
}

// TestS04_ARestoredDomainControllerIsSeenOrNothingIsLost restores images of all
// ages into histories of all sorts. Whenever a delta is given all the same, it
// leads to what is there.
func TestS04_ARestoredDomainControllerIsSeenOrNothingIsLost(t *testing.T) {
	histories, seen, unseen := 60, 0, 0
	if testing.Short() {
		histories = 15
	}
	for seed := range uint64(histories) {
		for _, mode := range bothModes {
			random := rand.New(rand.NewPCG(seed, 20))
			s := simulate(t, nil)
			s.people(8)
			s.history(random, random.IntN(10), "a")
			image := s.dir.Snapshot()
			s.history(random, random.IntN(12), "b")
			src := s.source(by(mode))
			all := read(src.All(t.Context()))
			require.NoError(t, all.err)
			top := s.dir.HighestCommittedUSN()

			require.NoError(t, src.Close())
			s.dir.Restore(image)
			s.history(random, random.IntN(12), "c")
			if random.IntN(2) == 0 {
				s.history(random, random.IntN(30), "d")
			}
			s.reach(top + int64(random.IntN(2)))
			s.history(random, random.IntN(6), "e")

			r := read(src.Since(t.Context(), all.mark()))
			if r.err != nil {
				require.ErrorIs(t, r.err, source.ErrWatermarkExpired)
				seen++
				continue
			}
			unseen++
			known := maps.Clone(all.upserts)
			r.apply(known)
			require.Equal(t, read(src.All(t.Context())).upserts, known, "seed %d %s", seed, mode)
		}
	}
	t.Logf("seen %d, harmless %d", seen, unseen)
	require.Greater(t, seen, unseen)
}
