package mpmtest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
)

// App plays the wallet's app with a user who agrees to every payment. It does
// what the JSON of the backend says and nothing else. It is not safe for
// concurrent use.
//
// The four functions are the wallet's backend for the user who is signed in.
// Each returns the JSON that the backend sends to the app: of an mpm.Step or of
// an mpm.Outcome.
type App struct {
	// SDK is the client SDK on the same phone. NewApp makes one that calls Decode
	// below; a merchant of the Chinese mainland needs SDK.GetAuthCode, too.
	SDK *SDK

	// Scan is asked for a code that the user scanned, again while it is pending.
	Scan func(ctx context.Context, code string) ([]byte, error)
	// Decode is asked for a code that the client SDK intercepted.
	Decode func(ctx context.Context, code string) ([]byte, error)
	// Confirm is told that the user agreed to pay amount, the debitAmount that
	// the cashier page showed.
	Confirm func(ctx context.Context, paymentRequestID string, amount alipayplus.Amount) ([]byte, error)
	// Outcome is asked how a payment stands, again while it is not final.
	Outcome func(ctx context.Context, paymentRequestID string) ([]byte, error)

	// Wait lets the time pass that a page stays or that the app waits before it
	// asks again. nil waits on the clock, which suits a testing/synctest bubble;
	// a demonstration may give one that does not wait.
	Wait func(ctx context.Context, d time.Duration) error
}

// NewApp makes an App on a phone near m.
func NewApp(m *Merchant) *App {
	a := &App{}
	a.SDK = &SDK{Merchant: m, Region: "JP", Decode: func(ctx context.Context, code string, callback *Callback) {
		if err := a.askFor(ctx, "decode", a.Decode, code, callback); err != nil {
			m.tb.Errorf("mpmtest: decode: %v", err)
		}
	}}
	return a
}

// askAgain is how long the app waits before it asks for an outcome again.
const askAgain = 2 * time.Second

// OpenScanPage is the user opening the Scan page. The region goes to
// getAcceptanceMarkLogos, which returns what the page shows.
func (a *App) OpenScanPage(region string) (logos []string) {
	a.note("user -> app: opens the Scan page")
	logos = a.SDK.GetAcceptanceMarkLogos(region)
	a.note("app -> user: Scan page")
	return logos
}

// ScanCode is the user scanning code and paying. It returns the pages that the
// user saw, from the wallet, the merchant and the client SDK. An error means that
// the backend failed or that its JSON does not say what to do.
//
// Pages that wait do so on the clock: run it in a testing/synctest bubble.
func (a *App) ScanCode(ctx context.Context, code string) (pages []string, err error) {
	journal := &a.SDK.Merchant.Journal
	before := len(journal.Lines())
	a.note("user -> app: scans a code")
	err = a.askFor(ctx, "scan", a.Scan, code, nil)
	return journal.pages(before), err
}

// askFor asks the backend what to do with code and does it. callback is that of
// the client SDK, if the code came from there.
func (a *App) askFor(ctx context.Context, what string, ask func(context.Context, string) ([]byte, error), code string, callback *Callback) error {
	if ask == nil {
		return errors.New("mpmtest: App." + what + " is not set")
	}
	for {
		a.note("app -> backend: " + what)
		data, err := ask(ctx, code)
		if err != nil {
			return err
		}
		step, err := read(data)
		if err != nil {
			return err
		}
		a.note("backend -> app: " + step.Step)
		switch step.Step {
		case "local", "rejected", "unsupported":
			a.note("app -> user: page of the wallet's own logic: " + step.Step)
			return a.call(step, callback)
		case "launch":
			return a.SDK.Launch(ctx, step.RedirectURL, step.UserAgent, step.ACDecodeConfig)
		case "cashier":
			return a.cashier(ctx, step, callback)
		case "sdkAction":
			return a.call(step, callback)
		case "failed":
			a.note("app -> user: " + step.Message.Text)
			return a.call(step, callback)
		case "outcome": // a code that was scanned before
			return a.outcome(ctx, step, callback)
		case "pending":
			a.note("app -> user: please wait")
			if step.AskAgainAfterMS <= 0 {
				return errors.New("mpmtest: pending does not say when to ask again")
			}
			if err := a.wait(ctx, time.Duration(step.AskAgainAfterMS)*time.Millisecond); err != nil {
				return err
			}
		default:
			return fmt.Errorf("mpmtest: the app does not know the step %q", step.Step)
		}
	}
}

// cashier shows the cashier page; the user agrees.
func (a *App) cashier(ctx context.Context, step answer, callback *Callback) error {
	a.note(fmt.Sprintf("app -> user: cashier page: %s, %s", step.MerchantName, step.DebitAmount.Display))
	amount, err := step.DebitAmount.amount()
	switch {
	case err != nil:
		return fmt.Errorf("mpmtest: the debitAmount of the cashier page: %w", err)
	case a.Confirm == nil:
		return errors.New("mpmtest: App.Confirm is not set")
	}
	a.note("user -> app: agrees")
	a.note("app -> backend: confirm")
	data, err := a.Confirm(ctx, step.PaymentRequestID, amount)
	if err != nil {
		return err
	}
	next, err := read(data)
	if err != nil {
		return err
	}
	a.note("backend -> app: " + next.Step + " " + next.State)
	switch next.Step {
	case "failed":
		a.note("app -> user: " + next.Message.Text)
		return a.call(next, callback)
	case "outcome":
		return a.outcome(ctx, next, callback)
	}
	return fmt.Errorf("mpmtest: %q does not answer a confirmation", next.Step)
}

// outcome waits for the end of a payment and shows it.
func (a *App) outcome(ctx context.Context, step answer, callback *Callback) error {
	for state := ""; ; {
		if state != step.State { // a new page
			state = step.State
			switch state {
			case "open":
				a.note("app -> user: cashier page again: " + step.Message.Text)
			case "processing":
				a.note("app -> user: in progress")
			case "paid":
				a.note("app -> user: result page: paid " + step.DebitAmount.Display)
			case "failed", "closed":
				a.note("app -> user: result page: " + state + ": " + step.Message.Text)
			default:
				return fmt.Errorf("mpmtest: the app does not know the state %q", state)
			}
		}
		if state != "open" && state != "processing" {
			break
		}
		if a.Outcome == nil {
			return errors.New("mpmtest: App.Outcome is not set")
		}
		if err := a.wait(ctx, askAgain); err != nil {
			return err
		}
		data, err := a.Outcome(ctx, step.PaymentRequestID)
		if err != nil {
			return err
		}
		if step, err = read(data); err != nil {
			return err
		}
		if step.Step != "outcome" {
			return fmt.Errorf("mpmtest: %q does not say how a payment stands", step.Step)
		}
	}
	if err := a.call(step, callback); err != nil {
		return err
	}
	return a.redirect(ctx, step)
}

// redirect leaves the result page.
func (a *App) redirect(ctx context.Context, step answer) error {
	switch step.Redirect.To {
	case "merchant":
		if err := a.wait(ctx, time.Duration(step.Redirect.AfterSeconds)*time.Second); err != nil {
			return err
		}
		a.note("app -> merchant: paymentRedirectUrl in a WebView")
		_, err := a.SDK.Merchant.load(ctx, step.Redirect.URL, "", alipayplus.Amount{})
		return err
	case "home":
		a.note("app -> user: home page")
		return nil
	}
	return fmt.Errorf("mpmtest: the app does not know where %q is", step.Redirect.To)
}

// call calls the function of the client SDK that the JSON names.
func (a *App) call(step answer, callback *Callback) error {
	switch {
	case step.Call == "handleAction":
		a.SDK.HandleAction(step.SDKActionPayload)
	case step.Call == "onSuccess" && callback != nil:
		callback.OnSuccess(step.SDKActionPayload)
	case step.Call == "onFailure" && callback != nil:
		callback.OnFailure(step.ResultCode, step.Message.Text)
	case step.Call != "":
		return fmt.Errorf("mpmtest: the JSON asks for %q of a callback that nobody waits for", step.Call)
	}
	if callback != nil && !callback.ran {
		return errors.New("mpmtest: the JSON leaves the callback of decode open")
	}
	return nil
}

func (a *App) note(line string) { a.SDK.Merchant.Journal.Note(line) }

func (a *App) wait(ctx context.Context, d time.Duration) error {
	if a.Wait != nil {
		return a.Wait(ctx, d)
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
