package paymenttest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
)

func (t *recordsTest) absent() {
	t.wantAbsent("P1")
	t.wantAbsent("P1")
}

func (t *recordsTest) kept() {
	r := open("P1", tomorrow())
	r.Order.OrderDescription = "\x00 NUL, \" quotes, \\u0000, ünïcödé, \u200b"
	r.Tried, r.Resent = []payment.TryState{payment.TryWrong}, 2
	r.Attempts = []payment.AttemptState{payment.AttemptRefused, payment.AttemptLanded}
	r.Credits = []payment.CreditEntry{{Key: "k", Amount: r.Amounts.PayToAmount, Done: true}}
	r.Refunds = []payment.RefundEntry{{RefundRequestID: "R1", RefundID: "W1", RefundTime: r.ExpiryTime, RefundAmount: r.Amounts.PayToAmount, RefundFromAmount: r.Amounts.PayToAmount}}
	r.Notice = alipayplus.Message{Operation: "notifyPayment", Key: "P1", Body: alipayplus.Conceal("\x00é")}
	t.store(t.Context(), r)
	t.want(r)
	r.Version, r.State = 2, payment.StatePaid
	t.store(t.Context(), r)
	t.want(r)
}

func (t *recordsTest) unchanged() {
	if err := t.records.Update(t.Context(), "P1", func(_ context.Context, r payment.Record) (payment.Record, error) {
		r.State = payment.StateOpen
		return r, nil
	}); err != nil {
		t.Fatalf("Update: %v", err)
	}
	t.wantAbsent("P1")
	r := open("P1", tomorrow())
	t.store(t.Context(), r)
	other := r
	other.State = payment.StatePaid
	t.store(t.Context(), other)
	t.want(r)
}

// own is an error of a type of its own: only it must come back.
type own struct{ text string }

func (e *own) Error() string { return e.text }

func (t *recordsTest) failed() {
	refusal := &own{"refused"}
	change := func(ctx context.Context, r payment.Record) (payment.Record, error) {
		t.put(ctx, "undone")
		return open(r.PaymentRequestID, tomorrow()), refusal
	}
	if err := t.records.Update(t.Context(), "P1", change); err != error(refusal) { //nolint:errorlint // the error itself
		t.Fatalf("Update: %v, want the error of change itself", err)
	}
	t.wantAbsent("P1")
	r := open("P1", tomorrow())
	t.store(t.Context(), r)
	if err := t.records.Update(t.Context(), "P1", func(ctx context.Context, r payment.Record) (payment.Record, error) {
		r.Version, r.State = 2, payment.StatePaid
		_, err := change(ctx, r)
		return r, err
	}); !errors.Is(err, refusal) {
		t.Fatalf("Update: %v, want the error of change", err)
	}
	t.want(r)
	t.wantMessages()
}

func (t *recordsTest) panicked() {
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic of change is lost")
			}
		}()
		_ = t.records.Update(t.Context(), "P1", func(ctx context.Context, r payment.Record) (payment.Record, error) {
			t.put(ctx, "undone")
			panic("change panics")
		})
	}()
	t.wantAbsent("P1")
	t.wantMessages()
}

func (t *recordsTest) outbox() {
	t.put(t.Context(), "before")
	if err := t.records.Update(t.Context(), "P1", func(ctx context.Context, r payment.Record) (payment.Record, error) {
		t.put(ctx, "after")
		if err := t.records.Withdraw(ctx, "notifyPayment", "before"); err != nil {
			t.Errorf("Withdraw: %v", err)
		}
		return open("P1", tomorrow()), nil
	}); err != nil {
		t.Fatal(err)
	}
	t.wantMessages("after")
}

func (t *recordsTest) joined() {
	if t.records.Joined(t.Context()) {
		t.Error("Joined without a transaction")
	}
	var inside context.Context
	if err := t.records.Update(t.Context(), "P1", func(ctx context.Context, r payment.Record) (payment.Record, error) {
		inside = ctx
		if !t.records.Joined(ctx) {
			t.Error("not Joined in Update")
		}
		return r, nil
	}); err != nil {
		t.Fatal(err)
	}
	if t.records.Joined(inside) {
		t.Error("Joined after the end of the transaction")
	}
}

func (t *recordsTest) nested() {
	one, two := open("P1", tomorrow()), open("P2", tomorrow())
	if err := t.records.Update(t.Context(), "P1", func(ctx context.Context, r payment.Record) (payment.Record, error) {
		t.store(ctx, two)
		return one, nil
	}); err != nil {
		t.Fatal(err)
	}
	t.want(one)
	t.want(two)

	later := errors.New("later")
	one.Version, two.Version = 2, 2
	if err := t.records.Update(t.Context(), "P1", func(ctx context.Context, r payment.Record) (payment.Record, error) {
		t.store(ctx, two)
		return one, later
	}); !errors.Is(err, later) {
		t.Fatalf("Update: %v", err)
	}
	one.Version, two.Version = 1, 1
	t.want(one)
	t.want(two)
}

func (t *recordsTest) nestedFailed() {
	inner := errors.New("the inner one fails")
	err := t.records.Update(t.Context(), "P1", func(ctx context.Context, r payment.Record) (payment.Record, error) {
		t.put(ctx, "undone")
		_ = t.records.Update(ctx, "P2", func(ctx context.Context, r payment.Record) (payment.Record, error) {
			return open("P2", tomorrow()), inner
		})
		return open("P1", tomorrow()), nil // as if nothing had happened
	})
	if err == nil {
		t.Fatal("a transaction in which something failed is committed")
	}
	t.wantAbsent("P1")
	t.wantAbsent("P2")
	t.wantMessages()
}

func (t *recordsTest) exact() {
	ids := []string{"a", "A", "a ", " a", "a  ", "á", "a\u0301", "a\u200b", "a\x00", `a\x00`, `a\`, `a\\`, "a%", "a_", "a'", `a"`, "ａ"}
	for i, id := range ids {
		t.wantAbsent(id)
		r := open(id, time.Now().Add(-time.Minute))
		r.Resent = i
		r.Refunds = []payment.RefundEntry{{RefundRequestID: id}}
		t.store(t.Context(), r)
	}
	for i, id := range ids {
		if r, err := t.records.Find(t.Context(), id); err != nil || r.Resent != i || r.PaymentRequestID != id {
			t.Errorf("payment %q is mistaken for another one: %v", id, err)
		}
	}
	leased, err := t.records.Lease(t.Context(), 100, time.Minute)
	slices.Sort(leased)
	slices.Sort(ids)
	if err != nil || !slices.Equal(leased, ids) {
		t.Errorf("leased %q, want %q: %v", leased, ids, err)
	}
}

// count adds a wrong PIN to the record.
func count(_ context.Context, r payment.Record) (payment.Record, error) {
	if r.Version == 0 {
		r = open(r.PaymentRequestID, tomorrow())
		r.Version = 0
	}
	r.Resent++
	r.Version++
	return r, nil
}

func (t *recordsTest) concurrent() {
	const writers = 200
	var wait sync.WaitGroup
	start := make(chan struct{})
	for range writers {
		wait.Go(func() {
			<-start
			if err := t.records.Update(t.Context(), "P1", count); err != nil {
				t.Errorf("Update: %v", err)
			}
		})
	}
	close(start)
	wait.Wait()
	if r, err := t.records.Find(t.Context(), "P1"); err != nil || r.Resent != writers || r.Version != writers {
		t.Fatalf("%d of %d updates are there: %v", r.Resent, writers, err)
	}
}

func (t *recordsTest) manyNew() {
	const payments, writers = 100, 2
	var wait sync.WaitGroup
	start := make(chan struct{})
	for i := range payments * writers {
		wait.Go(func() {
			<-start
			if err := t.records.Update(t.Context(), fmt.Sprintf("P%d", i/writers), count); err != nil {
				t.Errorf("Update: %v", err)
			}
		})
	}
	close(start)
	wait.Wait()
	for i := range payments {
		if r, err := t.records.Find(t.Context(), fmt.Sprintf("P%d", i)); err != nil || r.Resent != writers {
			t.Errorf("payment %d has %d of %d updates: %v", i, r.Resent, writers, err)
		}
	}
}

func (t *recordsTest) refunds() {
	add := func(id, refund string) error {
		return t.records.Update(t.Context(), id, func(ctx context.Context, r payment.Record) (payment.Record, error) {
			if r.Version == 0 {
				r = open(id, tomorrow())
			}
			r.Version++
			r.Refunds = append(slices.Clone(r.Refunds), payment.RefundEntry{RefundRequestID: refund})
			return r, nil
		})
	}
	if err := add("P1", "R1"); err != nil {
		t.Fatal(err)
	}
	if err := add("P2", "R1"); !errors.Is(err, payment.ErrInconsistent) {
		t.Fatalf("the refund of another payment: %v, want ErrInconsistent", err)
	}
	t.wantAbsent("P2")
	for _, refund := range []string{"R2", "r1"} {
		if err := add("P1", refund); err != nil {
			t.Fatal(err)
		}
	}
	var won atomic.Int64
	var wait sync.WaitGroup
	for i := range 16 {
		wait.Go(func() {
			switch err := add(fmt.Sprintf("Q%d", i), "R3"); {
			case err == nil:
				won.Add(1)
			case !errors.Is(err, payment.ErrInconsistent):
				t.Errorf("%v, want ErrInconsistent", err)
			}
		})
	}
	wait.Wait()
	if won.Load() != 1 {
		t.Errorf("%d payments have the same refund", won.Load())
	}
}
