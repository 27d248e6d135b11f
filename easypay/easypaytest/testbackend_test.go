package easypaytest_test

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/alipayplustest"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/alipayplustest/accept"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment/paymenttest"
	"github.com/alipayplus-mpp/alipayplus-go/auth"
	"github.com/alipayplus-mpp/alipayplus-go/easypay"
	"github.com/alipayplus-mpp/alipayplus-go/easypay/easypaytest"
)

// A wallet of package easypay alone is accepted, with one-click payments, with
// its money in the same database and with its money in a service of its own.
func TestBackend(t *testing.T) {
	for _, c := range []struct {
		name   string
		remote bool
	}{{"ledger", false}, {"remote ledger", true}} {
		t.Run(c.name, func(t *testing.T) {
			easypaytest.TestBackend(t, func(ctx context.Context, a alipayplustest.Acceptance) (accept.Handlers, error) {
				return startBackend(ctx, a, c.remote)
			}, accept.OneClick, accept.ResendOTP, accept.LostDebits)
		})
	}
}

const pageURL = "https://wallet.example/verify/"

func startBackend(ctx context.Context, a alipayplustest.Acceptance, remote bool) (accept.Handlers, error) {
	memory := alipayplus.NewMemory()
	bank, remoteBank := paymenttest.NewBank(memory, "HKD"), paymenttest.NewRemoteBank("HKD")
	pins, logins := map[string]string{}, map[string]string{}
	for _, u := range a.Users {
		pins[u.ID], logins[u.LoginID] = u.PIN, u.ID
		bank.Deposit(u.ID, accept.MinimumBalance)
		remoteBank.Deposit(u.ID, accept.MinimumBalance)
	}
	sealer := must(alipayplus.NewSealer(bytes.Repeat([]byte{7}, 32)))
	tokens := must(auth.NewService(auth.Config{Stores: auth.NewMemoryStores(memory), Outbox: memory, Sealer: sealer}))
	lost, balance := new(paymenttest.LostDebits), bank.Balance
	client := must(alipayplus.NewClient(a.Client))
	config := payment.ServiceConfig{
		Client: client, Records: lost.Records(payment.NewMemoryRecords(memory)), Ledger: lost.Ledger(bank), OnChange: tokens.OnPaid,
	}
	if remote {
		config.Ledger, config.RemoteLedger, balance = nil, lost.RemoteLedger(remoteBank), remoteBank.Balance
	}
	payments := must(payment.NewService(config))
	service := must(easypay.NewService(easypay.Config{
		Payments: payments, Tokens: tokens, Sealer: sealer, PageURL: pageURL,
		Account: func(_ context.Context, account easypay.Account) (string, error) {
			if id := logins[account.UserLoginID.Reveal()]; id != "" {
				return id, nil
			}
			return "", alipayplus.CodeUserNotExist
		},
	}))
	relay := must(alipayplus.NewRelay(alipayplus.RelayConfig{Client: client, Queue: memory, Sealer: sealer}))
	for _, job := range []func(context.Context) error{relay.Run, payments.Run, tokens.Run} {
		go func() { _ = job(ctx) }()
	}
	return accept.Handlers{
		Inbound: must(alipayplus.NewHandler(alipayplus.HandlerConfig{
			Credentials: a.Client.Credentials, Idempotency: alipayplus.NewMemoryIdempotencyStore(10_000),
		}, slices.Concat(service.Routes("/alipayplus/"), payments.Routes("/alipayplus/"), tokens.Routes("/alipayplus/"))...)),
		Driver: accept.Driver{
			Customer:  func(r *http.Request) (string, error) { return r.Header.Get("X-Customer"), nil },
			Balance:   func(_ context.Context, id string) (string, int64, error) { return a.Currency, balance(id), nil },
			LoseDebit: lost.Lose,
			Page: func(ctx context.Context, call, page, pin string) (int, string, error) {
				return visit(ctx, service, call, alipayplus.Conceal(strings.TrimPrefix(page, pageURL)), func(r payment.Record) bool { return pins[r.CustomerID] == pin })
			},
		},
	}, nil
}

// visit does what the verification page does, without HTML.
func visit(ctx context.Context, service *easypay.Service, call string, link alipayplus.Secret, right func(payment.Record) bool) (int, string, error) {
	var page easypay.Page
	var err error
	switch call {
	case "pin":
		page, err = service.Verify(ctx, link, func(_ context.Context, r payment.Record) (bool, error) { return right(r), nil })
	case "resend":
		page, err = service.Resend(ctx, link, func(context.Context, payment.Record) error { return nil })
	case "giveUp":
		page, err = service.GiveUp(ctx, link)
	default:
		page, err = service.Page(ctx, link)
	}
	if errors.Is(err, easypay.ErrLink) {
		err = accept.ErrNoPage
	}
	return page.TriesLeft, page.Redirect.Reveal(), err
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
