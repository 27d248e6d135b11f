package codeid

import (
	"math/bits"
	"slices"
	"strings"

	"github.com/alipayplus-mpp/alipayplus-go/internal/emvqr"
)

// ruleIndex finds the rules that can match a code, so that the time does not grow with the set. It holds ranks: places in
// the order in which rules are tried.
type ruleIndex struct {
	rules []*rule
	// Rules that are nothing but a prefix.
	urls  prefixSet
	texts textPrefixes
	// Rules with conditions on fields stand at one of these: a literal value that a field must have, the rarest of the
	// rule, or a root field that must be present.
	fields     map[fieldKey][]int32
	rootTags   []int // of fields
	hasAccount [2]uint64
	primitives [emvqr.LastPrimitive + 1][]int32
	// All others are tried one by one.
	rest []int32

	hasRegex bool
}

// fieldKey is a field and its value, of the root or of a merchant account template.
type fieldKey struct {
	account bool
	tag     int
	value   string
}

// view is a code, read in every way.
type view struct {
	code  string
	url   webURL
	isURL bool
	emv   emvqr.Code // a value: a pointer would put every view on the heap
	isEMV bool
	// isLong: regular expressions do not see the code.
	isLong bool
}

func (v *view) read(code string) {
	v.code = code
	v.url, v.isURL = parseURL(code)
	v.isEMV = !v.isURL && v.emv.Parse(code) == nil
	v.isLong = isLong(code)
}

// match is what was found for a code.
type match struct {
	rule      *rule // nil: none
	template  int   // the merchant account template that met the rule's conditions
	undecided string
}

func newRuleIndex(rules []*rule) ruleIndex {
	x := ruleIndex{rules: rules, fields: map[fieldKey][]int32{}}
	count := map[fieldKey]int{}
	for _, r := range rules {
		for _, k := range r.literals() {
			count[k]++
		}
	}
	var urls, texts []prefixEntry
	for i, r := range rules {
		rank := int32(i)
		x.hasRegex = x.hasRegex || len(r.regexes) > 0
		if r.prefix.full != "" && !r.isEMV() {
			e := prefixEntry{r.prefix.key, r.prefix.rest, rank}
			if r.prefix.isURL {
				urls = append(urls, e)
			} else {
				texts = append(texts, e)
			}
			continue
		}
		var rarest *fieldKey
		for _, k := range r.literals() {
			if rarest == nil || count[k] < count[*rarest] {
				rarest = &k
			}
		}
		switch {
		case rarest != nil:
			x.fields[*rarest] = append(x.fields[*rarest], rank)
			if rarest.account {
				x.hasAccount[rarest.tag>>6] |= 1 << (rarest.tag & 63)
			} else if !slices.Contains(x.rootTags, rarest.tag) {
				x.rootTags = append(x.rootTags, rarest.tag)
			}
		case len(r.primitives) > 0:
			x.primitives[r.primitives[0]] = append(x.primitives[r.primitives[0]], rank)
		default:
			x.rest = append(x.rest, rank)
		}
	}
	x.urls, x.texts = newPrefixSet(urls), newTextPrefixes(texts)
	return x
}

// literals lists the fields whose value the rule fixes.
func (r *rule) literals() (keys []fieldKey) {
	for _, f := range r.account {
		if f.operator == equal {
			keys = append(keys, fieldKey{true, f.tag, f.text})
		}
	}
	for _, f := range r.root {
		if f.operator == equal {
			keys = append(keys, fieldKey{false, f.tag, f.text})
		}
	}
	return keys
}

// match finds the first rule that matches. The answers of prefix rules are known at once; of the others only those are
// tried that would come before.
func (x *ruleIndex) match(v *view) match {
	best := none
	if !v.isURL {
		best = x.texts.best(v.code)
	} else if v.url.problem == "" {
		if item := x.urls.find(v.url.text[:v.url.origin], v.url.path()); item != nil {
			best = item.best
		}
	}
	template := 0
	budget := workPerCode
	if v.isEMV {
		var room [32]uint64 // the default limit of 2,000 rules fits
		found := ranks(room[:0]).sized(len(x.rules))
		x.candidates(found, &v.emv, best)
		for rank := found.next(0); rank < best; rank = found.next(rank + 1) {
			if t, ok := x.try(rank, v, &budget); ok {
				best, template = rank, t
				break
			}
		}
	}
	for _, rank := range x.rest {
		if rank >= best {
			break
		}
		if t, ok := x.try(rank, v, &budget); ok {
			best, template = rank, t
			break
		}
	}
	switch {
	case budget.exhausted():
		return match{undecided: "the rules for this code take too long to evaluate"}
	case best != none:
		return match{rule: x.rules[best], template: template}
	case v.isLong && x.hasRegex:
		return match{undecided: "no rule matches, and the code is too long for the regular expressions"}
	}
	return match{}
}

// candidates adds to found those of the rules with conditions on fields that can match and come before limit.
func (x *ruleIndex) candidates(found ranks, c *emvqr.Code, limit int32) {
	for _, tag := range x.rootTags {
		if value := c.Root(tag); value != "" {
			found.add(x.fields[fieldKey{false, tag, value}], limit)
		}
	}
	for tag, list := range x.primitives {
		if len(list) > 0 && c.Root(tag) != "" {
			found.add(list, limit)
		}
	}
	if x.hasAccount == [2]uint64{} {
		return
	}
	for tag := c.NextTemplate(0); tag != 0; tag = c.NextTemplate(tag + 1) {
		for row := c.Template(tag); row != ""; {
			var sub int
			var value string
			sub, value, row = row.Next()
			if x.hasAccount[sub>>6]>>(sub&63)&1 != 0 {
				found.add(x.fields[fieldKey{true, sub, value}], limit)
			}
		}
	}
}

// ranks is a set of ranks, a bit for each.
type ranks []uint64

// sized is an empty set with room for ranks below n.
func (s ranks) sized(n int) ranks {
	if words := (n + 63) / 64; words <= cap(s) {
		s = s[:words]
		clear(s)
		return s
	}
	return make(ranks, (n+63)/64)
}

// add adds the ranks of list, which is sorted, that are below limit.
func (s ranks) add(list []int32, limit int32) {
	for _, rank := range list {
		if rank >= limit {
			return
		}
		s[rank>>6] |= 1 << (rank & 63)
	}
}

// next is the smallest rank in s from rank on, none if there is none.
func (s ranks) next(rank int32) int32 {
	for word := int(rank >> 6); word < len(s); word++ {
		if left := s[word] >> (rank & 63); left != 0 {
			return rank + int32(bits.TrailingZeros64(left))
		}
		rank = int32(word+1) << 6
	}
	return none
}

// try evaluates all conditions of one rule.
func (x *ruleIndex) try(rank int32, v *view, w *work) (template int, ok bool) {
	r := x.rules[rank]
	if !w.spend(2) || !r.prefix.holds(v) || v.isLong && len(r.regexes) > 0 {
		return 0, false
	}
	if r.isEMV() {
		if !v.isEMV {
			return 0, false
		}
		if template, ok = r.matchEMV(&v.emv, w); !ok {
			return 0, false
		}
	}
	for _, re := range r.regexes {
		if !re.matches(v.code) {
			return 0, false
		}
	}
	return template, true
}

func (p *prefixCondition) holds(v *view) bool {
	switch {
	case p.full == "":
		return true
	case p.isURL:
		return v.isURL && v.url.problem == "" && strings.HasPrefix(v.url.text, p.full)
	}
	return !v.isURL && strings.HasPrefix(v.code, p.full)
}
