package mutation_test

// Who must not be written.
var powerBugs = []bug{
	{
		name: "protected-is-planned", dies: "I7", file: "dirsync/decide.go",
		what: "planning doesn't ask who is protected",
		old:  "	if c != nil {\n		if p, err := r.offLimits(ctx, e, c); err != nil {",
		new:  "	if c != nil && c.Op == target.Create {\n		if p, err := r.offLimits(ctx, e, c); err != nil {",
	},
	{
		name: "no-second-look", dies: "I7", file: "dirsync/apply.go",
		what: "nobody looks again right before a sensitive write",
		old:  "	if !repeat {\n		var err error\n",
		new:  "	if repeat && len(batch) > 20 {\n		var err error\n",
	},
	{
		name: "second-look-is-the-first", dies: "I7", file: "dirsync/protect.go",
		what: "the second look takes the answer of the first",
		old:  "	p, err := r.askProtected(ctx, r.guarded.list)\n	if err != nil {\n		return nil, err\n	}\n	r.guarded = p\n",
		new:  "	p := r.guarded\n",
	},
	{
		name: "repeat-to-protected", dies: "I7", file: "dirsync/open.go",
		what: "an open change of an account that became protected is repeated",
		old:  "			still = !off\n",
		new:  "			still = !off || off\n",
	},
	{
		name: "unknown-is-unprotected", dies: "I7", file: "dirsync/protect.go",
		what: "when it can't be told who is protected, nobody is",
		old:  "	return \"\", p.err\n}",
		new:  "	return \"\", nil\n}",
	},
}

// How accounts become ours.
var adoptBugs = []bug{
	{
		name: "adopts-administrators", dies: "I7", file: "dirsync/adopt.go",
		what: "whoever holds a role is adopted if somebody says so",
		old:  "	case why != \"\":\n		return no(\"the account %s\", why)\n",
		new:  "	case why == \"?\":\n		return no(\"the account %s\", why)\n",
	},
	{
		name: "adopts-what-others-synchronize", dies: "I6", file: "dirsync/adopt.go",
		what: "an account that another tool masters is adopted",
		old:  "	case o.Foreign:\n",
		new:  "	case o.Foreign && o.Deleted:\n",
	},
	{
		name: "adopts-what-is-ours", dies: "I6", file: "dirsync/adopt.go",
		what: "an account is taken from one object and given to another",
		old:  "	} else if owner != \"\" {\n",
		new:  "	} else if owner == a.Object {\n",
	},
	{
		name: "adopts-what-a-lost-create-made", dies: "I6", file: "dirsync/match.go",
		what: "an account that may have come of a create with an open outcome is given to another object",
		old:  "		} else if in != nil {\n			open = other\n",
		new:  "		} else if in != nil && open != \"\" {\n			open = other\n",
	},
	{
		name: "adopts-for-who-left", dies: "I6", file: "dirsync/adopt.go",
		what: "the object isn't looked at again",
		old:  "	if e == nil || !r.seen.has(a.Object) || e.Presence != plan.Present {\n",
		new:  "	if e == nil {\n",
	},
	{
		name: "missing-is-gone", dies: "I6", file: "dirsync/match.go",
		what: "an account moves away from an object that can't be found",
		old:  "	case plan.Left, plan.Deleted:\n		return true\n",
		new:  "	case plan.Left, plan.Deleted, plan.Missing:\n		return true\n",
	},
	{
		name: "adopts-where-it-was", dies: "I6", file: "dirsync/adopt.go",
		what: "an account is adopted by the place that a container had before it was hidden",
		old:  "	case !r.isPlaced(e):",
		new:  "	case false:",
	},
	{
		name: "rebinds-from-who-is-there", dies: "I6", file: "dirsync/rebind.go",
		what: "an anchor moves while its object is there",
		old:  "	case !r.isGone(old), !r.seen.has(a.From), // what was proven earlier may have been undone, and not be shown\n		old.Presence == plan.Present && refused(r.mapped(old)) && !r.isPlaced(old):",
		new:  "	case !r.isGone(old) && old.Presence != plan.Present:",
	},
	{
		name: "unstamped-is-drift", dies: "I1", file: "dirsync/drift.go",
		what: "an adopted account that carries no anchor yet is taken for one that lost it",
		old:  " && !(e.Link.Unstamped && o.Anchor == \"\")",
		new:  "",
	},
	{
		name: "adopts-out-of-scope", dies: "I6", file: "dirsync/adopt.go",
		what: "an adoption doesn't ask the scope",
		old:  "	if err := r.underScope(ctx); err != nil {\n",
		new:  "	if r.tree = newTree(); len(pairs) == 0 {\n		return nil, nil\n	}\n	r.scope = &mapping.BoundScope{}\n	if err := ctx.Err(); err != nil {\n",
	},
}
