package easypay_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/alipayplustest"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment/paymenttest"
	"github.com/alipayplus-mpp/alipayplus-go/auth"
	"github.com/alipayplus-mpp/alipayplus-go/easypay"
	"github.com/alipayplus-mpp/alipayplus-go/internal/testkit"
)

const (
	payPath    = "/wallet/pay"
	loginID    = "852-90000000"
	accountID  = "account-1"
	customerID = "customer-1"
	pageURL    = "https://wallet.example/verify?session="

	// The customer's balance at the beginning, and the price of every payment.
	funds = 100_000
	price = 50
)

// long reports whether figures are to be shown in full.
func long() bool { return os.Getenv("ALIPAYPLUS_LONG") != "" }

// signer makes each signature of the wallet once: every story begins at the
// same virtual time, and all Gateways of a process have the same keys.
var signer struct {
	testkit.Once
	key sync.Once
}

// world is Alipay+, the user, and a wallet whose process can die. What a
// process holds besides the database is lost then.
type world struct {
	*testing.T
	gateway *alipayplustest.Gateway
	store   alipayplus.IdempotencyStore // of the handler: survives a crash, as the database does
	memory  *alipayplus.Memory
	records *payment.MemoryRecords
	bank    *paymenttest.Bank       // nil with a remote ledger
	remote  *paymenttest.RemoteBank // nil with a local one
	tokens  *tokens
	sealer  *alipayplus.Sealer
	mistake mistake
	log     bytes.Buffer
	latency time.Duration // of Account and of Tokens
	page    string        // of the last creation: its link

	*wallet // the process that runs

	mu       sync.Mutex
	problems []string
	refuse   []alipayplus.ResultCode // what the next calls of authNotify get
	created  []auth.TokenCreated     // that Alipay+ acknowledged
}

// wallet is one process of the wallet.
type wallet struct {
	*crash
	runs   atomic.Int64 // of Account and Tokens
	orders atomic.Int64 // payments that were opened

	payments *payment.Service
	easypay  *easypay.Service
	relay    *alipayplus.Relay
	handler  http.Handler
}

// problem notes a mistake of the wallet: the test of a control expects one.
func (w *world) problem(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.problems = append(w.problems, fmt.Sprintf(format, args...))
}

// noting is the TB of the Gateway.
type noting struct{ *world }

func (n noting) Errorf(format string, args ...any) { n.problem(format, args...) }

// newWorld makes a world, with the wallet's money in its database or elsewhere.
func newWorld(t *testing.T, remote bool, m mistake, currency alipayplus.Currency) *world {
	t.Helper()
	w := &world{
		T: t, store: alipayplus.NewMemoryIdempotencyStore(10_000), memory: alipayplus.NewMemory(),
		sealer: testkit.Must(alipayplus.NewSealer(bytes.Repeat([]byte{7}, 32))), mistake: m,
	}
	w.records = payment.NewMemoryRecords(w.memory)
	w.tokens = &tokens{memory: w.memory, rows: map[string]token{}}
	if remote {
		w.remote = paymenttest.NewRemoteBank(currency)
		w.remote.Deposit(customerID, funds)
	} else {
		w.bank = paymenttest.NewBank(w.memory, currency)
		w.bank.Deposit(customerID, funds)
	}
	t.Cleanup(func() {
		for _, problem := range w.problems {
			t.Error(problem)
		}
		for _, secret := range []string{loginID, accountID, "852-91111111", "pay.example/result", pageURL} {
			if strings.Contains(w.log.String(), secret) {
				t.Errorf("the log shows %s: %s", secret, w.log.String())
			}
		}
	})
	w.gateway = alipayplustest.New(noting{w})
	alipayplustest.Answer(w.gateway, payment.NotifyPayment,
		func(context.Context, *payment.NotifyPaymentRequest) (*payment.NotifyPaymentResponse, error) {
			return &payment.NotifyPaymentResponse{}, nil
		})
	// The same API without idempotency, so that this function decides about
	// repeats.
	spec := auth.AuthNotify.Spec()
	spec.Idempotency = nil
	alipayplustest.Answer(w.gateway, alipayplus.NewOutbound(spec), w.authNotify)
	w.start(never())
	return w
}

// authNotify answers as Alipay+.
func (w *world) authNotify(_ context.Context, r *auth.AuthNotifyRequest) (*auth.AuthNotifyResponse, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.refuse) > 0 {
		code := w.refuse[0]
		w.refuse = w.refuse[1:]
		return nil, code
	}
	if created, ok := r.Notification.(auth.TokenCreated); ok {
		w.created = append(w.created, created)
	}
	return &auth.AuthNotifyResponse{}, nil
}

// credentials returns the wallet's.
func (w *world) credentials() alipayplus.Credentials {
	c := w.gateway.Credentials()
	signer.key.Do(func() { signer.Signer = c.Signer })
	c.Signer = &signer.Once
	return c
}

// start starts a process of the wallet over the same database.
func (w *world) start(c *crash) {
	p := &wallet{crash: c}
	cfg := w.gateway.Config()
	cfg.Credentials, cfg.Retry = w.credentials(), alipayplus.NoRetry
	cfg.Transport = roundTrip(func(r *http.Request) (response *http.Response, err error) {
		err = p.step(func() error { response, err = w.gateway.RoundTrip(r); return err })
		if err != nil {
			return nil, err
		}
		return response, nil
	})
	logger := slog.New(slog.NewTextHandler(&w.log, nil))
	records := steppedRecords{c, w.mistake.records(w.records)}
	host := payment.ServiceConfig{Records: records, Logger: logger}
	if w.remote != nil {
		host.RemoteLedger = w.remote
		w.remote.Fault = func(context.Context, string, bool) error { return c.step(func() error { return nil }) }
	} else {
		host.Ledger = steppedLedger{c, w.mistake.ledger(w.bank)}
	}
	paid := func(ctx context.Context, before, after payment.Record) error {
		return w.tokens.onPaid(ctx, records, before, after)
	}
	if w.mistake.issuesAfterwards {
		host.AfterCommit = func(ctx context.Context, before, after payment.Record) { _ = paid(ctx, before, after) }
	} else {
		host.OnChange = paid
	}
	host.OnChange = both(host.OnChange, func(_ context.Context, before, _ payment.Record) error {
		if before.State == "" {
			p.orders.Add(1)
		}
		return nil
	})
	p.payments = testkit.Must(payment.NewService(host))
	p.easypay = testkit.Must(easypay.NewService(easypay.Config{
		Payments: p.payments, Sealer: w.sealer, PageURL: pageURL, Logger: logger,
		Tokens: slowTokens{w},
		Account: func(_ context.Context, a easypay.Account) (string, error) {
			w.runs.Add(1)
			time.Sleep(w.latency)
			if a.UserLoginID.Reveal() != loginID && a.PaymentMethodID.Reveal() != accountID {
				return "", alipayplus.CodeUserNotExist
			}
			return customerID, nil
		},
		Other: func(context.Context, *payment.PayRequest) (*payment.PayResponse, error) {
			return &payment.PayResponse{PaymentID: "other", PaymentTime: alipayplus.TimeOf(time.Now())}, nil
		},
	}))
	p.relay = testkit.Must(alipayplus.NewRelay(alipayplus.RelayConfig{
		Client: testkit.Must(alipayplus.NewClient(cfg)), Queue: steppedQueue{w.memory, c}, Logger: logger,
	}))
	p.handler = w.serve(p, steppedStore{c, w.store})
	w.wallet = p
}

func both(fns ...func(context.Context, payment.Record, payment.Record) error) func(context.Context, payment.Record, payment.Record) error {
	return func(ctx context.Context, before, after payment.Record) error {
		for _, fn := range fns {
			if fn == nil {
				continue
			}
			if err := fn(ctx, before, after); err != nil {
				return err
			}
		}
		return nil
	}
}

// slowTokens are the tokens, as the process of a world sees them.
type slowTokens struct{ w *world }

func (s slowTokens) Check(ctx context.Context, token alipayplus.Secret, scope string) (auth.Grant, error) {
	s.w.runs.Add(1)
	time.Sleep(s.w.latency)
	return s.w.tokens.Check(ctx, token, scope)
}

// serve returns the handler of p over store.
func (w *world) serve(p *wallet, store alipayplus.IdempotencyStore) http.Handler {
	return testkit.Must(alipayplus.NewHandler(
		alipayplus.HandlerConfig{Credentials: w.credentials(), Idempotency: store},
		slices.Concat(p.easypay.Routes("/wallet/"), p.payments.Routes("/wallet/"))...))
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// send has Alipay+ call the wallet. A process that died meanwhile gave no
// answer.
func send[Req, Resp any](w *world, path string, op *alipayplus.Inbound[Req, Resp], request *Req) (*Resp, error) {
	answer, err := alipayplustest.Send(w.Context(), w.gateway, w.handler, path, op, request)
	if w.isDead() {
		return nil, errCrash
	}
	return answer, err
}

// pay sends pay, which must be answered.
func (w *world) pay(r *payment.PayRequest) *payment.PayResponse {
	w.Helper()
	answer, err := send(w, payPath, payment.Pay, r)
	if err != nil {
		w.Fatal(err)
	}
	w.open(answer)
	return answer
}

// open has Alipay+ open the page of an answer for the user.
func (w *world) open(answer *payment.PayResponse) {
	if url := answer.PaymentURL.Reveal(); len(url) > len(pageURL) {
		w.page = url[len(pageURL):]
	}
}

// inquire returns the result of inquiryPayment, of itself or of the payment.
func (w *world) inquire(id string) string {
	w.Helper()
	answer, err := send(w, "/wallet/inquiryPayment", payment.InquiryPayment,
		&payment.InquiryPaymentRequest{AcquirerID: "A1", PSPID: "P1", PaymentRequestID: id})
	if err != nil {
		w.Fatal(err)
	}
	if answer.Result.Status != alipayplus.StatusSucceeded {
		return answer.Result.Error()
	}
	return answer.PaymentResult.Error()
}

func (w *world) cancel(id string) string {
	w.Helper()
	answer, err := send(w, "/wallet/cancelPayment", payment.CancelPayment,
		&payment.CancelPaymentRequest{AcquirerID: "A1", PSPID: "P1", PaymentRequestID: id})
	if err != nil {
		w.Fatal(err)
	}
	return answer.Result.Error()
}

// workFor lets the workers of the process run for d.
func (w *world) workFor(d time.Duration) {
	ctx, cancel := context.WithTimeout(w.Context(), d)
	defer cancel()
	var running sync.WaitGroup
	running.Go(func() { _ = w.payments.Run(ctx) })
	running.Go(func() { _ = w.relay.Run(ctx) })
	running.Wait()
}

// record returns what the wallet knows of a payment.
func (w *world) record(id string) payment.Record {
	return testkit.Must(w.records.Find(w.Context(), id))
}

// known returns the tokens that Alipay+ knows, each once.
func (w *world) known() []auth.TokenCreated {
	w.mu.Lock()
	defer w.mu.Unlock()
	var known []auth.TokenCreated
	seen := map[string]bool{}
	for _, c := range w.created {
		if digest := c.AccessToken.Digest(); !seen[digest] {
			seen[digest] = true
			known = append(known, c)
		}
	}
	return known
}

// balance returns what the customer has.
func (w *world) balance() int64 {
	if w.remote != nil {
		return w.remote.Balance(customerID)
	}
	return w.bank.Balance(customerID)
}

// entries returns the bookings of the ledger by key.
func (w *world) entries() map[string]paymenttest.Entry {
	if w.remote != nil {
		return w.remote.Entries()
	}
	return w.bank.Entries()
}

// bookings returns how many entries of the ledger moved money.
func (w *world) bookings() int {
	entries := w.entries()
	n := 0
	for _, e := range entries {
		if e.Minor != 0 {
			n++
		}
	}
	return n
}

// waiting returns how many messages are not acknowledged.
func (w *world) waiting() int {
	time.Sleep(10 * time.Hour) // every lease and every wait is over
	return len(testkit.Must(w.memory.Lease(w.Context(), 100, time.Second))) + len(testkit.Must(w.memory.DeadLetters(w.Context(), 100)))
}

// calls returns the requests of an API with a key that reached Alipay+.
func (w *world) calls(op interface{ Name() string }, key string) (bodies []string) {
	for _, call := range w.gateway.Calls(op) {
		if call.Key == key {
			bodies = append(bodies, string(call.Body))
		}
	}
	return bodies
}

// sameBodies counts the requests of an API that reached Alipay+, which must all
// be the same.
func (w *world) sameBodies(op interface{ Name() string }, key string) int {
	bodies := w.calls(op, key)
	if distinct := slices.Compact(slices.Sorted(slices.Values(bodies))); len(distinct) > 1 {
		w.problem("two %s of one key have other bodies", op.Name())
	}
	return len(bodies)
}

// story runs fn with a world in virtual time.
func story(t *testing.T, fn func(*world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { fn(newWorld(t, false, mistake{}, "HKD")) })
}

// remoteStory runs a story with the money in a service of its own.
func remoteStory(t *testing.T, fn func(*world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { fn(newWorld(t, true, mistake{}, "HKD")) })
}

// is compares two texts of a step of a story.
func (w *world) is(what, got, want string) {
	w.Helper()
	if got != want {
		w.Errorf("%s: %q, want %q", what, got, want)
	}
}
