package main

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/alipayplustest"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/alipayplustest/accept"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
	"github.com/alipayplus-mpp/alipayplus-go/auth"
	"github.com/alipayplus-mpp/alipayplus-go/codeid"
	"github.com/alipayplus-mpp/alipayplus-go/easypay"
	"github.com/alipayplus-mpp/alipayplus-go/mpm"
)

// The wallet of the quickstart, with its jobs running all the time, is accepted.
func TestAccepted(t *testing.T) {
	cfg := accept.Config{
		Capabilities: []accept.Capability{
			accept.MerchantMode, accept.EntryCodes, accept.EasyPay, accept.OneClick, accept.ResendOTP, accept.AuthCodes, accept.Refresh,
			accept.Freshness,
		},
		Currency: "KRW",
		Users: []accept.User{
			{ID: customer, PIN: "1234", LoginID: loginID, Header: map[string]string{"X-Customer": customer}},
			{ID: "C-0815", PIN: "1234", LoginID: "852-90000815", Header: map[string]string{"X-Customer": "C-0815"}},
		},
	}
	alipayplustest.TestBackend(t, cfg, func(ctx context.Context, a alipayplustest.Acceptance) (accept.Handlers, error) {
		client, err := alipayplus.NewClient(a.Client)
		if err != nil {
			return accept.Handlers{}, err
		}
		w, err := newWallet(client)
		if err != nil {
			return accept.Handlers{}, err
		}
		for _, u := range a.Users {
			w.bank.Deposit(u.ID, accept.MinimumBalance)
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
			Driver: accept.Driver{
				Customer: login,
				Balance: func(_ context.Context, id string) (string, int64, error) {
					return a.Currency, w.bank.Balance(id), nil
				},
				Page: func(ctx context.Context, call, page, pin string) (int, string, error) {
					return w.visit(ctx, call, alipayplus.Conceal(strings.TrimPrefix(page, verifyPage)), pin)
				},
				AuthCode: func(ctx context.Context, id, client string, scopes []string) ([]byte, error) {
					code, err := w.tokens.IssueCode(ctx, auth.Grant{CustomerID: id, AuthClientID: client, Scopes: scopes}, scopes)
					if err != nil {
						return nil, err
					}
					return code.MarshalJSON()
				},
			},
		}, nil
	})
}

// visit is the verification page without its HTML.
func (w *wallet) visit(ctx context.Context, call string, link alipayplus.Secret, pin string) (int, string, error) {
	var page easypay.Page
	var err error
	switch call {
	case "pin":
		page, err = w.easyPay.Verify(ctx, link, func(context.Context, payment.Record) (bool, error) { return pin == "1234", nil })
	case "resend":
		page, err = w.easyPay.Resend(ctx, link, func(context.Context, payment.Record) error { return nil })
	case "giveUp":
		page, err = w.easyPay.GiveUp(ctx, link)
	default:
		page, err = w.easyPay.Page(ctx, link)
	}
	if errors.Is(err, easypay.ErrLink) {
		err = accept.ErrNoPage
	}
	return page.TriesLeft, page.Redirect.Reveal(), err
}
