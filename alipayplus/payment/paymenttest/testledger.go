package paymenttest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
)

// Account is a customer of a ledger under test.
type Account struct {
	Customer string
	Currency alipayplus.Currency
	// Balance is what the customer has, in smallest units; at least 1,000 at
	// the start.
	Balance func(ctx context.Context) (int64, error)
}

// account reads and compares a balance.
type account struct {
	Account
	t testing.TB
}

func (a account) balance() int64 {
	a.t.Helper()
	minor, err := a.Balance(a.t.Context())
	if err != nil {
		a.t.Fatal("Balance: ", err)
	}
	return minor
}

func (a account) want(what string, minor int64) {
	a.t.Helper()
	if got := a.balance(); got != minor {
		a.t.Errorf("%s: the balance is %d, want %d", what, got, minor)
	}
}

func (a account) amount(minor int64) alipayplus.Amount {
	return alipayplus.Amount{Currency: a.Currency, Minor: minor}
}

func (a account) debit(key string, minor int64) payment.Debit {
	return payment.Debit{Key: key, Attempt: 1, CustomerID: a.Customer, Amount: a.amount(minor)}
}

func (a account) credit(key string, minor int64) payment.Credit {
	return payment.Credit{Key: key, CustomerID: a.Customer, Amount: a.amount(minor)}
}

func (a account) record(id string) payment.Record {
	return payment.Record{Terms: payment.Terms{PaymentRequestID: id, PaymentID: "W" + id, CustomerID: a.Customer}}
}

// TestLedger checks a payment.Ledger with the Records that it shares a database
// with. open makes a fresh database for each check.
func TestLedger(t *testing.T, open func(t *testing.T) (payment.Records, payment.Ledger, Account)) {
	t.Helper()
	run := func(name string, check func(t *testing.T, l ledgerTest)) {
		t.Run(name, func(t *testing.T) {
			records, ledger, a := open(t)
			check(t, ledgerTest{records, ledger, account{a, t}})
		})
	}
	run("a debit takes the amount once for each key", func(t *testing.T, l ledgerTest) {
		start := l.balance()
		l.must(l.tx(l.debits("k1", 300)))
		_ = l.tx(l.debits("k1", 300)) // done already, or an error
		l.want("after the same key twice", start-300)
		_ = l.tx(func(ctx context.Context) error {
			_ = l.debits("k1", 300)(ctx)
			return l.debits("k1", 300)(ctx)
		})
		l.want("after the same key twice in one transaction", start-300)
		l.must(l.tx(l.debits("K1", 1)))
		l.must(l.tx(l.debits("k1 ", 1)))
		l.want("after keys that differ in case and a blank", start-302)
	})
	run("a rollback takes a debit and a credit back", func(t *testing.T, l ledgerTest) {
		start, broken := l.balance(), errors.New("something else in the transaction failed")
		for name, do := range map[string]func(context.Context) error{
			"debit": l.debits("k1", 300), "credit": l.credits("k2", 300),
		} {
			err := l.tx(func(ctx context.Context) error {
				l.must(do(ctx))
				return broken
			})
			if !errors.Is(err, broken) {
				t.Errorf("%s: Update returns %v", name, err)
			}
			l.want("after the rollback of a "+name, start)
		}
		l.must(l.tx(l.debits("k1", 300)))
		l.want("after the debit that was rolled back is made again", start-300)
	})
	run("a debit that is not covered is refused", func(t *testing.T, l ledgerTest) {
		start := l.balance()
		err := l.tx(l.debits("k1", start+1))
		if _, ok := alipayplus.RefusalOf(err); !ok {
			t.Errorf("the error is no refusal: %v", err)
		}
		l.want("after a refusal", start)
		l.must(l.tx(l.debits("k1", start)))
		l.want("after a debit of all", 0)
	})
	run("a debit of zero is made, as promotions may pay for everything", func(t *testing.T, l ledgerTest) {
		start := l.balance()
		l.must(l.tx(l.debits("k1", 0)))
		l.want("after a debit of zero", start)
	})
	run("a credit gives the amount once for each key", func(t *testing.T, l ledgerTest) {
		start := l.balance()
		l.must(l.tx(l.credits("k1", 300)))
		_ = l.tx(l.credits("k1", 300))
		l.want("after the same key twice", start+300)
	})
	run("a debit that fails is not half done", func(t *testing.T, l ledgerTest) {
		start := l.balance()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		err := l.records.Update(ctx, "p", func(ctx context.Context, r payment.Record) (payment.Record, error) {
			return r, l.ledger.Debit(ctx, l.record("p"), l.debit("k1", 300))
		})
		if _, refused := alipayplus.RefusalOf(err); refused {
			t.Errorf("a debit whose context has ended is refused: %v", err)
		}
		if err != nil {
			l.want("after a debit that failed", start)
			l.must(l.tx(l.debits("k1", 300)))
		}
		l.want("after the debit that failed is made again", start-300)
	})
	run("parallel debits never take more than there is", func(t *testing.T, l ledgerTest) {
		start := l.balance()
		part := start / 4
		var done sync.WaitGroup
		for i := range 8 {
			done.Go(func() {
				id := fmt.Sprintf("p%d", i)
				err := l.records.Update(t.Context(), id, func(ctx context.Context, r payment.Record) (payment.Record, error) {
					return r, l.ledger.Debit(ctx, l.record(id), l.debit("k"+id, part))
				})
				if _, refused := alipayplus.RefusalOf(err); err != nil && !refused {
					t.Errorf("neither done nor refused: %v", err)
				}
			})
		}
		done.Wait()
		l.want("after eight debits of a quarter each", start-4*part)
	})
}

type ledgerTest struct {
	records payment.Records
	ledger  payment.Ledger
	account
}

// tx runs do in a transaction of the Records.
func (l ledgerTest) tx(do func(context.Context) error) error {
	return l.records.Update(l.t.Context(), "p", func(ctx context.Context, r payment.Record) (payment.Record, error) {
		return r, do(ctx)
	})
}

func (l ledgerTest) debits(key string, minor int64) func(context.Context) error {
	return func(ctx context.Context) error { return l.ledger.Debit(ctx, l.record("p"), l.debit(key, minor)) }
}

func (l ledgerTest) credits(key string, minor int64) func(context.Context) error {
	return func(ctx context.Context) error { return l.ledger.Credit(ctx, l.record("p"), l.credit(key, minor)) }
}

func (l ledgerTest) must(err error) {
	l.t.Helper()
	if err != nil {
		l.t.Error(err)
	}
}

// TestRemoteLedger checks a payment.RemoteLedger. open makes a fresh account
// for each check, in a service that answers: faults that you play yourself
// would fail it.
func TestRemoteLedger(t *testing.T, open func(t *testing.T) (payment.RemoteLedger, Account)) {
	t.Helper()
	run := func(name string, check func(t *testing.T, l remoteTest)) {
		t.Run(name, func(t *testing.T) {
			ledger, a := open(t)
			check(t, remoteTest{ledger, account{a, t}})
		})
	}
	run("a debit takes the amount once for each key, also in parallel", func(t *testing.T, l remoteTest) {
		start := l.balance()
		var done sync.WaitGroup
		for range 16 {
			done.Go(func() {
				if _, err := l.debits("k1", 300); err != nil && !errors.Is(err, payment.ErrPending) {
					t.Errorf("Debit: %v", err)
				}
			})
		}
		done.Wait()
		l.want("after 16 calls with one key", start-300)
	})
	run("a debit that is not covered is refused", func(t *testing.T, l remoteTest) {
		start := l.balance()
		_, err := l.debits("k1", start+1)
		if _, ok := alipayplus.RefusalOf(err); !ok {
			t.Errorf("the error is no refusal: %v", err)
		}
		l.want("after a refusal", start)
		// It may have been on its way twice, and the second one arrives later.
		if err := l.credits("k2", 1); err != nil {
			t.Fatal(err)
		}
		if _, err := l.debits("k1", start+1); err == nil {
			t.Error("the debit that was refused succeeds when it comes again, with money there")
		}
		l.want("after the refused debit came again", start+1)
		if landed, err := l.voids("k1"); err != nil || !landed.IsZero() {
			t.Errorf("Void of the refused debit says %v, %v", landed, err)
		}
		if _, err := l.debits("k3", start+1); err != nil {
			t.Errorf("another attempt, with money there: %v", err)
		}
	})
	run("a debit of zero is made, as promotions may pay for everything", func(t *testing.T, l remoteTest) {
		start := l.balance()
		if landed, err := l.debits("k1", 0); err != nil || landed.IsZero() {
			t.Errorf("Debit says %v, %v", landed, err)
		}
		if landed, err := l.voids("k1"); err != nil || landed.IsZero() {
			t.Errorf("Void says %v, %v of a debit that landed", landed, err)
		}
		l.want("after a debit of zero", start)
	})
	run("a void before the debit makes it fail", func(t *testing.T, l remoteTest) {
		start := l.balance()
		for range 2 {
			if landed, err := l.voids("k1"); err != nil || !landed.IsZero() {
				t.Errorf("Void says %v, %v; the debit never landed", landed, err)
			}
		}
		if _, err := l.debits("k1", 300); err == nil {
			t.Error("a debit that was voided before it arrived succeeds")
		}
		if landed, err := l.voids("k1"); err != nil || !landed.IsZero() {
			t.Errorf("Void says %v, %v after the late debit", landed, err)
		}
		l.want("after a void and a late debit", start)
	})
	run("a void after the debit says when it landed and takes nothing back", func(t *testing.T, l remoteTest) {
		start := l.balance()
		if _, err := l.debits("k1", 300); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if landed, err := l.voids("k1"); err != nil || landed.IsZero() {
				t.Errorf("Void says %v, %v; the debit landed", landed, err)
			}
		}
		l.want("after a debit and its void", start-300)
	})
	run("a credit gives the amount once for each key, also in parallel", func(t *testing.T, l remoteTest) {
		start := l.balance()
		var done sync.WaitGroup
		for range 16 {
			done.Go(func() {
				if err := l.credits("k1", 300); err != nil && !errors.Is(err, payment.ErrPending) {
					t.Errorf("Credit: %v", err)
				}
			})
		}
		done.Wait()
		l.want("after 16 calls with one key", start+300)
	})
	run("a call whose context has ended is no refusal", func(t *testing.T, l remoteTest) {
		start := l.balance()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := l.ledger.Debit(ctx, l.record("p"), l.debit("k1", 300))
		if _, refused := alipayplus.RefusalOf(err); refused {
			t.Errorf("refused with %v", err)
		}
		if _, err := l.debits("k1", 300); err != nil {
			t.Errorf("the same debit with another context: %v", err)
		}
		l.want("after the same debit with another context", start-300)
	})
}

type remoteTest struct {
	ledger payment.RemoteLedger
	account
}

func (l remoteTest) debits(key string, minor int64) (time.Time, error) {
	return l.ledger.Debit(l.t.Context(), l.record("p"), l.debit(key, minor))
}

func (l remoteTest) credits(key string, minor int64) error {
	return l.ledger.Credit(l.t.Context(), l.record("p"), l.credit(key, minor))
}

func (l remoteTest) voids(key string) (time.Time, error) {
	return l.ledger.Void(l.t.Context(), l.record("p"), payment.Void{Key: key, Attempt: 1})
}
