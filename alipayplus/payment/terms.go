package payment

import (
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
)

// Terms is what is agreed when a payment begins. It never changes.
// PayRequest.Terms takes it from a request; the fields of the MPP are added by
// the host.
type Terms struct {
	PaymentRequestID  string            `json:"paymentRequestId"`           // ≤ 64: Alipay+'s id of the payment
	PaymentID         string            `json:"paymentId,omitzero"`         // ≤ 64: the MPP's id of the payment, chosen by the host
	CustomerID        string            `json:"customerId,omitzero"`        // ≤ 64: the MPP's user id, found by the host
	AcquirerID        string            `json:"acquirerId,omitzero"`        // ≤ 64: who acquires the payment
	PSPID             string            `json:"pspId,omitzero"`             // ≤ 64: the MPP's id at Alipay+
	CodeValueDigest   string            `json:"codeValueDigest,omitzero"`   // Secret.Digest of the scanned code, if there was one: the user pays on a cashier page
	Origin            string            `json:"origin,omitzero"`            // how the scanned code came, for the app: what package mpm calls Origin
	Amounts           Amounts           `json:"amounts,omitzero"`           // what the user pays and the MPP settles
	Order             Order             `json:"order,omitzero"`             // for the purchase record
	ExpiryTime        alipayplus.Time   `json:"expiryTime,omitzero"`        // paymentExpiryTime; absent: DefaultExpiry after Opened.At, and at most a day after Opened.SentAt
	NotifyURL         string            `json:"notifyUrl,omitzero"`         // paymentNotifyUrl
	RedirectURL       alipayplus.Secret `json:"redirectUrl,omitzero"`       // paymentRedirectUrl
	AuthorizationInfo AuthorizationInfo `json:"authorizationInfo,omitzero"` // if the account is to be bound when the payment is paid
	Verification      Verification      `json:"verification,omitzero"`      // Easy Pay creation: makes the payment begin in StateVerifying
}

// Verification is the verification of the user that an Easy Pay creation begins
// with.
type Verification struct {
	URL     alipayplus.Secret `json:"url,omitzero"`     // ≤ 2048: the wallet's page, paymentUrl of the answer
	Tries   int               `json:"tries,omitzero"`   // how many PINs or OTPs the user may enter; 0 means DefaultTries
	Resends int               `json:"resends,omitzero"` // how often another OTP may be sent; 0 means DefaultResends
}

// Defaults of Terms.
const (
	DefaultExpiry  = 10 * time.Minute
	DefaultTries   = 3
	DefaultResends = 5
)

// Terms returns the terms that r names: everything but PaymentID, CustomerID
// and Verification, which only the host knows.
func (r PayRequest) Terms() Terms {
	t := Terms{
		PaymentRequestID: r.PaymentRequestID,
		AcquirerID:       r.AcquirerID,
		PSPID:            r.PSPID,
		Amounts: Amounts{
			PaymentAmount:    r.PaymentAmount,
			PayToAmount:      r.PayToAmount,
			PaymentQuote:     r.PaymentQuote,
			SurchargeInfo:    r.SurchargeInfo,
			PaymentPromoInfo: r.PaymentPromoInfo,
		},
		Order:       r.Order,
		ExpiryTime:  r.PaymentExpiryTime,
		NotifyURL:   r.PaymentNotifyURL,
		RedirectURL: r.PaymentRedirectURL,
	}
	if r.PaymentFactor.IsAuthorizationAndPay == alipayplus.True {
		t.AuthorizationInfo = r.AuthorizationInfo
	}
	return t
}
