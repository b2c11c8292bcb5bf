package dirbridge_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/dirbridge/dirbridge/dirsync"
	"github.com/dirbridge/dirbridge/dirsync/plan"
	"github.com/dirbridge/dirbridge/dirsync/schedule"
	"github.com/dirbridge/dirbridge/mapping"
	"github.com/dirbridge/dirbridge/source"
	"github.com/dirbridge/dirbridge/source/memsource"
	"github.com/dirbridge/dirbridge/state"
	"github.com/dirbridge/dirbridge/state/memstate"
	"github.com/dirbridge/dirbridge/target"
	"github.com/dirbridge/dirbridge/target/memtarget"
)

// company is a directory with two people.
func company() *memsource.Source {
	src := memsource.New("corp", nil)
	for _, name := range []string{"ann", "bob"} {
		src.Put(source.Object{Kind: source.User, DN: "CN=" + name + ",DC=corp,DC=local", Attributes: source.Attributes{
			"sAMAccountName": {name}, "userAccountControl": {"512"},
			"userPrincipalName": {name + "@corp.local"}, "displayName": {name},
		}})
	}
	return src
}

// One call: everything the first time, later what changed.
func Example() {
	src, tgt, store := company(), memtarget.New("contoso", nil), memstate.New()
	sync := func(ctx context.Context) error {
		eng, err := dirsync.New(src, tgt, store, nil)
		if err != nil {
			return err
		}
		report, err := eng.Sync(ctx, nil)
		fmt.Println(report.Mode, "run,", report.Created, "created,", len(report.Problems), "problems")
		return err
	}
	fmt.Println(sync(context.Background()))
	fmt.Println(sync(context.Background()))
	// Output:
	// full run, 2 created, 0 problems
	// <nil>
	// delta run, 0 created, 0 problems
	// <nil>
}

// An engine: look before anything is written, set limits, and let it run.
func Example_engine() {
	ctx, cancel := context.WithCancel(context.Background())
	told := func(report *dirsync.Report, err error) {
		fmt.Println("run", report.Run, "created", report.Created, err)
		cancel() // a real program goes on
	}
	run := func(src source.Source, tgt target.Target, store state.Store) error {
		eng, err := dirsync.New(src, tgt, store, &dirsync.Options{Limits: plan.Limits{Removals: plan.Limit{Count: 10}}})
		if err != nil {
			return err
		}
		planned, err := eng.Preview(ctx, nil)
		if err != nil {
			return err
		}
		for c, err := range planned.Changes(ctx) {
			if err != nil {
				return err
			}
			fmt.Println(c.Op, c.Set.First("userPrincipalName"), "-", c.Reason)
		}
		return schedule.Run(ctx, eng, &schedule.Options{Every: time.Hour, OnRun: told})
	}
	err := run(company(), memtarget.New("contoso", nil), memstate.New())
	fmt.Println("stopped:", errors.Is(err, context.Canceled))
	// Unordered output:
	// create ann@contoso.onmicrosoft.com - new in the source
	// create bob@contoso.onmicrosoft.com - new in the source
	// run 1 created 2 <nil>
	// stopped: true
}

// The parts: read, map and compare without an engine.
func Example_parts() {
	domains := mapping.NewDomains([]target.Domain{
		{Name: "contoso.onmicrosoft.com", Verified: true, Initial: true},
	})
	show := func(ctx context.Context, src source.Source) error {
		rules, err := mapping.New(nil)
		if err != nil {
			return err
		}
		for ev, err := range src.All(ctx) {
			if err != nil {
				return err
			}
			if ev.Op != source.Upsert {
				continue
			}
			res := rules.Map(mapping.Input{Object: ev.Object, Domains: domains})
			change, _ := plan.Compute(plan.Input{ID: ev.Object.ID, Presence: plan.Present, Result: res})
			fmt.Println(change.Op, change.Set.First("userPrincipalName"))
		}
		return nil
	}
	fmt.Println(show(context.Background(), company()))
	// Output:
	// create ann@contoso.onmicrosoft.com
	// create bob@contoso.onmicrosoft.com
	// <nil>
}
