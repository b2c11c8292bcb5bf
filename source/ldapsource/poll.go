package ldapsource

import (
	"context"
	"errors"
	"fmt"

	"github.com/dirbridge/dirbridge/source"
)

// Poll implements [source.Poller]. On the connection kept from the call before,
// it costs one read of the rootDSE; on a new one, it also asks what a delta asks
// before it trusts w.
func (s *Source) Poll(ctx context.Context, w source.Watermark) (bool, error) {
	mark, err := parseWatermark(w)
	if err != nil || mark.fits(s.hash, s.opts.Delta) != nil || mark.Partial {
		return true, nil
	}
	o, err := s.open(ctx, s.serverOf(mark))
	if err != nil {
		return true, fmt.Errorf("poll: %w", s.final(ctx, err))
	}
	defer o.end()
	if mark.InvocationID != o.sess.invocationID || mark.USN != o.sess.root.usn {
		return true, nil
	}
	if o.sess.vouched == w {
		return false, nil
	}
	// The same number may be one of another history.
	switch err := o.trust(mark); {
	case errors.Is(err, source.ErrWatermarkExpired):
		return true, nil
	case err != nil:
		return true, fmt.Errorf("poll: %w", s.final(ctx, err))
	}
	o.sess.vouched = w
	return false, nil
}
