package payment

import (
	"reflect"
	"slices"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
)

// State is the state of a payment. The empty State is that of a payment that
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

// Record is all that is remembered of one payment: plain data, which [Records]
// keep under PaymentRequestID, written with MarshalBinary. A payment that was
// never seen is Record{Terms: Terms{PaymentRequestID: id}}.
//
// Only On changes a Record. Every method is a pure function: no clock, no
// storage.
type Record struct {
	// Version grows by one with every change, from 0 for a payment never seen.
	// Store a new version only over the one that it was made from.
	Version int64 `json:"version"`
	State   State `json:"state,omitzero"`
	Terms

	Tried  []TryState `json:"tried,omitzero"`  // PINs and OTPs that the user entered; try n is Tried[n-1]
	Resent int        `json:"resent,omitzero"` // OTPs sent again so far
	// Consented: the user agreed to the later payments that
	// Terms.AuthorizationInfo asks for. Issue no token without it.
	Consented bool            `json:"consented,omitzero"`
	Source    string          `json:"source,omitzero"`   // Confirmed.Source of the last attempt
	Attempts  []AttemptState  `json:"attempts,omitzero"` // to debit the user; attempt n is Attempts[n-1]
	PaidTime  alipayplus.Time `json:"paidTime,omitzero"` // paymentTime, once paid
	// Code says why a failed payment failed, or, of an open one, why the last
	// debit was refused: the user may try again.
	Code alipayplus.ResultCode `json:"code,omitzero"`
	// Cancelling: cancelled, but money is still to be moved, so that nothing
	// final can be said.
	Cancelling bool          `json:"cancelling,omitzero"`
	Credits    []CreditEntry `json:"credits,omitzero"` // all that was ordered to be given back
	Refunds    []RefundEntry `json:"refunds,omitzero"`
	// Resume is when something that is due is tried again.
	Resume Resume `json:"resume,omitzero"`
	// Missed: ServiceConfig.OnChange failed for a change that could not be
	// taken back. Service.Run calls it again, with MissedState as the state
	// before.
	Missed      bool  `json:"missed,omitzero"`
	MissedState State `json:"missedState,omitzero"`
	// Notice is the notification of the final result, made once.
	Notice alipayplus.Message `json:"notice,omitzero"`
}

// On returns what follows from e: the record to store, and what to do. It does
// nothing itself: [Service] carries out what is to be done.
//
// An event that comes twice or too late changes nothing and is no error: next
// is r itself, and there is nothing to do. Look at next.State, and tell
// Alipay+, the app and the user what the methods of next say. Only what is
// wrong is an error; then next is r, and nothing is to be done either.
func (r Record) On(e Event) (next Record, do []Effect, err error) {
	if e == nil {
		return r, nil, ErrEvent
	}
	s := step{Record: r}
	s.Tried = slices.Clone(r.Tried)
	s.Attempts = slices.Clone(r.Attempts)
	s.Credits = slices.Clone(r.Credits)
	s.Refunds = slices.Clone(r.Refunds)
	if err := e.on(&s); err != nil {
		return r, nil, err
	}
	if reflect.DeepEqual(s.Record, r) {
		return r, nil, nil
	}
	s.Version++
	return s.Record, s.do, nil
}

// Due lists the debits, voids and credits whose end is not reported: what
// [Service.Run] does again after a crash. Their keys make repeating safe.
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
			do = append(do, r.credit(c))
		}
	}
	return do
}
