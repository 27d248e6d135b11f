package main

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/alipayplustest"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/alipayplustest/accept"
	"github.com/alipayplus-mpp/alipayplus-go/codeid"
	"github.com/alipayplus-mpp/alipayplus-go/mpm"
)

// The wallet of the quickstart, with its jobs running all the time, is accepted
// for merchant-presented mode.
func TestAccepted(t *testing.T) {
	cfg := accept.Config{
		Capabilities: []accept.Capability{accept.MerchantMode, accept.EntryCodes, accept.Freshness},
		Currency:     "KRW",
		Users: []accept.User{
			{ID: customer, Header: map[string]string{"X-Customer": customer}},
			{ID: "C-0815", Header: map[string]string{"X-Customer": "C-0815"}},
		},
	}
	for _, c := range accept.List() {
		if c.Number != 245 { // the quickstart allows no other host for notifications
			cfg.Only = append(cfg.Only, c.Number)
		}
	}
	alipayplustest.TestBackend(t, cfg, func(ctx context.Context, a alipayplustest.Acceptance) (accept.Handlers, error) {
		w, err := newWallet()
		if err != nil {
			return accept.Handlers{}, err
		}
		for _, u := range a.Users {
			w.bank.Deposit(u.ID, accept.MinimumBalance)
		}
		client, err := alipayplus.NewClient(a.Client)
		if err != nil {
			return accept.Handlers{}, err
		}
		identifier, err := codeid.Open(ctx, codeid.Config{Client: client})
		if err != nil {
			return accept.Handlers{}, err
		}
		flow, err := mpm.NewFlow(mpm.Config{Client: client, Identifier: identifier, Payments: w.payments})
		if err != nil {
			return accept.Handlers{}, err
		}
		handler, err := alipayplus.NewHandler(
			alipayplus.HandlerConfig{Credentials: a.Client.Credentials, Idempotency: alipayplus.NewMemoryIdempotencyStore(10_000)},
			slices.Concat(w.easyPay.Routes("/alipayplus/"), w.payments.Routes("/alipayplus/"), w.tokens.Routes("/alipayplus/"))...)
		if err != nil {
			return accept.Handlers{}, err
		}
		relay, err := alipayplus.NewRelay(alipayplus.RelayConfig{Client: client, Queue: w.database, Sealer: w.sealer})
		if err != nil {
			return accept.Handlers{}, err
		}
		for _, job := range []func(context.Context) error{relay.Run, w.payments.Run, w.tokens.Run} {
			go func() {
				if err := job(ctx); !errors.Is(err, context.Canceled) {
					t.Error(err)
				}
			}()
		}
		return accept.Handlers{
			App: flow.Handler(login), Inbound: handler,
			Driver: accept.Driver{Customer: login, Balance: func(_ context.Context, id string) (string, int64, error) {
				return a.Currency, w.bank.Balance(id), nil
			}},
		}, nil
	})
}
