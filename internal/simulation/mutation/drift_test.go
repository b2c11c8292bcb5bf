package mutation_test

// What others change at the target.
var driftBugs = []bug{
	{
		name: "token-before-events", dies: "I1", file: "dirsync/drift.go",
		what: "the next token is durable before what came before it is noted",
		old:  "	complete := false\n",
		new:  "	complete := false\n	early := f\n	if early.Token, _, err = target.Latest(ctx, r.tgt, target.User); err != nil || r.l.SetFeed(target.User, early) != nil || r.l.Flush(ctx) != nil {\n		return err, nil\n	}\n",
	},
	{
		name: "told-and-forgotten", dies: "I1", file: "dirsync/drift.go",
		what: "an account that was changed at the target isn't looked at",
		old:  "	return r.l.SetLook(owner, ledger.Look{Binned: ev.Op == target.Binned})\n",
		new:  "	return nil\n",
	},
	{
		name: "own-write-is-drift", dies: "T-03", file: "dirsync/look.go",
		what: "what the target shows of before our own write is put back",
		old:  "	if until := last.Add(replication); time.Now().Before(until) {\n",
		new:  "	if until := last; time.Now().Before(until) {\n",
	},
	{
		name: "young-is-forgotten", dies: "I1", file: "dirsync/look.go",
		what: "a change so soon after our own write is never looked at again",
		old:  "		return nil, false, r.l.SetLook(id, k)\n",
		new:  "		r.l.ClearLook(id)\n		return nil, false, nil\n",
	},
	{
		name: "deleted-is-recreated", dies: "I5", file: "dirsync/look.go",
		what: "an account that somebody deleted is made anew, not restored",
		old:  "	if err := r.binned(ctx, e); err != nil {\n		return err\n	}\n",
		new:  "	if err := r.binned(ctx, e); err != nil {\n		return err\n	}\n	r.l.ClearOwner(e.Link.ID)\n	if e.Link, e.Applied = nil, nil; r.l.SetEntry(e) != nil {\n		return nil\n	}\n",
	},
	{
		name: "expired-is-nothing", dies: "I1", file: "dirsync/drift.go",
		what: "a token that has expired is taken for no changes, and a new one is fetched",
		old:  "	if r.facts.Owned == 0 {\n",
		new:  "	if r.facts.Owned == 0 || strings.Contains(why, \"any more\") {\n",
	},
	{
		name: "purged-is-not-told", dies: "I1", file: "dirsync/look.go",
		what: "nobody is told of an account that is nowhere any more",
		old:  "		if d.Gone = true; !was {\n",
		new:  "		if d.Gone = false; !was {\n",
	},
}
