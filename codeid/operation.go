package codeid

import (
	"encoding/json"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
)

// InquiryCodeRules asks Alipay+ for the rules by which codes are identified. An
// Identifier calls it; call it directly only to look at the answer.
var InquiryCodeRules = alipayplus.NewOutbound(alipayplus.Spec[InquiryCodeRulesRequest, InquiryCodeRulesResponse]{
	Name:     "inquiryCodeRules",
	Path:     "/aps/api/v1/codes/inquiryCodeRules",
	Timeout:  5 * time.Second,
	ReadOnly: true,
})

// InquiryCodeRulesRequest has no members.
type InquiryCodeRulesRequest struct{}

// InquiryCodeRulesResponse is the answer. [ParseRuleset] compiles the body that
// it came in.
type InquiryCodeRulesResponse struct {
	// Result has status S.
	Result alipayplus.Result `json:"result"`
	// Version names the set and is opaque: "c_1_example_7". The documents say at
	// most 16 characters; up to 64 are taken.
	Version string `json:"version,omitzero"`
	// CodeRules is the JSON array of rules.
	CodeRules json.RawMessage `json:"codeRules,omitzero"`
}
