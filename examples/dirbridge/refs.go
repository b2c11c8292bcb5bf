package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/dirbridge/dirbridge/dirsync"
	"github.com/dirbridge/dirbridge/dirsync/plan"
	"github.com/dirbridge/dirbridge/source"
)

// A reference is one line of what a change does to references.
type reference struct {
	Attribute string      `json:"attribute"`
	Add       []source.ID `json:"add,omitempty"`
	Remove    []source.ID `json:"remove,omitempty"`
}

// references is what a change does to references, nil if nothing.
func references(c *plan.Change) *reference {
	if c.Refer == nil {
		return nil
	}
	return &reference{c.Refer.Attribute, c.Refer.Add, c.Refer.Remove}
}

// references prints what a change does to references, by objectGUID, or by the
// account's id if that isn't ours.
func (w *printer) references(c *plan.Change) {
	list := func(what string, ids []source.ID) {
		if len(ids) == 0 {
			return
		}
		words := make([]string, len(ids))
		for i, id := range ids {
			if words[i] = plain(string(id)); words[i] != "" && words[i][0] == '/' {
				words[i] = "the account " + words[i][1:] + " (not ours)"
			}
		}
		fmt.Fprintf(w, "    %s: %s\n", what, strings.Join(words, ", "))
	}
	if r := c.Refer; r != nil {
		list(r.Attribute+" to add", r.Add)
		list(r.Attribute+" to remove", r.Remove)
	}
	list("leaves the groups", c.Leaves)
}

// refCounts is what a report says of references, "" if there are none.
func refCounts(r *dirsync.Report) string {
	var b strings.Builder
	for _, n := range []struct {
		what  string
		count int
	}{{"members added", r.MembersAdded}, {"members removed", r.MembersRemoved}, {"memberships ended with their account", r.MembersLeft},
		{"owners and managers changed", r.RefsChanged}, {"members and owners changed by others", r.RefsDrifted}, {"references waiting", r.ReferencesWaiting},
		{"references to what isn't synchronized", r.ReferencesDropped}, {"references that couldn't be identified", r.ReferencesUnknown}} {
		if n.count > 0 {
			fmt.Fprintf(&b, ", %s %d", n.what, n.count)
		}
	}
	return b.String()
}

// because reports whether c is one because of which the breach b is.
func because(c *plan.Change, b plan.Breach) bool {
	added, removed := c.Members()
	switch b.Effect {
	case plan.PutBacks:
		return (b.Kind == plan.Memberships) == (added+removed > 0) && slices.Contains(c.Effects(), b.Effect)
	case plan.MemberRemovals:
		return removed > 0
	case plan.GroupMemberRemovals:
		return removed > 0 && b.Group == c.Source
	case plan.FlaggedAdditions:
		return added > 0 && b.Group == c.Source
	}
	return b.Kind == c.Kind && slices.Contains(c.Effects(), b.Effect)
}

// refTotal is how many changes of which sort a plan holds that are about references.
func refTotal(n plan.Counts) string {
	if n.Refer == 0 {
		return ""
	}
	return fmt.Sprintf(", references %d (members: %d more, %d less)", n.Refer, n.MembersAdded, n.MembersRemoved)
}

// flagged are the groups of the configuration whose new members have a limit.
func (c *limitsConfig) flagged() map[source.ID]int {
	if len(c.Flagged) == 0 {
		return nil
	}
	m := make(map[source.ID]int, len(c.Flagged))
	for id, n := range c.Flagged {
		m[source.ID(strings.ToLower(id))] = n
	}
	return m
}

// groupsConfig says what is synchronized of groups.
type groupsConfig struct {
	Security bool `yaml:"security"` // security groups with their members
	Owners   bool `yaml:"owners"`   // managedBy

	// Microsoft365 says of which groups Microsoft 365 groups come: of those for
	// which one of these holds.
	Microsoft365 []groupRule `yaml:"microsoft365"`
}

// reads is what the source is asked for beside people.
func (c *config) reads() (kinds []source.Kind, references []string) {
	groups := c.Groups.Security || len(c.Scope.Groups) > 0
	if !groups && !c.Managers {
		return nil, nil
	}
	kinds = []source.Kind{source.User}
	if c.Managers {
		references = append(references, "manager")
	}
	if groups {
		kinds, references = append(kinds, source.Group), append(references, "member")
	}
	if c.Groups.Owners {
		references = append(references, "managedBy")
	}
	return kinds, references
}
