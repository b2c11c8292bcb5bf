package dirsync_test

import (
	"context"
	"iter"
	"math/rand/v2"
	"testing"

	"github.com/dirbridge/dirbridge/dirsync"
	"github.com/dirbridge/dirbridge/source"
	"github.com/dirbridge/dirbridge/source/memsource"
)

// A part is one of several directories, and what is to go wrong with it.
type part struct {
	*memsource.Source
	down  error
	full  int // complete reads
	mixes *rand.Rand
}

func (p *part) All(ctx context.Context) iter.Seq2[source.Event, error] {
	p.full++
	return p.events(p.Source.All(ctx))
}

func (p *part) Since(ctx context.Context, w source.Watermark) iter.Seq2[source.Event, error] {
	return p.events(p.Source.Since(ctx, w))
}

func (p *part) Find(ctx context.Context, ids []source.ID) iter.Seq2[source.Event, error] {
	return p.events(p.Source.Find(ctx, ids))
}

// events are list in any order, or the error.
func (p *part) events(list iter.Seq2[source.Event, error]) iter.Seq2[source.Event, error] {
	return func(yield func(source.Event, error) bool) {
		if p.down != nil {
			yield(source.Event{}, p.down)
			return
		}
		var all []source.Event
		for ev, err := range list {
			if err != nil {
				yield(ev, err)
				return
			}
			if ev.Op == source.Checkpoint {
				if p.mixes != nil {
					p.mixes.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
				}
				for _, x := range all {
					if !yield(x, nil) {
						return
					}
				}
				all = nil
				if !yield(ev, nil) {
					return
				}
				continue
			}
			all = append(all, ev)
		}
		for _, x := range all {
			if !yield(x, nil) {
				return
			}
		}
	}
}

// A union is two directories of one tenant.
type union struct {
	*world
	corp, east *part
}

func newUnion(t *testing.T, edit ...func(*world)) *union {
	u := &union{corp: &part{Source: memsource.New("corp", nil)}, east: &part{Source: memsource.New("east", nil)}}
	u.world = newWorld(t)
	u.opt.MoveWait, u.src = -1, u.corp.Source
	for _, f := range edit {
		f(u.world)
	}
	u.join(false)
	return u
}

// join makes the engine anew, with the sources in either order.
func (u *union) join(swapped bool) {
	u.opt.Name, u.opt.Sources = "corp", []source.Source{u.east}
	first := source.Source(u.corp)
	if swapped {
		first, u.opt.Sources = u.east, []source.Source{u.corp}
	}
	u.eng = u.engine(first, u.tgt, u.store)
}

// hire puts a person into one of the directories, under an ID of choice.
func (u *union) hire(in *part, id source.ID, login string, more ...string) source.ID {
	a := source.Attributes{"sAMAccountName": {login}, "userAccountControl": {"512"},
		"userPrincipalName": {login + "@contoso.com"}, "displayName": {login + " of " + in.Name()}, "cn": {login}}
	for i := 0; i+1 < len(more); i += 2 {
		a.Set(more[i], more[i+1])
	}
	return in.Put(source.Object{ID: id, Kind: source.User, DN: "CN=" + login + ",DC=" + in.Name() + ",DC=com", Attributes: a})
}

func (u *union) shown(upn string) string { return u.account(upn).Attributes.First("displayName") }

// try makes a run that may fail, and returns its error.
func (u *union) try(req ...dirsync.Request) (*dirsync.Report, error) {
	q := dirsync.Request{}
	if len(req) > 0 {
		q = req[0]
	}
	return u.eng.Sync(u.t.Context(), &q)
}
