package mpmtest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
)

// App plays the wallet's app with a user who agrees to every payment. It knows
// of the backend nothing but its JSON, asks with the four requests that
// mpm.Flow.Handler serves, and does what the answers say. It is not safe for
// concurrent use.
type App struct {
	// SDK is the client SDK on the same phone. NewApp makes one whose Decode
	// asks the backend; a merchant of the Chinese mainland needs
	// SDK.GetAuthCode, too.
	SDK *SDK
	// Backend is what is under test: mpm.Flow.Handler, or a handler of the
	// wallet's own with the same paths and JSON. alipayplustest.Remote makes
	// one of a server.
	Backend http.Handler
	// Header is sent with every request: it says who is signed in.
	Header http.Header
	// Consent is what the user says when the cashier page asks to bind the
	// account. Source and Proof are sent with every confirmation.
	Consent       bool
	Source, Proof string
	// Refused, if set, is called when the debit was refused and the user may
	// try again, with the code and the text that they see. It says whether they
	// do, for example after it put money into the account. nil: the user
	// leaves.
	Refused func(resultCode, message string) (again bool)
	// Hurried leaves the result page at once, instead of when it returns to the
	// merchant by itself. The app waits all the same before it asks again.
	Hurried bool
}

// NewApp makes an App on a phone near m. Where it waits, it waits on the clock
// until its context ends: use it in a testing/synctest bubble.
func NewApp(m *Merchant, backend http.Handler) *App {
	a := &App{Backend: backend, Header: make(http.Header)}
	a.SDK = &SDK{Merchant: m, Region: "JP", Decode: func(ctx context.Context, code string, callback *Callback) {
		callback.abandon(a.askFor(ctx, "decode", code, callback))
	}}
	return a
}

// askAgain is how long the app waits before it asks for a payment again.
const askAgain = 2 * time.Second

// OpenScanPage opens the Scan page, as the user does. The region goes to
// getAcceptanceMarkLogos, which returns what the page shows.
func (a *App) OpenScanPage(region string) (logos []string) {
	a.note("user -> app: opens the Scan page")
	logos = a.SDK.GetAcceptanceMarkLogos(region)
	a.note("app -> user: Scan page")
	return logos
}

// ScanCode scans code and pays, as the user does. It returns the pages that the
// user saw, from the wallet, the merchant and the client SDK. An error means
// that ctx ended, that the backend failed, or that its JSON does not say what
// to do.
func (a *App) ScanCode(ctx context.Context, code string) (pages []string, err error) {
	journal := &a.SDK.Merchant.Journal
	before := len(journal.Lines())
	a.note("user -> app: scans a code")
	err = a.askFor(ctx, "scan", code, nil)
	return journal.pages(before), err
}

// askFor asks the backend what to do with code and does it. callback is that of
// the client SDK, if the code came from there.
func (a *App) askFor(ctx context.Context, what, code string, callback *Callback) error {
	for {
		a.note("app -> backend: " + what)
		step, err := a.ask(ctx, http.MethodPost, "/"+what, map[string]any{"code": code})
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
		case "resultPage": // a code that was scanned before
			return a.result(ctx, step, callback)
		case "pending":
			a.note("app -> user: please wait")
			if step.AskAgainAfterMS <= 0 {
				return errors.New("mpmtest: pending does not say when to ask again")
			}
			if err := wait(ctx, time.Duration(step.AskAgainAfterMS)*time.Millisecond); err != nil {
				return err
			}
		default:
			return fmt.Errorf("mpmtest: the app does not know the step %q", step.Step)
		}
	}
}

// cashier shows the cashier page until the user has paid, or cannot.
func (a *App) cashier(ctx context.Context, step answer, callback *Callback) error {
	for {
		a.note(fmt.Sprintf("app -> user: cashier page: %s, %s", step.MerchantName, step.DebitAmount.Display))
		amount, err := step.DebitAmount.amount()
		if err != nil {
			return fmt.Errorf("mpmtest: the debitAmount of the cashier page: %w", err)
		}
		next, err := a.confirm(ctx, step, amount)
		if err != nil {
			return err
		}
		switch {
		case next.Step == "resultPage" && next.State == "open":
			a.note("app -> user: cashier page again: " + next.Message.Text)
			if a.Refused == nil || !a.Refused(next.ResultCode, next.Message.Text) {
				return a.leave(next, callback)
			}
		case next.Step == "resultPage":
			return a.result(ctx, next, callback)
		case next.Error == "amount_changed" && next.Cashier != nil:
			a.note("backend -> app: another amount")
			step = *next.Cashier
		default:
			return fmt.Errorf("mpmtest: %q does not answer a confirmation", next.Step)
		}
	}
}

// confirm sends what the user agreed to.
func (a *App) confirm(ctx context.Context, step answer, amount alipayplus.Amount) (answer, error) {
	a.note("user -> app: agrees")
	a.note("app -> backend: confirm")
	body := map[string]any{"paymentRequestId": step.PaymentRequestID, "amount": amount}
	if step.Consent != nil {
		body["consent"] = a.Consent
	}
	if a.Source != "" {
		body["source"] = a.Source
	}
	if a.Proof != "" {
		body["proof"] = a.Proof
	}
	next, err := a.ask(ctx, http.MethodPost, "/confirm", body)
	if err == nil && next.Step != "" {
		a.note("backend -> app: " + next.Step + " " + next.State)
	}
	return next, err
}

// leave leaves the cashier page, for a user who cannot pay.
func (a *App) leave(step answer, callback *Callback) error {
	a.note("user -> app: leaves the cashier page")
	if callback != nil {
		callback.OnFailure(step.ResultCode, step.Message.Text)
	}
	return nil
}

// result waits for the end of a payment and shows it.
func (a *App) result(ctx context.Context, step answer, callback *Callback) error {
	for state := ""; ; {
		if state != step.State { // a new page
			state = step.State
			switch state {
			case "open": // the debit was refused meanwhile
				a.note("app -> user: cashier page again: " + step.Message.Text)
				return a.leave(step, callback)
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
		if state != "processing" {
			break
		}
		if err := wait(ctx, askAgain); err != nil {
			return err
		}
		var err error
		if step, err = a.ask(ctx, http.MethodGet, "/payments/"+url.PathEscape(step.PaymentRequestID), nil); err != nil {
			return err
		}
		if step.Step != "resultPage" {
			return fmt.Errorf("mpmtest: %q is no result page of a payment", step.Step)
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
		if !a.Hurried {
			if err := wait(ctx, time.Duration(step.Redirect.AfterSeconds)*time.Second); err != nil {
				return err
			}
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
	if callback != nil && !callback.ran.Load() {
		return errors.New("mpmtest: the JSON leaves the callback of decode open")
	}
	return nil
}

func (a *App) note(line string) { a.SDK.Merchant.Journal.Note(line) }

// wait lets time pass until ctx ends.
func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return ctx.Err()
	case <-ctx.Done():
		return ctx.Err()
	}
}
