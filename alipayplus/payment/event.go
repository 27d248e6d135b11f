package payment

import "github.com/alipayplus-mpp/alipayplus-go/alipayplus"

// Event is something that happened to a payment; [Record.On] takes it. Those
// that depend on the time carry it, from the host's clock. The events are
//
//   - [Opened], [Expired]: the payment begins, or nobody pays it in time
//   - [VerificationTried], [Verified], [VerificationFailed], [OTPResent],
//     [GaveUp]: the user of Easy Pay enters a PIN or an OTP
//   - [Confirmed], [Debited], [Refused]: the user is debited
//   - [Cancelled], [Refunded], [Credited]: money goes back
type Event interface{ on(*step) error }

// Effect is something that the host is to do: [Debit], [Void], [Credit],
// [Notify] or [Withdraw]. The first three move money; their Key, at most 520
// bytes, is unique over all payments and makes repeating them safe: give the
// ledger a unique constraint on it.
type Effect interface{ effect() }

func (Debit) effect()    {}
func (Void) effect()     {}
func (Credit) effect()   {}
func (Notify) effect()   {}
func (Withdraw) effect() {}

// step is a record on its way to the next one.
type step struct {
	Record
	do []Effect
}

// fail ends a payment for good.
func (s *step) fail(code alipayplus.ResultCode) error {
	s.State, s.Code = StateFailed, code
	return s.notify(failed(code))
}
