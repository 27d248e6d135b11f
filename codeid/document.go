package codeid

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"strconv"
	"strings"

	"github.com/alipayplus-mpp/alipayplus-go/internal/wire"
)

// The JSON of one rule. Every field is marked check: a value that cannot be read
// must make the rule unusable, not wider.

type ruleDocument struct {
	Pattern patternDocument `json:"codeMatchPattern" wire:"check"`
	Action  actionDocument  `json:"postCodeMatchAction" wire:"check"`
	Extend  extendDocument  `json:"extendInfo" wire:"check,jsonstring"`
}

type patternDocument struct {
	Method   string            `json:"matchMethod" wire:"check"`
	Priority *wholeNumber      `json:"priority" wire:"check"`
	Prefix   string            `json:"prefix" wire:"check"`
	Regex    string            `json:"regex" wire:"check"`
	EMV      []emvRuleDocument `json:"emvMatchRules" wire:"check"`
}

type emvRuleDocument struct {
	Primitive     bool   `json:"primitiveMerchant" wire:"check,alias=isPrimitiveMerchant"`
	PrimitiveTag  string `json:"primitiveMerchantTag" wire:"check"`
	ExtendedTag   string `json:"extendedMerchantTag" wire:"check"`
	ExtendedValue string `json:"extendedMerchantValue" wire:"check"`
}

type actionDocument struct {
	Type      string `json:"postCodeMatchActionType" wire:"check"`
	Method    string `json:"urlConstructionMethod" wire:"check"`
	Dynamic   string `json:"dynamicUrlExpression" wire:"check"`
	URLTag    string `json:"emvUrlTag" wire:"check"`
	UserAgent string `json:"userAgent" wire:"check"`
}

// extendDocument is JSON in a string, and its two members are again.
type extendDocument struct {
	Pattern extendPatternDocument `json:"matchPattern" wire:"check,jsonstring"`
	Result  extendResultDocument  `json:"matchResult" wire:"check,jsonstring"`
}

type extendPatternDocument struct {
	Matcher      string            `json:"matcherType" wire:"check"`
	Priority     *wholeNumber      `json:"priority" wire:"check"`
	Prefix       string            `json:"prefix" wire:"check"`
	Regex        string            `json:"regx" wire:"check"`
	Primitive    bool              `json:"primitiveMai" wire:"check"`
	PrimitiveTag string            `json:"primitiveMaiTag" wire:"check"`
	Restrictions map[string]string `json:"merchantMaiRestrictions" wire:"check"`

	PayloadFormat    string             `json:"payloadFormatIndicator" wire:"check"`
	InitiationMethod string             `json:"pointOfInitiationMethod" wire:"check"`
	CategoryCode     string             `json:"merchantCategoryCode" wire:"check"`
	Currency         string             `json:"transactionCurrency" wire:"check"`
	Amount           string             `json:"transactionAmount" wire:"check"`
	Convenience      string             `json:"convenienceIndicator" wire:"check"`
	FixedFee         string             `json:"fixedConvenienceFee" wire:"check"`
	PercentageFee    string             `json:"percentageConvenienceFee" wire:"check"`
	Country          string             `json:"countryCode" wire:"check"`
	Name             string             `json:"merchantName" wire:"check"`
	City             string             `json:"merchantCity" wire:"check"`
	PostalCode       string             `json:"postalCode" wire:"check"`
	AdditionalData   map[string]string  `json:"additionalDataFieldTemplate" wire:"check"`
	Accurate         []accurateDocument `json:"accurateTagRules" wire:"check"`
}

// accurateDocument is a condition on a field by its path: root tag, tag in the
// template, tag in the template in that.
type accurateDocument struct {
	Tag    string `json:"tag" wire:"check"`
	Second string `json:"secTag" wire:"check"`
	Third  string `json:"thiTag" wire:"check"`
	Rule   string `json:"rule" wire:"check"`
}

type extendResultDocument struct {
	Router        string `json:"routerType" wire:"check"`
	NonSDKRouter  string `json:"routerTypeNonSdk" wire:"check"`
	Dynamic       string `json:"dynamicUrlExpression" wire:"check"`
	URLTag        string `json:"emvUrlTag" wire:"check"`
	UserAgent     string `json:"userAgent" wire:"check"`
	Trust         string `json:"trust" wire:"check"`
	NonSDKVersion string `json:"nonSdkJarSupportVersion" wire:"check"`
	SDKVersion    string `json:"sdkJarSupportVersion" wire:"check"`
}

// wholeNumber is an integer that may be written as 10.0 or 1e4.
type wholeNumber int64

// UnmarshalJSON reads a number or a string with one.
func (n *wholeNumber) UnmarshalJSON(raw []byte) error {
	text := strings.Trim(string(raw), `"`)
	i, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		f, err := strconv.ParseFloat(text, 64)
		if i = int64(f); err != nil || f != float64(i) || i > 1<<53 || i < -1<<53 {
			return notWholeError{}
		}
	}
	*n = wholeNumber(i)
	return nil
}

type notWholeError struct{}

func (notWholeError) Error() string    { return notWholeError{}.WireRule() }
func (notWholeError) WireRule() string { return "not readable as integer" }

// readRule reads the JSON of one rule. The error names the first member that is
// wrong.
func readRule(raw []byte) (doc ruleDocument, err error) {
	err = wire.Decode(raw, &doc)
	if wrong, ok := errors.AsType[*wire.InvalidError](err); ok {
		p := wrong.Problems[0]
		err = errors.New(strings.TrimPrefix(p.Path+": "+p.Rule, ": "))
	}
	return doc, err
}

// unknownMemberError is the reason to skip a rule that might be narrower than
// this package knows.
type unknownMemberError struct{ name string }

func (e *unknownMemberError) Error() string {
	return "unknown member of the match pattern, which may restrict the rule"
}

// The names that are known in each part of a match pattern, in lower case.
var (
	publicNames   = namesOf[patternDocument]()
	emvNames      = namesOf[emvRuleDocument]()
	extendNames   = namesOf[extendPatternDocument]()
	accurateNames = namesOf[accurateDocument]()
)

func namesOf[T any]() map[string]bool {
	names := map[string]bool{}
	for _, f := range reflect.VisibleFields(reflect.TypeFor[T]()) {
		names[strings.ToLower(f.Tag.Get("json"))] = true
		if _, alias, found := strings.Cut(f.Tag.Get("wire"), "alias="); found {
			names[strings.ToLower(alias)] = true
		}
	}
	return names
}

// unknownMember returns the name of a member that this package does not know and
// that is not empty, among those that say which codes a rule matches; "" if all
// are known or harmless (in lower case). raw was read by readRule.
func unknownMember(raw json.RawMessage, harmless map[string]bool) (unknown string) {
	look := func(m members, known map[string]bool) {
		for name, value := range m {
			lower := strings.ToLower(name)
			if !known[lower] && !harmless[lower] && !isAbsent(value) && (unknown == "" || name < unknown) {
				unknown = name
			}
		}
	}
	rule := membersOf(raw)
	public := membersOf(rule.get("codeMatchPattern"))
	extend := membersOf(membersOf(rule.get("extendInfo")).get("matchPattern"))
	look(public, publicNames)
	look(extend, extendNames)
	for _, item := range itemsOf(public.get("emvMatchRules")) {
		look(membersOf(item), emvNames)
	}
	for _, item := range itemsOf(extend.get("accurateTagRules")) {
		look(membersOf(item), accurateNames)
	}
	return unknown
}

// isAbsent reports whether the protocol takes a value for an absent one.
func isAbsent(value json.RawMessage) bool {
	text := strings.Join(strings.Fields(string(value)), "")
	return text == "null" || text == `""` || text == "{}" || text == "[]"
}

type members map[string]json.RawMessage

// membersOf returns the members of an object, which may be JSON in a string.
func membersOf(raw json.RawMessage) members {
	if bytes.HasPrefix(raw, []byte(`"`)) {
		var text string
		_ = json.Unmarshal(raw, &text)
		raw = json.RawMessage(text)
	}
	var m members
	_ = json.Unmarshal(raw, &m) // nothing else than an object has members
	return m
}

func itemsOf(raw json.RawMessage) (items []json.RawMessage) {
	_ = json.Unmarshal(raw, &items) // nothing else than an array has items
	return items
}

// get returns a member by its name in any ASCII case.
func (m members) get(name string) json.RawMessage {
	for n, raw := range m {
		if equalFoldASCII(n, name) {
			return raw
		}
	}
	return nil
}
