package ledger

import (
	"context"
	"iter"

	"github.com/dirbridge/dirbridge/source"
)

func (k keys) refChecks() string { return "refcheck/" + k.pair() + "/" }

// SetRefCheck notes that the source has to be asked whether others still refer
// to id.
func (l *Ledger) SetRefCheck(id source.ID) { l.Put(l.keys.refChecks()+string(id), []byte{1}) }

// ClearRefCheck says that it was.
func (l *Ledger) ClearRefCheck(id source.ID) { l.Remove(l.keys.refChecks() + string(id)) }

// RefChecks yields those of whom it has to be asked.
func (l *Ledger) RefChecks(ctx context.Context) iter.Seq2[source.ID, error] {
	return l.ids(ctx, l.keys.refChecks())
}
