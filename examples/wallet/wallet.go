package main

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/alipayplustest/accept"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/sqlstore"
	"github.com/alipayplus-mpp/alipayplus-go/auth"
	"github.com/alipayplus-mpp/alipayplus-go/auth/authsql"
	"github.com/alipayplus-mpp/alipayplus-go/codeid"
	"github.com/alipayplus-mpp/alipayplus-go/easypay"
	"github.com/alipayplus-mpp/alipayplus-go/mpm"
)

// wallet is the backend: what a real wallet builds from the SDK.
type wallet struct {
	db         *database
	client     *alipayplus.Client
	payments   *payment.Service
	tokens     *auth.Service
	stores     auth.Stores
	easyPay    *easypay.Service
	outbox     *sqlstore.Outbox
	relay      *alipayplus.Relay
	identifier *codeid.Identifier
	app        http.Handler // what the phone asks
	inbound    http.Handler // what Alipay+ calls
	changed    notifier     // a payment or a message changed
}

// relaySchedule is short, so that a person can watch it; a real wallet leaves
// the default, which goes on for a day.
var relaySchedule = alipayplus.Schedule{
	time.Second, 2 * time.Second, 3 * time.Second, 5 * time.Second, 10 * time.Second, 15 * time.Second, 30 * time.Second, time.Minute,
}

const verifyPath = "/verify/" // of the verification page; a sealed link follows

// newWallet builds the backend. home is where its pages are.
func newWallet(ctx context.Context, o options, db *database, to alipayplus.ClientConfig, home string) (*wallet, error) {
	w := &wallet{db: db}
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))
	sealer, err := newSealer(o.sealingKey)
	if err != nil {
		return nil, err
	}
	store, err := sqlstore.Open(ctx, db.DB, db.dialect)
	if err != nil {
		return nil, err
	}
	to.Logger, w.outbox = log, store.Outbox()
	if w.client, err = alipayplus.NewClient(to); err != nil {
		return nil, err
	}
	if w.stores, err = authsql.Open(ctx, store); err != nil {
		return nil, err
	}
	w.tokens, err = auth.NewService(auth.Config{
		Stores: w.stores, Outbox: w.outbox, Sealer: sealer, RoutingNumber: "004",
		KeepAccessTokens: true, // so that a user can unbind in the wallet
		UserLoginID:      maskedLogin, Wallet: auth.Wallet{WalletName: "Harbour", WalletRegion: "HK"}, Logger: log,
	})
	if err != nil {
		return nil, err
	}
	var records payment.Records = store.Payments()
	ledger := store.Ledger(bank{})
	if o.lost != nil { // a test loses the answers of debits
		records, ledger = o.lost.Records(records), o.lost.Ledger(ledger)
	}
	w.payments, err = payment.NewService(payment.ServiceConfig{
		Client: w.client, Records: records, Ledger: ledger, Check: check,
		OnChange:    w.tokens.OnPaid, // the token of an agreement, in the transaction of the debit
		AfterCommit: func(context.Context, payment.Record, payment.Record) { w.changed.tell() },
		Logger:      log,
	})
	if err != nil {
		return nil, err
	}
	w.easyPay, err = easypay.NewService(easypay.Config{
		Payments: w.payments, Tokens: w.tokens, Sealer: sealer, PageURL: home + verifyPath, Account: account, Logger: log,
	})
	if err != nil {
		return nil, err
	}
	var presetRules []byte
	if o.gateway != "" { // the test's Alipay+ may begin after the wallet
		presetRules = accept.Rules()
	}
	if w.identifier, err = codeid.Open(ctx, codeid.Config{Client: w.client, Preset: presetRules, Logger: log}); err != nil {
		return nil, err
	}
	filter, err := newFilter()
	if err != nil {
		return nil, err
	}
	flow, err := mpm.NewFlow(mpm.Config{
		Client: w.client, Identifier: w.identifier, Payments: w.payments, Filter: filter, Message: userMessage, Logger: log,
	})
	if err != nil {
		return nil, err
	}
	w.app = flow.Handler(signedIn)
	w.relay, err = alipayplus.NewRelay(alipayplus.RelayConfig{
		Client: w.client, Queue: w.outbox, Sealer: sealer, Schedule: relaySchedule, Logger: log,
		DeadLetter: func(context.Context, alipayplus.Delivery) { w.changed.tell() },
	})
	if err != nil {
		return nil, err
	}
	w.inbound, err = alipayplus.NewHandler(
		alipayplus.HandlerConfig{Credentials: to.Credentials, Idempotency: store.Idempotency(), Logger: log},
		slices.Concat(w.easyPay.Routes(inboundPath), w.payments.Routes(inboundPath), w.tokens.Routes(inboundPath))...)
	return w, err
}

// run does what must run besides the handlers, until ctx ends.
func (w *wallet) run(ctx context.Context, all *errgroup.Group) {
	all.Go(func() error { return w.relay.Run(ctx) })      // delivers what Alipay+ must know
	all.Go(func() error { return w.payments.Run(ctx) })   // expires payments, resumes after a crash
	all.Go(func() error { return w.tokens.Run(ctx) })     // erases what is over
	all.Go(func() error { return w.identifier.Run(ctx) }) // refreshes the code rules
}

const inboundPath = "/alipayplus/" // where Alipay+ calls

// newSealer makes the sealer of tokens and links. A real key comes from a KMS.
func newSealer(digits string) (*alipayplus.Sealer, error) {
	key := make([]byte, 32)
	if digits == "" {
		_, _ = rand.Read(key) // never fails
		return alipayplus.NewSealer(key)
	}
	key, err := hex.DecodeString(digits)
	if err != nil || len(key) != 32 {
		return nil, errors.New("-sealing-key: it needs 64 hexadecimal digits, as openssl rand -hex 32 prints them")
	}
	return alipayplus.NewSealer(key)
}

// newFilter knows the wallet's own codes, and those that it rejects.
func newFilter() (*codeid.Filter, error) {
	local, err := codeid.NewList(codeid.Entry{Kind: codeid.KindPrefix, Value: localPrefix})
	if err != nil {
		return nil, err
	}
	blocked, err := codeid.NewList(codeid.Entry{Kind: codeid.KindHost, Value: blockedHost})
	if err != nil {
		return nil, err
	}
	return codeid.NewFilter(codeid.Lists{Local: local, Block: blocked}), nil
}

// signedIn is the login of the app: "Authorization: Bearer alice". A real wallet
// has a session here.
func signedIn(r *http.Request) (string, error) {
	id, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if _, known := userOf(id); !ok || !known {
		return "", errors.New("nobody is signed in")
	}
	return id, nil
}

// check is risk control and the PIN. The verification page of Easy Pay has asked
// already, and so did the agreement of a one-click payment.
func check(_ context.Context, c payment.Check) error {
	if c.Stage != payment.StageDebit || c.Terms.CodeValueDigest == "" {
		return nil
	}
	u, known := userOf(c.Terms.CustomerID)
	if !known || subtle.ConstantTimeCompare([]byte(u.PIN), []byte(c.Proof.Reveal())) != 1 {
		return payment.Retryable(alipayplus.CodeUserPaymentVerificationFailed)
	}
	return nil
}

// userMessage is what the user reads. The SDK does not know that this wallet verifies
// its users by a PIN.
func userMessage(_ context.Context, code alipayplus.ResultCode, text mpm.UserMessage) mpm.UserMessage {
	if code == alipayplus.CodeUserPaymentVerificationFailed {
		text.Text = "That is not your PIN. Nothing was charged."
	}
	return text
}

// account finds the user of Easy Pay.
func account(_ context.Context, a easypay.Account) (string, error) {
	for _, u := range users {
		if u.LoginID == a.UserLoginID.Reveal() {
			return u.id, nil
		}
	}
	return "", alipayplus.CodeUserNotExist
}

func maskedLogin(_ context.Context, id string) (alipayplus.Secret, error) {
	u, known := userOf(id)
	if !known {
		return alipayplus.Secret{}, fmt.Errorf("no user %q", id)
	}
	return alipayplus.Conceal(u.LoginID[:6] + "****" + u.LoginID[len(u.LoginID)-2:]), nil
}

// notifier tells all who wait that something changed.
type notifier struct {
	mu      sync.Mutex
	waiting map[chan struct{}]bool
}

func (s *notifier) tell() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.waiting {
		select {
		case c <- struct{}{}:
		default: // it will look anyway
		}
	}
}

// listen returns a channel that gets a value after a change, until stop.
func (s *notifier) listen() (c chan struct{}, stop func()) {
	c = make(chan struct{}, 1)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.waiting == nil {
		s.waiting = make(map[chan struct{}]bool)
	}
	s.waiting[c] = true
	return c, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.waiting, c)
	}
}
