package sqltest_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/alipayplustest"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/sqlstore"
	"github.com/alipayplus-mpp/alipayplus-go/internal/sqltest"
)

// long also runs what takes minutes.
var long = os.Getenv("ALIPAYPLUS_LONG") != ""

// world is what survives a crash: the database with the money, and Alipay+.
type world struct {
	t       *testing.T
	d       *sqltest.Database
	bank    *sqltest.Bank
	remote  bool
	gateway *alipayplustest.Gateway

	mu        sync.Mutex
	told      map[string][]alipayplus.Result // what notifyPayment said, by payment
	cancelled map[string]bool                // cancelPayment was answered S
	refunded  map[string]int64               // refunds that were answered S, by payment
}

func newWorld(t *testing.T, d *sqltest.Database, remote bool) *world {
	d.Store(t)
	w := &world{t: t, d: d, bank: d.Bank(t), remote: remote, gateway: alipayplustest.New(t),
		told: map[string][]alipayplus.Result{}, cancelled: map[string]bool{}, refunded: map[string]int64{}}
	alipayplustest.Answer(w.gateway, payment.NotifyPayment,
		func(_ context.Context, r *payment.NotifyPaymentRequest) (*payment.NotifyPaymentResponse, error) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.told[r.PaymentRequestID] = append(w.told[r.PaymentRequestID], r.PaymentResult)
			return &payment.NotifyPaymentResponse{}, nil
		})
	return w
}

// backend is one process of the wallet.
type backend struct {
	*payment.Service
	w     *world
	d     *sqltest.Database
	relay *alipayplus.Relay
	step  func(do func() error) error // what it does elsewhere than in the database
}

func (w *world) backend(d *sqltest.Database, step func(do func() error) error) *backend {
	w.t.Helper()
	store := d.Store(w.t)
	b := &backend{w: w, d: d, step: step}
	cfg := payment.ServiceConfig{Records: store.Payments()}
	if bank := d.OpenBank(); w.remote {
		cfg.RemoteLedger = elsewhere{bank.Remote(w.d.Store(w.t)), step}
	} else {
		cfg.Ledger = store.Ledger(bank)
	}
	var err error
	b.Service, err = payment.NewService(cfg)
	must(w.t, err)
	config := w.gateway.Config()
	config.Transport = sending{w.gateway, step}
	client, err := alipayplus.NewClient(config)
	must(w.t, err)
	b.relay, err = alipayplus.NewRelay(alipayplus.RelayConfig{Client: client, Queue: store.Outbox(), Poll: 10 * time.Millisecond})
	must(w.t, err)
	return b
}

// elsewhere is a remote ledger, each call of which is a step.
type elsewhere struct {
	sqltest.RemoteBank
	step func(func() error) error
}

func (l elsewhere) Debit(ctx context.Context, r payment.Record, d payment.Debit) (at time.Time, err error) {
	err = l.step(func() error { at, err = l.RemoteBank.Debit(ctx, r, d); return err })
	return at, err
}

func (l elsewhere) Void(ctx context.Context, r payment.Record, v payment.Void) (at time.Time, err error) {
	err = l.step(func() error { at, err = l.RemoteBank.Void(ctx, r, v); return err })
	return at, err
}

func (l elsewhere) Credit(ctx context.Context, r payment.Record, c payment.Credit) error {
	return l.step(func() error { return l.RemoteBank.Credit(ctx, r, c) })
}

// sending is a transport, each request of which is a step.
type sending struct {
	http.RoundTripper
	step func(func() error) error
}

func (s sending) RoundTrip(r *http.Request) (answer *http.Response, err error) {
	err = s.step(func() error { answer, err = s.RoundTripper.RoundTrip(r); return err })
	if err != nil {
		return nil, err
	}
	return answer, nil
}

// quiet reports whether nothing is on its way: no message waits, and no payment
// is due but for its expiry.
func (w *world) quiet() bool {
	return w.d.Int(w.t, `SELECT (SELECT count(*) FROM alipayplus_outbox WHERE state = 0)
		+ (SELECT count(*) FROM alipayplus_payment WHERE next_at IS NOT NULL AND state NOT IN ('open', 'verifying'))`) == 0
}

// pass lets the time of leases and back-offs pass.
func (w *world) pass() {
	minute := w.d.Pick(`interval '1 minute'`, `INTERVAL 1 MINUTE`, `60000`)
	now := w.d.Pick(`statement_timestamp()`, `UTC_TIMESTAMP(6)`, `unixepoch() * 1000`)
	w.d.Exec(w.t, `UPDATE alipayplus_outbox SET due_at = `+now+` - `+minute+` WHERE due_at > `+now)
	w.d.Exec(w.t, `UPDATE alipayplus_payment SET next_at = `+now+` - `+minute+` WHERE next_at > `+now+` AND state NOT IN ('open', 'verifying')`)
}

// works lets Run and the Relay work until all is quiet, at most for d.
func (b *backend) works(d time.Duration) bool {
	ctx, stop := context.WithTimeout(b.w.t.Context(), d)
	defer stop()
	var running sync.WaitGroup
	running.Go(func() { _ = b.Run(ctx) })
	running.Go(func() { _ = b.relay.Run(ctx) })
	quiet := false
	for ; ctx.Err() == nil && !quiet; time.Sleep(2 * time.Millisecond) {
		quiet = b.w.quiet()
	}
	stop()
	running.Wait()
	return quiet
}

func (b *backend) open(id string, minor int64, oneClick bool) error {
	terms := payment.Terms{
		PaymentRequestID: id, CustomerID: id, CodeValueDigest: "digest",
		Amounts: payment.Amounts{
			PaymentAmount: alipayplus.Amount{Currency: "JPY", Minor: minor / 10},
			PayToAmount:   alipayplus.Amount{Currency: sqltest.Currency, Minor: minor},
		},
	}
	if oneClick {
		terms.CodeValueDigest = ""
	}
	_, err := b.Open(b.w.t.Context(), payment.Opened{Terms: terms})
	return err
}

func (b *backend) confirm(id string) error {
	r, err := b.Find(b.w.t.Context(), id)
	if err != nil || r.State == "" {
		return err
	}
	_, err = b.Confirm(b.w.t.Context(), payment.Confirmation{PaymentRequestID: id, CustomerID: id, Shown: r.Amounts.Debit()})
	return err
}

// errUnknown: Alipay+ got no final answer and asks again.
var errUnknown = errors.New("U")

func (b *backend) cancel(id string) error {
	r, err := b.On(b.w.t.Context(), id, payment.Cancelled{At: time.Now()})
	if _, refused := alipayplus.RefusalOf(err); refused {
		return nil
	}
	if err != nil || r.CancelAnswer().Result.Status != alipayplus.StatusSucceeded {
		return errors.Join(errUnknown, err)
	}
	b.w.mu.Lock()
	defer b.w.mu.Unlock()
	b.w.cancelled[id] = true
	return nil
}

func (b *backend) refund(id string, n int, minor int64) error {
	refund := fmt.Sprintf("%s-r%d", id, n)
	r, err := b.On(b.w.t.Context(), id, payment.Refunded{
		Request: payment.RefundRequest{
			PaymentRequestID: id, RefundRequestID: refund,
			RefundAmount:     alipayplus.Amount{Currency: "JPY", Minor: minor / 10},
			RefundFromAmount: alipayplus.Amount{Currency: sqltest.Currency, Minor: minor},
		},
		RefundID: "W" + refund, At: time.Now(),
	})
	if _, refused := alipayplus.RefusalOf(err); refused {
		return nil
	}
	if err != nil || r.RefundAnswer(refund).Result.Status != alipayplus.StatusSucceeded {
		return errors.Join(errUnknown, err)
	}
	return nil
}

// lives are what may happen to a payment of a customer who has 1000.
var lives = []struct {
	name  string
	calls []func(b *backend, id string) error
	state payment.State
}{
	{"pay", []func(*backend, string) error{
		func(b *backend, id string) error { return b.open(id, 300, false) }, (*backend).confirm,
	}, payment.StatePaid},
	{"refuse", []func(*backend, string) error{
		func(b *backend, id string) error { return b.open(id, 3000, true) }, (*backend).confirm,
	}, payment.StateFailed},
	{"refund, cancel", []func(*backend, string) error{
		func(b *backend, id string) error { return b.open(id, 300, false) }, (*backend).confirm,
		func(b *backend, id string) error { return b.refund(id, 1, 100) }, (*backend).cancel,
	}, payment.StateClosed},
	{"cancel first", []func(*backend, string) error{
		(*backend).cancel, func(b *backend, id string) error { return b.open(id, 300, false) }, (*backend).confirm,
	}, payment.StateClosed},
}

// breaks are what may happen at a call to the database; elsewhere, whatever is
// no death is an error before or after.
var breaks = []struct {
	name       string
	dies       bool
	fault, end func(d sqlstore.Dialect) sqltest.Fault
}{
	{name: "it dies before", dies: true},
	{name: "it dies after", dies: true, fault: func(sqlstore.Dialect) sqltest.Fault {
		return sqltest.Fault{Err: sqltest.ErrCut, After: true, Cut: true}
	}},
	{name: "fails", fault: func(sqlstore.Dialect) sqltest.Fault { return sqltest.Fault{Err: errors.New("it failed")} }},
	{name: "the connection breaks before", fault: func(sqlstore.Dialect) sqltest.Fault { return sqltest.Fault{Err: sqltest.ErrCut, Cut: true} }},
	{name: "the answer is lost", fault: func(sqlstore.Dialect) sqltest.Fault {
		return sqltest.Fault{Err: sqltest.ErrCut, After: true, Cut: true}
	}},
	{name: "a conflict", fault: func(d sqlstore.Dialect) sqltest.Fault { return sqltest.Fault{Err: sqltest.Conflict(d)} }},
}

// script breaks one step of a process: a call to its database, to the remote
// ledger or to Alipay+.
type script struct {
	mu    sync.Mutex
	d     sqlstore.Dialect
	at    int // the step that breaks, from 1
	how   int // in breaks
	steps int
	dead  bool
	met   string
}

func (s *script) call(c sqltest.Call) sqltest.Fault { return s.next(c.Text) }

func (s *script) next(what string) sqltest.Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	dead := sqltest.Fault{Err: sqltest.ErrCut, Cut: true}
	if s.dead {
		return dead
	}
	if s.steps++; s.steps != s.at {
		return sqltest.Fault{}
	}
	how := breaks[s.how]
	s.met, s.dead = what, how.dies
	if how.fault == nil {
		return dead
	}
	return how.fault(s.d)
}

func (s *script) step(do func() error) error {
	fault := s.next("a call elsewhere")
	if fault.Err == nil {
		return do()
	}
	if fault.After {
		_ = do()
	}
	return fault.Err
}

func (s *script) over() (dead bool, met string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.dead, s.met
}

// Whatever breaks, at whatever step: another process brings every payment to
// its end, no money is lost or moved twice, and Alipay+ knows what the wallet
// knows.
func TestCrashes(t *testing.T) {
	for _, kind := range sqltest.Kinds {
		for _, remote := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, remote=%t", kind.Name, remote), func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, kind.Open(t), remote)
				second := w.backend(w.d.Second(t), func(do func() error) error { return do() })
				first := w.d.Second(t)
				crashes := 0
				for n, life := range lives {
					for at, hit := 1, true; hit; at++ {
						hit = false
						for how := range breaks {
							if !long && (at+how+n)%3 != 0 {
								hit = hit || at < 8
								continue
							}
							id := fmt.Sprintf("%s/%d/%d", life.name, at, how)
							must(t, w.bank.Deposit(t.Context(), id, 1000))
							s := &script{d: w.d.Dialect, at: at, how: how}
							process := w.backend(first, s.step)
							first.Watch.Reset(s.call)
							for _, call := range life.calls {
								if dead, _ := s.over(); !dead {
									_ = call(process, id)
								}
							}
							if dead, _ := s.over(); !dead {
								process.works(100 * time.Millisecond)
							}
							first.Watch.Reset(nil)
							if _, met := s.over(); met != "" {
								hit = true
								crashes++
							} else if r := find(t, w.d.Store(t).Payments(), id); r.State != life.state {
								t.Errorf("%s: without a fault it is %s", id, r.State)
							}
							// Alipay+ asks again until it gets an answer, the user once.
							for _, call := range life.calls {
								for tries := 0; errors.Is(call(second, id), errUnknown); tries++ {
									if tries == 20 {
										t.Fatalf("%s: Alipay+ gets no final answer", id)
									}
									w.pass()
									second.works(time.Second)
								}
							}
							for tries := 0; !w.quiet(); tries++ {
								if tries == 20 {
									t.Fatalf("%s, step %d, %s: it is not quiet", id, at, breaks[how].name)
								}
								w.pass()
								second.works(time.Second)
							}
							w.audit(id)
							if t.Failed() {
								_, met := s.over()
								t.Fatalf("%s at step %d: %s", breaks[how].name, at, met)
							}
						}
					}
				}
				w.auditTotal()
				t.Logf("%d crashes", crashes)
			})
		}
	}
}

// book returns what the ledger did for the customer of one payment: the sum,
// the debits that were not given back, and the keys.
func (w *world) book(id string) (net int64, debits int, keys []string) {
	w.t.Helper()
	rows, err := w.d.DB.QueryContext(w.t.Context(), w.d.Text(`SELECT entry_key, minor FROM entry WHERE customer = ?1 AND minor <> 0`), id)
	must(w.t, err)
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var key string
		var minor int64
		must(w.t, rows.Scan(&key, &minor))
		keys = append(keys, key)
		net += minor
		switch {
		case strings.HasPrefix(key, "debit/"):
			debits++
		case strings.HasPrefix(key, "reverse/"):
			debits--
		}
	}
	must(w.t, rows.Err())
	return net, debits, keys
}

// audit compares the books of one payment, when all is quiet.
func (w *world) audit(id string) {
	w.t.Helper()
	r := find(w.t, w.d.Store(w.t).Payments(), id)
	net, debits, keys := w.book(id)
	balance, err := w.bank.Balance(w.t.Context(), id)
	must(w.t, err)
	want, most := int64(0), 0
	if r.State == payment.StatePaid || r.State == payment.StateClosed && !time.Time.IsZero(timeOf(r.PaidTime)) {
		most = 1
	}
	if r.State == payment.StatePaid {
		want = -r.Amounts.Debit().Minor
		for _, refund := range r.Refunds {
			want += refund.RefundFromAmount.Minor - refund.Cut.Minor
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	told := w.told[id]
	_, notified := r.Notification()
	result := r.InquiryAnswer().PaymentResult
	switch {
	case net != want, balance != 1000+net, debits > most, r.State == payment.StatePaid && debits != 1:
		w.t.Errorf("%s: %s, entries %v, their sum is %d, want %d; the balance is %d", id, r.State, keys, net, want, balance)
	case len(r.Due()) > 0 || r.Missed:
		w.t.Errorf("%s: %s, due %v", id, r.State, r.Due())
	case w.cancelled[id] && r.State != payment.StateClosed && r.State != payment.StateFailed:
		w.t.Errorf("%s: it is %s, and its cancellation was answered S", id, r.State)
	case len(told) > 1:
		w.t.Errorf("%s: Alipay+ was told %v", id, told)
	case notified && (len(told) != 1 || told[0] != result):
		w.t.Errorf("%s: %s, Alipay+ was told %v, inquiry says %v", id, r.State, told, result)
	}
}

func timeOf(t alipayplus.Time) time.Time {
	at, _ := t.Time()
	return at
}

// auditTotal compares the sums of the ledger.
func (w *world) auditTotal() {
	w.t.Helper()
	balances := w.d.Int(w.t, `SELECT coalesce(sum(balance), 0) FROM account`)
	deposits := w.d.Int(w.t, `SELECT count(*) FROM account`) * 1000
	entries := w.d.Int(w.t, `SELECT coalesce(sum(minor), 0) FROM entry`)
	if balances != deposits+entries {
		w.t.Errorf("deposits of %d and entries of %d make balances of %d", deposits, entries, balances)
	}
}
