package mutation_test

// What is remembered, and in which commit.
var stateBugs = []bug{
	{
		name: "bin-forgotten-at-once", dies: "I5", file: "dirsync/suspects.go",
		what: "a deleted account is forgotten while it is still in the bin",
		old:  "const keptDeleted = 60 * 24 * time.Hour\n",
		new:  "const keptDeleted = 0 * time.Hour\n",
	},
	{
		name: "settled-in-two-commits", dies: "I1", file: "dirsync/settle.go",
		what: "that the outcome is known is durable before the outcome",
		old:  "	r.l.ClearIntent(c.Source)\n	if err := r.noteCall(ctx, in, audit.OutcomeApplied",
		new: "	r.l.ClearIntent(c.Source)\n	if err := r.l.Flush(ctx); err != nil {\n		return err\n	}\n" +
			"	if err := r.noteCall(ctx, in, audit.OutcomeApplied",
	},
	{
		name: "rules-change-unnoticed", dies: "I1", file: "dirsync/run.go",
		what: "with new rules, only what changes at the source is mapped anew",
		old:  "	case r.facts.Rules != rules && r.facts.Rules != \"\":",
		new:  "	case r.facts.Rules != rules && r.facts.Rules == \"\":",
	},
	{
		name: "removed-domain-not-followed", dies: "I1", file: "dirsync/run.go",
		what: "who has a domain that isn't verified any more isn't looked at",
		old:  "		concerned := func(d string) bool { return !r.domains.Verified[d] || !was[d] }\n",
		new:  "		concerned := func(d string) bool { return r.domains.Verified[d] && !was[d] }\n",
	},
	{
		name: "new-domain-not-followed", dies: "I1", file: "dirsync/run.go",
		what: "who could have the domain that was verified now isn't looked at",
		old:  "		concerned := func(d string) bool { return !r.domains.Verified[d] || !was[d] }\n",
		new:  "		concerned := func(d string) bool { return !r.domains.Verified[d] }\n",
	},
	{
		name: "facts-before-marks", dies: "I1", file: "dirsync/run.go",
		what: "that the rules changed is durable before the marks of those whom it concerns",
		old:  "	rules, domains := r.opt.Mapper.Fingerprint(), r.domains.Fingerprint()\n	switch {",
		new: "	rules, domains := r.opt.Mapper.Fingerprint(), r.domains.Fingerprint()\n	early := *r.facts\n	early.Rules, early.Domains, early.Verified = rules, domains, r.domains.List()\n" +
			"	if err := r.l.SetFacts(&early); err != nil {\n		return err\n	}\n	if err := r.l.Flush(ctx); err != nil {\n		return err\n	}\n	switch {",
	},
	{
		name: "claims-stay-on-delete", dies: "I1", file: "dirsync/settle.go",
		what: "whose account was deleted keeps others from its names",
		old:  "		if err := r.claims(ctx, e, \"\", \"\", anchor); err != nil {\n			return err\n		}\n		if e.Link != nil && !target.CanRestore",
		new:  "		_ = anchor\n		if e.Link != nil && !target.CanRestore",
	},
	{
		name: "claims-stay-when-forgotten", dies: "I1", file: "dirsync/prepare.go",
		what: "an object that is forgotten keeps others from its names",
		old:  "	if err := r.claims(ctx, e, \"\", \"\", \"\"); err != nil {\n		return err\n	}\n	r.l.SetSuffix(e.Suffix, \"\", id)\n",
		new:  "	r.l.SetSuffix(e.Suffix, \"\", id)\n",
	},
	{
		name: "holder-stays-on-delete", dies: "I1", file: "dirsync/settle.go",
		what: "an account in the bin still counts as the holder of its names",
		old:  "	if c.Op == target.Delete || c.Op == target.Create && o.Deleted {\n",
		new:  "	if c.Op == target.Create && o.Deleted {\n",
	},
	{
		name: "restore-forgets-names", dies: "I1", file: "dirsync/settle.go",
		what: "an account out of the bin doesn't count as the holder of its names",
		old:  "	if !owned {\n		old = nil // an account in the bin holds no names\n	}\n",
		new:  "",
	},
	{
		name: "names-by-case", dies: "I1", file: "dirsync/internal/ledger/keys.go",
		what: "Ann@contoso.com and ann@contoso.com count as two names",
		old:  "	return strings.ToLower(v)\n",
		new:  "	return v\n",
	},
	{
		name: "delete-forgets-account", dies: "I5", file: "dirsync/settle.go",
		what: "a deleted account isn't remembered: who comes back gets a new one",
		old:  "		if e.Link != nil && !target.CanRestore(r.tgt) {",
		new:  "		if e.Link != nil {",
	},
}
