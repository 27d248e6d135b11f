package payment

import (
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
)

// NotifyPaymentRequest tells Alipay+ the final result of a payment.
// [Record.Notification] has it, as the message that was made first: Alipay+
// answers a second one that differs with REPEAT_REQ_INCONSISTENT.
type NotifyPaymentRequest struct {
	PaymentResult    alipayplus.Result `json:"paymentResult" wire:"required"`                    // REQUIRED: status S or F, never U
	PaymentRequestID string            `json:"paymentRequestId,omitzero" wire:"required,max=64"` // REQUIRED, ≤ 64: the idempotency field
	PaymentID        string            `json:"paymentId,omitzero" wire:"max=64"`                 // with S, ≤ 64: the MPP's id of the payment
	PaymentTime      alipayplus.Time   `json:"paymentTime,omitzero"`                             // with S
	PaymentAmount    alipayplus.Amount `json:"paymentAmount,omitzero"`                           // with S
	PayToAmount      alipayplus.Amount `json:"payToAmount,omitzero"`                             // with S
	CustomerID       string            `json:"customerId,omitzero" wire:"max=64"`                // with S, ≤ 64: the MPP's user id
	// CustomsDeclarationAmount is named by the documents without a description.
	CustomsDeclarationAmount alipayplus.Amount `json:"customsDeclarationAmount,omitzero"`
	PaymentPromoInfo         PromoInfo         `json:"paymentPromoInfo,omitzero"`
}

// WireRules returns the rules of the whole message that r breaks: no U, and a
// payment that succeeded needs its id, time, amount and customer.
func (r NotifyPaymentRequest) WireRules() []string {
	switch r.PaymentResult.Status {
	case alipayplus.StatusFailed:
		return nil
	case alipayplus.StatusSucceeded:
		if r.PaymentID == "" || r.PaymentTime.IsZero() || r.PaymentAmount.IsZero() || r.CustomerID == "" {
			return []string{"reports success without paymentId, paymentTime, paymentAmount or customerId"}
		}
		return nil
	default:
		return []string{"reports neither S nor F"}
	}
}

// NotifyPaymentResponse acknowledges a notification. S ends its delivery. F
// makes it a dead letter and never changes the payment.
type NotifyPaymentResponse struct {
	Result alipayplus.Result `json:"result"`
}

// NotifyPayment is the API that reports a payment's final result, S or F. It
// goes to the order's paymentNotifyUrl if Alipay+ gave one, and is repeated
// unchanged until it is acknowledged. [Service] puts it into the outbox, and
// [alipayplus.Relay] delivers it.
var NotifyPayment = alipayplus.NewOutbound(alipayplus.Spec[NotifyPaymentRequest, NotifyPaymentResponse]{
	Name:    "notifyPayment",
	Path:    "/aps/api/v1/payments/notifyPayment",
	Timeout: 5 * time.Second,
	Idempotency: func(r *NotifyPaymentRequest) alipayplus.Idempotency {
		return alipayplus.Idempotency{
			Key: r.PaymentRequestID,
			Match: []any{
				matchAmount(r.PaymentAmount), r.PaymentResult.Status, r.PaymentResult.Code, r.PaymentID,
				matchAmount(r.PayToAmount), r.CustomerID, matchAmount(r.CustomsDeclarationAmount),
			},
		}
	},
})
