// Package dirbridge keeps Office 365 (Microsoft Entra ID) in step with an
// on-premises Active Directory, as a library that a program embeds. This package
// holds no code; it is the map of those that do.
//
// A record moves one way. A source reads it, mapping decides what it should be,
// dirsync compares that with what was last applied, a target applies the
// difference, and a store remembers:
//
//	source → mapping → dirsync/plan → guard → target → state
//
// There are three heights of use.
//
// # One call
//
// Any source, any target, any store. The first call reads everything, each
// later one what changed since; what happened is in the report.
//
//	eng, err := dirsync.New(src, tgt, store, nil)
//	if err != nil {
//		return err
//	}
//	report, err := eng.Sync(ctx, nil)
//
// # An engine
//
// Look before anything is written, set limits, and let it run:
//
//	eng, err := dirsync.New(src, tgt, store, &dirsync.Options{Limits: plan.Limits{Removals: plan.Limit{Count: 10}}})
//	if err != nil {
//		return err
//	}
//	planned, err := eng.Preview(ctx, nil)
//	if err != nil {
//		return err
//	}
//	for c, err := range planned.Changes(ctx) {
//		if err != nil {
//			return err
//		}
//		fmt.Println(c.Op, c.Set.First("userPrincipalName"), "-", c.Reason)
//	}
//	return schedule.Run(ctx, eng, &schedule.Options{Every: time.Hour, OnRun: told})
//
// # The parts
//
// Each part works without the others: a source to read a directory, the rules
// to see what an account would be and why, the planner to compare two states, a
// target to write one change.
//
//	rules, err := mapping.New(nil)
//	if err != nil {
//		return err
//	}
//	for ev, err := range src.All(ctx) {
//		if err != nil {
//			return err
//		}
//		if ev.Op != source.Upsert {
//			continue
//		}
//		res := rules.Map(mapping.Input{Object: ev.Object, Domains: domains})
//		change, _ := plan.Compute(plan.Input{ID: ev.Object.ID, Presence: plan.Present, Result: res})
//		fmt.Println(change.Op, change.Set.First("userPrincipalName"))
//	}
//
// # The packages
//
//   - source: the contract of the reading side. source/ldapsource reads Active
//     Directory; source/memsource is a directory in memory; source/sourcetest is
//     the test that every source has to pass.
//   - mapping: what an account should be, and why.
//   - dirsync: the engine. dirsync/plan compares, dirsync/schedule repeats.
//   - target: the contract of the writing side. target/graphtarget writes
//     Office 365 through Microsoft Graph; target/memtarget is a tenant in memory;
//     target/targettest is the test that every target has to pass.
//   - state: the contract of the memory. state/boltstate is one file,
//     state/memstate is memory; state/statetest is the test.
//   - examples: quickstart (everything at once, no account needed), simulate (an
//     Active Directory and a Graph on loopback), dirbridge (the operator's
//     program), customsource and customtarget (connectors of your own).
//
// Only target/graphtarget depends on the Graph SDK, which is large. A program
// that doesn't import it never downloads or compiles it.
package dirbridge
