package source

import "context"

// A Poller can say cheaply whether anything may have changed.
type Poller interface {
	Source

	// Poll reports whether a read from w could give anything. False means:
	// certainly nothing changed. Any doubt is true. It costs one small
	// question (for Active Directory one read of the rootDSE). A cancelled ctx
	// ends it with an error that wraps ctx.Err().
	Poll(ctx context.Context, w Watermark) (bool, error)
}

// Poll reports whether something may have changed since w. It is true for a
// source that can't tell and for an empty watermark.
func Poll(ctx context.Context, src Source, w Watermark) (bool, error) {
	if p, ok := src.(Poller); ok && w != "" {
		return p.Poll(ctx, w)
	}
	return true, nil
}
