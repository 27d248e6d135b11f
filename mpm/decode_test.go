package mpm_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/alipayplustest"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
	"github.com/alipayplus-mpp/alipayplus-go/internal/testkit"
	"github.com/alipayplus-mpp/alipayplus-go/mpm"
)

// insteadOf answers with something else than Alipay+ did; processed says
// whether Alipay+ got the request.
func insteadOf(processed bool, status int, header http.Header, body string) alipayplustest.Fault {
	return func(r *http.Request, serve func(*http.Request) *http.Response) (*http.Response, error) {
		if processed {
			serve(r)
		}
		return respond(status, header, []byte(body)), nil
	}
}

func respond(status int, header http.Header, body []byte) *http.Response {
	if header == nil {
		header = http.Header{}
	}
	return &http.Response{StatusCode: status, Header: header, ContentLength: int64(len(body)), Body: io.NopCloser(bytes.NewReader(body))}
}

// otherBody has Alipay+ itself sign another body.
func otherBody(g *alipayplustest.Gateway, body string) alipayplustest.Fault {
	return func(r *http.Request, serve func(*http.Request) *http.Response) (*http.Response, error) {
		// A request that Alipay+ would send to this path is signed over the
		// same content as its answer, but for the time's name.
		signed := g.NewRequest(r.Context(), r.URL.RequestURI(), []byte(body))
		header := signed.Header
		header["Response-Time"] = header["Request-Time"]
		return respond(200, header, []byte(body)), nil
	}
}

func withHeader(change func(http.Header)) alipayplustest.Fault {
	return func(r *http.Request, serve func(*http.Request) *http.Response) (*http.Response, error) {
		response := serve(r)
		change(response.Header)
		return response, nil
	}
}

func transportError(err error) alipayplustest.Fault {
	return func(*http.Request, func(*http.Request) *http.Response) (*http.Response, error) { return nil, err }
}

func unsigned(code alipayplus.ResultCode, status alipayplus.ResultStatus) alipayplustest.Fault {
	return alipayplustest.Unsigned(alipayplus.Result{Code: code, Status: status})
}

// Every row of the table of results: what the network and Alipay+ can do to a
// decoding, and what the app is told. Whatever is not a verified S or F is
// pending, and the same scan then leads to the cashier page.
func TestDecodeUnderFaults(t *testing.T) {
	const unknown, statusless = `{"result":{"resultCode":"UNKNOWN_EXCEPTION","resultStatus":"U"}}`, `{"result":{"resultCode":"SUCCESS"}}`
	for _, c := range []struct {
		row, rule string
		fault     func(*alipayplustest.Gateway) alipayplustest.Fault
	}{
		{"1", "nobody listens", fixed(alipayplustest.RefuseConnection())},
		{"1", "a certificate of somebody else", fixed(transportError(&tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}}))},
		{"5", "a signed U", fixed(alipayplustest.Unknown(alipayplus.CodeUnknownException))},
		{"5", "throttled", fixed(alipayplustest.Unknown(alipayplus.CodeRequestTrafficExceedLimit))},
		{"5", "a signed s", signedBody(`{"result":{"resultCode":"SUCCESS","resultStatus":"s"}}`)},
		{"5", "a signed f", signedBody(`{"result":{"resultCode":"INVALID_CODE","resultStatus":"f"}}`)},
		{"5", "a signed answer without status", signedBody(statusless)},
		{"5", "a signed answer without result", signedBody(`{"codeType":"ORDER_CODE"}`)},
		{"5", "a stale answer", fixed(alipayplustest.Stale(time.Hour))},
		{"5b", "a signed S that is no JSON", signedBody(`{"result":{"resultCode":"SUCCESS","resultStatus":"S"}`)},
		{"5b", "a signed S with a member twice", signedBody(`{"result":{"resultCode":"SUCCESS","resultStatus":"S"},"codeType":"A","codeType":"B"}`)},
		{"5b", "a signed S with an amount that is none", signedBody(`{"result":{"resultCode":"SUCCESS","resultStatus":"S"},"paymentAmount":{"currency":"JPY","value":"1.5"}}`)},
		{"5b", "a signed F with an actionForm that is none", signedBody(`{"result":{"resultCode":"INVALID_CODE","resultStatus":"F"},"actionForm":["HANDLE_BY_SDK"]}`)},
		{"6", "a changed answer", fixed(alipayplustest.Tamper())},
		{"6", "half of the headers", fixed(alipayplustest.HalfSigned())},
		{"6", "another Client-Id", fixed(withHeader(func(h http.Header) { h.Set("Client-Id", "SOMEBODY_ELSE") }))},
		{"7", "an unsigned S", fixed(unsigned(alipayplus.CodeSuccess, alipayplus.StatusSucceeded))},
		{"8", "a redirect", fixed(insteadOf(false, http.StatusFound, http.Header{"Location": {"https://gateway.example/elsewhere"}}, ""))},
		{"8", "an endless answer", fixed(endless)},
		{"9", "502", fixed(alipayplustest.BadGateway())},
		{"9", "429", fixed(insteadOf(false, http.StatusTooManyRequests, nil, ""))},
		{"9", "a truncated answer", fixed(alipayplustest.Truncate(20))},
		{"9", "an empty answer", fixed(insteadOf(true, 200, nil, ""))},
		{"9", "a lost request", fixed(alipayplustest.LoseRequest())},
		{"9", "a lost answer", fixed(alipayplustest.LoseAnswer())},
		{"10", "an unsigned U", fixed(insteadOf(false, 200, nil, unknown))},
		{"11", "an unsigned F", fixed(unsigned(alipayplus.CodeInvalidCode, alipayplus.StatusFailed))},
		{"11", "an unsigned F about the signature", fixed(unsigned(alipayplus.CodeInvalidSignature, alipayplus.StatusFailed))},
		{"12", "a page", fixed(insteadOf(true, 404, nil, "<html>"))},
		{"12", "an unsigned answer without status", fixed(insteadOf(true, 200, nil, "[]"))},
	} {
		t.Run(c.row+" "+c.rule, func(t *testing.T) {
			f := newFlow(t, mpm.Config{}, order(), nil)
			for name, ask := range map[string]func(context.Context, alipayplus.Secret, string) (mpm.Step, error){"Scan": f.Scan, "Decode": f.Decode} {
				f.gateway.Fail(mpm.UserInitiatedPay, c.fault(f.gateway))
				step, err := ask(t.Context(), alipayplus.Conceal(code), "alice")
				pending, ok := step.(mpm.Pending)
				if err != nil || !ok || pending.Err == nil || alipayplus.OutcomeOf(pending.Err) == alipayplus.OutcomeFailed {
					t.Fatalf("%s: %v, %v", name, step, err)
				}
				shown := pendingJSON
				if c.rule == "throttled" { // Alipay+ asks to be called less often
					shown = strings.Replace(shown, "2000", "8000", 1)
				}
				want(t, step, shown)
				if step, err = ask(t.Context(), alipayplus.Conceal(code), "alice"); err != nil {
					t.Fatal(err)
				}
				want(t, step, cashierJSON)
			}
			ran := 0
			for _, call := range f.gateway.Calls(mpm.UserInitiatedPay) {
				if call.Ran {
					ran++
				}
			}
			if ran != 1 {
				t.Errorf("decoded %d times", ran)
			}
		})
	}
}

func fixed(f alipayplustest.Fault) func(*alipayplustest.Gateway) alipayplustest.Fault {
	return func(*alipayplustest.Gateway) alipayplustest.Fault { return f }
}

func signedBody(body string) func(*alipayplustest.Gateway) alipayplustest.Fault {
	return func(g *alipayplustest.Gateway) alipayplustest.Fault { return otherBody(g, body) }
}

func endless(*http.Request, func(*http.Request) *http.Response) (*http.Response, error) {
	response := respond(200, nil, nil)
	response.ContentLength, response.Body = -1, io.NopCloser(blanks{})
	return response, nil
}

type blanks struct{}

func (blanks) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}

// Row 2: the caller's patience ends, before or during an attempt.
func TestDecodePatience(t *testing.T) {
	for _, c := range []struct {
		rule  string
		fault alipayplustest.Fault
		limit time.Duration
	}{
		{"before anything is sent", nil, -1},
		{"while the answer is awaited", alipayplustest.Delay(-1), time.Second},
	} {
		t.Run(c.rule, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFlow(t, mpm.Config{}, order(), nil)
				if c.fault != nil {
					f.gateway.Fail(mpm.UserInitiatedPay, c.fault)
				}
				ctx, cancel := context.WithTimeout(t.Context(), c.limit)
				defer cancel()
				step, err := f.Scan(ctx, alipayplus.Conceal(code), "alice")
				if pending, ok := step.(mpm.Pending); err != nil || !ok || !errors.Is(pending.Err, context.DeadlineExceeded) {
					t.Fatalf("%v, %v", step, err)
				}
			})
		})
	}
}

// A code belongs to the customer who scanned it first.
func TestDecodeAnotherCustomer(t *testing.T) {
	f := newFlow(t, mpm.Config{}, order(), nil)
	if step, err := f.Scan(t.Context(), alipayplus.Conceal(code), "alice"); err != nil {
		t.Fatal(step, err)
	}
	step, err := f.Scan(t.Context(), alipayplus.Conceal(code), "bob")
	if err != nil {
		t.Fatal(err)
	}
	want(t, step, `{"step":"failed","resultCode":"REPEAT_REQ_INCONSISTENT",`+failedRefused+`}`)
}

// An answer does not say which request it answers. When two are exchanged, the
// record refuses the payment that is stored already: under another customer,
// and under another code of the same customer.
func TestDecodeSwappedAnswers(t *testing.T) {
	const second, third = code + "2", code + "3"
	g := alipayplustest.New(t)
	alipayplustest.Answer(g, mpm.UserInitiatedPay,
		func(_ context.Context, r *mpm.UserInitiatedPayRequest) (*mpm.UserInitiatedPayResponse, error) {
			return changed(func(a *mpm.UserInitiatedPayResponse) {
				a.PaymentRequestID = "PR-" + r.CodeValue.Reveal()[len(code):]
				a.PaymentRedirectURL = alipayplus.Conceal("https://shop.example/orders/7")
			}), nil
		})
	w := newWallet(t, g, mpm.Config{})
	var last *http.Response // keep and replay exchange the answers of two requests
	var lastBody []byte
	keep := func(r *http.Request, serve func(*http.Request) *http.Response) (*http.Response, error) {
		last = serve(r)
		lastBody = testkit.Must(io.ReadAll(last.Body))
		return respond(200, last.Header, lastBody), nil
	}
	replay := func(r *http.Request, serve func(*http.Request) *http.Response) (*http.Response, error) {
		serve(r)
		return respond(200, last.Header, lastBody), nil
	}
	g.Fail(mpm.UserInitiatedPay, keep, replay, replay)
	if answer, err := w.flow.Scan(t.Context(), alipayplus.Conceal(code), "alice"); err != nil {
		t.Fatal(answer, err)
	}
	before := w.find(t, "PR-")
	for _, c := range []struct{ rule, code, customer string }{
		{"another customer", second, "bob"},
		{"another code of the same customer", third, "alice"},
	} {
		answer, err := w.flow.Scan(t.Context(), alipayplus.Conceal(c.code), c.customer)
		if failed, ok := answer.(mpm.Failed); err != nil || !ok || failed.Code != alipayplus.CodeRepeatReqInconsistent || failed.Alarm == "" ||
			strings.Contains(failed.Alarm, c.code) || strings.Contains(failed.Alarm, "shop.example") { // an alarm is logged
			t.Errorf("%s: %v, %v", c.rule, answer, err)
		}
	}
	if after := w.find(t, "PR-"); !reflect.DeepEqual(before, after) || before.CustomerID != "alice" {
		t.Error("the stored payment has changed")
	}
	if w.find(t, "PR-2").State != "" || w.find(t, "PR-3").State != "" {
		t.Error("a payment was opened")
	}
	if answer, err := w.flow.Scan(t.Context(), alipayplus.Conceal(second), "bob"); err != nil || answer.(mpm.Cashier).Record.PaymentRequestID != "PR-2" {
		t.Errorf("asked again: %v, %v", answer, err)
	}
}

// A verified S that misses something is no order to pay, and an alarm.
func TestDecodeIncomplete(t *testing.T) {
	for _, c := range []struct {
		rule   string
		change func(*mpm.UserInitiatedPayResponse)
		alarm  string
	}{
		{"another codeType", func(a *mpm.UserInitiatedPayResponse) { a.CodeType = "STORE_CODE" }, "codeType"},
		{"no codeType", func(a *mpm.UserInitiatedPayResponse) { a.CodeType = "" }, "codeType"},
		{"no paymentRequestId", func(a *mpm.UserInitiatedPayResponse) { a.PaymentRequestID = "" }, "paymentRequestId"},
		{"a paymentRequestId that no database takes", func(a *mpm.UserInitiatedPayResponse) { a.PaymentRequestID = "2025\x00" }, "paymentRequestId"},
		{"no order", func(a *mpm.UserInitiatedPayResponse) { a.Order = payment.Order{} }, "order"},
		{"no paymentAmount", func(a *mpm.UserInitiatedPayResponse) { a.PaymentAmount = alipayplus.Amount{} }, "paymentAmount"},
		{"no payToAmount", func(a *mpm.UserInitiatedPayResponse) { a.PayToAmount = alipayplus.Amount{} }, "payToAmount"},
		{"an evaluation", func(a *mpm.UserInitiatedPayResponse) { a.PaymentFactor.IsPaymentEvaluation = alipayplus.True }, "isPaymentEvaluation"},
		{"no surcharge where there must be one", func(a *mpm.UserInitiatedPayResponse) { a.PaymentFactor.NeedSurcharge = alipayplus.True }, "surchargeAmount"},
		{"a currency that no notification could carry", func(a *mpm.UserInitiatedPayResponse) { a.PayToAmount.Currency = "krw" }, "out of range"},
		{"a surcharge in a currency that is none", func(a *mpm.UserInitiatedPayResponse) {
			a.SurchargeInfo.SurchargeAmount = alipayplus.Amount{Currency: "krw", Minor: 1100}
		}, "out of range"},
		{"a surcharge in another currency than payToAmount", func(a *mpm.UserInitiatedPayResponse) {
			a.SurchargeInfo.SurchargeAmount = jpy(110)
		}, "another currency than payToAmount"},
		{"a surcharge of nothing", func(a *mpm.UserInitiatedPayResponse) { a.SurchargeInfo.SurchargeAmount = krw(0) }, "surchargeAmount is zero"},
		{"a notify URL of somebody else", func(a *mpm.UserInitiatedPayResponse) { a.PaymentNotifyURL = "https://notify.host/" }, "notify.host, which is not allowed"},
		{"a notify URL without https", func(a *mpm.UserInitiatedPayResponse) { a.PaymentNotifyURL = "http://open-sea.alipayplus.com/n" }, "paymentNotifyUrl"},
		{"a notify URL of an IP address", func(a *mpm.UserInitiatedPayResponse) { a.PaymentNotifyURL = "https://127.0.0.1/n" }, "paymentNotifyUrl"},
	} {
		t.Run(c.rule, func(t *testing.T) {
			f := newFlow(t, mpm.Config{}, changed(c.change), nil, func(cfg *payment.ServiceConfig) {
				cfg.Check = func(context.Context, payment.Check) error {
					t.Error("Check is asked about what is no order")
					return nil
				}
			})
			for origin, ask := range map[mpm.Origin]func(context.Context, alipayplus.Secret, string) (mpm.Step, error){mpm.Scanned: f.Scan, mpm.Intercepted: f.Decode} {
				step, err := ask(t.Context(), alipayplus.Conceal(code), "alice")
				failed, ok := step.(mpm.Failed)
				if err != nil || !ok || failed.Code != alipayplus.CodeProcessFail || failed.Origin != origin || !strings.Contains(failed.Alarm, c.alarm) {
					t.Fatalf("%v, %v", step, err)
				}
				if strings.Contains(failed.Alarm, "example") {
					t.Errorf("the alarm shows a value: %s", failed.Alarm)
				}
				checkAlarm(t, step, f.log.String(), c.alarm)
			}
		})
	}
	// What decides nothing stops nothing.
	only := func(o payment.Order) func(*mpm.UserInitiatedPayResponse) {
		return func(a *mpm.UserInitiatedPayResponse) { a.Order = o }
	}
	for rule, change := range map[string]func(*mpm.UserInitiatedPayResponse){
		"only the order's id":    only(payment.Order{ReferenceOrderID: "1"}),
		"only its description":   only(payment.Order{OrderDescription: "SHOES"}),
		"only its amount":        only(payment.Order{OrderAmount: jpy(1)}),
		"only the merchant's id": only(payment.Order{Merchant: payment.Merchant{ReferenceMerchantID: "M1"}}),
		"only the merchant":      only(payment.Order{Merchant: payment.Merchant{MerchantName: "Example"}}),
		"no merchant":            func(a *mpm.UserInitiatedPayResponse) { a.Order.Merchant = payment.Merchant{} },
		"no quote":               func(a *mpm.UserInitiatedPayResponse) { a.PaymentQuote = payment.Quote{} },
		"an amount that is off":  func(a *mpm.UserInitiatedPayResponse) { a.PayToAmount = krw(2000) },
		"a notify URL":           func(a *mpm.UserInitiatedPayResponse) { a.PaymentNotifyURL = "https://open-sea.alipayplus.com/n" },
		"a fully discounted one": func(a *mpm.UserInitiatedPayResponse) { a.PaymentAmount, a.PayToAmount = jpy(0), krw(0) },
	} {
		f := newFlow(t, mpm.Config{}, changed(change), nil)
		step, err := f.Scan(t.Context(), alipayplus.Conceal(code), "alice")
		if _, ok := step.(mpm.Cashier); err != nil || !ok {
			t.Errorf("%s: %v, %v", rule, step, err)
		}
		if off := strings.Contains(f.log.String(), "WARN"); off != (rule == "no quote" || rule == "an amount that is off") {
			t.Errorf("%s: log %s", rule, f.log)
		}
	}
}

// An expiry that is no time cannot be kept.
func TestDecodeExpiry(t *testing.T) {
	f := newFlow(t, mpm.Config{}, order(), nil)
	body := strings.TrimSuffix(string(testkit.Must(alipayplus.Marshal(changed(func(a *mpm.UserInitiatedPayResponse) {
		a.Result, a.PaymentExpiryTime = alipayplus.CodeSuccess.Result(), alipayplus.Time{}
	})))), "}")
	f.gateway.Fail(mpm.UserInitiatedPay, otherBody(f.gateway, body+`,"paymentExpiryTime":"tomorrow"}`))
	step, err := f.Scan(t.Context(), alipayplus.Conceal(code), "alice")
	if failed, ok := step.(mpm.Failed); err != nil || !ok || !strings.Contains(failed.Alarm, "paymentExpiryTime") {
		t.Errorf("%v, %v", step, err)
	}
}

// The terms are what Alipay+ said, under the code and the customer.
func TestDecodeTerms(t *testing.T) {
	answer := changed(func(a *mpm.UserInitiatedPayResponse) {
		a.PaymentNotifyURL, a.PaymentRedirectURL = "https://open-sea.alipayplus.com/n", alipayplus.Conceal("http://shop.example/r")
		a.AcquirerID, a.PSPID = "ACQUIRER_1", "PSP_1"
		a.AuthorizationInfo = payment.AuthorizationInfo{AuthClientID: "M1"} // without isAuthorizationAndPay
	})
	f := newFlow(t, mpm.Config{}, answer, nil)
	step, err := f.Scan(t.Context(), alipayplus.Conceal(code), "alice")
	cashier, ok := step.(mpm.Cashier)
	if err != nil || !ok {
		t.Fatal(step, err)
	}
	terms := f.wallet.find(t, "2025030101").Terms
	if terms.CustomerID != "alice" || terms.CodeValueDigest != alipayplus.Conceal(code).Digest() || terms.PaymentRequestID != "2025030101" ||
		terms.AcquirerID != "ACQUIRER_1" || terms.PSPID != "PSP_1" ||
		terms.NotifyURL != answer.PaymentNotifyURL || !terms.RedirectURL.Equal(answer.PaymentRedirectURL) ||
		!reflect.DeepEqual(terms.AuthorizationInfo, (payment.AuthorizationInfo{})) || terms.PaymentID == "" || terms.Origin != "scanned" || cashier.Consent() {
		t.Errorf("terms %v", terms)
	}
}

// A paymentRequestId has up to 64 characters, however many bytes those are.
func TestDecodeLongID(t *testing.T) {
	for length, step := range map[int]string{64: "cashier", 65: "failed"} {
		id := strings.Repeat("限", length)
		f := newFlow(t, mpm.Config{}, changed(func(a *mpm.UserInitiatedPayResponse) { a.PaymentRequestID = id }), nil)
		got, err := f.Scan(t.Context(), alipayplus.Conceal(code), "alice")
		if err != nil || !strings.Contains(string(testkit.Must(json.Marshal(got))), `"step":"`+step+`"`) {
			t.Errorf("%d characters: %v, %v", length, got, err)
		}
		if page, err := f.ResultPage(t.Context(), id, "alice"); (err == nil) != (step == "cashier") {
			t.Errorf("%d characters: %v, %v", length, page, err)
		}
	}
}

// Only a URL that a WebView may open is kept for the way back.
func TestDecodeRedirectURL(t *testing.T) {
	for _, c := range []struct{ rule, url, kept string }{
		{"https", "https://shop.example/r?a=%2F&b", "https://shop.example/r?a=%2F&b"},
		{"http", "http://shop.example/r", "http://shop.example/r"},
		{"upper case", "HTTPS://SHOP.EXAMPLE/R", "HTTPS://SHOP.EXAMPLE/R"},
		{"absent", "", ""},
		{"javascript", "javascript:alert(1)", ""},
		{"javascript in disguise", "JavaScript://shop.example/%0aalert(1)", ""},
		{"data", "data:text/html,<script>alert(1)</script>", ""},
		{"a file", "file:///etc/passwd", ""},
		{"another app", "wallet://pay", ""},
		{"an intent", "intent://shop.example/#Intent;end", ""},
		{"user-info", "https://shop.example@evil.example/", ""},
		{"empty user-info", "https://@evil.example/", ""},
		{"no host", "https:///r", ""},
		{"relative", "/r", ""},
		{"without scheme", "//shop.example/r", ""},
		{"a line break", "https://shop.example/\nr", ""},
		{"a blank", "https://shop.example/ r", ""},
		{"a backslash", `https://shop.example\@evil.example/`, ""},
	} {
		t.Run(c.rule, func(t *testing.T) {
			f := newFlow(t, mpm.Config{}, changed(func(a *mpm.UserInitiatedPayResponse) { a.PaymentRedirectURL = alipayplus.Conceal(c.url) }), nil)
			step, err := f.Scan(t.Context(), alipayplus.Conceal(code), "alice")
			cashier, ok := step.(mpm.Cashier)
			if err != nil || !ok || cashier.Record.RedirectURL.Reveal() != c.kept {
				t.Fatalf("%v, %v, %q", step, err, cashier.Record.RedirectURL)
			}
			log := f.log.String()
			if strings.Contains(log, "home page") != (c.kept != c.url) || strings.Contains(log, "evil") {
				t.Errorf("log %s", log)
			}
			if _, err := f.wallet.payments.On(t.Context(), "2025030101", payment.Cancelled{At: time.Now()}); err != nil {
				t.Fatal(err)
			}
			page, err := f.ResultPage(t.Context(), "2025030101", "alice")
			if err != nil {
				t.Fatal(err)
			}
			redirect := `{"to":"home"}`
			if c.kept != "" {
				redirect = `{"to":"merchant","url":` + string(testkit.Must(json.Marshal(c.kept))) + `,"afterSeconds":6}`
			}
			if data := string(testkit.Must(json.Marshal(page))); !strings.Contains(data, `"redirect":`+redirect) {
				t.Errorf("outcome %s", data)
			}
		})
	}
}

// A code value that userInitiatedPay does not take is never sent.
func TestDecodeLength(t *testing.T) {
	for _, c := range []struct {
		rule, code string
		sent       bool
	}{
		{"512 characters", code + strings.Repeat("A", 512-len(code)), true},
		{"513 characters", code + strings.Repeat("A", 513-len(code)), false},
		{"512 characters of several bytes", code + strings.Repeat("限", 512-len(code)), true},
		{"not UTF-8", code + "\xff", false},
	} {
		t.Run(c.rule, func(t *testing.T) {
			f := newFlow(t, mpm.Config{}, order(), nil)
			step, err := f.Decode(t.Context(), alipayplus.Conceal(c.code), "alice")
			if err != nil {
				t.Fatal(err)
			}
			if calls := len(f.gateway.Calls(mpm.UserInitiatedPay)); (calls == 1) != c.sent {
				t.Errorf("sent %d times", calls)
			}
			if c.sent {
				want(t, step, cashierJSON)
				return
			}
			want(t, step, `{"step":"failed","resultCode":"INVALID_CODE",`+failedInvalid+`,"call":"onFailure"}`)
			checkAlarm(t, step, f.log.String(), "code value")
			if strings.Contains(f.log.String(), "AAAA") {
				t.Error("the log shows the code")
			}
		})
	}
}

// An entry code may be longer: it goes to the app, not to userInitiatedPay.
func TestLongEntryCode(t *testing.T) {
	f := newFlow(t, mpm.Config{Identifier: newRules(t, entryRules, nil)}, nil, nil)
	step, err := f.Scan(t.Context(), alipayplus.Conceal("https://shop.example/entry/"+strings.Repeat("A", 1000)), "alice")
	if _, ok := step.(mpm.Launch); err != nil || !ok {
		t.Errorf("%v, %v", step, err)
	}
}
