package alipayplus

import (
	"bytes"
	"encoding/json"
)

// scalarError says what a scalar should have been, never what it was.
type scalarError string

func (e scalarError) Error() string    { return "alipayplus: " + string(e) }
func (e scalarError) WireRule() string { return string(e) }

// scalarText returns the text of a JSON string, number or boolean, "" for null.
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

// quoteJSON returns text as a JSON string, without the escapes for HTML that
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

// isPlain reports whether text is ASCII that JSON takes unchanged: nearly
// all texts of the protocol.
func isPlain(text string) bool {
	for i := range len(text) {
		if c := text[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}
