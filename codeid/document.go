package codeid

import (
	"errors"
	"strings"

	"github.com/alipayplus-mpp/alipayplus-go/internal/wire"
)

// The JSON of one rule. Every field is marked check: a value that cannot be read must make the rule unusable, not wider.

type ruleDocument struct {
	Pattern patternDocument `json:"codeMatchPattern" wire:"check"`
	Action  actionDocument  `json:"postCodeMatchAction" wire:"check"`
	Extend  extendDocument  `json:"extendInfo" wire:"check,jsonstring"`
}

type patternDocument struct {
	Method   string            `json:"matchMethod" wire:"check"`
	Priority *int64            `json:"priority" wire:"check"`
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
	Priority     *int64            `json:"priority" wire:"check"`
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

// accurateDocument is a condition on a field by its path: root tag, tag in the template, tag in the template in that.
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

// readRule reads the JSON of one rule. The error names the first member that is wrong.
func readRule(raw []byte) (doc ruleDocument, err error) {
	err = wire.Decode(raw, &doc)
	if wrong, ok := errors.AsType[*wire.InvalidError](err); ok {
		p := wrong.Problems[0]
		err = errors.New(strings.TrimPrefix(p.Path+": "+p.Rule, ": "))
	}
	return doc, err
}
