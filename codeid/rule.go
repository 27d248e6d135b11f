package codeid

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

const (
	maxRuleBytes  = 64 << 10
	maxConditions = 64 // on fields, of a rule
)

// rule is a compiled rule: a code that meets all its conditions matches.
type rule struct {
	prefix   prefix      // on the code
	regexes  []*pattern  // on the code
	isEMV    bool        // it has conditions on fields of an EMVCo code:
	fields   int         // its list in Ruleset.fields, which may be empty
	accounts []condition // on fields of one and the same merchant account template

	priority float64
	index    int // in codeRules
	action   action
	reason   string // why it decides
}

// concerns reports whether a code may match. It costs little, and nearly all
// rules end here.
func (r *rule) concerns(v *view) bool {
	if r.isEMV {
		return v.emv != nil && v.fields[r.fields] != fails
	}
	return r.prefix.first == v.first || r.prefix.first == 0
}

// matches evaluates all conditions on a code. account is the tag of the
// merchant account template that meets them, 0 if the rule has no conditions on
// one.
func (r *rule) matches(s *Ruleset, v *view, w *work) (account int, ok bool) {
	if !r.prefix.holds(v) {
		return 0, false
	}
	if r.isEMV {
		if account, ok = r.matchFields(s, v, w); !ok {
			return 0, false
		}
	}
	for _, re := range r.regexes {
		if v.isLong || !w.match(re, v.code) {
			return 0, false
		}
	}
	return account, true
}

func (r *rule) matchFields(s *Ruleset, v *view, w *work) (account int, ok bool) {
	if v.fields[r.fields] == untried && !s.holdsAll(v, r.fields, w) {
		return 0, false
	}
	if len(r.accounts) == 0 {
		return 0, true
	}
next:
	for _, t := range v.emv.Templates() {
		*w -= work(4 * len(r.accounts))
		if *w < 0 || !t.IsAccount() {
			continue
		}
		for i := range r.accounts {
			if !r.accounts[i].holdsIn(t.Fields, w) {
				continue next
			}
		}
		return t.Tag, true
	}
	return 0, false
}

// ruleCompiler compiles the rules of one set.
type ruleCompiler struct {
	options  *RuleOptions
	codes    patternCompiler // of REGEX rules
	values   patternCompiler // of value expressions
	harmless map[string]bool

	fields [][]condition  // lists of conditions, each of them once
	places map[string]int // in fields, by what fmt writes for a list
}

func newRuleCompiler(o *RuleOptions) *ruleCompiler {
	c := &ruleCompiler{
		options:  o,
		codes:    patternCompiler{foreign: o.Compile, left: maxCodeRegexes},
		values:   patternCompiler{foreign: o.Compile, left: maxValueRegexes, done: map[string]*pattern{}},
		harmless: map[string]bool{},
		places:   map[string]int{},
	}
	for _, name := range o.Harmless {
		c.harmless[strings.ToLower(name)] = true
	}
	return c
}

// compile makes a rule of its JSON. The error is the reason why it cannot be
// used; it quotes nothing.
func (c *ruleCompiler) compile(index int, raw []byte) (*rule, error) {
	if len(raw) > maxRuleBytes {
		return nil, errors.New("larger than 64 KiB")
	}
	doc, err := readRule(raw)
	if err != nil {
		return nil, err
	}
	if name := unknownMember(raw, c.harmless); name != "" {
		return nil, &unknownMemberError{name}
	}
	r := &rule{index: index}
	public, extend := &doc.Pattern, &doc.Extend.Pattern
	method, err := matchMethod(public.Method, extend.Matcher)
	if err == nil {
		r.priority, err = c.priority(cmp.Or(public.Priority, extend.Priority))
	}
	switch {
	case err != nil:
	case method == "PREFIX":
		r.prefix, err = bothPrefixes(public.Prefix, extend.Prefix)
	case method == "REGEX":
		err = r.addRegexes(c, public.Regex, extend.Regex)
	}
	if err == nil {
		err = r.addFields(c, &doc)
	}
	if err == nil {
		r.action, err = compileAction(&doc.Action, &doc.Extend.Result, c.options.IgnoreTrust)
	}
	if err == nil && method == "EMVCO" && !r.isEMV {
		err = errors.New("an EMVCO rule without a condition would take every EMVCo code")
	}
	r.reason = method + " rule matches"
	if r.action.untrusted {
		r.reason += ", but wants to be confirmed by the server SDK"
	}
	return r, err
}

// priority reads a whole number, which may be written as 10.0.
func (c *ruleCompiler) priority(text string) (float64, error) {
	if text == "" {
		return float64(c.options.absentPriority()), nil
	}
	n, err := strconv.ParseFloat(text, 64)
	if err != nil || n != math.Trunc(n) || math.IsInf(n, 0) {
		return 0, errors.New("priority that is not a whole number")
	}
	return n, nil
}

// matchMethod returns the method on which both sides agree.
func matchMethod(public, extend string) (string, error) {
	if extend == "REGX" { // sic
		extend = "REGEX"
	}
	method := cmp.Or(public, extend)
	switch {
	case method != "PREFIX" && method != "REGEX" && method != "EMVCO":
		return "", errors.New("unknown match method")
	case extend != "" && extend != method:
		return "", errors.New("matchMethod and extendInfo's matcherType differ")
	}
	return method, nil
}

// bothPrefixes makes a prefix of two of which both must hold: the longer one,
// if the other is a prefix of it.
func bothPrefixes(public, extend string) (prefix, error) {
	p, err := parsePrefix(cmp.Or(public, extend))
	q, errExtend := parsePrefix(cmp.Or(extend, public))
	if len(q.text) > len(p.text) {
		p, q = q, p
	}
	if err = cmp.Or(err, errExtend); err == nil && (q.isURL != p.isURL || !strings.HasPrefix(p.text, q.text)) {
		err = errors.New("the prefix and extendInfo's prefix exclude each other")
	}
	return p, err
}

func (r *rule) addRegexes(c *ruleCompiler, public, extend string) error {
	for _, pattern := range slices.Compact([]string{cmp.Or(public, extend), cmp.Or(extend, public)}) {
		re, err := c.codes.java(pattern, c.options.PartialRegex)
		if err != nil {
			return err
		}
		r.regexes = append(r.regexes, re)
	}
	return nil
}

func (r *rule) addFields(c *ruleCompiler, doc *ruleDocument) error {
	fields, err := doc.fields()
	if err != nil {
		return err
	}
	if len(fields) > maxConditions {
		return fmt.Errorf("more than %d conditions", maxConditions)
	}
	var roots []condition
	for _, f := range fields {
		d, err := newCondition(f, &c.values)
		switch {
		case err != nil:
			return err
		case d.root == merchantTag:
			r.accounts = append(r.accounts, d)
		default:
			roots = append(roots, d)
		}
	}
	if len(fields) > 0 {
		r.isEMV, r.fields = true, c.place(roots)
	}
	return nil
}

// place returns the index of a list of conditions in c.fields. Many rules ask
// for the same country, currency and amount: one answer serves them all.
func (c *ruleCompiler) place(list []condition) int {
	text := fmt.Sprintf("%#v", list)
	i, ok := c.places[text]
	if !ok {
		i = len(c.fields)
		c.fields = append(c.fields, list)
		c.places[text] = i
	}
	return i
}
