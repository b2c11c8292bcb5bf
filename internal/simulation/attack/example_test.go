package attack_test

import (
	"fmt"

	"github.com/dirbridge/dirbridge/internal/simulation/attack"
)

// Waiting takes no time only in a bubble of testing/synctest; nobody waits in
// this schedule.
func ExampleRun() {
	res := attack.Run(2)
	fmt.Printf("something happened: %t, wrong: %q\n", len(res.Trace) > 0, res.Wrong)
	// Output: something happened: true, wrong: ""
}
