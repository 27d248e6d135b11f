package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/alipayplustest"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/sqlstore"
	"github.com/alipayplus-mpp/alipayplus-go/auth"
	"github.com/alipayplus-mpp/alipayplus-go/internal/sqltest"
	"github.com/alipayplus-mpp/alipayplus-go/mpm/mpmtest"
)

func TestMain(m *testing.M) { sqltest.Main(m) }

const (
	alice = "customer-1" // has HKD 1,000.00 and KRW 1,000,000, and the PIN 1234
	phone = "852-90000000"
	start = 100_000
)

// world is Alipay+, a merchant, and the wallet over real HTTP.
type world struct {
	*testing.T
	gateway *alipayplustest.Gateway
	shop    *mpmtest.Merchant
	alipay  *httptest.Server // the gateway
	arrived chan struct{}    // has an element after a request to it

	open     func() (*sql.DB, sqlstore.Dialect)
	config   config
	running  atomic.Pointer[backend] // the wallet
	stop     func()                  // ends it
	inbound  http.Handler            // how Alipay+ reaches it
	site     string                  // where users reach it
	browser  *http.Client            // follows no redirect
	created  chan auth.TokenCreated  // what Alipay+ was told
	canceled chan auth.TokenCanceled
	mu       sync.Mutex
	told     map[string]string // results by paymentRequestId
}

// each runs a test on both databases.
func each(t *testing.T, run func(*world)) {
	t.Run("SQLite", func(t *testing.T) {
		t.Parallel()
		url := "file:" + filepath.Join(t.TempDir(), "wallet.db")
		run(newWorld(t, func() (*sql.DB, sqlstore.Dialect) {
			db, dialect, err := openDatabase(t.Context(), url)
			if err != nil {
				t.Fatal(err)
			}
			return db, dialect
		}))
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		t.Parallel()
		first := sqltest.PostgreSQL(t) // skips without a server
		if err := makeTables(t.Context(), first.DB, first.Dialect); err != nil {
			t.Fatal(err)
		}
		run(newWorld(t, func() (*sql.DB, sqlstore.Dialect) { return first.Second(t).DB, first.Dialect }))
	})
}

func newWorld(t *testing.T, open func() (*sql.DB, sqlstore.Dialect)) *world {
	g := alipayplustest.New(t)
	w := &world{
		T: t, gateway: g, shop: mpmtest.NewMerchant(t, g), open: open,
		arrived: make(chan struct{}, 1),
		created: make(chan auth.TokenCreated, 10), canceled: make(chan auth.TokenCanceled, 10), told: make(map[string]string),
		browser: &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
	}
	alipayplustest.Answer(g, payment.NotifyPayment, func(_ context.Context, r *payment.NotifyPaymentRequest) (*payment.NotifyPaymentResponse, error) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.told[r.PaymentRequestID] += r.PaymentResult.Error()
		return &payment.NotifyPaymentResponse{}, nil
	})
	alipayplustest.Answer(g, auth.AuthNotify, func(_ context.Context, r *auth.AuthNotifyRequest) (*auth.AuthNotifyResponse, error) {
		switch n := r.Notification.(type) {
		case auth.TokenCreated:
			w.created <- n
		case auth.TokenCanceled:
			w.canceled <- n
		}
		return &auth.AuthNotifyResponse{}, nil
	})
	w.alipay = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		defer func() {
			select {
			case w.arrived <- struct{}{}:
			default:
			}
		}()
		g.ServeHTTP(rw, r)
	}))
	t.Cleanup(w.alipay.Close)
	alipaySide := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) { w.running.Load().forAlipay.ServeHTTP(rw, r) }))
	t.Cleanup(alipaySide.Close)
	userSide := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) { w.running.Load().forUsers.ServeHTTP(rw, r) }))
	t.Cleanup(userSide.Close)
	w.inbound, w.site = alipayplustest.Remote(alipaySide.URL, nil), userSide.URL

	w.config = config{
		client:  alipayplus.ClientConfig{Credentials: g.Credentials(), BaseURL: w.alipay.URL},
		sealKey: make([]byte, 32), pageURL: userSide.URL + "/verify/", ruleFile: filepath.Join(t.TempDir(), "coderules.json"),
	}
	_, _ = rand.Read(w.config.sealKey)
	w.stop = func() {}
	t.Cleanup(func() { w.stop() })
	w.restart()
	w.deposit()
	return w
}

// restart ends the wallet's process, if one runs, and starts one that has nothing
// but the database, the keys and the code rules.
func (w *world) restart() {
	w.Helper()
	w.stop()
	ctx, cancel := context.WithCancel(context.Background())
	w.config.db, w.config.dialect = w.open()
	b := newBackend(ctx, w.config)
	w.running.Store(&b)
	var loops sync.WaitGroup
	for _, run := range b.loops {
		loops.Go(func() { _ = run(ctx) })
	}
	db := w.config.db
	w.stop = func() {
		cancel()
		loops.Wait()
		_ = db.Close()
	}
}

// deposit makes alice a customer.
func (w *world) deposit() {
	w.Helper()
	c := customers{w.config.db, w.config.sealKey}
	w.exec(`INSERT INTO login (kind, login, customer) VALUES ('MOBILE', $1, $2)`, phone, alice)
	w.exec(`INSERT INTO pin (customer, mac) VALUES ($1, $2)`, alice, c.mac(alice, "1234"))
	w.exec(`INSERT INTO account (customer, currency, balance) VALUES ($1, 'HKD', $2)`, alice, start)
	w.exec(`INSERT INTO account (customer, currency, balance) VALUES ($1, 'KRW', $2)`, alice, start)
}

func (w *world) exec(text string, args ...any) {
	w.Helper()
	if _, err := w.config.db.ExecContext(w.Context(), text, args...); err != nil {
		w.Fatalf("%s: %v", text, err)
	}
}

// balance is what alice has, and checks it against the entries of the ledger.
func (w *world) balance(currency string) int64 {
	w.Helper()
	var balance, total, entries int64
	for text, n := range map[string]*int64{
		`SELECT balance FROM account WHERE customer = $1 AND currency = '` + currency + `'`: &balance,
		`SELECT sum(balance) FROM account WHERE customer = $1`:                              &total,
		`SELECT coalesce(sum(minor), 0) FROM entry WHERE customer = $1`:                     &entries,
	} {
		if err := w.config.db.QueryRowContext(w.Context(), text, alice).Scan(n); err != nil {
			w.Fatalf("%s: %v", text, err)
		}
	}
	if total != 2*start+entries {
		w.Errorf("the accounts have %d, their entries say %d", total, 2*start+entries)
	}
	return balance
}

// result waits for the notifyPayment of a payment.
func (w *world) result(id string) (result string) {
	w.Helper()
	w.until("notifyPayment", func() bool {
		w.mu.Lock()
		defer w.mu.Unlock()
		result = w.told[id]
		return result != ""
	})
	return result
}

func (w *world) is(what string, got, want any) {
	w.Helper()
	if got != want {
		w.Errorf("%s: got %v, want %v", what, got, want)
	}
}

// until waits for what comes with a request to Alipay+.
func (w *world) until(what string, there func() bool) {
	w.Helper()
	lost := time.After(time.Minute)
	for !there() {
		select {
		case <-w.arrived:
		case <-lost:
			w.Fatalf("never: %s", what)
		}
	}
}

// step is an answer for the app.
type step struct {
	Step             string          `json:"step"`
	PaymentRequestID string          `json:"paymentRequestId"`
	State            string          `json:"state"`
	DebitAmount      json.RawMessage `json:"debitAmount"`
	ResultCode       string          `json:"resultCode"`
}

// app is a request of alice's app: a code to scan, or a payment to confirm.
func (w *world) app(path string, body map[string]any) (s step) {
	w.Helper()
	data, _ := json.Marshal(body)
	status, _, text := w.http(http.MethodPost, w.site+"/app/"+path, "application/json", data, alice)
	if err := json.Unmarshal([]byte(text), &s); err != nil || status != http.StatusOK {
		w.Fatalf("%s: HTTP %d, %s", path, status, text)
	}
	return s
}

func (w *world) http(method, url, contentType string, body []byte, customer string) (status int, location, text string) {
	w.Helper()
	r, err := http.NewRequestWithContext(w.Context(), method, url, bytes.NewReader(body))
	if err != nil {
		w.Fatal(err)
	}
	r.Header.Set("Content-Type", contentType)
	if customer != "" {
		r.Header.Set("X-Customer", customer)
	}
	answer, err := w.browser.Do(r)
	if err != nil {
		w.Fatal(err)
	}
	defer answer.Body.Close()
	data, err := io.ReadAll(answer.Body)
	if err != nil {
		w.Fatal(err)
	}
	return answer.StatusCode, answer.Header.Get("Location"), string(data)
}

// send is a request of Alipay+.
func send[Req, Resp any](w *world, op *alipayplus.Inbound[Req, Resp], r *Req) *Resp {
	w.Helper()
	answer, err := alipayplustest.Send(w.Context(), w.gateway, w.inbound, "/alipayplus/"+op.Name(), op, r)
	if err != nil {
		w.Fatal(err)
	}
	return answer
}

func (w *world) inquire(id string) string {
	w.Helper()
	return send(w, payment.InquiryPayment, &payment.InquiryPaymentRequest{AcquirerID: "A1", PSPID: "P1", PaymentRequestID: id}).PaymentResult.Error()
}

func (w *world) refund(id, refund string, amount alipayplus.Amount, from alipayplus.Amount) string {
	w.Helper()
	return send(w, payment.Refund, &payment.RefundRequest{
		AcquirerID: "A1", PSPID: "P1", PaymentRequestID: id, RefundRequestID: refund, RefundAmount: amount, RefundFromAmount: from,
	}).Result.Error()
}
