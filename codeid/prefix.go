package codeid

import (
	"cmp"
	"errors"
	"slices"
	"strings"
)

// prefixSet finds the prefixes of a text among many. A prefix has two parts: a key, which is looked up in a map, and the
// rest, which is searched for among the few that share the key. For URLs the key is the origin, for other texts the first
// 1, 2, 4, 8, … characters.
//
// The cost of a search does not depend on how many prefixes there are, and only logarithmically on how many share a key.
type prefixSet struct {
	groups table[group]
	items  []prefixItem // group by group, sorted by rest
}

// group is a range of items.
type group struct{ start, end int32 }

type prefixItem struct {
	rest   string
	parent int32 // the longest other item of the group that is a prefix of this one, -1 if none
	best   int32 // the smallest rank of this item and its parents
}

// prefixEntry is a prefix to build a set from. When several match, the smallest rank counts.
type prefixEntry struct {
	key, rest string
	rank      int32
}

// newPrefixSet builds a set; it reorders entries.
func newPrefixSet(entries []prefixEntry) prefixSet {
	slices.SortFunc(entries, func(a, b prefixEntry) int {
		return cmp.Or(strings.Compare(a.key, b.key), strings.Compare(a.rest, b.rest), cmp.Compare(a.rank, b.rank))
	})
	entries = slices.CompactFunc(entries, func(a, b prefixEntry) bool { return a.key == b.key && a.rest == b.rest })
	keys := 0
	for i := range entries {
		if i == 0 || entries[i].key != entries[i-1].key {
			keys++
		}
	}
	groups := make(map[string]group, keys)
	s := prefixSet{items: make([]prefixItem, len(entries))}
	start := 0
	for i, e := range entries {
		if i > 0 && e.key != entries[i-1].key {
			start = i
		}
		// The items before this one that are its prefixes are the one before it or parents of that one.
		parent := int32(i - 1)
		for parent >= int32(start) && !strings.HasPrefix(e.rest, s.items[parent].rest) {
			parent = s.items[parent].parent
		}
		item := prefixItem{rest: e.rest, parent: -1, best: e.rank}
		if parent >= int32(start) {
			item.parent, item.best = parent, min(e.rank, s.items[parent].best)
		}
		s.items[i] = item
		groups[e.key] = group{int32(start), int32(i + 1)}
	}
	s.groups = newTable(groups)
	return s
}

// find returns the longest item with this key that text begins with, nil if there is none.
func (s *prefixSet) find(key, text string) *prefixItem {
	g, ok := s.groups.get(key)
	if !ok {
		return nil
	}
	low, high := g.start, g.end // the last item that is not behind text
	for low < high {
		mid := (low + high) / 2
		if s.items[mid].rest <= text {
			low = mid + 1
		} else {
			high = mid
		}
	}
	for i := low - 1; i >= g.start; i = s.items[i].parent {
		if strings.HasPrefix(text, s.items[i].rest) {
			return &s.items[i]
		}
	}
	return nil
}

// textPrefixes is a prefixSet for texts that have no natural key.
type textPrefixes struct {
	set  prefixSet
	keys []int // the lengths of the keys, ascending
}

// textKey splits a prefix into key and rest: as many characters as the greatest power of two allows.
func textKey(prefix string) (key, rest string) {
	n := 1
	for n*2 <= len(prefix) {
		n *= 2
	}
	return prefix[:n], prefix[n:]
}

func newTextPrefixes(entries []prefixEntry) textPrefixes {
	var t textPrefixes
	for _, e := range entries {
		if !slices.Contains(t.keys, len(e.key)) {
			t.keys = append(t.keys, len(e.key))
		}
	}
	slices.Sort(t.keys)
	t.set = newPrefixSet(entries)
	return t
}

// best is the smallest rank of all prefixes of text, none if it has none.
func (t *textPrefixes) best(text string) (best int32) {
	best = none
	for _, n := range t.keys {
		if n > len(text) {
			break
		}
		if item := t.set.find(text[:n], text[n:]); item != nil {
			best = min(best, item.best)
		}
	}
	return best
}

// longest is the length of the longest prefix of text, 0 if it has none.
func (t *textPrefixes) longest(text string) int {
	for i := len(t.keys) - 1; i >= 0; i-- {
		if n := t.keys[i]; n <= len(text) {
			if item := t.set.find(text[:n], text[n:]); item != nil {
				return n + len(item.rest)
			}
		}
	}
	return 0
}

// none is the rank of no match.
const none = int32(1<<31 - 1)

// prefixCondition is the prefix of a rule or of a list entry. A URL prefix compares URLs; any other prefix compares
// characters, and never matches a URL.
type prefixCondition struct {
	isURL     bool
	full      string // in the compared form, "" for no condition
	key, rest string // the two parts of full
}

func parsePrefix(text string) (p prefixCondition, err error) {
	switch u, isURL := parseURL(text); {
	case isURL && u.problem != "":
		return p, errors.New("prefix of URLs that are never accepted: " + u.problem)
	case isURL:
		return prefixCondition{true, u.text, u.text[:u.origin], u.path()}, nil
	}
	if text == "" {
		return p, errors.New("empty prefix")
	}
	for _, scheme := range [...]string{"https://", "http://"} {
		if len(text) < len(scheme) && equalFoldASCII(text, scheme[:len(text)]) {
			return p, errors.New("prefix of all URLs")
		}
	}
	key, rest := textKey(text)
	return prefixCondition{false, text, key, rest}, nil
}
