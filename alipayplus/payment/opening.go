package payment

import (
	"fmt"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/internal/wire"
)

// Opened says that a payment begins: a scanned code was decoded with S, or a
// pay request was accepted. With Terms.Verification it begins in
// [StateVerifying], else in [StateOpen]: for a pay without any page, follow
// with [Confirmed] at once.
//
// A payment that is known already does not change, and next.State says what to
// show: also for one that was cancelled before it came, which is closed. The
// errors are [ErrOtherCustomer], [ErrInconsistent] for another code value,
// [ErrParam] for amounts that cannot be debited or reported, and [ErrEvent] if
// what the host adds is missing or too long.
type Opened struct {
	Terms
	At time.Time
	// SentAt is when Alipay+ sent the terms, by its own clock: the verified
	// Response-Time of userInitiatedPay, or the Request-Time of pay. A payment
	// that had expired by then is closed at once. Zero: not compared.
	SentAt time.Time
}

func (e Opened) on(s *step) error {
	if err := s.sameID(e.PaymentRequestID); err != nil {
		return err
	}
	switch {
	case e.At.IsZero() || noID(e.PaymentID) || noID(e.CustomerID):
		return fmt.Errorf("%w: Opened needs At, and a PaymentID and a CustomerID of at most 64 characters", ErrEvent)
	case s.State == "":
		if err := s.open(e); err != nil {
			return err
		}
	case s.CustomerID == "": // cancelled before it came
		return nil
	case e.CustomerID != s.CustomerID:
		return ErrOtherCustomer
	case e.CodeValueDigest != s.CodeValueDigest:
		return ErrInconsistent
	}
	if s.waiting() && s.late(e.SentAt) {
		return s.expire()
	}
	return nil
}

// maxDelay is the age at which the terms of a payment that was never seen, and
// that names no expiry, have expired: somebody sends an old message again whose
// payment was deleted since.
const maxDelay = 24 * time.Hour

func (s *step) open(e Opened) error {
	if e.Verification.Tries < 0 || e.Verification.Resends < 0 {
		return fmt.Errorf("%w: a negative number of tries or resends", ErrEvent)
	}
	if err := e.Amounts.Validate(); err != nil {
		return err
	}
	s.Terms = e.Terms
	if s.ExpiryTime.IsZero() {
		expiry := e.At.Add(DefaultExpiry)
		if last := e.SentAt.Add(maxDelay); !e.SentAt.IsZero() && last.Before(expiry) {
			expiry = last
		}
		s.ExpiryTime = alipayplus.TimeOf(expiry)
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
		if s.Verification.Resends == 0 {
			s.Verification.Resends = DefaultResends
		}
	}
	// A payment that could not be answered or reported must not begin.
	probe := *s
	probe.PaidTime = alipayplus.TimeOf(e.At)
	err := wire.Validate(s.PayAnswer())
	if err == nil {
		err = probe.notify(succeeded)
	}
	if err != nil {
		return fmt.Errorf("%w: %s", ErrParam, err.Error())
	}
	return nil
}

// Expired says that the clock passed ExpiryTime. It closes a payment that is
// open or verifying. Too early, or in any other state, it changes nothing: a
// running debit may still land.
type Expired struct{ At time.Time }

func (e Expired) on(s *step) error {
	switch {
	case s.State == "":
		return ErrUnknownOrder
	case e.At.IsZero():
		return fmt.Errorf("%w: Expired needs At", ErrEvent)
	case s.waiting() && s.late(e.At):
		return s.expire()
	}
	return nil
}

// expire closes a payment that waits for the user.
func (s *step) expire() error {
	s.State = StateClosed
	return s.notify(alipayplus.CodeOrderIsClosed.Result())
}

// waiting reports whether the payment waits for the user.
func (r Record) waiting() bool { return r.State == StateOpen || r.State == StateVerifying }

// late reports whether at is after the expiry of the payment.
func (r Record) late(at time.Time) bool {
	expiry, ok := r.ExpiryTime.Time()
	return ok && at.After(expiry)
}

func (s *step) sameID(id string) error {
	if id == "" || s.PaymentRequestID != "" && s.PaymentRequestID != id {
		return fmt.Errorf("%w: the record is of another payment", ErrEvent)
	}
	return nil
}
