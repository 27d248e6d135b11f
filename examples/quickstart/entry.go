package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/alipayplustest"
	"github.com/alipayplus-mpp/alipayplus-go/mpm"
	"github.com/alipayplus-mpp/alipayplus-go/mpm/mpmtest"
)

// app is a phone with the wallet's app and the client SDK. They know of the
// backend nothing but the JSON that it answers, over HTTP.
func (w *world) app() *mpmtest.App {
	app := mpmtest.NewApp(w.shop, alipayplustest.Remote(w.appURL, tracingApp{w.trace, w.appTransport}))
	app.Header.Set("X-Customer", customer)
	app.Hurried = true // the result page does not stay here
	return app
}

// entryCode is the workflow of making a payment with an entry code: the phone
// drives it, the backend only answers.
func (w *world) entryCode(ctx context.Context) error {
	w.trace.title("Entry code: launch, amount page, decode, pay, callback")
	before := w.wallet.balance()
	app := w.app()
	app.SDK.Amount = alipayplus.Amount{Currency: "JPY", Minor: 250} // what the user enters

	w.trace.step("Steps 1-37", "The user scans the code on the counter; what passes through the backend:")
	pages, err := w.drive(ctx, app, w.shop.EntryCode())
	if err != nil {
		return err
	}
	w.trace.say("the user saw: %s", strings.Join(pages, " > "))
	if err := w.wallet.deliver(ctx, w.client, 1); err != nil {
		return err
	}
	return expect("the balance", w.wallet.balance(), before-2500)
}

// limit is a payment over the limit for overseas wallets: Alipay+ answers with an
// action for the client SDK, and nobody is debited.
func (w *world) limit(ctx context.Context) error {
	w.trace.title("Over the limit: HANDLE_BY_SDK, no cashier, no debit")
	before := w.wallet.balance()
	amount := alipayplus.Amount{Currency: "CNY", Minor: 700_001}
	if mpm.MainlandInStore.Check(amount, alipayplus.Amount{}) != mpm.OverTransaction {
		return errors.New("the limit of 7,000 CNY does not show")
	}
	w.shop.Decoded = func(mpmtest.Order) (*mpm.UserInitiatedPayResponse, error) {
		return &mpm.UserInitiatedPayResponse{
			Result:     alipayplus.CodeRegulationRestriction.Result(),
			ActionForm: w.shop.ErrorPage("This payment is above the limit of 7,000 CNY."),
		}, nil
	}
	defer func() { w.shop.Decoded = nil }()

	w.trace.step("Steps 9-16", "The user scans an order code over %v; Alipay+ refuses with an action", amount)
	pages, err := w.drive(ctx, w.app(), w.shop.OrderCode(amount))
	if err != nil {
		return err
	}
	w.trace.say("the user saw: %s", strings.Join(pages, " > "))
	if len(pages) == 0 || !strings.Contains(pages[len(pages)-1], "above the limit") {
		return fmt.Errorf("the user did not see why: %q", pages)
	}
	return expect("the balance", w.wallet.balance(), before)
}

// drive lets the user scan code and prints what the parties on the phone do.
func (w *world) drive(ctx context.Context, app *mpmtest.App, code string) ([]string, error) {
	before := len(w.shop.Journal.Lines())
	pages, err := app.ScanCode(ctx, code)
	w.trace.say("all parties, arrow by arrow:")
	for _, line := range w.shop.Journal.Lines()[before:] {
		w.trace.say("  %s", line)
	}
	return pages, err
}
