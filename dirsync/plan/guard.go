package plan

import "github.com/dirbridge/dirbridge/target"

// Counts say how many changes of which sort a plan holds.
type Counts struct {
	Create   int `json:"create"`
	Update   int `json:"update"` // enables included
	Enable   int `json:"enable"` // of the updates, those that turn an account on
	Disable  int `json:"disable"`
	Delete   int `json:"delete"`
	Restore  int `json:"restore"`
	Removals int `json:"removals"` // deletes, and disables because the object left
}

// Add counts c.
func (n *Counts) Add(c *Change) {
	switch c.Op {
	case target.Create:
		n.Create++
	case target.Enable:
		n.Enable++
		n.Update++
	case target.Update:
		n.Update++
	case target.Disable:
		n.Disable++
	case target.Delete:
		n.Delete++
	case target.Restore:
		n.Restore++
	}
	if c.Removal {
		n.Removals++
	}
}

// Total is the number of changes.
func (n Counts) Total() int { return n.Create + n.Update + n.Disable + n.Delete + n.Restore }

// Limits are what a plan may do without somebody's approval.
type Limits struct {
	// Removals is the most accounts that a run may remove. Zero means 500
	// (Entra Connect's default), negative no limit.
	Removals int

	// Percent is the most of all owned accounts, in percent, that a run may
	// remove. Zero means 20, negative no limit. It applies once more than
	// PercentFrom accounts are owned; zero means 100.
	Percent     float64
	PercentFrom int
}

// A Breach is a limit that a plan exceeds.
type Breach struct {
	Limit    string `json:"limit"` // "removals" or "removal-percent"
	Removals int    `json:"removals"`
	Owned    int    `json:"owned"`
	Allowed  int    `json:"allowed"` // the most removals that the limit lets through
}

// Check returns the limits that n exceeds when owned accounts are ours.
func (l Limits) Check(n Counts, owned int) []Breach {
	var out []Breach
	most := l.Removals
	if most == 0 {
		most = 500
	}
	if most >= 0 && n.Removals > most {
		out = append(out, Breach{Limit: "removals", Removals: n.Removals, Owned: owned, Allowed: most})
	}
	percent, from := l.Percent, l.PercentFrom
	if percent == 0 {
		percent = 20
	}
	if from == 0 {
		from = 100
	}
	if percent >= 0 && owned > from && float64(n.Removals)*100 > percent*float64(owned) {
		out = append(out, Breach{Limit: "removal-percent", Removals: n.Removals, Owned: owned,
			Allowed: int(percent * float64(owned) / 100)})
	}
	return out
}
