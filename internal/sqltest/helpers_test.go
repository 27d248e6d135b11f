package sqltest_test

import (
	"context"
	"testing"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
	"github.com/alipayplus-mpp/alipayplus-go/internal/sqltest"
)

// opened is a payment of 100 that waits for the customer until expiry.
func opened(id string, expiry time.Time) payment.Record {
	amount := alipayplus.Amount{Currency: sqltest.Currency, Minor: 100}
	return payment.Record{Version: 1, State: payment.StateOpen, Terms: payment.Terms{
		PaymentRequestID: id, PaymentID: "wallet " + id, CustomerID: "C1",
		Amounts:    payment.Amounts{PaymentAmount: amount, PayToAmount: amount},
		ExpiryTime: alipayplus.TimeOf(expiry),
	}}
}

var tomorrow = time.Now().Add(24 * time.Hour)

// paid is opened, paid.
func paid(id string) payment.Record {
	r := opened(id, tomorrow)
	r.State, r.PaidTime = payment.StatePaid, alipayplus.TimeOf(time.Now())
	return r
}

// next is a change that opens a payment or, later, counts a wrong PIN.
func next(_ context.Context, r payment.Record) (payment.Record, error) {
	if r.Version == 0 {
		return opened(r.PaymentRequestID, tomorrow), nil
	}
	r.Version++
	r.Resent++
	return r, nil
}

// to is a change to r.
func to(r payment.Record) func(context.Context, payment.Record) (payment.Record, error) {
	return func(context.Context, payment.Record) (payment.Record, error) { return r, nil }
}

func message(key string) alipayplus.Message {
	return alipayplus.Message{Operation: "notifyPayment", Key: key, Body: alipayplus.Conceal("{}")}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func find(t testing.TB, records payment.Records, id string) payment.Record {
	t.Helper()
	r, err := records.Find(t.Context(), id)
	must(t, err)
	return r
}

var acknowledged = alipayplus.End{State: alipayplus.EndAcknowledged, Code: alipayplus.CodeSuccess}

func claim(key, owner string) alipayplus.Claim {
	return alipayplus.Claim{Operation: "pay", Key: key, Owner: owner, Lease: time.Minute}
}
