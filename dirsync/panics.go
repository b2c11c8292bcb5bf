package dirsync

import (
	"context"
	"fmt"
	"log/slog"
)

// unbroken runs f, which calls what others wrote, and returns its panic as an
// error: it ends the run, not the program. What the panic says isn't passed on,
// since it may hold names and values.
func unbroken(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the run broke down: panic of type %T", p)
		}
	}()
	return f()
}

// A calmHandler is a log handler whose panics are dropped: a log is no reason to
// end a run.
type calmHandler struct{ slog.Handler }

func (h calmHandler) Enabled(ctx context.Context, l slog.Level) (on bool) {
	defer func() { _ = recover() }()
	return h.Handler.Enabled(ctx, l)
}

func (h calmHandler) Handle(ctx context.Context, r slog.Record) (err error) {
	defer func() { _ = recover() }()
	return h.Handler.Handle(ctx, r)
}

func (h calmHandler) WithAttrs(as []slog.Attr) (out slog.Handler) {
	out = h
	defer func() { _ = recover() }()
	return calmHandler{h.Handler.WithAttrs(as)}
}

func (h calmHandler) WithGroup(name string) (out slog.Handler) {
	out = h
	defer func() { _ = recover() }()
	return calmHandler{h.Handler.WithGroup(name)}
}
