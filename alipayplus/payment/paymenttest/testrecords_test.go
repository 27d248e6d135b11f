package paymenttest_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment/paymenttest"
	"github.com/alipayplus-mpp/alipayplus-go/internal/testkit"
)

// recordMistakes are what an author of Records gets wrong, each once.
// TestRecords must fail for every one of them.
var recordMistakes = []string{
	"forgets the id of a payment that is not there",
	"forgets the message to Alipay+",
	"cuts texts at NUL",
	"stores a record of the same version",
	"wraps the error",
	"hides the error",
	"commits after an error",
	"commits messages after an error",
	"commits after a panic",
	"hides a panic",
	"is always joined",
	"is never joined",
	"is joined after the end",
	"forgets that a joined Update failed",
	"ignores the case of ids",
	"trims ids",
	"cuts ids at NUL",
	"loses updates that meet",
	"loses updates of new payments that meet",
	"ignores refund ids",
	"refuses a second refund of a payment",
	"ignores the case of refund ids",
	"has an error of its own for refund ids",
	"leases what is not due",
	"leases what is closed",
	"forgets what is due at once",
	"leases more than it was asked for",
	"leases the youngest first",
	"leases twice",
	"never ends a lease",
	"counts a lease as a change",
	"keeps the lease after an Update",
}

type soundRow struct {
	record payment.Record
	next   time.Time
}

// soundRecords are Records in an alipayplus.Memory, with a place for each
// mistake.
type soundRecords struct {
	*alipayplus.Memory
	mistake string

	mu      sync.Mutex
	rows    map[string]soundRow
	refunds map[string]string
}

func newSound(mistake string) *soundRecords {
	return &soundRecords{Memory: alipayplus.NewMemory(), mistake: mistake, rows: map[string]soundRow{}, refunds: map[string]string{}}
}

func (s *soundRecords) is(mistake string) bool { return s.mistake == mistake }

func (s *soundRecords) name(id string) string {
	switch s.mistake {
	case "ignores the case of ids":
		return strings.ToLower(id)
	case "trims ids":
		return strings.TrimSpace(id)
	case "cuts ids at NUL":
		id, _, _ = strings.Cut(id, "\x00")
	}
	return id
}

func (s *soundRecords) get(id string) payment.Record {
	s.mu.Lock()
	defer s.mu.Unlock()
	row, ok := s.rows[s.name(id)]
	if !ok && !s.is("forgets the id of a payment that is not there") {
		row.record.PaymentRequestID = id
	}
	return row.record
}

// set stores r until the transaction of ctx is undone.
func (s *soundRecords) set(ctx context.Context, r payment.Record) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	rows, refunds := maps.Clone(s.rows), maps.Clone(s.refunds)
	s.OnRollback(ctx, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.rows, s.refunds = rows, refunds
	})
	for i, e := range r.Refunds {
		id := e.RefundRequestID
		if s.is("ignores the case of refund ids") {
			id = strings.ToLower(id)
		}
		owner, taken := s.refunds[id]
		switch {
		case s.is("ignores refund ids"):
		case taken && owner != r.PaymentRequestID && s.is("has an error of its own for refund ids"):
			return errors.New("the refund is known")
		case taken && owner != r.PaymentRequestID, i > 0 && s.is("refuses a second refund of a payment"):
			return payment.ErrInconsistent
		}
		s.refunds[id] = r.PaymentRequestID
	}
	next := r.NextTime()
	switch {
	case s.is("leases what is closed") && next.IsZero():
		next, _ = r.ExpiryTime.Time()
	case s.is("forgets what is due at once") && next.Unix() == 0:
		next = time.Time{}
	case s.is("keeps the lease after an Update") && s.rows[s.name(r.PaymentRequestID)].next.After(time.Now()):
		next = s.rows[s.name(r.PaymentRequestID)].next
	case s.is("forgets the message to Alipay+"):
		r.Notice = alipayplus.Message{}
	case s.is("cuts texts at NUL"):
		r.Order.OrderDescription, _, _ = strings.Cut(r.Order.OrderDescription, "\x00")
	}
	s.rows[s.name(r.PaymentRequestID)] = soundRow{r, next}
	return nil
}

type inside struct{}

func (s *soundRecords) Joined(ctx context.Context) bool {
	if s.is("is joined after the end") {
		return ctx.Value(inside{}) != nil
	}
	return !s.is("is never joined") && (s.is("is always joined") || s.Memory.Joined(ctx))
}

func (s *soundRecords) Find(_ context.Context, id string) (payment.Record, error) {
	return s.get(id), nil
}

func (s *soundRecords) Update(ctx context.Context, id string, change func(context.Context, payment.Record) (payment.Record, error)) (err error) {
	var failed error
	var before, stale payment.Record
	if stale = s.get(id); s.is("loses updates that meet") || s.is("loses updates of new payments that meet") && stale.Version == 0 {
		time.Sleep(20 * time.Millisecond) // so that they meet
	}
	err = s.InTx(ctx, func(ctx context.Context) (err error) {
		if before = s.get(id); s.is("loses updates that meet") || s.is("loses updates of new payments that meet") && stale.Version == 0 {
			before = stale
		}
		if s.is("commits after a panic") || s.is("hides a panic") {
			defer func() {
				if p := recover(); p != nil {
					if s.is("hides a panic") {
						err = errors.New("a panic")
						return
					}
					failed = errors.New("a panic")
				}
			}()
		}
		after, err := change(context.WithValue(ctx, inside{}, true), before)
		if err != nil {
			failed = err
			switch {
			case s.is("commits after an error"):
				return s.set(ctx, after)
			case s.is("commits messages after an error"), s.is("hides the error"),
				s.is("forgets that a joined Update failed") && ctx.Value(inside{}) != nil:
				return nil
			}
			return err
		}
		if after.Version == before.Version && !s.is("stores a record of the same version") {
			return nil
		}
		return s.set(ctx, after)
	})
	switch {
	case s.is("hides the error"):
		return nil
	case s.is("commits after a panic") && failed != nil && err == nil:
		panic(failed)
	case failed != nil && s.is("wraps the error"):
		return fmt.Errorf("update: %w", failed)
	case failed != nil:
		return failed
	}
	return err
}

func (s *soundRecords) Lease(ctx context.Context, n int, d time.Duration) (ids []string, err error) {
	return ids, s.InTx(ctx, func(context.Context) error {
		s.mu.Lock()
		defer s.mu.Unlock()
		now := time.Now()
		var due []string
		for id, row := range s.rows {
			if !row.next.IsZero() && (!row.next.After(now) || s.is("leases what is not due")) {
				due = append(due, id)
			}
		}
		slices.SortFunc(due, func(a, b string) int { return s.rows[a].next.Compare(s.rows[b].next) })
		if s.is("leases the youngest first") {
			slices.Reverse(due)
		}
		if len(due) > n && !s.is("leases more than it was asked for") {
			due = due[:n]
		}
		for _, id := range due {
			row := s.rows[id]
			switch {
			case s.is("leases twice"):
			case s.is("never ends a lease"):
				row.next = now.Add(time.Hour)
			default:
				row.next = now.Add(d)
			}
			if s.is("counts a lease as a change") {
				row.record.Version++
			}
			s.rows[id] = row
			ids = append(ids, row.record.PaymentRequestID)
		}
		return nil
	})
}

func recordsContract(t *testing.T, mistake string) {
	paymenttest.TestRecords(t, func(*testing.T) (payment.Records, alipayplus.Queue) {
		s := newSound(mistake)
		return s, s.Memory
	})
}

// Records without a mistake pass.
func TestSoundRecords(t *testing.T) { recordsContract(t, "") }

// TestRecords finds every mistake.
func TestRecordsFindsMistakes(t *testing.T) {
	testkit.FindsMistakes(t, recordMistakes, recordsContract)
}
