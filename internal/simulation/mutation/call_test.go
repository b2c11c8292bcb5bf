package mutation_test

// Calls to the target, and that no crash loses one.
var callBugs = []bug{
	{
		name: "blind-retry", dies: "I1", file: "dirsync/apply.go",
		what: "a create with an unknown outcome is sent again as if it were new",
		old:  "		changes[i].Repeat = repeat\n",
		new:  "		changes[i].Repeat = repeat && c.Op != target.Create\n",
	},
	{
		name: "no-intent", dies: "I1", file: "dirsync/apply.go",
		what: "nothing is written down before the call",
		old:  "	if !repeat {\n		for _, in := range batch {",
		new:  "	if repeat {\n		for _, in := range batch {",
	},
	{
		name: "intent-after-call", dies: "I1", file: "dirsync/apply.go",
		what: "the intent becomes durable some time after the call",
		old:  "	if err := r.l.Flush(ctx); err != nil {\n		return fmt.Errorf(\"make intents durable: %w\", err)\n	}\n",
		new:  "",
	},
	{
		name: "plan-repeats-calls", dies: "I2", file: "dirsync/open.go",
		what: "a run that only plans settles what an earlier one left open, by writing",
		old:  "	if r.dry || r.keeping {\n		return nil\n	}\n	var open",
		new:  "	if r.dry {\n		return nil\n	}\n	var open",
	},
	{
		name: "no-result-is-success", dies: "I1", file: "target/batch.go",
		what: "a change of a batch for which no answer came counts as made",
		old:  "				out = append(out, Result{Err: &Error{Sentinel: ErrUnknownOutcome, Err: errors.New(\"the target gave no result\")}})\n",
		new:  "				out = append(out, Result{Object: Object{ID: part[i].ID}})\n				_ = errors.New\n",
	},
	{
		name: "results-mixed-up", dies: "I6", file: "dirsync/apply.go",
		what: "with a batch of two, the answers go to the wrong changes",
		old:  "		err := a.r.unit(keep, func() error { return a.r.settle(keep, j.intents[i], res, j.repeat) })\n",
		new: "		if len(j.intents) == 2 {\n			i = 1 - i\n		}\n" +
			"		err := a.r.unit(keep, func() error { return a.r.settle(keep, j.intents[i], res, j.repeat) })\n",
	},
	{
		name: "batch-too-large", dies: "contract", file: "dirsync/apply.go",
		what: "one change more than the target takes goes into a call",
		old:  "len(batch) == most {\n",
		new:  "len(batch) > most {\n",
	},
}
