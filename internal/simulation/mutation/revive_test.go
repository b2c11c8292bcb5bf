package mutation_test

// References to those who were deleted, and to those who came back.
var reviveBugs = []bug{
	{
		name: "who-comes-back-is-not-asked-for", dies: "I1", file: "dirsync/refs_revived.go",
		what: "who came back from a tombstone stays in groups that don't say so any more",
		old:  "	if ev.Revived && (",
		new:  "	if !ev.Revived && (",
	},
	{
		name: "who-comes-back-and-leaves-is-not-asked-for", dies: "I3", file: "dirsync/read.go",
		what: "who came back from a tombstone and left the scope since is still somebody's manager",
		old:  "		r.checkRefsTo(ev)\n		return r.observeGone(ctx, ev, plan.Left)\n",
		new:  "		return r.observeGone(ctx, ev, plan.Left)\n",
	},
	{
		name: "asked-only-once", dies: "I1", file: "dirsync/refs_revived.go",
		what: "who refers to somebody that came back isn't asked again if the source couldn't answer",
		old:  "		case errors.Is(err, source.ErrIncomplete): // the object isn't there, most likely\n",
		new:  "		case errors.Is(err, source.ErrIncomplete), errors.Is(err, source.ErrUnavailable):\n			some = true\n",
	},
	{
		name: "deleted-stays-where-the-account-stays", dies: "I1", file: "dirsync/refs_wake.go",
		what: "a deleted person whose account isn't deleted stays in groups",
		old:  "			return r.takeOut(ctx, k)\n",
		new:  "			return nil\n",
	},
	{
		name: "refused-deletion-is-waited-for", dies: "I1", file: "dirsync/refs_wake.go",
		what: "a deleted person whose account isn't deleted leaves the groups when it is, so perhaps never",
		old:  "		if goes {\n			continue",
		new:  "		if goes || remains {\n			continue",
	},
	{
		name: "tombstone-says-nothing-of-members", dies: "I1", file: "dirsync/refs_deleted.go",
		what: "a deleted person whose account isn't deleted is put into the groups that it was in once more",
		old:  "	return why != \"\", err\n",
		new:  "	return why != \"\" || k.Holder != \"\", err\n",
	},
}
