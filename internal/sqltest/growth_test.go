package sqltest_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/alipayplustest"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/sqlstore"
	"github.com/alipayplus-mpp/alipayplus-go/internal/sqltest"
)

// cost is what a payment asks of the database, without BEGIN, COMMIT and the
// host's own statements.
type cost struct {
	statements, transactions, parameters, results int
}

func (c cost) String() string {
	return fmt.Sprintf("%d statements in %d transactions, %d bytes of parameters, %d of results", c.statements, c.transactions, c.parameters, c.results)
}

// own are the statements of a ledger's host.
type own struct{}

func (own) Debit(context.Context, payment.Record, payment.Debit) error   { return nil }
func (own) Credit(context.Context, payment.Record, payment.Credit) error { return nil }

// payOnce lives a payment through payment.Service and Relay: it is opened,
// confirmed with its debit, and reported. It returns what that costs.
func payOnce(t *testing.T, d *sqltest.Database, id string, check bool) (c cost) {
	t.Helper()
	store := d.Store(t)
	cfg := payment.ServiceConfig{Records: store.Payments(), Ledger: own{}}
	if check {
		cfg.Check = func(context.Context, payment.Check) error { return nil }
	}
	service, err := payment.NewService(cfg)
	must(t, err)
	gateway := alipayplustest.New(t)
	var told atomic.Int64
	alipayplustest.Answer(gateway, payment.NotifyPayment,
		func(context.Context, *payment.NotifyPaymentRequest) (*payment.NotifyPaymentResponse, error) {
			told.Add(1)
			return &payment.NotifyPaymentResponse{}, nil
		})
	client, err := alipayplus.NewClient(gateway.Config())
	must(t, err)

	d.Watch.Reset(nil)
	add := func() {
		statements, transactions := d.Watch.Statements()
		c.statements += len(statements)
		c.transactions += transactions
		parameters, results := d.Watch.Bytes()
		c.parameters, c.results = c.parameters+parameters, c.results+results
		d.Watch.Reset(nil)
	}
	amount := alipayplus.Amount{Currency: sqltest.Currency, Minor: 300}
	_, err = service.Open(t.Context(), payment.Opened{Terms: payment.Terms{
		PaymentRequestID: id, CustomerID: "C1", CodeValueDigest: "digest", Amounts: payment.Amounts{PaymentAmount: amount, PayToAmount: amount},
	}})
	must(t, err)
	r, err := service.Confirm(t.Context(), payment.Confirmation{PaymentRequestID: id, CustomerID: "C1", Shown: amount})
	must(t, err)
	if r.State != payment.StatePaid {
		t.Fatalf("the payment is %s", r.State)
	}
	add()
	// What a Relay does with one message.
	list, err := store.Outbox().Lease(t.Context(), 8, time.Minute)
	must(t, err)
	if len(list) != 1 {
		t.Fatalf("%d messages are due", len(list))
	}
	must(t, client.Deliver(t.Context(), list[0].Message))
	must(t, store.Outbox().Finish(t.Context(), list[0], acknowledged))
	add()
	if told.Load() != 1 {
		t.Errorf("Alipay+ was told %d times", told.Load())
	}
	return c
}

// A whole payment takes at most 12 statements in at most 4 transactions, and as
// many as PERFORMANCE.md says, without a Check and with one.
func TestServiceBudget(t *testing.T) {
	exactly := map[sqlstore.Dialect][2]int{sqlstore.PostgreSQL: {7, 9}, sqlstore.MySQL: {9, 11}, sqlstore.SQLite: {9, 11}}
	sqltest.Each(t, func(t *testing.T, d *sqltest.Database) {
		c := payOnce(t, d, "P1", false)
		t.Log(c)
		if c.statements > 12 || c.transactions > 4 {
			t.Errorf("a payment takes %v", c)
		}
		// With a Check, the payment is also read before it, twice.
		checked := payOnce(t, d, "P2", true)
		t.Log("with Check: ", checked)
		if checked.statements != c.statements+2 || checked.statements > 13 {
			t.Errorf("with Check a payment takes %v", checked)
		}
		if want := exactly[d.Dialect]; c.statements != want[0] || checked.statements != want[1] || c.transactions != 4 {
			t.Errorf("PERFORMANCE.md says %v statements in 4 transactions, it takes %v, and %v", want, c, checked)
		}
	})
}

// A payment costs the same, however many there are.
func TestGrowth(t *testing.T) {
	few, many := 1000, 20_000
	if long {
		many = 1_000_000
	}
	sqltest.Each(t, func(t *testing.T, d *sqltest.Database) {
		d.Store(t)
		fill(t, d, few)
		before := payOnce(t, d, "P1", false)
		d.Exec(t, `DELETE FROM alipayplus_payment`)
		d.Exec(t, `DELETE FROM alipayplus_refund`)
		d.Exec(t, `DELETE FROM alipayplus_outbox`)
		d.Exec(t, `DELETE FROM alipayplus_idempotency`)
		fill(t, d, many)
		after := payOnce(t, d, "P2", false)
		t.Logf("beside %d payments: %v", few, before)
		t.Logf("beside %d payments: %v", many, after)
		for _, c := range [][2]int{{before.statements, after.statements}, {before.parameters, after.parameters}, {before.results, after.results}} {
			if float64(c[1]) > 1.2*float64(c[0]) {
				t.Errorf("the costs grow: %v, then %v", before, after)
			}
		}
	})
}
