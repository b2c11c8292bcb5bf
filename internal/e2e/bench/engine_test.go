package bench_test

import (
	"context"
	"fmt"
	"iter"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/dirsync"
	"github.com/dirbridge/dirbridge/dirsync/plan"
	"github.com/dirbridge/dirbridge/mapping"
	"github.com/dirbridge/dirbridge/source"
	"github.com/dirbridge/dirbridge/state/boltstate"
	"github.com/dirbridge/dirbridge/target"
)

// A crowd is a source of n people that it makes up as it is read, so that what
// a benchmark measures is the engine's memory. The people in changed have
// another title.
type crowd struct {
	n       int
	round   int
	changed []int
}

func (c *crowd) Name() string { return "crowd" }

func (c *crowd) person(i int) source.Event {
	login := fmt.Sprintf("user%06d", i)
	title := "Engineer"
	if slices.Contains(c.changed, i) {
		title = fmt.Sprintf("Engineer %d", c.round)
	}
	return source.Event{Op: source.Upsert, Object: source.Object{
		ID: source.ID(fmt.Sprintf("%08x-0000-4000-8000-%012x", uint32(i)*2654435761, i)), Kind: source.User,
		DN: "CN=" + login + ",OU=People,DC=corp,DC=example,DC=com",
		Attributes: source.Attributes{
			"objectClass": {"organizationalPerson", "person", "top", "user"}, "sAMAccountName": {login},
			"userPrincipalName": {login + "@contoso.com"}, "mail": {login + "@contoso.com"}, "userAccountControl": {"512"},
			"displayName": {"Person " + login}, "givenName": {"Person"}, "sn": {login}, "title": {title},
			"department": {"Operations"}, "company": {"Contoso, Ltd."}, "telephoneNumber": {"+1 425 555 0100"},
			"streetAddress": {"1 Main Street"}, "l": {"Zürich"}, "postalCode": {"8001"}, "co": {"Switzerland"}, "c": {"CH"},
			"physicalDeliveryOfficeName": {"B1/17"}, "employeeID": {"E" + login[4:]}, "mailNickname": {login},
			"proxyAddresses": {"SMTP:" + login + "@contoso.com"}, "extensionAttribute1": {"ea1"},
		},
	}}
}

func (c *crowd) All(context.Context) iter.Seq2[source.Event, error] {
	return func(yield func(source.Event, error) bool) {
		for i := range c.n {
			if !yield(c.person(i), nil) {
				return
			}
		}
		yield(source.Event{Op: source.Checkpoint, Watermark: "w"}, nil)
	}
}

func (c *crowd) Since(context.Context, source.Watermark) iter.Seq2[source.Event, error] {
	return func(yield func(source.Event, error) bool) {
		for _, i := range c.changed {
			if !yield(c.person(i), nil) {
				return
			}
		}
		yield(source.Event{Op: source.Checkpoint, Watermark: "w"}, nil)
	}
}

func (c *crowd) Poll(context.Context, source.Watermark) (bool, error) { return len(c.changed) > 0, nil }

// A sink accepts everything and remembers nothing.
type sink struct{ writes int }

func (*sink) Name() string { return "sink" }

func (*sink) Current(context.Context) iter.Seq2[target.Object, error] {
	return func(func(target.Object, error) bool) {}
}

func (s *sink) Apply(_ context.Context, c target.Change) (target.Object, error) {
	id := c.ID
	if id == "" {
		id = target.ID("t" + c.Anchor)
	}
	return target.Object{ID: id, Kind: c.Kind, Anchor: c.Anchor}, nil
}

func (*sink) MaxBatch() int { return 20 }

func (s *sink) ApplyBatch(ctx context.Context, cs []target.Change) []target.Result {
	s.writes += len(cs)
	out := make([]target.Result, len(cs))
	for i, c := range cs {
		out[i].Object, out[i].Err = s.Apply(ctx, c)
	}
	return out
}

func (*sink) Domains(context.Context) ([]target.Domain, error) {
	return []target.Domain{{Name: "contoso.com", Verified: true}, {Name: "contoso.onmicrosoft.com", Verified: true, Initial: true}}, nil
}

// company opens a bolt file and brings n people over.
func company(tb testing.TB, n int) (*dirsync.Engine, *crowd) {
	store, err := boltstate.Open(filepath.Join(tb.TempDir(), "state.db"), nil)
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, store.Close()) })
	src := &crowd{n: n}
	eng, err := dirsync.New(src, &sink{}, store, &dirsync.Options{Parallel: 1})
	require.NoError(tb, err)
	rep, err := eng.Sync(tb.Context(), nil)
	require.NoError(tb, err)
	require.Equal(tb, n, rep.Created)
	return eng, src
}

// The most memory in use while f runs, garbage not yet collected included.
func peak(f func()) uint64 {
	runtime.GC()
	done, out := make(chan struct{}), make(chan uint64)
	go func() {
		var most uint64
		for {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			most = max(most, m.HeapInuse+m.StackInuse)
			select {
			case <-done:
				out <- most
				return
			case <-time.After(20 * time.Millisecond):
			}
		}
	}()
	f()
	close(done)
	return <-out
}

func BenchmarkFirstRun(b *testing.B) {
	for _, n := range []int{10_000, 100_000} {
		b.Run(fmt.Sprintf("people=%d", n), func(b *testing.B) {
			var most uint64
			for b.Loop() {
				most = max(most, peak(func() { company(b, n) }))
			}
			b.ReportMetric(float64(most)/(1<<20), "peak-MiB")
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*n), "µs/person")
		})
	}
}

func BenchmarkFullRunWithoutChanges(b *testing.B) {
	eng, _ := company(b, 10_000)
	b.ReportAllocs()
	for b.Loop() {
		rep, err := eng.Sync(b.Context(), &dirsync.Request{Full: true})
		if err != nil || rep.Unchanged != 10_000 || rep.Writes != 0 {
			b.Fatal(rep, err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/10_000, "µs/person")
}

// The cost of a delta must follow what changed, not who is there.
func BenchmarkDeltaOfTen(b *testing.B) {
	for _, n := range []int{1_000, 30_000} {
		b.Run(fmt.Sprintf("people=%d", n), func(b *testing.B) {
			eng, src := company(b, n)
			src.changed = []int{1, 22, 133, 244, 355, 466, 577, 688, 799, 900}
			for b.Loop() {
				src.round++
				rep, err := eng.Sync(b.Context(), nil)
				if err != nil || rep.Updated != 10 {
					b.Fatal(rep, err)
				}
			}
		})
	}
}

func BenchmarkIdlePoll(b *testing.B) {
	eng, _ := company(b, 1_000)
	for b.Loop() {
		if changed, err := eng.Poll(b.Context()); changed || err != nil {
			b.Fatal(changed, err)
		}
	}
}

func BenchmarkMapping(b *testing.B) {
	rules, err := mapping.New(nil)
	require.NoError(b, err)
	in := mapping.Input{Object: (&crowd{n: 1}).person(0).Object, Domains: mapping.NewDomains([]target.Domain{{Name: "contoso.com", Verified: true}, {Name: "x.onmicrosoft.com", Verified: true, Initial: true}})}
	b.ReportAllocs()
	for b.Loop() {
		rules.Map(in)
	}
}

// Planning one object of which one attribute changed, mapping not included.
func BenchmarkPlanning(b *testing.B) {
	rules, err := mapping.New(nil)
	require.NoError(b, err)
	result := rules.Map(mapping.Input{Object: (&crowd{n: 1}).person(0).Object})
	applied := result.Attributes.Clone()
	applied["jobTitle"] = []string{"Clerk"}
	in := plan.Input{ID: "x", Presence: plan.Present, Result: result, Link: &plan.Link{ID: "t"}, Applied: applied}
	b.ReportAllocs()
	for b.Loop() {
		if c, _ := plan.Compute(in); c == nil || len(c.Set) != 1 {
			b.Fatal(c)
		}
	}
}

// A run that changes 1,000 of 10,000 people: reading, mapping, planning, making
// intents durable and settling, a bolt file with its fsyncs included.
func BenchmarkSettlingAThousand(b *testing.B) {
	eng, src := company(b, 10_000)
	for i := range 1000 {
		src.changed = append(src.changed, i*10)
	}
	for b.Loop() {
		src.round++
		rep, err := eng.Sync(b.Context(), nil)
		if err != nil || rep.Updated != 1000 {
			b.Fatal(rep, err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/1000, "µs/change")
}
