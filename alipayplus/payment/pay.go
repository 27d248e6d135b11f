package payment

import (
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
)

// PayRequest is Alipay+ asking the MPP to pay, or only to evaluate whether it
// would. Four flags of PaymentFactor, Is… in this table, make the kinds:
//
//	                     Agreement  EasyPay   Payment     Authorization
//	                     Payment    Scenario  Evaluation  AndPay         who      answer
//	payment code                                                         code     S, F, U
//	Auto Debit           True                                            token    S, F, U
//	  its evaluation     True                 True                       token    S, F, U
//	Easy Pay evaluation  True       True      True                       account  S, F, U
//	Easy Pay creation    True       True                                 account  F, U
//	  with consent       True       True                  True           account  F, U
//	one-click payment    True       either                               token    S, F, U
//
// A code or an access token is in PaymentMethod.PaymentMethodID. An account is
// there, too, or in PaymentMethodMetaData.UserLoginID. An evaluation moves no
// money and makes no order. The U of a creation is PAYMENT_IN_PROCESS with
// PaymentURL and PaymentID.
//
// easypay.Service answers all but payment codes; its comment tells how it takes
// other mixtures of the flags.
type PayRequest struct {
	AcquirerID       string            `json:"acquirerId,omitzero" wire:"check,max=64"`          // REQUIRED, ≤ 64
	PSPID            string            `json:"pspId,omitzero" wire:"check,max=64"`               // REQUIRED, ≤ 64: the MPP's id at Alipay+
	PaymentRequestID string            `json:"paymentRequestId,omitzero" wire:"required,max=64"` // REQUIRED, ≤ 64: Alipay+'s id of the payment, the idempotency field
	Order            Order             `json:"order,omitzero"`                                   // REQUIRED
	PaymentAmount    alipayplus.Amount `json:"paymentAmount,omitzero" wire:"required"`           // REQUIRED: what Alipay+ requests, promotions taken off
	PayToAmount      alipayplus.Amount `json:"payToAmount,omitzero" wire:"required"`             // REQUIRED: what the MPP settles, in its currency
	PaymentQuote     Quote             `json:"paymentQuote,omitzero"`                            // if the two currencies differ
	SurchargeInfo    SurchargeInfo     `json:"surchargeInfo,omitzero" wire:"check"`              // what the user is debited, if present
	PaymentMethod    Method            `json:"paymentMethod,omitzero" wire:"required"`           // REQUIRED: who pays
	PaymentFactor    Factor            `json:"paymentFactor,omitzero" wire:"check"`              // REQUIRED: what kind of payment it is

	PaymentExpiryTime  alipayplus.Time   `json:"paymentExpiryTime,omitzero" wire:"check"`           // absent for evaluations
	PaymentNotifyURL   string            `json:"paymentNotifyUrl,omitzero" wire:"check,max=2048"`   // ≤ 2048: where notifyPayment must go
	PaymentRedirectURL alipayplus.Secret `json:"paymentRedirectUrl,omitzero" wire:"check,max=2048"` // ≤ 2048: where the user goes after the verification
	PaymentPromoInfo   PromoInfo         `json:"paymentPromoInfo,omitzero"`                         // promotions that were applied
	AuthorizationInfo  AuthorizationInfo `json:"authorizationInfo,omitzero" wire:"check"`           // if IsAuthorizationAndPay

	// PassThroughInfo is JSON in a string, ≤ 20,000 characters. It may hold a
	// security code.
	PassThroughInfo alipayplus.Secret `json:"passThroughInfo,omitzero" wire:"max=20000"`
	ExtendInfo      alipayplus.Secret `json:"extendInfo,omitzero" wire:"max=2048"` // JSON in a string
}

// PayResponse is the MPP's answer to pay. Record.PayAnswer makes it.
type PayResponse struct {
	Result      alipayplus.Result `json:"result" wire:"required"`
	PaymentID   string            `json:"paymentId,omitzero" wire:"max=64"`          // ≤ 64: the MPP's id of the payment, with S and for an Easy Pay creation
	PaymentTime alipayplus.Time   `json:"paymentTime,omitzero"`                      // with S
	CustomerID  string            `json:"customerId,omitzero" wire:"max=64"`         // ≤ 64: the MPP's user id
	PaymentURL  alipayplus.Secret `json:"paymentUrl,omitzero" wire:"max=2048,https"` // ≤ 2048: Easy Pay creation, the wallet's verification page
}

// Pay is the API of payment codes, Auto Debit and Easy Pay, which share one
// path. Merchant-presented mode does not use it.
//
// Its idempotency key is paymentRequestId, or paymentRequestId and
// "/evaluation" for an evaluation, so that an evaluation's S is never repeated
// as the answer of a payment.
var Pay = alipayplus.NewInbound(alipayplus.Spec[PayRequest, PayResponse]{
	Name:    "pay",
	Timeout: 8 * time.Second,
	Running: alipayplus.CodePaymentInProcess,
	// An evaluation moves no money: its S names no payment.
	Missing: func(r *PayRequest, a *PayResponse) (missing []string) {
		if r.PaymentFactor.IsPaymentEvaluation == alipayplus.True {
			return nil
		}
		if a.PaymentID == "" {
			missing = append(missing, "paymentId")
		}
		if a.PaymentTime.IsZero() {
			missing = append(missing, "paymentTime")
		}
		return missing
	},
	// The answer to an Easy Pay creation: what comes of it is told by
	// notifyPayment.
	Keep: func(a *PayResponse) bool {
		return a.Result.Code == alipayplus.CodePaymentInProcess && a.PaymentID != "" && !a.PaymentURL.IsZero()
	},
	Idempotency: func(r *PayRequest) alipayplus.Idempotency {
		key := r.PaymentRequestID
		evaluation := r.PaymentFactor.IsPaymentEvaluation == alipayplus.True
		if evaluation {
			key += "/evaluation"
		}
		return alipayplus.Idempotency{
			Key: key,
			Match: []any{
				evaluation, // an id may itself end in "/evaluation"
				matchAmount(r.PaymentAmount), matchAmount(r.PayToAmount),
				matchAmount(r.SurchargeInfo.SurchargeAmount), matchQuote(r.SurchargeInfo.SurchargeQuote),
				matchMethod(r.PaymentMethod), matchPromos(r.PaymentPromoInfo),
			},
		}
	},
})
