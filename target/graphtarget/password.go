package graphtarget

import (
	"crypto/rand"
	"fmt"
	"log/slog"
	"math/big"
)

// A Password is the first password of a new account. It prints, logs and
// marshals as "[secret]"; only [Password.Reveal] gives it away.
//
// The secret sits behind a pointer, so that not even a struct that holds a
// Password prints it.
type Password struct{ secret *string }

// NewPassword wraps a password of the caller's own making.
func NewPassword(secret string) Password { return Password{&secret} }

// Reveal returns the password itself.
func (p Password) Reveal() string {
	if p.secret == nil {
		return ""
	}
	return *p.secret
}

const redacted = "[secret]"

// String returns "[secret]".
func (p Password) String() string { return redacted }

// Format writes "[secret]", whatever the verb.
func (p Password) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(redacted)) }

// LogValue returns "[secret]".
func (p Password) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText returns "[secret]".
func (p Password) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// passwordLength is how long a random password is: about 190 bits.
const passwordLength = 32

// RandomPassword makes a password of 32 characters with upper and lower case
// letters, digits and punctuation, each of them at least once, from
// crypto/rand. It is what a create sends unless [Options.NewPassword] is set.
func RandomPassword() (Password, error) {
	// Without those that are taken for each other when read aloud or copied.
	classes := []string{"ABCDEFGHJKLMNPQRSTUVWXYZ", "abcdefghijkmnopqrstuvwxyz", "23456789", "!#$%*+-.:=?@_~"}
	var all string
	for _, class := range classes {
		all += class
	}
	out := make([]byte, 0, passwordLength)
	for i := range passwordLength {
		from := all
		if i < len(classes) {
			from = classes[i]
		}
		n, err := random(len(from))
		if err != nil {
			return Password{}, err
		}
		out = append(out, from[n])
	}
	for i := len(out) - 1; i > 0; i-- { // the first four mustn't give their class away
		j, err := random(i + 1)
		if err != nil {
			return Password{}, err
		}
		out[i], out[j] = out[j], out[i]
	}
	return NewPassword(string(out)), nil
}

// random is uniform over [0, n).
func random(n int) (int, error) {
	v, err := rand.Int(rand.Reader, big.NewInt(int64(n)))
	if err != nil {
		return 0, fmt.Errorf("read random bytes: %w", err)
	}
	return int(v.Int64()), nil
}
