package codeid

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/alipayplus-mpp/alipayplus-go/internal/emvqr"
)

const (
	maxRuleBytes  = 64 << 10
	maxConditions = 64 // on fields, of a rule
)

// rule is a compiled rule: a code that meets all its conditions matches.
type rule struct {
	prefix   prefix      // on the code
	regexes  []*pattern  // on the code
	fields   []condition // on fields of an EMVCo code
	accounts []condition // on fields of one and the same merchant account template

	priority float64
	index    int // in codeRules
	action   action
	reason   string // why it decides
}

// matches evaluates all conditions on a code. account is the tag of the
// merchant account template that meets them, 0 if the rule has no conditions on
// one.
func (r *rule) matches(v *view, w *work) (account int, ok bool) {
	if !r.prefix.holds(v) {
		return 0, false
	}
	if len(r.fields)+len(r.accounts) > 0 {
		if v.emv == nil {
			return 0, false
		}
		if account, ok = r.matchFields(v.emv, w); !ok {
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

func (r *rule) matchFields(c *emvqr.Code, w *work) (account int, ok bool) {
	*w -= work(4 * len(r.fields))
	for i := range r.fields {
		if !r.fields[i].holds(c, w) {
			return 0, false
		}
	}
	if len(r.accounts) == 0 {
		return 0, true
	}
next:
	for _, t := range c.Templates() {
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
}

func newRuleCompiler(o *RuleOptions) *ruleCompiler {
	c := &ruleCompiler{
		options:  o,
		codes:    patternCompiler{foreign: o.Compile, left: maxCodeRegexes},
		values:   patternCompiler{foreign: o.Compile, left: maxValueRegexes, done: map[string]*pattern{}},
		harmless: map[string]bool{},
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
	if conditions := len(r.fields) + len(r.accounts); err == nil && method == "EMVCO" && conditions == 0 {
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

// matchMethod is the method on which both sides agree.
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
	for _, f := range fields {
		d, err := newCondition(f, &c.values)
		switch {
		case err != nil:
			return err
		case d.root == merchantTag:
			r.accounts = append(r.accounts, d)
		default:
			r.fields = append(r.fields, d)
		}
	}
	return nil
}
