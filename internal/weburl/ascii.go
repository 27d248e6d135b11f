package weburl

import "unicode/utf8"

// Hosts and schemes are compared in ASCII: only its letters have another case.
// U+212A, the sign of the kelvin, which Unicode folds to k, is no k.

const (
	letters = "abcdefghijklmnopqrstuvwxyz"
	digits  = "0123456789"
)

func lowerASCII(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		c += 'a' - 'A'
	}
	return c
}

func lower(text string) string {
	b := []byte(text)
	for i, c := range b {
		b[i] = lowerASCII(c)
	}
	return string(b)
}

func isLowerASCII(text string) bool {
	for i := range len(text) {
		if text[i] != lowerASCII(text[i]) {
			return false
		}
	}
	return true
}

func equalFoldASCII(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range len(a) {
		if lowerASCII(a[i]) != lowerASCII(b[i]) {
			return false
		}
	}
	return true
}

func isASCII(text string) bool {
	for i := range len(text) {
		if text[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
