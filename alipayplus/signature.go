package alipayplus

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
)

// ErrSignature is the cause of every error of a signature that does not verify:
// a malformed header, another algorithm, other content, another key. The error
// text names the rule that is broken. Match it with errors.Is.
var ErrSignature = errors.New("alipayplus: signature does not verify")

func signatureError(rule string) error { return fmt.Errorf("%w: %s", ErrSignature, rule) }

const maxSignatureText = 2048

func formatSignature(version string, signature []byte) string {
	text := percentEncoder.Replace(base64.StdEncoding.EncodeToString(signature))
	return "algorithm=RSA256,keyVersion=" + version + ",signature=" + text
}

var percentEncoder = strings.NewReplacer("+", "%2B", "/", "%2F", "=", "%3D")

// parseSignature reads a Signature header. rule is the rule that it breaks, ""
// if none.
func parseSignature(header string) (version string, signature []byte, rule string) {
	if header == "" {
		return "", nil, "the Signature header is missing or empty"
	}
	if len(header) > maxSignatureText {
		return "", nil, "the Signature header is longer than 2048 bytes"
	}
	var seenAlgorithm, seenVersion, seenSignature bool
	for rest, more := header, true; more; {
		var item string
		item, rest, more = strings.Cut(rest, ",")
		name, value, ok := strings.Cut(strings.Trim(item, " "), "=")
		if !ok {
			return "", nil, "an item of the Signature header has no ="
		}
		switch {
		case sameWord(name, "algorithm"):
			if seenAlgorithm {
				return "", nil, "the Signature header has a second algorithm"
			}
			seenAlgorithm = true
			if !sameWord(value, "RSA256") {
				return "", nil, "the algorithm is not RSA256"
			}
		case sameWord(name, "keyVersion"):
			if seenVersion {
				return "", nil, "the Signature header has a second keyVersion"
			}
			seenVersion = true
			if !validKeyVersion(value) {
				return "", nil, "the keyVersion is not 1 to 9 digits"
			}
			version = value
		case sameWord(name, "signature"):
			if seenSignature {
				return "", nil, "the Signature header has a second signature"
			}
			seenSignature = true
			if signature, ok = decodeSignature(value); !ok {
				return "", nil, "the signature is not one canonical base64 text"
			}
		default:
			return "", nil, "the Signature header has an unknown item"
		}
	}
	if !seenSignature {
		return "", nil, "the Signature header has no signature"
	}
	return version, signature, ""
}

// sameWord compares with an ASCII word in any case. strings.EqualFold alone
// takes ſ for s.
func sameWord(text, word string) bool {
	return len(text) == len(word) && strings.EqualFold(text, word)
}

// decodeSignature reads percent-encoded, plain or url-safe base64, padded or
// not. It refuses every text but the canonical ones, because encoding/base64
// skips line ends and a signature must not have two spellings.
func decodeSignature(value string) ([]byte, bool) {
	// Normalize to unpadded standard base64.
	text := make([]byte, 0, len(value))
	for i := 0; i < len(value); i++ {
		c := value[i]
		if c == '%' {
			if i+2 >= len(value) {
				return nil, false
			}
			high, low := unhex(value[i+1]), unhex(value[i+2])
			if high > 15 || low > 15 {
				return nil, false
			}
			c = high<<4 | low
			i += 2
		}
		text = append(text, c)
	}
	padded := len(text)
	for len(text) > 0 && text[len(text)-1] == '=' {
		text = text[:len(text)-1]
	}
	if pad := padded - len(text); pad != 0 && (pad > 2 || padded%4 != 0) {
		return nil, false
	}
	var standard, urlSafe bool
	for i, c := range text {
		switch {
		case c == '+' || c == '/':
			standard = true
		case c == '-':
			text[i], urlSafe = '+', true
		case c == '_':
			text[i], urlSafe = '/', true
		case 'A' <= c && c <= 'Z', 'a' <= c && c <= 'z', '0' <= c && c <= '9':
		default: // line ends, too
			return nil, false
		}
	}
	if standard && urlSafe || len(text) == 0 || base64.RawStdEncoding.DecodedLen(len(text)) > maxKeyBits/8 {
		return nil, false
	}
	// Strict demands that the unused bits of the last character are zero.
	out, err := base64.RawStdEncoding.Strict().DecodeString(string(text))
	return out, err == nil
}

func unhex(c byte) byte {
	switch {
	case '0' <= c && c <= '9':
		return c - '0'
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10
	case 'A' <= c && c <= 'F':
		return c - 'A' + 10
	}
	return 0xff
}
