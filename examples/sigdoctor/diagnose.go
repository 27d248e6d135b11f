package main

import (
	"bytes"
	"crypto/rsa"
	"fmt"
	"slices"
	"strings"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
)

// diagnosis is what verify prints.
type diagnosis struct {
	Valid  bool     `json:"valid"`
	Reason string   `json:"reason"`
	Hints  []string `json:"hints"` // ids of SIGNATURES.md, never null
}

// diagnose verifies a signature, and if it does not verify searches for the
// mistakes that explain it. Its verdict is Content.Verify's; the search only
// explains.
func diagnose(content alipayplus.Content, header string, key, other *rsa.PublicKey) diagnosis {
	keys, err := alipayplus.NewKeyRing(map[string]*rsa.PublicKey{"1": key})
	if err != nil {
		return diagnosis{Reason: err.Error(), Hints: []string{}}
	}
	verdict := content.Verify(header, keys)
	if verdict == nil {
		if hints := unusualForm(header); len(hints) > 0 {
			return diagnosis{true, "it verifies, but it is not written as the documents show it", hints}
		}
		return diagnosis{true, "it verifies", []string{}}
	}

	headers := readings(header, keys)
	fits, otherFits := false, false
	for _, h := range headers {
		if made, ok := open(key, h.signature); ok {
			fits = true
			if hints, ok := explain(made, content); ok {
				return explained(verdict, h.hints(hints...))
			}
		} else if isPSS(key, h.signature, content) {
			return explained(verdict, h.hints("algorithm"))
		}
		if other == nil {
			continue
		}
		if made, ok := open(other, h.signature); ok {
			otherFits = true
			if hints, ok := explain(made, content); ok {
				return explained(verdict, h.hints(append([]string{"wrong-side"}, hints...)...))
			}
		}
	}

	reason := broken(verdict)
	switch {
	case len(headers) == 0:
		reason = rule(verdict)
	case fits:
		reason += "; it was made with this key, but over another text, and no known mistake explains which"
	case otherFits:
		reason += "; it was made with the other key, but over another text, and no known mistake explains which"
	case len(headers[0].signature) != key.Size():
		reason += fmt.Sprintf("; it has %d bytes, and with this key it would have %d", len(headers[0].signature), key.Size())
	case other != nil:
		reason += "; it was made with neither of the two keys"
	default:
		reason += "; it was made with another key"
	}
	return diagnosis{false, reason, []string{}}
}

// broken is the rule that the signature breaks, for a reason that goes on: what
// Content.Verify says of a text or a key that does not fit is less than what the
// search found.
func broken(verdict error) string {
	if text := rule(verdict); !strings.Contains(text, "with a known key") {
		return text
	}
	return "it does not verify"
}

// explained returns the diagnosis of a signature that verifies once everything
// that the hints name is undone.
func explained(verdict error, hints []string) diagnosis {
	if len(hints) == 0 { // the signature fits, but the protocol refuses the text
		return diagnosis{false, rule(verdict) + "; apart from that it was made over this text with this key", []string{}}
	}
	reason := broken(verdict) + "; it verifies if what the hint says is undone"
	if len(hints) > 1 {
		reason = broken(verdict) + "; it verifies if what the hints say is undone, all of it"
	}
	return diagnosis{false, reason, hints}
}

// explain searches for the mistakes between content and what was signed: none,
// one, or two together.
func explain(made opened, content alipayplus.Content) (hints []string, ok bool) {
	if made.foreign {
		hints = append(hints, "algorithm")
	}
	switch {
	case made.over(content):
		return hints, true
	case made.overDigestOf(content):
		return append(hints, "double-hash"), true
	}
	for _, m := range mistakes {
		if slices.ContainsFunc(m.undo(content), made.over) {
			return append(hints, m.hint), true
		}
	}
	// Undo the general one first: JSON that was written anew and has another line
	// end, not the other way round.
	for i, general := range mistakes {
		for _, c := range general.undo(content) {
			if general.alone || same(c, content) {
				continue
			}
			for _, m := range mistakes[:i] {
				if !m.alone && slices.ContainsFunc(m.undo(c), made.over) {
					return append(hints, m.hint, general.hint), true
				}
			}
		}
	}
	return nil, false
}

func same(a, b alipayplus.Content) bool {
	return a.Method == b.Method && a.Target == b.Target && a.ClientID == b.ClientID && a.Time == b.Time && bytes.Equal(a.Body, b.Body)
}
