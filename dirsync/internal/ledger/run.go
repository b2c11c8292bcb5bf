package ledger

// SetRun keeps the record of run n, which the engine encodes as it likes.
func (l *Ledger) SetRun(n uint64, record any) error { return save(l.Buffer, l.keys.run(n), record) }

// DropRun removes the record of run n.
func (l *Ledger) DropRun(n uint64) { l.Remove(l.keys.run(n)) }
