package codeid

import (
	"encoding/json"
	"errors"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/alipayplus-mpp/alipayplus-go/internal/emvqr"
	"github.com/alipayplus-mpp/alipayplus-go/internal/wire"
)

// The JSON of one rule. Every field is marked check: a value that cannot be
// read must make the rule unusable, not wider.

type ruleDocument struct {
	Pattern patternDocument `json:"codeMatchPattern" wire:"check"`
	Action  actionDocument  `json:"postCodeMatchAction" wire:"check"`
	Extend  extendDocument  `json:"extendInfo" wire:"check,jsonstring"`
}

type patternDocument struct {
	Method   string            `json:"matchMethod" wire:"check"`
	Priority string            `json:"priority" wire:"check"`
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

// extendDocument is JSON in a string; each of its two members is, too.
type extendDocument struct {
	Pattern extendPatternDocument `json:"matchPattern" wire:"check,jsonstring"`
	Result  extendResultDocument  `json:"matchResult" wire:"check,jsonstring"`
}

type extendPatternDocument struct {
	Matcher      string            `json:"matcherType" wire:"check"`
	Priority     string            `json:"priority" wire:"check"`
	Prefix       string            `json:"prefix" wire:"check"`
	Regex        string            `json:"regx" wire:"check"`
	Primitive    bool              `json:"primitiveMai" wire:"check"`
	PrimitiveTag string            `json:"primitiveMaiTag" wire:"check"`
	Restrictions map[string]string `json:"merchantMaiRestrictions" wire:"check"`

	PayloadFormat    string            `json:"payloadFormatIndicator" wire:"check"`
	InitiationMethod string            `json:"pointOfInitiationMethod" wire:"check"`
	CategoryCode     string            `json:"merchantCategoryCode" wire:"check"`
	Currency         string            `json:"transactionCurrency" wire:"check"`
	Amount           string            `json:"transactionAmount" wire:"check"`
	Convenience      string            `json:"convenienceIndicator" wire:"check"`
	FixedFee         string            `json:"fixedConvenienceFee" wire:"check"`
	PercentageFee    string            `json:"percentageConvenienceFee" wire:"check"`
	Country          string            `json:"countryCode" wire:"check"`
	Name             string            `json:"merchantName" wire:"check"`
	City             string            `json:"merchantCity" wire:"check"`
	PostalCode       string            `json:"postalCode" wire:"check"`
	AdditionalData   map[string]string `json:"additionalDataFieldTemplate" wire:"check"`
	Accurate         []fieldDocument   `json:"accurateTagRules" wire:"check"`
}

// fieldDocument is a condition on a field, which a path names: the root tag or
// "merchantTag", then the tag in that template, then the tag in the template in
// that one.
type fieldDocument struct {
	Tag    string `json:"tag" wire:"check"`
	Second string `json:"secTag" wire:"check"`
	Third  string `json:"thiTag" wire:"check"`
	Rule   string `json:"rule" wire:"check"`

	account bool // instead of Tag: the merchant account template
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

// fields lists the conditions on fields of an EMVCo code that the rule has in
// all its places, always in the same order.
func (d *ruleDocument) fields() (all []fieldDocument, err error) {
	add := func(root, second, text string) {
		all = append(all, fieldDocument{Tag: root, Second: second, Rule: text})
	}
	addAccount := func(tag, text string) {
		all = append(all, fieldDocument{account: true, Second: tag, Rule: text})
	}
	primitive := func(tag string) {
		if n, ok := parseTag(tag); !ok || n < emvqr.FirstPrimitive || n > emvqr.LastPrimitive {
			err = errors.New("primitive merchant tag that is not 02 to 25")
		}
		add(tag, "", "N<NOT_NULL>")
	}
	for _, e := range d.Pattern.EMV {
		if e.Primitive {
			primitive(e.PrimitiveTag)
		} else {
			addAccount(e.ExtendedTag, e.ExtendedValue)
		}
	}
	x := &d.Extend.Pattern
	if x.Primitive {
		primitive(x.PrimitiveTag)
	}
	for _, tag := range slices.Sorted(maps.Keys(x.Restrictions)) {
		addAccount(tag, x.Restrictions[tag])
	}
	for _, f := range [...][2]string{
		{"00", x.PayloadFormat}, {"01", x.InitiationMethod}, {"52", x.CategoryCode}, {"53", x.Currency},
		{"54", x.Amount}, {"55", x.Convenience}, {"56", x.FixedFee}, {"57", x.PercentageFee}, {"58", x.Country},
		{"59", x.Name}, {"60", x.City}, {"61", x.PostalCode},
	} {
		if f[1] != "" {
			add(f[0], "", f[1])
		}
	}
	for _, tag := range slices.Sorted(maps.Keys(x.AdditionalData)) {
		add("62", tag, x.AdditionalData[tag])
	}
	return append(all, x.Accurate...), err
}

// unknownMemberError is the reason to skip a rule that might be narrower than
// this package knows.
type unknownMemberError struct{ name string }

func (e *unknownMemberError) Error() string {
	return "unknown member of the match pattern, which may restrict the rule"
}

// The names that are known in each part of a match pattern, in lower case.
var (
	publicNames = namesOf[patternDocument]()
	emvNames    = namesOf[emvRuleDocument]()
	extendNames = namesOf[extendPatternDocument]()
	fieldNames  = namesOf[fieldDocument]()
)

func namesOf[T any]() map[string]bool {
	names := map[string]bool{}
	for _, f := range reflect.VisibleFields(reflect.TypeFor[T]()) {
		if !f.IsExported() {
			continue
		}
		names[strings.ToLower(f.Tag.Get("json"))] = true
		if _, alias, found := strings.Cut(f.Tag.Get("wire"), "alias="); found {
			names[strings.ToLower(alias)] = true
		}
	}
	return names
}

// unknownMember returns the name of a member that this package does not know
// and that is not empty, among those that say which codes a rule matches; "" if
// all are known or harmless (in lower case). raw was read by readRule.
func unknownMember(raw []byte, harmless map[string]bool) (unknown string) {
	look := func(value any, known map[string]bool) {
		for name, v := range objectIn(value) {
			lower := strings.ToLower(name)
			if !known[lower] && !harmless[lower] && !isAbsent(v) && (unknown == "" || name < unknown) {
				unknown = name
			}
		}
	}
	var rule any
	_ = json.Unmarshal(raw, &rule) // what readRule read
	public := memberOf(rule, "codeMatchPattern")
	extend := memberOf(memberOf(rule, "extendInfo"), "matchPattern")
	look(public, publicNames)
	look(extend, extendNames)
	items, _ := memberOf(public, "emvMatchRules").([]any)
	for _, item := range items {
		look(item, emvNames)
	}
	items, _ = memberOf(extend, "accurateTagRules").([]any)
	for _, item := range items {
		look(item, fieldNames)
	}
	return unknown
}

// isAbsent reports whether the protocol takes a value for an absent one.
func isAbsent(value any) bool {
	switch v := value.(type) {
	case map[string]any:
		return len(v) == 0
	case []any:
		return len(v) == 0
	default:
		return v == nil || v == ""
	}
}

// objectIn returns the members of an object, which may be JSON in a string.
func objectIn(value any) map[string]any {
	if text, ok := value.(string); ok {
		_ = json.Unmarshal([]byte(text), &value)
	}
	object, _ := value.(map[string]any)
	return object
}

// memberOf returns a member by its name in any ASCII case.
func memberOf(value any, name string) any {
	for n, v := range objectIn(value) {
		if strings.EqualFold(n, name) {
			return v
		}
	}
	return nil
}
