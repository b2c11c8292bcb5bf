package mutation_test

// What is decided about one object.
var planBugs = []bug{
	{
		name: "missing-is-deleted", dies: "I2", file: "dirsync/plan/compute.go",
		what: "the account of an object of which nothing is known is removed",
		old:  "		return missing(in)\n",
		new:  "		return deleted(in), nil\n",
	},
	{
		name: "skipped-is-deleted", dies: "I2", file: "dirsync/plan/compute.go",
		what: "what the rules leave out is deleted, whatever is to happen to those who leave",
		old:  "	switch in.Leaving {\n",
		new:  "	if in.Presence == Present {\n		return in.removal(target.Delete, reason, nil)\n	}\n	switch in.Leaving {\n",
	},
	{
		name: "keep-disables", dies: "I2", file: "dirsync/plan/compute.go",
		what: "who leaves is disabled though accounts are to be kept",
		old:  "	case KeepOnLeave:\n		return nil\n",
		new:  "",
	},
	{
		name: "binned-is-updated", dies: "I1", file: "dirsync/plan/compute.go",
		what: "the account in the bin of somebody who comes back is updated instead of restored",
		old:  "	case !in.Link.Binned.IsZero():\n		c := in.change(target.Restore, set)\n",
		new:  "	case !in.Link.Binned.IsZero() && len(set) == 0:\n		c := in.change(target.Restore, set)\n",
	},
	{
		name: "cleared-not-written", dies: "I1", file: "dirsync/plan/compute.go",
		what: "an attribute that has no value any more keeps the old one",
		old:  "		case len(want) == 0 && slices.Contains(in.Result.CannotClear, attr):\n			keep",
		new:  "		case len(want) == 0 && !slices.Contains(in.Result.CannotClear, attr):\n		case len(want) == 0:\n			keep",
	},
	{
		name: "unsure-ignored", dies: "I1", file: "dirsync/plan/compute.go",
		what: "what the target may hold otherwise counts as written",
		old:  "		case slices.Equal(want, have) && !unsure:\n",
		new:  "		case slices.Equal(want, have) && (!unsure || unsure):\n",
	},
	{
		name: "unsure-leaver", dies: "I1", file: "dirsync/plan/compute.go",
		what: "a leaver that is disabled for all we know, but not for sure, isn't disabled",
		old:  " && !slices.Contains(in.Unsure, target.AttrAccountEnabled) {\n",
		new:  " {\n",
	},
	{
		name: "refused-for-ever", dies: "I1", file: "dirsync/plan/compute.go",
		what: "a value that the target refused is written again and again, and the object's others with it",
		old:  "		if v, ok := desired[attr]; ok && slices.Equal(v, in.Refused[attr]) {\n",
		new:  "		if v, ok := desired[attr]; ok && len(v) == 0 {\n",
	},
	{
		name: "adopt-by-anchor", dies: "I6", file: "dirsync/decide.go",
		what: "hard match: an account with the object's anchor is taken over",
		old:  "	c, problems := plan.Compute(in)\n",
		new: "	if in.AnchorHolder != \"\" {\n		e.Link = &plan.Link{ID: in.AnchorHolder, Anchor: in.Result.Anchor, Since: time.Now()}\n		in.Link, in.AnchorHolder = e.Link, \"\"\n" +
			"		r.l.SetOwner(e.Link.ID, id)\n		if err := r.l.SetEntry(e); err != nil {\n			return err\n		}\n	}\n	c, problems := plan.Compute(in)\n",
	},
	{
		name: "adopt-by-upn", dies: "I6", file: "dirsync/decide.go",
		what: "soft match: an account with the object's name is taken over",
		old:  "	c, problems := plan.Compute(in)\n",
		new: "	if in.UPN.Foreign && e.Link == nil {\n		e.Link = &plan.Link{ID: target.ID(in.UPN.Holder), Anchor: in.Result.Anchor, Since: time.Now()}\n		in.Link, in.UPN = e.Link, plan.Claim{}\n" +
			"		r.l.SetOwner(e.Link.ID, id)\n		if err := r.l.SetEntry(e); err != nil {\n			return err\n		}\n	}\n	c, problems := plan.Compute(in)\n",
	},
	{
		name: "anchor-twice", dies: "I5", file: "dirsync/decide.go",
		what: "a second object with the same anchor is to get an account too",
		old:  "		if e != nil && (e.Link != nil || other < id) {\n",
		new:  "		if e != nil && e.Link != nil && other < id {\n",
	},
	{
		name: "planned-on-open-intent", dies: "I1", file: "dirsync/decide.go",
		what: "something is planned for an object of which it isn't known what it has",
		old:  "	} else if in != nil {\n		return nil // its outcome is open; nothing is decided on top of it\n	}\n	in := plan.Input{",
		new:  "	} else if in != nil {\n		r.l.ClearIntent(id)\n	}\n	in := plan.Input{",
	},
	{
		name: "own-account-is-foreign", dies: "I1", file: "dirsync/unowned.go",
		what: "accounts of ours are taken for somebody else's",
		old:  "	if owner != \"\" || err != nil {\n		return err\n	}\n	r.newcomer",
		new:  "	if err != nil || owner == \"?\" {\n		return err\n	}\n	r.newcomer",
	},
	{
		name: "quota-forgets", dies: "I1", file: "dirsync/decide.go",
		what: "who couldn't be created since the tenant was full isn't tried again",
		old:  "		if r.noCreate != nil && c.Op == target.Create {\n			return nil\n		}\n		if err := r.expect(ctx, c)",
		new:  "		if r.noCreate != nil && c.Op == target.Create {\n			r.l.ClearDue(id)\n			return nil\n		}\n		if err := r.expect(ctx, c)",
	},
}
