package payment

import (
	"errors"
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/internal/wire"
)

// The windows in which a paid payment can be taken back.
const refundWindow = 366 * 24 * time.Hour

// cancelDeadline is 00:30 UTC+8 of the day after paid.
func cancelDeadline(paid time.Time) time.Time {
	day := paid.In(time.FixedZone("UTC+8", 8*60*60))
	return time.Date(day.Year(), day.Month(), day.Day()+1, 0, 30, 0, 0, day.Location())
}

func (e Opened) on(s *step) error {
	if err := s.sameID(e.PaymentRequestID); err != nil {
		return err
	}
	switch {
	case s.State == "":
		return s.open(e)
	case s.CustomerID == "": // cancelled before it came
		return nil
	case e.CustomerID != s.CustomerID:
		return ErrOtherCustomer
	case e.CodeValueDigest != s.CodeValueDigest:
		return ErrInconsistent
	}
	return nil
}

func (s *step) open(e Opened) error {
	if e.At.IsZero() || e.PaymentID == "" || e.CustomerID == "" || e.Verification.Tries < 0 {
		return fmt.Errorf("%w: Opened needs PaymentID, CustomerID and At", ErrEvent)
	}
	if outOfRange(e.Amounts.PaymentAmount) || outOfRange(e.Amounts.PayToAmount) || outOfRange(e.Amounts.Debit()) {
		return fmt.Errorf("%w: an amount is missing or out of range", ErrParam)
	}
	s.Terms = e.Terms
	if s.ExpiryTime.IsZero() {
		s.ExpiryTime = alipayplus.TimeOf(e.At.Add(DefaultExpiry))
	}
	if _, ok := s.ExpiryTime.Time(); !ok {
		return fmt.Errorf("%w: its expiry is no time", ErrParam)
	}
	s.State = StateOpen
	if s.easyPay() {
		s.State = StateVerifying
		if s.Verification.Tries == 0 {
			s.Verification.Tries = DefaultTries
		}
	}
	// A payment that could not be answered or reported must not begin.
	probe := *s
	probe.PaidTime = alipayplus.TimeOf(e.At)
	err := wire.Validate(s.PayAnswer())
	if err == nil {
		err = probe.notify(alipayplus.CodeSuccess.Result())
	}
	if err != nil {
		return fmt.Errorf("%w: %s", ErrParam, err.Error())
	}
	return nil
}

func (e Confirmed) on(s *step) error {
	switch {
	case s.State == "":
		return ErrUnknownOrder
	case s.State == StateClosed:
		return ErrClosed
	case s.State == StateFailed, s.easyPay():
		return ErrState
	case e.CustomerID != s.CustomerID:
		return ErrOtherCustomer
	case s.State != StateOpen: // a second tap
		return nil
	case e.At.IsZero():
		return fmt.Errorf("%w: Confirmed needs At", ErrEvent)
	case s.late(e.At):
		return s.expire()
	case e.Amount != s.Amounts.Debit():
		return ErrAmountChanged
	}
	s.pay()
	return nil
}

// verifying lets an event of the verification pass if the payment waits for it.
func (s *step) verifying(at time.Time) error {
	switch {
	case s.State == "":
		return ErrUnknownOrder
	case s.State == StateClosed:
		return ErrClosed
	case s.State != StateVerifying:
		return ErrState
	case at.IsZero():
		return fmt.Errorf("%w: it needs At", ErrEvent)
	case s.late(at):
		return s.expire()
	}
	return nil
}

func (e Verified) on(s *step) error {
	if s.easyPay() && (s.State == StatePaying || s.State == StatePaid) { // sent twice
		return nil
	}
	if err := s.verifying(e.At); err != nil {
		return err
	}
	s.pay()
	s.do = append(s.do, Redirect{Verified: true})
	return nil
}

func (e VerificationFailed) on(s *step) error {
	if err := s.verifying(e.At); err != nil {
		return err
	}
	s.Wrong++
	if s.Wrong < s.Verification.Tries {
		return nil
	}
	return s.fail(alipayplus.CodeUserPaymentVerificationFailed)
}

func (e OTPResent) on(s *step) error {
	if err := s.verifying(e.At); err != nil {
		return err
	}
	s.Resent++
	return nil
}

func (e GaveUp) on(s *step) error {
	switch s.State {
	case StateVerifying:
		return s.fail(alipayplus.CodeUserPaymentVerificationFailed)
	case StateFailed, StateClosed:
		return nil
	case "":
		return ErrUnknownOrder
	default:
		return ErrState
	}
}

func (e Expired) on(s *step) error {
	switch {
	case s.State == "":
		return ErrUnknownOrder
	case e.At.IsZero():
		return fmt.Errorf("%w: Expired needs At", ErrEvent)
	case s.State != StateOpen && s.State != StateVerifying, !s.late(e.At):
		return nil
	}
	if err := s.expire(); !errors.Is(err, ErrExpired) {
		return err
	}
	return nil // for this event that is no refusal
}

func (e Debited) on(s *step) error {
	state, err := s.attempt(e.Attempt)
	switch {
	case err != nil:
		return err
	case e.At.IsZero():
		return fmt.Errorf("%w: Debited needs At", ErrEvent)
	case *state == AttemptLanded:
		return nil
	}
	awaited := *state == AttemptRunning && s.State == StatePaying
	*state = AttemptLanded
	if !awaited {
		// Cancelled meanwhile, or called refused before: the user was told that
		// nothing was taken, so nothing stays taken.
		s.credit(fmt.Sprintf("reverse/%d/%s", e.Attempt, s.PaymentRequestID), s.Amounts.Debit())
		s.settle()
		return nil
	}
	s.State = StatePaid
	s.PaidTime = alipayplus.TimeOf(e.At)
	return s.notify(alipayplus.CodeSuccess.Result())
}

func (e Refused) on(s *step) error {
	state, err := s.attempt(e.Attempt)
	switch {
	case err != nil:
		return err
	case *state == AttemptRefused:
		return nil
	case *state == AttemptLanded:
		return fmt.Errorf("%w: the debit is already reported done", ErrEvent)
	}
	code := e.Code
	switch code {
	case "":
		code = alipayplus.CodeProcessFail
	case alipayplus.CodeSuccess, alipayplus.CodePaymentInProcess, alipayplus.CodeUnknownException,
		alipayplus.CodeRequestTrafficExceedLimit:
		return fmt.Errorf("%w: Refused needs a code with status F", ErrEvent)
	default: // also one of the wallet's own
	}
	*state = AttemptRefused
	switch {
	case s.State != StatePaying: // cancelled meanwhile
		s.settle()
	case e.Retry && !s.easyPay():
		s.State = StateOpen
	default:
		return s.fail(code)
	}
	return nil
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
		s.credit("cancel/"+s.PaymentRequestID, left)
		s.do = append(s.do, Withdraw{s.Notice.Operation, s.Notice.Key})
		s.Notice = alipayplus.Message{}
	default: // nothing was taken
	}
	s.State = StateClosed
	s.Cancelling = true
	s.settle()
	return nil
}

func (e Credited) on(s *step) error {
	for i := range s.Credits {
		if s.Credits[i].Key == e.Key {
			s.Credits[i].Done = true
			s.settle()
			return nil
		}
	}
	return fmt.Errorf("%w: there is no such credit", ErrEvent)
}

func (s *step) sameID(id string) error {
	if id == "" || s.PaymentRequestID != "" && s.PaymentRequestID != id {
		return fmt.Errorf("%w: the record is of another payment", ErrEvent)
	}
	return nil
}

// tooLong reports whether text is empty or over the length of an id.
func tooLong(text string) bool { return text == "" || utf8.RuneCountInString(text) > 64 }
