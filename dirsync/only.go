package dirsync

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// readOnly looks up just the objects that were asked for. The watermark stays:
// the next delta says what it has to say of them once more.
func (r *run) readOnly(ctx context.Context) error {
	r.report.Mode = Only
	ids := slices.Compact(slices.Sorted(slices.Values(r.req.Only)))
	err := r.findAll(ctx, ids)
	switch {
	case errors.Is(err, errors.ErrUnsupported):
		return fmt.Errorf("the source %s can't look up single objects", r.sourceNames())
	case err != nil:
		return fmt.Errorf("look up %d objects: %w", len(ids), err)
	}
	if err := r.askAbout(ctx); err != nil {
		return err
	}
	if err := r.join(ctx); err != nil {
		return err
	}
	var lost []string
	for _, id := range ids {
		if r.seen.has(id) {
			// Asked for, it is planned even if nothing is new about it.
			err := r.l.Unit(ctx, func() error {
				h, err := r.l.Head(ctx, id)
				if h == nil || err != nil {
					return err
				}
				return r.markDue(ctx, id, "asked for")
			})
			if err != nil {
				return err
			}
			continue
		}
		lost = append(lost, string(id))
	}
	if len(lost) > 0 {
		return fmt.Errorf("nothing is found in the source %s of: %s; that proves nothing, and nothing was done", r.sourceNames(), strings.Join(lost, ", "))
	}
	r.emit(Read{Run: r.report.Run, Mode: Only, Read: r.report.Read})
	return r.l.Flush(ctx)
}
