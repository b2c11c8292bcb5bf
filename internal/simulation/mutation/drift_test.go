package mutation_test

// What others change at the target.
var driftBugs = []bug{
	{
		name: "token-before-events", dies: "I1", file: "dirsync/drift.go",
		what: "the next token is durable before what came before it is noted",
		old:  "	complete := false\n",
		new:  "	complete := false\n	early := f\n	if early.Token, _, err = target.Latest(ctx, r.tgt, kind); err != nil || r.l.SetFeed(kind, early) != nil || r.l.Flush(ctx) != nil {\n		return err, nil\n	}\n",
	},
	{
		name: "told-and-forgotten", dies: "I1", file: "dirsync/drift.go",
		what: "an account that was changed at the target isn't looked at",
		old:  "	return r.l.SetLook(owner, ledger.Look{Binned: ev.Op == target.Binned, Purged: ev.Op == target.Purged})\n",
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
		old:  "	if r.facts.Owned+r.facts.Groups == 0 {\n",
		new:  "	if r.facts.Owned+r.facts.Groups == 0 || strings.Contains(why, \"any more\") {\n",
	},
	{
		name: "purged-is-not-told", dies: "I1", file: "dirsync/look.go",
		what: "nobody is told of an account that is nowhere any more",
		old:  "		if d.Gone = true; !was {\n",
		new:  "		if d.Gone = false; !was {\n",
	},
	{
		name: "told-members-forgotten", dies: "I1", file: "dirsync/drift_refs.go",
		what: "a member that was added or removed at the target isn't looked at",
		old:  "	return has, r.l.SetRefLook(s, ledger.RefLook{})\n",
		new:  "	return has, nil\n",
	},
	{
		name: "removed-members-stay-away", dies: "I1", file: "dirsync/drift_refs.go",
		what: "only what others added to groups is noticed",
		old:  "suspect(ctx, ledger.RefSpot{Holder: holder, Attribute: refs.Attribute, To: to}, i == 0); err",
		new:  "suspect(ctx, ledger.RefSpot{Holder: holder, Attribute: refs.Attribute, To: to}, i >= 0); err",
	},
	{
		name: "strangers-stay", dies: "I1", file: "dirsync/refs_points.go",
		what: "a member that isn't ours has no account, by what the plan knows, and is never removed",
		old:  "	if _, stranger := plan.StrangerID(k.To); stranger {\n		return true, 0, nil\n	}\n",
		new:  "",
	},
	{
		name: "own-members-are-drift", dies: "T-03", file: "dirsync/drift_refs.go",
		what: "what the target shows of members from before our own write is put back",
		old:  "	if until = last.Add(replication); in != nil {\n",
		new:  "	if until = last; in != nil {\n",
	},
	{
		name: "sweep-sees-strangers-only", dies: "I1", file: "dirsync/drift_refs.go",
		what: "the look at everything doesn't miss who was removed",
		old:  "	if err == nil && set.Applied > len(seen) { // else the same\n",
		new:  "	if err == nil && set.Applied < len(seen) { // else the same\n",
	},
	{
		name: "no-sweep", dies: "I1", file: "dirsync/drift_groups.go",
		what: "the look at everything doesn't look at members",
		old:  "		if e != nil && e.Kind() == target.Group {\n",
		new:  "		if e != nil && e.Kind() != target.Group {\n",
	},
	{
		name: "waiting-member-thrown-out", dies: "I2", file: "dirsync/drift_decide.go",
		what: "whose account waits to be adopted loses its place in the group",
		old:  "		wait, err := r.keepsPlace(ctx, k, d.Names)\n		if !wait || err != nil {\n",
		new:  "		wait, err := r.keepsPlace(ctx, k, d.Names)\n		if wait = false; !wait || err != nil {\n",
	},
	{
		name: "behind-state-removes", dies: "I2", file: "dirsync/drift_groups.go",
		what: "a state that was behind takes out members that it doesn't know of, though the source couldn't tell yet",
		old:  "	return !set.Told || attr == target.RefManager",
		new:  "	return attr == target.RefManager",
	},
	{
		name: "reported-members-written", dies: "T-09", file: "dirsync/drift_decide.go",
		what: "members are put back though the policy is to report",
		old:  "	if r.opt.Drift != PutBack {\n		return true, nil\n	}\n",
		new:  "",
	},
	{
		name: "left-members-untold", dies: "I1", file: "dirsync/drift_decide.go",
		what: "nobody is told of members that stay as others made them",
		old:  "		set.Left = set.Left.Count(k.To, old, -1).Count(k.To, d, 1)\n",
		new:  "",
	},
}
