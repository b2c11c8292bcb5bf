package ledger

import (
	"context"
	"iter"

	"github.com/dirbridge/dirbridge/dirsync/audit"
)

// AuditHead returns the last audit record that was made, the zero Head before
// the first.
func (l *Ledger) AuditHead(ctx context.Context) (audit.Head, error) {
	h, err := load[audit.Head](ctx, l.Buffer, l.keys.auditHead())
	if h == nil {
		h = &audit.Head{}
	}
	return *h, err
}

// SetAuditHead keeps h.
func (l *Ledger) SetAuditHead(h audit.Head) error { return save(l.Buffer, l.keys.auditHead(), h) }

// SetAudit puts a sealed record into the outbox.
func (l *Ledger) SetAudit(r *audit.Record) error { return save(l.Buffer, l.keys.audit(r.Seq), r) }

// Audits yields the outbox, the oldest first.
func (l *Ledger) Audits(ctx context.Context) iter.Seq2[Numbered[audit.Record], error] {
	return numbered[audit.Record](ctx, l, l.keys.audits())
}

// ClearAudit takes a record out of the outbox: every sink has it.
func (l *Ledger) ClearAudit(seq uint64) { l.Remove(l.keys.audit(seq)) }
