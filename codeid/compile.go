package codeid

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/alipayplus-mpp/alipayplus-go/internal/emvqr"
)

const (
	maxRuleBytes  = 64 << 10
	maxConditions = 64 // on fields, of a rule
)

// ruleCompiler compiles the rules of one set.
type ruleCompiler struct {
	options *RuleOptions
	codes   regexCompiler // of REGEX rules
	values  regexCompiler // of value expressions
}

func newRuleCompiler(o *RuleOptions) *ruleCompiler {
	return &ruleCompiler{
		options: o,
		codes:   regexCompiler{foreign: o.Compile, left: maxCodeRegexes},
		values:  regexCompiler{foreign: o.Compile, left: maxValueRegexes, done: map[string]*regex{}},
	}
}

// compile makes a rule of its JSON. The error is the reason why it cannot be used; it quotes nothing.
func (c *ruleCompiler) compile(index int, raw []byte) (*rule, error) {
	if len(raw) > maxRuleBytes {
		return nil, errors.New("larger than 64 KiB")
	}
	doc, err := readRule(raw)
	if err != nil {
		return nil, err
	}
	public, extend := &doc.Pattern, &doc.Extend.Pattern
	r := &rule{index: index, priority: c.options.absentPriority()}
	if p := cmp.Or(public.Priority, extend.Priority); p != nil {
		r.priority = *p
	}
	method, err := matchMethod(public.Method, extend.Matcher)
	if err != nil {
		return nil, err
	}
	switch method {
	case "PREFIX":
		err = r.addPrefixes(public.Prefix, extend.Prefix)
	case "REGEX":
		err = r.addRegexes(c, public.Regex, extend.Regex)
	default:
		err = r.addAccount(c, public.EMV)
	}
	if err == nil {
		err = r.addExtended(c, extend)
	}
	if err == nil {
		r.action, err = compileAction(&doc.Action, &doc.Extend.Result, c.options.IgnoreTrust)
	}
	if err != nil {
		return nil, err
	}
	r.reason = method + " rule matches"
	if r.action.untrusted {
		r.reason += ", but wants to be confirmed by the server SDK"
	}
	if method == "EMVCO" && !r.isEMV() {
		return nil, errors.New("an EMVCO rule without a condition would take every EMVCo code")
	}
	if len(r.root)+len(r.account)+len(r.primitives)+len(r.paths) > maxConditions {
		return nil, fmt.Errorf("more than %d conditions", maxConditions)
	}
	return r, nil
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

// addPrefixes makes a prefix of two of which both must hold: the longer one, if the other is a prefix of it.
func (r *rule) addPrefixes(public, extend string) error {
	p, err := parsePrefix(cmp.Or(public, extend))
	if err != nil {
		return err
	}
	if extend != "" {
		q, err := parsePrefix(extend)
		if err != nil {
			return err
		}
		if len(q.full) > len(p.full) {
			p, q = q, p
		}
		if q.isURL != p.isURL || !strings.HasPrefix(p.full, q.full) {
			return errors.New("the prefix and extendInfo's prefix exclude each other")
		}
	}
	r.prefix = p
	return nil
}

func (r *rule) addRegexes(c *ruleCompiler, public, extend string) error {
	for _, pattern := range slices.Compact([]string{cmp.Or(public, extend), cmp.Or(extend, public)}) {
		re, err := c.codes.compile(pattern, c.options.PartialRegex)
		if err != nil {
			return err
		}
		r.regexes = append(r.regexes, re)
	}
	return nil
}

func (r *rule) addAccount(c *ruleCompiler, rules []emvRuleDocument) error {
	for _, d := range rules {
		if d.Primitive {
			if err := r.addPrimitive(d.PrimitiveTag); err != nil {
				return err
			}
			continue
		}
		f, err := fieldConditionOf(d.ExtendedTag, d.ExtendedValue, c)
		if err != nil {
			return err
		}
		r.account = append(r.account, f)
	}
	return nil
}

func (r *rule) addPrimitive(text string) error {
	tag, ok := parseTag(text)
	if !ok || tag < emvqr.FirstPrimitive || tag > emvqr.LastPrimitive {
		return errors.New("primitive merchant tag that is not 02 to 25")
	}
	if !slices.Contains(r.primitives, tag) {
		r.primitives = append(r.primitives, tag)
	}
	return nil
}

// addExtended adds what stands only in extendInfo.
func (r *rule) addExtended(c *ruleCompiler, d *extendPatternDocument) error {
	if d.Primitive {
		if err := r.addPrimitive(d.PrimitiveTag); err != nil {
			return err
		}
	}
	for _, tag := range sortedKeys(d.Restrictions) {
		f, err := fieldConditionOf(tag, d.Restrictions[tag], c)
		if err != nil {
			return err
		}
		if !slices.Contains(r.account, f) {
			r.account = append(r.account, f)
		}
	}
	for _, root := range []struct {
		tag  int
		text string
	}{
		{0, d.PayloadFormat}, {1, d.InitiationMethod}, {52, d.CategoryCode}, {53, d.Currency}, {54, d.Amount},
		{55, d.Convenience}, {56, d.FixedFee}, {57, d.PercentageFee}, {58, d.Country}, {59, d.Name}, {60, d.City},
		{61, d.PostalCode},
	} {
		if root.text == "" {
			continue
		}
		e, err := parseExpression(root.text, &c.values)
		if err != nil {
			return err
		}
		r.root = append(r.root, fieldCondition{root.tag, e})
	}
	for _, tag := range sortedKeys(d.AdditionalData) {
		if err := r.addPath(c, d.AdditionalData[tag], "62", tag); err != nil {
			return err
		}
	}
	for _, a := range d.Accurate {
		if err := r.addPath(c, a.Rule, a.Tag, a.Second, a.Third); err != nil {
			return err
		}
	}
	return nil
}

func (r *rule) addPath(c *ruleCompiler, text string, tags ...string) error {
	e, err := parseExpression(text, &c.values)
	if err != nil {
		return err
	}
	p := pathCondition{expression: e}
	for i, t := range tags {
		if t == "" && i > 0 && strings.Join(tags[i:], "") == "" {
			break
		}
		tag, ok := parseTag(t)
		if !ok {
			return errors.New("tag that is not two digits")
		}
		p.tags = append(p.tags, tag)
	}
	r.paths = append(r.paths, p)
	return nil
}

func fieldConditionOf(tag, text string, c *ruleCompiler) (f fieldCondition, err error) {
	n, ok := parseTag(tag)
	if !ok {
		return f, errors.New("tag that is not two digits")
	}
	e, err := parseExpression(text, &c.values)
	return fieldCondition{n, e}, err
}

func parseTag(text string) (tag int, ok bool) {
	if len(text) != 2 || text[0] < '0' || text[0] > '9' || text[1] < '0' || text[1] > '9' {
		return 0, false
	}
	return int(text[0]-'0')*10 + int(text[1]-'0'), true
}

// sortedKeys makes the order of conditions, and so of complaints, always the same.
func sortedKeys(m map[string]string) []string { return slices.Sorted(maps.Keys(m)) }
