package mutation_test

// Who is in scope, and what a container that moved means for those in it.
var scopeBugs = []bug{
	{
		name: "unknown-container-is-out", dies: "I2", file: "mapping/verdict.go",
		what: "who lies in a container that was never given is taken for out of scope",
		old:  "	case !p.whole():\n		return unknownPlace(p)\n	case b.includes:\n",
		new:  "	case !p.whole():\n		return verdict(OutOfScope, \"nowhere\")\n	case b.includes:\n",
	},
	{
		name: "unknown-container-is-in", dies: "I2", file: "mapping/verdict.go",
		what: "who lies in a container that was never given is taken for in scope",
		old:  "	case !p.whole():\n		return unknownPlace(p)\n	case b.includes:\n",
		new:  "	case !p.whole():\n		return verdict(InScope, \"nowhere\")\n	case b.includes:\n",
	},
	{
		name: "outermost-container-decides", dies: "I1", file: "mapping/verdict.go",
		what: "the outermost listed container decides, not the nearest",
		old:  "	for _, c := range p.Path {\n		switch included",
		new:  "	for i := range p.Path {\n		c := p.Path[len(p.Path)-1-i]\n		switch included",
	},
	{
		name: "moved-container-is-alone", dies: "I1", file: "dirsync/scope.go",
		what: "those in a container that was moved out of scope aren't looked at again",
		old:  "				return r.markDue(ctx, k.ID, \"its container moved\")\n",
		new:  "				return nil\n",
	},
	{
		name: "only-the-first-level", dies: "I1", file: "dirsync/scope.go",
		what: "of a container that was moved out of scope, the containers in it aren't asked about",
		old:  "					r.l.SetMoved(k.ID)\n					return nil\n",
		new:  "					return nil\n",
	},
	{
		name: "moved-mark-cleared-first", dies: "I1", file: "dirsync/scope.go",
		what: "that a container moved is forgotten before those in it are marked",
		old:  "	if r.answer(id) != was {\n",
		new: "	if err := r.l.Unit(ctx, func() error {\n		r.l.ClearMoved(id)\n		return r.setAnswer(id, n)\n	}); err != nil {\n		return err\n	}\n" +
			"	if err := r.l.Flush(ctx); err != nil {\n		return err\n	}\n	if r.answer(id) != was {\n",
	},
	{
		name: "container-out-of-sight-ignored", dies: "I1", file: "mapping/verdict.go",
		what: "who lies in a container that was moved out of what the source reads stays in scope",
		old:  "		if c.Outside {\n",
		new:  "		if c.Outside && len(b.listed) > 99 {\n",
	},
	{
		name: "container-came-back-unread", dies: "I3", file: "dirsync/scope.go",
		what: "when a container comes back into sight, nothing is read again",
		old:  "		// tells that it is back.\n		r.scoping.Reread = true\n",
		new:  "		// tells that it is back.\n		r.scoping.Reread = false\n",
	},
	{
		name: "changed-scope-not-applied", dies: "I1", file: "dirsync/scope.go",
		what: "a changed scope is for those alone who change otherwise",
		old:  "	if r.scope.Fingerprint() != was && r.facts.Rules != \"\" {",
		new:  "	if r.scope.Fingerprint() != was && r.facts.Rules == \"-\" {",
	},
	{
		name: "changed-scope-unapproved", dies: "I8", file: "dirsync/scope.go",
		what: "who leaves since the scope was changed is taken for having been moved",
		old:  "		in.Rescoped = e.Side.In != now && (now == \"\" || e.Side.Left != now)\n",
		new:  "		in.Rescoped = false\n",
	},
	{
		name: "refusal-noted-as-in", dies: "I8", file: "dirsync/scope.go",
		what: "the scope that refuses somebody is noted as the one that last found them in",
		old:  "	case refused(res):\n		e.Side.Out = now\n",
		new:  "	case refused(res):\n		e.Side.Out, e.Side.In = now, now\n",
	},
}
