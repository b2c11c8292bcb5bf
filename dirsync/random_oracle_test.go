package dirsync_test

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"maps"
	"slices"
	"strings"

	"github.com/dirbridge/dirbridge/dirsync"
	"github.com/dirbridge/dirbridge/dirsync/plan"
	"github.com/dirbridge/dirbridge/internal/fault"
	"github.com/dirbridge/dirbridge/source"
	"github.com/dirbridge/dirbridge/target"
)

// anchor is the base64 of the objectGUID's bytes, whose first three fields have
// their lowest byte first.
func (h *history) anchor(id source.ID) string {
	b, _ := hex.DecodeString(strings.ReplaceAll(string(id), "-", ""))
	slices.Reverse(b[:4])
	slices.Reverse(b[4:6])
	slices.Reverse(b[6:8])
	return base64.StdEncoding.EncodeToString(b)
}

func (h *history) verified() (names []string) {
	list, _ := h.tgt.Domains(h.t.Context())
	for _, d := range list {
		if d.Verified {
			names = append(names, d.Name)
		}
	}
	return names
}

// holders are the live accounts that have one of these names.
func (h *history) holders(names ...string) (all []target.Object) {
	for _, o := range h.tgt.Objects() {
		for _, n := range names {
			if n != "" && (strings.EqualFold(o.Attributes.First("userPrincipalName"), n) || strings.EqualFold(o.Attributes.First("mail"), n)) {
				all = append(all, o)
				break
			}
		}
	}
	return all
}

// A person is what the oracle wants for one object that is in scope.
type person struct {
	id        source.ID
	upn, mail string
	account   *target.Object
}

// judge compares the tenant with what the directory says, by the words of
// decisions.md and of docs/decisions/006.
func (h *history) judge(rep *dirsync.Report) {
	accounts := map[string]target.Object{}
	for _, o := range h.tgt.Objects() {
		if _, twice := accounts[o.Anchor]; twice {
			h.complain("two accounts for the anchor %s", o.Anchor)
		}
		accounts[o.Anchor] = o
	}
	wanted := map[target.ID]bool{} // accounts of people in scope
	var people []person
	excused := map[source.ID]bool{} // who may have a problem
	for _, id := range h.ids {
		o, _ := h.src.Get(id)
		account, live := accounts[h.anchor(id)]
		enabled := account.Attributes.First("accountEnabled")
		skipped := o.Attributes.First("isCriticalSystemObject") == "TRUE"
		switch {
		case h.place[id] == "hidden":
			excused[id] = true // kept as it is, and reported
		case h.place[id] == "deleted":
			if live {
				h.complain("%.8s is deleted and has an account", id)
			}
		case (h.place[id] == "out" || skipped) && h.leaving == plan.DeleteOnLeave && live:
			h.complain("%.8s has left and has an account", id)
		case (h.place[id] == "out" || skipped) && h.leaving == plan.DisableOnLeave && live && enabled != "false":
			h.complain("%.8s has left and is enabled", id)
		case h.place[id] == "in" && !skipped:
			p := person{id: id, upn: o.Attributes.First("userPrincipalName"), mail: o.Attributes.First("mail")}
			local, domain, _ := strings.Cut(p.upn, "@")
			if !slices.Contains(h.verified(), domain) {
				p.upn = local + "@" + initialDomain
			}
			if live {
				p.account = &account
				wanted[account.ID] = true
				if got, want := enabled == "true", o.Attributes.First("userAccountControl") == "512"; got != want {
					h.complain("%.8s: enabled is %v, must be %v", id, got, want)
				}
				for attr, from := range map[string]string{"displayName": "displayName", "jobTitle": "title"} {
					if got, want := account.Attributes.First(attr), o.Attributes.First(from); got != want {
						h.complain("%.8s: %s is %q, must be %q", id, attr, got, want)
					}
				}
			}
			people = append(people, p)
		}
	}
	for _, p := range people {
		// An account that comes back brings the names that it had.
		names := slices.AppendSeq([]string{p.upn, p.mail}, maps.Keys(h.unseen))
		blocked := slices.ContainsFunc(h.holders(names...), func(o target.Object) bool { return h.foreign[o.ID] })
		if p.account == nil {
			if excused[p.id] = true; !blocked {
				h.complain("%.8s has no account", p.id)
			}
			continue
		}
		if p.mail == "" && p.account.Attributes.First("mail") != "" {
			excused[p.id] = true // can't be cleared
		}
		h.judgeName(p, "userPrincipalName", p.upn, func(q person) string { return q.upn }, people, wanted, excused)
		h.judgeName(p, "mail", p.mail, func(q person) string { return q.mail }, people, wanted, excused)
	}
	for _, p := range rep.Problems {
		if !excused[p.Object] {
			h.complain("%.8s has no reason for the problem %s %s: %s", p.Object, p.Code, p.Attribute, p.Message)
		}
	}
}

// judgeName: who wants a name has it, unless somebody else has it for a good
// reason: another person who wants it, an account that isn't ours, or one that
// keeps it because its person left, can't be seen or has no other.
func (h *history) judgeName(p person, attr, want string, of func(person) string, people []person, wanted map[target.ID]bool, excused map[source.ID]bool) {
	has := p.account.Attributes.First(attr)
	if want == "" || has == want {
		return
	}
	excused[p.id] = true
	if strings.EqualFold(has, want) {
		h.complain("%.8s: %s is %s, must be %s", p.id, attr, has, want)
		return
	}
	for _, o := range h.tgt.Objects() {
		if !strings.EqualFold(o.Attributes.First(attr), want) || o.ID == p.account.ID {
			continue
		}
		for _, q := range people { // the holder is a person: does it want the name, or can't it have another?
			if q.account == nil || q.account.ID != o.ID {
				continue
			}
			if strings.EqualFold(of(q), want) || of(q) == "" || h.held(attr, of(q), func(o target.Object) bool { return h.foreign[o.ID] || attr == "mail" }) {
				break
			}
			h.complain("%.8s: %s is %s: %s has %.8s, who wants %s", p.id, attr, has, want, q.id, of(q))
		}
		if attr == "userPrincipalName" && !h.foreign[o.ID] && !placeholder.MatchString(has) {
			h.complain("%.8s lost %s and is %s, not a placeholder", p.id, want, has)
		}
		return
	}
	if !h.unseen[strings.ToLower(want)] {
		h.complain("%.8s: %s is %q, must be %q, which nobody has", p.id, attr, has, want)
	}
}

// held reports whether one of those accounts has value.
func (h *history) held(attr, value string, those func(target.Object) bool) bool {
	return slices.ContainsFunc(h.tgt.Objects(), func(o target.Object) bool {
		return those(o) && strings.EqualFold(o.Attributes.First(attr), value)
	})
}

// A watched target complains about what an engine must never do.
type watched struct {
	*fault.Target
	h *history
}

func (w *watched) ApplyBatch(ctx context.Context, cs []target.Change) []target.Result {
	for _, c := range cs {
		if w.h.foreign[c.ID] {
			w.h.complain("write to another tool's account: %+v", c)
		}
		for _, o := range w.h.tgt.Objects() {
			if c.Op == target.Create && !c.Repeat && o.Anchor == c.Anchor {
				w.h.complain("a second account for %s", c.Anchor)
			}
		}
		for _, id := range w.h.ids {
			if w.h.anchor(id) == c.Anchor && c.Op == target.Delete && !w.h.deleted[id] && w.h.leaving != plan.DeleteOnLeave {
				w.h.complain("%s deleted without proof", id)
			}
		}
	}
	results := w.Target.ApplyBatch(ctx, cs)
	for i, c := range cs {
		w.h.say("    %s %s %v: %v", c.Op, c.Anchor, c.Set, results[i].Err)
	}
	return results
}
