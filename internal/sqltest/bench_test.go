package sqltest_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
	"github.com/alipayplus-mpp/alipayplus-go/internal/sqltest"
)

// BenchmarkPayment opens and pays a payment, and delivers its message.
func BenchmarkPayment(b *testing.B) {
	for _, kind := range sqltest.Kinds {
		d := kind.Open(b)
		store := d.Store(b)
		b.Run(d.Dialect.String(), func(b *testing.B) {
			prefix := fmt.Sprint(b.N)
			for i := 0; b.Loop(); i++ {
				id := fmt.Sprint(prefix, " ", i)
				must(b, store.Payments().Update(b.Context(), id, next))
				must(b, store.Payments().Update(b.Context(), id, func(ctx context.Context, r payment.Record) (payment.Record, error) {
					r, _ = next(ctx, r)
					return r, store.Payments().Put(ctx, message(id))
				}))
				list, err := store.Outbox().Lease(b.Context(), 1, time.Minute)
				must(b, err)
				must(b, store.Outbox().Finish(b.Context(), list[0], acknowledged))
			}
		})
	}
}
