package dirsync

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/dirbridge/dirbridge/dirsync/internal/ledger"
	"github.com/dirbridge/dirbridge/source"
)

// An origin is one of the engine's sources in one run.
type origin struct {
	src  source.Source
	home string // as the ledger has it: "" for the source with the engine's name

	read   int    // objects that it gave
	mode   Mode   // of the read
	reason string // why it was a full one
	full   bool   // it was a full one, and complete
	err    error  // why the source couldn't be read to its end
}

// A SourceReport says how one of several sources was read.
type SourceReport struct {
	Name       string           `json:"name"`
	Mode       Mode             `json:"mode,omitempty"`
	FullReason string           `json:"fullReason,omitempty"`
	Read       int              `json:"read"`
	Watermark  source.Watermark `json:"watermark,omitempty"`

	// Error is why it couldn't be read to its end, "" if it could. The run went
	// on with the others.
	Error string `json:"error,omitempty"`
}

// inOrder returns the sources in the order of their names, which is that in
// which they are read whatever the order in which they are given, and the name
// under which the engine remembers.
func inOrder(src source.Source, o *Options) ([]source.Source, string, error) {
	all := append([]source.Source{src}, o.Sources...)
	names := map[string]bool{}
	for _, s := range all {
		if s == nil {
			return nil, "", errors.New("one of the sources is nil")
		}
		if err := checkName("source", s.Name()); err != nil {
			return nil, "", err
		}
		if names[s.Name()] {
			return nil, "", fmt.Errorf("two sources are called %q", s.Name())
		}
		names[s.Name()] = true
	}
	if err := o.Join.Check(); err != nil {
		return nil, "", err
	}
	if len(all) == 1 && o.Join != nil {
		return nil, "", errors.New("a join needs several sources")
	}
	if len(all) > 1 && o.Name == "" {
		return nil, "", errors.New("an engine with several sources needs Options.Name; if it had one until now, that source's name")
	}
	name := cmp.Or(o.Name, src.Name())
	if err := checkName("engine", name); err != nil {
		return nil, "", err
	}
	slices.SortFunc(all, func(a, b source.Source) int { return strings.Compare(a.Name(), b.Name()) })
	return all, name, nil
}

func checkName(what, name string) error {
	if name == "" || len(name) > 200 || strings.ContainsFunc(name, func(r rune) bool { return r == '/' || r < ' ' || r == 0x7f }) {
		return fmt.Errorf("the %s's name %q must be 1 to 200 bytes without '/' and control characters", what, name)
	}
	return nil
}

// home is what the ledger calls a source.
func (e *Engine) home(src source.Source) string {
	if name := src.Name(); name != e.name {
		return name
	}
	return ""
}

func (e *Engine) several() bool { return len(e.srcs) > 1 }

// named is the name of the source that the ledger calls home.
func (e *Engine) named(home string) string { return cmp.Or(home, e.name) }

// A sourceError is what a source said, in contrast to what failed here.
type sourceError struct{ error }

func (e sourceError) Unwrap() error { return e.error }

// unreadSources is why sources couldn't be read to their end, nil if they all could.
func (r *run) unreadSources() error {
	var all []error
	for _, o := range r.origins {
		if o.err != nil {
			all = append(all, o.err)
		}
	}
	return errors.Join(all...)
}

// read takes in what the sources say, one after the other. One of several that
// can't be read doesn't stop the others: what it has said before stands, and
// what would have to be known of it waits.
func (r *run) read(ctx context.Context) error {
	if len(r.req.Only) > 0 {
		return r.readOnly(ctx)
	}
	defer r.reportRead()
	r.full = true
	some := false
	for _, o := range r.origins {
		o.err, o.full = nil, false
		if err := r.readFrom(ctx, o); err != nil {
			if !r.several() || ctx.Err() != nil || !errors.As(err, new(sourceError)) {
				return err
			}
			o.err = err
			r.warn(Warning{Code: "source-unread", Message: err.Error(),
				Remedy: "nothing that it said before is undone; removals that it might have a word in wait until it can be read"})
		}
		r.full = r.full && o.full
		some = some || o.full
	}
	if err := r.allKnown(ctx); err != nil {
		return err
	}
	if some || r.req.Retry {
		if err := r.forgetRefusals(ctx); err != nil {
			return err
		}
	}
	if err := r.askAbout(ctx); err != nil {
		return err
	}
	if err := r.forgetUnread(ctx); err != nil {
		return err
	}
	if err := r.confirmRefs(ctx); err != nil {
		return err
	}
	if err := r.join(ctx); err != nil {
		return err
	}
	r.reportRead()
	r.emit(Read{Run: r.report.Run, Mode: r.report.Mode, Reason: r.report.FullReason, Read: r.report.Read})
	return r.l.Flush(ctx)
}

// allKnown sees that each source was read to its end once: before that nothing
// is decided. If none could be read now, there is nothing to decide either.
func (r *run) allKnown(ctx context.Context) error {
	down := 0
	var unknown []error
	for _, o := range r.origins {
		if o.err == nil {
			continue
		}
		down++
		w, err := r.l.Watermark(ctx, o.home)
		if err != nil {
			return fmt.Errorf("read the state: %w", err)
		}
		if w.Run == 0 {
			unknown = append(unknown, fmt.Errorf("nothing is decided before each source was read once: %w", o.err))
		}
	}
	if down == len(r.origins) {
		return r.unreadSources()
	}
	if len(unknown) > 0 {
		return errors.Join(r.l.Flush(ctx), errors.Join(unknown...))
	}
	return nil
}

// reportRead sums up how the sources were read.
func (r *run) reportRead() {
	if !r.several() {
		o := r.origins[0]
		r.report.Mode, r.report.FullReason = o.mode, o.reason
		return
	}
	r.report.Mode, r.report.FullReason, r.report.Sources = Delta, "", nil
	for _, o := range r.origins {
		s := SourceReport{Name: o.src.Name(), Mode: o.mode, FullReason: o.reason, Read: o.read}
		if o.err != nil {
			s.Error = o.err.Error()
		}
		if o.mode == Full {
			r.report.Mode, r.report.FullReason = Full, cmp.Or(r.report.FullReason, o.reason)
		}
		r.report.Sources = append(r.report.Sources, s)
	}
}

// findAll has each source that can be read say what is certain about ids. It reports
// [errors.ErrUnsupported] if none of them can look up single objects.
func (r *run) findAll(ctx context.Context, ids []source.ID) error {
	able := false
	for _, o := range r.origins {
		if o.err != nil {
			able = true // it may be
			continue
		}
		err := r.consume(ctx, o, source.Find(ctx, o.src, ids), false)
		if errors.Is(err, errors.ErrUnsupported) {
			continue
		}
		if err != nil {
			return fmt.Errorf("in the source %s: %w", o.src.Name(), err)
		}
		able = true
	}
	if !able {
		return errors.ErrUnsupported
	}
	return nil
}

// askAbout asks every source about those who are gone from the one where they
// were at home, since they may have been moved, and about those who have just
// been: what they refer to is told anew. Who isn't told of is as it was.
func (r *run) askAbout(ctx context.Context) error {
	if !r.several() {
		return nil
	}
	var ids []source.ID
	for k, err := range r.l.Asked(ctx) {
		if err != nil {
			return err
		}
		ids = append(ids, k.ID)
	}
	if len(ids) == 0 {
		return nil
	}
	all := true
	for _, o := range r.origins {
		for some := range slices.Chunk(ids, findBatch) {
			if o.err != nil {
				break
			}
			err := r.consume(ctx, o, source.Find(ctx, o.src, some), false)
			switch {
			case err == nil || errors.Is(err, errors.ErrUnsupported):
			case ctx.Err() == nil && errors.As(err, new(sourceError)):
				o.err = fmt.Errorf("look up objects in the source %s: %w", o.src.Name(), err)
			default:
				return err
			}
		}
		all = all && o.err == nil
	}
	if !all {
		return nil
	}
	return r.l.Unit(ctx, func() error {
		for _, id := range ids {
			if !r.doubtful[id] {
				r.l.ClearAsked(id)
			}
		}
		return nil
	})
}

// setWatermark keeps how far the source that is being read has been.
func (r *run) setWatermark(w source.Watermark) error {
	return r.l.SetWatermark(r.from.home, ledger.Watermark{Value: w, Run: r.report.Run, Time: r.report.Started})
}

// reportMarks puts into the report where the next run resumes.
func (r *run) reportMarks(ctx context.Context) error {
	for i, o := range r.origins {
		w, err := r.l.Watermark(ctx, o.home)
		if err != nil {
			return err
		}
		if !r.several() {
			r.report.Watermark = w.Value
		} else if i < len(r.report.Sources) {
			r.report.Sources[i].Watermark = w.Value
		}
	}
	return nil
}

// sourceNames are what the sources are called.
func (e *Engine) sourceNames() string {
	names := make([]string, len(e.srcs))
	for i, src := range e.srcs {
		names[i] = src.Name()
	}
	return strings.Join(names, ", ")
}

// syncAll is a run that ends with an error if a source couldn't be read.
func (r *run) syncAll(ctx context.Context) error {
	if err := r.sync(ctx); err != nil {
		return err
	}
	return r.unreadSources()
}

// homeUnread reports whether the source where an object is at home couldn't be
// read in this run: what it would have said isn't known, so that what others did
// is judged in another one.
func (r *run) homeUnread(ctx context.Context, id source.ID) (bool, error) {
	if !r.several() || r.unreadSources() == nil {
		return false, nil
	}
	h, err := r.l.Head(ctx, id)
	if h == nil || err != nil {
		return false, err
	}
	return slices.ContainsFunc(r.origins, func(o *origin) bool { return o.home == h.Home && o.err != nil }), nil
}
