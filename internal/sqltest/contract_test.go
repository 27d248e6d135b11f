package sqltest_test

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/alipayplustest"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment/paymenttest"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/sqlstore"
	"github.com/alipayplus-mpp/alipayplus-go/internal/sqltest"
)

func TestMain(m *testing.M) {
	if role := os.Getenv("SQLTEST_ROLE"); role != "" {
		play(role)
	}
	sqltest.Main(m)
}

// eachDatabase runs a contract with a way to open empty databases of one kind,
// and again with settings of driver and session that a host may have: on
// PostgreSQL without prepared statements, as behind a PgBouncer, and with another
// default isolation and another time zone; on MariaDB with a count of the rows
// that were found, prepared statements, another time zone and a driver that takes
// times for those of another one.
func eachDatabase(t *testing.T, contract func(*testing.T, func(*testing.T) *sqltest.Database)) {
	for _, kind := range sqltest.Kinds {
		t.Run(kind.Name, func(t *testing.T) {
			contract(t, func(t *testing.T) *sqltest.Database { return kind.Open(t) })
		})
	}
	for _, other := range []struct {
		name, settings string
		open           func(testing.TB) *sqltest.Database
	}{
		{"PostgreSQL, simple protocol", "default_query_exec_mode=simple_protocol timezone=Asia/Tokyo", sqltest.PostgreSQL},
		{"PostgreSQL, serializable", "default_query_exec_mode=exec default_transaction_isolation=serializable", sqltest.PostgreSQL},
		{"MariaDB, another driver", "clientFoundRows=true&interpolateParams=false&parseTime=true&loc=Asia%2FTokyo&time_zone=%27-05:00%27", sqltest.MariaDB},
	} {
		t.Run(other.name, func(t *testing.T) {
			contract(t, func(t *testing.T) *sqltest.Database { return other.open(t).With(t, other.settings) })
		})
	}
}

// eachStore is eachDatabase with a Store in each.
func eachStore(t *testing.T, contract func(*testing.T, func(*testing.T) *sqlstore.Store)) {
	eachDatabase(t, func(t *testing.T, open func(*testing.T) *sqltest.Database) {
		contract(t, func(t *testing.T) *sqlstore.Store { return open(t).Store(t) })
	})
}

func TestIdempotency(t *testing.T) {
	eachStore(t, func(t *testing.T, open func(*testing.T) *sqlstore.Store) {
		alipayplustest.TestIdempotencyStore(t, func(t *testing.T) alipayplus.IdempotencyStore { return open(t).Idempotency() })
	})
}

func TestOutbox(t *testing.T) {
	eachStore(t, func(t *testing.T, open func(*testing.T) *sqlstore.Store) {
		alipayplustest.TestOutbox(t, func(t *testing.T) alipayplustest.OutboxTest {
			store := open(t)
			return alipayplustest.OutboxTest{Outbox: store.Outbox(), InTx: store.InTx, Pending: func(t *testing.T) (list []alipayplus.Message) {
				return pending(t, store.Outbox())
			}}
		})
	})
}

// pending returns what a Relay would deliver now.
func pending(t *testing.T, queue alipayplus.Queue) (list []alipayplus.Message) {
	t.Helper()
	leased, err := queue.Lease(t.Context(), 1000, time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(2 * time.Millisecond) // until the leases end, on the database's clock
	for _, d := range leased {
		list = append(list, d.Message)
	}
	return list
}

func TestQueue(t *testing.T) {
	eachStore(t, func(t *testing.T, open func(*testing.T) *sqlstore.Store) {
		alipayplustest.TestQueue(t, func(t *testing.T) (alipayplus.Outbox, alipayplus.Queue) {
			store := open(t)
			return store.Outbox(), store.Outbox()
		})
	})
}

func TestRecords(t *testing.T) {
	eachStore(t, func(t *testing.T, open func(*testing.T) *sqlstore.Store) {
		paymenttest.TestRecords(t, func(t *testing.T) (payment.Records, alipayplus.Queue) {
			store := open(t)
			return store.Payments(), store.Outbox()
		})
	})
}

// account returns a customer of a Bank with 1000.
func account(t *testing.T, bank *sqltest.Bank) paymenttest.Account {
	must(t, bank.Deposit(t.Context(), "C1", 1000))
	return paymenttest.Account{Customer: "C1", Currency: sqltest.Currency, Balance: func(ctx context.Context) (int64, error) {
		return bank.Balance(ctx, "C1")
	}}
}

func TestLedger(t *testing.T) {
	for _, kind := range sqltest.Kinds {
		t.Run(kind.Name, func(t *testing.T) {
			paymenttest.TestLedger(t, func(t *testing.T) (payment.Records, payment.Ledger, paymenttest.Account) {
				d := kind.Open(t)
				store, bank := d.Store(t), d.Bank(t)
				return store.Payments(), store.Ledger(bank), account(t, bank)
			})
		})
	}
}

func TestRemoteLedger(t *testing.T) {
	for _, kind := range sqltest.Kinds {
		t.Run(kind.Name, func(t *testing.T) {
			paymenttest.TestRemoteLedger(t, func(t *testing.T) (payment.RemoteLedger, paymenttest.Account) {
				d := kind.Open(t)
				bank := d.Bank(t)
				return bank.Remote(d.Store(t)), account(t, bank)
			})
		})
	}
}
