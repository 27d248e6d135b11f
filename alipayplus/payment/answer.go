package payment

import "github.com/alipayplus-mpp/alipayplus-go/alipayplus"

// What Alipay+ is told about a payment is derived here, from the record alone,
// so that pay, inquiryPayment and notifyPayment cannot disagree.

var (
	succeeded = alipayplus.CodeSuccess.Result()
	inProcess = alipayplus.CodePaymentInProcess.Result()
	unknown   = alipayplus.CodeUnknownException.Result()
)

func failed(code alipayplus.ResultCode) alipayplus.Result {
	return alipayplus.Result{Code: code, Status: alipayplus.StatusFailed}
}

// result returns the result of the payment: S, F, or U while it is in process.
func (r Record) result() alipayplus.Result {
	switch {
	case r.State == StatePaid:
		return succeeded
	case r.State == StateFailed:
		return failed(r.Code)
	case r.State == StateClosed && !r.Cancelling:
		return alipayplus.CodeOrderIsClosed.Result()
	}
	return inProcess
}

// PayAnswer answers pay: S once paid, F once failed or closed, else U
// PAYMENT_IN_PROCESS. The creation of an Easy Pay payment is never answered S:
// a repeat gets the U with paymentUrl again, also when the payment is paid.
func (r Record) PayAnswer() *PayResponse {
	if r.State == "" {
		return &PayResponse{Result: unknown}
	}
	answer := &PayResponse{Result: r.result(), PaymentID: r.PaymentID, CustomerID: r.CustomerID}
	switch {
	case r.easyPay() && answer.Result.Status != alipayplus.StatusFailed:
		answer.Result = inProcess
		answer.PaymentURL = r.Verification.URL
	case r.State == StatePaid:
		answer.PaymentTime = r.PaidTime
	}
	return answer
}

// InquiryAnswer answers inquiryPayment.
func (r Record) InquiryAnswer() *InquiryPaymentResponse {
	if r.State == "" {
		return &InquiryPaymentResponse{Result: alipayplus.CodeOrderNotExist.Result()}
	}
	answer := &InquiryPaymentResponse{Result: succeeded, PaymentResult: r.result(), PaymentID: r.PaymentID}
	if r.State == StatePaid {
		answer.PaymentTime = r.PaidTime
		answer.PaymentAmount = r.Amounts.PaymentAmount
		answer.PayToAmount = r.Amounts.PayToAmount
		answer.CustomerID = r.CustomerID
	}
	return answer
}

// Notification returns the message that reports the final result, S or F. It
// returns false as long as there is no final result, and after the message was
// withdrawn. The message is made once and kept in the record, so that every
// call returns the same bytes.
func (r Record) Notification() (alipayplus.Message, bool) {
	return r.Notice, !r.Notice.Body.IsZero()
}

// CancelAnswer answers cancelPayment, after Cancelled: S once it is certain
// that the user pays nothing, until then U, which makes Alipay+ ask again.
func (r Record) CancelAnswer() *CancelPaymentResponse {
	if (r.State == StateFailed || r.State == StateClosed) && !r.moneyMoves() {
		return &CancelPaymentResponse{Result: succeeded}
	}
	return &CancelPaymentResponse{Result: unknown}
}

// RefundAnswer answers refund, after Refunded: S once the user's money is
// credited, until then U, which makes Alipay+ ask again.
func (r Record) RefundAnswer(refundRequestID string) *RefundResponse {
	entry, ok := r.refund(refundRequestID)
	if !ok {
		return &RefundResponse{Result: unknown}
	}
	for _, c := range r.Credits {
		if c.Key == r.refundKey(refundRequestID) && !c.Done {
			return &RefundResponse{Result: unknown}
		}
	}
	return &RefundResponse{Result: succeeded, RefundID: entry.RefundID, RefundTime: entry.RefundTime}
}
