package accept

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"time"
)

// step is the JSON for the app: every member that the checks look at.
type step struct {
	http int

	Step             string `json:"step"`
	PaymentRequestID string `json:"paymentRequestId"`
	PaymentAmount    amount `json:"paymentAmount"`
	DebitAmount      amount `json:"debitAmount"`
	RedirectURL      string `json:"redirectUrl"`
	UserAgent        string `json:"userAgent"`
	ActionType       string `json:"actionType"`
	SDKActionPayload string `json:"sdkActionPayload"`
	ResultCode       string `json:"resultCode"`
	State            string `json:"state"`
	Call             string `json:"call"`
	AskAgainAfterMS  int64  `json:"askAgainAfterMs"`
	Redirect         struct {
		To  string `json:"to"`
		URL string `json:"url"`
	} `json:"redirect"`
	Error   string          `json:"error"`
	Message json.RawMessage `json:"message"`
}

// String says it for a report.
func (s step) String() string {
	text := fmt.Sprintf("HTTP %d", s.http)
	for _, part := range [][2]string{
		{"step", s.Step}, {"state", s.State}, {"resultCode", s.ResultCode}, {"call", s.Call}, {"redirect.to", s.Redirect.To}, {"error", s.Error},
	} {
		if part[1] != "" {
			text += " " + part[0] + "=" + part[1]
		}
	}
	return text
}

// user is a customer at the wallet's app.
type user struct {
	s *scenario
	User
}

// patience is how long the app waits for one answer.
const patience = 30 * time.Second

// ask sends a request of the app or of the driver. An answer that does not come
// in time, or is no JSON, fails the check.
func (u *user) ask(method, base, path string, body object, answer any) (status int) {
	status, err := u.try(method, base, path, body, answer)
	if err != nil {
		u.s.fail("an answer in JSON to "+method+" "+path, "%v", err)
	}
	return status
}

func (u *user) try(method, base, path string, body object, answer any) (status int, err error) {
	var data []byte
	if body != nil {
		data = encode(body)
	}
	what := method + " " + path + " as " + cmp.Or(u.ID, "nobody")
	u.s.log.note("app", "wallet", what, data)
	status, _, text, err := exchangeWith(u.s.ctx, u.s.cfg.Transport, patience, method, strings.TrimSuffix(base, "/")+path, func(h http.Header) {
		for name, value := range u.Header {
			h.Set(name, value)
		}
		if body != nil {
			h.Set("Content-Type", "application/json")
		}
	}, data)
	if err != nil {
		u.s.log.note("wallet", "app", what+": "+err.Error(), nil)
		return 0, err
	}
	u.s.log.note("wallet", "app", fmt.Sprintf("%s: answer, HTTP %d", what, status), text)
	if answer != nil && len(text) > 0 {
		if err := json.Unmarshal(text, answer); err != nil {
			return status, fmt.Errorf("HTTP %d, %s", status, jsonProblem(err))
		}
	}
	return status, nil
}

// jsonProblem says what is wrong with an answer, for who does not know Go.
func jsonProblem(err error) string {
	if wrong := (*json.UnmarshalTypeError)(nil); errors.As(err, &wrong) {
		should := map[reflect.Kind]string{
			reflect.String: "a string", reflect.Struct: "an object", reflect.Slice: "an array",
			reflect.Int: "a number", reflect.Int64: "a number", reflect.Bool: "true or false",
		}
		what := "the body"
		if wrong.Field != "" {
			what = fmt.Sprintf("the member %q", wrong.Field)
		}
		return fmt.Sprintf("%s is of the JSON type %s and should be %s", what, wrong.Value, should[wrong.Type.Kind()])
	}
	return "the body is no JSON"
}

// exchangeWith sends one request.
func exchangeWith(ctx context.Context, transport http.RoundTripper, within time.Duration, method, target string, head func(http.Header), body []byte) (int, http.Header, []byte, error) {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, target, bytes.NewReader(body))
	if err != nil {
		return 0, nil, nil, err
	}
	head(r.Header)
	response, err := transport.RoundTrip(r)
	if err != nil {
		if errors.Is(err, context.DeadlineExceeded) {
			err = fmt.Errorf("no answer within %v", within)
		}
		return 0, nil, nil, err
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	return response.StatusCode, response.Header, text, err
}

// code asks what to do with a code, again while that is pending or unavailable.
func (u *user) code(call, code string) step {
	deadline := time.Now().Add(90 * time.Second)
	for {
		next := step{}
		next.http = u.ask(http.MethodPost, u.s.cfg.Wallet.App, "/"+call, object{"code": code}, &next)
		if next.Step != "pending" && next.http != http.StatusServiceUnavailable || time.Now().After(deadline) {
			return next
		}
		u.s.sleep(max(200*time.Millisecond, min(time.Duration(next.AskAgainAfterMS)*time.Millisecond, 2*time.Second)))
	}
}

func (u *user) scan(o *order) step   { return u.look("scan", o) }
func (u *user) decode(o *order) step { return u.look("decode", o) }

func (u *user) look(call string, o *order) step {
	next := u.code(call, o.code)
	if next.Step == "cashier" || next.Step == "resultPage" {
		u.s.alipay.change(o, func(o *order) { o.seen = true })
	}
	return next
}

// cashier scans o and must get the cashier page.
func (u *user) cashier(o *order) step {
	next := u.scan(o)
	if next.Step != "cashier" || next.PaymentRequestID != o.id || next.DebitAmount != o.debit {
		u.s.fail(fmt.Sprintf("the cashier page of %s over %v", o.id, o.debit), "%v, paymentRequestId %q, debitAmount %v", next, next.PaymentRequestID, next.DebitAmount)
	}
	return next
}

// tap confirms once, and returns what comes.
func (u *user) tap(o *order, a amount, pin string) step {
	next := step{}
	var err error
	next.http, err = u.try(http.MethodPost, u.s.cfg.Wallet.App, "/confirm", u.confirmation(o, a, pin, false), &next)
	if err != nil {
		next.Error = err.Error()
	}
	return next
}

func (u *user) confirmation(o *order, a amount, pin string, consent bool) object {
	body := object{"paymentRequestId": o.id, "amount": a.object()}
	if pin != "" {
		body["proof"] = pin
	}
	if consent {
		body["consent"] = true
	}
	return body
}

// confirm has the user agree on the cashier page, until there is a result.
func (u *user) confirm(o *order) step { return u.confirmed(o, false) }

func (u *user) confirmed(o *order, consent bool) step {
	next := step{}
	next.http = u.ask(http.MethodPost, u.s.cfg.Wallet.App, "/confirm", u.confirmation(o, o.debit, u.PIN, consent), &next)
	return u.until(o, next)
}

// until asks for the result while next does not have it.
func (u *user) until(o *order, next step) step {
	deadline := time.Now().Add(u.s.cfg.notifyWithin())
	for (next.State == "processing" || next.http == http.StatusServiceUnavailable) && time.Now().Before(deadline) {
		u.s.sleep(200 * time.Millisecond)
		next = u.result(o)
	}
	return next
}

// result asks how o is.
func (u *user) result(o *order) step {
	next := step{}
	next.http = u.ask(http.MethodGet, u.s.cfg.Wallet.App, "/payments/"+url.PathEscape(o.id), nil, &next)
	return next
}

// pays scans and pays o.
func (u *user) pays(o *order) step {
	u.cashier(o)
	next := u.confirm(o)
	if next.State != "paid" {
		u.s.fail("the result page of a paid payment", "%v", next)
	}
	return next
}

// balance returns what the user has.
func (u *user) balance() int64 {
	var a amount
	if status := u.ask(http.MethodGet, u.s.cfg.Wallet.Driver, "/balance", nil, &a); status != http.StatusOK || a.Currency != u.s.cfg.Currency || a.minor() < 0 {
		u.s.fail("the balance in "+u.s.cfg.Currency, "HTTP %d, %v", status, a)
	}
	return a.minor()
}

// wrongPIN returns a PIN that is not the user's. The first is the other
// customer's.
func (u *user) wrongPIN(i int) string {
	for _, other := range u.s.cfg.Users {
		if i == 0 && other.PIN != "" && other.PIN != u.PIN {
			return other.PIN
		}
	}
	pin := fmt.Sprintf("%0*d", max(len(u.PIN), 4), i)
	if pin == u.PIN {
		return fmt.Sprintf("%0*d", max(len(u.PIN), 4), i+7000)
	}
	return pin
}

// page is what the verification page shows.
type page struct {
	http        int
	TriesLeft   *int   `json:"triesLeft"`
	RedirectURL string `json:"redirectUrl"`
}

// at does something on the verification page: open, pin, resend, giveUp.
func (u *user) at(call, pageURL, pin string) page {
	body := object{"page": pageURL}
	if call == "pin" {
		body["pin"] = pin
	}
	var p page
	p.http = u.ask(http.MethodPost, u.s.cfg.Wallet.Driver, "/page/"+call, body, &p)
	return p
}

// control calls the driver without a user.
func (s *scenario) control(call string, body object) {
	u := s.user(0)
	if status := u.ask(http.MethodPost, s.cfg.Wallet.Driver, "/"+call, body, nil); status/100 != 2 {
		s.fail("the driver's "+call+" succeeds", "HTTP %d", status)
	}
}

func (s *scenario) restart() { s.control("restart", object{}) }
