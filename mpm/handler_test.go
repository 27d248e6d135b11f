package mpm_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/alipayplustest"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
	"github.com/alipayplus-mpp/alipayplus-go/codeid"
	"github.com/alipayplus-mpp/alipayplus-go/internal/testkit"
	"github.com/alipayplus-mpp/alipayplus-go/mpm"
)

// bearer is the login of APP.md.
func bearer(r *http.Request) (string, error) {
	id, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok {
		return "", errors.New("a secret reason")
	}
	return id, nil
}

// post asks h as alice.
func post(h http.Handler, path, body string, change ...func(*http.Request)) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer alice")
	r.Header.Set("Content-Type", "application/json")
	for _, c := range change {
		c(r)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// media makes a request say what its body is.
func media(value string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set("Content-Type", value) }
}

func get(h http.Handler, path string) *httptest.ResponseRecorder {
	return post(h, path, "", func(r *http.Request) { r.Method = http.MethodGet })
}

// appWallet makes the wallet of APP.md.
func appWallet(t *testing.T, log *bytes.Buffer) http.Handler {
	g := alipayplustest.New(t)
	alipayplustest.Answer(g, mpm.UserInitiatedPay, func(_ context.Context, r *mpm.UserInitiatedPayRequest) (*mpm.UserInitiatedPayResponse, error) {
		switch value := r.CodeValue.Reveal(); value[len(value)-1] {
		case '1':
			return changed(func(a *mpm.UserInitiatedPayResponse) {
				a.PaymentRequestID = "2025030119074101000001"
				a.Order.OrderDescription = "Shoes"
				a.Order.Merchant.MerchantName, a.Order.Merchant.Store.StoreName = "Example Shoes", "Second branch"
				a.PaymentAmount, a.PayToAmount = jpy(995), hkd(8518)
				a.PaymentQuote = payment.Quote{QuoteCurrencyPair: "JPY/HKD", QuotePrice: "8.5614"}
				a.PaymentFactor.NeedSurcharge = alipayplus.True
				a.SurchargeInfo = payment.SurchargeInfo{SurchargeAmount: hkd(8916), SurchargeQuote: payment.Quote{QuoteCurrencyPair: "JPY/HKD", QuotePrice: "8.9614"}}
				a.PaymentPromoInfo.PaymentPromoDetails = []payment.PromoDetail{{PromoName: "Coupon", SavingsAmount: hkd(43)}}
				a.PaymentFactor.IsAuthorizationAndPay = alipayplus.True
				a.AuthorizationInfo = payment.AuthorizationInfo{AuthClientID: "AUTH_CLIENT_01", ReferenceAgreementID: "A1", AuthState: alipayplus.Conceal("s")}
				a.PaymentRedirectURL = alipayplus.Conceal("https://shop.example/orders/7")
			}), nil
		case '2':
			return &mpm.UserInitiatedPayResponse{
				Result:     alipayplus.CodeRegulationRestriction.Result(),
				ActionForm: payment.ActionForm{ActionType: "HANDLE_BY_SDK", SDKActionPayload: alipayplus.Conceal(`{"page":1}`)},
			}, nil
		case '3':
			return nil, alipayplus.CodeExpiredCode
		}
		return nil, alipayplus.CodeUnknownException
	})
	list := func(prefix string) *codeid.List {
		return testkit.Must(codeid.NewList(codeid.Entry{Kind: codeid.KindPrefix, Value: prefix}))
	}
	w := newWalletIn(t, "HKD", g, mpm.Config{
		Identifier: newRules(t, []byte(`{"result":{"resultCode":"SUCCESS","resultStatus":"S"},"version":"1","codeRules":[
			{"codeMatchPattern":{"matchMethod":"PREFIX","prefix":"https://qr.example/281"},"postCodeMatchAction":{"postCodeMatchActionType":"DECODE"}},
			{"codeMatchPattern":{"matchMethod":"PREFIX","prefix":"https://shop.example/entry/"},
			 "postCodeMatchAction":{"postCodeMatchActionType":"OPEN_URL","urlConstructionMethod":"USE_DIRECTLY"}}]}`), nil),
		Filter: codeid.NewFilter(codeid.Lists{Local: list("EXW1"), Block: list("BAD1")}),
		Logger: slog.New(slog.NewTextHandler(log, nil)),
	}, func(cfg *payment.ServiceConfig) {
		cfg.Records = gone{cfg.Records.(*payment.MemoryRecords)}
		cfg.Check = func(_ context.Context, c payment.Check) error {
			if c.Stage == payment.StageDebit && c.Terms.PaymentRequestID == "2025030119074101000002" {
				return errors.New("risk control is out of order")
			}
			if c.Stage == payment.StageDebit && c.Proof.Reveal() != "1234" {
				return payment.Retryable(alipayplus.CodeUserPaymentVerificationFailed)
			}
			return nil
		}
	})
	// A payment whose debit is under way, as only a RemoteLedger has it, and
	// one that was cancelled. One of Easy Pay, too, which is not confirmed on a
	// cashier page.
	for id, events := range map[string][]payment.Event{
		"2025030119074101000004": nil,
		"2025030119074101000002": {payment.Confirmed{CustomerID: "alice", Amount: hkd(8518), At: time.Now()}},
		"2025030119074101000003": {payment.Cancelled{At: time.Now()}},
	} {
		terms := payment.Terms{
			PaymentRequestID: id, PaymentID: "W-" + id, CustomerID: "alice", CodeValueDigest: "d", Origin: "intercepted",
			Amounts: payment.Amounts{PaymentAmount: jpy(995), PayToAmount: hkd(8518)},
			Order:   payment.Order{Merchant: payment.Merchant{MerchantName: "Example Shoes"}},
		}
		if events == nil {
			terms.CodeValueDigest, terms.Verification.URL = "", alipayplus.Conceal("https://wallet.example/verify")
		}
		err := w.records.Update(t.Context(), id, func(_ context.Context, r payment.Record) (payment.Record, error) {
			for _, e := range append([]payment.Event{payment.Opened{Terms: terms, At: time.Now()}}, events...) {
				var err error
				if r, _, err = r.On(e); err != nil {
					return r, err
				}
			}
			return r, nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return w.flow.Handler(bearer)
}

// gone are Records that do not find one payment.
type gone struct{ *payment.MemoryRecords }

func (g gone) Find(ctx context.Context, id string) (payment.Record, error) {
	if id == "DATABASE_IS_GONE" {
		return payment.Record{}, errDatabase
	}
	return g.MemoryRecords.Find(ctx, id)
}

// APP.md is true: each of its requests is answered as it says.
func TestAppPage(t *testing.T) {
	page, err := os.ReadFile("APP.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?s)```http\n(.*?)```").FindAllSubmatch(page, -1)
	if len(blocks) < 40 || len(blocks)%2 != 0 {
		t.Fatalf("%d blocks", len(blocks))
	}
	log := &bytes.Buffer{}
	h := appWallet(t, log)
	errorsSeen := map[string]bool{}
	for i := 0; i < len(blocks); i += 2 {
		head, body, _ := strings.Cut(string(blocks[i][1]), "\n\n")
		lines := strings.Split(strings.TrimSpace(head), "\n")
		method, path, _ := strings.Cut(lines[0], " ")
		r := httptest.NewRequest(method, path, strings.NewReader(body))
		for _, line := range lines[1:] {
			name, value, _ := strings.Cut(line, ": ")
			r.Header.Set(name, value)
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		status, answer, _ := strings.Cut(string(blocks[i+1][1]), "\n\n")
		var wanted bytes.Buffer
		if err := json.Compact(&wanted, []byte(answer)); err != nil {
			t.Fatalf("%s: %v", answer, err)
		}
		wanted.Truncate(len(bytes.TrimSpace(wanted.Bytes())))
		if w.Code != testkit.Must(strconv.Atoi(status)) {
			t.Errorf("%s %s: HTTP %d, not %s", lines[0], body, w.Code, status)
		}
		if diff := cmp.Diff(wanted.String(), w.Body.String()); diff != "" {
			t.Errorf("%s %s (-page +here):\n%s", lines[0], body, diff)
		}
		if w.Header().Get("Content-Type") != "application/json" || w.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%s: headers %v", lines[0], w.Header())
		}
		var e struct{ Error string }
		_ = json.Unmarshal(w.Body.Bytes(), &e)
		errorsSeen[e.Error] = true
	}
	for _, row := range regexp.MustCompile(`(?m)^\| \d+ \| (\w+) \|`).FindAllSubmatch(page, -1) {
		if name := string(row[1]); !errorsSeen[name] && name != "too_large" {
			t.Errorf("the page has no example of %s", name)
		}
	}
	for _, secret := range []string{"1234", "0000", "28100004", "a secret reason"} {
		if strings.Contains(log.String(), secret) {
			t.Errorf("the log shows %q: %s", secret, log)
		}
	}
}

// What is no request of the page is refused, without a word of what was sent.
func TestHandlerRefuses(t *testing.T) {
	log := &bytes.Buffer{}
	h := appWallet(t, log)
	if w := post(h, "/scan", `{"code":"https://qr.example/281000040000000000000001"}`); w.Code != 200 {
		t.Fatal(w.Body)
	}
	const amount = `"amount":{"currency":"HKD","value":"8916"}`
	confirm := func(members string) string {
		return `{"paymentRequestId":"2025030119074101000001",` + amount + members + `}`
	}
	for _, c := range []struct {
		rule, path, body string
		change           func(*http.Request)
		status           int
	}{
		{"no body", "/scan", ``, nil, 400},
		{"no object", "/scan", `["CANARY"]`, nil, 400},
		{"two objects", "/scan", `{"code":"CANARY"}{}`, nil, 400},
		{"a member twice", "/scan", `{"code":"CANARY","code":"x"}`, nil, 400},
		{"a member that is not known", "/scan", `{"code":"x","CANARY":1}`, nil, 400},
		{"a code that is no text", "/scan", `{"code":["CANARY"]}`, nil, 400},
		{"no UTF-8", "/scan", "{\"code\":\"CANARY\xff\"}", nil, 400},
		{"a lone surrogate", "/scan", `{"code":"CANARY\ud800"}`, nil, 400},
		{"no code", "/scan", `{}`, nil, 400},
		{"a blank code", "/decode", `{"code":" \r\n"}`, nil, 400},
		{"no id", "/confirm", `{` + amount + `}`, nil, 400},
		{"no amount", "/confirm", `{"paymentRequestId":"2025030119074101000001"}`, nil, 400},
		{"an amount without currency", "/confirm", `{"paymentRequestId":"P","amount":{"value":"1"}}`, nil, 400},
		{"an amount with a point", "/confirm", `{"paymentRequestId":"P","amount":{"currency":"HKD","value":"89.16"}}`, nil, 400},
		{"consent that is no boolean", "/confirm", confirm(`,"consent":"CANARY"`), nil, 400},
		{"a source of over 64 characters", "/confirm", confirm(`,"source":"` + strings.Repeat("é", 65) + `"`), nil, 400},
		{"a payment that is verified on a page", "/confirm", `{"paymentRequestId":"2025030119074101000004",` + amount + `}`, nil, 400},
		{"another customer's", "/confirm", confirm(``), func(r *http.Request) { r.Header.Set("Authorization", "Bearer bob") }, 404},
		{"a payment that was never seen", "/confirm", `{"paymentRequestId":"CANARY",` + amount + `}`, nil, 404},
		{"an id with NUL", "/confirm", `{"paymentRequestId":"CANARY\u0000",` + amount + `}`, nil, 404},
		{"no such path", "/CANARY", `{}`, nil, 404},
		{"a path below one", "/scan/CANARY", `{}`, nil, 404},
		{"over 64 KiB", "/scan", `{"code":"` + strings.Repeat("CANARY", 11_000) + `"}`, nil, 413},
		{"over 64 KiB of unknown length", "/scan", `{"code":"` + strings.Repeat("CANARY", 11_000) + `"}`, func(r *http.Request) { r.ContentLength = -1 }, 413},
		{"no content type", "/scan", `{"code":"CANARY"}`, media(""), 415},
		{"a form", "/scan", `{"code":"CANARY"}`, media("text/plain"), 415},
		{"another charset", "/scan", `{"code":"CANARY"}`, media("application/json; charset=utf-16"), 415},
		{"compressed", "/scan", `{"code":"CANARY"}`, func(r *http.Request) { r.Header.Set("Content-Encoding", "gzip") }, 415},
		{"nobody", "/scan", `{"code":"CANARY"}`, func(r *http.Request) { r.Header.Del("Authorization") }, 401},
		{"a customer without a name", "/scan", `{"code":"CANARY"}`, func(r *http.Request) { r.Header.Set("Authorization", "Bearer ") }, 401},
		{"a customer whose id is too long", "/scan", `{"code":"CANARY"}`, func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+strings.Repeat("x", 65)) }, 503},
		{"another method", "/scan", `{"code":"CANARY"}`, func(r *http.Request) { r.Method = http.MethodPut }, 405},
	} {
		t.Run(c.rule, func(t *testing.T) {
			change := c.change
			if change == nil {
				change = func(*http.Request) {}
			}
			w := post(h, c.path, c.body, change)
			var e struct{ Error, Message string }
			if err := json.Unmarshal(w.Body.Bytes(), &e); err != nil || w.Code != c.status || e.Error == "" || e.Message == "" {
				t.Errorf("HTTP %d: %s", w.Code, w.Body)
			}
			if strings.Contains(w.Body.String()+log.String(), "CANARY") {
				t.Errorf("shown: %s, log %s", w.Body, log)
			}
			if strings.HasPrefix(c.rule, "a source") && !strings.Contains(e.Message, "source") {
				t.Errorf("message %q", e.Message)
			}
			if (w.Code == 503) != (w.Header().Get("Retry-After") == "2") || (w.Code == 405) != (w.Header().Get("Allow") == "POST") {
				t.Errorf("headers %v", w.Header())
			}
		})
	}
	if text := get(h, "/payments/2025030119074101000001").Body.String(); !strings.Contains(text, `"open"`) {
		t.Errorf("afterwards: %s", text)
	}
	for _, fine := range []string{"application/json", "application/json; charset=UTF-8", "Application/JSON;charset=utf-8"} {
		if w := post(h, "/scan", `{"code":"https://qr.example/281000040000000000000001"}`, media(fine)); w.Code != 200 {
			t.Errorf("%s: HTTP %d", fine, w.Code)
		}
	}
	// The longest code that can be identified fits, however it is escaped.
	if w := post(h, "/scan", `{"code":"https://shop.example/entry/`+strings.Repeat(`\u0041`, 8192-27)+`"}`); w.Code != 200 || !strings.Contains(w.Body.String(), `"launch"`) {
		t.Errorf("a long code: HTTP %d %.200s", w.Code, w.Body)
	}
}

// What the app confirms reaches the payment.
func TestHandlerConfirms(t *testing.T) {
	for _, c := range []struct {
		members, source string
		consent         bool
	}{
		{``, "", false},
		{`,"consent":true,"source":"card-1"`, "card-1", true},
		{`,"consent":false,"source":"` + strings.Repeat("é", 64) + `"`, strings.Repeat("é", 64), false},
	} {
		answer := changed(func(a *mpm.UserInitiatedPayResponse) {
			a.PaymentFactor.IsAuthorizationAndPay = alipayplus.True
			a.AuthorizationInfo = payment.AuthorizationInfo{AuthClientID: "A1", ReferenceAgreementID: "R1"}
		})
		f := newFlow(t, mpm.Config{}, answer, nil)
		h := f.Handler(bearer)
		post(h, "/scan", `{"code":"`+code+`"}`)
		w := post(h, "/confirm", `{"paymentRequestId":"`+orderID+`","amount":{"currency":"KRW","value":"1000"}`+c.members+`}`)
		if r := f.wallet.find(t, orderID); w.Code != 200 || r.State != payment.StatePaid || r.Source != c.source || r.Consented != c.consent {
			t.Errorf("%s: HTTP %d %s, %s from %q, consent %t", c.members, w.Code, w.Body, r.State, r.Source, r.Consented)
		}
	}
}

// A confirmation whose end nobody knows is 503, never an answer.
func TestHandlerUnavailable(t *testing.T) {
	for rule, faults := range map[string]*faulty{
		"the database is gone":           {before: errDatabase},
		"the answer to a commit is lost": {after: errDatabase},
		"the database refuses, it seems": {before: fmt.Errorf("%w, %w", errDatabase, payment.ErrOtherCustomer)},
	} {
		t.Run(rule, func(t *testing.T) {
			waiting := *faults
			*faults = faulty{}
			f := opened(t, mpm.Config{AskAgainAfter: 2500 * time.Millisecond}, withFaults(faults))
			faults.before, faults.after = waiting.before, waiting.after
			h := f.Handler(bearer)
			const body = `{"paymentRequestId":"` + orderID + `","amount":{"currency":"KRW","value":"1000"}}`
			if w := post(h, "/confirm", body); w.Code != 503 || w.Header().Get("Retry-After") != "3" || strings.Contains(w.Body.String(), "database") {
				t.Errorf("HTTP %d %v %s", w.Code, w.Header(), w.Body)
			}
			if !strings.Contains(f.log.String(), "database") { // for an operator
				t.Errorf("log %s", f.log)
			}
			if w := post(h, "/confirm", body); w.Code != 200 || !strings.Contains(w.Body.String(), `"paid"`) || f.wallet.bank.Balance("alice") != 99_000 {
				t.Errorf("again: HTTP %d %s, balance %d", w.Code, w.Body, f.wallet.bank.Balance("alice"))
			}
		})
	}
}

// What an app appends to a path may be a login; no log shows it.
func TestHandlerLogsNoQuery(t *testing.T) {
	var log bytes.Buffer
	w := get(appWallet(t, &log), "/payments/DATABASE_IS_GONE?token=a-login")
	if w.Code != 503 || !strings.Contains(log.String(), "/payments/DATABASE_IS_GONE") || strings.Contains(log.String(), "a-login") {
		t.Errorf("HTTP %d %s, log %s", w.Code, w.Body, &log)
	}
}

// A wallet that is too slow for the app is an alarm; the app did not hang up.
func TestHandlerTooSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFlow(t, mpm.Config{}, order(), nil, func(cfg *payment.ServiceConfig) {
			cfg.Check = func(ctx context.Context, _ payment.Check) error {
				<-ctx.Done()
				return ctx.Err()
			}
		})
		w := post(f.Handler(bearer), "/scan", `{"code":"`+code+`"}`)
		if w.Code != 200 || !strings.Contains(w.Body.String(), `"pending"`) {
			t.Errorf("HTTP %d %s", w.Code, w.Body)
		}
		if !strings.Contains(f.log.String(), `"level":"ERROR","msg":"mpm: a payment cannot be opened`) {
			t.Errorf("log %s", f.log)
		}
	})
}

// silence is an Alipay+ that never answers.
type silence struct{}

func (silence) RoundTrip(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

// The app gets an answer in time, whatever Alipay+ does.
func TestHandlerPatience(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFlow(t, mpm.Config{}, order(), nil)
		config := f.gateway.Config()
		config.Transport = silence{}
		flow := testkit.Must(mpm.NewFlow(mpm.Config{Client: testkit.Must(alipayplus.NewClient(config)), Identifier: orderRules(t), Payments: f.wallet.payments}))
		began := time.Now()
		w := post(flow.Handler(bearer), "/scan", `{"code":"`+code+`"}`)
		if took := time.Since(began); w.Code != 200 || took != 20*time.Second || w.Body.String() != pendingJSON {
			t.Errorf("HTTP %d %s after %v", w.Code, w.Body, took)
		}
	})
}

// Whom a failed login names is not signed in.
func TestHandlerFailedLogin(t *testing.T) {
	f := opened(t, mpm.Config{})
	h := f.Handler(func(*http.Request) (string, error) { return "alice", errors.New("the session has ended") })
	w := post(h, "/confirm", `{"paymentRequestId":"`+orderID+`","amount":{"currency":"KRW","value":"1000"}}`)
	if w.Code != 401 || f.wallet.bank.Balance("alice") != 100_000 {
		t.Errorf("HTTP %d %s, balance %d", w.Code, w.Body, f.wallet.bank.Balance("alice"))
	}
}

func TestHandlerWithoutLogin(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("a Handler that lets everybody in")
		}
	}()
	newFlow(t, mpm.Config{}, order(), nil).Handler(nil)
}
