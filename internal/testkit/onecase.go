package testkit

import (
	"encoding/json"
	"strings"
)

// OneCase reports whether no object in data has two names that differ in their
// case alone: of those, encoding/json takes the last one and package wire the
// one that is written as it should be.
func OneCase(data []byte) bool {
	var v any
	return json.Unmarshal(data, &v) == nil && oneCase(v)
}

func oneCase(v any) bool {
	switch v := v.(type) {
	case []any:
		for _, item := range v {
			if !oneCase(item) {
				return false
			}
		}
	case map[string]any:
		seen := map[string]bool{}
		for name, item := range v {
			folded := strings.ToLower(strings.ToUpper(name))
			if seen[folded] || !oneCase(item) {
				return false
			}
			seen[folded] = true
		}
	}
	return true
}
