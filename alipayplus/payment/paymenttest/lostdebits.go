package paymenttest

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
)

// LostDebits loses the answers of debits on demand, for a test that looks at a
// wallet from outside: its Lose is the driver's call loseDebit of the acceptance
// suite. The zero value loses nothing. Wrap either the RemoteLedger, or both the
// Ledger and the Records:
//
//	lost := new(paymenttest.LostDebits)
//	payments, err := payment.NewService(payment.ServiceConfig{
//		Client: client, Records: lost.Records(store.Payments()), Ledger: lost.Ledger(store.Ledger(bank{})),
//	})
//
// Of a RemoteLedger the answer is lost, of a Ledger that of the COMMIT.
type LostDebits struct {
	mu   sync.Mutex
	next map[string]bool // by customer: the debit lands
}

// errLost is what the Service gets in the place of an answer.
var errLost = errors.New("paymenttest: the answer of the debit is lost")

// Lose makes the next debit of the customer end without an answer: after it
// landed, or before anything happened.
func (l *LostDebits) Lose(_ context.Context, customerID string, landed bool) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.next == nil {
		l.next = map[string]bool{}
	}
	l.next[customerID] = landed
	return nil
}

// take returns what is to happen to a debit of the customer, once.
func (l *LostDebits) take(customerID string) (lose, landed bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	landed, lose = l.next[customerID]
	delete(l.next, customerID)
	return lose, landed
}

// RemoteLedger is ledger with the losses.
func (l *LostDebits) RemoteLedger(ledger payment.RemoteLedger) payment.RemoteLedger {
	return lostRemote{ledger, l}
}

type lostRemote struct {
	payment.RemoteLedger
	lost *LostDebits
}

func (r lostRemote) Debit(ctx context.Context, p payment.Record, d payment.Debit) (time.Time, error) {
	lose, landed := r.lost.take(p.CustomerID)
	if lose && !landed {
		return time.Time{}, errLost
	}
	at, err := r.RemoteLedger.Debit(ctx, p, d)
	if lose {
		return time.Time{}, errLost
	}
	return at, err
}

// Ledger is ledger with the losses before anything happened. Those after it are
// lost by Records.
func (l *LostDebits) Ledger(ledger payment.Ledger) payment.Ledger { return lostLedger{ledger, l} }

type lostLedger struct {
	payment.Ledger
	lost *LostDebits
}

func (g lostLedger) Debit(ctx context.Context, p payment.Record, d payment.Debit) error {
	lose, landed := g.lost.take(p.CustomerID)
	if lose && !landed {
		return errLost
	}
	err := g.Ledger.Debit(ctx, p, d)
	if commit, ok := ctx.Value(commitKey{}).(*bool); ok && lose && err == nil {
		*commit = true
	}
	return err
}

// commitKey is for a *bool in a context: the answer of the COMMIT is to be lost.
type commitKey struct{}

// Records is records with the losses of a [LostDebits.Ledger].
func (l *LostDebits) Records(records payment.Records) payment.Records { return lostRecords{records} }

type lostRecords struct{ payment.Records }

func (r lostRecords) Update(ctx context.Context, id string, change func(context.Context, payment.Record) (payment.Record, error)) error {
	if r.Joined(ctx) { // somebody else commits
		return r.Records.Update(ctx, id, change)
	}
	var lost bool
	ctx = context.WithValue(ctx, commitKey{}, &lost)
	err := r.Records.Update(ctx, id, change)
	if err == nil && lost {
		return errLost
	}
	return err
}
