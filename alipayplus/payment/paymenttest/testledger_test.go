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
		bank := paymenttest.NewBank(db, "JPY")
		bank.Deposit("C", 1000)
		return payment.NewMemoryRecords(db), bank, account(bank.Balance)
	})
}

func TestRemoteBank(t *testing.T) {
	t.Parallel()
	paymenttest.TestRemoteLedger(t, func(*testing.T) (payment.RemoteLedger, paymenttest.Account) {
		bank := paymenttest.NewRemoteBank("JPY")
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
	case b.is("cuts keys"):
		return key[:min(len(key), 255)]
	}
	return key
}

// minor is what an amount is in the books.
func (b *books) minor(a alipayplus.Amount) int64 {
	if b.is("keeps amounts in 32 bits") {
		return int64(int32(a.Minor)) //nolint:gosec // the mistake
	}
	return a.Minor
}

// foreign reports whether an amount is in a currency that nobody has here.
func (b *books) foreign(a alipayplus.Amount) bool {
	return a.Currency != "JPY" && !b.is("takes numbers without their currency")
}

// local is the ledger in the database.
type local struct{ *books }

func (b local) Debit(ctx context.Context, _ payment.Record, d payment.Debit) error {
	b.mu.Lock()
	covered := b.balance >= b.minor(d.Amount)
	_, done := b.entries[b.key(d.Key)]
	b.mu.Unlock()
	switch {
	case d.Amount.Minor == 0 && b.is("refuses a debit of zero"):
		return payment.Retryable(alipayplus.CodeUserBalanceNotEnough)
	case ctx.Err() != nil && b.is("says that a debit is done that failed"):
		return nil
	case ctx.Err() != nil && b.is("refuses when the context ends"):
		return alipayplus.CodeProcessFail
	case done && b.is("takes a repeated key for a refusal"):
		return alipayplus.CodeProcessFail
	case done && !b.is("debits a key again"):
		return nil
	case b.foreign(d.Amount):
		return payment.Retryable(alipayplus.CodeUserBalanceNotEnough)
	case !covered && b.is("overdraws"):
	case !covered && b.is("refuses with an error of its own"):
		return errors.New("not enough")
	case !covered:
		if b.is("writes a refusal outside of the transaction") {
			b.book(context.Background(), d.Key, -1)
		}
		return payment.Retryable(alipayplus.CodeUserBalanceNotEnough)
	}
	b.book(ctx, d.Key, -b.minor(d.Amount))
	return nil
}

func (b local) Credit(ctx context.Context, _ payment.Record, c payment.Credit) error {
	if ctx.Err() != nil && b.is("says that a credit is done that failed") {
		return nil
	}
	b.mu.Lock()
	_, done := b.entries[b.key(c.Key)]
	b.mu.Unlock()
	if !done || b.is("credits a key again") {
		b.book(ctx, c.Key, b.minor(c.Amount))
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
	"forgets to roll back the key", "folds the case of keys", "trims keys", "cuts keys", "keeps amounts in 32 bits",
	"takes a repeated key for a refusal", "refuses when the context ends", "says that a debit is done that failed",
	"says that a credit is done that failed", "refuses a debit of zero",
	"takes numbers without their currency",
}

// remote is the ledger in a service of its own.
type remote struct{ *books }

// lost reports whether the context ended and what is done about that is a
// mistake: the call says that it is done.
func (b remote) lost(ctx context.Context, call string) bool {
	return ctx.Err() != nil && b.is("says that a "+call+" is done when the context ends")
}

// looks lets others in between reading and writing.
func (b remote) looks(mistake string) {
	if b.is(mistake) {
		b.mu.Unlock()
		time.Sleep(100 * time.Millisecond) // so that they meet
		b.mu.Lock()
	}
}

// told is what the ledger says of a time.
func (b *books) told(at time.Time) time.Time {
	switch b.mistake {
	case "says when in another time zone":
		return at.Add(8 * time.Hour)
	case "takes seconds for milliseconds":
		return time.UnixMilli(at.Unix())
	}
	return at
}

func (b remote) Debit(ctx context.Context, _ payment.Record, d payment.Debit) (time.Time, error) {
	if b.is("refuses when the context ends") && ctx.Err() != nil {
		return time.Time{}, alipayplus.CodeProcessFail
	}
	if b.is("remembers what the context ended") && ctx.Err() != nil {
		b.refuse(d.Key)
	}
	if b.lost(ctx, "debit") {
		return time.Now(), nil
	}
	if ctx.Err() != nil {
		return time.Time{}, ctx.Err()
	}
	key, minor := b.key(d.Key), b.minor(d.Amount)
	b.mu.Lock()
	defer b.mu.Unlock()
	_, done := b.entries[key]
	b.looks("checks keys before it locks")
	voided := b.voided[key]
	b.looks("looks for voids before it locks")
	switch {
	case b.refused[key] && b.is("says of a repeated refusal that the end is not known"):
		return time.Time{}, payment.ErrPending
	case b.refused[key] && !b.is("forgets refusals"):
		return time.Time{}, payment.Retryable(alipayplus.CodeUserBalanceNotEnough)
	case voided && b.is("says that a voided debit is done"):
		return time.Now(), nil
	case voided && !b.is("forgets voids"):
		return time.Time{}, alipayplus.CodeOrderIsClosed
	case done && b.is("says that a repeated debit landed now"):
		return time.Now(), nil
	case done && b.is("takes a repeated key for a refusal"):
		return time.Time{}, alipayplus.CodeProcessFail
	case done && !b.is("debits a key again"):
		return b.told(b.at[key]), nil
	case b.balance < minor, b.foreign(d.Amount), minor == 0 && b.is("refuses a debit of zero"):
		b.refused[key] = true
		if b.is("does not say that a refusal is one") {
			return time.Time{}, payment.ErrPending
		}
		return time.Time{}, payment.Retryable(alipayplus.CodeUserBalanceNotEnough)
	}
	b.looks("overdraws when debits meet")
	b.entries[key], b.at[key] = -minor, time.Now()
	b.balance -= minor
	if b.is(zeroIsNow) {
		return time.Time{}, nil
	}
	return b.told(b.at[key]), nil
}

func (b *books) refuse(key string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.refused[key] = true
}

func (b remote) Void(ctx context.Context, _ payment.Record, v payment.Void) (time.Time, error) {
	if b.lost(ctx, "void") {
		return time.Time{}, nil
	}
	if ctx.Err() != nil {
		return time.Time{}, ctx.Err()
	}
	key := b.key(v.Key)
	b.mu.Lock()
	defer b.mu.Unlock()
	_, done := b.entries[key]
	b.looks("looks for the debit, then voids it")
	switch {
	case !done:
		b.voided[key] = true
		if b.is("does not know what it voids") {
			return time.Time{}, errors.New("no such debit")
		}
		return time.Time{}, nil
	case b.is("takes back what it voids"):
		b.balance -= b.entries[key]
		b.entries[key] = 0
	case b.is("says that it voided what landed"):
		return time.Time{}, nil
	case b.is("says that what it voids landed now"):
		return time.Now(), nil
	}
	return b.told(b.at[key]), nil
}

func (b remote) Credit(ctx context.Context, _ payment.Record, c payment.Credit) error {
	if b.lost(ctx, "credit") {
		return nil
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	key, minor := b.key(c.Key), b.minor(c.Amount)
	b.mu.Lock()
	defer b.mu.Unlock()
	_, done := b.entries[key]
	b.looks("checks keys of credits before it locks")
	if !done || b.is("credits a key again") {
		b.entries[key] = minor
		b.balance += minor
	}
	return nil
}

// zeroIsNow is no mistake: a Debit may leave the time to the Service.
const zeroIsNow = "says zero for now"

var remoteMistakes = []string{
	"debits a key again", "checks keys before it locks", "credits a key again", "forgets refusals", "forgets voids",
	"does not say that a refusal is one", "does not know what it voids", "takes back what it voids",
	"says that it voided what landed", "refuses when the context ends", "remembers what the context ended",
	"refuses a debit of zero",
	"folds the case of keys", "trims keys", "cuts keys", "keeps amounts in 32 bits",
	"says that a debit is done when the context ends", "says that a void is done when the context ends",
	"says that a credit is done when the context ends", "says of a repeated refusal that the end is not known",
	"says that a voided debit is done", "says that a repeated debit landed now", "says that what it voids landed now",
	"says when in another time zone", "takes seconds for milliseconds", "takes a repeated key for a refusal",
	"checks keys of credits before it locks", "overdraws when debits meet", "looks for voids before it locks",
	"looks for the debit, then voids it", "takes numbers without their currency",
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
	t.Run("remote, by zero", func(t *testing.T) { testRemote(t, zeroIsNow) })
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
