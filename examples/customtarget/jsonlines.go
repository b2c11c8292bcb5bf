package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"os"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/dirbridge/dirbridge/target"
)

// JSONLines is a [target.Target] that appends each change to a file as a line of
// JSON, and knows its objects by reading the lines again.
type JSONLines struct {
	name string

	mu      sync.Mutex
	file    *os.File
	objects map[target.ID]target.Object // each map of attributes is replaced, never written to
	made    int                         // IDs given
	broken  error                       // why the file can't be written any more
}

var _ target.Target = (*JSONLines)(nil)

// A line is a change that was made.
type line struct {
	target.Change
	At time.Time `json:"at"`
}

// OpenJSONLines opens the file at path, which it makes if there is none, as a
// target with this name. A last line without its end, which a crash leaves, is a
// change that was not made: it is cut off.
func OpenJSONLines(name, path string) (*JSONLines, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open target %s: %w", name, err)
	}
	t := &JSONLines{name: name, file: f, objects: map[target.ID]target.Object{}}
	if err := t.replay(); err != nil {
		return nil, errors.Join(fmt.Errorf("open target %s: %w", name, err), f.Close())
	}
	return t, nil
}

// Close closes the file.
func (t *JSONLines) Close() error { return t.file.Close() }

func (t *JSONLines) replay() error {
	var good int64
	r := bufio.NewReader(t.file)
	for n := 1; ; n++ {
		text, err := r.ReadBytes('\n')
		if err == io.EOF {
			break
		}
		var l line
		if err == nil {
			err = json.Unmarshal(text, &l)
		}
		if err != nil {
			return fmt.Errorf("line %d: %w", n, err)
		}
		t.change(l)
		good += int64(len(text))
	}
	if err := t.file.Truncate(good); err != nil {
		return err
	}
	_, err := t.file.Seek(good, io.SeekStart)
	return err
}

// Name returns the name given to [OpenJSONLines].
func (t *JSONLines) Name() string { return t.name }

// Current yields every object that wasn't deleted.
func (t *JSONLines) Current(ctx context.Context) iter.Seq2[target.Object, error] {
	return func(yield func(target.Object, error) bool) {
		t.mu.Lock()
		objects := maps.Clone(t.objects)
		t.mu.Unlock()
		for _, id := range slices.Sorted(maps.Keys(objects)) {
			if ctx.Err() != nil {
				break
			}
			if !yield(export(objects[id]), nil) {
				return
			}
		}
		if err := ctx.Err(); err != nil {
			yield(target.Object{}, fmt.Errorf("read %s: %w", t.name, err))
		}
	}
}

// Apply appends c to the file. It is made when the line is on the disk.
func (t *JSONLines) Apply(ctx context.Context, c target.Change) (target.Object, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return target.Object{}, &target.Error{Sentinel: target.ErrNotApplied, Err: err}
	}
	old, live := t.objects[c.ID]
	switch {
	case c.Op == target.Create:
		for _, o := range t.objects {
			if c.Repeat && o.Anchor == c.Anchor {
				return export(o), nil // the earlier call made it
			}
		}
		c.ID = target.ID(strconv.Itoa(t.made + 1))
	case c.Op == target.Delete && !live:
		return target.Object{ID: c.ID, Kind: c.Kind}, nil // gone: done
	case !live:
		return target.Object{}, &target.Error{Sentinel: target.ErrNotFound, Err: fmt.Errorf("%s %s", c.Kind, c.ID)}
	}
	l := line{c, time.Now()}
	if err := t.append(l); err != nil {
		return target.Object{}, err
	}
	t.change(l)
	if c.Op == target.Delete {
		return export(old), nil
	}
	return export(t.objects[c.ID]), nil
}

// append writes l and waits until it is durable. When that fails, nobody knows
// what of it will be read: the file must be opened again. t.mu is held.
func (t *JSONLines) append(l line) error {
	if t.broken != nil {
		return &target.Error{Sentinel: target.ErrUnavailable, Err: t.broken}
	}
	text, err := json.Marshal(l)
	if err != nil {
		return &target.Error{Sentinel: target.ErrInvalid, Err: err}
	}
	if _, err = t.file.Write(append(text, '\n')); err == nil {
		err = t.file.Sync()
	}
	if err != nil {
		t.broken = err
		return &target.Error{Sentinel: target.ErrUnknownOutcome, Err: err}
	}
	return nil
}

// change makes in memory what l says. t.mu is held.
func (t *JSONLines) change(l line) {
	o := t.objects[l.ID]
	switch l.Op {
	case target.Delete:
		delete(t.objects, l.ID)
		return
	case target.Create:
		t.made++
		o = target.Object{ID: l.ID, Kind: l.Kind, Anchor: l.Anchor, Created: l.At}
	}
	o.Attributes = o.Attributes.Clone()
	for name, values := range l.Set {
		if name == target.AttrAnchor { // of an object that was adopted
			o.Anchor = l.Anchor
			continue
		}
		o.Attributes[name] = slices.Sorted(slices.Values(values))
		if len(values) == 0 {
			delete(o.Attributes, name)
		}
	}
	t.objects[l.ID] = o
}

// export returns o as the caller's own.
func export(o target.Object) target.Object {
	o.Attributes = o.Attributes.Clone()
	return o
}
