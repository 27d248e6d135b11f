package wire_test

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strings"
	"unicode/utf8"
)

var unit = regexp.MustCompile(`\\(u[0-9a-fA-F]{4}|.)`)

// naive finds, in valid JSON, a breach of the rules that JSON itself does not
// have: slowly, and with other means than the package.
func naive(data []byte) string {
	if !utf8.Valid(data) {
		return "utf8"
	}
	if !bytes.HasPrefix(bytes.TrimLeft(data, " \t\r\n"), []byte("{")) {
		return "not-an-object"
	}
	// A lone half is what is left when the pairs are taken away, escaped
	// backslashes first.
	escapes := unit.ReplaceAllStringFunc(string(data), func(e string) string {
		if e[1] != 'u' {
			return "."
		}
		switch e = strings.ToLower(e); {
		case e >= `\ud800` && e <= `\udbff`:
			return "\x01"
		case e >= `\udc00` && e <= `\udfff`:
			return "\x02"
		}
		return "."
	})
	if strings.ContainsAny(strings.ReplaceAll(escapes, "\x01\x02", ""), "\x01\x02") {
		return "surrogate"
	}
	depth, deepest := 0, 0
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	var open []map[string]bool // nil: an array
	isKey := false
	for {
		token, err := d.Token()
		if err != nil {
			break
		}
		inObject := len(open) > 0 && open[len(open)-1] != nil
		switch token {
		case json.Delim('{'), json.Delim('['):
			if depth++; depth > deepest {
				deepest = depth
			}
			var keys map[string]bool
			if token == json.Delim('{') {
				keys = map[string]bool{}
			}
			open = append(open, keys)
			isKey = keys != nil
			continue
		case json.Delim('}'), json.Delim(']'):
			depth--
			open = open[:len(open)-1]
			isKey = true // the container was a value
			continue
		}
		if inObject && isKey {
			name := token.(string)
			if open[len(open)-1][name] {
				return "duplicate-key"
			}
			open[len(open)-1][name] = true
		}
		isKey = !isKey || !inObject
	}
	if deepest > 32 {
		return "depth"
	}
	return ""
}
