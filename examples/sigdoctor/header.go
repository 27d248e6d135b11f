package main

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/url"
	"strings"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
)

// reading is one way to understand a Signature header.
type reading struct {
	hint      string // of the mistake that it takes for granted, "" for none
	signature []byte
}

func (r reading) hints(more ...string) []string {
	if r.hint == "" {
		return more
	}
	return append([]string{r.hint}, more...)
}

// headerMistakes are undone on the header's text, most specific first.
var headerMistakes = []struct {
	hint string
	undo func(header string) string
}{
	{"plus-to-space", func(header string) string {
		before, value, after := splitSignature(header)
		return before + strings.NewReplacer(" ", "%2B", "%20", "%2B").Replace(value) + after
	}},
	{"double-encoded", func(header string) string {
		before, value, after := splitSignature(header)
		for range 3 {
			if once, err := url.PathUnescape(value); err == nil {
				value = once
			}
		}
		return before + value + after
	}},
	{"base64url", func(header string) string { // in part only; all of it verifies
		before, value, after := splitSignature(header)
		return before + strings.NewReplacer("-", "+", "_", "/").Replace(value) + after
	}},
	{"header-grammar", func(header string) string {
		if raw, err := hex.DecodeString(valueIn(header)); err == nil {
			return canonical(raw)
		}
		return canonical(signatureIn(header))
	}},
}

// readings returns the ways to understand header that are worth a look: as it
// is if the protocol takes it, and with each mistake undone.
func readings(header string, keys *alipayplus.KeyRing) []reading {
	var all []reading
	if accepted(header, keys) {
		all = append(all, reading{"", signatureIn(header)})
	}
	for _, m := range headerMistakes {
		if fixed := m.undo(header); fixed != header && accepted(fixed, keys) {
			all = append(all, reading{m.hint, signatureIn(fixed)})
		}
	}
	return all
}

// accepted reports whether a verifier takes the grammar of header: over a text
// that nobody signed it fails for the same reason as the canonical header of
// the same signature.
func accepted(header string, keys *alipayplus.KeyRing) bool {
	nobodys := alipayplus.Content{Method: "POST", Target: "/", ClientID: "-", Time: "0", Body: []byte("{}")}
	signature := signatureIn(header)
	return len(signature)*8 >= minSignatureBits &&
		fmt.Sprint(nobodys.Verify(header, keys)) == fmt.Sprint(nobodys.Verify(canonical(signature), keys))
}

// minSignatureBits keeps words from being taken for signatures.
const minSignatureBits = 512

// canonical returns the header as the protocol wants it.
func canonical(signature []byte) string {
	return "algorithm=RSA256,keyVersion=1,signature=" + url.QueryEscape(base64.StdEncoding.EncodeToString(signature))
}

// splitSignature cuts header around the value after the last "signature=", in
// any case. Without one it is all value.
func splitSignature(header string) (before, value, after string) {
	const name = "signature="
	value = header
	if at := strings.LastIndex(strings.ToLower(header), name); at >= 0 && at+len(name) <= len(header) {
		before, value = header[:at+len(name)], header[at+len(name):]
	}
	if end := strings.IndexByte(value, ','); end >= 0 && before != "" {
		value, after = value[:end], value[end:]
	}
	return before, value, after
}

// signatureIn finds the signature in a header, well-formed or not.
func signatureIn(header string) []byte {
	value := strings.NewReplacer("-", "+", "_", "/").Replace(strings.TrimRight(valueIn(header), "="))
	raw, err := base64.RawStdEncoding.DecodeString(value)
	if err != nil {
		return nil
	}
	return raw
}

// valueIn returns the decoded text of the signature in a header, without what
// does not belong to it.
func valueIn(header string) string {
	_, value, _ := splitSignature(header)
	value = strings.TrimLeft(value, " \t\"'")
	if name, rest, ok := strings.Cut(value, ":"); ok && strings.EqualFold(strings.TrimSpace(name), "Signature") {
		value = rest // a header line of nothing but the value
	}
	if end := strings.IndexAny(value, ",;&\"'"); end >= 0 {
		value = value[:end]
	}
	if once, err := url.PathUnescape(value); err == nil {
		value = once
	}
	return strings.Join(strings.Fields(value), "")
}

// unusualForm names what is unusual in a header that verifies.
func unusualForm(header string) []string {
	_, value, _ := splitSignature(header)
	var hints []string
	if strings.ContainsAny(value, "-_") {
		hints = append(hints, "base64url")
	}
	if strings.ContainsAny(value, "+/=") {
		hints = append(hints, "percent-encoding")
	}
	return hints
}
