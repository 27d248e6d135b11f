package mpm_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/alipayplustest"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
	"github.com/alipayplus-mpp/alipayplus-go/codeid"
	"github.com/alipayplus-mpp/alipayplus-go/internal/testkit"
	"github.com/alipayplus-mpp/alipayplus-go/mpm"
)

// code is an order code.
const code = "https://qr.example/28100004AbCdEf0123456789Ab"

// identifier is one answer for every code.
type identifier struct {
	codeid.Identification
	err error
}

func (i identifier) Identify(context.Context, string) (codeid.Identification, error) {
	return i.Identification, i.err
}

// remote is an Identifier with redirectUrl and acDecodeConfig, as only a remote
// one gives them.
type remote codeid.RemoteAnswer

func (r remote) IdentifyCode(context.Context, alipayplus.Secret) (codeid.RemoteAnswer, error) {
	return codeid.RemoteAnswer(r), nil
}

// order returns what Alipay+ answers for a plain order, after the documents'
// sample.
func order() *mpm.UserInitiatedPayResponse {
	return &mpm.UserInitiatedPayResponse{
		AcquirerID: "102", PSPID: "103", CodeType: "ORDER_CODE", PaymentRequestID: "2025030101",
		Order: payment.Order{
			ReferenceOrderID: "OrderID_0101010101", OrderDescription: "SHOES", OrderAmount: jpy(100),
			Merchant: payment.Merchant{
				ReferenceMerchantID: "M1", MerchantMCC: "5411", MerchantName: "Example",
				Store: payment.Store{ReferenceStoreID: "S1", StoreName: "Example-2", StoreMCC: "5411"},
			},
		},
		PaymentAmount: jpy(100), PayToAmount: krw(1000),
		PaymentQuote:      payment.Quote{QuoteID: "1", QuoteCurrencyPair: "JPY/KRW", QuotePrice: "10.0000"},
		PaymentFactor:     payment.Factor{IsInStorePayment: alipayplus.True},
		PaymentExpiryTime: testkit.Must(alipayplus.ParseTime("2099-01-01T00:00:00+08:00")),
	}
}

func changed(change func(*mpm.UserInitiatedPayResponse)) *mpm.UserInitiatedPayResponse {
	answer := order()
	change(answer)
	return answer
}

// bench is a wallet whose Alipay+ answers every decoding alike, with its log.
type bench struct {
	*mpm.Flow
	wallet  *wallet
	gateway *alipayplustest.Gateway
	log     *bytes.Buffer
}

func newFlow(t *testing.T, cfg mpm.Config, answer *mpm.UserInitiatedPayResponse, refusal error, change ...func(*payment.ServiceConfig)) bench {
	t.Helper()
	g := alipayplustest.New(t)
	alipayplustest.Answer(g, mpm.UserInitiatedPay,
		func(context.Context, *mpm.UserInitiatedPayRequest) (*mpm.UserInitiatedPayResponse, error) {
			return answer, refusal
		})
	log := &bytes.Buffer{}
	cfg.Logger = slog.New(slog.NewJSONHandler(log, nil))
	t.Cleanup(func() { // whatever happened
		secrets := []alipayplus.Secret{alipayplus.Conceal(code)}
		if answer != nil {
			secrets = append(secrets, answer.PaymentRedirectURL, answer.ActionForm.SDKActionPayload)
		}
		for _, secret := range secrets {
			if text := secret.Reveal(); text != "" && strings.Contains(log.String(), text) {
				t.Errorf("the log shows %q: %s", text, log)
			}
		}
	})
	w := newWallet(t, g, cfg, change...)
	return bench{w.flow, w, g, log}
}

// want compares the JSON for the app, member order and all.
func want(t *testing.T, step json.Marshaler, golden string) {
	t.Helper()
	got, err := json.Marshal(step)
	if err != nil {
		t.Fatal(err)
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, []byte(golden)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(compact.String(), string(got)); diff != "" {
		t.Errorf("%T (-want +got):\n%s", step, diff)
	}
}

const (
	failedRefused = `"message":{"key":"payment_refused","text":"This payment cannot be made.","support":true}`
	failedInvalid = `"message":{"key":"code_invalid","text":"This code is not valid. Please ask for a new one.","support":false}`

	cashierJSON = `{"step":"cashier","paymentRequestId":"2025030101","merchantName":"Example","storeName":"Example-2","orderDescription":"SHOES",
		"paymentAmount":{"currency":"JPY","value":"100","display":"JPY 100"},
		"payToAmount":{"currency":"KRW","value":"1000","display":"KRW 1000"},
		"debitAmount":{"currency":"KRW","value":"1000","display":"KRW 1000"},
		"quote":{"currencyPair":"JPY/KRW","price":"10.0000"},` + expiryJSON + `}`
	orderJSON   = `"merchantName":"Example","paymentAmount":{"currency":"JPY","value":"100","display":"JPY 100"}`
	expiryJSON  = `"expiryTime":"2099-01-01T00:00:00+08:00"`
	pendingJSON = `{"step":"pending","reason":"no final answer from Alipay+","askAgainAfterMs":2000}`
)

// Every row of "from scan to next step", with what the app gets. Where the app
// would pass it on to the client SDK, decode is the same for a code that the
// SDK intercepted.
func TestSteps(t *testing.T) {
	lists := func(block, local, allow string) *codeid.Filter {
		list := func(value string) *codeid.List {
			if value == "" {
				return nil
			}
			l, err := codeid.NewList(codeid.Entry{Kind: codeid.KindPrefix, Value: value})
			if err != nil {
				t.Fatal(err)
			}
			return l
		}
		return codeid.NewFilter(codeid.Lists{Block: list(block), Local: list(local), Allow: list(allow)})
	}
	remoteIdentifier := func(answer codeid.RemoteAnswer) mpm.Identifier {
		g := alipayplustest.New(t)
		alipayplustest.Answer(g, codeid.InquiryCodeRules,
			func(context.Context, *codeid.InquiryCodeRulesRequest) (*codeid.InquiryCodeRulesResponse, error) {
				return &codeid.InquiryCodeRulesResponse{Version: "1", CodeRules: json.RawMessage(
					`[{"codeMatchPattern":{"matchMethod":"PREFIX","prefix":"https://qr.example/"},` +
						`"postCodeMatchAction":{"postCodeMatchActionType":"OPEN_URL","urlConstructionMethod":"USE_DIRECTLY"},` +
						`"extendInfo":"{\"matchResult\":\"{\\\"trust\\\":\\\"N\\\"}\"}"}]`)}, nil
			})
		client, err := alipayplus.NewClient(g.Config())
		if err != nil {
			t.Fatal(err)
		}
		i, err := codeid.Open(t.Context(), codeid.Config{Client: client, Remote: remote(answer)})
		if err != nil {
			t.Fatal(err)
		}
		return i
	}
	supported := func(a codeid.Action) identifier {
		return identifier{codeid.Identification{Supported: true, Action: a}, nil}
	}
	sdk := func(actionType, payload string) payment.ActionForm {
		return payment.ActionForm{ActionType: actionType, SDKActionPayload: alipayplus.Conceal(payload)}
	}
	const payload = `{"a":"\"quotes\"","b":"<&>é限额😀` + "\u2028" + `"}`
	const payloadJSON = `"{\"a\":\"\\\"quotes\\\"\",\"b\":\"\u003c\u0026\u003eé限额😀\u2028\"}"`

	for _, c := range []struct {
		rule         string
		cfg          mpm.Config
		code         string
		answer       *mpm.UserInitiatedPayResponse
		refusal      error
		fault        alipayplustest.Fault
		scan, decode string
		alarm        string // a part of the alarm in the step and in the log
	}{
		{rule: "filter: the wallet's own code", cfg: mpm.Config{Filter: lists("", "https://qr.example/", "")}, scan: `{"step":"local"}`},
		{rule: "filter: in the allowlist", cfg: mpm.Config{Filter: lists("", "", "https://qr.example/")}, scan: `{"step":"local"}`},
		{rule: "filter: in the blocklist, before local", cfg: mpm.Config{Filter: lists("https://qr.example/", "https://qr.example/", "")}, scan: `{"step":"rejected"}`},
		{rule: "filter: in no list", cfg: mpm.Config{Filter: lists("A", "B", "C")}, answer: order(), scan: cashierJSON},
		{rule: "not supported", cfg: mpm.Config{Identifier: identifier{}}, scan: `{"step":"unsupported"}`},
		{rule: "a text that no code can be", cfg: mpm.Config{Identifier: identifier{err: alipayplus.CodeParamIllegal.Result()}}, scan: `{"step":"unsupported"}`},
		{rule: "no rule set loaded: not known", cfg: mpm.Config{Identifier: identifier{err: alipayplus.CodeUnknownException.Result()}},
			scan: `{"step":"pending","reason":"the code cannot be identified yet","askAgainAfterMs":2000}`},
		{rule: "identifier too slow: not known", cfg: mpm.Config{Identifier: identifier{err: context.DeadlineExceeded}},
			scan: `{"step":"pending","reason":"the code cannot be identified yet","askAgainAfterMs":2000}`},
		{rule: "identifier out of order: not known", cfg: mpm.Config{Identifier: identifier{err: errors.New("out of order")}, AskAgainAfter: time.Minute},
			scan: `{"step":"pending","reason":"the code cannot be identified yet","askAgainAfterMs":60000}`},
		{rule: "supported without a way to go on", cfg: mpm.Config{Identifier: supported("")}, alarm: "no way to go on",
			scan: `{"step":"failed","resultCode":"INVALID_CODE",` + failedInvalid + `}`},
		{rule: "OPEN_URL without a URL", cfg: mpm.Config{Identifier: supported(codeid.ActionOpenURL)}, alarm: "no way to go on",
			scan: `{"step":"failed","resultCode":"INVALID_CODE",` + failedInvalid + `}`},
		{rule: "OPEN_URL by a rule", code: "https://shop.example/entry/M0001?a=1&b=2", cfg: mpm.Config{Identifier: newRules(t, entryRules, nil)},
			scan: `{"step":"launch","redirectUrl":"https://shop.example/entry/M0001?a=1\u0026b=2","userAgent":"AlipayConnect"}`},
		{rule: "OPEN_URL by a remote identifier: with acDecodeConfig",
			cfg: mpm.Config{Identifier: remoteIdentifier(codeid.RemoteAnswer{
				Supported: true, Action: codeid.ActionOpenURL, RedirectURL: alipayplus.Conceal("https://shop.example/"),
				UserAgent: "AlipayConnect/2", ACDecodeConfig: `{"x":1}`,
			})},
			scan: `{"step":"launch","redirectUrl":"https://shop.example/","userAgent":"AlipayConnect/2","acDecodeConfig":"{\"x\":1}"}`},

		{rule: "cashier: actionForm absent", answer: order(), scan: cashierJSON, decode: cashierJSON},
		{rule: "cashier: actionType null", answer: changed(func(a *mpm.UserInitiatedPayResponse) { a.ActionForm = sdk("null", "") }), scan: cashierJSON, decode: cashierJSON},
		{rule: "cashier: HANDLE_BY_PSP", answer: changed(func(a *mpm.UserInitiatedPayResponse) { a.ActionForm = sdk("HANDLE_BY_PSP", "ignored") }), scan: cashierJSON, decode: cashierJSON},
		{rule: "cashier: surcharge, promotion, expiry, consent, display names", answer: changed(func(a *mpm.UserInitiatedPayResponse) {
			a.PaymentAmount, a.PayToAmount = jpy(995), hkd(8518)
			a.PaymentQuote = payment.Quote{QuoteCurrencyPair: "JPY/HKD", QuotePrice: "8.5614"}
			a.PaymentFactor.NeedSurcharge = alipayplus.True
			a.SurchargeInfo = payment.SurchargeInfo{SurchargeAmount: hkd(8916), SurchargeQuote: payment.Quote{QuoteCurrencyPair: "JPY/HKD", QuotePrice: "8.9614"}}
			a.PaymentPromoInfo.PaymentPromoDetails = []payment.PromoDetail{{PromoName: "Coupon", SavingsAmount: hkd(43)}, {PromoName: "Of unknown size"}}
			a.PaymentFactor.IsAuthorizationAndPay = alipayplus.True
			a.AuthorizationInfo = payment.AuthorizationInfo{AuthClientID: "M1", ReferenceAgreementID: "A1", AuthState: alipayplus.Conceal("s")}
			a.Order.Merchant.MerchantDisplayName, a.Order.Merchant.Store.StoreDisplayName = "Shown", "Shown, too"
		}), scan: `{"step":"cashier","paymentRequestId":"2025030101","merchantName":"Shown","storeName":"Shown, too","orderDescription":"SHOES",
			"paymentAmount":{"currency":"JPY","value":"995","display":"JPY 995"},
			"payToAmount":{"currency":"HKD","value":"8518","display":"HKD 85.18"},
			"debitAmount":{"currency":"HKD","value":"8916","display":"HKD 89.16"},
			"surchargeAmount":{"currency":"HKD","value":"8916","display":"HKD 89.16"},
			"savings":[{"name":"Coupon","amount":{"currency":"HKD","value":"43","display":"HKD 0.43"}},{"name":"Of unknown size"}],
			"quote":{"currencyPair":"JPY/HKD","price":"8.5614"},"surchargeQuote":{"currencyPair":"JPY/HKD","price":"8.9614"},
			` + expiryJSON + `,"consent":{"authClientId":"M1"}}`},
		{rule: "cashier: one currency, online merchant", answer: changed(func(a *mpm.UserInitiatedPayResponse) {
			a.PayToAmount, a.PaymentQuote = a.PaymentAmount, payment.Quote{}
			a.Order.Merchant.Store = payment.Store{}
		}), scan: `{"step":"cashier","paymentRequestId":"2025030101","merchantName":"Example","orderDescription":"SHOES",
			"paymentAmount":{"currency":"JPY","value":"100","display":"JPY 100"},
			"payToAmount":{"currency":"JPY","value":"100","display":"JPY 100"},
			"debitAmount":{"currency":"JPY","value":"100","display":"JPY 100"},` + expiryJSON + `}`},

		{rule: "HANDLE_BY_SDK with S: the payload byte for byte", answer: changed(func(a *mpm.UserInitiatedPayResponse) { a.ActionForm = sdk("HANDLE_BY_SDK", payload) }),
			scan:   `{"step":"sdkAction","actionType":"HANDLE_BY_SDK","sdkActionPayload":` + payloadJSON + `,"call":"handleAction"}`,
			decode: `{"step":"sdkAction","actionType":"HANDLE_BY_SDK","sdkActionPayload":` + payloadJSON + `,"call":"onSuccess"}`},
		{rule: "HANDLE_BY_SDK with F", answer: &mpm.UserInitiatedPayResponse{Result: alipayplus.CodeRegulationRestriction.Result(), ActionForm: sdk("HANDLE_BY_SDK", payload)},
			scan:   `{"step":"sdkAction","actionType":"HANDLE_BY_SDK","sdkActionPayload":` + payloadJSON + `,"call":"handleAction"}`,
			decode: `{"step":"sdkAction","actionType":"HANDLE_BY_SDK","sdkActionPayload":` + payloadJSON + `,"call":"onSuccess"}`},
		{rule: "an unknown actionType is for the SDK", answer: changed(func(a *mpm.UserInitiatedPayResponse) { a.ActionForm = sdk("HANDLE_BY_NEXT", "p") }),
			scan:   `{"step":"sdkAction","actionType":"HANDLE_BY_NEXT","sdkActionPayload":"p","call":"handleAction"}`,
			decode: `{"step":"sdkAction","actionType":"HANDLE_BY_NEXT","sdkActionPayload":"p","call":"onSuccess"}`},
		{rule: "HANDLE_BY_SDK with U is not obeyed", answer: &mpm.UserInitiatedPayResponse{Result: alipayplus.CodeUnknownException.Result(), ActionForm: sdk("HANDLE_BY_SDK", payload)},
			scan: pendingJSON, decode: pendingJSON},
		{rule: "HANDLE_BY_SDK without a payload, S", answer: changed(func(a *mpm.UserInitiatedPayResponse) { a.ActionForm = sdk("HANDLE_BY_SDK", "") }), alarm: "without a payload",
			scan:   `{"step":"failed","resultCode":"PROCESS_FAIL",` + failedRefused + `}`,
			decode: `{"step":"failed","resultCode":"PROCESS_FAIL",` + failedRefused + `,"call":"onFailure"}`},
		{rule: "HANDLE_BY_SDK without a payload, F", answer: &mpm.UserInitiatedPayResponse{Result: alipayplus.CodeExpiredCode.Result(), ActionForm: sdk("HANDLE_BY_SDK", "")}, alarm: "without a payload",
			scan:   `{"step":"failed","resultCode":"EXPIRED_CODE","message":{"key":"code_expired","text":"This code has expired. Please ask for a new one.","support":false}}`,
			decode: `{"step":"failed","resultCode":"EXPIRED_CODE","message":{"key":"code_expired","text":"This code has expired. Please ask for a new one.","support":false},"call":"onFailure"}`},

		{rule: "F with a message for the user", refusal: alipayplus.CodeOrderIsClosed,
			scan:   `{"step":"failed","resultCode":"ORDER_IS_CLOSED","message":{"key":"order_closed","text":"This order is closed. Please ask for a new code.","support":false}}`,
			decode: `{"step":"failed","resultCode":"ORDER_IS_CLOSED","message":{"key":"order_closed","text":"This order is closed. Please ask for a new code.","support":false},"call":"onFailure"}`},
		{rule: "F for support", refusal: alipayplus.CodeInvalidContract,
			scan:   `{"step":"failed","resultCode":"INVALID_CONTRACT",` + failedRefused + `}`,
			decode: `{"step":"failed","resultCode":"INVALID_CONTRACT",` + failedRefused + `,"call":"onFailure"}`},
		{rule: "F with HANDLE_BY_PSP", answer: &mpm.UserInitiatedPayResponse{Result: alipayplus.CodeInvalidCode.Result(), ActionForm: sdk("HANDLE_BY_PSP", "")},
			scan:   `{"step":"failed","resultCode":"INVALID_CODE",` + failedInvalid + `}`,
			decode: `{"step":"failed","resultCode":"INVALID_CODE",` + failedInvalid + `,"call":"onFailure"}`},
		{rule: "F with a code that nobody knows", refusal: alipayplus.Result{Code: "NEW_CODE", Status: alipayplus.StatusFailed},
			scan:   `{"step":"failed","resultCode":"NEW_CODE",` + failedRefused + `}`,
			decode: `{"step":"failed","resultCode":"NEW_CODE",` + failedRefused + `,"call":"onFailure"}`},
		{rule: "F with a message of the wallet's own", refusal: alipayplus.CodeExpiredCode,
			cfg: mpm.Config{Message: func(_ context.Context, code alipayplus.ResultCode, english mpm.UserMessage) mpm.UserMessage {
				english.Text = "二维码已过期 (" + string(code) + ")"
				return english
			}},
			scan: `{"step":"failed","resultCode":"EXPIRED_CODE","message":{"key":"code_expired","text":"二维码已过期 (EXPIRED_CODE)","support":false}}`},

		{rule: "pending: still U", refusal: alipayplus.CodeUnknownException, scan: pendingJSON, decode: pendingJSON},
		{rule: "pending: no answer", answer: order(), fault: alipayplustest.LoseAnswer(), scan: pendingJSON, decode: pendingJSON},
	} {
		t.Run(c.rule, func(t *testing.T) {
			scanned := alipayplus.Conceal(c.code)
			if c.code == "" {
				scanned = alipayplus.Conceal(code)
			}
			f := newFlow(t, c.cfg, c.answer, c.refusal)
			if c.fault != nil {
				f.gateway.Fail(mpm.UserInitiatedPay, c.fault)
			}
			step, err := f.Scan(t.Context(), scanned, "alice")
			if err != nil {
				t.Fatal(err)
			}
			want(t, step, c.scan)
			checkAlarm(t, step, f.log.String(), c.alarm)
			checkPayload(t, step, payload)
			if c.decode == "" {
				return
			}
			if c.fault != nil {
				f.gateway.Fail(mpm.UserInitiatedPay, c.fault)
			}
			if step, err = f.Decode(t.Context(), scanned, "alice"); err != nil {
				t.Fatal(err)
			}
			want(t, step, c.decode)
			checkAlarm(t, step, f.log.String(), c.alarm)
			checkPayload(t, step, payload)
		})
	}
}

var entryRules = []byte(`{"result":{"resultCode":"SUCCESS","resultStatus":"S"},"version":"1","codeRules":[
	{"codeMatchPattern":{"matchMethod":"PREFIX","prefix":"https://shop.example/entry/"},
	 "postCodeMatchAction":{"postCodeMatchActionType":"OPEN_URL","urlConstructionMethod":"USE_DIRECTLY"}}]}`)

// checkAlarm: an operator is told, in the step and in the log, or nobody is.
func checkAlarm(t *testing.T, step mpm.Step, log, alarm string) {
	t.Helper()
	if failed, ok := step.(mpm.Failed); ok && (failed.Alarm != "") != (alarm != "") {
		t.Errorf("alarm %q, want %q", failed.Alarm, alarm)
	}
	if !strings.Contains(log, alarm) || strings.Contains(log, `"ERROR"`) != (alarm != "") {
		t.Errorf("log %q, want an alarm %q", log, alarm)
	}
}

// checkPayload: the app's JSON parser gets the payload exactly.
func checkPayload(t *testing.T, step mpm.Step, payload string) {
	t.Helper()
	action, ok := step.(mpm.SDKAction)
	if !ok || action.ActionType != "HANDLE_BY_SDK" {
		return
	}
	var app struct{ SDKActionPayload string }
	data, err := json.Marshal(step)
	if err != nil || json.Unmarshal(data, &app) != nil || app.SDKActionPayload != payload || action.Payload.Reveal() != payload {
		t.Errorf("payload %q became %q", payload, app.SDKActionPayload)
	}
}

// The error is for wrong use alone, and shows no value.
func TestWrongUse(t *testing.T) {
	f := newFlow(t, mpm.Config{}, order(), nil)
	for _, c := range []struct{ rule, code, customer, problem string }{
		{"no code", "", "alice", "codeValue"},
		{"no customer", code, "", "customerId"},
		{"a customer of over 64 characters", code, strings.Repeat("é", 65), "customerId"},
	} {
		for name, ask := range map[string]func(context.Context, alipayplus.Secret, string) (mpm.Step, error){"Scan": f.Scan, "Decode": f.Decode} {
			step, err := ask(t.Context(), alipayplus.Conceal(c.code), c.customer)
			var invalid *alipayplus.ValidationError
			if step != nil || !errors.As(err, &invalid) || len(invalid.Problems) != 1 || invalid.Problems[0].Path != c.problem {
				t.Errorf("%s: %s: %v, %v", name, c.rule, step, err)
			}
			if strings.Contains(err.Error(), "éé") || c.code != "" && strings.Contains(err.Error(), c.code) {
				t.Errorf("%s: %s: the error shows a value", name, c.rule)
			}
		}
	}
	if step, err := f.Scan(t.Context(), alipayplus.Conceal(code), strings.Repeat("é", 64)); err != nil {
		t.Errorf("a customer of 64 characters: %v, %v", step, err)
	}
}

func TestNewFlow(t *testing.T) {
	w := newFlow(t, mpm.Config{}, order(), nil).wallet
	client := testkit.Must(alipayplus.NewClient(alipayplustest.New(t).Config()))
	for rule, cfg := range map[string]mpm.Config{
		"without a Client":      {Identifier: identifier{}, Payments: w.payments},
		"without an Identifier": {Client: client, Payments: w.payments},
		"without Payments":      {Client: client, Identifier: identifier{}},
		"that asks at once":     {Client: client, Identifier: identifier{}, Payments: w.payments, AskAgainAfter: -1},
		"in nanoseconds":        {Client: client, Identifier: identifier{}, Payments: w.payments, AskAgainAfter: 2},
	} {
		if _, err := mpm.NewFlow(cfg); err == nil {
			t.Errorf("a Flow %s", rule)
		}
	}
}

// A gateway that serves userInitiatedPay elsewhere.
func TestDecoder(t *testing.T) {
	elsewhere := mpm.UserInitiatedPay.WithPath("/sandbox/userInitiatedPay")
	g := alipayplustest.New(t)
	alipayplustest.Answer(g, elsewhere, func(context.Context, *mpm.UserInitiatedPayRequest) (*mpm.UserInitiatedPayResponse, error) {
		return &mpm.UserInitiatedPayResponse{
			Result:     alipayplus.CodeExpiredCode.Result(),
			ActionForm: payment.ActionForm{ActionType: "HANDLE_BY_SDK", SDKActionPayload: alipayplus.Conceal("p")},
		}, nil
	})
	w := newWallet(t, g, mpm.Config{Decoder: elsewhere})
	step, err := w.flow.Scan(t.Context(), alipayplus.Conceal(code), "alice")
	if action, ok := step.(mpm.SDKAction); err != nil || !ok || action.Code != alipayplus.CodeExpiredCode {
		t.Errorf("%v, %v", step, err)
	}
	if calls := g.Calls(elsewhere); len(calls) != 1 || calls[0].Target != "/sandbox/userInitiatedPay" {
		t.Errorf("%d calls", len(calls))
	}
}

// An alarm is not lost because nobody thought of a Logger.
func TestFlowWithoutLogger(t *testing.T) {
	log := testkit.DefaultLog(t)
	g := alipayplustest.New(t)
	alipayplustest.Answer(g, mpm.UserInitiatedPay,
		func(context.Context, *mpm.UserInitiatedPayRequest) (*mpm.UserInitiatedPayResponse, error) {
			return changed(func(a *mpm.UserInitiatedPayResponse) { a.CodeType = "" }), nil
		})
	step, err := newWallet(t, g, mpm.Config{}).flow.Scan(t.Context(), alipayplus.Conceal(code), "alice")
	if err != nil || !strings.Contains(log.String(), "codeType is not ORDER_CODE") {
		t.Errorf("%v, %v, and the log says %q", step, err, log)
	}
}
