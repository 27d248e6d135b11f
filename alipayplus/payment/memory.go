package payment

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/internal/undo"
)

// MemoryRecords are [Records] in an [alipayplus.Memory], for tests, examples
// and programs that may forget everything when they end.
type MemoryRecords struct {
	*alipayplus.Memory
	rows    map[string][]byte    // by paymentRequestId
	next    map[string]time.Time // of those that have one
	refunds map[string]string    // paymentRequestId by refundRequestId
}

var _ Records = (*MemoryRecords)(nil)

// NewMemoryRecords keeps payments in m, together with its outbox.
func NewMemoryRecords(m *alipayplus.Memory) *MemoryRecords {
	return &MemoryRecords{m, map[string][]byte{}, map[string]time.Time{}, map[string]string{}}
}

// Update implements Records.
func (m *MemoryRecords) Update(ctx context.Context, id string, change func(context.Context, Record) (Record, error)) error {
	return m.InTx(ctx, func(ctx context.Context) error {
		before, err := m.find(id)
		if err != nil {
			return err
		}
		after, err := change(ctx, before)
		if err != nil || after.Version == before.Version {
			return err
		}
		for _, refund := range after.Refunds[len(before.Refunds):] {
			if owner, taken := m.refunds[refund.RefundRequestID]; taken && owner != id {
				return ErrInconsistent
			}
		}
		row, err := after.MarshalBinary()
		if err != nil {
			return err
		}
		for _, refund := range after.Refunds[len(before.Refunds):] {
			undo.Set(ctx, m.Memory, m.refunds, refund.RefundRequestID, id)
		}
		undo.Set(ctx, m.Memory, m.rows, id, row)
		m.schedule(ctx, id, after.NextTime())
		return nil
	})
}

func (m *MemoryRecords) schedule(ctx context.Context, id string, at time.Time) {
	if at.IsZero() {
		undo.Delete(ctx, m.Memory, m.next, id)
	} else {
		undo.Set(ctx, m.Memory, m.next, id, at)
	}
}

func (m *MemoryRecords) find(id string) (r Record, err error) {
	row, ok := m.rows[id]
	if !ok {
		return Record{Terms: Terms{PaymentRequestID: id}}, nil
	}
	err = r.UnmarshalBinary(row)
	return r, err
}

// Find implements Records.
func (m *MemoryRecords) Find(ctx context.Context, id string) (r Record, err error) {
	err = m.InTx(ctx, func(context.Context) error {
		r, err = m.find(id)
		return err
	})
	return r, err
}

// Lease implements Records.
func (m *MemoryRecords) Lease(ctx context.Context, n int, d time.Duration) (ids []string, err error) {
	err = m.InTx(ctx, func(ctx context.Context) error {
		now := time.Now()
		for id, at := range m.next {
			if !at.After(now) {
				ids = append(ids, id)
			}
		}
		slices.SortFunc(ids, func(a, b string) int {
			return cmp.Or(m.next[a].Compare(m.next[b]), cmp.Compare(a, b))
		})
		ids = ids[:min(n, len(ids))]
		for _, id := range ids {
			m.schedule(ctx, id, now.Add(d))
		}
		return nil
	})
	return ids, err
}
