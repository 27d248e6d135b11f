package codeid

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/internal/emvqr"
	"github.com/alipayplus-mpp/alipayplus-go/internal/weburl"
	"github.com/alipayplus-mpp/alipayplus-go/internal/wire"
)

// ErrRuleset is wrapped by the error for a rule set that cannot be used as a
// whole. Single rules that cannot be used are skipped; see [Ruleset.Skipped].
var ErrRuleset = errors.New("codeid: unusable rule set")

// RuleOptions settle what the Alipay+ documents leave open, and set limits. The
// zero value is the recommended choice.
type RuleOptions struct {
	// LargestFirst tries rules with a larger priority first. By default a
	// smaller priority comes first. Rules of one priority are tried in the order
	// of the list.
	LargestFirst bool
	// AbsentPriority is the priority of rules that give none; nil means 10,000.
	AbsentPriority *int64
	// PartialRegex lets a REGEX rule match a part of the code. By default its
	// pattern must match the whole code. (Patterns in conditions on EMVCo fields
	// always match the whole value.)
	PartialRegex bool
	// IgnoreTrust uses rules with trust N or a required SDK version like all
	// others, without asking a Remote.
	IgnoreTrust bool
	// Issuer replaces ${issuer} in a URL. By default it is the first
	// six digits of an order code (281 and the routing number), and nothing for
	// other codes.
	Issuer string

	// Harmless names members of the match patterns that this package does not know
	// and that restrict no rule. A rule with another one is skipped, because it
	// may match too much without it; see SkippedRule.Member.
	Harmless []string

	// Compile, if set, is asked for the regular expressions that are not admitted:
	// Java's look-arounds other than a negative look-ahead after a part of fixed
	// length, back references, class intersections, and others that Go would read
	// in another way. The function that it returns must match a whole value (a
	// part, for REGEX rules with PartialRegex) as Java does, in a time that the
	// caller accepts, and be safe for concurrent use. Without Compile such rules
	// are skipped.
	Compile func(pattern string) (match func(value string) bool, err error)

	// MaxRules is the largest number of rules of a set; 0 means 2,000.
	MaxRules int
	// MaxBytes is the largest size of a set; 0 means 4 MiB.
	MaxBytes int
}

func (o *RuleOptions) absentPriority() int64 {
	if o.AbsentPriority != nil {
		return *o.AbsentPriority
	}
	return 10_000
}

func (o *RuleOptions) maxRules() int { return cmp.Or(o.MaxRules, 2_000) }
func (o *RuleOptions) maxBytes() int { return cmp.Or(o.MaxBytes, 4<<20) }

// SkippedRule is a rule that is not used.
type SkippedRule struct {
	// Index is the index of the rule in codeRules.
	Index int
	// Reason says why, without quoting the rule.
	Reason string
	// Member is the name of the member of a match pattern that this package does
	// not know, if that is the reason. Somebody should find out what it means:
	// it needs a newer version of the SDK, or RuleOptions.Harmless.
	Member string
}

// Ruleset is the compiled answer of inquiryCodeRules. It is immutable and safe
// for concurrent use.
type Ruleset struct {
	version    string
	issuer     string
	rules      []rule        // in the order in which they are tried
	fields     [][]condition // on fields of EMVCo codes, each list once
	hasRegexes bool
	skipped    []SkippedRule
}

// ParseRuleset compiles body, the body of an inquiryCodeRules response as it
// came: from the network, from a file or built into a program. The error wraps
// [ErrRuleset]: the body is not JSON, not a success, empty, or over a limit.
// Rules that cannot be evaluated are skipped and reported by Skipped; they
// never match.
func ParseRuleset(body []byte, options RuleOptions) (*Ruleset, error) {
	version, raw, err := readRules(body, options.maxRules(), options.maxBytes())
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrRuleset, err)
	}
	s := &Ruleset{version: version, issuer: options.Issuer}
	c := newRuleCompiler(&options)
	for i, text := range raw {
		r, err := c.compile(i, text)
		if err != nil {
			skipped := SkippedRule{Index: i, Reason: err.Error()}
			if unknown, ok := errors.AsType[*unknownMemberError](err); ok {
				skipped.Member = unknown.name
			}
			s.skipped = append(s.skipped, skipped)
			continue
		}
		s.rules = append(s.rules, *r)
		s.hasRegexes = s.hasRegexes || len(r.regexes) > 0
	}
	s.fields = c.fields
	slices.SortStableFunc(s.rules, func(a, b rule) int {
		if options.LargestFirst {
			a, b = b, a
		}
		return cmp.Compare(a.priority, b.priority)
	})
	return s, nil
}

// readRules takes the rules out of a response, each as its own JSON.
func readRules(body []byte, maxRules, maxBytes int) (version string, rules []json.RawMessage, err error) {
	if len(body) > maxBytes {
		return "", nil, fmt.Errorf("more than %d bytes", maxBytes)
	}
	if err := wire.Check(body); err != nil {
		return "", nil, err
	}
	var answer InquiryCodeRulesResponse
	if err := wire.Decode(body, &answer); err != nil {
		return "", nil, err
	}
	switch {
	case answer.Result.Status != alipayplus.StatusSucceeded:
		return "", nil, errors.New("its result.resultStatus is not S")
	case longer(answer.Version, 64):
		return "", nil, errors.New("its version has more than 64 characters")
	case len(answer.CodeRules) == 0:
		return "", nil, errors.New("it has no rules")
	}
	items := json.NewDecoder(bytes.NewReader(answer.CodeRules))
	if t, err := items.Token(); err != nil || t != json.Delim('[') {
		return "", nil, errors.New("its codeRules is not an array")
	}
	for items.More() {
		if len(rules) == maxRules {
			return "", nil, fmt.Errorf("more than %d rules", maxRules)
		}
		var item json.RawMessage
		if err := items.Decode(&item); err != nil {
			return "", nil, errors.New("its codeRules is not an array") // cannot be: it was checked
		}
		rules = append(rules, item)
	}
	return answer.Version, rules, nil
}

// Version returns the version of the set as Alipay+ gave it. It is opaque:
// compare for equality.
func (s *Ruleset) Version() string { return s.version }

// Len returns the number of rules in use.
func (s *Ruleset) Len() int { return len(s.rules) }

// Skipped lists the rules that are not in use, in the order of the list.
func (s *Ruleset) Skipped() []SkippedRule { return slices.Clone(s.skipped) }

// Identify evaluates the rules on a code value, as scanned. Its time is bounded
// for any code and any rule set. The error is that of a text that cannot be a
// code value (empty, more than 8,192 characters, not UTF-8) and wraps an
// alipayplus.Result with status F and code PARAM_ILLEGAL.
func (s *Ruleset) Identify(code string) (Identification, error) {
	if err := checkCode(code); err != nil {
		return Identification{Rule: NoRule}, err
	}
	v := newView(Clean(code), len(s.fields))
	id := Identification{Rule: NoRule, Version: s.version}
	w := workPerCode
	rules := s.rules
	if v.code == "" { // blanks: no code of anybody, whatever a pattern takes
		rules = nil
	}
	for i := range rules {
		w--
		if !rules[i].concerns(&v) {
			continue
		}
		account, ok := rules[i].matches(s, &v, &w)
		if w <= 0 {
			id.NeedsRemote = true
			id.Reason = "the rules for this code take too long to evaluate"
			return id, nil
		}
		if ok {
			s.act(&id, &rules[i], account, &v)
			return id, nil
		}
	}
	id.Reason = "no rule matches"
	if v.url.Problem != "" {
		id.Reason = "the URL " + v.url.Problem
	}
	if v.isLong && s.hasRegexes {
		id.NeedsRemote = true
		id.Reason = "no rule matches, and the code is too long for the regular expressions"
	}
	return id, nil
}

// view is a code, read in every way.
type view struct {
	code   string
	first  byte // of code, or of the form in which URLs are compared
	url    weburl.URL
	isURL  bool
	emv    *emvqr.Code // nil: the code is none
	isLong bool        // regular expressions do not see the code

	fields []verdict // on emv, of each list of Ruleset.fields
}

// verdict says what is known of a list of conditions on one code.
type verdict uint8

const (
	untried verdict = iota
	holds
	fails
)

func newView(code string, lists int) view {
	v := view{code: code, isLong: isLong(code)}
	switch v.url, v.isURL = weburl.Parse(code); {
	case v.isURL:
		v.first = 'h'
	case code != "":
		v.first = code[0]
		if c, err := emvqr.Parse(code); err == nil {
			v.emv = c
			v.fields = make([]verdict, lists)
		}
	}
	return v
}

// holdsAll evaluates a list of conditions on an EMVCo code and notes the
// verdict.
func (s *Ruleset) holdsAll(v *view, list int, w *work) bool {
	conditions := s.fields[list]
	*w -= work(4 * len(conditions))
	v.fields[list] = fails
	for i := range conditions {
		if !conditions[i].holds(v.emv, w) {
			return false
		}
	}
	v.fields[list] = holds
	return true
}

// act fills in what the rule that matched says.
func (s *Ruleset) act(id *Identification, r *rule, account int, v *view) {
	id.Rule = r.index
	if r.action.kind == ActionOpenURL {
		address := r.action.url(v, account, s.issuer)
		u, isURL := weburl.Parse(address)
		switch {
		case !isURL:
			// For example an EMVCo code with USE_DIRECTLY: to whoever opens it, the
			// text means nothing.
			id.NeedsRemote = true
			id.Reason = "the rule that matches gives no URL to open"
			return
		case u.Problem != "":
			id.Reason = "the URL " + u.Problem
			return
		}
		id.redirectURL = &address
		id.UserAgent = r.action.userAgent
	}
	id.Supported = true
	id.Action = r.action.kind
	id.Untrusted = r.action.untrusted
	id.Reason = r.reason
}
