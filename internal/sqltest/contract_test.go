package sqltest_test

import (
	"testing"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/alipayplustest"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment/paymenttest"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/sqlstore"
	"github.com/alipayplus-mpp/alipayplus-go/internal/sqltest"
)

func TestMain(m *testing.M) { sqltest.Main(m) }

// eachStore runs a contract with a way to open empty stores of one kind.
func eachStore(t *testing.T, contract func(*testing.T, func(*testing.T) *sqlstore.Store)) {
	t.Run("PostgreSQL", func(t *testing.T) {
		contract(t, func(t *testing.T) *sqlstore.Store { return sqltest.PostgreSQL(t).Store(t) })
	})
	t.Run("SQLite", func(t *testing.T) {
		contract(t, func(t *testing.T) *sqlstore.Store { return sqltest.SQLite(t).Store(t) })
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

// pending is what a Relay would deliver now.
func pending(t *testing.T, queue alipayplus.Queue) (list []alipayplus.Message) {
	t.Helper()
	leased, err := queue.Lease(t.Context(), 1000, time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(2 * time.Millisecond)
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
