package mutation_test

// Who gets which name, and in which order.
var nameBugs = []bug{
	{
		name: "placeholder-varies", dies: "I1", file: "mapping/unique.go",
		what: "the placeholder isn't made of the anchor but of what the name was, so that two losers get the same one",
		old:  "	tag := tagOf(anchor)\n	if len(local)",
		new:  "	tag := tagOf(upn + anchor[:0])\n	if len(local)",
	},
	{
		name: "placeholder-per-run", dies: "I3", file: "dirsync/names.go",
		what: "the placeholder is another one in each run",
		old:  "	return mapping.Placeholder(value, anchor, r.placeholderDomain(value))\n",
		new:  "	return mapping.Placeholder(value, strings.Repeat(anchor, int(r.report.Run)), r.placeholderDomain(value))\n",
	},
	{
		name: "newcomer-takes-name", dies: "I15", file: "dirsync/names.go",
		what: "who has a name and wants it loses it to a newcomer with a lower ID",
		old:  "	if _, wants := slices.BinarySearch(ids, holder); wants {\n",
		new:  "	if _, wants := slices.BinarySearch(ids, holder); wants && holder == \"\" {\n",
	},
	{
		name: "waves-ignored", dies: "I12", file: "dirsync/names.go",
		what: "a name is taken in the same wave in which it is freed",
		old:  "	return at.wave, nil\n",
		new:  "	return 0 * at.wave, nil\n",
	},
	{
		name: "only-the-next-waits", dies: "I12", file: "dirsync/waves.go",
		what: "who waits for somebody doesn't wait for those that one waits for",
		old:  "		all[x] = next\n",
		new:  "		all[x] = next[:0]\n",
	},
	{
		name: "aside-keeps-address", dies: "I12", file: "dirsync/names.go",
		what: "who steps aside keeps what others wait for outside the cycle",
		old:  "		if gives || r.aside[e.Object.ID] {\n",
		new:  "		if gives && n.attr != target.AttrMail || r.aside[e.Object.ID] {\n",
	},
	{
		name: "freed-name-untold", dies: "I1", file: "dirsync/settle.go",
		what: "who goes without a name isn't told that it became free",
		old:  "	ids, err := r.l.Claimants(ctx, attr, value)\n	if err != nil {\n		return err\n	}\n	for _, other := range ids {\n		if other == id {\n			continue\n		}\n		e, err := r.l.Entry(ctx, other)\n",
		new:  "	ids, err := r.l.Claimants(ctx, attr, value)\n	if err != nil {\n		return err\n	}\n	for _, other := range ids[:0] {\n		if other == id {\n			continue\n		}\n		e, err := r.l.Entry(ctx, other)\n",
	},
	{
		name: "rivals-untold", dies: "I1", file: "dirsync/prepare.go",
		what: "who wants the same name isn't told of a new claim on it, or of one less",
		old:  "	ids, err := r.l.Claimants(ctx, attr, value)\n	if err != nil {\n		return err\n	}\n	for _, other := range ids {\n",
		new:  "	ids, err := r.l.Claimants(ctx, attr, value)\n	if err != nil {\n		return err\n	}\n	for _, other := range ids[:0] {\n",
	},
	{
		name: "cycle-not-broken", dies: "I12", file: "dirsync/waves.go",
		what: "in a cycle of names nobody steps aside",
		old:  "			put(id, place{aside: true})\n			settle()\n",
		new:  "			put(id, place{wave: 1})\n			settle()\n",
	},
	{
		name: "name-in-doubt-kept", dies: "I1", file: "dirsync/reconcile.go",
		what: "who left with a rename in doubt is held to have the old name, whatever the target shows",
		old:  "		if err == nil && len(found[0]) == 1 && found[0][0].ID == e.Link.ID {\n",
		new:  "		if err == nil && len(found[0]) == 1 && found[0][0].ID != e.Link.ID {\n",
	},
	{
		name: "restored-mail-of-another", dies: "I1", file: "dirsync/names.go",
		what: "an account comes out of the bin with an address that another has got meanwhile",
		old:  "	if e.Link != nil && !e.Owned() && e.Kind() == target.User {\n		if err := r.comesBackWith",
		new:  "	if e.Link != nil && e.Owned() && e.Kind() == target.User {\n		if err := r.comesBackWith",
	},
}
