package memstate

import (
	"fmt"
	"unicode/utf8"

	"github.com/dirbridge/dirbridge/state"
)

// The limits that [state.Record] sets.
const (
	maxKey   = 1024
	maxValue = 16 << 20
)

func validKey(key string) error {
	switch {
	case key == "":
		return fmt.Errorf("empty key")
	case len(key) > maxKey:
		return fmt.Errorf("key %.40q... has %d bytes, the limit is %d", key, len(key), maxKey)
	case !utf8.ValidString(key):
		return fmt.Errorf("key %q isn't valid UTF-8", key)
	}
	return nil
}

func validWrites(writes []state.Write) error {
	for _, w := range writes {
		if err := validKey(w.Key); err != nil {
			return err
		}
		if !w.Delete && len(w.Value) > maxValue {
			return fmt.Errorf("value of %q has %d bytes, the limit is %d", w.Key, len(w.Value), maxValue)
		}
	}
	return nil
}
