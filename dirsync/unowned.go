package dirsync

import (
	"context"
	"fmt"
	"strings"

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
	keys []target.Key       // of the first mostLookups
	ids  map[source.ID]bool // the same
	all  bool               // everything at the target was read
}

// asked reports whether it is known what somebody else holds of what id wants.
func (n *newcomers) asked(id source.ID) bool { return n.all || n.ids[id] }

func (n *newcomers) add(id source.ID, res mapping.Result) {
	if n.ids[id] {
		return
	}
	n.n++
	if n.n > mostLookups {
		n.keys, n.ids = nil, nil
		return
	}
	if n.ids == nil {
		n.ids = map[source.ID]bool{}
	}
	n.ids[id] = true
	for _, k := range []target.Key{
		{Anchor: res.Anchor},
		{UserPrincipalName: res.Attributes.First(target.AttrUserPrincipalName)},
		{Mail: res.Attributes.First(target.AttrMail)},
	} {
		if k != (target.Key{}) {
			n.keys = append(n.keys, k)
		}
	}
}

// unowned are the target's objects that aren't ours, by what a newcomer could
// collide with.
type unowned struct {
	anchors, upns, mails map[string]target.ID
}

// inquire finds out whether somebody else already holds what the newcomers
// want. It is the last question before planning; without newcomers nothing is
// asked.
func (r *run) inquire(ctx context.Context) error {
	if r.newcomer.n == 0 {
		return nil
	}
	if _, finder := r.tgt.(target.Finder); !finder || r.newcomer.n > mostLookups {
		for o, err := range r.tgt.Current(ctx) {
			if err != nil {
				return fmt.Errorf("read the target's objects: %w", err)
			}
			if err := r.noteUnowned(ctx, o); err != nil {
				return err
			}
		}
		r.newcomer.all = true
		return nil
	}
	found, err := target.Find(ctx, r.tgt, target.User, r.newcomer.keys)
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
	return nil
}

func (r *run) noteUnowned(ctx context.Context, o target.Object) error {
	owner, err := r.l.Owner(ctx, o.ID)
	if owner != "" || err != nil {
		return err
	}
	if o.Anchor != "" {
		r.unowned.anchors[o.Anchor] = o.ID
	}
	if v := o.Attributes.First(target.AttrUserPrincipalName); v != "" {
		r.unowned.upns[strings.ToLower(v)] = o.ID
	}
	if v := o.Attributes.First(target.AttrMail); v != "" {
		r.unowned.mails[strings.ToLower(v)] = o.ID
	}
	return nil
}

// holder returns the object that isn't ours and has value, "" if none is known.
func (u *unowned) holder(attr, value string) target.ID {
	if attr == target.AttrMail {
		return u.mails[strings.ToLower(value)]
	}
	return u.upns[strings.ToLower(value)]
}
