package mpmtest_test

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/alipayplustest"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment/paymenttest"
	"github.com/alipayplus-mpp/alipayplus-go/codeid"
	"github.com/alipayplus-mpp/alipayplus-go/mpm"
	"github.com/alipayplus-mpp/alipayplus-go/mpm/mpmtest"
)

// backend is a wallet's backend in memory.
type backend struct {
	app   http.Handler // what its app talks to
	bank  *paymenttest.Bank
	relay *alipayplus.Relay
}

// rules is a rule set as an mpm.Identifier.
type rules struct{ *codeid.Ruleset }

func (r rules) Identify(_ context.Context, code string) (codeid.Identification, error) {
	return r.Ruleset.Identify(code)
}

func newBackend(g *alipayplustest.Gateway, shop *mpmtest.Merchant) backend {
	memory := alipayplus.NewMemory()
	bank := paymenttest.NewBank(memory, "KRW")
	client := must(alipayplus.NewClient(g.Config()))
	payments := must(payment.NewService(payment.ServiceConfig{Client: client, Records: payment.NewMemoryRecords(memory), Ledger: bank}))
	flow := must(mpm.NewFlow(mpm.Config{
		Client: client, Payments: payments, Identifier: rules{must(codeid.ParseRuleset(shop.CodeRules(), codeid.RuleOptions{}))},
	}))
	return backend{
		app:   flow.Handler(func(r *http.Request) (string, error) { return r.Header.Get("X-Customer"), nil }),
		bank:  bank,
		relay: must(alipayplus.NewRelay(alipayplus.RelayConfig{Client: client, Queue: memory})),
	}
}

// The workflow of an entry code, from the Scan page to the wallet's home page.
func ExampleApp() {
	tb := &complaints{} // in a test: its t
	g := alipayplustest.New(tb)
	shop := mpmtest.NewMerchant(tb, g)
	wallet := newBackend(g, shop)
	wallet.bank.Deposit("customer-1", 5_000)
	app := mpmtest.NewApp(shop, wallet.app)
	app.Header.Set("X-Customer", "customer-1")
	app.SDK.Amount = alipayplus.Amount{Currency: "JPY", Minor: 100}
	app.Hurried = true // a test runs in a testing/synctest bubble instead

	fmt.Println(app.OpenScanPage(""))
	pages, err := app.ScanCode(context.Background(), shop.EntryCode())
	for _, page := range pages {
		fmt.Println("-", page)
	}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	go func() { _ = wallet.relay.Run(ctx) }() // in a program: until it ends
	result, told := shop.Told(shop.Orders()[0].PaymentRequestID)
	for ; !told; result, told = shop.Told(shop.Orders()[0].PaymentRequestID) {
		time.Sleep(time.Millisecond)
	}
	fmt.Println("the merchant is told", result, err, tb.texts)
	// Output:
	// [Alipay+ Example Pay]
	// - amount page
	// - cashier page: Example Shoes, KRW 1000
	// - result page: paid KRW 1000
	// - result page of the merchant
	// the merchant is told S SUCCESS <nil> []
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
