package payment

import (
	"errors"
	"reflect"
	"slices"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
)

// State is where a payment stands. The empty State is that of a payment that
// was never seen.
type State string

// The states of a payment.
const (
	StateOpen      State = "open"      // the user may confirm
	StateVerifying State = "verifying" // Easy Pay: the user enters a PIN or an OTP
	StatePaying    State = "paying"    // a debit is ordered and its end is not known
	StatePaid      State = "paid"      // the user was debited
	StateFailed    State = "failed"    // refused for good
	StateClosed    State = "closed"    // cancelled or expired
)

// Record is all that is remembered of one payment: plain data, which the host
// stores under PaymentRequestID, in the transaction of its ledger, with
// MarshalBinary. A payment that the host has no record of is
// Record{Terms: Terms{PaymentRequestID: id}}.
//
// Only On changes a Record. Every method is a pure function: no clock, no
// storage.
type Record struct {
	// Version grows by one with every change, from 0 for a payment never seen.
	// Store a new version only over the one that it was made from.
	Version int64 `json:"version"`
	State   State `json:"state,omitzero"`
	Terms

	Wrong    int             `json:"wrong,omitzero"`    // wrong PINs or OTPs so far
	Resent   int             `json:"resent,omitzero"`   // OTPs sent again so far
	Attempts []AttemptState  `json:"attempts,omitzero"` // to debit the user; attempt n is Attempts[n-1]
	PaidTime alipayplus.Time `json:"paidTime,omitzero"` // paymentTime, once paid
	// Code says why a failed payment failed.
	Code alipayplus.ResultCode `json:"code,omitzero"`
	// Cancelling: cancelled, but money is still to be moved, so that nothing final
	// can be said.
	Cancelling bool          `json:"cancelling,omitzero"`
	Credits    []CreditEntry `json:"credits,omitzero"` // all that was ordered to be given back
	Refunds    []RefundEntry `json:"refunds,omitzero"`
	// Notice is the notification of the final result, made once.
	Notice alipayplus.Message `json:"notice,omitzero"`
}

// AttemptState is how one attempt to debit the user stands.
type AttemptState string

// The states of an attempt.
const (
	AttemptRunning AttemptState = "running" // ordered, its end is not known
	AttemptRefused AttemptState = "refused" // no money moved
	AttemptLanded  AttemptState = "landed"  // the user was debited
)

// CreditEntry is money to give back to the user.
type CreditEntry struct {
	Key    string            `json:"key"` // of the Credit
	Amount alipayplus.Amount `json:"amount"`
	Done   bool              `json:"done,omitzero"`
}

// RefundEntry is a refund that was accepted.
type RefundEntry struct {
	RefundRequestID  string            `json:"refundRequestId"`
	RefundID         string            `json:"refundId"` // the MPP's
	RefundTime       alipayplus.Time   `json:"refundTime"`
	RefundAmount     alipayplus.Amount `json:"refundAmount"`
	RefundFromAmount alipayplus.Amount `json:"refundFromAmount"`
	SurchargeAmount  alipayplus.Amount `json:"surchargeAmount,omitzero"`
}

// credit is what the user gets.
func (e RefundEntry) credit() alipayplus.Amount {
	if !e.SurchargeAmount.IsZero() {
		return e.SurchargeAmount
	}
	return e.RefundFromAmount
}

// On says what follows from e: the record to store, and what to do. It does
// nothing itself.
//
// An event that changes nothing (a repeat, for example) gives r itself, nothing
// to do and no error. With an error nothing is to be done either, and next is r;
// the one exception is ErrExpired, with which next is the closed record.
//
// The pattern is always the same, in one transaction of the host's database:
// load r, call On, do what can be done here (write Notify to the outbox, book
// Debit and Credit and report them by another On), store the last record if its
// Version differs, commit. What must be done elsewhere (a ledger that is another
// service) is done after the commit; Due lists it again after a crash.
func (r Record) On(e Event) (next Record, do []Effect, err error) {
	if e == nil {
		return r, nil, ErrEvent
	}
	s := step{Record: r}
	s.Attempts = slices.Clone(r.Attempts)
	s.Credits = slices.Clone(r.Credits)
	s.Refunds = slices.Clone(r.Refunds)
	err = e.on(&s)
	if err != nil && !errors.Is(err, ErrExpired) {
		return r, nil, err
	}
	if reflect.DeepEqual(s.Record, r) {
		return r, nil, err
	}
	s.Version++
	return s.Record, s.do, err
}

// Due lists the debits, voids and credits that were ordered and not yet reported
// done: what a host does again after a crash. The keys make repeating safe.
func (r Record) Due() []Effect {
	var do []Effect
	for i, a := range r.Attempts {
		switch {
		case a != AttemptRunning:
		case r.State == StatePaying:
			do = append(do, r.debit(i+1))
		default:
			do = append(do, r.void(i+1))
		}
	}
	for _, c := range r.Credits {
		if !c.Done {
			do = append(do, Credit{c.Key, r.CustomerID, c.Amount})
		}
	}
	return do
}

// settled reports whether no money is on its way.
func (r Record) settled() bool {
	return !slices.Contains(r.Attempts, AttemptRunning) &&
		!slices.ContainsFunc(r.Credits, func(c CreditEntry) bool { return !c.Done })
}

func (r Record) easyPay() bool { return !r.Verification.URL.IsZero() }

// late reports whether at is after the expiry of the payment.
func (r Record) late(at time.Time) bool {
	expiry, ok := r.ExpiryTime.Time()
	return ok && at.After(expiry)
}
