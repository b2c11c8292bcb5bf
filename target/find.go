package target

import (
	"context"
	"strings"
)

// A Key is something by which objects are looked up. Exactly one field is set.
type Key struct {
	ID                ID
	Anchor            string
	UserPrincipalName string
	Mail              string
	MailNickname      string // of a Microsoft 365 group; other groups and people aren't looked for by it
}

// fold gives keys that match the same objects the same form: names compare
// without case.
func (k Key) fold() Key {
	k.UserPrincipalName = strings.ToLower(k.UserPrincipalName)
	k.Mail = strings.ToLower(k.Mail)
	k.MailNickname = strings.ToLower(k.MailNickname)
	return k
}

// keys are all the keys that o matches.
func keys(o Object) []Key {
	nickname := ""
	if o.Kind == Group && o.Attributes.Microsoft365() {
		nickname = o.Attributes.First(AttrMailNickname)
	}
	return []Key{
		{ID: o.ID}, {Anchor: o.Anchor},
		Key{UserPrincipalName: o.Attributes.First(AttrUserPrincipalName)}.fold(),
		Key{Mail: o.Attributes.First(AttrMail)}.fold(),
		Key{MailNickname: nickname}.fold(),
	}
}

// A Finder can look live objects up by a key.
type Finder interface {
	Target

	// Find returns for each key the live objects that match it, none if there
	// are none, in the order of keys. A target may lag behind its own writes:
	// nothing found isn't proof of absence.
	Find(ctx context.Context, kind Kind, keys []Key) ([][]Object, error)
}

// Find looks wanted up in t. For a target that is no [Finder] it reads all
// objects once.
func Find(ctx context.Context, t Target, kind Kind, wanted []Key) ([][]Object, error) {
	if len(wanted) == 0 {
		return nil, nil
	}
	if f, ok := t.(Finder); ok {
		return f.Find(ctx, kind, wanted)
	}
	want := make(map[Key][]int, len(wanted))
	for i, k := range wanted {
		want[k.fold()] = append(want[k.fold()], i)
	}
	out := make([][]Object, len(wanted))
	for o, err := range t.Current(ctx) {
		if err != nil {
			return nil, err
		}
		if o.Kind != kind {
			continue
		}
		for _, k := range keys(o) {
			if k == (Key{}) {
				continue
			}
			for _, i := range want[k] {
				found := o
				found.Attributes = o.Attributes.Clone()
				out[i] = append(out[i], found)
			}
		}
	}
	return out, nil
}
