package ledger

import (
	"context"
	"encoding/json"
	"iter"

	"github.com/dirbridge/dirbridge/source"
)

// SetAsked keeps that all sources have to be asked about id: its home says that
// it is gone, or has just become its home.
func (l *Ledger) SetAsked(id source.ID) { l.Put(l.keys.asked()+string(id), []byte("true")) }

// ClearAsked says that all of them have answered.
func (l *Ledger) ClearAsked(id source.ID) { l.Remove(l.keys.asked() + string(id)) }

// IsAsked reports whether some have to be asked about id.
func (l *Ledger) IsAsked(ctx context.Context, id source.ID) (bool, error) {
	v, err := l.Get(ctx, l.keys.asked()+string(id))
	return v != nil, err
}

// Asked yields those about whom sources have to be asked.
func (l *Ledger) Asked(ctx context.Context) iter.Seq2[Keyed[json.RawMessage], error] {
	return list[json.RawMessage](ctx, l.Buffer, l.keys.asked())
}
