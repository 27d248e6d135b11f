package sqltest_test

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/alipayplustest"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/alipayplustest/accept"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment/paymenttest"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/sqlstore"
	"github.com/alipayplus-mpp/alipayplus-go/auth"
	"github.com/alipayplus-mpp/alipayplus-go/codeid"
	"github.com/alipayplus-mpp/alipayplus-go/easypay"
	"github.com/alipayplus-mpp/alipayplus-go/internal/sqltest"
	"github.com/alipayplus-mpp/alipayplus-go/mpm"
)

// A wallet on a database is accepted from outside, over HTTP. The short form
// leaves out the checks that wait.
func TestAcceptance(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, d *sqltest.Database) {
		t.Parallel() // they wait, most of the time
		cfg := accept.Config{Capabilities: accept.Capabilities(), Currency: string(sqltest.Currency), Quick: os.Getenv("ALIPAYPLUS_LONG") == ""}
		cfg.Limits.ResendSeconds = 45
		report, err := accept.RunOverHTTP(t.Context(), cfg, func(_ context.Context, world accept.World) (accept.Handlers, error) {
			return newWhole(t, d, world).handlers(), nil
		})
		must(t, err)
		alipayplustest.ReportAcceptance(t, report)
	})
}

// whole is a wallet with all products on a database.
type whole struct {
	world   accept.World
	d       *sqltest.Database
	store   *sqlstore.Store
	stores  auth.Stores
	sealer  *alipayplus.Sealer
	lost    paymenttest.LostDebits
	mu      sync.Mutex
	process *backendProcess
}

type backendProcess struct {
	stop         context.CancelFunc
	ended        sync.WaitGroup
	client       *alipayplus.Client
	tokens       *auth.Service
	easyPay      *easypay.Service
	app, inbound http.Handler
}

func newWhole(t *testing.T, d *sqltest.Database, world accept.World) *whole {
	t.Helper()
	b := &whole{world: world, d: d}
	b.store, b.stores = openAuth(t, d)
	bank := d.Bank(t)
	for _, u := range world.Users {
		must(t, bank.Deposit(t.Context(), u.ID, accept.MinimumBalance))
	}
	var err error
	b.sealer, err = alipayplus.NewSealer(bytes.Repeat([]byte{1}, 32))
	must(t, err)
	must(t, b.start("1"))
	t.Cleanup(func() {
		b.process.stop()
		b.process.ended.Wait()
		b.process.client.CloseIdleConnections()
	})
	return b
}

// start ends the process and starts another one on the same database, which
// signs with a version of the wallet's key.
func (b *whole) start(version string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.process != nil {
		b.process.stop()
		b.process.ended.Wait()
		b.process.client.CloseIdleConnections()
	}
	a, err := alipayplustest.NewAcceptance(b.world, version)
	if err != nil {
		return err
	}
	var errs []error
	noted := func(err error) { errs = append(errs, err) }
	p := new(backendProcess)
	p.client, err = alipayplus.NewClient(a.Client)
	noted(err)
	p.tokens, err = auth.NewService(auth.Config{Stores: b.stores, Outbox: b.store.Outbox(), Sealer: b.sealer, RoutingNumber: "666", KeepAccessTokens: true})
	noted(err)
	payments, err := payment.NewService(payment.ServiceConfig{
		Client: p.client, Records: b.lost.Records(b.store.Payments()), Ledger: b.lost.Ledger(b.store.Ledger(b.d.OpenBank())), OnChange: p.tokens.OnPaid, Check: b.check,
	})
	noted(err)
	p.easyPay, err = easypay.NewService(easypay.Config{Payments: payments, Tokens: p.tokens, Sealer: b.sealer, PageURL: backendPage, Account: b.account})
	noted(err)
	rules, err := codeid.ParseRuleset(b.world.Rules, codeid.RuleOptions{})
	noted(err)
	flow, err := mpm.NewFlow(mpm.Config{Client: p.client, Identifier: backendRules{rules}, Payments: payments})
	noted(err)
	schedule := alipayplus.Schedule{time.Second, time.Second, 2 * time.Second, 5 * time.Second, 10 * time.Second, time.Minute, 10 * time.Minute}
	relay, err := alipayplus.NewRelay(alipayplus.RelayConfig{Client: p.client, Queue: b.store.Outbox(), Sealer: b.sealer, Schedule: schedule})
	noted(err)
	p.inbound, err = alipayplus.NewHandler(
		alipayplus.HandlerConfig{Credentials: a.Client.Credentials, Idempotency: b.store.Idempotency(), Lease: 10 * time.Second},
		slices.Concat(payments.Routes("/alipayplus/"), p.easyPay.Routes("/alipayplus/"), p.tokens.Routes("/alipayplus/"))...)
	noted(err)
	if err := errors.Join(errs...); err != nil {
		return err
	}
	p.app = flow.Handler(backendCustomer)
	ctx, stop := context.WithCancel(context.Background())
	p.stop = stop
	for _, job := range []func(context.Context) error{relay.Run, payments.Run, p.tokens.Run} {
		p.ended.Go(func() { _ = job(ctx) })
	}
	b.process = p
	return nil
}

const backendPage = "https://wallet.example/verify/"

type backendRules struct{ set *codeid.Ruleset }

func (r backendRules) Identify(_ context.Context, code string) (codeid.Identification, error) {
	return r.set.Identify(code)
}

func backendCustomer(r *http.Request) (string, error) {
	if id := r.Header.Get("X-Customer"); id != "" {
		return id, nil
	}
	return "", errors.New("nobody is signed in")
}

func (b *whole) now() *backendProcess {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.process
}

func (b *whole) pin(customerID string) string {
	for _, u := range b.world.Users {
		if u.ID == customerID {
			return u.PIN
		}
	}
	return ""
}

// check asks for the PIN before a debit that no page verified.
func (b *whole) check(_ context.Context, c payment.Check) error {
	if c.Stage == payment.StageDebit && c.Terms.Origin != "" && c.Proof.Reveal() != b.pin(c.Terms.CustomerID) {
		return payment.Retryable(alipayplus.CodeUserPaymentVerificationFailed)
	}
	return nil
}

func (b *whole) account(_ context.Context, a easypay.Account) (string, error) {
	for _, u := range b.world.Users {
		if u.LoginID == a.UserLoginID.Reveal() {
			return u.ID, nil
		}
	}
	return "", alipayplus.CodeUserNotExist
}

func (b *whole) handlers() accept.Handlers {
	return accept.Handlers{
		App:     http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { b.now().app.ServeHTTP(w, r) }),
		Inbound: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { b.now().inbound.ServeHTTP(w, r) }),
		Driver: accept.Driver{
			Customer: backendCustomer,
			Balance: func(ctx context.Context, id string) (currency string, minor int64, err error) {
				err = b.d.DB.QueryRowContext(ctx, b.d.Text("SELECT balance FROM account WHERE customer = ?1"), id).Scan(&minor)
				return b.world.Currency, minor, err
			},
			Page: b.page,
			AuthCode: func(ctx context.Context, id, client string, scopes []string) ([]byte, error) {
				code, err := b.now().tokens.IssueCode(ctx, auth.Grant{CustomerID: id, AuthClientID: client, Scopes: scopes}, scopes)
				if err != nil {
					return nil, err
				}
				return code.MarshalJSON()
			},
			Unbind: func(ctx context.Context, id, accessToken string) (bool, error) {
				token, err := b.stores.FindToken(ctx, alipayplus.Conceal(accessToken).Digest())
				if err != nil {
					return false, err
				}
				return b.now().tokens.Unbind(ctx, b.now().client, token.ID, id)
			},
			Restart:   func(context.Context) error { return b.start("1") },
			RotateKey: func(_ context.Context, version string) error { return b.start(version) },
			LoseDebit: b.lost.Lose,
		},
	}
}

func (b *whole) page(ctx context.Context, call, page, pin string) (int, string, error) {
	link, service := alipayplus.Conceal(strings.TrimPrefix(page, backendPage)), b.now().easyPay
	var shown easypay.Page
	var err error
	switch call {
	case "pin":
		shown, err = service.Verify(ctx, link, func(_ context.Context, r payment.Record) (bool, error) { return pin == b.pin(r.CustomerID), nil })
	case "resend":
		shown, err = service.Resend(ctx, link, func(context.Context, payment.Record) error { return nil })
	case "giveUp":
		shown, err = service.GiveUp(ctx, link)
	default:
		shown, err = service.Page(ctx, link)
	}
	if errors.Is(err, easypay.ErrLink) {
		err = accept.ErrNoPage
	}
	return shown.TriesLeft, shown.Redirect.Reveal(), err
}
