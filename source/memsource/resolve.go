package memsource

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/dirbridge/dirbridge/source"
)

// Resolve finds objects by ID, DN, userPrincipalName, sAMAccountName or mail.
// See [source.Resolver]. It looks at every object.
func (s *Source) Resolve(ctx context.Context, name string) ([]source.ID, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("resolve in %s: %w", s.name, err)
	}
	if name == "" {
		return nil, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var ids []source.ID
	for id, e := range s.entries {
		if e.state == live && s.called(e, name) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids, nil
}

// called reports whether name means e.
// s.mu is held.
func (s *Source) called(e *entry, name string) bool {
	if strings.EqualFold(string(e.id), name) || strings.EqualFold(s.place(e), name) {
		return true
	}
	a := e.attrs.unpack(s.names.list)
	return slices.ContainsFunc([]string{"userPrincipalName", "sAMAccountName", "mail"}, func(n string) bool {
		return slices.ContainsFunc(a[n], func(v string) bool { return strings.EqualFold(v, name) })
	})
}
