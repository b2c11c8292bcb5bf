package memstate

import (
	"slices"
	"strings"

	"github.com/dirbridge/dirbridge/state"
)

// maxBlock bounds what one insertion moves. With a million records there are
// some 6,000 blocks, so moving those now and then costs little as well.
const maxBlock = 256

// A list keeps records ordered by key, in ordered blocks that are never empty.
// It is a B-tree of two levels. The zero list is empty.
type list struct {
	blocks [][]state.Record
}

// seek returns the place of the first record at or after key. Past the last
// record that is a place in no block.
func (l *list) seek(key string) (block, i int, found bool) {
	block, found = slices.BinarySearchFunc(l.blocks, key, func(b []state.Record, key string) int {
		return strings.Compare(b[len(b)-1].Key, key)
	})
	if block == len(l.blocks) {
		return block, 0, false
	}
	if found {
		return block, len(l.blocks[block]) - 1, true
	}
	i, found = slices.BinarySearchFunc(l.blocks[block], key, func(r state.Record, key string) int {
		return strings.Compare(r.Key, key)
	})
	return block, i, found
}

// at returns the record at key, or nil. It isn't a copy.
func (l *list) at(key string) *state.Record {
	if block, i, found := l.seek(key); found {
		return &l.blocks[block][i]
	}
	return nil
}

func (l *list) put(r state.Record) {
	block, i, found := l.seek(r.Key)
	switch {
	case found:
		l.blocks[block][i] = r
		return
	case len(l.blocks) == 0:
		l.blocks = [][]state.Record{{r}}
		return
	case block == len(l.blocks): // after all others: at the end of the last block
		block--
		i = len(l.blocks[block])
	}
	b := slices.Insert(l.blocks[block], i, r)
	l.blocks[block] = b
	if len(b) > maxBlock {
		// Records that come in order leave full blocks behind.
		half := len(b) / 2
		if i == len(b)-1 {
			half = len(b) - 1
		}
		second := slices.Clone(b[half:])
		clear(b[half:])
		l.blocks[block] = b[:half]
		l.blocks = slices.Insert(l.blocks, block+1, second)
	}
}

func (l *list) remove(key string) {
	block, i, found := l.seek(key)
	if !found {
		return
	}
	if l.blocks[block] = slices.Delete(l.blocks[block], i, i+1); len(l.blocks[block]) == 0 {
		l.blocks = slices.Delete(l.blocks, block, block+1)
	}
}
