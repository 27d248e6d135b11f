package payment

import (
	"context"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
)

// Records keeps payments and, in the same database, the outbox of what Alipay+
// is told about them. Package sqlstore has one on SQL, [NewMemoryRecords] makes
// one in memory, and paymenttest.TestRecords is the contract as a test.
type Records interface {
	alipayplus.Outbox
	// Update runs change on the record of a payment, in one transaction, which
	// the context of change carries, and stores what change returns if its
	// Version differs. A payment that is not there is the zero record with its
	// id. Updates of a payment that is there run one after the other. Of two that
	// write the first record of a payment, the later one waits, or is undone and
	// runs again; one that finds no payment and writes none may wait for neither.
	//
	// An error of change undoes everything that was done in the transaction and
	// is returned as it is; a panic undoes everything, too. change may run again,
	// after a rollback, which undoes its messages as well. If ctx carries a
	// transaction already, Update joins it and finds what that one stored. Update
	// returns nil after the commit alone.
	//
	// A refund whose RefundRequestID another payment has is ErrInconsistent.
	Update(ctx context.Context, paymentRequestID string, change func(context.Context, Record) (Record, error)) error
	// Find returns the record of a payment, or the zero record with its id if
	// the payment is not there; whether it is there must be known, else it is an
	// error. In the transaction that ctx carries it finds what that one stored.
	Find(ctx context.Context, paymentRequestID string) (Record, error)
	// Lease returns the ids of at most n payments whose Record.NextTime has
	// come, those that wait longest first. It sets their next time to d from
	// now, on the database's clock, so that no other process takes them.
	Lease(ctx context.Context, n int, d time.Duration) (paymentRequestIDs []string, err error)
	// Joined reports whether ctx carries a transaction.
	Joined(ctx context.Context) bool
}

// Ledger is the wallet's money in the same database as the [Records]: its
// methods work in the transaction that ctx carries (sqlstore hands it over as a
// *sql.Tx). Each entry has a key that is unique over all payments: put a unique
// constraint on it. A key that is there already moves no more money; it is no
// refusal, because the money was moved: return nil or an error that decides
// nothing.
//
// An Amount is a number of smallest units of its Currency: a debit in a currency
// in which the customer has nothing is refused, or converted by rates of the
// wallet's own; its number is never taken from money in another currency. Both
// methods get the record, for statements.
type Ledger interface {
	// Debit takes d.Amount from the customer. A refusal is an error that is
	// wholly a failing alipayplus.ResultCode, for example
	// CodeUserBalanceNotEnough; with [Retryable] the user may try again. What
	// Debit wrote before it refused is undone. Any other error undoes
	// everything, too, and decides nothing.
	Debit(ctx context.Context, r Record, d Debit) error
	// Credit gives c.Amount back. It never refuses: what the customer's account
	// cannot take goes to a suspense account. An error undoes everything, and
	// the credit is tried again.
	Credit(ctx context.Context, r Record, c Credit) error
}

// RemoteLedger is the wallet's money in a service of its own. It is called
// after the commit, outside of transactions, and its answer is recorded in a
// transaction of its own. Every call may come again with the same Key, also in
// parallel, late and after a crash, and must then have the same end: remember
// refusals, and when a debit landed, too. (Another attempt of the user has
// another Key.) The calls that follow from one event have five seconds
// together, which ctx carries. A call whose context ended says that it is done
// only if it is.
type RemoteLedger interface {
	// Debit takes d.Amount from the customer. at is when; zero means now, and
	// so does a time outside of the years 0 to 9999. A refusal is as in
	// [Ledger], also that of a foreign currency, and means that this Key never
	// takes money. Every other error,
	// [ErrPending] among them, and a panic mean that the end is not known:
	// Debit is called again, with a growing back-off.
	Debit(ctx context.Context, r Record, d Debit) (at time.Time, err error)
	// Void makes sure that the Debit of the same Key cannot land any more.
	// landed is when it landed before, or zero: it did not and never will. A
	// Key that is not known must be remembered, so that a Debit that arrives
	// later fails. A Void and a Debit that meet agree: look and write in one
	// atomic step.
	Void(ctx context.Context, r Record, v Void) (landed time.Time, err error)
	// Credit gives c.Amount back. It never refuses; after an error it is called
	// again.
	Credit(ctx context.Context, r Record, c Credit) error
}

// Retryable returns a refusal after which the user may try again until the
// payment expires, so that Alipay+ is told nothing yet. It counts for a scanned
// code only: in Easy Pay and for a one-click payment, the refusal is final.
func Retryable(code alipayplus.ResultCode) error { return retryable{code} }

type retryable struct{ code alipayplus.ResultCode }

func (e retryable) Error() string { return e.code.Error() + ", the user may try again" }
func (e retryable) Unwrap() error { return e.code }
