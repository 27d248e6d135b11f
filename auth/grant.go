package auth

import (
	"slices"
	"unicode/utf8"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
)

// ScopeAgreementPay lets the owner of a token debit the user without asking
// again: one-click payments and Auto Debit.
const ScopeAgreementPay = "AGREEMENT_PAY"

// Grant is what a user allowed a client of Alipay+ to do.
type Grant struct {
	CustomerID   string `json:"customerId"`   // REQUIRED, ≤ 64: the MPP's user id
	AuthClientID string `json:"authClientId"` // REQUIRED, ≤ 64: who may use the grant, usually the merchant
	// Scopes are what is allowed. Of a token that Issue makes, none means
	// ScopeAgreementPay.
	Scopes []string `json:"scopes,omitzero"`

	// ReferenceAgreementID is the client's id of the agreement, ≤ 64. REQUIRED
	// by Issue, absent for authorization codes. From authorizationInfo of the
	// payment.
	ReferenceAgreementID string `json:"referenceAgreementId,omitzero"`
	ReferenceMerchantID  string `json:"referenceMerchantId,omitzero"` // ≤ 32: from the order; Unbind needs it
	AcquirerID           string `json:"acquirerId,omitzero"`          // ≤ 64: from the payment, or from applyToken
	PSPID                string `json:"pspId,omitzero"`               // ≤ 64: the same

	// UserLoginID is the masked login id ("62-857****6473", ≤ 64) that
	// authNotify tells Alipay+, if given. It is not stored.
	UserLoginID alipayplus.Secret `json:"-"`
}

// check reports what is missing or too long, by its wire name.
func (g *Grant) check(agreement bool) error {
	var problems []alipayplus.Problem
	id := func(path, value string, limit int, required bool) {
		switch {
		case value == "" && required:
			problems = append(problems, alipayplus.Problem{Path: path, Rule: "missing"})
		case utf8.RuneCountInString(value) > limit || !utf8.ValidString(value):
			problems = append(problems, alipayplus.Problem{Path: path, Rule: "too long or not valid UTF-8"})
		}
	}
	id("customerId", g.CustomerID, 64, true)
	id("authClientId", g.AuthClientID, 64, true)
	id("referenceAgreementId", g.ReferenceAgreementID, 64, agreement)
	id("referenceMerchantId", g.ReferenceMerchantID, 32, false)
	id("acquirerId", g.AcquirerID, 64, false)
	id("pspId", g.PSPID, 64, false)
	id("userLoginId", g.UserLoginID.Reveal(), 64, false)
	if slices.Contains(g.Scopes, "") {
		problems = append(problems, alipayplus.Problem{Path: "scopes", Rule: "holds an empty one"})
	}
	if problems != nil {
		return &alipayplus.ValidationError{Problems: problems}
	}
	return nil
}

// stored returns a copy of g without what must not be kept.
func (g Grant) stored() Grant {
	g.Scopes = slices.Clone(g.Scopes)
	g.UserLoginID = alipayplus.Secret{}
	return g
}
