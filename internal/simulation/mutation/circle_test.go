package mutation_test

// The groups by whose members the scope goes.
var circleBugs = []bug{
	{
		name: "gone-group-holds-nobody", dies: "I2", file: "dirsync/roster.go",
		what: "who is in by a group that is deleted, or isn't given any more, is out",
		old:  "	m := mapping.Membership{In: e.Member.By != \"\"}\n",
		new:  "	m := mapping.Membership{In: e.Member.By != \"\" && r.rosters[e.Member.By].State == \"\"}\n",
	},
	{
		name: "scope-set-removes-nobody", dies: "I1", file: "dirsync/roster_read.go",
		what: "who isn't in a whole set any more stays a member for the scope",
		old:  "	if t.Members > len(seen) && proven {\n",
		new:  "	if t.Members > len(seen)+1000 && proven {\n",
	},
	{
		name: "scope-member-stays", dies: "I1", file: "dirsync/roster_read.go",
		what: "who is taken out of a group stays a member for the scope",
		old:  "	if err := r.setMembers(ctx, id, x.Remove, false); err != nil {\n		return err\n	}\n",
		new:  "",
	},
	{
		name: "scope-member-unmarked", dies: "I1", file: "dirsync/roster_read.go",
		what: "that somebody became a member, or isn't one any more, is noted, and nobody looks",
		old:  "				if news {\n					r.l.SetRegroup(id)\n",
		new:  "				if news {\n",
	},
	{
		name: "dismissed-members-stay", dies: "I1", file: "dirsync/roster_settle.go",
		what: "those whom a group holds aren't looked at when it goes out of the scope",
		old:  "			r.l.SetRegroup(id)\n			_, err := r.l.SetRostered(ctx, group, id, false)\n",
		new:  "			_, err := r.l.SetRostered(ctx, group, id, false)\n",
	},
	{
		name: "circle-holds-itself", dies: "I1", file: "dirsync/roster_settle.go",
		what: "a group counts as in the scope as long as one that holds it did, even in a circle",
		old:  "			named := r.scope.Names(g)\n",
		new:  "			if g != id && t != nil && t.Top != \"\" && clean == (t.Standing == ledger.RosterIn) {\n				return t.Top, nil\n			}\n			named := r.scope.Names(g)\n",
	},
	{
		name: "all-groups-are-nested", dies: "I2", file: "dirsync/roster_settle.go",
		what: "whom a group in the scope's group holds is in, though nobody asked for that",
		old:  "			if !r.scope.Nested() {\n				continue\n			}\n",
		new:  "",
	},
	{
		name: "changed-groups-not-applied", dies: "I1", file: "mapping/scope.go",
		what: "a scope with other groups counts as the same",
		old:  "	if len(b.groups) > 0 { // a scope",
		new:  "	if len(b.groups) > 9 { // a scope",
	},
}
