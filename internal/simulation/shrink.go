package simulation

import "slices"

// Shrink makes a schedule that fails smaller while it fails by the same
// invariant: kinds of faults go first, then steps (delta debugging), single
// faults, and what the configuration has beyond the plainest.
func Shrink(s *Schedule, fails func(*Schedule) *Violation) *Schedule {
	v := fails(s)
	if v == nil {
		return s
	}
	sh := &shrinker{best: s, same: func(c *Schedule) bool {
		got := fails(c)
		return got != nil && got.Invariant == v.Invariant
	}}
	for size := s.Size() + 1; size > sh.best.Size(); { // to a fixpoint
		size = sh.best.Size()
		sh.kinds()
		sh.steps()
		sh.faults()
		sh.world()
	}
	return sh.best
}

type shrinker struct {
	best  *Schedule
	same  func(*Schedule) bool
	tries int
}

// try takes c if it still fails.
func (s *shrinker) try(c *Schedule) bool {
	s.tries++
	if !s.same(c) {
		return false
	}
	s.best = c
	return true
}

// clone is a copy that shares nothing that is changed.
func (s *Schedule) clone() *Schedule {
	c := *s
	c.Steps = slices.Clone(s.Steps)
	for i := range c.Steps {
		c.Steps[i].Faults = slices.Clone(c.Steps[i].Faults)
	}
	return &c
}

// kinds drops all faults of one kind.
func (s *shrinker) kinds() {
	var kinds []string
	for _, st := range s.best.Steps {
		for _, f := range st.Faults {
			if !slices.Contains(kinds, f.Kind) {
				kinds = append(kinds, f.Kind)
			}
		}
	}
	for _, k := range kinds {
		c := s.best.clone()
		for i := range c.Steps {
			c.Steps[i].Faults = slices.DeleteFunc(c.Steps[i].Faults, func(f Fault) bool { return f.Kind == k })
		}
		s.try(c)
	}
}

// steps drops ever smaller groups of steps.
func (s *shrinker) steps() {
	for size := len(s.best.Steps) / 2; size > 0; size /= 2 {
		for at := 0; at+size <= len(s.best.Steps); {
			c := s.best.clone()
			c.Steps = slices.Delete(c.Steps, at, at+size)
			if !s.try(c) {
				at++
			}
		}
	}
}

// faults drops single ones, and what a run was asked for.
func (s *shrinker) faults() {
	for i := range s.best.Steps {
		for at := 0; at < len(s.best.Steps[i].Faults); {
			c := s.best.clone()
			c.Steps[i].Faults = slices.Delete(c.Steps[i].Faults, at, at+1)
			if !s.try(c) {
				at++
			}
		}
		for _, plain := range []func(*Step){
			func(x *Step) { x.Full = false }, func(x *Step) { x.Retry = false },
			func(x *Step) {
				if x.Do == "hire" {
					x.Q = 0
				}
			},
			func(x *Step) {
				if x.Do == "hire" {
					x.T = ""
				}
			},
		} {
			c := s.best.clone()
			plain(&c.Steps[i])
			if !equal(&c.Steps[i], &s.best.Steps[i]) {
				s.try(c)
			}
		}
	}
}

func equal(a, b *Step) bool {
	return a.Full == b.Full && a.Retry == b.Retry && a.Q == b.Q && a.T == b.T
}

// world makes the configuration plainer.
func (s *shrinker) world() {
	for _, plain := range []func(*Config){
		func(c *Config) { c.Parallel = 1 }, func(c *Config) { c.Batch = 20 }, func(c *Config) { c.Lag = 0 },
		func(c *Config) { c.Normalise = false }, func(c *Config) { c.Every = 0 }, func(c *Config) { c.Removals = 0 },
		func(c *Config) { c.Timed = false }, func(c *Config) { c.Grace = 20 }, func(c *Config) { c.Patience = -1 },
		func(c *Config) { c.Leaving = "disable" },
	} {
		c := s.best.clone()
		if plain(&c.World); c.World != s.best.World {
			s.try(c)
		}
	}
}
