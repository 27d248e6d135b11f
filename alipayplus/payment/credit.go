package payment

import (
	"fmt"
	"slices"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
)

// CreditReason says why money is given back.
type CreditReason string

// The reasons of a Credit.
const (
	CreditRefund       CreditReason = "refund"       // the payout of a refund
	CreditCancellation CreditReason = "cancellation" // what is left of a cancelled payment
	CreditReversal     CreditReason = "reversal"     // a debit that landed too late
)

// Credit gives Amount back to the customer, at most once for each Key. It
// cannot be refused. Report [Credited] when it is durable.
type Credit struct {
	Key        string // as long and as unique as that of a Debit, and never one of them
	CustomerID string
	Amount     alipayplus.Amount
	Reason     CreditReason
	DebitKey   string // the Key of the Debit that took the money
}

// CreditEntry is money to give back to the user.
type CreditEntry struct {
	Key     string            `json:"key"` // of the Credit
	Amount  alipayplus.Amount `json:"amount"`
	Reason  CreditReason      `json:"reason"`
	Attempt int               `json:"attempt"` // that took the money
	Done    bool              `json:"done,omitzero"`
}

// Credited says that a Credit is done, for good.
type Credited struct{ Key string }

func (e Credited) on(s *step) error {
	for i := range s.Credits {
		if s.Credits[i].Key == e.Key {
			s.Credits[i].Done = true
			s.endCancelling()
			return nil
		}
	}
	return fmt.Errorf("%w: there is no such credit", ErrEvent)
}

// giveBack orders a Credit, unless there is nothing to give back.
func (s *step) giveBack(entry CreditEntry) {
	if entry.Amount.Minor <= 0 {
		return
	}
	s.Credits = append(s.Credits, entry)
	s.do = append(s.do, s.credit(entry))
}

// reverse gives back what an attempt took too late.
func (s *step) reverse(attempt int) {
	s.giveBack(CreditEntry{
		Key:     fmt.Sprintf("reverse/%d/%s", attempt, s.PaymentRequestID),
		Amount:  s.Amounts.Debit(),
		Reason:  CreditReversal,
		Attempt: attempt,
	})
	s.endCancelling()
}

func (r Record) credit(c CreditEntry) Credit {
	return Credit{c.Key, r.CustomerID, c.Amount, c.Reason, r.debitKey(c.Attempt)}
}

// endCancelling ends a cancellation when no money moves any more.
func (s *step) endCancelling() {
	if !s.moneyMoves() {
		s.Cancelling = false
	}
}

// moneyMoves reports whether a debit is running or a credit is not done.
func (r Record) moneyMoves() bool {
	return slices.Contains(r.Attempts, AttemptRunning) ||
		slices.ContainsFunc(r.Credits, func(c CreditEntry) bool { return !c.Done })
}
