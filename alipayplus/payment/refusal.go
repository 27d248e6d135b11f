package payment

import "github.com/alipayplus-mpp/alipayplus-go/alipayplus"

// Errors of [Record.On] and [Service], matched with errors.Is. Those that name
// a result code wrap it: the function of cancelPayment, refund or pay returns
// them as they are, and the handler answers F with that code. The others are
// answered U.
var (
	// ErrUnknownOrder: the payment was never seen. ORDER_NOT_EXIST.
	ErrUnknownOrder = refuse(alipayplus.CodeOrderNotExist, "the payment was never seen")
	// ErrClosed: a refund of a payment that was cancelled or has expired.
	// ORDER_IS_CLOSED.
	ErrClosed = refuse(alipayplus.CodeOrderIsClosed, "the payment is closed")
	// ErrNotPaid: a refund of a payment that the user did not pay, or not yet.
	// PROCESS_FAIL.
	ErrNotPaid = refuse(alipayplus.CodeProcessFail, "the payment is not paid")
	// ErrPending: the end of a debit is not known yet. A RemoteLedger returns
	// it, and so does On for a refund that can be neither accepted nor refused.
	// It names no result code: the answer is U, and Alipay+ asks again.
	ErrPending = refuse("", "the end of a debit is not known yet")
	// ErrOtherCustomer: the payment belongs to another customer. Raise an
	// alarm. REPEAT_REQ_INCONSISTENT.
	ErrOtherCustomer = refuse(alipayplus.CodeRepeatReqInconsistent, "the payment belongs to another customer")
	// ErrInconsistent: the same id with another code value, or the same refund
	// with other amounts. Raise an alarm. REPEAT_REQ_INCONSISTENT.
	ErrInconsistent = refuse(alipayplus.CodeRepeatReqInconsistent, "the same id with other content")
	// ErrAmountChanged: the user agreed to another amount than the one stored.
	// Show the stored one and ask again. PROCESS_FAIL.
	ErrAmountChanged = refuse(alipayplus.CodeProcessFail, "the amount is not the one that the user agreed to")
	// ErrCancelWindow: cancelPayment came after 00:30 (UTC+8) of the day that
	// follows the payment. CANCEL_WINDOW_EXCEED.
	ErrCancelWindow = refuse(alipayplus.CodeCancelWindowExceed, "the payment can no longer be cancelled")
	// ErrRefundWindow: refund came more than 366 days after the payment.
	// REFUND_WINDOW_EXCEED.
	ErrRefundWindow = refuse(alipayplus.CodeRefundWindowExceed, "the payment can no longer be refunded")
	// ErrRefundAmount: the refunds would exceed the payment.
	// REFUND_AMOUNT_EXCEED.
	ErrRefundAmount = refuse(alipayplus.CodeRefundAmountExceed, "the refunds exceed the payment")
	// ErrRefundCount: the payment has MaxRefunds refunds. PROCESS_FAIL.
	ErrRefundCount = refuse(alipayplus.CodeProcessFail, "the payment has too many refunds")
	// ErrParam: what Alipay+ sent does not fit, for example a refund in another
	// currency. PARAM_ILLEGAL.
	ErrParam = refuse(alipayplus.CodeParamIllegal, "the request does not fit the payment")
	// ErrTries: all tries to enter the PIN or OTP are used; compare nothing. It
	// names no result code, because it is for the user alone.
	ErrTries = refuse("", "no try is left")
	// ErrResends: no OTP may be sent any more. It names no result code.
	ErrResends = refuse("", "no OTP may be sent any more")
	// ErrEvent: the host's event cannot be right, for example one without a
	// time, the end of a debit that was never ordered, or a PIN of a payment
	// without verification. It names no result code.
	ErrEvent = refuse("", "the event cannot be right")
)

// refusal is an error with the result code to answer.
type refusal struct {
	code alipayplus.ResultCode
	text string
}

func refuse(code alipayplus.ResultCode, text string) error { return &refusal{code, text} }

func (e *refusal) Error() string { return "payment: " + e.text }

func (e *refusal) Unwrap() error {
	if e.code == "" {
		return nil
	}
	return e.code
}
