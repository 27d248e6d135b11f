package sqltest_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
	"github.com/alipayplus-mpp/alipayplus-go/internal/sqltest"
)

// race is something that two processes do with one payment at the same time.
type race struct {
	name string
	// start is before, run is each process's part, end what must be then.
	start func(b *backend, id string) error
	run   [2]func(b *backend, id string) error
	end   func(w *world, r payment.Record, net int64, debits int) bool
}

func opens(b *backend, id string) error { return b.open(id, 300, false) }

func pays(b *backend, id string) error {
	if err := opens(b, id); err != nil {
		return err
	}
	return b.confirm(id)
}

var races = []race{
	{"open and confirm twice", func(*backend, string) error { return nil },
		[2]func(*backend, string) error{pays, pays},
		func(_ *world, r payment.Record, net int64, debits int) bool {
			return r.State == payment.StatePaid && net == -300 && debits == 1
		}},
	{"confirm twice", opens, [2]func(*backend, string) error{(*backend).confirm, (*backend).confirm},
		func(_ *world, r payment.Record, net int64, debits int) bool {
			return r.State == payment.StatePaid && net == -300 && debits == 1
		}},
	{"cancel against debit", opens, [2]func(*backend, string) error{(*backend).confirm, (*backend).cancel},
		func(_ *world, r payment.Record, net int64, debits int) bool {
			return r.State == payment.StateClosed && net == 0 && debits <= 1
		}},
	{"refund against cancel", pays,
		[2]func(*backend, string) error{func(b *backend, id string) error { return b.refund(id, 1, 100) }, (*backend).cancel},
		func(_ *world, r payment.Record, net int64, debits int) bool {
			return r.State == payment.StateClosed && net == 0 && debits == 1
		}},
	{"one refund twice", pays,
		[2]func(*backend, string) error{
			func(b *backend, id string) error { return b.refund(id, 1, 100) },
			func(b *backend, id string) error { return b.refund(id, 1, 100) },
		},
		func(_ *world, r payment.Record, net int64, debits int) bool {
			return r.State == payment.StatePaid && net == -200 && debits == 1 && len(r.Refunds) == 1
		}},
	{"guesses of a PIN", func(b *backend, id string) error {
		amount := alipayplus.Amount{Currency: sqltest.Currency, Minor: 300}
		_, err := b.Open(b.w.t.Context(), payment.Opened{Terms: payment.Terms{
			PaymentRequestID: id, CustomerID: id, Amounts: payment.Amounts{PaymentAmount: amount, PayToAmount: amount},
			Verification: payment.Verification{URL: alipayplus.Conceal("https://wallet.example/verify"), Tries: 3, Resends: 1},
		}})
		return err
	}, [2]func(*backend, string) error{guess, guess},
		func(w *world, r payment.Record, net int64, debits int) bool {
			w.mu.Lock()
			defer w.mu.Unlock()
			return len(r.Tried) == 3 && w.refunded[r.PaymentRequestID] == 3 && net == 0
		}},
}

// guess tries four PINs at once. It counts in refunded how many may be
// compared.
func guess(b *backend, id string) error {
	var all sync.WaitGroup
	errs := make([]error, 4)
	for i := range errs {
		all.Go(func() {
			_, err := b.On(b.w.t.Context(), id, payment.VerificationTried{At: time.Now()})
			switch {
			case err == nil:
				b.w.mu.Lock()
				defer b.w.mu.Unlock()
				b.w.refunded[id]++
			case !errors.Is(err, payment.ErrTries):
				errs[i] = err
			}
		})
	}
	all.Wait()
	return errors.Join(errs...)
}

// Two processes do something with one payment at the same time: one wins, and
// nobody gets an error of the database.
func TestRaces(t *testing.T) {
	for _, kind := range sqltest.Kinds {
		t.Run(kind.Name, func(t *testing.T) {
			n := 30
			if long {
				n = 170 // 1,000 in all
				if kind.Name == "PostgreSQL" {
					n = 1700
				}
			}
			d := kind.Open(t)
			w := newWorld(t, d, false)
			direct := func(do func() error) error { return do() }
			processes := []*backend{w.backend(d.Second(t), direct), w.backend(d.Second(t), direct)}
			for _, race := range races {
				for i := range n {
					id := fmt.Sprintf("%s %d", race.name, i)
					must(t, w.bank.Deposit(t.Context(), id, 1000))
					must(t, race.start(processes[0], id))
					var both sync.WaitGroup
					for p, run := range race.run {
						both.Go(func() {
							if err := run(processes[(p+i)%2], id); err != nil {
								t.Errorf("%s: %v", id, err)
							}
						})
					}
					both.Wait()
					r := find(t, d.Store(t).Payments(), id)
					if net, debits, keys := w.book(id); !race.end(w, r, net, debits) {
						t.Errorf("%s: %s, net %d, entries %v", id, r.State, net, keys)
					}
				}
			}
			w.auditTotal()
			t.Logf("%d races", n*len(races))
		})
	}
}

// 64 writers of one payment in two processes: none loses, and none gets an
// error.
func TestOnePayment(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, d *sqltest.Database) {
		stores := []payment.Records{d.Store(t).Payments(), d.Second(t).Store(t).Payments()}
		var writers sync.WaitGroup
		for i := range 64 {
			writers.Go(func() {
				if err := stores[i%2].Update(t.Context(), "P1", next); err != nil {
					t.Error(err)
				}
			})
		}
		writers.Wait()
		if r := find(t, stores[0], "P1"); r.Version != 64 {
			t.Errorf("%d of 64 updates", r.Version)
		}
	})
}

// Purge beside the load of a wallet: the payments get no error, and what it
// deletes is old.
func TestPurgeUnderLoad(t *testing.T) {
	old, each := 2000, 100
	if long {
		old, each = 100_000, 1000
	}
	sqltest.Each(t, func(t *testing.T, d *sqltest.Database) {
		w := newWorld(t, d, false)
		b := w.backend(d.Second(t), func(do func() error) error { return do() })
		fill(t, d, old)
		age(t, d, "alipayplus_payment", "updated_at", 401)
		age(t, d, "alipayplus_outbox", "ended_at", 31)
		age(t, d, "alipayplus_idempotency", "began_at", 401)
		var paid atomic.Int64
		load := func() (slowest time.Duration) {
			var mu sync.Mutex
			var took []time.Duration
			var users sync.WaitGroup
			for range 4 {
				users.Go(func() {
					for range each {
						id := fmt.Sprint("new ", paid.Add(1))
						if err := w.bank.Deposit(t.Context(), id, 1000); err != nil {
							t.Error(err)
						}
						start := time.Now()
						if err := pays(b, id); err != nil {
							t.Errorf("%s: %v", id, err)
						}
						mu.Lock()
						took = append(took, time.Since(start))
						mu.Unlock()
					}
				})
			}
			users.Wait()
			slices.Sort(took)
			return took[len(took)*99/100]
		}
		if long {
			load() // the first one meets a cold cache, and would flatter what comes later
		}
		alone := load()
		ctx, stop := context.WithCancel(t.Context())
		deleted := 0
		var purging sync.WaitGroup
		purging.Go(func() {
			purger := d.Second(t).Store(t)
			for ctx.Err() == nil || deleted < 4*old {
				time.Sleep(20 * time.Millisecond)
				n, err := purger.Purge(t.Context(), 200)
				if err != nil || n > 200 {
					t.Errorf("Purge deletes %d: %v", n, err)
					return
				}
				if deleted += n; n == 0 {
					return
				}
			}
		})
		beside := load()
		stop()
		purging.Wait()
		t.Logf("%d rows are deleted; the 99th percentile of a payment is %v alone and %v beside Purge, %.1f times", deleted, alone.Round(100*time.Microsecond), beside.Round(100*time.Microsecond), float64(beside)/float64(alone))
		if deleted != 4*old {
			t.Errorf("%d rows are deleted, want %d", deleted, 4*old)
		}
		if n := d.Int(t, `SELECT count(*) FROM alipayplus_payment WHERE state = 'paid'`); n != paid.Load() {
			t.Errorf("%d payments are left of %d that were just made", n, paid.Load())
		}
	})
}
