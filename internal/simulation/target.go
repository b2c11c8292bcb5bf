package simulation

import (
	"context"
	"fmt"
	"hash/fnv"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/dirbridge/dirbridge/target"
)

// A caller is the tenant as the engine sees it in one run.
type caller struct {
	w   *world
	run *runState
}

var (
	_ target.Batcher   = (*caller)(nil)
	_ target.Deltaer   = (*caller)(nil)
	_ target.Domainer  = (*caller)(nil)
	_ target.Finder    = (*caller)(nil)
	_ target.BinLister = (*caller)(nil)
	_ target.Protector = (*caller)(nil)
)

func (t *caller) Name() string  { return "contoso" }
func (t *caller) MaxBatch() int { return max(1, t.w.config.Batch) }

// ask is the beginning of every call that reads.
func (t *caller) ask(ctx context.Context, what string) error {
	switch {
	case t.run.dead:
		return errDied
	case ctx.Err() != nil:
		return fmt.Errorf("%s: %w", what, ctx.Err())
	case t.run.readErr[what] != nil:
		t.w.hit("T-14")
		return t.run.readErr[what]
	}
	t.w.tenant.empty()
	return nil
}

func (t *caller) Current(ctx context.Context) iter.Seq2[target.Object, error] {
	return func(yield func(target.Object, error) bool) {
		if err := t.ask(ctx, "current"); err != nil {
			yield(target.Object{}, err)
			return
		}
		for _, a := range t.w.tenant.sorted(true) {
			if t.w.tenant.visible(a) && !yield(a.object(), nil) {
				return
			}
		}
	}
}

func (t *caller) Domains(ctx context.Context) ([]target.Domain, error) {
	if err := t.ask(ctx, "domains"); err != nil {
		return nil, err
	}
	var out []target.Domain
	for name, ok := range t.w.tenant.verified {
		out = append(out, target.Domain{Name: name, Verified: ok, Initial: name == initialDomain, Default: name == initialDomain})
	}
	slices.SortFunc(out, func(a, b target.Domain) int { return strings.Compare(a.Name, b.Name) })
	return out, nil
}

func (t *caller) Find(ctx context.Context, kind target.Kind, keys []target.Key) ([][]target.Object, error) {
	if err := t.ask(ctx, "find"); err != nil {
		for _, k := range keys {
			t.w.unanswered(k.ID)
		}
		return nil, err
	}
	out := make([][]target.Object, len(keys))
	for i, k := range keys {
		var a *account
		switch {
		case k.ID != "":
			a = t.w.tenant.accounts[k.ID]
		case k.Anchor != "":
			a = t.w.tenant.holder(target.AttrAnchor, k.Anchor)
		case k.UserPrincipalName != "":
			a = t.w.tenant.holder("userPrincipalName", k.UserPrincipalName)
		case k.Mail != "":
			a = t.w.tenant.holder("mail", k.Mail)
		case k.MailNickname != "":
			a = t.w.tenant.nicknamed(k.MailNickname)
		}
		if a != nil && a.group != (kind == target.Group) {
			continue
		}
		if a != nil && k.ID != "" {
			t.run.look(a)
			a = t.w.tenant.stale(a)
		}
		if a != nil && a.deleted.IsZero() && t.w.tenant.visible(a) {
			out[i] = []target.Object{a.object()}
			if k.ID != "" {
				t.showed(a)
			}
		} else {
			t.w.unanswered(k.ID)
		}
	}
	return out, nil
}

func (t *caller) FindDeleted(ctx context.Context, _ target.Kind, id target.ID) (target.Object, error) {
	if err := t.ask(ctx, "bin"); err != nil {
		return target.Object{}, err
	}
	if a := t.w.tenant.accounts[id]; a != nil && !a.deleted.IsZero() {
		return a.object(), nil
	}
	return target.Object{}, refuse(target.ErrNotFound, "", "not in the bin")
}

func (t *caller) Deleted(ctx context.Context, kind target.Kind) iter.Seq2[target.Object, error] {
	return func(yield func(target.Object, error) bool) {
		if err := t.ask(ctx, "bin"); err != nil {
			yield(target.Object{}, err)
			return
		}
		for _, a := range t.w.tenant.sorted(false) {
			if o := a.object(); o.Deleted && o.Kind == kind && !yield(o, nil) {
				return
			}
		}
	}
}

func (t *caller) Apply(ctx context.Context, c target.Change) (target.Object, error) {
	r := t.ApplyBatch(ctx, []target.Change{c})[0]
	return r.Object, r.Err
}

// latency is how long this call takes: different calls end at different times,
// which makes their order the seed's and not the scheduler's.
func (t *caller) latency(cs []target.Change) time.Duration {
	h := fnv.New64a()
	fmt.Fprint(h, t.w.seed, t.run.number, cs[0].Op, cs[0].Anchor, cs[0].Repeat, len(cs))
	return time.Millisecond + time.Duration(h.Sum64()%uint64(400*time.Millisecond))
}

func (t *caller) ApplyBatch(ctx context.Context, cs []target.Change) []target.Result {
	r, w := t.run, t.w
	out := make([]target.Result, len(cs))
	all := func(err error) []target.Result {
		for i := range out {
			out[i].Err = err
		}
		return out
	}
	sent := sending{time.Now(), r.askedLast.Equal(time.Now())}
	// When the sleep ends, the engine's own goroutine has gone as far as it
	// can, and nobody else is on the way.
	wait := t.latency(cs)
	if r.slow > 0 {
		wait += time.Duration(r.slow) * time.Second
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	lost := false
	select {
	case <-timer.C:
	case <-ctx.Done():
		lost = true
	}
	if r.dead {
		return all(errDied)
	}
	w.oracle.batch(cs)
	if lost {
		if w.logf("    call cut off, %d changes", len(cs)); wait%2 == 0 { // it arrived all the same
			for _, c := range cs {
				t.carryOut(c, sent)
			}
		}
		return all(refuse(target.ErrUnknownOutcome, "", "%w", ctx.Err()))
	}
	loseReply := r.loseReplies > 0
	if loseReply {
		r.loseReplies--
	}
	failed := 0
	for i, c := range cs {
		r.writes++
		f, faulty := r.writeFault[r.writes]
		if f.S == "die" && !f.Done {
			w.die(r, "before write %d", r.writes)
			return all(errDied)
		}
		if faulty && f.S != "die" {
			w.faulted(f.S)
			if f.Done {
				t.carryOut(c, sent)
				w.deletedUnseen(c)
			}
			out[i].Err = sentinels[f.S]
			failed++
			w.logf("    %s %s: injected %s, done %v", c.Op, w.who(c.Anchor), f.S, f.Done)
			continue
		}
		a, err := t.carryOut(c, sent)
		if faulty && f.S == "die" {
			w.hit("T-01")
			w.deletedUnseen(c)
			w.die(r, "after write %d", r.writes)
			return all(errDied)
		}
		if out[i].Err = err; err == nil {
			out[i].Object = a.object()
		} else {
			failed++
		}
		if loseReply {
			w.hit("T-02")
			w.deletedUnseen(c)
			out[i] = target.Result{Err: refuse(target.ErrUnknownOutcome, "", "the reply got lost")}
		}
	}
	if failed > 0 && failed < len(cs) {
		w.hit("T-05")
	}
	if r.shortReply && len(out) > 1 {
		out = out[:len(out)-1]
	}
	for i := range out {
		if out[i].Err == nil && cs[i].Op != target.Refer {
			w.oracle.answered[cs[i].Anchor] = r.number
		}
	}
	return out
}

// carryOut makes the change, with the oracle looking.
func (t *caller) carryOut(c target.Change, sent sending) (*account, error) {
	w := t.w
	if e := t.run.ended; !e.IsZero() && sent.at.After(e) {
		w.oracle.complain("I5", "%s of %s after the tenant had asked to slow down", c.Op, w.who(c.Anchor))
	}
	if hook := t.run.between; hook != nil { // an administrator, between plan and write
		t.run.between = nil
		hook()
	}
	before := w.tenant.accounts[c.ID]
	w.oracle.write(c, before, t.run, sent)
	w.oracle.sorting(c, before)
	if c.Op == target.Refer && before != nil {
		w.oracle.referring(c, before)
	}
	a, err := w.tenant.apply(c)
	changed := 0
	if c.Op == target.Refer && err == nil {
		most, _ := t.RefBatch(c.Kind, c.Refs.Attribute)
		rest := t.amid(&c)
		changed, err = w.tenant.refer(a, c.Refs, most)
		err = throttled(rest, err)
	}
	w.logf("    %s %s %s repeat=%v: %v", c.Op, w.who(c.Anchor), w.shown(c), c.Repeat, err)
	if err == nil || c.Op == target.Refer && changed > 0 {
		w.oracle.written(c, a, t.run)
	}
	w.refusal(err)
	w.oracle.tooEarly(c, err, t.run)
	return a, err
}

// shown is what a trace shows of a change.
func (w *world) shown(c target.Change) string {
	if c.Refs == nil {
		return shown(c.Set)
	}
	s := c.Refs.Attribute
	for sign, ids := range map[string][]target.ID{" +": c.Refs.Add, " -": c.Refs.Remove} {
		for _, id := range ids {
			if a := w.tenant.accounts[id]; a != nil {
				s += sign + w.who(a.anchor)
			}
		}
	}
	return s
}

// shown are the values that a trace shows.
func shown(set target.Attributes) string {
	var b strings.Builder
	for _, name := range set.Names() {
		fmt.Fprintf(&b, "%s=%s ", name, set[name])
	}
	return "{" + strings.TrimSpace(b.String()) + "}"
}

// unanswered notes an account that the engine asked for and wasn't shown: it may
// have another name than the engine knows.
func (w *world) unanswered(id target.ID) {
	if a := w.tenant.accounts[id]; a != nil {
		w.inDoubt[a.anchor] = true
	}
}

// nameless: of who left under a name in doubt nobody can say what is free.
func (w *world) nameless(p *person) {
	if p.deleted.IsZero() && !w.oracle.gone(p) || !slices.ContainsFunc(w.anchors[p.num], func(a string) bool { return w.inDoubt[a] }) {
		return
	}
	for _, n := range p.names {
		w.unseen[n] = true
	}
}
