package easypay_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/alipayplustest"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
	"github.com/alipayplus-mpp/alipayplus-go/auth"
)

// long reports whether figures are to be shown in full.
func long() bool { return os.Getenv("ALIPAYPLUS_LONG") != "" }

// cached makes each signature once: it is deterministic, and every story begins
// at the same virtual time.
type cached struct{ alipayplus.Signer }

var signatures sync.Map // by digest, of the one key that a Gateway has in this process

func (c cached) SignDigest(ctx context.Context, digest [sha256.Size]byte) (string, []byte, error) {
	if signature, ok := signatures.Load(digest); ok {
		return "1", signature.([]byte), nil
	}
	version, signature, err := c.Signer.SignDigest(ctx, digest)
	if err == nil {
		signatures.Store(digest, signature)
	}
	return version, signature, err
}

// credentials are the wallet's.
func (w *world) credentials() alipayplus.Credentials {
	c := w.gateway.Credentials()
	c.Signer = cached{c.Signer}
	return c
}

// The customer's balance at the beginning, and the price of every payment.
const (
	funds = 100_000
	price = 50
)

// world is Alipay+, the user, and a wallet whose process can die.
type world struct {
	*testing.T
	gateway *alipayplustest.Gateway
	store   alipayplus.IdempotencyStore // of the handler: survives a crash, as the database does
	db      *database
	sealer  *alipayplus.Sealer
	way     issuing
	mistake string
	log     bytes.Buffer

	*wallet // the process that runs

	mu       sync.Mutex
	problems []string
	refuse   []alipayplus.ResultCode // what the next calls of authNotify get
	created  []auth.TokenCreated     // that Alipay+ acknowledged
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

func newWorld(t *testing.T, way issuing) *world {
	t.Helper()
	key := make([]byte, 32)
	_, _ = rand.Read(key)
	w := &world{
		T: t, store: alipayplus.NewMemoryIdempotencyStore(10_000), db: newDatabase(),
		sealer: must(alipayplus.NewSealer(key)), way: way,
	}
	w.db.committed.Balances[customerID] = funds
	t.Cleanup(func() {
		for _, problem := range w.problems {
			t.Error(problem)
		}
	})
	w.gateway = alipayplustest.New(noting{w})
	alipayplustest.Answer(w.gateway, payment.NotifyPayment,
		func(context.Context, *payment.NotifyPaymentRequest) (*payment.NotifyPaymentResponse, error) {
			return &payment.NotifyPaymentResponse{}, nil
		})
	// The same API without identity, so that this function decides about repeats.
	spec := auth.AuthNotify.Spec()
	spec.Idempotency = nil
	alipayplustest.Answer(w.gateway, alipayplus.NewOutbound(spec), w.authNotify)
	w.start(new(crash))
	return w
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// authNotify is Alipay+'s.
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

// start starts a process of the wallet over the same database.
func (w *world) start(c *crash) {
	p := &wallet{crash: c, db: w.db, issuing: w.way, mistake: w.mistake, sealer: w.sealer}
	cfg := w.gateway.Config()
	cfg.Credentials, cfg.Retry = w.credentials(), alipayplus.NoRetry
	cfg.Transport = roundTrip(func(r *http.Request) (response *http.Response, err error) {
		err = p.step(func() error { response, err = w.gateway.RoundTrip(r); return err })
		if err != nil {
			return nil, err
		}
		return response, nil
	})
	p.client = must(alipayplus.NewClient(cfg))
	p.tokens = must(auth.NewService(auth.Config{
		Stores: tokenTable{wallet: p}, Outbox: tokenTable{wallet: p}, Sealer: w.sealer, AccessTokenTTL: 30 * 24 * time.Hour,
		Logger: slog.New(slog.NewTextHandler(&w.log, nil)),
	}))
	p.handler = w.serve(p, p.stored(w.store))
	w.wallet = p
}

// serve is the handler of p over store.
func (w *world) serve(p *wallet, store alipayplus.IdempotencyStore) http.Handler {
	return must(alipayplus.NewHandler(
		alipayplus.HandlerConfig{Credentials: w.credentials(), Idempotency: store},
		p.service().Handle(payPath),
		payment.InquiryPayment.Handle("/wallet/inquiryPayment", p.inquiryPayment),
		payment.CancelPayment.Handle("/wallet/cancelPayment", p.cancelPayment),
		auth.ApplyToken.Handle("/wallet/applyToken", p.tokens.ApplyToken),
		auth.CancelToken.Handle("/wallet/cancelToken", p.tokens.CancelToken),
	))
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// stored is an IdempotencyStore whose calls are steps of the process.
func (w *wallet) stored(store alipayplus.IdempotencyStore) alipayplus.IdempotencyStore {
	return steppedStore{w.crash, store}
}

type steppedStore struct {
	*crash
	store alipayplus.IdempotencyStore
}

func (s steppedStore) Begin(ctx context.Context, c alipayplus.Claim) (state alipayplus.ClaimState, answer []byte, err error) {
	err = s.step(func() error { state, answer, err = s.store.Begin(ctx, c); return err })
	return state, answer, err
}

func (s steppedStore) Finish(ctx context.Context, c alipayplus.Claim, answer []byte) error {
	return s.step(func() error { return s.store.Finish(ctx, c, answer) })
}

// send is Alipay+ calling the wallet. A process that died meanwhile gave no
// answer.
func send[Req, Resp any](w *world, path string, op *alipayplus.Inbound[Req, Resp], request *Req) (*Resp, error) {
	answer, err := alipayplustest.Send(w.Context(), w.gateway, w.handler, path, op, request)
	if w.isDead() {
		return nil, errCrash
	}
	return answer, err
}

// pay is send for pay, which must be answered.
func (w *world) pay(r *payment.PayRequest) *payment.PayResponse {
	w.Helper()
	answer, err := send(w, payPath, payment.Pay, r)
	if err != nil {
		w.Fatal(err)
	}
	return answer
}

// inquire is the result of inquiryPayment, of itself or of the payment.
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

// workFor is the worker of the wallet, every 15 seconds.
func (w *world) workFor(d time.Duration) {
	for end := time.Now().Add(d); time.Now().Before(end) && !w.isDead(); time.Sleep(15 * time.Second) {
		w.work(w.Context())
	}
}

// known are the tokens that Alipay+ knows, each once.
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

// balance is what the customer has.
func (w *world) balance() int64 { return w.view().Balances[customerID] }

// creation is the second pay of the guide, with consent to one-click payments.
func creation(id string, change ...func(*payment.PayRequest)) *payment.PayRequest {
	r := request(id, append([]func(*payment.PayRequest){agreement, easyPay, consent}, change...)...)
	r.PaymentExpiryTime = alipayplus.TimeOf(time.Now().Add(24 * time.Hour))
	return r
}

// oneClick is a payment with a token.
func oneClick(id string, token alipayplus.Secret) *payment.PayRequest {
	r := request(id, agreement, easyPay, method(token.Reveal()))
	r.PaymentExpiryTime = alipayplus.TimeOf(time.Now().Add(24 * time.Hour))
	return r
}
