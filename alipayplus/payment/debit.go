package payment

import (
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
)

// MaxAttempts is how many debits are tried for one payment. The refusal of the
// last one is final.
const MaxAttempts = 10

// AttemptState is what became of one attempt to debit the user.
type AttemptState string

// The states of an attempt.
const (
	AttemptRunning AttemptState = "running" // ordered, its end is not known
	AttemptRefused AttemptState = "refused" // no money moved
	AttemptLanded  AttemptState = "landed"  // the user was debited
)

// Debit takes Amount from the customer, at most once for each Key. Report its
// end: [Debited] or [Refused]. As long as the end is not known, report nothing.
type Debit struct {
	// Key is unique over all payments and never changes: at most 264 characters,
	// mostly below 80. It holds Alipay+'s ids as they are, so that upper and lower
	// case differ; a column for it must not cut, fold or trim it.
	Key        string
	Attempt    int // 1 for the first
	CustomerID string
	Amount     alipayplus.Amount // zero if promotions pay for everything: no reason to refuse
}

// Void makes sure that the [Debit] of the same Key cannot land any more,
// because the payment was cancelled. Report [Refused] when that is certain, or
// [Debited] if the debit landed before.
type Void struct {
	Key     string // of the Debit
	Attempt int
}

// Confirmed says that the user agreed on the cashier page, or in advance. It
// orders the debit, once: a second tap changes nothing. Too late, it closes the
// payment, and next.State says so.
type Confirmed struct {
	CustomerID string            // who agreed
	Amount     alipayplus.Amount // what they agreed to pay: Amounts.Debit as it was shown
	// Consent: the user also agreed to the later payments that
	// Terms.AuthorizationInfo asks for. Without it no token may be issued.
	Consent bool
	Source  string // ≤ 64: which of the user's accounts pays, if there are several
	At      time.Time
}

func (e Confirmed) on(s *step) error {
	switch {
	case s.State == "":
		return ErrUnknownOrder
	case e.At.IsZero() || utf8.RuneCountInString(e.Source) > 64:
		return fmt.Errorf("%w: Confirmed needs At, and a Source of at most 64 characters", ErrEvent)
	case s.CustomerID == "": // cancelled before it came
		return nil
	case e.CustomerID != s.CustomerID:
		return ErrOtherCustomer
	case s.State == StateVerifying:
		return fmt.Errorf("%w: the user must be verified", ErrEvent)
	case s.State != StateOpen: // a second tap, or too late
		return nil
	case s.late(e.At):
		return s.expire()
	case e.Amount != s.Amounts.Debit():
		return ErrAmountChanged
	}
	s.Consented = e.Consent && s.agreement()
	s.Source = e.Source
	s.pay()
	return nil
}

// pay orders a new attempt to debit the user.
func (s *step) pay() {
	s.State, s.Code = StatePaying, ""
	s.Attempts = append(s.Attempts, AttemptRunning)
	s.do = append(s.do, s.debit(len(s.Attempts)))
}

// Debited says that the Debit of an attempt is done; At becomes paymentTime. If
// the payment does not wait for it any more, the money is given back.
type Debited struct {
	Attempt int // of the Debit
	At      time.Time
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
		s.reverse(e.Attempt)
		return nil
	}
	s.State = StatePaid
	s.PaidTime = alipayplus.TimeOf(e.At)
	return s.notify(succeeded)
}

// Refused says that the Debit of an attempt was refused, or that its Void is
// done: no money moved, and none will. If that is not certain, report nothing.
type Refused struct {
	Attempt int // of the Debit or Void
	// Code says why, one of the codes of paymentResult with status F:
	// CodeUserBalanceNotEnough, CodeRiskReject and so on. Empty:
	// CodeProcessFail.
	Code alipayplus.ResultCode
	// Retry: the user may try again until the payment expires, up to
	// MaxAttempts, so that nothing is reported yet. It counts only for a
	// scanned code (Terms.CodeValueDigest): in Easy Pay no user is at a cashier
	// page.
	Retry bool
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
		probe := *s
		if err := probe.notify(failed(code)); err != nil {
			return err
		}
	}
	*state = AttemptRefused
	switch {
	case s.State != StatePaying: // cancelled meanwhile
		s.endCancelling()
	case e.Retry && s.cashier() && len(s.Attempts) < MaxAttempts:
		s.State, s.Code = StateOpen, code
	default:
		return s.fail(code)
	}
	return nil
}

// cashier reports whether the user confirms on a cashier page and can do so
// again.
func (r Record) cashier() bool { return r.CodeValueDigest != "" && !r.easyPay() }

// attempt returns the state of attempt n, to be changed in place.
func (s *step) attempt(n int) (*AttemptState, error) {
	if s.State == "" {
		return nil, ErrUnknownOrder
	}
	if n < 1 || n > len(s.Attempts) {
		return nil, fmt.Errorf("%w: there is no such attempt", ErrEvent)
	}
	return &s.Attempts[n-1], nil
}

func (r Record) debitKey(attempt int) string {
	return fmt.Sprintf("debit/%d/%s", attempt, r.PaymentRequestID)
}

func (r Record) debit(attempt int) Debit {
	return Debit{r.debitKey(attempt), attempt, r.CustomerID, r.Amounts.Debit()}
}

func (r Record) void(attempt int) Void { return Void{r.debitKey(attempt), attempt} }
