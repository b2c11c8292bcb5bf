package simulation_test

import (
	"fmt"

	"github.com/dirbridge/dirbridge/internal/simulation"
)

// A schedule is an explicit list of steps; a seed makes one, and one that fails
// is made small.
func ExampleShrink() {
	s := &simulation.Schedule{Seed: 7, World: simulation.Config{Leaving: "disable", Parallel: 1, Batch: 20, Grace: 20, Patience: -1}, Steps: []simulation.Step{
		{Do: "hire", P: 1, S: "ann@contoso.com"},
		{Do: "clock", N: 10},
		{Do: "run", Faults: []simulation.Fault{{Kind: "lose replies", N: 1}, {Kind: "shuffle"}}},
		{Do: "remove", P: 1},
	}}
	// In a test, fails would run the schedule: simulation.Run(c, false).Violation.
	fails := func(c *simulation.Schedule) *simulation.Violation {
		for _, st := range c.Steps {
			for _, f := range st.Faults {
				if f.Kind == "lose replies" {
					return &simulation.Violation{Invariant: "I5"}
				}
			}
		}
		return nil
	}
	fmt.Print(simulation.Shrink(s, fails))
	// Output:
	// seed 7, world {"leaving":"disable","parallel":1,"batch":20,"grace":20,"patience":-1}
	//    1 "run" + {"kind":"lose replies","n":1}
}
