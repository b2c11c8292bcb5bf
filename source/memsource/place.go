package memsource

import (
	"strings"

	"github.com/dirbridge/dirbridge/source"
)

// Move puts the object into another container, under its old name.
func (s *Source) Move(id, parent source.ID) bool {
	return s.Edit(id, func(o *source.Object) { o.Parent = parent })
}

// lay gives e its place: dn, or if that is empty the old one or one made up. s.mu
// is held.
func (s *Source) lay(e *entry, dn string, attrs source.Attributes, old *entry) {
	in := s.entries[e.parent]
	if in != nil && in.kind != source.Container {
		in = nil
	}
	name := "" // within in
	switch {
	case old != nil && old.state != deleted && (dn == "" || dn == s.place(old)):
		if dn = s.place(old); old.parent != e.parent {
			name = first(dn)
		} else if old.rdn {
			name = old.dn
		}
	case dn == "":
		name = rdn(e.id, e.kind, attrs)
		dn = name + ",OU=People,DC=mem"
	case in != nil:
		name, _ = strings.CutSuffix(dn, ","+s.place(in))
		if name == dn {
			name = ""
		}
	}
	if in == nil || name == "" {
		e.dn = dn
		return
	}
	e.dn, e.rdn = name, true
}

// first returns the first part of dn.
func first(dn string) string {
	for i := 0; i < len(dn); i++ {
		switch dn[i] {
		case '\\':
			i++
		case ',':
			return dn[:i]
		}
	}
	return dn
}

// rdn makes a name up.
func rdn(id source.ID, kind source.Kind, a source.Attributes) string {
	names := []string{a.First("cn"), a.First("displayName"), string(id)}
	key := "CN="
	if kind == source.Container {
		key, names = "OU=", append([]string{a.First("ou"), a.First("name")}, names...)
	}
	for names[0] == "" {
		names = names[1:]
	}
	var b strings.Builder
	for _, r := range names[0] {
		if strings.ContainsRune(`,+"\\<>;=#`, r) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return key + b.String()
}
