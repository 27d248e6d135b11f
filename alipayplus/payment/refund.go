package payment

import (
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
)

// RefundRequest gives back a payment or a part of it, at the payment's rate.
type RefundRequest struct {
	AcquirerID       string            `json:"acquirerId,omitzero" wire:"check,max=64"`          // REQUIRED, ≤ 64
	PSPID            string            `json:"pspId,omitzero" wire:"check,max=64"`               // REQUIRED, ≤ 64
	PaymentRequestID string            `json:"paymentRequestId,omitzero" wire:"required,max=64"` // REQUIRED, ≤ 64: the payment
	PaymentID        string            `json:"paymentId,omitzero" wire:"check,max=64"`           // REQUIRED, ≤ 64: the MPP's id of the payment
	RefundRequestID  string            `json:"refundRequestId,omitzero" wire:"required,max=64"`  // REQUIRED, ≤ 64: the idempotency field
	RefundAmount     alipayplus.Amount `json:"refundAmount,omitzero" wire:"required"`            // REQUIRED: in the currency of paymentAmount
	RefundFromAmount alipayplus.Amount `json:"refundFromAmount,omitzero" wire:"required"`        // REQUIRED: what the MPP gets back, in the currency of payToAmount
	RefundQuote      Quote             `json:"refundQuote,omitzero"`                             // the payment's own rate
	SurchargeInfo    SurchargeInfo     `json:"surchargeInfo,omitzero" wire:"check"`              // what the user gets back, if present
	RefundPromoInfo  RefundPromoInfo   `json:"refundPromoInfo,omitzero"`
	ExtendInfo       alipayplus.Secret `json:"extendInfo,omitzero" wire:"max=2048"` // JSON in a string
}

// RefundResponse is the MPP's answer to refund. Record.RefundAnswer makes it.
type RefundResponse struct {
	Result     alipayplus.Result `json:"result" wire:"required"`
	RefundID   string            `json:"refundId,omitzero" wire:"max=64"` // ≤ 64: with S, the MPP's id of the refund
	RefundTime alipayplus.Time   `json:"refundTime,omitzero"`             // with S
}

// Refund is the API by which a merchant gives money back, in full, in part, and
// several times.
var Refund = alipayplus.NewInbound(alipayplus.Spec[RefundRequest, RefundResponse]{
	Name:    "refund",
	Timeout: 8 * time.Second,
	Missing: func(_ *RefundRequest, a *RefundResponse) (missing []string) {
		if a.RefundID == "" {
			missing = append(missing, "refundId")
		}
		if a.RefundTime.IsZero() {
			missing = append(missing, "refundTime")
		}
		return missing
	},
	Idempotency: func(r *RefundRequest) alipayplus.Idempotency {
		return alipayplus.Idempotency{
			Key: r.RefundRequestID,
			Match: []any{
				r.PaymentRequestID, // the same id for another payment is no repeat
				matchAmount(r.RefundAmount), matchAmount(r.RefundFromAmount), matchRefundPromos(r.RefundPromoInfo),
				matchAmount(r.SurchargeInfo.SurchargeAmount), matchQuote(r.SurchargeInfo.SurchargeQuote),
			},
		}
	},
})
