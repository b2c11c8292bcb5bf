package dirsync_test

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/dirbridge/dirbridge/dirsync"
	"github.com/dirbridge/dirbridge/dirsync/plan"
	"github.com/dirbridge/dirbridge/source"
	"github.com/dirbridge/dirbridge/source/memsource"
	"github.com/dirbridge/dirbridge/state/memstate"
	"github.com/dirbridge/dirbridge/target/memtarget"
)

// BenchmarkOneMember adds one member to a group and takes it out again, two runs
// for one operation, in a company of 50,000: what it costs doesn't depend on how
// many are in the group. load-s is how long the group's first load took.
func BenchmarkOneMember(b *testing.B) {
	for _, size := range []int{50, 50_000} {
		b.Run(fmt.Sprintf("of %d", size), func(b *testing.B) {
			src, tgt := memsource.New("corp", nil), memtarget.New("contoso", nil)
			tgt.VerifyDomain("contoso.com")
			var ids []source.ID
			for i := range 50_001 {
				name := fmt.Sprintf("p%05d", i)
				ids = append(ids, src.Put(source.Object{Kind: source.User, DN: "CN=" + name + ",DC=corp", Attributes: source.Attributes{
					"sAMAccountName": {name}, "userAccountControl": {"512"}, "userPrincipalName": {name + "@contoso.com"}, "cn": {name}}}))
			}
			eng, err := dirsync.New(src, tgt, memstate.New(), &dirsync.Options{Limits: plan.Unlimited()})
			if err != nil {
				b.Fatal(err)
			}
			run := func(writes int) *dirsync.Report {
				rep, err := eng.Sync(b.Context(), nil)
				if err != nil || writes >= 0 && rep.Writes != writes {
					b.Fatal(rep.Writes, err)
				}
				return rep
			}
			run(-1)
			group := src.Put(source.Object{Kind: source.Group, DN: "CN=all,DC=corp", Attributes: source.Attributes{
				"sAMAccountName": {"all"}, "cn": {"all"}, "groupType": {"-2147483646"}}})
			src.Refer(group, "member", ids[:size]...)
			start := time.Now()
			if rep := run(-1); rep.MembersAdded != size {
				b.Fatal(rep)
			}
			load := time.Since(start)
			run(0) // reads what comes back of that
			runtime.GC()
			b.ResetTimer()
			for b.Loop() {
				src.Refer(group, "member", ids[50_000])
				run(1)
				src.Unrefer(group, "member", ids[50_000])
				run(1)
			}
			b.ReportMetric(load.Seconds(), "load-s")
		})
	}
}
