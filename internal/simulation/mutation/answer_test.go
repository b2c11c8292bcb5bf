package mutation_test

// What the target's answers mean.
var answerBugs = []bug{
	{
		name: "unknown-is-failure", dies: "I1", file: "dirsync/refused.go",
		what: "a call without an answer counts as not made",
		old:  "	if target.OutcomeUnknown(err) {\n		r.failed[id] = true\n",
		new:  "	if target.OutcomeUnknown(err) {\n		r.failed[id] = true\n		r.l.ClearIntent(id)\n",
	},
	{
		name: "unknown-is-success", dies: "I1", file: "dirsync/settle.go",
		what: "an update without an answer counts as made",
		old:  "	if res.Err != nil {\n		outcome := audit.OutcomeRefused\n",
		new:  "	if res.Err != nil && (c.Op == target.Create || !target.OutcomeUnknown(res.Err)) {\n		outcome := audit.OutcomeRefused\n",
	},
	{
		name: "trust-404", dies: "I5", file: "dirsync/lost.go",
		what: "an account that isn't found is forgotten, wherever it is, and made anew",
		old:  "	switch {\n	case stays:\n",
		new:  "	switch {\n	case c.Op != target.Restore:\n		r.l.ClearOwner(e.Link.ID)\n		e.Link, e.Applied = nil, nil\n	case stays:\n",
	},
	{
		name: "barred-keeps-the-name", dies: "I1", file: "dirsync/refused.go",
		what: "whose account can't come out of the bin keeps others from names that nobody has",
		old:  "	if owner != \"\" || err != nil {\n		return err\n	}\n	return r.yield",
		new:  "	if owner != \"?\" || err != nil {\n		return err\n	}\n	return r.yield",
	},
	{
		name: "repeat-links-anything", dies: "I6", file: "dirsync/settle.go",
		what: "whatever account a repeated create finds becomes ours",
		old:  "		if repeat && owner == \"\" && !ourCreate(in, res.Object) {\n",
		new:  "		if repeat && owner == \"?\" && !ourCreate(in, res.Object) {\n",
	},
	{
		name: "repeat-beside-the-bin", dies: "I5", file: "dirsync/open.go",
		what: "a create is repeated though what it made may lie in the bin",
		old:  "		if still && !(create && len(binned) > 0) {\n",
		new:  "		if still {\n",
	},
	{
		name: "bin-not-looked-into", dies: "I5", file: "dirsync/unowned.go",
		what: "who has an account in the bin that the state doesn't know gets another one",
		old:  "				r.unowned.binned[o.Anchor] = o.ID\n",
		new:  "				r.unowned.binned[\"\"] = o.ID\n",
	},
	{
		name: "due-cleared-on-refusal", dies: "I1", file: "dirsync/refused.go",
		what: "what the target refused isn't tried again",
		old:  "	if err := r.l.SetDue(id, later(*due)); err != nil {\n		return err\n	}\n",
		new:  "	r.l.ClearDue(id)\n",
	},
	{
		name: "not-applied-is-done", dies: "I1", file: "dirsync/refused.go",
		what: "what the target didn't even look at counts as settled",
		old:  "	case errors.Is(err, target.ErrNotApplied):\n		return r.markDue(ctx, id, \"\")\n",
		new:  "	case errors.Is(err, target.ErrNotApplied):\n		r.l.ClearDue(id)\n		return nil\n",
	},
	{
		name: "any-refusal-settles", dies: "I1", file: "dirsync/refused.go",
		what: "a repeat that is throttled says that the first call wasn't made",
		old:  "			return true\n		}\n	}\n	return false\n}\n\n// later has",
		new:  "			return true\n		}\n	}\n	return true\n}\n\n// later has",
	},
	{
		name: "refused-repeat-is-sure", dies: "I1", file: "dirsync/refused.go",
		what: "a repeated update that is refused wasn't made at the first call either",
		old:  "	if repeat && settlesRepeat(err) && c.Op != target.Create {\n",
		new:  "	if repeat && settlesRepeat(err) && c.Op == target.Create {\n",
	},
	{
		name: "one-stops-all", dies: "I1", file: "dirsync/refused.go",
		what: "one account that may not be written ends the run for everybody",
		old:  "	case errors.Is(err, target.ErrThrottled), errors.Is(err, target.ErrUnavailable), errors.Is(err, target.ErrUnauthenticated):\n",
		new:  "	case errors.Is(err, target.ErrThrottled), errors.Is(err, target.ErrUnavailable), errors.Is(err, target.ErrUnauthenticated), errors.Is(err, target.ErrForbidden):\n",
	},
	{
		name: "refused-domain-for-ever", dies: "I1", file: "dirsync/read.go",
		what: "a domain that the target refused once is never tried again",
		old:  "			e.Refused, e.RefusedDomain = nil, \"\"\n",
		new:  "			e.Refused = nil\n",
	},
	{
		name: "taken-value-blocks-all", dies: "I1", file: "dirsync/refused.go",
		what: "a name that somebody else's account has keeps an account of ours from all other changes",
		old:  "		if r.unowned.holder(attr, value) == holder {\n",
		new:  "		if r.unowned.holder(attr, value) == holder && e.Link == nil {\n",
	},
}
