package alipayplus

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"log/slog"
	"unicode/utf8"
	"unique"
)

// Secret is a text that must not reach a log: an access token, an
// authorization or payment code, a scanned code value, a login id. Every way of
// printing it (any fmt verb, slog, an error, also from inside an unexported
// field) shows "[redacted]" or an address. Its JSON is the text itself, because
// messages are sent and stored with it.
//
// So mind who makes JSON: slog.JSONHandler encodes a struct, slice or map that
// has no method LogValue as json.Marshal does, Secrets in it included. Log the
// messages of this SDK one by one, they have that method; give it to your own
// types that hold a Secret.
//
// Secrets are comparable with == and usable as map keys. The zero Secret is
// absent; it equals Conceal("").
type Secret struct {
	// A handle is a pointer: fmt never follows a nested pointer, and equal
	// texts have equal pointers.
	h unique.Handle[string]
}

// Conceal makes a Secret of s.
func Conceal(s string) Secret {
	if s == "" {
		return Secret{}
	}
	return Secret{unique.Make(s)}
}

// Reveal is the text.
func (s Secret) Reveal() string {
	if s.IsZero() {
		return ""
	}
	return s.h.Value()
}

// Digest is the lower-case hexadecimal SHA-256 of the text, 64 characters: what
// to store, to log and to key by. The digest of the zero Secret is "".
func (s Secret) Digest() string {
	if s.IsZero() {
		return ""
	}
	sum := sha256.Sum256([]byte(s.h.Value()))
	return hex.EncodeToString(sum[:])
}

// IsZero reports whether s is absent.
func (s Secret) IsZero() bool { return s == Secret{} }

// Equal reports whether both hold the same text, like ==.
func (s Secret) Equal(t Secret) bool { return s == t }

const redacted = "[redacted]"

// String is "[redacted]", or "" for the zero Secret.
func (s Secret) String() string {
	if s.IsZero() {
		return ""
	}
	return redacted
}

// GoString is String in quotes.
func (s Secret) GoString() string { return `"` + s.String() + `"` }

// LogValue is String for log/slog.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalJSON is the text as a JSON string, null for the zero Secret.
func (s Secret) MarshalJSON() ([]byte, error) {
	if s.IsZero() {
		return []byte("null"), nil
	}
	if !utf8.ValidString(s.h.Value()) {
		return nil, errors.New("alipayplus: a secret is not valid UTF-8")
	}
	return quoteJSON(s.h.Value())
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

// WireText is the text, for the check of its length.
func (s Secret) WireText() string { return s.Reveal() }

// scalarError says what a scalar should have been, never what it was.
type scalarError string

func (e scalarError) Error() string    { return "alipayplus: " + string(e) }
func (e scalarError) WireRule() string { return string(e) }

// scalarText is the text of a JSON string, number or boolean, "" for null.
func scalarText(data []byte) (string, error) {
	if len(data) == 0 {
		return "", scalarError("is empty")
	}
	switch data[0] {
	case '"':
		var text string
		if json.Unmarshal(data, &text) != nil {
			return "", scalarError("is not a JSON string")
		}
		return text, nil
	case '{', '[':
		return "", scalarError("is not a string")
	case 'n':
		return "", nil
	}
	return string(data), nil
}

// quoteJSON is text as a JSON string, without the escapes for HTML that
// encoding/json would add.
func quoteJSON(text string) ([]byte, error) {
	if isPlain(text) {
		out := make([]byte, 0, len(text)+2)
		out = append(out, '"')
		out = append(out, text...)
		return append(out, '"'), nil
	}
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(text)
	return bytes.TrimSuffix(out.Bytes(), []byte("\n")), err
}

// isPlain reports whether text is ASCII that JSON takes as it stands: nearly all
// texts of the protocol.
func isPlain(text string) bool {
	for i := range len(text) {
		if c := text[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}
