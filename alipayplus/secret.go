package alipayplus

import (
	"crypto/sha256"
	"crypto/subtle"
	"database/sql/driver"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"

	"github.com/alipayplus-mpp/alipayplus-go/internal/wire"
)

// Secret is a text that must not reach a log: an access token, an
// authorization or payment code, a scanned code value, a login id. Every way of
// printing it (any fmt verb, slog, an error, a template) shows "[redacted]", or
// an address where it is in an unexported field.
//
// Encoding it fails, as JSON (and so in slog's JSON handler), as text and as a
// parameter of a SQL statement, unless it is zero: nothing leaks, and nothing
// is stored redacted by accident. The error names what to use: [Marshal] for a
// message, MarshalBinary for a record to store, [Loggable] for a log, Reveal
// for the text itself. Decoding it from JSON works.
//
// Secrets are compared with Equal, == does not compile. To look one up, use its
// Digest as the key. The zero Secret is absent; it equals Conceal("").
type Secret struct{ heldText }

type heldText = wire.Held[string]

// Conceal makes a Secret of s.
func Conceal(s string) Secret {
	if s == "" {
		return Secret{}
	}
	return Secret{wire.Hold(s)}
}

// Reveal returns the text.
func (s Secret) Reveal() string { return wire.Look(s.heldText) }

// Digest returns the lower-case hexadecimal SHA-256 of the text, 64 characters:
// what to store, to log and to key by. The digest of the zero Secret is "".
func (s Secret) Digest() string {
	if s.IsZero() {
		return ""
	}
	sum := sha256.Sum256([]byte(s.Reveal()))
	return hex.EncodeToString(sum[:])
}

// IsZero reports whether s is absent.
func (s Secret) IsZero() bool { return s.Reveal() == "" }

// Equal reports whether both hold the same text, in a time that does not depend
// on where they differ.
func (s Secret) Equal(t Secret) bool {
	return subtle.ConstantTimeCompare([]byte(s.Reveal()), []byte(t.Reveal())) == 1
}

const redacted = "[redacted]"

// String returns "[redacted]", or "" for the zero Secret.
func (s Secret) String() string {
	if s.IsZero() {
		return ""
	}
	return redacted
}

// Format prints String for every verb.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) }

// LogValue returns String for log/slog.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// errConcealed is the error of everything that would write a Secret by the way.
var errConcealed = errors.New("alipayplus: a secret is not written here: use alipayplus.Marshal for a message, " +
	"MarshalBinary for a record, alipayplus.Loggable for a log, Reveal for the value itself")

// MarshalJSON fails, unless s is zero; see [Marshal].
func (s Secret) MarshalJSON() ([]byte, error) {
	if !s.IsZero() {
		return nil, errConcealed
	}
	return []byte("null"), nil
}

// MarshalText fails, unless s is zero.
func (s Secret) MarshalText() ([]byte, error) {
	if !s.IsZero() {
		return nil, errConcealed
	}
	return nil, nil
}

// Value fails, unless s is zero: a column gets the Digest, or what Reveal
// returns after it was encrypted.
func (s Secret) Value() (driver.Value, error) {
	if !s.IsZero() {
		return nil, errConcealed
	}
	return nil, nil
}

// UnmarshalJSON reads a JSON string; a number or a boolean is kept as its text.
func (s *Secret) UnmarshalJSON(data []byte) error {
	text, err := scalarText(data)
	if err != nil {
		return err
	}
	*s = Conceal(text)
	return nil
}
