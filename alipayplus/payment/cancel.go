package payment

import (
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
)

// CancelPaymentRequest closes a payment whatever its state, for its whole
// amount.
type CancelPaymentRequest struct {
	AcquirerID       string `json:"acquirerId,omitzero" wire:"check,max=64"`          // REQUIRED, ≤ 64
	PSPID            string `json:"pspId,omitzero" wire:"check,max=64"`               // REQUIRED, ≤ 64
	PaymentRequestID string `json:"paymentRequestId,omitzero" wire:"required,max=64"` // REQUIRED, ≤ 64: the idempotency field
}

// CancelPaymentResponse is the MPP's answer to cancelPayment.
// Record.CancelAnswer makes it.
type CancelPaymentResponse struct {
	Result alipayplus.Result `json:"result" wire:"required"`
}

// CancelPayment is the API by which Alipay+ takes a payment back.
var CancelPayment = alipayplus.NewInbound(alipayplus.Spec[CancelPaymentRequest, CancelPaymentResponse]{
	Name:    "cancelPayment",
	Timeout: 8 * time.Second,
	Idempotency: func(r *CancelPaymentRequest) alipayplus.Idempotency {
		return alipayplus.Idempotency{Key: r.PaymentRequestID}
	},
})
