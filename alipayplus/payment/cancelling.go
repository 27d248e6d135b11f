package payment

import (
	"fmt"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
)

// Cancelled says that Alipay+ sent cancelPayment. What was taken is given back;
// a payment that is paid after its window is ErrCancelWindow.
type Cancelled struct {
	At time.Time
	// IgnoreWindow cancels a paid payment after its window, too. (The documents
	// do not say what a late cancellation gets.)
	IgnoreWindow bool
}

func (e Cancelled) on(s *step) error {
	if s.PaymentRequestID == "" || e.At.IsZero() {
		return fmt.Errorf("%w: Cancelled needs At, and the record its PaymentRequestID", ErrEvent)
	}
	switch s.State {
	case StateFailed, StateClosed:
		return nil
	case StatePaying:
		s.do = append(s.do, s.void(len(s.Attempts)))
	case StatePaid:
		paid, _ := s.PaidTime.Time()
		if e.At.After(cancelDeadline(paid)) && !e.IgnoreWindow {
			return ErrCancelWindow
		}
		left := s.Amounts.Debit()
		for _, r := range s.Refunds {
			left.Minor -= r.credit().Minor
		}
		s.giveBack(CreditEntry{
			Key: "cancel/" + s.PaymentRequestID, Amount: left, Reason: CreditCancellation, Attempt: len(s.Attempts),
		})
		s.do = append(s.do, Withdraw{s.Notice.Operation, s.Notice.Key})
		s.Notice = alipayplus.Message{}
	default: // nothing was taken
	}
	s.State = StateClosed
	s.Cancelling = true
	s.endCancelling()
	return nil
}

// cancelDeadline returns 00:30 UTC+8 of the day after paid.
func cancelDeadline(paid time.Time) time.Time {
	day := paid.In(time.FixedZone("UTC+8", 8*60*60))
	return time.Date(day.Year(), day.Month(), day.Day()+1, 0, 30, 0, 0, day.Location())
}
