package payment

import (
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
)

// InquiryPaymentRequest asks for the state of a payment.
type InquiryPaymentRequest struct {
	AcquirerID       string `json:"acquirerId,omitzero" wire:"check,max=64"`          // REQUIRED, ≤ 64
	PSPID            string `json:"pspId,omitzero" wire:"check,max=64"`               // REQUIRED, ≤ 64
	PaymentRequestID string `json:"paymentRequestId,omitzero" wire:"required,max=64"` // REQUIRED, ≤ 64
}

// InquiryPaymentResponse has two results: Result of the question, PaymentResult
// of the payment. Record.InquiryAnswer makes it.
type InquiryPaymentResponse struct {
	Result        alipayplus.Result `json:"result" wire:"required"`
	PaymentResult alipayplus.Result `json:"paymentResult,omitzero"`            // if Result is S: S, F, or U PAYMENT_IN_PROCESS
	PaymentID     string            `json:"paymentId,omitzero" wire:"max=64"`  // ≤ 64: the MPP's id of the payment
	PaymentTime   alipayplus.Time   `json:"paymentTime,omitzero"`              // if paid
	PaymentAmount alipayplus.Amount `json:"paymentAmount,omitzero"`            // if paid
	PayToAmount   alipayplus.Amount `json:"payToAmount,omitzero"`              // if paid
	CustomerID    string            `json:"customerId,omitzero" wire:"max=64"` // ≤ 64: if paid, the MPP's user id
}

// InquiryPayment is the API by which Alipay+ asks for the state of a payment:
// for Easy Pay every 10 seconds, up to 12 times.
var InquiryPayment = alipayplus.NewInbound(alipayplus.Spec[InquiryPaymentRequest, InquiryPaymentResponse]{
	Name:     "inquiryPayment",
	Timeout:  5 * time.Second,
	ReadOnly: true,
	Missing: func(_ *InquiryPaymentRequest, a *InquiryPaymentResponse) (missing []string) {
		check := func(there bool, member string) {
			if !there {
				missing = append(missing, member)
			}
		}
		check(a.PaymentResult.Code != "", "paymentResult.resultCode")
		switch a.PaymentResult.Status {
		case alipayplus.StatusSucceeded:
			check(a.PaymentID != "", "paymentId")
			check(!a.PaymentTime.IsZero(), "paymentTime")
			check(!a.PaymentAmount.IsZero(), "paymentAmount")
			check(!a.PayToAmount.IsZero(), "payToAmount")
		case alipayplus.StatusFailed, alipayplus.StatusUnknown:
		default:
			missing = append(missing, "paymentResult.resultStatus")
		}
		return missing
	},
})
