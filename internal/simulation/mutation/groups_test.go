package mutation_test

// Sorts of groups, their nicknames, and groups that were there before.
var groupBugs = []bug{
	{
		name: "nicknames-of-all-groups", dies: "I1", file: "dirsync/unique.go",
		what: "security groups compete for nicknames, too, which any number of them may have",
		old:  "	return isUnique(kind, attr) && (attr != target.AttrMailNickname || a.Microsoft365())\n",
		new:  "	return isUnique(kind, attr)\n",
	},
	{
		name: "nickname-per-run", dies: "I1", file: "dirsync/names.go",
		what: "the placeholder of a nickname is another one in each run",
		old:  "		return mapping.NicknamePlaceholder(value, anchor)\n",
		new:  "		return mapping.NicknamePlaceholder(value, strings.Repeat(anchor, int(r.report.Run)))\n",
	},
	{
		name: "group-becomes-another-sort", dies: "contract", file: "dirsync/groupsort.go",
		what: "a rule that wants another sort of group is written to the group that is there",
		old:  "	if is == wanted {\n",
		new:  "	if is == wanted || wanted {\n",
	},
	{
		name: "teams-nest", dies: "contract", file: "dirsync/groupsort.go",
		what: "a Microsoft 365 group becomes a member of a security group",
		old:  "	return to == unifiedGroup || to == securityGroup",
		new:  "	return to == securityGroup",
	},
	{
		name: "one-member-too-many", dies: "contract", file: "dirsync/refs_room.go",
		what: "the limit of members is off by one",
		old:  "	case x.Applied == ledger.No && o.taken >= o.most:\n",
		new:  "	case x.Applied == ledger.No && o.taken > o.most:\n",
	},
	{
		name: "adopted-group-keeps-everybody", dies: "I1", file: "dirsync/adopt_groups.go",
		what: "who was in a group before it was adopted stays in it for ever",
		old:  "	n.Applied, n.Standing = ledger.Yes, ledger.Plain\n	return r.setRef(ctx, k, x, n)\n",
		new:  "	_ = n\n	return nil\n",
	},
	{
		name: "adopts-what-roles-hang-on", dies: "I6", file: "dirsync/adopt.go",
		what: "a group that isn't ours to write is adopted",
		old:  "	case o.Foreign:\n",
		new:  "	case o.Foreign && o.Kind == target.User:\n",
	},
	{
		name: "adopts-another-sort", dies: "I6", file: "dirsync/adopt.go",
		what: "a Microsoft 365 group is adopted for a security group",
		old:  "	if other := otherSort(res, o); other != \"\" {\n		return no",
		new:  "	if other := otherSort(res, o); other != \"\" && o.Kind == target.User {\n		return no",
	},
	{
		name: "protected-groups-adopted", dies: "I7", file: "dirsync/adopt.go",
		what: "whether a group is protected isn't asked",
		old:  "	case why != \"\":\n		return no(\"the account %s\", why)\n",
		new:  "	case why != \"\" && o.Kind == target.User:\n		return no(\"the account %s\", why)\n",
	},
}
