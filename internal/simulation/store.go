package simulation

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"iter"
	"maps"
	"slices"
	"strings"

	"github.com/dirbridge/dirbridge/state"
)

var (
	errDied = errors.New("simulation: the process has died")
	errDisk = errors.New("simulation: no space left on device")
)

// A disk is what a store keeps when its process dies. Values are never changed.
type disk struct {
	keys     []string // ascending
	values   map[string]state.Record
	revision uint64
}

func newDisk() *disk { return &disk{values: map[string]state.Record{}} }

// clone is a backup.
func (d *disk) clone() *disk {
	return &disk{keys: slices.Clone(d.keys), values: maps.Clone(d.values), revision: d.revision}
}

// A store is the disk as one run of the engine sees it.
type store struct {
	w   *world
	run *runState
}

var _ state.Store = (*store)(nil)

// unlucky decides by what is asked, not by counting, whether a read fails: the
// order of the engine's reads isn't always the same.
func (s *store) unlucky(what string) error {
	if s.run.dead {
		return errDied
	}
	if s.run.readFails == 0 {
		return nil
	}
	h := fnv.New32a()
	fmt.Fprint(h, s.run.number, s.run.readFails, what)
	if h.Sum32()%97 == 0 {
		return fmt.Errorf("simulation: read error")
	}
	return nil
}

func (s *store) Get(ctx context.Context, key string) (state.Record, error) {
	if err := ctx.Err(); err != nil {
		return state.Record{}, err
	}
	if err := s.unlucky(key); err != nil {
		return state.Record{}, err
	}
	r, ok := s.w.disk.values[key]
	if !ok {
		return state.Record{}, state.ErrNotFound
	}
	r.Value = slices.Clone(r.Value)
	return r, nil
}

func (s *store) Scan(ctx context.Context, prefix string) iter.Seq2[state.Record, error] {
	return func(yield func(state.Record, error) bool) {
		if err := s.unlucky("scan " + prefix); err != nil {
			yield(state.Record{}, err)
			return
		}
		at := prefix
		for {
			if err := ctx.Err(); err != nil {
				yield(state.Record{}, err)
				return
			}
			d := s.w.disk // it may be another one by now
			i, _ := slices.BinarySearch(d.keys, at)
			if i == len(d.keys) || !strings.HasPrefix(d.keys[i], prefix) {
				return
			}
			r := d.values[d.keys[i]]
			at = r.Key + "\x00"
			r.Value = slices.Clone(r.Value)
			if !yield(r, nil) {
				return
			}
		}
	}
}

func (s *store) Commit(ctx context.Context, writes ...state.Write) error {
	r := s.run
	if r.dead {
		return errDied
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := state.ValidWrites(writes); err != nil {
		return err
	}
	if len(writes) == 0 {
		return nil
	}
	r.commits++
	f := r.commitFault[r.commits]
	if r.diskFull > 0 && r.commits >= r.diskFull {
		s.w.hit("E-05")
		return errDisk
	}
	switch f {
	case "die before":
		s.w.die(r, "before commit %d", r.commits)
		return errDied
	case "fail":
		s.w.hit("E-05")
		return errors.New("simulation: fsync failed")
	}
	d := s.w.disk
	h := fnv.New64a()
	for _, w := range writes {
		h.Write([]byte(w.Key))
		h.Write(w.Value)
		d.revision++
		i, found := slices.BinarySearch(d.keys, w.Key)
		switch {
		case w.Check:
			return errors.New("simulation: conditional writes aren't simulated")
		case w.Delete && found:
			d.keys = slices.Delete(d.keys, i, i+1)
			delete(d.values, w.Key)
		case !w.Delete:
			if !found {
				d.keys = slices.Insert(d.keys, i, w.Key)
			}
			d.values[w.Key] = state.Record{Key: w.Key, Value: slices.Clone(w.Value), Revision: d.revision}
		}
	}
	s.w.note(h.Sum64())
	r.proves = r.proves || r.innocent
	switch f {
	case "die after":
		s.w.die(r, "after commit %d", r.commits)
		return errDied
	case "unknown":
		s.w.hit("E-05")
		return errors.New("simulation: connection lost, nobody knows whether it was committed")
	}
	return nil
}
