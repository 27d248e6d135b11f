package paymenttest_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment/paymenttest"
	"github.com/alipayplus-mpp/alipayplus-go/internal/testkit"
)

func account(balance func(string) int64) paymenttest.Account {
	return paymenttest.Account{Customer: "C", Currency: "JPY", Balance: func(context.Context) (int64, error) {
		return balance("C"), nil
	}}
}

func TestBank(t *testing.T) {
	t.Parallel()
	paymenttest.TestLedger(t, func(*testing.T) (payment.Records, payment.Ledger, paymenttest.Account) {
		db := alipayplus.NewMemory()
		bank := paymenttest.NewBank(db)
		bank.Deposit("C", 1000)
		return payment.NewMemoryRecords(db), bank, account(bank.Balance)
	})
}

func TestRemoteBank(t *testing.T) {
	t.Parallel()
	paymenttest.TestRemoteLedger(t, func(*testing.T) (payment.RemoteLedger, paymenttest.Account) {
		bank := paymenttest.NewRemoteBank()
		bank.Deposit("C", 1000)
		return bank, account(bank.Balance)
	})
}

// books is a simple ledger, local and remote, with a place for each mistake.
type books struct {
	mistake string
	db      *alipayplus.Memory
	mu      sync.Mutex
	balance int64
	entries map[string]int64
	at      map[string]time.Time
	refused map[string]bool
	voided  map[string]bool
}

func newBooks(mistake string) *books {
	return &books{
		mistake: mistake, db: alipayplus.NewMemory(), balance: 1000,
		entries: map[string]int64{}, at: map[string]time.Time{}, refused: map[string]bool{}, voided: map[string]bool{},
	}
}

func (b *books) is(mistake string) bool { return b.mistake == mistake }

func (b *books) Balance(string) int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.balance
}

func (b *books) key(key string) string {
	switch {
	case b.is("folds the case of keys"):
		return strings.ToLower(key)
	case b.is("trims keys"):
		return strings.TrimSpace(key)
	}
	return key
}

// local is the ledger in the database.
type local struct{ *books }

func (b local) Debit(ctx context.Context, _ payment.Record, d payment.Debit) error {
	b.mu.Lock()
	covered := b.balance >= d.Amount.Minor
	_, done := b.entries[b.key(d.Key)]
	b.mu.Unlock()
	switch {
	case d.Amount.Minor == 0 && b.is("refuses a debit of zero"):
		return payment.Retryable(alipayplus.CodeUserBalanceNotEnough)
	case done && !b.is("debits a key again"):
		return nil
	case !covered && b.is("overdraws"):
	case !covered && b.is("refuses with an error of its own"):
		return errors.New("not enough")
	case !covered:
		if b.is("writes a refusal outside of the transaction") {
			b.book(context.Background(), d.Key, -1)
		}
		return payment.Retryable(alipayplus.CodeUserBalanceNotEnough)
	}
	b.book(ctx, d.Key, -d.Amount.Minor)
	return nil
}

func (b local) Credit(ctx context.Context, _ payment.Record, c payment.Credit) error {
	b.mu.Lock()
	_, done := b.entries[b.key(c.Key)]
	b.mu.Unlock()
	if !done || b.is("credits a key again") {
		b.book(ctx, c.Key, c.Amount.Minor)
	}
	return nil
}

func (b *books) book(ctx context.Context, key string, minor int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	key = b.key(key)
	b.entries[key] = minor
	b.balance += minor
	if b.is("commits by itself") || b.is("commits credits by itself") && minor > 0 {
		return
	}
	b.db.OnRollback(ctx, func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.balance -= minor
		if !b.is("forgets to roll back the key") {
			delete(b.entries, key)
		}
	})
}

var localMistakes = []string{
	"debits a key again", "credits a key again", "overdraws", "refuses with an error of its own",
	"writes a refusal outside of the transaction", "commits by itself", "commits credits by itself",
	"forgets to roll back the key", "folds the case of keys", "trims keys", "refuses a debit of zero",
}

// remote is the ledger in a service of its own.
type remote struct{ *books }

func (b remote) Debit(ctx context.Context, _ payment.Record, d payment.Debit) (time.Time, error) {
	if b.is("refuses when the context ends") && ctx.Err() != nil {
		return time.Time{}, alipayplus.CodeProcessFail
	}
	if b.is("remembers what the context ended") && ctx.Err() != nil {
		b.refuse(d.Key)
	}
	if ctx.Err() != nil {
		return time.Time{}, ctx.Err()
	}
	if b.is("checks keys before it locks") {
		b.mu.Lock()
		_, done := b.entries[d.Key]
		b.mu.Unlock()
		time.Sleep(time.Millisecond)
		if !done {
			b.book(ctx, d.Key, -d.Amount.Minor)
		}
		return time.Now(), nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	_, done := b.entries[d.Key]
	switch {
	case b.refused[d.Key] && !b.is("forgets refusals"):
		return time.Time{}, payment.Retryable(alipayplus.CodeUserBalanceNotEnough)
	case b.voided[d.Key] && !b.is("forgets voids"):
		return time.Time{}, alipayplus.CodeOrderIsClosed
	case done && !b.is("debits a key again"):
		return b.at[d.Key], nil
	case b.balance < d.Amount.Minor, d.Amount.Minor == 0 && b.is("refuses a debit of zero"):
		b.refused[d.Key] = true
		if b.is("does not say that a refusal is one") {
			return time.Time{}, payment.ErrPending
		}
		return time.Time{}, payment.Retryable(alipayplus.CodeUserBalanceNotEnough)
	}
	b.entries[d.Key], b.at[d.Key] = -d.Amount.Minor, time.Now()
	b.balance -= d.Amount.Minor
	return b.at[d.Key], nil
}

func (b *books) refuse(key string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.refused[key] = true
}

func (b remote) Void(_ context.Context, _ payment.Record, v payment.Void) (time.Time, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	_, done := b.entries[v.Key]
	switch {
	case !done:
		b.voided[v.Key] = true
		if b.is("does not know what it voids") {
			return time.Time{}, errors.New("no such debit")
		}
		return time.Time{}, nil
	case b.is("takes back what it voids"):
		b.balance -= b.entries[v.Key]
		b.entries[v.Key] = 0
	case b.is("says that it voided what landed"):
		return time.Time{}, nil
	}
	return b.at[v.Key], nil
}

func (b remote) Credit(_ context.Context, _ payment.Record, c payment.Credit) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, done := b.entries[c.Key]; !done || b.is("credits a key again") {
		b.entries[c.Key] = c.Amount.Minor
		b.balance += c.Amount.Minor
	}
	return nil
}

var remoteMistakes = []string{
	"debits a key again", "checks keys before it locks", "credits a key again", "forgets refusals", "forgets voids",
	"does not say that a refusal is one", "does not know what it voids", "takes back what it voids",
	"says that it voided what landed", "refuses when the context ends", "remembers what the context ended",
	"refuses a debit of zero",
}

func testLocal(t *testing.T, mistake string) {
	paymenttest.TestLedger(t, func(*testing.T) (payment.Records, payment.Ledger, paymenttest.Account) {
		b := newBooks(mistake)
		return payment.NewMemoryRecords(b.db), local{b}, account(b.Balance)
	})
}

func testRemote(t *testing.T, mistake string) {
	paymenttest.TestRemoteLedger(t, func(*testing.T) (payment.RemoteLedger, paymenttest.Account) {
		b := newBooks(mistake)
		return remote{b}, account(b.Balance)
	})
}

func TestSoundBooks(t *testing.T) {
	t.Parallel()
	t.Run("local", func(t *testing.T) { testLocal(t, "") })
	t.Run("remote", func(t *testing.T) { testRemote(t, "") })
}

// The two contracts find every mistake.
func TestLedgerFindsMistakes(t *testing.T) {
	t.Parallel()
	testkit.FindsMistakes(t, localMistakes, testLocal)
}

func TestRemoteLedgerFindsMistakes(t *testing.T) {
	t.Parallel()
	testkit.FindsMistakes(t, remoteMistakes, testRemote)
}
