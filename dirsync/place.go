package dirsync

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/dirbridge/dirbridge/dirsync/internal/ledger"
	"github.com/dirbridge/dirbridge/dirsync/plan"
	"github.com/dirbridge/dirbridge/mapping"
	"github.com/dirbridge/dirbridge/source"
)

// observeContainer remembers what the source says of a container. It is never
// synchronized, and nobody follows it: that it was deleted says nothing of what
// lay in it. That it lies elsewhere, or outside of what the source reads, has the
// scope asked again about those below it.
func (r *run) observeContainer(ctx context.Context, ev source.Event) error {
	o := ev.Object
	if ev.Op == source.Unreadable || o.ID == "" {
		text := "no reason is given"
		if ev.Err != nil {
			text = ev.Err.Error()
		}
		r.report.Problems = append(r.report.Problems, plan.Problem{Object: o.ID, Name: o.DN, Since: r.report.Started, Problem: mapping.Problem{
			Code:    "unreadable",
			Message: "the source could not read this container, and what is known of it stays: " + text,
			Remedy:  "see that the sync account may read the container",
		}})
		return nil
	}
	old, err := r.l.Container(ctx, o.ID)
	if err != nil {
		return err
	}
	now := ledger.Container{Answer: ledger.AnswerNone}
	if old != nil {
		now = *old
	}
	switch ev.Op {
	case source.Upsert:
		now.DN, now.Parent, now.State = o.DN, o.Parent, ""
	case source.Left:
		now.State = ledger.ContainerLeft
		if o.DN != "" {
			now.DN = o.DN
		}
	case source.Deleted:
		now.State = ledger.ContainerDeleted
	default:
		return nil
	}
	if r.strange(old, &now, ev.Op) {
		return nil
	}
	if old == nil && ev.Op != source.Upsert || old != nil && *old == now {
		return nil
	}
	if ev.Op == source.Upsert {
		was := source.ID("")
		if old != nil {
			was = old.Parent
		}
		r.l.SetParent(o.ID, was, now.Parent, true)
	}
	if old == nil || old.Parent != now.Parent || old.State != now.State {
		r.l.SetMoved(o.ID)
	}
	return r.l.SetContainer(o.ID, &now)
}

// confirmContainers looks up the containers that a complete read didn't give: they
// may have been moved out of what the source reads. Of those that aren't found,
// nothing is known, and they stay as they are.
func (r *run) confirmContainers(ctx context.Context) error {
	var lost []source.ID
	for k, err := range r.l.Containers(ctx) {
		if err != nil {
			return err
		}
		if k.Value.State == "" && k.Value.Home == r.from.home && !r.seen.has(k.ID) {
			lost = append(lost, k.ID)
		}
	}
	for ids := range slices.Chunk(lost, findBatch) {
		if err := r.consume(ctx, r.from, source.Find(ctx, r.from.src, ids), false); err != nil && !errors.Is(err, errors.ErrUnsupported) {
			return fmt.Errorf("look up the containers that a full read of %s didn't give: %w", r.from.src.Name(), err)
		}
	}
	return nil
}

// A tree is the source's containers as they lie in one another. It is built after
// the source was read, and fixed from then on.
type tree struct {
	nodes    map[source.ID]ledger.Container
	verdicts map[source.ID]mapping.Verdict // by container: of what lies right in it
}

func newTree() *tree {
	return &tree{map[source.ID]ledger.Container{}, map[source.ID]mapping.Verdict{}}
}

// loadTree reads the tree. There are few containers, compared with what lies in
// them.
func (r *run) loadTree(ctx context.Context) error {
	t := newTree()
	for k, err := range r.l.Containers(ctx) {
		if err != nil {
			return err
		}
		t.nodes[k.ID] = k.Value
	}
	r.tree = t
	return nil
}

// place is where something lies that lies in the container id. A container that
// lies in nothing is the top.
func (t *tree) place(id source.ID) mapping.Place {
	var p mapping.Place
	for id != "" && len(p.Path) < maxDepth {
		n, known := t.nodes[id]
		if !known {
			return p
		}
		p.Path = append(p.Path, mapping.Container{ID: id, DN: t.dn(id), Outside: n.State == ledger.ContainerLeft})
		if id = n.Parent; id == "" {
			p.Whole = true
		}
	}
	return p
}

// maxDepth is how deep containers may lie in one another. Directories allow less.
const maxDepth = 256

// dn is what the container id is called now: those above it may have been renamed
// since it was seen.
func (t *tree) dn(id source.ID) string {
	var b strings.Builder
	for range maxDepth {
		n := t.nodes[id]
		if _, known := t.nodes[n.Parent]; !known || n.State == ledger.ContainerLeft {
			b.WriteString(n.DN)
			break
		}
		b.WriteString(firstRDN(n.DN) + ",")
		id = n.Parent
	}
	return b.String()
}

// dnOf is what o is called now. A source doesn't tell of those that lie in a
// container that was renamed or moved.
func (t *tree) dnOf(o *source.Object) string {
	if _, known := t.nodes[o.Parent]; !known {
		return o.DN
	}
	return firstRDN(o.DN) + "," + t.dn(o.Parent)
}

// named are the containers that exist and are called dn now.
func (t *tree) named(dn string) (ids []source.ID) {
	want := foldDN(dn)
	for id, n := range t.nodes {
		if n.State == "" && foldDN(t.dn(id)) == want {
			ids = append(ids, id)
		}
	}
	return ids
}

// firstRDN is dn up to its first comma that isn't escaped.
func firstRDN(dn string) string {
	for i := 0; i < len(dn); i++ {
		switch dn[i] {
		case '\\':
			i++
		case ',':
			return dn[:i]
		}
	}
	return dn
}

// foldDN gives DNs the same form that differ only in case and in spaces around
// their commas and equals signs.
func foldDN(dn string) string {
	var b strings.Builder
	for dn = strings.TrimSpace(dn); dn != ""; {
		rdn := firstRDN(dn)
		dn = strings.TrimPrefix(dn[len(rdn):], ",")
		kind, value, _ := strings.Cut(rdn, "=")
		b.WriteString(strings.ToLower(strings.TrimSpace(kind) + "=" + strings.TrimSpace(value) + ","))
	}
	return b.String()
}
