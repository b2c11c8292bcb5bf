package state

import (
	"errors"
	"fmt"
	"unicode/utf8"
)

// The limits of a [Record], for stores.
const (
	MaxKey   = 1024     // bytes
	MaxValue = 16 << 20 // bytes
)

// ValidKey says what is wrong with key, nil if nothing is. For stores.
func ValidKey(key string) error {
	switch {
	case key == "":
		return errors.New("empty key")
	case len(key) > MaxKey:
		return fmt.Errorf("key %.40q... has %d bytes, the limit is %d", key, len(key), MaxKey)
	case !utf8.ValidString(key):
		return fmt.Errorf("key %q isn't valid UTF-8", key)
	}
	return nil
}

// ValidWrites says what is wrong with the first bad one of writes, nil if
// nothing is. For stores.
func ValidWrites(writes []Write) error {
	for _, w := range writes {
		if err := ValidKey(w.Key); err != nil {
			return err
		}
		if !w.Delete && len(w.Value) > MaxValue {
			return fmt.Errorf("value of %q has %d bytes, the limit is %d", w.Key, len(w.Value), MaxValue)
		}
	}
	return nil
}
