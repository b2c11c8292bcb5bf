package mutation_test

// Budgets, and what needs somebody's word.
var wordBugs = []bug{
	{
		name: "no-guard", dies: "I8", file: "dirsync/admit.go",
		what: "a plan that exceeds a budget is carried out",
		old:  "	if len(r.breaches) == 0 {\n",
		new:  "	if len(r.breaches) < 99 {\n",
	},
	{
		name: "guard-after-writes", dies: "I8", file: "dirsync/run.go",
		what: "the budgets are looked at when the plan has been carried out",
		old:  "		if err := r.guard(ctx); err != nil {\n			return err\n		}\n",
		new:  "		if err := r.carryOut(ctx); err != nil {\n			return err\n		}\n		if err := r.guard(ctx); err != nil {\n			return err\n		}\n",
	},
	{
		name: "guard-per-run", dies: "I8", file: "dirsync/budget.go",
		what: "each run has budgets of its own",
		old:  "	spent.Merge(r.budget.window.Tally)\n",
		new:  "",
	},
	{
		name: "budget-in-memory", dies: "I8", file: "dirsync/budget.go",
		what: "what a run has spent isn't kept",
		old:  "	return r.l.SetSpent(r.report.Run, &r.budget.spent)\n",
		new:  "	return nil\n",
	},
	{
		name: "window-by-clock", dies: "I8", file: "dirsync/plan/guard.go",
		what: "a clock that jumps ahead empties the window",
		old:  "	return runs < cmp.Or(l.WindowRuns, 8) || age",
		new:  "	return runs < cmp.Or(l.WindowRuns, 8) && age",
	},
	{
		name: "guard-off-by-one", dies: "I8", file: "dirsync/plan/guard.go",
		what: "one more than the budget goes through",
		old:  "lim.Count >= 0 && n > lim.Count {\n",
		new:  "lim.Count >= 0 && n > lim.Count+1 {\n",
	},
	{
		name: "disables-not-counted", dies: "I8", file: "dirsync/plan/effect.go",
		what: "accounts that are disabled since their object left count for nothing",
		old:  "	case c.Removal:\n		all",
		new:  "	case c.Removal && c.Op == target.Delete:\n		all",
	},
	{
		name: "plan-writes", dies: "I2", file: "dirsync/run.go",
		what: "a run that only plans goes on to carry it out",
		old:  "		if r.dry || r.keeping {\n			return r.show(ctx)\n",
		new:  "		if r.dry {\n			return r.show(ctx)\n",
	},
	{
		name: "open-not-counted", dies: "I8", file: "dirsync/budget.go",
		what: "a removal whose outcome is open spends nothing",
		old:  "		if k.Value.Approver == \"\" {\n			spent.Add(&k.Value.Change, 1)\n		}\n	}\n	for k, err := range r.l.RefIntents(ctx) {",
		new:  "		if k.Value.Approver != \"\" {\n			spent.Add(&k.Value.Change, 1)\n		}\n	}\n	for k, err := range r.l.RefIntents(ctx) {",
	},
	{
		name: "approved-spends-instead", dies: "I8", file: "dirsync/settle.go",
		what: "the budgets are spent by what was approved, not by the rest",
		old:  "	if in.Approver == \"\" {\n",
		new:  "	if in.Approver != \"\" {\n",
	},
	{
		name: "stale-plan-applied", dies: "I2", file: "dirsync/admit.go",
		what: "a plan that waited is carried out without a look whether it still stands",
		old:  "	if reason != \"\" {\n",
		new:  "	if reason == \"?\" {\n",
	},
	{
		name: "approval-without-end", dies: "I8", file: "dirsync/admit.go",
		what: "when an approval ends is noted and not looked at",
		old:  "a != nil && !time.Now().Before(a.Until) {\n",
		new:  "a != nil && a.Until.IsZero() {\n",
	},
	{
		name: "approval-for-any-plan", dies: "I8", file: "dirsync/admit.go",
		what: "the approval of a plan goes over to the one that takes its place",
		old:  "	if old != nil && old.Hash == k.Hash && !old.Begun {\n",
		new:  "	if old != nil && !old.Begun {\n",
	},
	{
		name: "rejection-forgotten", dies: "I8", file: "dirsync/approve.go",
		what: "who rejects a plan is asked again, or not even that",
		old:  "				return r.l.SetHold(c.Source, ledger.Hold{State: sourceState(e), Change: c.Deed(), Why: heldRejected,",
		new:  "				return r.l.SetHold(c.Source+\"-\", ledger.Hold{State: sourceState(e), Change: c.Deed(), Why: heldRejected,",
	},
	{
		name: "apply-takes-more", dies: "I8", file: "dirsync/admit.go",
		what: "who has one plan carried out gets what else there is to do as well",
		old:  "	if err := r.tallyUp(ctx, r.apply != \"\"); err != nil {\n		return err\n	}\n	if r.approval",
		new:  "	r.again = true\n	if err := r.tallyUp(ctx, false); err != nil {\n		return err\n	}\n	if r.approval",
	},
	{
		name: "only-is-all", dies: "I8", file: "dirsync/run.go",
		what: "a run for some objects carries out what is due for others",
		old:  "	if r.failed[id] || r.only != nil && !r.only[id] {\n",
		new:  "	if r.failed[id] {\n",
	},
	{
		name: "only-moves-watermark", dies: "I3", file: "dirsync/only.go",
		what: "a run for some objects counts as having read everything",
		old:  "	err := r.findAll(ctx, ids)\n",
		new: "	err := r.findAll(ctx, ids)\n	for ev := range r.from.src.All(ctx) {\n		if ev.Watermark != \"\" {\n" +
			"			r.setWatermark(ev.Watermark)\n		}\n	}\n",
	},
	{
		name: "policy-for-removals-only", dies: "I8", file: "dirsync/plan/policy.go",
		what: "create-only lets updates through",
		old:  "		return c.Op == target.Create\n",
		new:  "		return !c.Removal && c.Op != target.Delete\n",
	},
	{
		name: "withheld-forgotten", dies: "I1", file: "dirsync/decide.go",
		what: "what a policy holds back isn't done when the policy allows it again",
		old:  "	if err := r.l.SetDue(id, due); err != nil {\n		return err\n	}\n	return r.setProblems(ctx, id, ps)\n",
		new:  "	r.l.ClearDue(id)\n	return r.setProblems(ctx, id, ps)\n",
	},
	{
		name: "preview-writes-through", dies: "I2", file: "dirsync/engine.go",
		what: "a preview works on the store itself",
		old:  "	r := e.newRun(ledger.NewOverlay(e.store), req)\n",
		new:  "	r := e.newRun(e.store, req)\n",
	},
	{
		name: "held-back-proves", dies: "I2", file: "dirsync/run.go",
		what: "a run that only held removals back proves the configuration",
		old:  "r.counts.Removals+r.report.HeldBack > 0",
		new:  "r.counts.Removals > 0",
	},
	{
		name: "behind-and-proven", dies: "I2", file: "dirsync/outbox.go",
		what: "a state that is older than what was done removes accounts at once",
		old:  "		r.facts.Proven, r.facts.Behind = time.Time{}, true\n",
		new:  "		r.facts.Behind = true\n",
	},
	{
		name: "behind-forks", dies: "A18", file: "dirsync/outbox.go",
		what: "the audit goes on from the old state's last record",
		old:  "			at, behind = pos, true\n",
		new:  "			behind = true\n",
	},
	{
		name: "behind-not-reconciled", dies: "I1", file: "dirsync/outbox.go",
		what: "a state that is older than what was done isn't compared with the target",
		old:  "		r.facts.Proven, r.facts.Behind = time.Time{}, true\n",
		new:  "		r.facts.Proven = time.Time{}\n",
	},
	{
		name: "audit-lost-on-failure", dies: "A18", file: "dirsync/outbox.go",
		what: "records that the sink couldn't take are dropped",
		old:  "				return fmt.Errorf(\"%w: %w\", ErrAudit, err)\n			}\n		}\n		for _, rec",
		new:  "				r.opt.Logger.Error(\"audit\", \"error\", err)\n			}\n		}\n		for _, rec",
	},
	{
		name: "audit-of-successes", dies: "A18", file: "dirsync/outbox.go",
		what: "calls without an answer are left out of the audit, and their repeats too",
		old:  "	if len(r.opt.Audit) == 0 {\n		return nil\n	}\n	c := &in.Change\n",
		new:  "	if len(r.opt.Audit) == 0 || repeat || outcome != audit.OutcomeApplied {\n		return nil\n	}\n	c := &in.Change\n",
	},
}
