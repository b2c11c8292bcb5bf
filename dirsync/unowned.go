package dirsync

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/dirbridge/dirbridge/dirsync/internal/ledger"
	"github.com/dirbridge/dirbridge/mapping"
	"github.com/dirbridge/dirbridge/source"
	"github.com/dirbridge/dirbridge/target"
)

// mostLookups is how many new objects are looked up at the target one by one.
// For more, reading all of the target's objects once is cheaper.
const mostLookups = 300

// newcomers are the objects that would get an account.
type newcomers struct {
	n    int
	keys map[target.Kind][]target.Key // of the first mostLookups
	ids  map[source.ID]bool           // the same
	all  bool                         // everything at the target was read

	first firstContact
}

// asked reports whether it is known what somebody else holds of what id wants.
func (n *newcomers) asked(id source.ID) bool { return n.all || n.ids[id] }

func (n *newcomers) add(tgt target.Target, id source.ID, res mapping.Result) {
	if n.ids[id] {
		return
	}
	n.n++
	n.first.want(res)
	if n.n > mostLookups {
		n.keys, n.ids = nil, nil
		return
	}
	if n.ids == nil {
		n.ids, n.keys = map[source.ID]bool{}, map[target.Kind][]target.Key{}
	}
	n.ids[id] = true
	for _, k := range []target.Key{
		{Anchor: res.Anchor},
		{UserPrincipalName: res.Attributes.First(target.AttrUserPrincipalName)},
		{Mail: res.Attributes.First(target.AttrMail)},
		{MailNickname: uniqueValue(res.Kind, res.Attributes, target.AttrMailNickname)},
	} {
		kinds := []target.Kind{res.Kind}
		if k.Mail != "" {
			kinds = target.Kinds(tgt) // an address is unique among all of them
		}
		for _, kind := range kinds {
			if k != (target.Key{}) {
				n.keys[kind] = append(n.keys[kind], k)
			}
		}
	}
}

// unowned are the target's objects that aren't ours, by what a newcomer could
// collide with. What is in the bin has no names, but its anchor: it may be the
// newcomer's own account of which this state doesn't know.
type unowned struct {
	anchors, upns, mails, nicknames map[string]target.ID

	binned map[string]target.ID // anchors in the bin; nil until it was listed
}

// inquire finds out whether somebody else already holds what the newcomers
// want, and whether one has an account in the bin. It is the last question
// before planning; without newcomers nothing is asked. The bin is listed once
// in a run.
func (r *run) inquire(ctx context.Context) error {
	if r.newcomer.n == 0 {
		return nil
	}
	if r.unowned.binned == nil {
		r.unowned.binned = map[string]target.ID{}
		_, err := r.listBin(ctx, func(o target.Object) error {
			owner, err := r.l.Owner(ctx, o.ID)
			if owner == "" && err == nil {
				r.unowned.binned[o.Anchor] = o.ID
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	if _, finder := r.tgt.(target.Finder); !finder || r.newcomer.n > mostLookups || r.newcomer.first.is {
		for o, err := range r.tgt.Current(ctx) {
			if err != nil {
				return fmt.Errorf("read the target's objects: %w", err)
			}
			if err := r.noteUnowned(ctx, o); err != nil {
				return err
			}
		}
		r.newcomer.all = true
		r.warnAlike(&r.newcomer.first)
		return nil
	}
	for _, kind := range slices.Sorted(maps.Keys(r.newcomer.keys)) {
		found, err := target.Find(ctx, r.tgt, kind, r.newcomer.keys[kind])
		if err != nil {
			return fmt.Errorf("look up %d new objects at the target: %w", r.newcomer.n, err)
		}
		for _, objects := range found {
			for _, o := range objects {
				if err := r.noteUnowned(ctx, o); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// listBin calls see for each object in the bin that carries an anchor. Where our
// application may not read the bin, it returns false: nothing can be created in
// this run, since nobody knows who has an account there.
func (r *run) listBin(ctx context.Context, see func(target.Object) error) (listed bool, err error) {
	if r.noBin {
		return false, nil
	}
	for _, kind := range target.Kinds(r.tgt) {
		for o, err := range target.Deleted(ctx, r.tgt, kind) {
			if errors.Is(err, target.ErrForbidden) {
				r.noBin, r.noCreate = true, err
				r.warn(Warning{Code: "bin-forbidden",
					Message: "the application may not read the target's bin: nothing is created in this run, since an account that lies there would be made a second time",
					Remedy:  "grant the application the permission to read deleted users, and deleted groups where it makes groups"})
				return false, nil
			}
			if err != nil {
				return false, fmt.Errorf("read the target's bin: %w", err)
			}
			if o.Anchor == "" {
				continue
			}
			if err := see(o); err != nil {
				return false, err
			}
		}
	}
	return true, nil
}

// binOf returns the objects in the bin that open creates may have made, by
// anchor. listed is false if the bin can't be read.
func (r *run) binOf(ctx context.Context, open []*ledger.Intent) (bin map[string][]target.Object, listed bool, err error) {
	bin = map[string][]target.Object{}
	creates := map[string]bool{}
	for _, in := range open {
		if in.Change.Op == target.Create {
			creates[in.Change.Anchor] = true
		}
	}
	if len(creates) == 0 {
		return bin, true, nil
	}
	listed, err = r.listBin(ctx, func(o target.Object) error {
		if !creates[o.Anchor] {
			return nil
		}
		owner, err := r.l.Owner(ctx, o.ID)
		if owner == "" && err == nil {
			o.Attributes = o.Attributes.Clone()
			bin[o.Anchor] = append(bin[o.Anchor], o)
		}
		return err
	})
	return bin, listed, err
}

func (r *run) noteUnowned(ctx context.Context, o target.Object) error {
	owner, err := r.l.Owner(ctx, o.ID)
	if owner != "" || err != nil {
		return err
	}
	r.newcomer.first.see(o)
	if o.Anchor != "" {
		r.unowned.anchors[o.Anchor] = o.ID
	}
	if v := o.Attributes.First(target.AttrUserPrincipalName); v != "" {
		r.unowned.upns[strings.ToLower(v)] = o.ID
	}
	if v := o.Attributes.First(target.AttrMail); v != "" {
		r.unowned.mails[strings.ToLower(v)] = o.ID
	}
	if v := uniqueValue(o.Kind, o.Attributes, target.AttrMailNickname); v != "" {
		r.unowned.nicknames[strings.ToLower(v)] = o.ID
	}
	return nil
}

// holder returns the object that isn't ours and has value, "" if none is known.
func (u *unowned) holder(attr, value string) target.ID {
	switch attr {
	case target.AttrMail:
		return u.mails[strings.ToLower(value)]
	case target.AttrMailNickname:
		return u.nicknames[strings.ToLower(value)]
	}
	return u.upns[strings.ToLower(value)]
}
