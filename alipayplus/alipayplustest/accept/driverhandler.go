package accept

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
)

// Driver serves the calls of the driver for a wallet in Go. A function that is
// nil is a call that is not there. Never serve it in production.
type Driver struct {
	// Customer names who is signed in. Required.
	Customer func(*http.Request) (id string, err error)
	// Balance returns what the customer has, in smallest units. Required.
	Balance func(ctx context.Context, customerID string) (currency string, minor int64, err error)
	// Page does what the user does on the verification page: "open", "pin" (with
	// the PIN that was entered), "resend" or "giveUp". redirectURL is "" while the
	// verification goes on. The error of a URL that is no page is [ErrNoPage].
	Page func(ctx context.Context, call, pageURL, pin string) (triesLeft int, redirectURL string, err error)
	// AuthCode returns the JSON that the app hands to getAuthCode.
	AuthCode func(ctx context.Context, customerID, authClientID string, scopes []string) ([]byte, error)
	// Unbind has the user end the agreement that accessToken belongs to.
	Unbind func(ctx context.Context, customerID, accessToken string) (unbound bool, err error)
	// Restart ends the process as a crash does, and starts another one on the
	// same database.
	Restart func(ctx context.Context) error
	// RotateKey makes the wallet sign with another of its keys.
	RotateKey func(ctx context.Context, version string) error
	// LoseDebit loses the answer of the customer's next debit: after it landed, or
	// before anything happened. paymenttest.LostDebits does so for a wallet that
	// is made of package payment.
	LoseDebit func(ctx context.Context, customerID string, landed bool) error
}

// ErrNoPage is the error of [Driver.Page] for a URL that is no page.
var ErrNoPage = errors.New("accept: there is no such page")

var errNoCall = errors.New("accept: the driver has no such call")

// ServeHTTP answers the suite.
func (d Driver) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	customer, err := d.Customer(r)
	if err != nil || customer == "" {
		writeJSON(w, http.StatusUnauthorized, object{"error": "unauthenticated"})
		return
	}
	var body struct {
		Page, PIN, AuthClientID, AccessToken, Version string
		Scopes                                        []string
		Landed                                        bool
	}
	data, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	if err == nil && len(data) > 0 {
		err = json.Unmarshal(data, &body)
	}
	if err != nil {
		writeJSON(w, http.StatusBadRequest, object{"error": "bad_request"})
		return
	}
	var answer any = object{}
	ctx := r.Context()
	switch r.URL.Path {
	case "/balance":
		var a amount
		var minor int64
		a.Currency, minor, err = d.Balance(ctx, customer)
		a.Value = strconv.FormatInt(minor, 10)
		answer = a
	case "/page/open", "/page/pin", "/page/resend", "/page/giveUp":
		if err = errNoCall; d.Page != nil {
			var tries int
			var redirect string
			tries, redirect, err = d.Page(ctx, r.URL.Path[len("/page/"):], body.Page, body.PIN)
			answer = object{"triesLeft": tries, "redirectUrl": redirect}
		}
	case "/authCode":
		if err = errNoCall; d.AuthCode != nil {
			var raw json.RawMessage
			raw, err = d.AuthCode(ctx, customer, body.AuthClientID, body.Scopes)
			answer = raw
		}
	case "/unbind":
		if err = errNoCall; d.Unbind != nil {
			var unbound bool
			unbound, err = d.Unbind(ctx, customer, body.AccessToken)
			answer = object{"unbound": unbound}
		}
	case "/restart":
		if err = errNoCall; d.Restart != nil {
			err = d.Restart(ctx)
		}
	case "/rotateKey":
		if err = errNoCall; d.RotateKey != nil {
			err = d.RotateKey(ctx, body.Version)
		}
	case "/loseDebit":
		if err = errNoCall; d.LoseDebit != nil {
			err = d.LoseDebit(ctx, customer, body.Landed)
		}
	default:
		err = errNoCall
	}
	switch {
	case errors.Is(err, ErrNoPage), errors.Is(err, errNoCall):
		writeJSON(w, http.StatusNotFound, object{"error": "not_found"})
	case err != nil:
		writeJSON(w, http.StatusInternalServerError, object{"error": "internal", "message": err.Error()})
	default:
		writeJSON(w, http.StatusOK, answer)
	}
}

func writeJSON(w http.ResponseWriter, status int, answer any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(encode(answer))
}
