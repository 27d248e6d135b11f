package paymenttest

import (
	"context"
	"errors"
	"fmt"
	"strings"
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
		again := func(what string, do func(context.Context) error) {
			err := l.tx(do) // done already, or an error
			if _, refused := alipayplus.RefusalOf(err); refused {
				t.Errorf("%s: the money was taken, and the debit says that it is refused: %v", what, err)
			}
			l.want("after "+what, start-300)
		}
		again("the same key twice", l.debits("k1", 300))
		again("the same key twice in one transaction", func(ctx context.Context) error {
			_ = l.debits("k1", 300)(ctx)
			return l.debits("k1", 300)(ctx)
		})
		l.must(l.tx(l.debits("K1", 1)))
		l.must(l.tx(l.debits("k1 ", 1)))
		l.want("after keys that differ in case and a blank", start-302)
		for _, key := range longKeys() {
			l.must(l.tx(l.debits(key, 1)))
		}
		l.want("after keys of 264 characters that differ in the last one", start-304)
	})
	run("an amount may be larger than 32 bits", func(t *testing.T, l ledgerTest) {
		l.large(func(minor int64) error { return l.tx(l.debits("k1", minor)) },
			func(minor int64) error { return l.tx(l.credits("k2", minor)) })
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
	run("a number of another currency is not taken", func(_ *testing.T, l ledgerTest) {
		l.abroad(func(in alipayplus.Currency) error {
			return l.tx(func(ctx context.Context) error { return l.ledger.Debit(ctx, l.record("p"), l.debitIn(in)) })
		})
	})
	run("a credit gives the amount once for each key", func(t *testing.T, l ledgerTest) {
		start := l.balance()
		l.must(l.tx(l.credits("k1", 300)))
		_ = l.tx(l.credits("k1", 300))
		l.want("after the same key twice", start+300)
	})
	run("a debit or a credit that fails is not half done", func(t *testing.T, l ledgerTest) {
		balance := l.balance()
		for _, c := range []struct {
			what  string
			do    func(context.Context) error
			minor int64
		}{{"debit", l.debits("k1", 300), -300}, {"credit", l.credits("k2", 200), 200}} {
			err := l.tx(func(ctx context.Context) error {
				ctx, cancel := context.WithCancel(ctx)
				cancel()
				return c.do(ctx)
			})
			if _, refused := alipayplus.RefusalOf(err); refused {
				t.Errorf("a %s whose context has ended is refused: %v", c.what, err)
			}
			if err != nil {
				l.want("after a "+c.what+" that failed", balance)
				l.must(l.tx(c.do))
			}
			balance += c.minor
			l.want("after a "+c.what+" whose context had ended", balance)
		}
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

// longKeys are two keys of the greatest length, which differ at the end.
func longKeys() []string {
	long := strings.Repeat("k", 263)
	return []string{long + "1", long + "2"}
}

// large debits and credits an amount of which the lower 32 bits are 300.
func (a account) large(debit, credit func(minor int64) error) {
	a.t.Helper()
	const much = 1<<32 + 300
	start := a.balance()
	if start < much {
		if _, refused := alipayplus.RefusalOf(debit(much)); !refused {
			a.t.Error("a debit of more than 4 billion that is not covered is no refusal")
		}
		a.want("after a debit of more than 4 billion", start)
	}
	if err := credit(much); err != nil {
		a.t.Error("Credit: ", err)
	}
	// The account may not be allowed to hold so much; then nothing of it came.
	if got := a.balance(); got != start && got != start+much {
		a.t.Errorf("after a credit of %d: the balance is %d, it was %d", int64(much), got, start)
	}
}

// abroad debits 100 of a currency that is worth something else. A ledger may
// convert it.
func (a account) abroad(debit func(in alipayplus.Currency) error) {
	a.t.Helper()
	foreign := alipayplus.Currency("JPY")
	if a.Currency == foreign {
		foreign = "KWD"
	}
	start := a.balance()
	err := debit(foreign)
	if _, refused := alipayplus.RefusalOf(err); err != nil && !refused {
		a.t.Errorf("a debit of %s is neither done nor refused: %v", foreign, err)
	}
	switch now := a.balance(); {
	case err != nil:
		a.want("after a debit of "+string(foreign)+" that failed", start)
	case now == start-100:
		a.t.Errorf("a debit of 100 of the smallest units of %s took 100 of %s", foreign, a.Currency)
	}
}

func (a account) debitIn(in alipayplus.Currency) payment.Debit {
	d := a.debit("k1", 100)
	d.Amount.Currency = in
	return d
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
		if _, err := l.debits("k1", 300); err != nil {
			t.Errorf("the same debit again, after it landed: %v", err)
		}
	})
	run("keys are exact texts of up to 264 characters", func(t *testing.T, l remoteTest) {
		start := l.balance()
		keys := append(longKeys(), "k1", "K1", "k1 ", " k1", "k1  ")
		if _, err := l.voids("k2"); err != nil {
			t.Fatal(err)
		}
		for i, key := range append(keys, "K2", "k2 ") {
			if _, err := l.debits(key, 1); err != nil {
				t.Errorf("Debit: %v", err)
			}
			l.want(fmt.Sprintf("after %d debits, each with its key", i+1), start-int64(i+1))
		}
		start = l.balance()
		credits := strings.NewReplacer("k", "c", "K", "C") // no credit has the key of a debit
		for i, key := range keys {
			if err := l.credits(credits.Replace(key), 1); err != nil {
				t.Errorf("Credit: %v", err)
			}
			l.want(fmt.Sprintf("after %d credits, each with its key", i+1), start+int64(i+1))
		}
	})
	run("an amount may be larger than 32 bits", func(t *testing.T, l remoteTest) {
		l.large(func(minor int64) error { _, err := l.debits("k1", minor); return err },
			func(minor int64) error { return l.credits("k2", minor) })
	})
	run("the time of a debit is that of the clock and never changes", func(t *testing.T, l remoteTest) {
		before := time.Now()
		first, err := l.debits("k1", 300)
		if err != nil {
			t.Fatal(err)
		}
		again, err := l.debits("k1", 300)
		if err != nil {
			t.Fatal(err)
		}
		for what, call := range map[string]func() (time.Time, error){
			"Debit": func() (time.Time, error) { return l.debits("k1", 300) },
			"Void":  func() (time.Time, error) { return l.voids("k1") },
		} {
			at, err := call()
			if err != nil || what == "Debit" && !at.Equal(again) || what == "Void" && !again.IsZero() && !at.Equal(again) {
				t.Errorf("%s, called later, says that the debit landed at %v, not at %v: %v", what, at, again, err)
			}
			for _, at := range []time.Time{first, at} {
				if !at.IsZero() && at.Sub(before).Abs() > skew {
					t.Errorf("%s says that the debit landed at %v; it is %v", what, at, before)
				}
			}
		}
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
		_, err = l.debits("k1", start+1)
		if err == nil {
			t.Error("the debit that was refused succeeds when it comes again, with money there")
		} else if _, refused := alipayplus.RefusalOf(err); !refused {
			t.Errorf("the debit that was refused is no refusal when it comes again: %v", err)
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
		if _, err := l.debits("k1", 0); err != nil {
			t.Errorf("Debit: %v", err)
		}
		if landed, err := l.voids("k1"); err != nil || landed.IsZero() {
			t.Errorf("Void says %v, %v of a debit that landed", landed, err)
		}
		l.want("after a debit of zero", start)
	})
	run("a number of another currency is not taken", func(_ *testing.T, l remoteTest) {
		l.abroad(func(in alipayplus.Currency) error {
			_, err := l.ledger.Debit(l.t.Context(), l.record("p"), l.debitIn(in))
			return err
		})
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
	run("parallel debits never take more than there is", func(t *testing.T, l remoteTest) {
		start := l.balance()
		part := start / 4
		var done sync.WaitGroup
		for i := range 8 {
			done.Go(func() {
				_, err := l.debits(fmt.Sprintf("k%d", i), part)
				if _, refused := alipayplus.RefusalOf(err); err != nil && !refused {
					t.Errorf("neither done nor refused: %v", err)
				}
			})
		}
		done.Wait()
		l.want("after eight debits of a quarter each", start-4*part)
	})
	run("a debit and a void that meet agree", func(t *testing.T, l remoteTest) {
		for i := range 20 {
			key, start := fmt.Sprintf("k%d", i), l.balance()
			var refusal error
			var done sync.WaitGroup
			done.Go(func() { _, refusal = l.debits(key, 1) })
			landed, err := l.voids(key)
			done.Wait()
			switch {
			case err != nil:
				t.Fatalf("Void: %v", err)
			case landed.IsZero() && refusal == nil:
				t.Error("Void says that the debit cannot land any more, and it succeeds")
			case !landed.IsZero() && refusal != nil:
				t.Errorf("Void says that the debit landed, and it fails: %v", refusal)
			}
			if !landed.IsZero() {
				start--
			}
			l.want("after a debit and a void at once", start)
		}
	})
	run("a call whose context has ended is no refusal, and done if it says so", func(t *testing.T, l remoteTest) {
		start := l.balance()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := l.ledger.Debit(ctx, l.record("p"), l.debit("k1", 300))
		if _, refused := alipayplus.RefusalOf(err); refused {
			t.Errorf("refused with %v", err)
		}
		if err == nil {
			l.want("after a debit that says that it is done", start-300)
		}
		if _, err := l.debits("k1", 300); err != nil {
			t.Errorf("the same debit with another context: %v", err)
		}
		l.want("after the same debit with another context", start-300)
		if err := l.ledger.Credit(ctx, l.record("p"), l.credit("k2", 200)); err == nil {
			l.want("after a credit that says that it is done", start-100)
		}
		if err := l.credits("k2", 200); err != nil {
			t.Errorf("the same credit with another context: %v", err)
		}
		l.want("after the same credit with another context", start-100)
		if landed, err := l.ledger.Void(ctx, l.record("p"), payment.Void{Key: "k3", Attempt: 1}); err == nil {
			if _, err := l.debits("k3", 1); err == nil || !landed.IsZero() {
				t.Errorf("a void says that it is done, %v, and the debit that arrives later: %v", landed, err)
			}
		}
	})
}

// skew is how far the clock of a ledger may be from that of the test. The time
// zones of the world are further from each other.
const skew = 10 * time.Minute

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
