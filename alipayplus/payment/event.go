package payment

import (
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
)

// Event is something that happened to a payment; Record.On takes it. The events
// are Opened, Confirmed, Verified, VerificationFailed, OTPResent, GaveUp,
// Expired, Debited, Refused, Cancelled, Refunded and Credited. Those that depend
// on the time carry it, from the host's clock.
type Event interface{ on(*step) error }

// Opened says that a payment begins: a scanned code was decoded with S, or a pay
// request was accepted. With Terms.Verification it begins in StateVerifying, else in
// StateOpen: for a pay without any page, follow with Confirmed at once.
//
// If the payment is known already, nothing changes, and next.State says what to
// show: also for one that was cancelled before it came, which is closed. Another
// customer is ErrOtherCustomer, another code value ErrInconsistent.
type Opened struct {
	Terms
	At time.Time
}

// Confirmed says that the user agreed on the cashier page, or in advance. It
// orders the debit, once: a second tap changes nothing.
type Confirmed struct {
	CustomerID string            // who agreed
	Amount     alipayplus.Amount // what they agreed to pay: Amounts.Debit as it was shown
	At         time.Time
}

// Verified says that Easy Pay's user entered the right PIN or OTP. It orders the
// debit, once.
type Verified struct{ At time.Time }

// VerificationFailed says that a PIN or OTP was wrong. The last try
// (Verification.Tries) ends the payment.
type VerificationFailed struct{ At time.Time }

// OTPResent says that a new OTP was sent. Record.Resent counts them.
type OTPResent struct{ At time.Time }

// GaveUp says that the user left the verification for good. It ends the payment.
type GaveUp struct{}

// Expired says that the clock passed ExpiryTime. Too early, or for a payment that
// is not open or verifying, it changes nothing: a running debit may still land.
type Expired struct{ At time.Time }

// Debited says that the Debit of an attempt is done; At becomes paymentTime. If
// the payment does not wait for it any more, the money is given back.
type Debited struct {
	Attempt int // of the Debit
	At      time.Time
}

// Refused says that the Debit of an attempt was refused, or that its Void is
// done: no money moved, and none will. If that is not certain, say nothing.
type Refused struct {
	Attempt int // of the Debit or Void
	// Code says why, one of the codes of paymentResult with status F:
	// CodeUserBalanceNotEnough, CodeRiskReject and so on. Empty: CodeProcessFail.
	Code alipayplus.ResultCode
	// Retry: the user may try again until the payment expires, so that nothing
	// is reported yet. Never so for Easy Pay.
	Retry bool
}

// Cancelled says that Alipay+ sent cancelPayment.
type Cancelled struct {
	At time.Time
	// IgnoreWindow cancels a paid payment after its window, too. (The documents
	// do not say what a late cancellation gets.)
	IgnoreWindow bool
}

// Refunded says that Alipay+ sent refund. A repeat of an accepted one changes
// nothing.
type Refunded struct {
	Request  RefundRequest
	RefundID string // ≤ 64: the MPP's id of the refund, chosen by the host
	At       time.Time
	// IgnoreWindow refunds after 366 days, too.
	IgnoreWindow bool
}

// Credited says that a Credit is done, for good.
type Credited struct{ Key string }
