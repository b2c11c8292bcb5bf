package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/dirbridge/dirbridge/source"
)

// A CSV is a [source.Source] of the people in a file.
type CSV struct{ name, path string }

var _ source.Poller = CSV{}

// NewCSV returns the people in the file at path as a source with this name. The
// file is opened when it is read, anew each time. Whoever writes it should
// write another one and rename it over this one.
func NewCSV(name, path string) CSV { return CSV{name, path} }

// Name returns the name given to [NewCSV].
func (c CSV) Name() string { return c.name }

// All yields everybody in the file, as it was when the range began.
func (c CSV) All(ctx context.Context) iter.Seq2[source.Event, error] {
	return func(yield func(source.Event, error) bool) {
		data, err := os.ReadFile(c.path)
		if err != nil {
			yield(source.Event{}, fmt.Errorf("read %s: %w: %w", c.name, source.ErrUnavailable, err))
			return
		}
		for e, err := range people(filepath.Base(c.path), data) {
			if err = errors.Join(err, ctx.Err()); err != nil {
				yield(source.Event{}, fmt.Errorf("read %s: %w", c.name, err))
				return
			}
			if !yield(e, nil) {
				return
			}
		}
		if err := ctx.Err(); err != nil {
			yield(source.Event{}, fmt.Errorf("read %s: %w", c.name, err))
			return
		}
		yield(source.Event{Op: source.Checkpoint, Watermark: watermark(data)}, nil)
	}
}

// Poll reports whether the file differs from what was read.
func (c CSV) Poll(_ context.Context, w source.Watermark) (bool, error) {
	data, err := os.ReadFile(c.path)
	if err != nil {
		return false, fmt.Errorf("poll %s: %w: %w", c.name, source.ErrUnavailable, err)
	}
	return watermark(data) != w, nil
}

func watermark(data []byte) source.Watermark {
	return source.Watermark(fmt.Sprintf("sha256:%x", sha256.Sum256(data)))
}

// people yields an event for each line of data but the first.
func people(file string, data []byte) iter.Seq2[source.Event, error] {
	return func(yield func(source.Event, error) bool) {
		r := csv.NewReader(bytes.NewReader(data)) // as many fields in each line as in the first
		header, err := r.Read()
		column := slices.Index(header, "id")
		if err == nil && column < 0 {
			err = errors.New(`no column "id"`)
		}
		seen := map[source.ID]bool{}
		for err == nil {
			var fields []string
			if fields, err = r.Read(); err == io.EOF {
				return
			} else if err != nil {
				break
			}
			line, _ := r.FieldPos(0)
			e := person(header, fields, column)
			e.Object.DN = fmt.Sprintf("%s:%d", file, line)
			if id := e.Object.ID; e.Op == source.Upsert && seen[id] {
				e = source.Event{Op: source.Unreadable, Object: source.Object{ID: id, DN: e.Object.DN}, Err: errors.New("another line has the same id")}
			} else {
				seen[id] = true
			}
			if !yield(e, nil) {
				return
			}
		}
		// A damaged file, perhaps half written, isn't all of it.
		yield(source.Event{}, fmt.Errorf("%w: %s: %w", source.ErrIncomplete, file, err))
	}
}

// person makes an event of one line.
func person(header, fields []string, column int) source.Event {
	id := fields[column]
	bad := func(r rune) bool { return r == '/' || r == utf8.RuneError || unicode.IsControl(r) }
	if id == "" || strings.ContainsFunc(id, bad) {
		return source.Event{Op: source.Unreadable, Err: fmt.Errorf("the id %q isn't text without '/' and control characters", id)}
	}
	o := source.Object{ID: source.ID(id), Kind: source.User, Attributes: source.Attributes{}}
	for i, name := range header {
		switch {
		case i == column || fields[i] == "":
		case !utf8.ValidString(fields[i]):
			o.Faults = append(o.Faults, source.Fault{Attribute: name, Reason: "not valid UTF-8"})
		default:
			o.Attributes.Set(name, strings.Split(fields[i], "\n")...)
		}
	}
	return source.Event{Op: source.Upsert, Object: o}
}
