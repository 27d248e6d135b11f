package paymenttest

import (
	"context"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
)

// TestRecords checks that payment.Records keep their contract. open returns
// records that hold nothing, and a queue that delivers what is put in their
// outbox; it is called once for each part. The part about leases takes one of
// 300 milliseconds and waits for its end, at most two seconds more.
func TestRecords(t *testing.T, open func(*testing.T) (payment.Records, alipayplus.Queue)) {
	t.Helper()
	for _, part := range []struct {
		name string
		run  func(*recordsTest)
	}{
		{"a payment that is not there is the zero record with its id", (*recordsTest).absent},
		{"a record is kept whole", (*recordsTest).kept},
		{"a record of the same version is not stored", (*recordsTest).unchanged},
		{"an error undoes everything and is returned as it is", (*recordsTest).failed},
		{"what says that it is done is done", (*recordsTest).errors},
		{"a panic undoes everything", (*recordsTest).panicked},
		{"messages change together with the record", (*recordsTest).outbox},
		{"Joined tells of the transaction", (*recordsTest).joined},
		{"an Update joins the transaction", (*recordsTest).nested},
		{"a joined Update that fails undoes the whole transaction", (*recordsTest).nestedFailed},
		{"ids are exact texts", (*recordsTest).exact},
		{"no update of one payment is lost", (*recordsTest).concurrent},
		{"what a run of change did that is undone is undone", (*recordsTest).reruns},
		{"many new payments at once", (*recordsTest).manyNew},
		{"refund ids are unique over all payments", (*recordsTest).refunds},
		{"what is due is leased, the longest waiting first", (*recordsTest).lease},
		{"a lease ends, and an Update replaces it", (*recordsTest).leaseEnds},
		{"of many who lease at once one gets the payment", (*recordsTest).leaseOnce},
	} {
		t.Run(part.name, func(t *testing.T) {
			records, queue := open(t)
			part.run(&recordsTest{t, records, queue})
		})
	}
}

const (
	lease    = 300 * time.Millisecond
	patience = 2 * time.Second
)

type recordsTest struct {
	*testing.T
	records payment.Records
	queue   alipayplus.Queue
}

// open returns a payment that waits for the customer.
func open(id string, expiry time.Time) payment.Record {
	hkd := alipayplus.Amount{Currency: "HKD", Minor: 100}
	return payment.Record{Version: 1, State: payment.StateOpen, Terms: payment.Terms{
		PaymentRequestID: id, PaymentID: "wallet " + id, CustomerID: "C1",
		Amounts:    payment.Amounts{PaymentAmount: hkd, PayToAmount: hkd},
		ExpiryTime: alipayplus.TimeOf(expiry),
	}}
}

func tomorrow() time.Time { return time.Now().Add(24 * time.Hour) }

func (t *recordsTest) store(ctx context.Context, r payment.Record) {
	t.Helper()
	if err := t.records.Update(ctx, r.PaymentRequestID, func(context.Context, payment.Record) (payment.Record, error) {
		return r, nil
	}); err != nil {
		t.Fatalf("Update: %v", err)
	}
}

// want compares what Find and Update tell with r.
func (t *recordsTest) want(r payment.Record) {
	t.Helper()
	got, err := t.records.Find(t.Context(), r.PaymentRequestID)
	got.Resume.At = got.Resume.At.UTC() // the same moment
	if err != nil || !reflect.DeepEqual(got, r) {
		t.Fatalf("Find: version %d, state %q, %v; want version %d, state %q", got.Version, got.State, err, r.Version, r.State)
	}
	if err := t.records.Update(t.Context(), r.PaymentRequestID, func(_ context.Context, got payment.Record) (payment.Record, error) {
		stored := got
		stored.Resume.At = stored.Resume.At.UTC()
		if !reflect.DeepEqual(stored, r) {
			t.Errorf("Update: version %d, state %q; want version %d, state %q", got.Version, got.State, r.Version, r.State)
		}
		return got, nil
	}); err != nil {
		t.Fatalf("Update: %v", err)
	}
}

func (t *recordsTest) wantAbsent(id string) {
	t.Helper()
	t.want(payment.Record{Terms: payment.Terms{PaymentRequestID: id}})
}

func (t *recordsTest) wantMessages(keys ...string) {
	t.Helper()
	list, err := t.queue.Lease(t.Context(), 100, time.Millisecond)
	if err != nil {
		t.Fatalf("Lease: %v", err)
	}
	var got []string
	for _, d := range list {
		got = append(got, d.Message.Key)
	}
	slices.Sort(got)
	if !slices.Equal(got, keys) {
		t.Fatalf("messages %q, want %q", got, keys)
	}
}

func (t *recordsTest) put(ctx context.Context, key string) {
	t.Helper()
	if err := t.records.Put(ctx, alipayplus.Message{Operation: "notifyPayment", Key: key, Body: alipayplus.Conceal("{}")}); err != nil {
		t.Errorf("Put: %v", err)
	}
}
