package mpm_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/alipayplustest"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment/paymenttest"
	"github.com/alipayplus-mpp/alipayplus-go/codeid"
	"github.com/alipayplus-mpp/alipayplus-go/mpm"
)

// exampleConfig returns a Config whose client talks to an Alipay+ in memory. A
// real one has the Identifier of codeid.Open.
func exampleConfig() mpm.Config {
	g := alipayplustest.New(program{})
	alipayplustest.Answer(g, mpm.UserInitiatedPay,
		func(_ context.Context, r *mpm.UserInitiatedPayRequest) (*mpm.UserInitiatedPayResponse, error) {
			switch r.CodeValue.Reveal() {
			case "https://qr.example/281000040000000000000001":
				return order(), nil
			case "https://qr.example/281000040000000000000002":
				return &mpm.UserInitiatedPayResponse{
					Result:     alipayplus.CodeRegulationRestriction.Result(),
					ActionForm: payment.ActionForm{ActionType: "HANDLE_BY_SDK", SDKActionPayload: alipayplus.Conceal("opaque")},
				}, nil
			}
			return nil, alipayplus.CodeExpiredCode
		})
	memory := alipayplus.NewMemory()
	payments := must(payment.NewService(payment.ServiceConfig{Records: payment.NewMemoryRecords(memory), Ledger: paymenttest.NewBank(memory, "KRW")}))
	rules, err := codeid.ParseRuleset([]byte(`{"result":{"resultCode":"SUCCESS","resultStatus":"S"},"version":"1","codeRules":[
		{"codeMatchPattern":{"matchMethod":"PREFIX","prefix":"https://qr.example/281"},
		 "postCodeMatchAction":{"postCodeMatchActionType":"DECODE"}},
		{"codeMatchPattern":{"matchMethod":"PREFIX","prefix":"https://shop.example/"},
		 "postCodeMatchAction":{"postCodeMatchActionType":"OPEN_URL","urlConstructionMethod":"USE_DIRECTLY"}}]}`), codeid.RuleOptions{})
	if err != nil {
		panic(err)
	}
	return mpm.Config{Client: must(alipayplus.NewClient(g.Config())), Identifier: ruleset{rules}, Payments: payments}
}

// ruleset is a rule set as an Identifier.
type ruleset struct{ rules *codeid.Ruleset }

func (r ruleset) Identify(_ context.Context, code string) (codeid.Identification, error) {
	return r.rules.Identify(code)
}

// What comes next for a scanned code. A backend needs these cases for its own
// records only: for the app, the JSON of any step says what to do.
func ExampleFlow_Scan() {
	local, err := codeid.NewList(codeid.Entry{Kind: codeid.KindPrefix, Value: "EXW1"})
	if err != nil {
		panic(err)
	}
	cfg := exampleConfig()
	cfg.Filter = codeid.NewFilter(codeid.Lists{Local: local})
	flow, err := mpm.NewFlow(cfg)
	if err != nil {
		panic(err)
	}
	for _, scanned := range []string{
		"EXW1000000000017",
		"WIFI:S:guests;;",
		"https://shop.example/counter/7",
		"https://qr.example/281000040000000000000001",
		"https://qr.example/281000040000000000000002",
		"https://qr.example/281000040000000000000003",
	} {
		step, err := flow.Scan(context.Background(), alipayplus.Conceal(scanned), "customer-1")
		if err != nil {
			panic(err) // an empty code or customer
		}
		switch s := step.(type) {
		case mpm.Local:
			fmt.Println("ours, by an entry of kind", s.Verdict.Kind)
		case mpm.Rejected:
			fmt.Println("rejected, by an entry of kind", s.Verdict.Kind)
		case mpm.Unsupported:
			fmt.Println("not a code of Alipay+")
		case mpm.Launch:
			fmt.Println("an entry code: launch with", s.UserAgent)
		case mpm.Cashier:
			fmt.Println("the payment is open, show the cashier page:", s.Record.Amounts.Debit())
		case mpm.SDKAction:
			fmt.Println("the client SDK explains", s.Code)
		case mpm.Pending:
			fmt.Println("not known yet, ask again in", s.AskAgainAfter)
		case mpm.Failed:
			fmt.Println(s.Code, "-", s.Message.Text)
		case mpm.ResultPage:
			fmt.Println("scanned before; the payment is", s.Record.State)
		}
	}
	// Output:
	// ours, by an entry of kind prefix
	// not a code of Alipay+
	// an entry code: launch with AlipayConnect
	// the payment is open, show the cashier page: KRW 1000
	// the client SDK explains REGULATION_RESTRICTION
	// EXPIRED_CODE - This code has expired. Please ask for a new one.
}

// The JSON for the app is the step itself.
func ExampleStep() {
	flow, err := mpm.NewFlow(exampleConfig())
	if err != nil {
		panic(err)
	}
	for _, scanned := range []string{"https://shop.example/counter/7", "https://qr.example/281000040000000000000002"} {
		step, err := flow.Scan(context.Background(), alipayplus.Conceal(scanned), "customer-1")
		if err != nil {
			panic(err)
		}
		data, err := json.Marshal(step)
		fmt.Println(string(data), err)
	}
	// Output:
	// {"step":"launch","redirectUrl":"https://shop.example/counter/7","userAgent":"AlipayConnect"} <nil>
	// {"step":"sdkAction","actionType":"HANDLE_BY_SDK","sdkActionPayload":"opaque","call":"handleAction"} <nil>
}

// After launch the client SDK calls the app's decode with the code of the
// order. The JSON then names the function of its callback in "call".
func ExampleFlow_Decode() {
	flow, err := mpm.NewFlow(exampleConfig())
	if err != nil {
		panic(err)
	}
	for _, intercepted := range []string{"https://qr.example/281000040000000000000002", "https://qr.example/281000040000000000000003"} {
		step, err := flow.Decode(context.Background(), alipayplus.Conceal(intercepted), "customer-1")
		if err != nil {
			panic(err)
		}
		data, err := json.Marshal(step)
		fmt.Println(string(data), err)
	}
	// Output:
	// {"step":"sdkAction","actionType":"HANDLE_BY_SDK","sdkActionPayload":"opaque","call":"onSuccess"} <nil>
	// {"step":"failed","resultCode":"EXPIRED_CODE","message":{"key":"code_expired","text":"This code has expired. Please ask for a new one.","support":false},"call":"onFailure"} <nil>
}

// A payment from the cashier page to its end, without Handler: the user agrees,
// and the result page says what came of it.
func ExampleFlow_Confirm() {
	flow, err := mpm.NewFlow(exampleConfig())
	if err != nil {
		panic(err)
	}
	ctx := context.Background()
	step, err := flow.Decode(ctx, alipayplus.Conceal("https://qr.example/281000040000000000000001"), "customer-1")
	cashier, ok := step.(mpm.Cashier)
	if err != nil || !ok {
		panic(err)
	}
	confirmation := payment.Confirmation{
		PaymentRequestID: cashier.Record.PaymentRequestID,
		CustomerID:       "customer-1",
		Shown:            cashier.Record.Amounts.Debit(),
	}
	page, err := flow.Confirm(ctx, confirmation)
	if err != nil {
		panic(err) // nothing is known: ask ResultPage, or again
	}
	fmt.Println(page.Record.State, page.Message.Text, err)

	confirmation.CustomerID = "somebody-else"
	_, err = flow.Confirm(ctx, confirmation)
	fmt.Println(errors.Is(err, payment.ErrOtherCustomer), err)
	// Output:
	// open Your balance is too low for this payment. <nil>
	// true mpm: payment: the payment belongs to another customer
}

// The app asks over HTTP. APP.md has an example of every request.
func ExampleFlow_Handler() {
	flow, err := mpm.NewFlow(exampleConfig())
	if err != nil {
		panic(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/pay/", http.StripPrefix("/pay", flow.Handler(login)))

	request := httptest.NewRequest(http.MethodPost, "/pay/scan", strings.NewReader(`{"code":"https://shop.example/counter/7"}`))
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("X-Customer", "customer-1")
	answer := httptest.NewRecorder()
	mux.ServeHTTP(answer, request)
	fmt.Println(answer.Code, answer.Body)
	// Output:
	// 200 {"step":"launch","redirectUrl":"https://shop.example/counter/7","userAgent":"AlipayConnect"}
}

// Telling a user early that a payment will be above a limit. Alipay+ enforces
// the limits by itself.
func ExampleLimit_Check() {
	spentThisYear := alipayplus.Amount{Currency: "CNY", Minor: 49_800_00}
	for _, minor := range []int64{200_00, 300_00, 600_00} {
		amount := alipayplus.Amount{Currency: "CNY", Minor: minor}
		switch mpm.MainlandEntryCode.Check(amount, spentThisYear) {
		case mpm.WithinLimit:
			fmt.Println(amount, "is fine")
		case mpm.OverTransaction:
			fmt.Println(amount, "is above", mpm.MainlandEntryCode.Transaction, "for one payment")
		case mpm.OverYear:
			fmt.Println(amount, "would be above", mpm.MainlandEntryCode.Year, "for the year")
		}
	}
	// Output:
	// CNY 200.00 is fine
	// CNY 300.00 would be above CNY 50000.00 for the year
	// CNY 600.00 is above CNY 500.00 for one payment
}
