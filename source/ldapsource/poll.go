package ldapsource

import (
	"context"
	"fmt"

	"github.com/dirbridge/dirbridge/source"
)

// Poll implements [source.Poller]. On the connection kept from the call before,
// it costs one read of the rootDSE.
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
	return mark.InvocationID != o.sess.invocationID || mark.USN != o.sess.root.usn, nil
}
