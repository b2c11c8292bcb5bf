package simulation

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/dirbridge/dirbridge/dirsync/plan"
	"github.com/dirbridge/dirbridge/target"
)

// skipTitle is what the rules of version 1 don't synchronize.
const skipTitle = "skip"

// do carries a step out. One that makes no sense does nothing.
func (w *world) do(s *Step) {
	time.Sleep(time.Second) // no two things happen at once
	for _, p := range w.dir.purge() {
		w.purged[p.num] = true
	}
	w.tenant.empty()
	before := w.dir.clone().people
	defer func() {
		w.forgot(before)
		w.unseenGroups()
	}()
	if w.tenantStep(s) || w.directoryStep(s) || w.wordStep(s) || w.adoptStep(s) || w.unitStep(s) || w.groupStep(s) || w.circleStep(s) || w.sideStep(s) || w.sortStep(s) {
		return
	}
	switch s.Do {
	case "run":
		w.runStep(s)
	case "plan":
		w.preview(s.Full)
	case "clock":
		w.hit("S-17")
		time.Sleep(time.Duration(s.N) * time.Minute)
	case "backup":
		w.backup = &backup{w.disk.clone(), w.oracle.save(), map[target.ID]account{}}
		for id, a := range w.tenant.accounts {
			w.backup.tenant[id] = account{attrs: maps.Clone(a.attrs), deleted: a.deleted}
		}
	case "restore": // the state is older than reality
		if w.backup != nil {
			w.hit("E-02")
			for key := range w.heldBy { // nobody knows which of it the state has
				w.heldBy[key] = false
			}
			w.disk = w.backup.disk.clone()
			w.oracle.load(w.backup.oracle)
			w.rolledBack = true
			clear(w.rebound)
			if seen := w.setBack(); !seen || w.rough { // else the engine looks at its accounts
				w.excuse(w.backup.tenant)
			}
			w.rough = true
		}
	case "lose": // the state
		w.rough = true
		w.hit("E-01")
		clear(w.heldBy)
		w.disk = newDisk()
		w.oracle.load(newOracleState())
		clear(w.rebound)
		w.setBack()
	case "leaving":
		w.hit("E-07")
		w.leaving = plan.Leaving(s.S)
		clear(w.oracle.words.rejected) // it would be another change
		w.policies[w.leaving] = true
	case "rules":
		w.hit("E-07")
		w.rules = s.N
		clear(w.oracle.words.rejected)
		w.ruled = w.ruled || s.N == 1
	}
}

// excuse keeps the oracle from expecting what nobody can know who has an old
// state: an account was changed since, perhaps back and forth.
func (w *world) excuse(then map[target.ID]account) {
	for id, was := range then {
		a := w.tenant.accounts[id]
		if a == nil || !a.deleted.IsZero() && was.deleted.IsZero() {
			for _, names := range [][]string{was.attrs["userPrincipalName"], was.attrs["mail"]} {
				for _, n := range names {
					w.unseen[strings.ToLower(n)] = true
				}
			}
		}
		if a == nil {
			continue
		}
		if a.deleted.IsZero() && !was.deleted.IsZero() {
			w.touched[string(id)+cameBack] = true
		}
		if !a.deleted.IsZero() {
			for _, num := range w.numbers[a.anchor] {
				w.lost[num] = true
			}
		}
		for _, attr := range []string{"userPrincipalName", "mail", "displayName", "jobTitle", "accountEnabled"} {
			if !slices.Equal(a.attrs[attr], was.attrs[attr]) {
				w.touched[string(id)+attr] = true
				for _, n := range append(slices.Clone(a.attrs[attr]), was.attrs[attr]...) {
					w.unseen[strings.ToLower(n)] = true
				}
			}
		}
	}
}

// hire makes a person in the directory.
func (w *world) hire(num int, upn, mail string) *person {
	if w.dir.people[num] != nil || num == 0 {
		return nil
	}
	p := &person{num: num, id: guid(w.seed, num), attrs: map[string]string{
		"sAMAccountName": fmt.Sprint("sam", num), "userAccountControl": "512", "displayName": fmt.Sprint("cnry D", num)}}
	if upn != "" {
		p.attrs["userPrincipalName"] = upn
	}
	if mail != "" {
		p.attrs["mail"] = mail
	}
	if w.dir.units != nil {
		p.unit = 1
	}
	if w.config.Two {
		p.side = num % 2
	}
	p.wants(upn)
	p.wants(mail)
	w.dir.people[num] = p
	w.dir.touch(p)
	w.anchor(num, guidBase64(p.id))
	return p
}

// anchor says that a person could be seen with this anchor.
func (w *world) anchor(num int, anchor string) {
	if w.dir.people[num].attrs["mS-DS-ConsistencyGuid"] != "" {
		w.touched[fmt.Sprint("anchor of ", num)] = true
	}
	if !slices.Contains(w.anchors[num], anchor) {
		w.anchors[num] = append(w.anchors[num], anchor)
		w.numbers[anchor] = append(w.numbers[anchor], num)
	}
}

func (w *world) directoryStep(s *Step) bool {
	d := w.dir
	p := d.alive(s.P)
	switch s.Do {
	case "hire":
		if p := w.hire(s.P, s.S, s.T); p != nil && s.Q != 0 { // with the anchor of another, or of its own
			if s.Q < 1000 && w.dir.people[s.Q] != nil {
				w.hit("A-02")
			}
			anchor := guidBase64(guid(w.seed, s.Q))
			p.attrs["mS-DS-ConsistencyGuid"] = anchor
			w.anchor(s.P, anchor)
			w.hit("S-16")
		}
	case "recreate": // a new person with the names of a deleted one
		if q := d.people[s.Q]; q != nil && !q.deleted.IsZero() && d.people[s.P] == nil {
			w.hit("S-11")
			p := w.hire(s.P, q.attrs["userPrincipalName"], q.attrs["mail"])
			d.set(p, "sAMAccountName", q.attrs["sAMAccountName"])
		}
	case "renameou":
		w.hit("S-08")
		d.ou++
		d.usn++
		d.ouUSN = d.usn
	case "rotate":
		w.rotate(s)
	case "image":
		w.image = d.clone()
	case "rollback": // to the image, with the same invocationId
		if w.image != nil {
			w.unmove()
			w.timelines++
			w.dir = w.image.clone()
			w.dir.timeline = w.timelines
		}
	case "second": // another domain controller, which gets no more news
		w.second = d.clone()
		w.second.invocation = 100 + s.N
	case "undelete":
		if p := d.people[s.P]; p != nil && !p.deleted.IsZero() {
			p.deleted, p.revived = time.Time{}, true
			d.touch(p)
		}
	case "set", "anchorset", "remove", "out", "in", "hide", "show", "poison", "heal", "faulty":
		if p != nil {
			w.change(p, s)
		}
	default:
		return false
	}
	return true
}

func (w *world) change(p *person, s *Step) {
	d := w.dir
	switch s.Do {
	case "set":
		switch {
		case s.S == "isCriticalSystemObject":
			w.hit("S-20")
		case strings.ContainsAny(s.T, "\n\u202e\x00"):
			w.hit("S-19")
		}
		d.set(p, s.S, s.T)
	case "anchorset": // somebody writes an anchor onto an object that has none
		anchor := guidBase64(guid(w.seed, s.Q))
		d.set(p, "mS-DS-ConsistencyGuid", anchor)
		w.anchor(p.num, anchor)
		w.hit("A-02")
	case "remove":
		p.deleted = time.Now()
		d.unlinked(p)
		p.poison, p.faulty = false, false
		d.touch(p)
	case "out", "in":
		if out := s.Do == "out"; p.out != out {
			w.hit("S-07")
			p.out = out
			d.touch(p)
		}
	case "hide":
		if p.moved() { // a tombstone there and nothing here is a deletion
			return
		}
		w.hit("S-10")
		p.hidden = true
		w.blinded = true // only a complete read shows that it can't be seen
	case "show":
		p.hidden = false
		d.touch(p)
	case "poison", "heal":
		if p.poison = s.Do == "poison"; p.poison {
			w.hit("S-18")
		}
		d.touch(p)
	case "faulty":
		p.faulty = !p.faulty
		d.touch(p)
	}
}

// rotate passes the values of an attribute on in a circle: a swap, a chain, a
// cycle.
func (w *world) rotate(s *Step) {
	var in []*person
	for _, n := range s.L {
		if p := w.dir.alive(n); p != nil && p.attrs[s.S] != "" && !slices.Contains(in, p) {
			in = append(in, p)
		}
	}
	if len(in) < 2 {
		return
	}
	w.hit("S-12")
	first := in[0].attrs[s.S]
	for i, p := range in {
		if i+1 < len(in) {
			w.dir.set(p, s.S, in[i+1].attrs[s.S])
		} else {
			w.dir.set(p, s.S, first)
		}
	}
}

func (w *world) tenantStep(s *Step) (done bool) {
	t := w.tenant
	defer func() { w.rough = w.rough || done }()
	switch s.Do {
	case "verify", "unverify", "dropdomain":
		w.hit("T-10")
		if s.Do == "dropdomain" {
			delete(t.verified, s.S)
		} else {
			t.verified[s.S] = s.Do == "verify"
		}
	case "refusedomain":
		t.refused[s.S] = s.N == 1
		w.needsRetry = true
	case "foreign": // an account that isn't ours, perhaps with the names or the anchor of one of our people
		anchor := ""
		if s.P != 0 {
			anchor = guidBase64(guid(w.seed, s.P))
		}
		if t.holder("userPrincipalName", s.S) != nil || t.holder("mail", s.T) != nil || t.holder(target.AttrAnchor, anchor) != nil ||
			w.unseen[strings.ToLower(s.S)] || w.unseen[strings.ToLower(s.T)] {
			return true
		}
		attrs := map[string][]string{"userPrincipalName": {s.S}, "displayName": {"theirs"}, "mailNickname": {"theirs"}, "accountEnabled": {"true"}}
		if s.T != "" {
			attrs["mail"] = []string{s.T}
		}
		w.hit("A-01")
		t.add(anchor, attrs, []string{"admin", "another tool"}[s.N%2])
	case "foreigngo":
		for _, a := range t.sorted(false) {
			if a.foreign != "" {
				t.changing(a)
				delete(t.accounts, a.id)
			}
		}
	case "empower":
		t.empower(s.N)
	case "full":
		t.full = s.N == 1
	case "cloudjoin", "cloudpart", "cloudguest":
		w.cloudRefs(s)
	case "clouddelete", "cloudpurge", "cloudedit", "cloudclear":
		if a := w.accountOf(s.P); a != nil {
			w.meddled(a, s)
		}
	case "takeover", "handback":
		if a := w.accountOf(s.P); a != nil {
			w.synced(a, s)
		}
	case "admindelete", "adminpurge", "drift", "lock", "unlock", "grant", "revoke":
		if a := w.accountOf(s.P); a != nil {
			w.hands(a, s)
		}
	default:
		return false
	}
	return true
}

// hands are those of an administrator on an account of ours.
func (w *world) hands(a *account, s *Step) {
	w.tenant.changing(a)
	switch s.Do {
	case "admindelete", "adminpurge":
		w.hit("T-09")
		a.deleted = time.Now()
		w.tenant.unbind(a)
		for _, name := range []string{"userPrincipalName", "mail"} {
			w.unseen[strings.ToLower(a.first(name))] = true
		}
		w.binned[s.P] = true
		if s.Do == "adminpurge" {
			delete(w.tenant.accounts, a.id)
			w.lost[s.P] = true
		}
		if p := w.dir.alive(s.P); p != nil { // so that the engine gets to know
			attr := "title"
			if p.group {
				attr = "description"
			}
			w.dir.set(p, attr, fmt.Sprint("after ", w.step))
		}
	case "drift":
		w.hit("T-09")
		a.attrs[s.S] = []string{s.T}
		w.touched[string(a.id)+s.S] = true
	case "lock":
		w.hit("A-03")
		a.locked = true
	case "unlock":
		a.locked = false
	case "grant": // a role, an eligibility, a membership: all the same to us
		w.hit("A-03")
		if a.power == "" {
			a.power, a.since = string(target.HoldsRole), time.Now()
		}
	case "revoke":
		a.power = ""
	}
}

// deletedUnseen: the tenant made the change, and the engine doesn't get to know. Of
// an account that was deleted so nobody can tell, once the bin is emptied, whose
// doing that was: it is reported, and not made again.
func (w *world) deletedUnseen(c target.Change) {
	if c.Op != target.Delete {
		return
	}
	for _, num := range w.numbers[c.Anchor] {
		w.binned[num] = true
	}
}
