package main

import (
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/dirbridge/dirbridge/dirsync/plan"
)

// limitsConfig are the budgets; nil means the default, -1 no limit.
type limitsConfig struct {
	Removals             *int     `yaml:"removals"`
	RemovalPercent       *float64 `yaml:"removalPercent"`
	Disables             *int     `yaml:"disables"`
	DisablePercent       *float64 `yaml:"disablePercent"`
	UPNChanges           *int     `yaml:"upnChanges"`
	UPNChangePercent     *float64 `yaml:"upnChangePercent"`
	AddressChanges       *int     `yaml:"addressChanges"`
	AddressChangePercent *float64 `yaml:"addressChangePercent"`
	Clears               *int     `yaml:"clears"`
	ClearPercent         *float64 `yaml:"clearPercent"`
	Restores             *int     `yaml:"restores"`
	RestorePercent       *float64 `yaml:"restorePercent"`
	PutBacks             *int     `yaml:"putBacks"`
	PutBackPercent       *float64 `yaml:"putBackPercent"`
	Leaving              *int     `yaml:"leaving"`
	LeavingPercent       *float64 `yaml:"leavingPercent"`
	Rescoped             *int     `yaml:"rescoped"`
	Vanished             *int     `yaml:"vanished"`
	VanishedPercent      *float64 `yaml:"vanishedPercent"`

	MemberRemovals            *int     `yaml:"memberRemovals"`
	MemberRemovalPercent      *float64 `yaml:"memberRemovalPercent"`
	GroupMemberRemovals       *int     `yaml:"groupMemberRemovals"`
	GroupMemberRemovalPercent *float64 `yaml:"groupMemberRemovalPercent"`

	Flagged map[string]int `yaml:"flaggedGroups"` // by objectGUID: how many may be added

	Window     string `yaml:"window"`
	WindowRuns *int   `yaml:"windowRuns"`

	window time.Duration // what it means
}

// A limitConfig is one budget of the file, with its keys.
type limitConfig struct {
	countKey, percentKey string
	count                *int
	percent              *float64
	to                   *plan.Limit
}

// each lists the budgets, and where they go in l.
func (c *limitsConfig) each(l *plan.Limits) []limitConfig {
	return []limitConfig{
		{"removals", "removalPercent", c.Removals, c.RemovalPercent, &l.Removals},
		{"disables", "disablePercent", c.Disables, c.DisablePercent, &l.Disables},
		{"upnChanges", "upnChangePercent", c.UPNChanges, c.UPNChangePercent, &l.UPNChanges},
		{"addressChanges", "addressChangePercent", c.AddressChanges, c.AddressChangePercent, &l.AddressChanges},
		{"clears", "clearPercent", c.Clears, c.ClearPercent, &l.Clears},
		{"restores", "restorePercent", c.Restores, c.RestorePercent, &l.Restores},
		{"putBacks", "putBackPercent", c.PutBacks, c.PutBackPercent, &l.PutBacks},
		{"leaving", "leavingPercent", c.Leaving, c.LeavingPercent, &l.Leaving},
		{"rescoped", "", c.Rescoped, nil, &l.Rescoped},
		{"vanished", "vanishedPercent", c.Vanished, c.VanishedPercent, &l.Vanished},
		{"memberRemovals", "memberRemovalPercent", c.MemberRemovals, c.MemberRemovalPercent, &l.MemberRemovals},
		{"groupMemberRemovals", "groupMemberRemovalPercent", c.GroupMemberRemovals, c.GroupMemberRemovalPercent, &l.GroupMemberRemovals},
	}
}

func (c *config) limits() plan.Limits {
	l := plan.Limits{Window: c.Limits.window, Flagged: c.Limits.flagged()}
	if n := c.Limits.WindowRuns; n != nil {
		l.WindowRuns = *n
	}
	for _, x := range c.Limits.each(&l) {
		if x.count != nil {
			x.to.Count = *x.count
		}
		if x.percent != nil {
			x.to.Percent = *x.percent
		}
	}
	return l
}

// limits checks the section limits.
func (v *checker) limits() {
	for _, x := range v.Limits.each(&plan.Limits{}) {
		if n := x.count; n != nil && (*n == 0 && x.countKey != "rescoped" || *n < -1) {
			v.bad(fmt.Sprintf("%d: want 1 or more, or -1 for no limit", *n), "limits", x.countKey)
		}
		if p := x.percent; p != nil && !(*p > 0 && *p <= 100 || *p == -1) {
			v.bad(fmt.Sprintf("%v: want more than 0 and at most 100, or -1 for no limit", *p), "limits", x.percentKey)
		}
	}
	v.duration(v.Limits.Window, &v.Limits.window, "limits", "window")
	if n := v.Limits.WindowRuns; n != nil && *n < 1 {
		v.bad(fmt.Sprintf("%d: want 1 or more", *n), "limits", "windowRuns")
	}
}

type auditConfig struct {
	File string `yaml:"file"`
}

// noAudit as the file turns the audit off.
const noAudit = "none"

// path is where the log is, "" if there is none. Without a word it is next to
// the state, under its name: two states in one directory don't share a log.
func (a auditConfig) path(state string) string {
	switch a.File {
	case noAudit:
		return ""
	case "":
		return strings.TrimSuffix(state, filepath.Ext(state)) + "-audit.jsonl"
	}
	return a.File
}
