package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

func trailingNewlines(body []byte) [][]byte {
	bare := bytes.TrimRight(body, "\r\n")
	return [][]byte{bare, slices.Concat(bare, []byte("\n")), slices.Concat(bare, []byte("\r\n"))}
}

func byteOrderMarks(body []byte) [][]byte {
	mark := []byte("\xef\xbb\xbf")
	bare := bytes.TrimPrefix(body, mark)
	return [][]byte{bare, slices.Concat(mark, bare)}
}

// reserialized returns the forms that usual encoders give to the same JSON:
// members in their order or sorted, < > & escaped or not, compact, indented or
// with Python's spaces.
func reserialized(body []byte) (all [][]byte) {
	var compact bytes.Buffer
	if json.Compact(&compact, body) != nil {
		return nil
	}
	bases := [][]byte{compact.Bytes(), htmlEscaped(compact.Bytes())}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	var value any
	if decoder.Decode(&value) == nil {
		var sorted bytes.Buffer
		encoder := json.NewEncoder(&sorted)
		encoder.SetEscapeHTML(false)
		if encoder.Encode(value) == nil {
			text := bytes.TrimSuffix(sorted.Bytes(), []byte("\n"))
			bases = append(bases, text, htmlEscaped(text))
		}
	}
	for _, base := range bases {
		all = append(all, base, spaced(base))
		for _, indent := range []string{"  ", "    ", "\t"} {
			var indented bytes.Buffer
			if json.Indent(&indented, base, "", indent) == nil {
				all = append(all, indented.Bytes())
			}
		}
	}
	return all
}

func htmlEscaped(text []byte) []byte {
	var out bytes.Buffer
	json.HTMLEscape(&out, text)
	return out.Bytes()
}

// spaced puts a space after each comma and colon of compact JSON.
func spaced(compact []byte) []byte {
	out := make([]byte, 0, len(compact)+len(compact)/8)
	inString := false
	for i, c := range compact {
		out = append(out, c)
		switch {
		case c == '"' && !escapedAt(compact, i):
			inString = !inString
		case !inString && (c == ',' || c == ':'):
			out = append(out, ' ')
		}
	}
	return out
}

// escapedAt reports whether an odd number of backslashes precedes i.
func escapedAt(text []byte, i int) bool {
	odd := false
	for i--; i >= 0 && text[i] == '\\'; i-- {
		odd = !odd
	}
	return odd
}

func slashes(body []byte) [][]byte {
	bare := bytes.ReplaceAll(body, []byte(`\/`), []byte(`/`))
	return [][]byte{bare, bytes.ReplaceAll(bare, []byte(`/`), []byte(`\/`))}
}

// unicodeEscapes returns body without \u escapes, without those outside ASCII,
// and with everything outside ASCII as an escape.
func unicodeEscapes(body []byte) [][]byte {
	plain := unescaped(body, ' ')
	return [][]byte{
		plain, unescaped(body, utf8.RuneSelf),
		escaped(plain, `\u%04x`), escaped(plain, `\u%04X`),
		htmlEscaped(plain), htmlEscaped(body),
	}
}

// unescaped replaces the \u escapes of characters from least on.
func unescaped(body []byte, least rune) []byte {
	out := make([]byte, 0, len(body))
	for i := 0; i < len(body); {
		if body[i] != '\\' || i+1 == len(body) {
			out = append(out, body[i])
			i++
			continue
		}
		r, size := escapeAt(body[i:])
		if size == 0 || r < least || r == '"' || r == '\\' || !utf8.ValidRune(r) || r == utf8.RuneError {
			size = max(size, 2)
			out = append(out, body[i:i+size]...)
		} else {
			out = utf8.AppendRune(out, r)
		}
		i += size
	}
	return out
}

// escapeAt reads one \u escape, or the two of a surrogate pair; size is 0 if
// there is none.
func escapeAt(text []byte) (r rune, size int) {
	r, ok := hexEscape(text)
	if !ok {
		return 0, 0
	}
	if low, ok := hexEscape(text[6:]); ok && utf16.IsSurrogate(r) {
		return utf16.DecodeRune(r, low), 12
	}
	return r, 6
}

func hexEscape(text []byte) (r rune, ok bool) {
	if len(text) < 6 || text[0] != '\\' || text[1] != 'u' {
		return 0, false
	}
	n, err := strconv.ParseUint(string(text[2:6]), 16, 16)
	return rune(n), err == nil
}

// escaped writes everything outside ASCII as escapes of this form.
func escaped(body []byte, form string) []byte {
	var out bytes.Buffer
	for _, r := range string(body) {
		switch {
		case r < utf8.RuneSelf:
			out.WriteByte(byte(r))
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			_, _ = fmt.Fprintf(&out, form+form, high, low)
		default:
			_, _ = fmt.Fprintf(&out, form, r)
		}
	}
	return out.Bytes()
}

// charsets returns body after a text went through another character set than
// UTF-8.
func charsets(body []byte) [][]byte {
	if !slices.ContainsFunc(body, func(c byte) bool { return c >= utf8.RuneSelf }) {
		return nil
	}
	var asBytes, asLatin1, asASCII []byte // as if each character were a byte, each byte a character, and ? for all others
	latin1 := true
	for _, r := range string(body) {
		latin1 = latin1 && r <= 0xff
		asBytes = append(asBytes, byte(r))
		if r >= utf8.RuneSelf {
			r = '?'
		}
		asASCII = append(asASCII, byte(r))
	}
	for _, c := range body {
		asLatin1 = utf8.AppendRune(asLatin1, rune(c))
	}
	all := [][]byte{asLatin1, asASCII}
	if latin1 {
		all = append(all, asBytes)
	}
	return all
}
