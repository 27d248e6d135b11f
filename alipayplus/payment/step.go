package payment

import (
	"fmt"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
)

// step is a record on its way to the next one.
type step struct {
	Record
	do []Effect
}

// pay orders a new attempt to debit the user.
func (s *step) pay() {
	s.State = StatePaying
	s.Attempts = append(s.Attempts, AttemptRunning)
	s.do = append(s.do, s.debit(len(s.Attempts)))
}

// attempt is the state of attempt n, to be changed in place.
func (s *step) attempt(n int) (*AttemptState, error) {
	if s.State == "" {
		return nil, ErrUnknownOrder
	}
	if n < 1 || n > len(s.Attempts) {
		return nil, fmt.Errorf("%w: there is no such attempt", ErrEvent)
	}
	return &s.Attempts[n-1], nil
}

// expire closes a payment that waits for the user. Its error is ErrExpired if
// that went well.
func (s *step) expire() error {
	verifying := s.State == StateVerifying
	s.State = StateClosed
	if err := s.notify(alipayplus.CodeOrderIsClosed.Result()); err != nil {
		return err
	}
	if verifying {
		s.do = append(s.do, Redirect{Verified: false})
	}
	return ErrExpired
}

// fail ends a payment for good.
func (s *step) fail(code alipayplus.ResultCode) error {
	verifying := s.State == StateVerifying
	s.State, s.Code = StateFailed, code
	if err := s.notify(alipayplus.Result{Code: code, Status: alipayplus.StatusFailed}); err != nil {
		return err
	}
	if verifying {
		s.do = append(s.do, Redirect{Verified: false})
	}
	return nil
}

// credit orders money to be given back.
func (s *step) credit(key string, amount alipayplus.Amount) {
	if amount.Minor <= 0 {
		return
	}
	s.Credits = append(s.Credits, CreditEntry{Key: key, Amount: amount})
	s.do = append(s.do, Credit{key, s.CustomerID, amount})
}

// settle ends a cancellation when no money is on its way any more.
func (s *step) settle() {
	if s.Cancelling && s.settled() {
		s.Cancelling = false
	}
}

// notify makes the notification of the final result, once.
func (s *step) notify(result alipayplus.Result) error {
	req := NotifyPaymentRequest{PaymentResult: result, PaymentRequestID: s.PaymentRequestID}
	if result.Status == alipayplus.StatusSucceeded {
		req.PaymentID = s.PaymentID
		req.PaymentTime = s.PaidTime
		req.PaymentAmount = s.Amounts.PaymentAmount
		req.PayToAmount = s.Amounts.PayToAmount
		req.CustomerID = s.CustomerID
	}
	m, err := NotifyPayment.Prepare(&req)
	if err != nil {
		return fmt.Errorf("%w: %s", ErrEvent, err.Error())
	}
	m.URL = s.NotifyURL
	s.Notice = m
	s.do = append(s.do, Notify{m})
	return nil
}

func (r Record) debitKey(attempt int) string {
	return fmt.Sprintf("debit/%d/%s", attempt, r.PaymentRequestID)
}

func (r Record) debit(attempt int) Debit {
	return Debit{r.debitKey(attempt), attempt, r.CustomerID, r.Amounts.Debit()}
}

func (r Record) void(attempt int) Void { return Void{r.debitKey(attempt), attempt} }
