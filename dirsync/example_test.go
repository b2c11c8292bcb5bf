package dirsync_test

import (
	"context"
	"fmt"

	"github.com/dirbridge/dirbridge/dirsync"
	"github.com/dirbridge/dirbridge/source"
	"github.com/dirbridge/dirbridge/source/memsource"
	"github.com/dirbridge/dirbridge/state/memstate"
	"github.com/dirbridge/dirbridge/target"
	"github.com/dirbridge/dirbridge/target/memtarget"
)

// A company with one person: planned, brought to the tenant, changed.
func Example() {
	ctx := context.Background()
	src := memsource.New("corp", nil)
	tgt := memtarget.New("contoso", nil)

	ann := src.Put(source.Object{Kind: source.User, DN: "CN=Ann,DC=corp,DC=local", Attributes: source.Attributes{
		"sAMAccountName": {"ann"}, "userAccountControl": {"512"},
		"userPrincipalName": {"ann@corp.local"}, "displayName": {"Ann Lee"},
	}})

	eng, err := dirsync.New(src, tgt, memstate.New(), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	plan, err := eng.Plan(ctx, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	for c := range plan.Changes(ctx) {
		fmt.Println(c.Op, c.Set.First("userPrincipalName"), "because:", c.Reason)
		for _, d := range c.Decisions {
			if d.Attribute == target.AttrUserPrincipalName {
				fmt.Println(d.Rule, "by", d.Branch)
			}
		}
	}

	report, err := eng.Apply(ctx, plan.Hash)
	fmt.Println("applied:", report.Created, "created,", err)

	src.Edit(ann, func(o *source.Object) { o.Attributes.Set("title", "Engineer") })
	report, err = eng.Sync(ctx, nil)
	fmt.Println(report.Mode, "run:", report.Updated, "updated,", err)
	// Output:
	// create ann@contoso.onmicrosoft.com because: new in the source
	// upn by fallback domain: corp.local isn't verified
	// applied: 1 created, <nil>
	// delta run: 1 updated, <nil>
}
