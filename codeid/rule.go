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

// rule is a compiled rule: a code that meets all its conditions matches.
type rule struct {
	prefix   urlPrefix   // on the code
	regexes  []*regex    // on the code
	fields   []condition // on fields of an EMVCo code
	accounts []condition // on fields of one and the same merchant account template

	priority int64
	index    int // in codeRules
	action   action
	reason   string // why it decides
}

// matches evaluates all conditions on a code. account is the tag of the merchant
// account template that meets them, 0 if the rule has no conditions on one.
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
	if !allHold(r.fields, c, 0, w) {
		return 0, false
	}
	if len(r.accounts) == 0 {
		return 0, true
	}
	for tag := emvqr.FirstTemplate; tag <= emvqr.LastTemplate; tag++ {
		if c.Template(tag) != nil && allHold(r.accounts, c, tag, w) {
			return tag, true
		}
	}
	return 0, false
}

func allHold(conditions []condition, c *emvqr.Code, account int, w *work) bool {
	for i := range conditions {
		if *w -= 4; *w < 0 || !conditions[i].holds(c, account, w) {
			return false
		}
	}
	return true
}

// ruleCompiler compiles the rules of one set.
type ruleCompiler struct {
	options  *RuleOptions
	codes    regexCompiler // of REGEX rules
	values   regexCompiler // of value expressions
	harmless map[string]bool
}

func newRuleCompiler(o *RuleOptions) *ruleCompiler {
	c := &ruleCompiler{
		options:  o,
		codes:    regexCompiler{foreign: o.Compile, left: maxCodeRegexes},
		values:   regexCompiler{foreign: o.Compile, left: maxValueRegexes, done: map[string]*regex{}},
		harmless: map[string]bool{},
	}
	for _, name := range o.Harmless {
		c.harmless[strings.ToLower(name)] = true
	}
	return c
}

// compile makes a rule of its JSON. The error is the reason why it cannot be
// used; it quotes nothing.
func (c *ruleCompiler) compile(index int, raw []byte) (r *rule, err error) {
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
	public, extend := &doc.Pattern, &doc.Extend.Pattern
	r = &rule{index: index, priority: c.options.absentPriority()}
	if p := cmp.Or(public.Priority, extend.Priority); p != nil {
		r.priority = int64(*p)
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
		err = r.addAccounts(c, public.EMV)
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
	conditions := len(r.fields) + len(r.accounts)
	if method == "EMVCO" && conditions == 0 {
		return nil, errors.New("an EMVCO rule without a condition would take every EMVCo code")
	}
	if conditions > maxConditions {
		return nil, fmt.Errorf("more than %d conditions", maxConditions)
	}
	r.reason = method + " rule matches"
	if r.action.untrusted {
		r.reason += ", but wants to be confirmed by the server SDK"
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

// addPrefixes makes a prefix of two of which both must hold: the longer one, if
// the other is a prefix of it.
func (r *rule) addPrefixes(public, extend string) error {
	p, err := parsePrefix(cmp.Or(public, extend))
	if err != nil {
		return err
	}
	q := p
	if extend != "" {
		if q, err = parsePrefix(extend); err != nil {
			return err
		}
	}
	if len(q.text) > len(p.text) {
		p, q = q, p
	}
	if q.isURL != p.isURL || !strings.HasPrefix(p.text, q.text) {
		return errors.New("the prefix and extendInfo's prefix exclude each other")
	}
	r.prefix = p
	return nil
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

func (r *rule) addAccounts(c *ruleCompiler, rules []emvRuleDocument) error {
	for _, d := range rules {
		var err error
		if d.Primitive {
			err = r.addPrimitive(d.PrimitiveTag)
		} else {
			err = r.add(c, d.ExtendedValue, merchantTag, d.ExtendedTag)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// addPrimitive adds the presence of a primitive merchant account.
func (r *rule) addPrimitive(text string) error {
	tag, ok := parseTag(text)
	if !ok || tag < emvqr.FirstPrimitive || tag > emvqr.LastPrimitive {
		return errors.New("primitive merchant tag that is not 02 to 25")
	}
	r.fields = append(r.fields, condition{root: tag, expression: expression{operator: present}})
	return nil
}

// addExtended adds what stands only in extendInfo.
func (r *rule) addExtended(c *ruleCompiler, d *extendPatternDocument) error {
	if d.Primitive {
		if err := r.addPrimitive(d.PrimitiveTag); err != nil {
			return err
		}
	}
	// In the order of their tags, so that the reason for a rule that is skipped
	// is always the same.
	for _, tag := range slices.Sorted(maps.Keys(d.Restrictions)) {
		if err := r.add(c, d.Restrictions[tag], merchantTag, tag); err != nil {
			return err
		}
	}
	for _, f := range []struct {
		tag  int
		text string
	}{
		{0, d.PayloadFormat}, {1, d.InitiationMethod}, {52, d.CategoryCode}, {53, d.Currency}, {54, d.Amount},
		{55, d.Convenience}, {56, d.FixedFee}, {57, d.PercentageFee}, {58, d.Country}, {59, d.Name}, {60, d.City},
		{61, d.PostalCode},
	} {
		if f.text == "" {
			continue
		}
		if err := r.add(c, f.text, f.tag); err != nil {
			return err
		}
	}
	for _, tag := range slices.Sorted(maps.Keys(d.AdditionalData)) {
		if err := r.add(c, d.AdditionalData[tag], 62, tag); err != nil {
			return err
		}
	}
	for _, a := range d.Accurate {
		root, ok := parseTag(a.Tag)
		if !ok {
			return errTag
		}
		nested := []string{a.Second, a.Third}
		if a.Third == "" {
			nested = nested[:1]
			if a.Second == "" {
				nested = nil
			}
		}
		if err := r.add(c, a.Rule, root, nested...); err != nil {
			return err
		}
	}
	return nil
}

// add adds a condition on a field.
func (r *rule) add(c *ruleCompiler, text string, root int, nested ...string) error {
	d, err := newCondition(text, &c.values, root, nested...)
	switch {
	case err != nil:
		return err
	case root == merchantTag:
		r.accounts = append(r.accounts, d)
	default:
		r.fields = append(r.fields, d)
	}
	return nil
}

var errTag = errors.New("tag that is not two digits")

func parseTag(text string) (tag int, ok bool) {
	if len(text) != 2 || text[0] < '0' || text[0] > '9' || text[1] < '0' || text[1] > '9' {
		return 0, false
	}
	return int(text[0]-'0')*10 + int(text[1]-'0'), true
}
