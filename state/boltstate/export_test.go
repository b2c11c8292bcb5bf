package boltstate

import (
	"os"

	"go.etcd.io/bbolt"
)

// Migrations returns the steps that are released.
func Migrations() []func(*bbolt.Tx) error {
	var out []func(*bbolt.Tx) error
	for _, m := range migrations {
		out = append(out, m)
	}
	return out
}

// WithSteps makes a store understand the format that these steps lead to.
func (o Options) WithSteps(steps ...func(*bbolt.Tx) error) *Options {
	o.steps = []migration{}
	for _, s := range steps {
		o.steps = append(o.steps, s)
	}
	return &o
}

// WithPageSize makes a new file have pages of this size.
func (o Options) WithPageSize(size int) *Options {
	o.pageSize = size
	return &o
}

// WithOpenFile opens the file by f.
func (o Options) WithOpenFile(f func(path string, flag int, mode os.FileMode) (*os.File, error)) *Options {
	o.openFile = f
	return &o
}

// HoldWriter makes commits wait until release is called.
func (s *Store) HoldWriter() (release func()) {
	s.writer <- struct{}{}
	return func() { <-s.writer }
}
