package boltstate

import (
	"bytes"
	"fmt"
	"math"
)

// bucket visits the entries of the bucket whose header is given, in key order.
func (img *image) bucket(header []byte, visit func(entry) error) error {
	if len(header) < bucketSize {
		return corrupt("a bucket of %d bytes", len(header))
	}
	w := walk{img: img, visit: visit}
	if root := native.Uint64(header); root != 0 {
		return w.tree(root, nil, nil)
	}
	p, err := parsePage(0, header[bucketSize:])
	if err != nil {
		return err
	}
	if p.flags != flagLeaf {
		return corrupt("an inline bucket that isn't a leaf")
	}
	return w.page(p, nil, nil)
}

// A walk goes through one bucket.
type walk struct {
	img   *image
	visit func(entry) error
	last  []byte // key of the last entry visited; nil before the first
}

// tree visits what is below page id. Its first key is low, all are less than
// high; nil is any.
func (w *walk) tree(id uint64, low, high []byte) error {
	p, err := w.img.read(id)
	if err != nil {
		return err
	}
	if err := w.page(p, low, high); err != nil {
		return err
	}
	if p.flags == flagLeaf && len(p.data) == w.img.pageSize { // nothing else refers to it
		w.last, w.img.spare = bytes.Clone(w.last), p.data
	}
	return nil
}

func (w *walk) page(p *page, low, high []byte) error {
	if low != nil && p.count == 0 {
		return corrupt("page %d is empty", p.id)
	}
	switch {
	case p.flags == flagLeaf:
		for i := range p.count {
			e, err := p.leaf(i)
			if err != nil {
				return err
			}
			if err := w.inOrder(p, i, e.key, low, high); err != nil {
				return err
			}
			if err := w.visit(e); err != nil {
				return err
			}
			w.last = e.key
		}
		return nil
	case p.flags == flagBranch && p.count > 0:
		key, child, err := p.branch(0)
		for i := range p.count {
			if err != nil {
				return err
			}
			if err := w.inOrder(p, i, key, low, high); err != nil {
				return err
			}
			next, nextChild, bound := []byte(nil), uint64(0), high
			if i+1 < p.count {
				if next, nextChild, err = p.branch(i + 1); err != nil {
					return err
				}
				bound = next
			}
			if err := w.tree(child, key, bound); err != nil {
				return err
			}
			key, child = next, nextChild
		}
		return nil
	}
	return corrupt("page %d is neither branch nor leaf", p.id)
}

// inOrder checks the place of key i of page p. The first key of a page must be the
// one that the branch above has for it: bbolt finds the branch's element by it
// when it writes the page anew, and would leave the old element there, too.
func (w *walk) inOrder(p *page, i int, key, low, high []byte) error {
	switch {
	case w.last != nil && bytes.Compare(key, w.last) <= 0, high != nil && bytes.Compare(key, high) >= 0:
		return corrupt("page %d holds the key %.100q out of order", p.id, key)
	case i == 0 && low != nil && !bytes.Equal(key, low):
		return corrupt("page %d begins with the key %.100q, but the page above says %.100q", p.id, key, low)
	}
	return nil
}

// free checks the list of free pages: bbolt will overwrite them. To be called
// after all buckets were walked. A page that is neither used nor free is
// lost, but nothing is wrong with it.
func (img *image) free() error {
	if img.freelist == noFreelist {
		return nil
	}
	p, err := img.read(img.freelist)
	if err != nil {
		return err
	}
	if p.flags != flagFreelist {
		return corrupt("page %d isn't the list of free pages", p.id)
	}
	ids, count := p.data[pageHeader:], uint64(p.count)
	if count == math.MaxUint16 { // too many: the number is where the first id would be
		count, ids = native.Uint64(ids), ids[8:]
	}
	if count > uint64(len(ids))/8 {
		return corrupt("%d free pages don't fit into their list", count)
	}
	for i := range count {
		if err := img.claim(native.Uint64(ids[8*i:])); err != nil {
			return fmt.Errorf("free page: %w", err)
		}
	}
	return nil
}
