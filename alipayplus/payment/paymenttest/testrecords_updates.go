package paymenttest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
)

func (t *recordsTest) absent() {
	t.wantAbsent("P1")
	t.wantAbsent("P1")
}

func (t *recordsTest) kept() {
	r, kept := filled(t, "P1"), filled(t, "P1") // two, which share no memory
	t.store(t.Context(), r)
	t.want(kept)
	spoil := func(r payment.Record) {
		r.Tried[0], r.Attempts[0] = payment.TryRight, payment.AttemptRunning
		r.Credits[0].Key, r.Refunds[0].RefundRequestID = "changed", "changed"
	}
	spoil(r)
	t.want(kept)
	found, err := t.records.Find(t.Context(), "P1")
	if err != nil {
		t.Fatalf("Find: %v", err)
	}
	spoil(found)
	t.want(kept)
	kept.Version, kept.State = 2, payment.StateClosed
	t.store(t.Context(), kept)
	t.want(kept)
}

// errors has a context that ended: whatever says that it is done is done.
func (t *recordsTest) errors() {
	r := open("P1", tomorrow())
	t.store(t.Context(), r)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if got, err := t.records.Find(ended, "P1"); err == nil && got.Version != 1 {
		t.Error("a payment that is there is not found, and no error says why")
	}
	err := t.records.Update(ended, "P1", func(_ context.Context, got payment.Record) (payment.Record, error) {
		if got.Version != 1 {
			t.Errorf("Update of a payment of version 1 changes version %d", got.Version)
		}
		got.Version++
		return got, nil
	})
	if got, findErr := t.records.Find(t.Context(), "P1"); findErr != nil || err == nil && got.Version != 2 {
		t.Errorf("version %d after an Update to version 2 that returns %v: %v", got.Version, err, findErr)
	}

	ctx, cancel := context.WithCancel(t.Context())
	err = t.records.Update(ctx, "P2", func(ctx context.Context, r payment.Record) (payment.Record, error) {
		t.put(ctx, "message of P2")
		cancel() // before the commit
		return open("P2", tomorrow()), nil
	})
	got, findErr := t.records.Find(t.Context(), "P2")
	switch {
	case findErr != nil:
		t.Errorf("Find: %v", findErr)
	case got.Version == 1:
		t.wantMessages("message of P2")
	case err == nil:
		t.Error("Update says that the payment is stored, and it is not there")
	default:
		t.wantMessages()
	}
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
		if err := t.records.Withdraw(ctx, "notifyPayment", "before"); err != nil {
			t.Errorf("Withdraw: %v", err)
		}
		return open(r.PaymentRequestID, tomorrow()), refusal
	}
	t.put(t.Context(), "before")
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
	t.wantMessages("before")
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
	one.Version = 2
	if err := t.records.Update(t.Context(), "P1", func(ctx context.Context, r payment.Record) (payment.Record, error) {
		for version := int64(2); version <= 3; version++ {
			if err := t.records.Update(ctx, "P2", func(_ context.Context, r payment.Record) (payment.Record, error) {
				if r.Version != version-1 {
					t.Errorf("a joined Update gets version %d, want %d, which the transaction stored", r.Version, version-1)
				}
				r.Version = version
				return r, nil
			}); err != nil {
				return r, err
			}
			if r, err := t.records.Find(ctx, "P2"); err != nil || r.Version != version {
				t.Errorf("Find in a transaction: version %d, want %d, which the transaction stored: %v", r.Version, version, err)
			}
		}
		return one, nil
	}); err != nil {
		t.Fatal(err)
	}
	two.Version = 3
	t.want(one)
	t.want(two)
	t.nestedUndone()
}

func (t *recordsTest) nestedUndone() {
	one, two := open("P3", tomorrow()), open("P4", tomorrow())
	t.store(t.Context(), one)
	t.store(t.Context(), two)
	later := errors.New("later")
	one.Version, two.Version = 2, 2
	if err := t.records.Update(t.Context(), "P3", func(ctx context.Context, r payment.Record) (payment.Record, error) {
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

	err = t.records.Update(t.Context(), "P1", func(ctx context.Context, r payment.Record) (payment.Record, error) {
		t.put(ctx, "undone")
		func() {
			defer func() { _ = recover() }()
			_ = t.records.Update(ctx, "P2", func(context.Context, payment.Record) (payment.Record, error) {
				panic("the inner one panics")
			})
		}()
		return open("P1", tomorrow()), nil // as if nothing had happened
	})
	if err == nil {
		t.Error("a transaction in which a joined Update panicked is committed")
	}
	t.wantAbsent("P1")
	t.wantMessages()
}

func (t *recordsTest) exact() {
	ids := []string{"a", "A", "a ", " a", "a  ", "á", "a\u0301", "a\u200b", "a\x00", `a\x00`, `a\`, `a\\`, "a%", "a_", "a'", `a"`, "ａ", "a😀", "a😁",
		strings.Repeat("i", 63) + "1", strings.Repeat("i", 63) + "2"}
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

// reruns has updates that meet, each with a message: what comes of a run of
// change that is undone is undone.
func (t *recordsTest) reruns() {
	const writers = 8
	last := make([]string, writers) // the message of the last run of each
	var wait sync.WaitGroup
	start := make(chan struct{})
	for i := range writers {
		wait.Go(func() {
			<-start
			if err := t.records.Update(t.Context(), "P1", func(ctx context.Context, r payment.Record) (payment.Record, error) {
				last[i] = fmt.Sprintf("%d, version %d", i, r.Version+1)
				t.put(ctx, last[i])
				return count(ctx, r)
			}); err != nil {
				t.Errorf("Update: %v", err)
			}
		})
	}
	close(start)
	wait.Wait()
	slices.Sort(last)
	t.wantMessages(last...)
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
	addIn := func(ctx context.Context, id, refund string) error {
		return t.records.Update(ctx, id, func(ctx context.Context, r payment.Record) (payment.Record, error) {
			if r.Version == 0 {
				r = open(id, tomorrow())
			}
			r.Version++
			r.Refunds = append(slices.Clone(r.Refunds), payment.RefundEntry{RefundRequestID: refund})
			t.put(ctx, refund+" of "+id)
			return r, nil
		})
	}
	add := func(id, refund string) error { return addIn(t.Context(), id, refund) }
	if err := add("P1", "R1"); err != nil {
		t.Fatal(err)
	}
	if err := add("P2", "R1"); !errors.Is(err, payment.ErrInconsistent) {
		t.Fatalf("the refund of another payment: %v, want ErrInconsistent", err)
	}
	t.wantAbsent("P2")
	t.wantMessages("R1 of P1")
	for _, refund := range []string{"R2", "r1"} {
		if err := add("P1", refund); err != nil {
			t.Fatal(err)
		}
		if err := add("P2", refund); !errors.Is(err, payment.ErrInconsistent) {
			t.Fatalf("a later refund of another payment: %v, want ErrInconsistent", err)
		}
	}
	undo := errors.New("something else failed")
	if err := t.records.Update(t.Context(), "P3", func(ctx context.Context, r payment.Record) (payment.Record, error) {
		return r, errors.Join(addIn(ctx, "P1", "R4"), undo)
	}); !errors.Is(err, undo) {
		t.Fatalf("Update: %v, want the error of change", err)
	}
	if err := add("P2", "R4"); err != nil {
		t.Fatalf("the refund of another payment, which was undone: %v", err)
	}
	both := open("P4", tomorrow())
	both.Refunds = []payment.RefundEntry{{RefundRequestID: "R5"}, {RefundRequestID: "R6"}}
	t.store(t.Context(), both)
	for _, e := range both.Refunds {
		if err := add("P2", e.RefundRequestID); !errors.Is(err, payment.ErrInconsistent) {
			t.Fatalf("one of two refunds of another payment: %v, want ErrInconsistent", err)
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
