package main

import (
	"context"
	"database/sql"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/alipayplustest"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/alipayplustest/accept"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/sqlstore"
	"github.com/alipayplus-mpp/alipayplus-go/auth"
	"github.com/alipayplus-mpp/alipayplus-go/auth/authsql"
	"github.com/alipayplus-mpp/alipayplus-go/internal/sqltest"
)

// This program is accepted by the acceptance suite on both databases. The short
// form leaves out the checks that wait; ALIPAYPLUS_LONG=1 runs them, in about
// five minutes.
func TestAccepted(t *testing.T) {
	t.Run("SQLite", func(t *testing.T) {
		t.Parallel()
		url := "file:" + filepath.Join(t.TempDir(), "wallet.db")
		accepted(t, func() (*sql.DB, sqlstore.Dialect, error) { return openDatabase(context.Background(), url) })
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		t.Parallel()
		first := sqltest.PostgreSQL(t) // skips without a server
		if err := makeTables(t.Context(), first.DB, first.Dialect); err != nil {
			t.Fatal(err)
		}
		accepted(t, func() (*sql.DB, sqlstore.Dialect, error) { return first.Second(t).DB, first.Dialect, nil })
	})
}

func accepted(t *testing.T, open func() (*sql.DB, sqlstore.Dialect, error)) {
	cfg := accept.Config{
		// resendOtp: the page asks for a PIN alone. lostDebits: the ledger is
		// built in.
		Capabilities: []accept.Capability{
			accept.MerchantMode, accept.EntryCodes, accept.WrongPIN, accept.EasyPay, accept.OneClick, accept.AuthCodes, accept.Refresh,
			accept.Unbind, accept.Restart, accept.KeyRotation, accept.Freshness,
		},
		// After a restart the lease of what was being delivered ends first.
		Limits: accept.Limits{ResendSeconds: 90},
		Quick:  os.Getenv("ALIPAYPLUS_LONG") == "",
	}
	w := &tested{open: open, key: []byte(strings.Repeat("k", 32)), rules: filepath.Join(t.TempDir(), "coderules.json")}
	defer func() { w.stop() }()
	report, err := accept.RunOverHTTP(t.Context(), cfg, w.begin)
	if err != nil {
		t.Fatal(err)
	}
	alipayplustest.ReportAcceptance(t, report)
}

// tested is the program, and the driver beside it: what the app and the test
// environment have and the program does not.
type tested struct {
	open    func() (*sql.DB, sqlstore.Dialect, error)
	key     []byte
	rules   string
	world   accept.World
	version string // of the wallet's key

	mu     sync.Mutex
	now    backend
	config config
	tokens *auth.Service // makes the codes of getAuthCode, which no call of this program does
	stores auth.Stores
	stop   func()
}

const pages = "https://wallet.example/verify/"

// begin makes the customers and starts the program.
func (w *tested) begin(ctx context.Context, world accept.World) (accept.Handlers, error) {
	w.world, w.version, w.stop = world, "1", func() {}
	if err := w.start(); err != nil {
		return accept.Handlers{}, err
	}
	c := customers{w.config.db, w.key}
	for _, u := range world.Users {
		for text, args := range map[string][]any{
			`INSERT INTO login (kind, login, customer) VALUES ('MOBILE', $1, $2)`:      {u.LoginID, u.ID},
			`INSERT INTO pin (customer, mac) VALUES ($1, $2)`:                          {u.ID, c.mac(u.ID, u.PIN)},
			`INSERT INTO account (customer, currency, balance) VALUES ($1, 'HKD', $2)`: {u.ID, accept.MinimumBalance},
		} {
			if _, err := w.config.db.ExecContext(ctx, text, args...); err != nil {
				return accept.Handlers{}, err
			}
		}
	}
	return accept.Handlers{
		App: http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			r.URL.Path = "/app" + r.URL.Path // which Handlers took away
			w.backend().forUsers.ServeHTTP(rw, r)
		}),
		Inbound: http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) { w.backend().forAlipay.ServeHTTP(rw, r) }),
		Driver: accept.Driver{
			Customer: customer, Balance: w.balance, Page: w.page, AuthCode: w.authCode, Unbind: w.unbind,
			Restart: func(context.Context) error { return w.start() },
			RotateKey: func(_ context.Context, version string) error {
				w.version = version
				return w.start()
			},
		},
	}, nil
}

// start ends the process that runs, and starts one that has nothing but the
// database, the keys and the code rules.
func (w *tested) start() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.stop()
	w.stop = func() {}
	a, err := alipayplustest.NewAcceptance(w.world, w.version)
	if err != nil {
		return err
	}
	db, dialect, err := w.open()
	if err != nil {
		return err
	}
	w.config = config{client: a.Client, db: db, dialect: dialect, sealKey: w.key, pageURL: pages, ruleFile: w.rules}
	ctx, cancel := context.WithCancel(context.Background())
	w.now = newBackend(ctx, w.config)
	store := must(sqlstore.Open(ctx, db, dialect))
	w.stores = must(authsql.Open(ctx, store))
	w.tokens = must(auth.NewService(auth.Config{
		Stores: w.stores, Outbox: store.Outbox(), Sealer: must(alipayplus.NewSealer(w.key)), RoutingNumber: "666",
	}))
	var loops sync.WaitGroup
	for _, run := range w.now.loops {
		loops.Go(func() { _ = run(ctx) })
	}
	w.stop = func() {
		cancel()
		loops.Wait()
		_ = db.Close()
	}
	return nil
}

func (w *tested) backend() backend {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *tested) db() *sql.DB {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.config.db
}

func (w *tested) balance(ctx context.Context, id string) (currency string, minor int64, err error) {
	err = w.db().QueryRowContext(ctx, `SELECT currency, balance FROM account WHERE customer = $1 AND currency = 'HKD'`, id).Scan(&currency, &minor)
	return currency, minor, err
}

var triesLeft = regexp.MustCompile(`\(([0-9]+) tries left\)`)

// page is a browser on the verification page. It unlocks the PIN afterwards,
// which many checks guess at.
func (w *tested) page(ctx context.Context, call, pageURL, pin string) (tries int, redirectURL string, err error) {
	link, ok := strings.CutPrefix(pageURL, pages)
	if !ok {
		return 0, "", accept.ErrNoPage
	}
	form := url.Values{"do": {map[string]string{"pin": "pay", "giveUp": "leave"}[call]}, "pin": {pin}}
	r := httptest.NewRequestWithContext(ctx, http.MethodPost, "/verify/"+link, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answer := httptest.NewRecorder()
	w.backend().forUsers.ServeHTTP(answer, r)
	if _, err := w.db().ExecContext(ctx, `UPDATE pin SET tries = 0`); err != nil {
		return 0, "", err
	}
	switch answer.Code {
	case http.StatusSeeOther:
		return 0, answer.Header().Get("Location"), nil
	case http.StatusNotFound:
		return 0, "", accept.ErrNoPage
	case http.StatusOK:
		if found := triesLeft.FindStringSubmatch(answer.Body.String()); found != nil {
			tries, err = strconv.Atoi(found[1])
			return tries, "", err
		}
	}
	return 0, "", fmt.Errorf("the page answers HTTP %d", answer.Code)
}

func (w *tested) authCode(ctx context.Context, id, client string, scopes []string) ([]byte, error) {
	code, err := w.tokens.IssueCode(ctx, auth.Grant{CustomerID: id, AuthClientID: client, Scopes: scopes}, scopes)
	if err != nil {
		return nil, err
	}
	return code.MarshalJSON()
}

// unbind ends an authorization as the app does.
func (w *tested) unbind(ctx context.Context, id, accessToken string) (bool, error) {
	token, err := w.stores.FindToken(ctx, alipayplus.Conceal(accessToken).Digest())
	if err != nil {
		return false, err
	}
	r := httptest.NewRequestWithContext(ctx, http.MethodDelete, "/app/authorizations/"+token.ID, nil)
	r.Header.Set("X-Customer", id)
	answer := httptest.NewRecorder()
	w.backend().forUsers.ServeHTTP(answer, r)
	switch answer.Code {
	case http.StatusNoContent:
		return true, nil
	case http.StatusConflict:
		return false, nil
	}
	return false, fmt.Errorf("the app is answered HTTP %d", answer.Code)
}
