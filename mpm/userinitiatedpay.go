package mpm

import (
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
)

// UserInitiatedPay is the API that decodes an order code: it turns the code
// that a user scanned into the order to pay. An attempt may take 8 seconds.
//
// Its idempotency field is codeValue, within the code's validity, and
// customerId must not differ between two requests for one code
// (REPEAT_REQ_INCONSISTENT).
//
// An answer with status F may hold an ActionForm, which must be obeyed: read it
// with UserInitiatedPay.AnswerIn(err). For users there are texts for
// EXPIRED_CODE, INVALID_CODE and ORDER_IS_CLOSED; all other codes are for
// support.
var UserInitiatedPay = alipayplus.NewOutbound(alipayplus.Spec[UserInitiatedPayRequest, UserInitiatedPayResponse]{
	Name:    "userInitiatedPay",
	Path:    "/aps/api/v1/payments/userInitiatedPay",
	Timeout: 8 * time.Second,
	Idempotency: func(r *UserInitiatedPayRequest) alipayplus.Idempotency {
		return alipayplus.Idempotency{Key: r.CodeValue.Digest(), Match: []any{r.CustomerID}}
	},
})

// UserInitiatedPayRequest asks to decode an order code.
type UserInitiatedPayRequest struct {
	CodeValue       alipayplus.Secret `json:"codeValue,omitzero" wire:"required,max=512"` // REQUIRED, ≤ 512: as scanned
	CustomerID      string            `json:"customerId,omitzero" wire:"required,max=64"` // REQUIRED, ≤ 64: the MPP's user id
	PassThroughInfo alipayplus.Secret `json:"passThroughInfo,omitzero" wire:"max=20000"`  // ≤ 20000: key-value pairs for the ACQP
}

// UserInitiatedPayResponse is the order of a code. All members but Result and
// ActionForm come with status S only.
type UserInitiatedPayResponse struct {
	Result alipayplus.Result `json:"result" wire:"check,alias=resultInfo"`

	AcquirerID       string `json:"acquirerId,omitzero" wire:"check,max=64"`       // ≤ 64
	PSPID            string `json:"pspId,omitzero" wire:"check,max=64"`            // ≤ 64: the MPP's id
	CodeType         string `json:"codeType,omitzero" wire:"check,max=64"`         // ORDER_CODE; other values are legal
	PaymentRequestID string `json:"paymentRequestId,omitzero" wire:"check,max=64"` // ≤ 64: Alipay+'s id of the payment, the key of all that follows

	Order         payment.Order  `json:"order,omitzero" wire:"check"`         // what the cashier page shows
	PaymentFactor payment.Factor `json:"paymentFactor,omitzero" wire:"check"` // the scenario

	// PaymentAmount is what Alipay+ asks of the MPP, in the order's currency,
	// less promotions. PayToAmount is the same in the MPP's currency: what the
	// MPP settles, and what the user pays unless there is a surcharge.
	PaymentAmount alipayplus.Amount `json:"paymentAmount,omitzero" wire:"check"`
	PayToAmount   alipayplus.Amount `json:"payToAmount,omitzero" wire:"check"`
	// PaymentQuote comes if the two currencies differ.
	PaymentQuote payment.Quote `json:"paymentQuote,omitzero"`
	// SurchargeInfo comes if PaymentFactor.NeedSurcharge is true. Its amount is
	// then what the user pays.
	SurchargeInfo    payment.SurchargeInfo `json:"surchargeInfo,omitzero" wire:"check"`
	PaymentPromoInfo payment.PromoInfo     `json:"paymentPromoInfo,omitzero"`

	// PaymentNotifyURL, if given, is where the result must be reported, ≤ 2048.
	// Check it with Client.CheckNotifyURL before the user pays.
	PaymentNotifyURL string `json:"paymentNotifyUrl,omitzero" wire:"check,max=2048"`
	// PaymentRedirectURL, if given, is where the user goes after the payment,
	// in a WebView, ≤ 2048.
	PaymentRedirectURL alipayplus.Secret `json:"paymentRedirectUrl,omitzero" wire:"check,max=2048"`
	// PaymentExpiryTime is when Alipay+ closes the order.
	PaymentExpiryTime alipayplus.Time `json:"paymentExpiryTime,omitzero" wire:"check"`
	// AuthorizationInfo comes if PaymentFactor.IsAuthorizationAndPay is true.
	AuthorizationInfo payment.AuthorizationInfo `json:"authorizationInfo,omitzero" wire:"check"`
	// ActionForm may come with S and with F and must be obeyed in both.
	ActionForm      payment.ActionForm `json:"actionForm,omitzero" wire:"check"`
	PassThroughInfo alipayplus.Secret  `json:"passThroughInfo,omitzero" wire:"max=20000"` // ≤ 20000: from the ACQP
}
