package mutation_test

// What the source says, and when it counts.
var readBugs = []bug{
	{
		name: "watermark-first", dies: "I3", file: "dirsync/read.go",
		what: "a delta's watermark becomes durable before what was read up to it",
		old:  "		return r.setWatermark(ev.Watermark)\n",
		new: "		if r.dry {\n			return r.setWatermark(ev.Watermark)\n		}\n		l := ledger.New(r.store, r.name, r.tgt.Name())\n" +
			"		if err := l.SetWatermark(r.from.home, ledger.Watermark{Value: ev.Watermark, Run: r.report.Run}); err != nil {\n			return err\n		}\n" +
			"		return l.Flush(ctx)\n",
	},
	{
		name: "watermark-before-suspects", dies: "I3", file: "dirsync/read.go",
		what: "a complete read's watermark is durable before what the read didn't give is looked up",
		old:  "		if err := r.confirmSuspects(ctx); err != nil {\n			return err\n		}\n		if err := r.setWatermark(*r.reached); err != nil {\n			return err\n		}\n",
		new:  "		if err := r.setWatermark(*r.reached); err != nil {\n			return err\n		}\n		if err := r.confirmSuspects(ctx); err != nil {\n			return err\n		}\n",
	},
	{
		name: "broken-read-forgotten", dies: "I3", file: "dirsync/read.go",
		what: "a complete read that breaks off is followed by a delta from the old watermark",
		old:  "			w.Broken = true\n",
		new:  "			w.Broken = false\n",
	},
	{
		name: "expired-watermark-is-fatal", dies: "I1", file: "dirsync/read.go",
		what: "a watermark that the source refuses ends the run instead of leading to a complete read",
		old:  "		if errors.Is(err, source.ErrWatermarkExpired) {",
		new:  "		if errors.Is(err, source.ErrWatermarkExpired) && r.req.Full {",
	},
	{
		name: "deleted-is-left", dies: "I1", file: "dirsync/read.go",
		what: "isDeleted is forgotten: a tombstone is taken for an object that left the scope",
		old:  "		return r.observeGone(ctx, ev, plan.Deleted)\n",
		new:  "		return r.observeGone(ctx, ev, plan.Left)\n",
	},
	{
		name: "deleted-is-ignored", dies: "I1", file: "dirsync/read.go",
		what: "a tombstone says nothing",
		old:  "		return r.observeGone(ctx, ev, plan.Deleted)\n",
		new:  "		return nil\n",
	},
	{
		name: "left-is-deleted", dies: "I2", file: "dirsync/read.go",
		what: "an object that left the scope is taken for deleted",
		old:  "		return r.observeGone(ctx, ev, plan.Left)\n",
		new:  "		return r.observeGone(ctx, ev, plan.Deleted)\n",
	},
	{
		name: "unreadable-is-left", dies: "I2", file: "dirsync/read.go",
		what: "an object that can't be read is taken for one that left",
		old:  "		return r.observeUnreadable(ctx, ev)\n",
		new:  "		return r.observeGone(ctx, ev, plan.Left)\n",
	},
	{
		name: "absent-is-deleted", dies: "I2", file: "dirsync/suspects.go",
		what: "what a complete read didn't give is taken for deleted",
		old:  "	e.Presence, e.Digest = plan.Missing, [sha256.Size]byte{}\n",
		new:  "	e.Presence, e.Digest = plan.Deleted, [sha256.Size]byte{}\n",
	},
	{
		name: "suspects-not-looked-up", dies: "I1", file: "dirsync/suspects.go",
		what: "what a complete read didn't give isn't looked up one by one",
		old:  "	for ids := range slices.Chunk(suspects, findBatch) {",
		new:  "	for ids := range slices.Chunk(suspects[:0], findBatch) {",
	},
	{
		name: "suspects-are-present-only", dies: "I1", file: "dirsync/suspects.go",
		what: "of what a complete read didn't give, only the objects in scope are looked up",
		old:  "		if k.Value.Presence != plan.Deleted && !r.seen.has(k.ID) {",
		new:  "		if k.Value.Presence == plan.Present && !r.seen.has(k.ID) {",
	},
	{
		name: "upsert-not-due", dies: "I1", file: "dirsync/read.go",
		what: "an object that changed is remembered and never planned",
		old:  "	return r.markDue(ctx, o.ID, \"\")\n",
		new:  "	if head == nil {\n		return r.markDue(ctx, o.ID, \"\")\n	}\n	return nil\n",
	},
	{
		name: "forgotten-with-open-intent", dies: "I1", file: "dirsync/read.go",
		what: "an object that is deleted while its create's outcome is open is forgotten",
		old:  "		if in, err := r.l.Intent(ctx, id); in == nil || err != nil {\n			if err != nil {\n				return err\n			}\n			return r.forget(ctx, e)\n		}\n",
		new:  "		return r.forget(ctx, e)\n",
	},
	{
		name: "entry-not-replaced", dies: "I1", file: "dirsync/read.go",
		what: "an object that comes back is still taken for gone",
		old:  "	e.Object, e.Digest, e.Presence, e.Evidence = o, digest, plan.Present, nil\n",
		new:  "	e.Object, e.Digest = o, digest\n	if head == nil {\n		e.Presence = plan.Present\n	}\n",
	},
}
