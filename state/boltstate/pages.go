package boltstate

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"math"

	"github.com/dirbridge/dirbridge/state"
)

// This file and walk.go read bbolt's file format (version 2) by themselves,
// because bbolt can't be let near pages that nobody has looked at: it follows
// page numbers, counts and offsets as they stand. Here each is checked before it is used, and no page
// is visited twice, so a walk ends whatever the file holds.
//
// A file is an array of pages. Numbers are in the machine's byte order, which
// bbolt's root pages are checked for.
//
//	page:    id 8, flags 2, count 2, overflow 4, then the elements
//	branch:  count times: offset 4, key size 4, child's page id 8
//	leaf:    count times: flags 4, offset 4, key size 4, value size 4
//	root:    magic 4, version 4, page size 4, flags 4, root bucket 16, free list 8, pages 8, transaction 8, FNV-1a 8
//	bucket:  root page id 8 (0: the page follows inline), sequence 8
const (
	pageHeader  = 16
	elementSize = 16
	rootSize    = 64
	bucketSize  = 16

	flagBranch   = 1
	flagLeaf     = 2
	flagFreelist = 16

	magic       = 0xED0CDAED
	boltVersion = 2
	noFreelist  = math.MaxUint64
)

var native = binary.NativeEndian

func corrupt(format string, args ...any) error {
	return fmt.Errorf("%w: %s", state.ErrCorrupt, fmt.Sprintf(format, args...))
}

// An image is a file that is being walked.
type image struct {
	ctx      context.Context
	file     io.ReaderAt
	pageSize int
	root     uint64 // page of the root bucket
	freelist uint64
	pages    uint64 // pages in use begin below this
	txid     uint64
	seen     []bool // by page
	spare    []byte // room for a page, if not nil
}

type page struct {
	id          uint64
	flags       uint16
	count       int
	data        []byte // header included
	elementsEnd int
}

// An entry is an element of a leaf.
type entry struct {
	key, value []byte
	bucket     bool
}

// openImage reads the two root pages and picks the newer one. Both have to be
// good. bbolt would make do with one, but if it is the newer one that is damaged
// this silently takes the last commit back. The write of a root page is smaller
// than a sector, so no crash leaves half of one.
func openImage(ctx context.Context, file io.ReaderAt, size int64) (*image, error) {
	first, err := readRoot(ctx, file, 0)
	if err != nil {
		return nil, err
	}
	second, err := readRoot(ctx, file, int64(first.pageSize))
	if err != nil {
		return nil, err
	}
	newer := first
	if second.txid > first.txid {
		newer = second
	}
	if first.pageSize != second.pageSize || newer.pages < 4 || newer.pages > uint64(size)/uint64(newer.pageSize) {
		return nil, corrupt("%d pages of %d bytes don't fit into a file of %d bytes: it was cut short", newer.pages, newer.pageSize, size)
	}
	newer.seen = make([]bool, newer.pages)
	newer.seen[0], newer.seen[1] = true, true
	return newer, nil
}

func readRoot(ctx context.Context, file io.ReaderAt, offset int64) (*image, error) {
	var b [pageHeader + rootSize]byte
	if _, err := file.ReadAt(b[:], offset); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, corrupt("the file is shorter than its root pages")
		}
		return nil, err
	}
	root := b[pageHeader:]
	hash := fnv.New64a()
	_, _ = hash.Write(root[:rootSize-8])
	if native.Uint32(root) != magic || native.Uint32(root[4:]) != boltVersion || hash.Sum64() != native.Uint64(root[56:]) {
		return nil, corrupt("the root page at byte %d is damaged, or this isn't a store", offset)
	}
	img := &image{
		ctx: ctx, file: file,
		pageSize: int(native.Uint32(root[8:])),
		root:     native.Uint64(root[16:]),
		freelist: native.Uint64(root[32:]),
		pages:    native.Uint64(root[40:]),
		txid:     native.Uint64(root[48:]),
	}
	if img.pageSize < 512 || img.pageSize > 1<<24 {
		return nil, corrupt("pages of %d bytes", img.pageSize)
	}
	return img, nil
}

// claim notes that page id is in use. Nothing may be claimed twice.
func (img *image) claim(id uint64) error {
	if id >= img.pages {
		return corrupt("page %d lies beyond the last page %d", id, img.pages-1)
	}
	if img.seen[id] {
		return corrupt("page %d is used twice", id)
	}
	img.seen[id] = true
	return nil
}

// read reads page id with all the pages that belong to it.
func (img *image) read(id uint64) (*page, error) {
	if err := img.ctx.Err(); err != nil {
		return nil, err
	}
	if err := img.claim(id); err != nil {
		return nil, err
	}
	data := img.spare
	if img.spare = nil; data == nil {
		data = make([]byte, img.pageSize)
	}
	if _, err := img.file.ReadAt(data, int64(id)*int64(img.pageSize)); err != nil {
		return nil, fmt.Errorf("read page %d: %w", id, err)
	}
	if self := native.Uint64(data); self != id {
		return nil, corrupt("page %d says that it is page %d", id, self)
	}
	overflow := uint64(native.Uint32(data[12:]))
	for more := range overflow {
		if err := img.claim(id + 1 + more); err != nil {
			return nil, err
		}
	}
	if overflow > 0 {
		img.spare = data
		data = make([]byte, (overflow+1)*uint64(img.pageSize))
		if _, err := img.file.ReadAt(data, int64(id)*int64(img.pageSize)); err != nil {
			return nil, fmt.Errorf("read page %d: %w", id, err)
		}
	}
	return parsePage(id, data)
}

func parsePage(id uint64, data []byte) (*page, error) {
	if len(data) < pageHeader {
		return nil, corrupt("page %d has %d bytes", id, len(data))
	}
	p := &page{id: id, flags: native.Uint16(data[8:]), count: int(native.Uint16(data[10:])), data: data}
	p.elementsEnd = pageHeader + p.count*elementSize
	if p.flags != flagFreelist && p.elementsEnd > len(data) {
		return nil, corrupt("page %d can't have %d elements", id, p.count)
	}
	return p, nil
}

// bytes returns size bytes of the page, offset bytes behind element i.
func (p *page) bytes(i int, offset, size uint64) ([]byte, error) {
	start := uint64(pageHeader+i*elementSize) + offset
	if start < uint64(p.elementsEnd) || start+size > uint64(len(p.data)) {
		return nil, corrupt("element %d of page %d lies outside of it", i, p.id)
	}
	return p.data[start : start+size : start+size], nil
}

func (p *page) branch(i int) (key []byte, child uint64, err error) {
	e := p.data[pageHeader+i*elementSize:]
	key, err = p.bytes(i, uint64(native.Uint32(e)), uint64(native.Uint32(e[4:])))
	return key, native.Uint64(e[8:]), err
}

func (p *page) leaf(i int) (entry, error) {
	e := p.data[pageHeader+i*elementSize:]
	flags, offset := native.Uint32(e), uint64(native.Uint32(e[4:]))
	keySize, valueSize := uint64(native.Uint32(e[8:])), uint64(native.Uint32(e[12:]))
	if flags > 1 {
		return entry{}, corrupt("element %d of page %d is of an unknown kind", i, p.id)
	}
	b, err := p.bytes(i, offset, keySize+valueSize)
	if err != nil {
		return entry{}, err
	}
	return entry{key: b[:keySize:keySize], value: b[keySize:], bucket: flags == 1}, nil
}
