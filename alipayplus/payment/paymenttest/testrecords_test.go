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
	"forgets when something is due again",
	"forgets that the payment is being cancelled",
	"forgets the consent",
	"forgets that OnChange missed a change",
	"forgets where to send the notification",
	"keeps amounts as floats",
	"keeps milliseconds",
	"cuts records at 64 KiB",
	"has no characters beyond the first plane",
	"has no characters beyond the first plane in ids",
	"cuts ids",
	"gives its own slices away",
	"keeps the caller's slices",
	"takes an error for a payment that is not there",
	"changes the zero record when it cannot read",
	"says that an Update is done that failed",
	"ignores the error of the commit",
	"updates what was committed before, in a transaction",
	"finds what was committed before, in a transaction",
	"keeps the messages of a run that was undone",
	"forgets that a joined Update panicked",
	"withdraws outside of the transaction",
	"keeps the refund ids of what was undone",
	"takes the first refund id only",
	"takes refund ids when the payment is new only",
	"commits messages after a refund of another payment",
	"schedules outside of the transaction",
	"ends the lease at an Update that changes nothing",
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

	withdrawn []string // outside of the transaction

	mu      sync.Mutex
	rows    map[string]soundRow
	refunds map[string]string
	taken   map[string]string // refunds that were ever taken
}

func newSound(mistake string) *soundRecords {
	return &soundRecords{Memory: alipayplus.NewMemory(), mistake: mistake, rows: map[string]soundRow{}, refunds: map[string]string{}, taken: map[string]string{}}
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
	case "cuts ids":
		id = id[:min(len(id), 63)]
	case "has no characters beyond the first plane in ids":
		id = firstPlane(id)
	}
	return id
}

// firstPlane replaces the characters that need four bytes.
func firstPlane(text string) string {
	return strings.Map(func(r rune) rune {
		if r > 0xffff {
			return '?'
		}
		return r
	}, text)
}

// clone shares no memory with r.
func clone(r payment.Record) payment.Record {
	r.Tried, r.Attempts = slices.Clone(r.Tried), slices.Clone(r.Attempts)
	r.Credits, r.Refunds = slices.Clone(r.Credits), slices.Clone(r.Refunds)
	return r
}

func (s *soundRecords) get(id string) payment.Record {
	s.mu.Lock()
	defer s.mu.Unlock()
	row, ok := s.rows[s.name(id)]
	if !ok && !s.is("forgets the id of a payment that is not there") {
		row.record.PaymentRequestID = id
	}
	if s.is("gives its own slices away") {
		return row.record
	}
	return clone(row.record)
}

// set stores r until the transaction of ctx is undone.
func (s *soundRecords) set(ctx context.Context, r payment.Record) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	rows, refunds := maps.Clone(s.rows), maps.Clone(s.refunds)
	s.OnRollback(ctx, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		now := s.rows
		s.rows, s.refunds = rows, refunds
		if s.is("keeps the refund ids of what was undone") {
			s.refunds = s.taken
		}
		if row, ok := rows[s.name(r.PaymentRequestID)]; ok && s.is("schedules outside of the transaction") {
			row.next = now[s.name(r.PaymentRequestID)].next
			rows[s.name(r.PaymentRequestID)] = row
		}
	})
	before := s.rows[s.name(r.PaymentRequestID)].record
	for i, e := range r.Refunds {
		id := e.RefundRequestID
		if s.is("ignores the case of refund ids") {
			id = strings.ToLower(id)
		}
		owner, taken := s.refunds[id]
		switch {
		case s.is("ignores refund ids"):
		case i > 0 && s.is("takes the first refund id only"), before.Version > 0 && s.is("takes refund ids when the payment is new only"):
			continue
		case taken && owner != r.PaymentRequestID && s.is("has an error of its own for refund ids"):
			return errors.New("the refund is known")
		case taken && owner != r.PaymentRequestID, i > 0 && s.is("refuses a second refund of a payment"):
			return payment.ErrInconsistent
		}
		s.refunds[id] = r.PaymentRequestID
		s.taken[id] = r.PaymentRequestID
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
	switch s.mistake {
	case "forgets when something is due again":
		r.Resume = payment.Resume{}
	case "forgets that the payment is being cancelled":
		r.Cancelling = false
	case "forgets the consent":
		r.Consented = false
	case "forgets that OnChange missed a change":
		r.Missed = false
	case "forgets where to send the notification":
		r.NotifyURL = ""
	case "keeps amounts as floats":
		r.Amounts.PaymentAmount.Minor = int64(float64(r.Amounts.PaymentAmount.Minor))
	case "keeps milliseconds":
		r.Resume.At = r.Resume.At.Truncate(time.Millisecond)
	case "cuts records at 64 KiB":
		r.Refunds = r.Refunds[:min(len(r.Refunds), 200)]
	case "has no characters beyond the first plane":
		r.Order.OrderDescription = firstPlane(r.Order.OrderDescription)
	}
	if !s.is("keeps the caller's slices") {
		r = clone(r)
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

func (s *soundRecords) Find(ctx context.Context, id string) (payment.Record, error) {
	if ctx.Err() != nil {
		if s.is("takes an error for a payment that is not there") {
			return payment.Record{Terms: payment.Terms{PaymentRequestID: id}}, nil
		}
		return payment.Record{}, ctx.Err()
	}
	if seen, ok := ctx.Value(seen{}).(map[string]soundRow); ok && s.is("finds what was committed before, in a transaction") {
		return seen[id].record, nil
	}
	return s.get(id), nil
}

// seen is what was committed before the transaction of a context.
type seen struct{}

// late are messages of a run of change, which are put after it.
type late struct{}

func (s *soundRecords) Put(ctx context.Context, m alipayplus.Message) error {
	if list, ok := ctx.Value(late{}).(*[]alipayplus.Message); ok {
		*list = append(*list, m)
		return nil
	}
	return s.Memory.Put(ctx, m)
}

func (s *soundRecords) Withdraw(ctx context.Context, operation, key string) error {
	if list, ok := ctx.Value(late{}).(*[]alipayplus.Message); ok {
		*list = slices.DeleteFunc(*list, func(m alipayplus.Message) bool { return m.Key == key })
	}
	if ctx.Value(inside{}) != nil && s.is("withdraws outside of the transaction") {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.withdrawn = append(s.withdrawn, key)
		return nil
	}
	return s.Memory.Withdraw(ctx, operation, key)
}

var errMet = errors.New("somebody else was faster")

// rerun runs change again until nobody else changed the payment meanwhile. The
// messages are not in the transaction.
func (s *soundRecords) rerun(ctx context.Context, id string, change func(context.Context, payment.Record) (payment.Record, error)) error {
	for runs := 1; ; runs++ {
		stale := s.get(id)
		time.Sleep(5 * time.Millisecond) // so that they meet
		var list []alipayplus.Message
		err := s.update(context.WithValue(ctx, late{}, &list), id, func(ctx context.Context, r payment.Record) (payment.Record, error) {
			if runs > 2 { // enough of them were undone
				stale = r
			}
			after, err := change(ctx, stale)
			if err == nil && r.Version != stale.Version {
				err = errMet
			}
			return after, err
		})
		if err == nil || errors.Is(err, errMet) {
			for _, m := range list {
				if err := s.Memory.Put(ctx, m); err != nil {
					return err
				}
			}
		}
		if !errors.Is(err, errMet) {
			return err
		}
	}
}

func (s *soundRecords) Update(ctx context.Context, id string, change func(context.Context, payment.Record) (payment.Record, error)) error {
	switch {
	case ctx.Err() != nil && s.is("says that an Update is done that failed"):
		return nil
	case ctx.Err() != nil && s.is("changes the zero record when it cannot read"):
		_, err := change(ctx, payment.Record{Terms: payment.Terms{PaymentRequestID: id}})
		return errors.Join(err, ctx.Err())
	case ctx.Value(inside{}) == nil && s.is("keeps the messages of a run that was undone"):
		return s.rerun(ctx, id, change)
	}
	err := s.update(ctx, id, change)
	if ctx.Value(inside{}) == nil && s.is("withdraws outside of the transaction") {
		s.mu.Lock()
		keys := s.withdrawn
		s.withdrawn = nil
		s.mu.Unlock()
		for _, key := range keys {
			_ = s.Memory.Withdraw(ctx, "notifyPayment", key)
		}
	}
	return err
}

func (s *soundRecords) update(ctx context.Context, id string, change func(context.Context, payment.Record) (payment.Record, error)) (err error) {
	var failed error
	var again any
	var before, stale payment.Record
	if stale = s.get(id); s.is("loses updates that meet") || s.is("loses updates of new payments that meet") && stale.Version == 0 {
		time.Sleep(30 * time.Millisecond) // so that they meet
	}
	err = s.InTx(ctx, func(ctx context.Context) (err error) {
		if before = s.get(id); s.is("loses updates that meet") || s.is("loses updates of new payments that meet") && stale.Version == 0 {
			before = stale
		}
		if committed, ok := ctx.Value(seen{}).(map[string]soundRow); ok && s.is("updates what was committed before, in a transaction") {
			before = committed[id].record
			before.PaymentRequestID = id
		} else if !ok {
			s.mu.Lock()
			ctx = context.WithValue(ctx, seen{}, maps.Clone(s.rows))
			s.mu.Unlock()
		}
		if s.is("forgets that a joined Update panicked") && ctx.Value(inside{}) != nil {
			defer func() {
				if p := recover(); p != nil {
					again = p
				}
			}()
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
			if s.is("ends the lease at an Update that changes nothing") {
				return s.set(ctx, after)
			}
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err := s.set(ctx, after); err != nil {
			failed = err
			if s.is("commits messages after a refund of another payment") {
				return nil
			}
			return err
		}
		return nil
	})
	if again != nil {
		panic(again)
	}
	switch {
	case s.is("hides the error"), s.is("ignores the error of the commit") && ctx.Err() != nil:
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

func TestMemoryRecords(t *testing.T) {
	paymenttest.TestRecords(t, func(*testing.T) (payment.Records, alipayplus.Queue) {
		db := alipayplus.NewMemory()
		return payment.NewMemoryRecords(db), db
	})
}

// Records without a mistake pass.
func TestSoundRecords(t *testing.T) { recordsContract(t, "") }

// TestRecords finds every mistake.
func TestRecordsFindsMistakes(t *testing.T) {
	testkit.FindsMistakes(t, recordMistakes, recordsContract)
}
