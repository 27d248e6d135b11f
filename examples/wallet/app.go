package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// app is what the phone knows of the backend: an address, a login, and the JSON
// of mpm/APP.md.
type app struct{ url string }

// step is the backend's answer: what to do next.
type step struct {
	Step             string `json:"step"`
	PaymentRequestID string `json:"paymentRequestId"`

	MerchantName     string `json:"merchantName"`
	StoreName        string `json:"storeName"`
	OrderDescription string `json:"orderDescription"`
	PaymentAmount    money  `json:"paymentAmount"`
	PayToAmount      money  `json:"payToAmount"`
	DebitAmount      money  `json:"debitAmount"`
	SurchargeAmount  money  `json:"surchargeAmount"`
	Savings          []struct {
		Name   string `json:"name"`
		Amount money  `json:"amount"`
	} `json:"savings"`
	Quote          rate `json:"quote"`
	SurchargeQuote rate `json:"surchargeQuote"`
	Consent        *struct {
		AuthClientID string `json:"authClientId"`
	} `json:"consent"`

	RedirectURL string `json:"redirectUrl"` // of launch

	Payload string `json:"sdkActionPayload"`

	State      string `json:"state"`
	ResultCode string `json:"resultCode"`
	Message    struct {
		Text    string `json:"text"`
		Support bool   `json:"support"`
	} `json:"message"`
	Cashier  *step `json:"cashier"` // of a result page that is open: what to show again
	Redirect struct {
		To    string `json:"to"`
		URL   string `json:"url"`
		After int    `json:"afterSeconds"`
	} `json:"redirect"`

	AskAgain int `json:"askAgainAfterMs"`
}

// money is an amount with the text to show.
type money struct {
	Currency string `json:"currency"`
	Value    string `json:"value"`
	Display  string `json:"display"`
}

// Text is what is shown: display, with commas between thousands.
func (m money) Text() string {
	in, number, ok := strings.Cut(m.Display, " ")
	if !ok {
		return m.Display
	}
	whole, fraction, cents := strings.Cut(number, ".")
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	if cents {
		whole += "." + fraction
	}
	return in + " " + whole
}

type rate struct {
	Pair  string `json:"currencyPair"`
	Price string `json:"price"`
}

// unknown is the step when the backend did not say what comes next: ask again.
var unknown = step{Step: "unavailable", AskAgain: 2000}

func (a app) scan(ctx context.Context, user, code string) (step, error) {
	return a.ask(ctx, user, http.MethodPost, "/scan", map[string]any{"code": code})
}

func (a app) decode(ctx context.Context, user, code string) (step, error) {
	return a.ask(ctx, user, http.MethodPost, "/decode", map[string]any{"code": code})
}

func (a app) confirm(ctx context.Context, user string, s step, consent bool, pin string) (step, error) {
	return a.ask(ctx, user, http.MethodPost, "/confirm", map[string]any{
		"paymentRequestId": s.PaymentRequestID, "amount": s.DebitAmount, "consent": consent, "source": "balance", "proof": pin,
	})
}

func (a app) payment(ctx context.Context, user, id string) (step, error) {
	return a.ask(ctx, user, http.MethodGet, "/payments/"+url.PathEscape(id), nil)
}

func (a app) ask(ctx context.Context, user, method, path string, question any) (step, error) {
	var body []byte
	if question != nil {
		var err error
		if body, err = json.Marshal(question); err != nil {
			return step{}, err
		}
	}
	r, err := http.NewRequestWithContext(ctx, method, a.url+path, bytes.NewReader(body))
	if err != nil {
		return step{}, err
	}
	r.Header.Set("Authorization", "Bearer "+user)
	r.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return step{}, err
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return step{}, err
	}
	switch response.StatusCode {
	case http.StatusOK:
		var s step
		return s, json.Unmarshal(text, &s)
	case http.StatusConflict:
		var changed struct {
			Cashier step `json:"cashier"`
		}
		return changed.Cashier, json.Unmarshal(text, &changed)
	case http.StatusServiceUnavailable:
		return unknown, nil
	}
	return step{}, fmt.Errorf("the backend answers HTTP %d: %s", response.StatusCode, text)
}
