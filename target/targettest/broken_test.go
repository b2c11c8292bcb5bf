package targettest_test

import (
	"context"
	"iter"
	"slices"

	"github.com/dirbridge/dirbridge/internal/fault"
	"github.com/dirbridge/dirbridge/target"
	"github.com/dirbridge/dirbridge/target/memtarget"
)

// broken is a target whose questions and answers are changed where a field isn't
// the zero value.
type broken struct {
	fault.AbleTarget
	tenant *memtarget.Target
	last   target.ID // that was created

	name     string
	protects string
	deaf     bool
	bin, own bool
	before   func(*target.Change)
	after    func(target.Change, target.Object, error) error
	each     func(*target.Object)
	find     func([][]target.Object) [][]target.Object
	batch    func([]target.Change, []target.Result) []target.Result
	domains  func([]target.Domain)
	gone     []target.Object
	page     int                          // how many references are read
	quiet    bool                         // about errors of reading references
	event    func(target.DeltaEvent) bool // whether it is passed on
	anyToken bool
}

func (b *broken) Name() string {
	if b.name != "" {
		return b.name
	}
	return b.AbleTarget.Name()
}

func (b *broken) listen(ctx context.Context) context.Context {
	if b.deaf {
		return context.WithoutCancel(ctx)
	}
	return ctx
}

func (b *broken) Current(ctx context.Context) iter.Seq2[target.Object, error] {
	return func(yield func(target.Object, error) bool) {
		for o, err := range b.AbleTarget.Current(b.listen(ctx)) {
			if err == nil && b.each != nil {
				b.each(&o)
			}
			if err == nil && b.own && o.Anchor == "" {
				continue
			}
			if !yield(o, err) {
				return
			}
		}
		for _, o := range b.gone {
			if b.bin && !yield(o, nil) {
				return
			}
		}
	}
}

func (b *broken) Apply(ctx context.Context, c target.Change) (target.Object, error) {
	c.Set = c.Set.Clone()
	if b.before != nil {
		b.before(&c)
	}
	o, err := b.AbleTarget.Apply(b.listen(ctx), c)
	if b.bin && c.Op == target.Delete {
		b.gone = append(b.gone, o)
	}
	if b.after != nil {
		err = b.after(c, o, err)
	}
	if b.before != nil && c.Op == target.Create {
		b.last = o.ID
	}
	return o, err
}

func (b *broken) ApplyBatch(ctx context.Context, cs []target.Change) []target.Result {
	cs = slices.Clone(cs)
	for i := range cs {
		cs[i].Set = cs[i].Set.Clone()
		if b.before != nil {
			b.before(&cs[i])
		}
	}
	rs := b.AbleTarget.ApplyBatch(b.listen(ctx), cs)
	if b.batch != nil {
		return b.batch(cs, rs)
	}
	return rs
}

func (b *broken) Find(ctx context.Context, kind target.Kind, keys []target.Key) ([][]target.Object, error) {
	found, err := b.AbleTarget.Find(b.listen(ctx), kind, keys)
	if b.find != nil {
		found = b.find(found)
	}
	return found, err
}

func (b *broken) Domains(ctx context.Context) ([]target.Domain, error) {
	domains, err := b.AbleTarget.Domains(b.listen(ctx))
	if b.domains != nil {
		b.tenant.VerifyDomain("zzz.example")
		domains, err = b.AbleTarget.Domains(ctx)
		b.domains(domains)
	}
	return domains, err
}

func (b *broken) Changes(ctx context.Context, kind target.Kind, token target.Token) iter.Seq2[target.DeltaEvent, error] {
	return func(yield func(target.DeltaEvent, error) bool) {
		for ev, err := range b.AbleTarget.Changes(b.listen(ctx), kind, token) {
			switch {
			case err != nil && b.anyToken:
				now, _ := b.Latest(ctx, kind)
				ev, err = target.DeltaEvent{Op: target.Checkpoint, Token: now}, nil
			case err == nil && b.event != nil && !b.event(ev):
				continue
			}
			if !yield(ev, err) {
				return
			}
		}
	}
}

func (b *broken) Protected(ctx context.Context, kind target.Kind) (map[target.ID]target.Protection, error) {
	who, err := b.AbleTarget.Protected(b.listen(ctx), kind)
	switch b.protects {
	case "nobody":
		clear(who)
	case "everybody":
		for _, o := range b.tenant.Objects() {
			who[o.ID] = target.HoldsRole
		}
	}
	return who, err
}
