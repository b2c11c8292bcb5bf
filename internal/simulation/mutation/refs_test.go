package mutation_test

// References: members and managers.
var refBugs = []bug{
	{
		name: "whole-set-removes-nobody", dies: "I1", file: "dirsync/refs_read.go",
		what: "who isn't in a whole set any more stays",
		old:  "	if err != nil || set.Wanted <= len(seen) {\n",
		new:  "	if err != nil || set.Wanted >= len(seen) {\n",
	},
	{
		name: "difference-adds-only", dies: "I1", file: "dirsync/refs_read.go",
		what: "who is taken out of a group stays in it",
		old:  "	if err := r.wantRefs(ctx, key, x.Remove, false); err != nil {\n		return err\n	}\n",
		new:  "",
	},
	{
		name: "bin-keeps-no-members", dies: "I1", file: "dirsync/refs_wake.go",
		what: "what a bin does to memberships is forgotten: what it brings back counts as what was applied",
		old:  "	case (w.Binned || w.Restored) && n.Applied == ledger.Yes:\n		n.Applied = ledger.Unsure\n",
		new:  "",
	},
	{
		name: "nobody-is-roused", dies: "I1", file: "dirsync/refs_wake.go",
		what: "what waits for an account isn't looked at when there is one",
		old:  "	if !waits || err != nil {\n		return err\n	}\n",
		new:  "	if waits || err != nil {\n		return err\n	}\n",
	},
	{
		name: "unknown-reference-is-done", dies: "I1", file: "dirsync/refs_apply.go",
		what: "a reference whose reply got lost counts as not made, and isn't taken back when nobody wants it any more",
		old:  "		if err := r.applied(ctx, k, ledger.Unsure); err != nil {\n			return err\n		}\n	}\n	due, err",
		new:  "		if err := r.applied(ctx, k, ledger.No); err != nil {\n			return err\n		}\n	}\n	due, err",
	},
	{
		name: "open-references-forgotten", dies: "I1", file: "dirsync/refs_open.go",
		what: "what was on the wire when the process died counts as not made",
		old:  "					if err := r.applied(ctx, k, ledger.Unsure); err != nil {\n",
		new:  "					if err := r.applied(ctx, k, ledger.No); err != nil {\n",
	},
	{
		name: "two-changes-of-one-group", dies: "contract", file: "dirsync/refs_apply.go",
		what: "changes of one group go into one call",
		old:  "	if slices.ContainsFunc(*batch, same) {\n",
		new:  "	if len(*batch) > 1000 && slices.ContainsFunc(*batch, same) {\n",
	},
	{
		name: "refused-reference-is-done", dies: "I1", file: "dirsync/refs_apply.go",
		what: "a reference that was refused in a change that was taken counts as made",
		old:  "			if refused[account] != nil {\n",
		new:  "			if refused[account] != nil && len(refused) > 1000 {\n",
	},
	{
		name: "restored-group-as-it-was", dies: "I1", file: "dirsync/refs_wake.go",
		what: "a group out of the bin isn't compared with what it brought along",
		old:  "		if x == nil || x.Applied != ledger.Yes || err != nil {\n			return err\n		}\n		return r.applied(ctx, k, ledger.Unsure)\n",
		new:  "		_ = x\n		return err\n",
	},
	{
		name: "old-manager-stays", dies: "I1", file: "dirsync/refs_apply.go",
		what: "whose new manager is refused keeps the old one",
		old:  "		r.again = true // the one from before goes all the same\n",
		new:  "",
	},
	{
		name: "rebind-leaves-memberships", dies: "I1", file: "dirsync/rebind.go",
		what: "an account stays in the groups of the object that it was of",
		old:  "	if err := r.moveRefs(ctx, a.From, a.Object, !link.Binned.IsZero()); err != nil {\n		return err\n	}\n",
		new:  "",
	},
	{
		name: "strangers-are-nobody", dies: "I2", file: "dirsync/refs_read.go",
		what: "a value that can't be identified isn't anybody's who was a member",
		old:  "	set.strange += x.Unidentified\n",
		new:  "",
	},
	{
		name: "unread-is-empty", dies: "I2", file: "dirsync/refs_doubt.go",
		what: "a group whose members may not be read any more counts as emptied",
		old:  "		case empty:\n",
		new:  "		case empty || len(seen) == 0:\n",
	},
	{
		name: "throttled-is-refused", dies: "I5", file: "dirsync/refs_apply.go",
		what: "a tenant that asks to slow down amid a change of references is taken to refuse these",
		old:  "			if r.ends(why) {\n				continue // it stays due as it is\n			}\n",
		new:  "",
	},
}
