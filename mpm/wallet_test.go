package mpm_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/alipayplustest"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment/paymenttest"
	"github.com/alipayplus-mpp/alipayplus-go/codeid"
	"github.com/alipayplus-mpp/alipayplus-go/internal/testkit"
	"github.com/alipayplus-mpp/alipayplus-go/mpm"
)

// wallet is a wallet's backend in memory, as the documentation of package mpm
// has it.
type wallet struct {
	records  *payment.MemoryRecords
	bank     *paymenttest.Bank
	payments *payment.Service
	flow     *mpm.Flow
	relay    *alipayplus.Relay
}

// newWallet makes a wallet at g, with customers alice and bob.
func newWallet(t testing.TB, g *alipayplustest.Gateway, cfg mpm.Config, change ...func(*payment.ServiceConfig)) *wallet {
	t.Helper()
	return newWalletIn(t, "KRW", g, cfg, change...)
}

// newWalletIn makes a wallet whose users have money in a currency.
func newWalletIn(t testing.TB, currency alipayplus.Currency, g *alipayplustest.Gateway, cfg mpm.Config, change ...func(*payment.ServiceConfig)) *wallet {
	t.Helper()
	config := g.Config()
	config.Retry = alipayplus.NoRetry
	client := testkit.Must(alipayplus.NewClient(config))
	memory := alipayplus.NewMemory()
	w := &wallet{records: payment.NewMemoryRecords(memory), bank: paymenttest.NewBank(memory, currency)}
	w.bank.Deposit("alice", 100_000)
	w.bank.Deposit("bob", 100_000)
	service := payment.ServiceConfig{Client: client, Records: w.records, Ledger: w.bank}
	for _, c := range change {
		c(&service)
	}
	w.payments = testkit.Must(payment.NewService(service))
	cfg.Client, cfg.Payments = client, w.payments
	if cfg.Identifier == nil {
		cfg.Identifier = orderRules(t)
	}
	w.flow = testkit.Must(mpm.NewFlow(cfg))
	w.relay = testkit.Must(alipayplus.NewRelay(alipayplus.RelayConfig{Client: client, Queue: memory}))
	return w
}

// deliver lets the relay work for a moment. Use it in a bubble.
func (w *wallet) deliver(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, time.Millisecond)
	defer cancel()
	_ = w.relay.Run(ctx)
}

// find returns the record of a payment.
func (w *wallet) find(t *testing.T, id string) payment.Record {
	t.Helper()
	record, err := w.payments.Find(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return record
}

// customer is the login of the tests.
func customer(r *http.Request) (string, error) {
	id := r.Header.Get("X-Customer")
	if id == "" {
		return "", errors.New("nobody")
	}
	return id, nil
}

// rules is a rule set as an Identifier.
type rules struct {
	set  *codeid.Ruleset
	note func(string)
}

func (r rules) Identify(_ context.Context, code string) (codeid.Identification, error) {
	r.note("backend -> identifier: identify")
	id, err := r.set.Identify(code)
	r.note("identifier -> backend: " + strings.TrimSpace(fmt.Sprint(id.Supported, " ", id.Action)))
	return id, err
}

func newRules(t testing.TB, body []byte, note func(string)) rules {
	t.Helper()
	set, err := codeid.ParseRuleset(body, codeid.RuleOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if note == nil {
		note = func(string) {}
	}
	return rules{set, note}
}

// orderRules know the order codes of these tests.
func orderRules(t testing.TB) rules {
	return newRules(t, []byte(`{"result":{"resultCode":"SUCCESS","resultStatus":"S"},"version":"1","codeRules":[
		{"codeMatchPattern":{"matchMethod":"PREFIX","prefix":"https://qr.example/281"},
		 "postCodeMatchAction":{"postCodeMatchActionType":"DECODE"}}]}`), nil)
}

func jpy(minor int64) alipayplus.Amount { return alipayplus.Amount{Currency: "JPY", Minor: minor} }
func krw(minor int64) alipayplus.Amount { return alipayplus.Amount{Currency: "KRW", Minor: minor} }
func hkd(minor int64) alipayplus.Amount { return alipayplus.Amount{Currency: "HKD", Minor: minor} }
