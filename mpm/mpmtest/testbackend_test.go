package mpmtest_test

import (
	"context"
	"errors"
	"net/http"
	"testing"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/alipayplustest"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/alipayplustest/accept"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment/paymenttest"
	"github.com/alipayplus-mpp/alipayplus-go/codeid"
	"github.com/alipayplus-mpp/alipayplus-go/internal/testkit"
	"github.com/alipayplus-mpp/alipayplus-go/mpm"
	"github.com/alipayplus-mpp/alipayplus-go/mpm/mpmtest"
)

// A wallet of package mpm alone, with its money in the same database and with
// its money in a service of its own, is accepted.
func TestBackend(t *testing.T) {
	for _, c := range []struct {
		name   string
		remote bool
	}{{"ledger", false}, {"remote ledger", true}} {
		t.Run(c.name, func(t *testing.T) {
			mpmtest.TestBackend(t, func(ctx context.Context, a alipayplustest.Acceptance) (accept.Handlers, error) {
				return startBackend(ctx, a, c.remote)
			}, accept.EntryCodes, accept.Freshness, accept.WrongPIN, accept.LostDebits)
		})
	}
}

func startBackend(ctx context.Context, a alipayplustest.Acceptance, remote bool) (accept.Handlers, error) {
	memory := alipayplus.NewMemory()
	pins := map[string]string{}
	bank, remoteBank := paymenttest.NewBank(memory, "HKD"), paymenttest.NewRemoteBank("HKD")
	for _, u := range a.Users {
		pins[u.ID] = u.PIN
		bank.Deposit(u.ID, accept.MinimumBalance)
		remoteBank.Deposit(u.ID, accept.MinimumBalance)
	}
	balance := bank.Balance
	client := testkit.Must(alipayplus.NewClient(a.Client))
	lost := new(paymenttest.LostDebits)
	config := payment.ServiceConfig{
		Client: client, Records: lost.Records(payment.NewMemoryRecords(memory)), Ledger: lost.Ledger(bank),
		Check: func(_ context.Context, c payment.Check) error {
			if c.Stage == payment.StageDebit && c.Proof.Reveal() != pins[c.Terms.CustomerID] {
				return payment.Retryable(alipayplus.CodeUserPaymentVerificationFailed)
			}
			return nil
		},
	}
	if remote {
		config.Ledger, config.RemoteLedger, balance = nil, lost.RemoteLedger(remoteBank), remoteBank.Balance
	}
	payments := testkit.Must(payment.NewService(config))
	rules := testkit.Must(codeid.ParseRuleset(a.Rules, codeid.RuleOptions{}))
	flow := testkit.Must(mpm.NewFlow(mpm.Config{Client: client, Identifier: identifier{rules}, Payments: payments}))
	relay := testkit.Must(alipayplus.NewRelay(alipayplus.RelayConfig{Client: client, Queue: memory}))
	go func() { _ = relay.Run(ctx) }()
	go func() { _ = payments.Run(ctx) }()
	customer := func(r *http.Request) (string, error) {
		if id := r.Header.Get("X-Customer"); id != "" {
			return id, nil
		}
		return "", errors.New("nobody is signed in")
	}
	return accept.Handlers{
		App: flow.Handler(customer),
		Inbound: testkit.Must(alipayplus.NewHandler(alipayplus.HandlerConfig{
			Credentials: a.Client.Credentials, Idempotency: alipayplus.NewMemoryIdempotencyStore(10_000),
		}, payments.Routes("/alipayplus/")...)),
		Driver: accept.Driver{Customer: customer, Balance: func(_ context.Context, id string) (string, int64, error) {
			return a.Currency, balance(id), nil
		}, LoseDebit: lost.Lose},
	}, nil
}

type identifier struct{ rules *codeid.Ruleset }

func (i identifier) Identify(_ context.Context, code string) (codeid.Identification, error) {
	return i.rules.Identify(code)
}
