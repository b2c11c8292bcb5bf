package mutation_test

// Several sources.
var twoBugs = []bug{
	{
		name: "foreign-grave-counts", dies: "I2", file: "dirsync/home.go",
		what: "a tombstone in a domain that a person has left removes the account that lives on in the other",
		old:  "	if e.Home != from {\n		if _, held",
		new:  "	if e.Home != from && len(e.Others) > 0 {\n		if _, held",
	},
	{
		name: "move-is-deletion", dies: "I2", file: "dirsync/home.go",
		what: "an object that another source holds is deleted when its home's is",
		old:  "	if len(e.Others) == 0 {\n		return false, nil\n	}\n",
		new:  "	if len(e.Others) >= 0 {\n		return false, nil\n	}\n",
	},
	{
		name: "nobody-else-is-asked", dies: "I2", file: "dirsync/home.go",
		what: "the other sources aren't asked whether they have who is gone",
		old:  "		e.Gone = r.report.Started\n		r.l.SetAsked(e.Object.ID)\n",
		new:  "		e.Gone = r.report.Started\n",
	},
	{
		name: "removed-while-one-is-down", dies: "I2", file: "dirsync/home.go",
		what: "a removal doesn't wait for the source that can't be read",
		old:  "	if open || r.unreadSources() != nil {",
		new:  "	if open && r.unreadSources() != nil && false {",
	},
	{
		name: "watermarks-are-one", dies: "I1", file: "dirsync/sources.go",
		what: "the sources share one watermark",
		old:  "	return r.l.SetWatermark(r.from.home, ledger.Watermark{",
		new:  "	return r.l.SetWatermark(\"\", ledger.Watermark{",
	},
}
