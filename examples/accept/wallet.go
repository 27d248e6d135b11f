package main

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/alipayplustest"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/alipayplustest/accept"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment/paymenttest"
	"github.com/alipayplus-mpp/alipayplus-go/auth"
	"github.com/alipayplus-mpp/alipayplus-go/codeid"
	"github.com/alipayplus-mpp/alipayplus-go/easypay"
	"github.com/alipayplus-mpp/alipayplus-go/mpm"
)

// wallet is the backend of a wallet with all products, in memory, and what the
// driver needs of it. It is a database and a process: a restart makes another
// process.
type wallet struct {
	world accept.World

	// The database.
	database    *alipayplus.Memory
	records     *payment.MemoryRecords
	bank        *paymenttest.Bank
	lost        paymenttest.LostDebits
	idempotency alipayplus.IdempotencyStore
	stores      auth.Stores
	sealer      *alipayplus.Sealer

	parent context.Context //nolint:containedctx // a restart makes a process that lives as long
	mu     sync.Mutex
	now    *process
}

// process is what a crash loses.
type process struct {
	stop    context.CancelFunc
	ended   sync.WaitGroup
	client  *alipayplus.Client
	easyPay *easypay.Service
	tokens  *auth.Service
	app     http.Handler
	inbound http.Handler
}

// schedule is shorter than the default, so that the checks take less time.
var schedule = alipayplus.Schedule{time.Second, time.Second, 2 * time.Second, 5 * time.Second, 10 * time.Second, time.Minute, 10 * time.Minute}

const verifyPage = "https://wallet.accept.example/verify/"

func newWallet(ctx context.Context, world accept.World) (*wallet, error) {
	w := &wallet{world: world, parent: ctx, database: alipayplus.NewMemory(), idempotency: alipayplus.NewMemoryIdempotencyStore(10_000)}
	w.records, w.bank = payment.NewMemoryRecords(w.database), paymenttest.NewBank(w.database, alipayplus.Currency(world.Currency))
	for _, u := range world.Users {
		w.bank.Deposit(u.ID, 10*accept.MinimumBalance)
	}
	w.stores = auth.NewMemoryStores(w.database)
	key := make([]byte, 32)
	if _, err := rand.Read(key); err != nil {
		return nil, err
	}
	var err error
	if w.sealer, err = alipayplus.NewSealer(key); err != nil {
		return nil, err
	}
	return w, w.start("1")
}

// start ends the process and starts another one, which signs with a version of
// the wallet's key.
func (w *wallet) start(version string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.now != nil {
		w.now.stop()
		w.now.ended.Wait()
	}
	ctx, stop := context.WithCancel(w.parent)
	p := &process{stop: stop}
	jobs, err := p.build(w, version)
	if err != nil {
		stop()
		return err
	}
	for _, job := range jobs {
		p.ended.Go(func() { _ = job(ctx) })
	}
	w.now = p
	return nil
}

// end ends the process.
func (w *wallet) end() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now.stop()
	w.now.ended.Wait()
	w.now.client.CloseIdleConnections()
}

func (w *wallet) process() *process {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

// build makes everything that the process runs. It is what a real backend does
// when it starts.
func (p *process) build(w *wallet, version string) (jobs []func(context.Context) error, err error) {
	a, err := alipayplustest.NewAcceptance(w.world, version)
	if err != nil {
		return nil, err
	}
	if p.client, err = alipayplus.NewClient(a.Client); err != nil {
		return nil, err
	}
	p.tokens, err = auth.NewService(auth.Config{
		Stores: w.stores, Outbox: w.database, Sealer: w.sealer, RoutingNumber: "666", KeepAccessTokens: true,
	})
	if err != nil {
		return nil, err
	}
	payments, err := payment.NewService(payment.ServiceConfig{
		Client: p.client, Records: w.lost.Records(w.records), Ledger: w.lost.Ledger(w.bank), Check: w.check, OnChange: p.tokens.OnPaid,
	})
	if err != nil {
		return nil, err
	}
	rules, err := codeid.ParseRuleset(w.world.Rules, codeid.RuleOptions{})
	if err != nil {
		return nil, err
	}
	flow, err := mpm.NewFlow(mpm.Config{Client: p.client, Identifier: identifier{rules}, Payments: payments})
	if err != nil {
		return nil, err
	}
	p.easyPay, err = easypay.NewService(easypay.Config{Payments: payments, Tokens: p.tokens, Sealer: w.sealer, PageURL: verifyPage, Account: w.account})
	if err != nil {
		return nil, err
	}
	relay, err := alipayplus.NewRelay(alipayplus.RelayConfig{Client: p.client, Queue: w.database, Sealer: w.sealer, Schedule: schedule})
	if err != nil {
		return nil, err
	}
	p.app = flow.Handler(customer)
	p.inbound, err = alipayplus.NewHandler(alipayplus.HandlerConfig{Credentials: a.Client.Credentials, Idempotency: w.idempotency, Lease: 10 * time.Second},
		slices.Concat(payments.Routes("/alipayplus/"), p.easyPay.Routes("/alipayplus/"), p.tokens.Routes("/alipayplus/"))...)
	return []func(context.Context) error{relay.Run, payments.Run, p.tokens.Run}, err
}

type identifier struct{ rules *codeid.Ruleset }

func (i identifier) Identify(_ context.Context, code string) (codeid.Identification, error) {
	return i.rules.Identify(code)
}

// customer is the wallet's login.
func customer(r *http.Request) (string, error) {
	if id := r.Header.Get("X-Customer"); id != "" {
		return id, nil
	}
	return "", errors.New("nobody is signed in")
}

func (w *wallet) rightPIN(customerID, pin string) bool {
	for _, u := range w.world.Users {
		if u.ID == customerID {
			return subtle.ConstantTimeCompare([]byte(u.PIN), []byte(pin)) == 1
		}
	}
	return false
}

// check asks for the PIN before a debit that no page verified.
func (w *wallet) check(_ context.Context, c payment.Check) error {
	if c.Stage == payment.StageDebit && c.Terms.Origin != "" && !w.rightPIN(c.Terms.CustomerID, c.Proof.Reveal()) {
		return payment.Retryable(alipayplus.CodeUserPaymentVerificationFailed)
	}
	return nil
}

func (w *wallet) account(_ context.Context, a easypay.Account) (string, error) {
	for _, u := range w.world.Users {
		if u.LoginID == a.UserLoginID.Reveal() {
			return u.ID, nil
		}
	}
	return "", alipayplus.CodeUserNotExist
}

// handlers are the wallet for the suite.
func (w *wallet) handlers() accept.Handlers {
	return accept.Handlers{
		App:     http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) { w.process().app.ServeHTTP(rw, r) }),
		Inbound: http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) { w.process().inbound.ServeHTTP(rw, r) }),
		Driver: accept.Driver{
			Customer: customer,
			Balance: func(_ context.Context, id string) (string, int64, error) {
				return w.world.Currency, w.bank.Balance(id), nil
			},
			Page:      w.page,
			AuthCode:  w.authCode,
			Unbind:    w.unbind,
			Restart:   func(context.Context) error { return w.start("1") },
			RotateKey: func(_ context.Context, version string) error { return w.start(version) },
			LoseDebit: w.lost.Lose,
		},
	}
}

// page is the verification page without its HTML.
func (w *wallet) page(ctx context.Context, call, pageURL, pin string) (triesLeft int, redirectURL string, err error) {
	link := alipayplus.Conceal(strings.TrimPrefix(pageURL, verifyPage))
	service := w.process().easyPay
	var page easypay.Page
	switch call {
	case "pin":
		page, err = service.Verify(ctx, link, func(_ context.Context, r payment.Record) (bool, error) { return w.rightPIN(r.CustomerID, pin), nil })
	case "resend":
		page, err = service.Resend(ctx, link, func(context.Context, payment.Record) error { return nil })
	case "giveUp":
		page, err = service.GiveUp(ctx, link)
	default:
		page, err = service.Page(ctx, link)
	}
	if errors.Is(err, easypay.ErrLink) {
		return 0, "", accept.ErrNoPage
	}
	return page.TriesLeft, page.Redirect.Reveal(), err
}

func (w *wallet) authCode(ctx context.Context, customerID, authClientID string, scopes []string) ([]byte, error) {
	code, err := w.process().tokens.IssueCode(ctx, auth.Grant{CustomerID: customerID, AuthClientID: authClientID, Scopes: scopes}, scopes)
	if err != nil {
		return nil, err
	}
	return code.MarshalJSON()
}

func (w *wallet) unbind(ctx context.Context, customerID, accessToken string) (bool, error) {
	token, err := w.stores.FindToken(ctx, alipayplus.Conceal(accessToken).Digest())
	if err != nil {
		return false, err
	}
	p := w.process()
	return p.tokens.Unbind(ctx, p.client, token.ID, customerID)
}
