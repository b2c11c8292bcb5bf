package fault_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/dirbridge/dirbridge/internal/fault"
	"github.com/dirbridge/dirbridge/target"
	"github.com/dirbridge/dirbridge/target/memtarget"
)

// A create is carried out and its reply lost. Repeated, it makes no second one.
func Example() {
	tenant := memtarget.New("contoso", nil)
	tgt := fault.NewTarget(tenant)
	tgt.OnWrite(1, fault.Fault{Err: errors.New("connection lost"), Done: true})

	c := create(1)
	_, err := tgt.Apply(context.Background(), c)
	fmt.Println(err, "- unknown outcome:", target.OutcomeUnknown(err))
	c.Repeat = true
	_, err = tgt.Apply(context.Background(), c)
	fmt.Println(err, tenant.Len())
	// Output:
	// connection lost - unknown outcome: true
	// <nil> 1
}
