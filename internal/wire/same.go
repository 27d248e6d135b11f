package wire

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strconv"
)

// sameValue reports whether two texts mean the same: native scalars are as good
// as strings, absent members are as good as none, and, for jsonString, a string
// that holds an object is as good as the object.
func sameValue(a, b []byte, jsonString bool) bool {
	return bytes.Equal(a, b) || reflect.DeepEqual(meaning(a, jsonString), meaning(b, jsonString))
}

func meaning(raw []byte, jsonString bool) any {
	var v any
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	if d.Decode(&v) != nil {
		return nil
	}
	if text, ok := v.(string); ok && jsonString && Check([]byte(text)) == nil {
		return meaning([]byte(text), false)
	}
	return plain(v)
}

// plain turns native scalars into strings and drops what counts as absent.
func plain(v any) any {
	switch v := v.(type) {
	case string:
		if v != "" {
			return v
		}
	case json.Number:
		return v.String()
	case bool:
		return strconv.FormatBool(v)
	case []any:
		for i := range v {
			v[i] = plain(v[i])
		}
		if len(v) > 0 {
			return v
		}
	case map[string]any:
		for name, member := range v {
			if v[name] = plain(member); v[name] == nil {
				delete(v, name)
			}
		}
		if len(v) > 0 {
			return v
		}
	}
	return nil
}
