package payment

import (
	"fmt"
	"slices"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
)

// TryState is what became of one entry of a PIN or an OTP.
type TryState string

// The states of a try.
const (
	TryRunning TryState = "running" // counted, and not yet compared
	TryWrong   TryState = "wrong"
	TryRight   TryState = "right"
)

// VerificationTried says that the user of Easy Pay entered a PIN or an OTP. It
// counts the try before anything is compared, so that parallel guesses are
// never more than Verification.Tries. In this order:
//
//  1. Store the record that On gives for VerificationTried. If On gives an error
//     (ErrTries: all tries are used), or next.State is not StateVerifying, compare
//     nothing. The try has the number len(next.Tried).
//  2. Compare the PIN or the OTP, outside of the transaction.
//  3. Report Verified or VerificationFailed with that number.
//
// A try that was counted and never reported, because the process died, stays
// used. If it was one of the last, the payment waits until the user gives up or
// it expires, because the result may still come.
type VerificationTried struct{ At time.Time }

func (e VerificationTried) on(s *step) error {
	if waits, err := s.verifying(e.At); !waits {
		return err
	}
	if s.TriesLeft() == 0 {
		return ErrTries
	}
	s.Tried = append(s.Tried, TryRunning)
	return nil
}

// Verified says that the PIN or OTP of a try was right. It orders the debit,
// once. If Alipay+ asked for an agreement too, it is the user's consent.
type Verified struct {
	Try int // its number, from 1
	At  time.Time
}

func (e Verified) on(s *step) error {
	if waits, err := s.verifying(e.At); !waits {
		return err
	}
	try, err := s.try(e.Try)
	if err != nil {
		return err
	}
	if *try == TryWrong {
		return fmt.Errorf("%w: the try is already reported wrong", ErrEvent)
	}
	*try = TryRight
	s.Consented = s.agreement()
	s.pay()
	return nil
}

// VerificationFailed says that the PIN or OTP of a try was wrong. When all
// tries are used and all were wrong, the payment has failed.
type VerificationFailed struct {
	Try int // its number, from 1
	At  time.Time
}

func (e VerificationFailed) on(s *step) error {
	if waits, err := s.verifying(e.At); !waits {
		return err
	}
	try, err := s.try(e.Try)
	if err != nil {
		return err
	}
	*try = TryWrong
	if s.TriesLeft() > 0 || slices.Contains(s.Tried, TryRunning) {
		return nil
	}
	return s.fail(alipayplus.CodeUserPaymentVerificationFailed)
}

// OTPResent says that the user wants another OTP. Store the record before the
// OTP is sent. If On gives an error (ErrResends: there were
// Verification.Resends already), or next.State is not StateVerifying, send
// nothing.
type OTPResent struct{ At time.Time }

func (e OTPResent) on(s *step) error {
	if waits, err := s.verifying(e.At); !waits {
		return err
	}
	if s.ResendsLeft() == 0 {
		return ErrResends
	}
	s.Resent++
	return nil
}

// GaveUp says that the user left the verification for good. It ends the
// payment.
type GaveUp struct{}

func (e GaveUp) on(s *step) error {
	switch s.State {
	case "":
		return ErrUnknownOrder
	case StateOpen:
		return errNoVerification
	case StateVerifying:
		return s.fail(alipayplus.CodeUserPaymentVerificationFailed)
	default: // too late
		return nil
	}
}

// TriesLeft returns how many more PINs or OTPs the user may enter: 0 in every
// state but StateVerifying.
func (r Record) TriesLeft() int {
	if r.State != StateVerifying {
		return 0
	}
	return max(0, r.Verification.Tries-len(r.Tried))
}

// ResendsLeft returns how many more OTPs may be sent: 0 in every state but
// StateVerifying.
func (r Record) ResendsLeft() int {
	if r.State != StateVerifying {
		return 0
	}
	return max(0, r.Verification.Resends-r.Resent)
}

// Verified reports whether the user of Easy Pay entered the right PIN or OTP.
// When a payment is not StateVerifying any more, its page sends the user back
// to Terms.RedirectURL with this status: success if it is true, else fail. It
// is the status of the verification; the payment may fail all the same.
func (r Record) Verified() bool { return slices.Contains(r.Tried, TryRight) }

var errNoVerification = fmt.Errorf("%w: the payment has no verification", ErrEvent)

// verifying reports whether the payment waits for the user's PIN or OTP. If at
// is too late, it expires.
func (s *step) verifying(at time.Time) (waits bool, err error) {
	switch {
	case s.State == "":
		return false, ErrUnknownOrder
	case at.IsZero():
		return false, fmt.Errorf("%w: it needs At", ErrEvent)
	case s.State == StateOpen:
		return false, errNoVerification
	case s.State != StateVerifying:
		return false, nil
	case s.late(at):
		return false, s.expire()
	}
	return true, nil
}

// try returns the state of try n, to be changed in place.
func (s *step) try(n int) (*TryState, error) {
	if n < 1 || n > len(s.Tried) {
		return nil, fmt.Errorf("%w: there is no such try: VerificationTried counts it first", ErrEvent)
	}
	return &s.Tried[n-1], nil
}

// easyPay reports whether the payment begins with a verification.
func (r Record) easyPay() bool { return !r.Verification.URL.IsZero() }

// agreement reports whether the user is asked for consent to later payments.
func (r Record) agreement() bool { return r.AuthorizationInfo.AuthClientID != "" }
