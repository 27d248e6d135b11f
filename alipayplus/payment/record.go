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

// Terms is what is agreed when a payment begins. It never changes.
// PayRequest.Terms takes it from a request; the fields of the MPP are added by
// the host.
type Terms struct {
	PaymentRequestID  string            `json:"paymentRequestId"`                    // ≤ 64: Alipay+'s id of the payment
	PaymentID         string            `json:"paymentId,omitzero"`                  // ≤ 64: the MPP's id of the payment, chosen by the host
	CustomerID        string            `json:"customerId,omitzero" wire:"private"`  // ≤ 64: the MPP's user id, found by the host
	CodeValueDigest   string            `json:"codeValueDigest,omitzero"`            // Secret.Digest of the scanned code, if there was one
	Amounts           Amounts           `json:"amounts,omitzero"`                    //
	Order             Order             `json:"order,omitzero"`                      //
	ExpiryTime        alipayplus.Time   `json:"expiryTime,omitzero"`                 // paymentExpiryTime; absent: DefaultExpiry after Opened.At
	NotifyURL         string            `json:"notifyUrl,omitzero" wire:"private"`   // paymentNotifyUrl
	RedirectURL       string            `json:"redirectUrl,omitzero" wire:"private"` // paymentRedirectUrl
	AuthorizationInfo AuthorizationInfo `json:"authorizationInfo,omitzero"`          // if the account is to be bound when the payment is paid
	Verification      Verification      `json:"verification,omitzero"`               // Easy Pay creation: makes the payment begin in StateVerifying
}

// Verification is the verification of the user that an Easy Pay creation begins
// with.
type Verification struct {
	URL   string `json:"url,omitzero" wire:"private"` // ≤ 2048: the wallet's page, paymentUrl of the answer
	Tries int    `json:"tries,omitzero"`              // wrong entries that end it; 0 means DefaultTries
}

// Defaults of Terms.
const (
	DefaultExpiry = 10 * time.Minute
	DefaultTries  = 3
)

// Terms is what r says of the terms of a payment: everything but PaymentID,
// CustomerID and Verification, which only the host knows.
func (r PayRequest) Terms() Terms {
	t := Terms{
		PaymentRequestID: r.PaymentRequestID,
		Amounts: Amounts{
			PaymentAmount:    r.PaymentAmount,
			PayToAmount:      r.PayToAmount,
			PaymentQuote:     r.PaymentQuote,
			SurchargeInfo:    r.SurchargeInfo,
			PaymentPromoInfo: r.PaymentPromoInfo,
		},
		Order:       r.Order,
		ExpiryTime:  r.PaymentExpiryTime,
		NotifyURL:   r.PaymentNotifyURL,
		RedirectURL: r.PaymentRedirectURL,
	}
	if r.PaymentFactor.IsAuthorizationAndPay == alipayplus.True {
		t.AuthorizationInfo = r.AuthorizationInfo
	}
	return t
}

// storable is t without the amounts that have no JSON because they are in no
// known form of currency. They decide nothing, and the raw body has them.
func (t Terms) storable() Terms {
	keep := func(a alipayplus.Amount) alipayplus.Amount {
		if outOfRange(a) {
			return alipayplus.Amount{}
		}
		return a
	}
	t.Order.OrderAmount = keep(t.Order.OrderAmount)
	t.Order.Goods = slices.Clone(t.Order.Goods)
	for i := range t.Order.Goods {
		t.Order.Goods[i].GoodsUnitAmount = keep(t.Order.Goods[i].GoodsUnitAmount)
	}
	promos := slices.Clone(t.Amounts.PaymentPromoInfo.PaymentPromoDetails)
	for i := range promos {
		promos[i].SavingsAmount = keep(promos[i].SavingsAmount)
	}
	t.Amounts.PaymentPromoInfo.PaymentPromoDetails = promos
	return t
}

// Record is all that is remembered of one payment: plain data, whose JSON the
// host stores under PaymentRequestID, in the transaction of its ledger. A
// payment that the host has no record of is Record{Terms: Terms{PaymentRequestID: id}}.
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
	Notice alipayplus.Message `json:"notice,omitzero" wire:"private"`
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

func (r Record) easyPay() bool { return r.Verification.URL != "" }

// late reports whether at is after the expiry of the payment.
func (r Record) late(at time.Time) bool {
	expiry, ok := r.ExpiryTime.Time()
	return ok && at.After(expiry)
}
