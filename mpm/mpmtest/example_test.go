package mpmtest_test

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/alipayplustest"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
	"github.com/alipayplus-mpp/alipayplus-go/codeid"
	"github.com/alipayplus-mpp/alipayplus-go/mpm"
	"github.com/alipayplus-mpp/alipayplus-go/mpm/mpmtest"
)

// backend is the least that a wallet's backend does. It keeps one payment and
// knows no faults: the example of payment.Record.On is a whole one.
type backend struct {
	client *alipayplus.Client
	rules  *codeid.Ruleset
	flow   *mpm.Flow
	record payment.Record
	origin mpm.Origin
}

func (b *backend) Identify(_ context.Context, code string) (codeid.Identification, error) {
	return b.rules.Identify(code)
}

// next is what the app gets for a code.
func (b *backend) next(step mpm.Step, err error) ([]byte, error) {
	if cashier, ok := step.(mpm.Cashier); ok && err == nil {
		cashier.Terms.PaymentID = "W-1"
		b.origin = cashier.Origin
		b.record, _, err = b.record.On(payment.Opened{Terms: cashier.Terms, At: time.Now()})
	}
	if err != nil {
		return nil, err
	}
	return json.Marshal(step)
}

func (b *backend) scan(ctx context.Context, code string) ([]byte, error) {
	return b.next(b.flow.Scan(ctx, alipayplus.Conceal(code), "customer-1"))
}

func (b *backend) decode(ctx context.Context, code string) ([]byte, error) {
	return b.next(b.flow.Decode(ctx, alipayplus.Conceal(code), "customer-1"))
}

func (b *backend) confirm(ctx context.Context, _ string, amount alipayplus.Amount) ([]byte, error) {
	for _, event := range []payment.Event{
		payment.Confirmed{CustomerID: "customer-1", Amount: amount, At: time.Now()},
		payment.Debited{Attempt: 1, At: time.Now()},
	} {
		next, do, err := b.record.On(event)
		if err != nil {
			return nil, err
		}
		b.record = next
		for _, effect := range do {
			if notify, ok := effect.(payment.Notify); ok {
				if err := b.client.Deliver(ctx, notify.Message); err != nil {
					return nil, err
				}
			}
		}
	}
	return json.Marshal(mpm.ResultPage{Record: b.record, Origin: b.origin})
}

// The workflow of an entry code, from the Scan page to the wallet's home page.
func ExampleApp() {
	tb := &complaints{} // in a test: its t
	g := alipayplustest.New(tb)
	shop := mpmtest.NewMerchant(tb, g)
	shop.Decoded = func(o mpmtest.Order) (*mpm.UserInitiatedPayResponse, error) {
		answer := o.Answer()
		answer.PaymentRedirectURL = alipayplus.Conceal("") // or the app waits six seconds and returns to the merchant
		return answer, nil
	}

	b := &backend{}
	var err error
	if b.client, err = alipayplus.NewClient(g.Config()); err != nil {
		panic(err)
	}
	if b.rules, err = codeid.ParseRuleset(shop.CodeRules(), codeid.RuleOptions{}); err != nil {
		panic(err)
	}
	if b.flow, err = mpm.NewFlow(mpm.Config{Client: b.client, Identifier: b}); err != nil {
		panic(err)
	}

	app := mpmtest.NewApp(shop)
	app.Scan, app.Decode, app.Confirm = b.scan, b.decode, b.confirm
	app.SDK.Amount = alipayplus.Amount{Currency: "JPY", Minor: 100}

	fmt.Println(app.OpenScanPage(""))
	pages, err := app.ScanCode(context.Background(), shop.EntryCode())
	for _, page := range pages {
		fmt.Println("-", page)
	}
	result, _ := shop.Told(shop.Orders()[0].PaymentRequestID)
	fmt.Println("the merchant is told", result, err, tb.texts)
	// Output:
	// [Alipay+ Example Pay]
	// - amount page
	// - cashier page: Example Shoes, KRW 1000
	// - result page: paid KRW 1000
	// - home page
	// the merchant is told S SUCCESS <nil> []
}
