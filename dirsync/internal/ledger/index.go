package ledger

import (
	"context"
	"slices"
	"strings"

	"github.com/dirbridge/dirbridge/source"
)

// Claimants returns the objects that want value, by ID. They stand in one
// record, since nearly every value has one claimant: a look costs one Get.
func (l *Ledger) Claimants(ctx context.Context, attr, value string) ([]source.ID, error) {
	v, err := l.Get(ctx, l.keys.claim(attr, value))
	if len(v) == 0 || err != nil {
		return nil, err
	}
	var ids []source.ID
	for id := range strings.SplitSeq(string(v), "\n") {
		ids = append(ids, source.ID(id))
	}
	return ids, nil
}

// SetClaim keeps that id wants value. An empty value is nothing to want.
func (l *Ledger) SetClaim(ctx context.Context, attr, value string, id source.ID) error {
	return l.editClaim(ctx, attr, value, func(ids []source.ID) []source.ID {
		i, found := slices.BinarySearch(ids, id)
		if found {
			return ids
		}
		return slices.Insert(ids, i, id)
	})
}

// ClearClaim keeps that id doesn't want value any more.
func (l *Ledger) ClearClaim(ctx context.Context, attr, value string, id source.ID) error {
	return l.editClaim(ctx, attr, value, func(ids []source.ID) []source.ID {
		i, found := slices.BinarySearch(ids, id)
		if !found {
			return ids
		}
		return slices.Delete(ids, i, i+1)
	})
}

func (l *Ledger) editClaim(ctx context.Context, attr, value string, edit func([]source.ID) []source.ID) error {
	if value == "" {
		return nil
	}
	ids, err := l.Claimants(ctx, attr, value)
	if err != nil {
		return err
	}
	ids = edit(ids)
	if len(ids) == 0 {
		l.Remove(l.keys.claim(attr, value))
		return nil
	}
	var b strings.Builder
	for i, id := range ids {
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(string(id))
	}
	l.Put(l.keys.claim(attr, value), []byte(b.String()))
	return nil
}

// Holder returns which of our objects has value at the target, "" if none has.
func (l *Ledger) Holder(ctx context.Context, attr, value string) (source.ID, error) {
	v, err := l.Get(ctx, l.keys.held(attr, value))
	return source.ID(v), err
}

// SetHolder keeps that id has value at the target, instead of old. Empty values
// are none.
func (l *Ledger) SetHolder(ctx context.Context, attr, old, value string, id source.ID) error {
	if old != "" && !SameName(attr, old, value) {
		if now, err := l.Holder(ctx, attr, old); err != nil {
			return err
		} else if now == id {
			l.Remove(l.keys.held(attr, old))
		}
	}
	if value != "" {
		l.Put(l.keys.held(attr, value), []byte(id))
	}
	return nil
}

// SetSuffix moves id from the domain old to the domain suffix.
func (l *Ledger) SetSuffix(old, suffix string, id source.ID) {
	if old == suffix {
		return
	}
	if old != "" {
		l.Remove(l.keys.suffix(old) + string(id))
	}
	if suffix != "" {
		l.Put(l.keys.suffix(suffix)+string(id), []byte{1})
	}
}

// Suffixes calls f for every object by the domain of its login ID, in the order
// of the domains, for those domains that want says yes to.
func (l *Ledger) Suffixes(ctx context.Context, want func(domain string) bool, f func(source.ID) error) error {
	for rec, err := range l.Scan(ctx, l.keys.suffixes()) {
		if err != nil {
			return err
		}
		rest := strings.TrimPrefix(rec.Key, l.keys.suffixes())
		domain, id, _ := strings.Cut(rest, "/")
		if !want(unfold(domain)) {
			continue
		}
		if err := f(source.ID(id)); err != nil {
			return err
		}
	}
	return nil
}
