package memsource_test

import (
	"context"
	"errors"
	"testing"

	"github.com/dirbridge/dirbridge/source"
	"github.com/dirbridge/dirbridge/source/memsource"
	"github.com/dirbridge/dirbridge/source/sourcetest"
)

func TestContract(t *testing.T) {
	for name, opts := range map[string]*memsource.Options{"defaults": nil, "a checkpoint after each object": {CheckpointEvery: 1, MaxReferences: 3}} {
		t.Run(name, func(t *testing.T) {
			sourcetest.Run(t, func(t *testing.T) sourcetest.Directory { return directory(memsource.New("corp", opts)) })
		})
	}
}

func directory(src *memsource.Source) sourcetest.Directory {
	done := func(hand func(source.ID) bool) func(source.ID) error {
		return func(id source.ID) error {
			if !hand(id) {
				return errors.New("no such object")
			}
			return nil
		}
	}
	return sourcetest.Directory{
		Source:   src,
		Put:      func(o source.Object) (source.ID, error) { return src.Put(o), nil },
		Remove:   done(src.Remove),
		Rename:   func(id source.ID, name string) error { src.Rename(id, "CN="+name); return nil },
		MoveOut:  done(src.MoveOut),
		MoveIn:   done(src.MoveIn),
		Undelete: done(src.Undelete),
		Group: func(o source.Object) (source.ID, error) {
			id := src.Put(o)
			src.Refer(id, "member") // from now on groups have members
			return id, nil
		},
		Refer: func(id source.ID, attribute string, add, remove []source.ID) error {
			src.Unrefer(id, attribute, remove...)
			src.Refer(id, attribute, add...)
			return nil
		},
		Container: func(name string, parent source.ID) (source.ID, error) {
			return src.Put(source.Object{Kind: source.Container, Parent: parent, Attributes: source.Attributes{"ou": {name}}}), nil
		},
		Place: func(id, container source.ID) error { src.Move(id, container); return nil },
		Foreign: func() (source.Watermark, error) {
			for e := range memsource.New("corp", nil).All(context.Background()) {
				return e.Watermark, nil
			}
			return "", errors.New("no checkpoint")
		},
	}
}
