package paymenttest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
)

func (t *recordsTest) wantLease(n int, d time.Duration, ids ...string) {
	t.Helper()
	got, err := t.records.Lease(t.Context(), n, d)
	if err != nil || !slices.Equal(got, ids) {
		t.Fatalf("leased %q, want %q: %v", got, ids, err)
	}
}

func (t *recordsTest) lease() {
	now := time.Now()
	t.store(t.Context(), open("young", now.Add(-time.Hour)))
	t.store(t.Context(), open("old", now.Add(-3*time.Hour)))
	t.store(t.Context(), open("middle", now.Add(-2*time.Hour)))
	t.store(t.Context(), open("later", tomorrow()))
	closed := open("closed", now.Add(-5*time.Hour))
	closed.State = payment.StateClosed
	t.store(t.Context(), closed)
	credit := open("credit", tomorrow()) // its time is "at once"
	credit.State = payment.StatePaid
	credit.Credits = []payment.CreditEntry{{Key: "k", Amount: credit.Amounts.PayToAmount}}
	t.store(t.Context(), credit)

	t.wantLease(0, time.Minute)
	t.wantLease(2, time.Minute, "credit", "old")
	t.wantLease(10, time.Minute, "middle", "young")
	t.wantLease(10, time.Minute)
	r := open("young", now.Add(-time.Hour))
	t.want(r) // a lease is no change of the record
	t.wantLease(10, time.Minute)
}

func (t *recordsTest) leaseEnds() {
	r := open("P1", time.Now().Add(-time.Hour))
	t.store(t.Context(), r)
	began := time.Now()
	t.wantLease(1, lease, "P1")
	// The store keeps time by itself, and nothing but time ends a lease.
	for deadline := began.Add(lease + patience); ; time.Sleep(20 * time.Millisecond) {
		late := time.Now().After(deadline) // before it is asked: the answer may take long
		ids, err := t.records.Lease(t.Context(), 1, time.Minute)
		if err != nil {
			t.Fatalf("Lease: %v", err)
		}
		if took := time.Since(began); len(ids) > 0 {
			if took < lease*9/10 {
				t.Fatalf("leased again after %v of %v", took, lease)
			}
			break
		}
		if late {
			t.Fatal("a payment whose lease ended is not leased again")
		}
	}
	r.Version++
	t.store(t.Context(), r)
	closed := r
	closed.Version++
	closed.State = payment.StateClosed
	undo := errors.New("something else failed")
	if err := t.records.Update(t.Context(), "P1", func(ctx context.Context, _ payment.Record) (payment.Record, error) {
		t.store(ctx, closed)
		return closed, undo
	}); !errors.Is(err, undo) {
		t.Fatalf("Update: %v, want the error of change", err)
	}
	t.wantLease(1, time.Minute, "P1")
	r.Version++
	r.State = payment.StateClosed
	t.store(t.Context(), r)
	t.wantLease(1, time.Minute)
}

func (t *recordsTest) leaseOnce() {
	for i := range 20 {
		t.store(t.Context(), open(fmt.Sprintf("P%d", i), time.Now().Add(-time.Hour)))
	}
	var mu sync.Mutex
	leased := make(map[string]int)
	var wait sync.WaitGroup
	for range 16 {
		wait.Go(func() {
			for range 20 {
				ids, err := t.records.Lease(t.Context(), 3, time.Minute)
				if err != nil {
					t.Errorf("Lease: %v", err)
				}
				mu.Lock()
				for _, id := range ids {
					leased[id]++
				}
				mu.Unlock()
			}
		})
	}
	wait.Wait()
	if len(leased) != 20 {
		t.Errorf("%d of 20 payments are leased", len(leased))
	}
	for id, n := range leased {
		if n != 1 {
			t.Errorf("%s is leased %d times", id, n)
		}
	}
}
