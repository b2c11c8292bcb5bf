package ledger

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"

	"github.com/dirbridge/dirbridge/source"
)

// A Container is one of the source's: what objects lie in. Where an object is
// and whether that is in scope is worked out of these, never kept as truth.
type Container struct {
	// DN is what it was called when it was last seen. Those above it may have
	// been renamed since: only its first part counts.
	DN     string    `json:"dn"`
	Parent source.ID `json:"parent,omitempty"`

	// Home is the source whose word about it counts, as for an Entry.
	Home string `json:"home,omitempty"`

	// State is "" while it exists in what the source reads, else ContainerLeft
	// or ContainerDeleted.
	State string `json:"state,omitempty"`

	// Answer is what the scope made of it when what lies in it was last looked
	// at; AnswerOutside if it wasn't in what the source reads, AnswerNone before.
	Answer string `json:"answer"`
}

// The states of a Container that isn't there any more, and the answer for one of
// which the scope wasn't asked yet.
const (
	ContainerLeft    = "left"
	ContainerDeleted = "deleted"

	AnswerNone    = "none"
	AnswerOutside = "outside"
)

// A Scope is what is remembered of the scope as a whole.
type Scope struct {
	// Fingerprint is that of the scope under which everybody was last looked
	// at.
	Fingerprint string `json:"fingerprint,omitempty"`

	// Bound are the IDs of the containers that the configuration names.
	Bound map[string]source.ID `json:"bound,omitempty"`

	// Groups are likewise the IDs of the groups.
	Groups map[string]source.ID `json:"groups,omitempty"`

	// Grouped says that a complete read has given groups.
	Grouped bool `json:"grouped,omitempty"`

	// Placed says that a complete read has given containers.
	Placed bool `json:"placed,omitempty"`

	// Sought are the names that were bound to nothing after the last complete
	// read. If there are others, a container may only not have been told.
	Sought []string `json:"sought,omitempty"`

	// Reread says that a container came back into what the source reads, and
	// everything hasn't been read since.
	Reread bool `json:"reread,omitempty"`
}

// A Side says on which side of the scope an object was, by the fingerprint of
// the scope that said so.
type Side struct {
	// In is the scope that last found it in; "" is one that takes everybody.
	In string `json:"in,omitempty"`

	// Out is the scope that last found it out, until its account has followed
	// its return. SideLeft is the source itself, which saw it leave.
	Out string `json:"out,omitempty"`

	// Left is the scope because of which its account was disabled or deleted, until
	// it is found in again or its account is given back.
	Left string `json:"left,omitempty"`
}

// SideLeft is the Side.Out of an object that the source saw leave.
const SideLeft = "left"

func (k keys) scope() string                 { return "scope/" + k.pair() }
func (k keys) containers() string            { return "container/" + k.pair() + "/" }
func (k keys) container(id source.ID) string { return k.containers() + string(id) }
func (k keys) moved() string                 { return "moved/" + k.pair() + "/" }
func (k keys) children(p source.ID) string   { return "child/" + k.pair() + "/" + string(p) + "/" }

// Scope returns what is remembered of the scope.
func (l *Ledger) Scope(ctx context.Context) (*Scope, error) {
	s, err := load[Scope](ctx, l.Buffer, l.keys.scope())
	if s == nil {
		s = &Scope{}
	}
	return s, err
}

// SetScope keeps s.
func (l *Ledger) SetScope(s *Scope) error { return save(l.Buffer, l.keys.scope(), s) }

// Container returns what is known of the container id, nil if nothing is.
func (l *Ledger) Container(ctx context.Context, id source.ID) (*Container, error) {
	return load[Container](ctx, l.Buffer, l.keys.container(id))
}

// SetContainer keeps c.
func (l *Ledger) SetContainer(id source.ID, c *Container) error {
	return save(l.Buffer, l.keys.container(id), c)
}

// Containers yields all containers.
func (l *Ledger) Containers(ctx context.Context) iter.Seq2[Keyed[Container], error] {
	return list[Container](ctx, l.Buffer, l.keys.containers())
}

// SetParent keeps that id, a container or not, lies in parent and not in old.
// Either may be empty.
func (l *Ledger) SetParent(id, old, parent source.ID, container bool) {
	if old != "" && old != parent {
		l.Remove(l.keys.children(old) + string(id))
	}
	if parent == "" {
		return
	}
	what := childObject
	if container {
		what = childContainer
	}
	l.Put(l.keys.children(parent)+string(id), []byte{what})
}

const (
	childObject    byte = 'o'
	childContainer byte = 'c'
)

// Children yields what lies in parent, and whether it is a container itself.
func (l *Ledger) Children(ctx context.Context, parent source.ID) iter.Seq2[Keyed[bool], error] {
	return func(yield func(Keyed[bool], error) bool) {
		for rec, err := range l.Scan(ctx, l.keys.children(parent)) {
			if err == nil && len(rec.Value) != 1 {
				err = fmt.Errorf("record %q has an unknown form", rec.Key)
			}
			if err != nil {
				yield(Keyed[bool]{}, err)
				return
			}
			if !yield(Keyed[bool]{ID: idOf(rec.Key), Value: rec.Value[0] == childContainer}, nil) {
				return
			}
		}
	}
}

// SetMoved keeps that the scope has to be asked about the container id again.
func (l *Ledger) SetMoved(id source.ID) { l.Put(l.keys.moved()+string(id), []byte("true")) }

// ClearMoved says that it was.
func (l *Ledger) ClearMoved(id source.ID) { l.Remove(l.keys.moved() + string(id)) }

// Moved yields the containers about which the scope has to be asked again.
func (l *Ledger) Moved(ctx context.Context) iter.Seq2[Keyed[json.RawMessage], error] {
	return list[json.RawMessage](ctx, l.Buffer, l.keys.moved())
}
