package memsource

import (
	"encoding/binary"
	"maps"
	"slices"

	"github.com/dirbridge/dirbridge/source"
)

// packed is an object's attributes in one string, a third of what a map takes:
// for each attribute its number in names, how many values, and each value with
// its length before it. Values handed out are parts of the string, which never
// changes.
type packed string

// names numbers the attribute names of a directory. The list only grows.
type names struct {
	list  []string
	index map[string]int
}

func (n *names) number(name string) int {
	i, ok := n.index[name]
	if !ok {
		if n.index == nil {
			n.index = map[string]int{}
		}
		i = len(n.list)
		n.index[name] = i
		n.list = append(n.list, name)
	}
	return i
}

// pack writes a down. Equal attributes give equal strings.
func (n *names) pack(a source.Attributes) packed {
	var b []byte
	for _, name := range slices.Sorted(maps.Keys(a)) {
		b = binary.AppendUvarint(b, uint64(n.number(name)))
		b = binary.AppendUvarint(b, uint64(len(a[name])))
		for _, v := range a[name] {
			b = binary.AppendUvarint(b, uint64(len(v)))
			b = append(b, v...)
		}
	}
	return packed(b)
}

// unpack returns the attributes as a map of the caller's own.
func (p packed) unpack(names []string) source.Attributes {
	attrs, values := p.count()
	a, all := make(source.Attributes, attrs), make([]string, values)
	for len(p) > 0 {
		name, n := names[p.uvarint()], p.uvarint()
		vs := all[:n:n] // full: appending to one attribute doesn't reach the next
		all = all[n:]
		for i := range vs {
			size := p.uvarint()
			vs[i] = string(p[:size])
			p = p[size:]
		}
		a[name] = vs
	}
	return a
}

// count says how many attributes and values there are.
func (p packed) count() (attrs, values int) {
	for len(p) > 0 {
		p.uvarint()
		n := p.uvarint()
		for range n {
			size := p.uvarint()
			p = p[size:]
		}
		attrs, values = attrs+1, values+n
	}
	return attrs, values
}

// uvarint takes a number off the front.
func (p *packed) uvarint() int {
	var v uint64
	for i := 0; ; i++ {
		c := (*p)[i]
		v |= uint64(c&0x7f) << (7 * i)
		if c < 0x80 {
			*p = (*p)[i+1:]
			return int(v)
		}
	}
}
