package mpm_test

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/alipayplustest"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
	"github.com/alipayplus-mpp/alipayplus-go/codeid"
	"github.com/alipayplus-mpp/alipayplus-go/mpm"
)

// exampleConfig is a Config whose client talks to an Alipay+ in memory. A real
// one has the client of alipayplus.New and the Identifier of codeid.Open.
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
	client, err := alipayplus.NewClient(g.Config())
	if err != nil {
		panic(err)
	}
	rules, err := codeid.ParseRuleset([]byte(`{"result":{"resultCode":"SUCCESS","resultStatus":"S"},"version":"1","codeRules":[
		{"codeMatchPattern":{"matchMethod":"PREFIX","prefix":"https://qr.example/281"},
		 "postCodeMatchAction":{"postCodeMatchActionType":"DECODE"}},
		{"codeMatchPattern":{"matchMethod":"PREFIX","prefix":"https://shop.example/"},
		 "postCodeMatchAction":{"postCodeMatchActionType":"OPEN_URL","urlConstructionMethod":"USE_DIRECTLY"}}]}`), codeid.RuleOptions{})
	if err != nil {
		panic(err)
	}
	return mpm.Config{Client: client, Identifier: ruleset{rules}}
}

// ruleset is a rule set as an Identifier.
type ruleset struct{ rules *codeid.Ruleset }

func (r ruleset) Identify(_ context.Context, code string) (codeid.Identification, error) {
	return r.rules.Identify(code)
}

// program is the alipayplustest.TB of a program.
type program struct{}

func (program) Helper()                           {}
func (program) Errorf(format string, args ...any) { fmt.Printf(format+"\n", args...) }
func (program) Cleanup(func())                    {}

// What comes next for a scanned code. A backend needs most of these cases for its
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
			fmt.Println("open the payment, show the cashier page:", s.Terms.Amounts.Debit())
		case mpm.SDKAction:
			fmt.Println("the client SDK explains", s.Code)
		case mpm.Pending:
			fmt.Println("not known yet, ask again in", s.AskAgainAfter)
		case mpm.Failed:
			fmt.Println(s.Code, "-", s.Message.Text)
		}
	}
	// Output:
	// ours, by an entry of kind prefix
	// not a code of Alipay+
	// an entry code: launch with AlipayConnect
	// open the payment, show the cashier page: KRW 1000
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

// After launch the client SDK calls the app's decode with the code of the order.
// The JSON then names the function of its callback in "call".
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

// How a payment ended is derived from its record. Here the user confirmed and the
// debit is done, for a code that the client SDK intercepted.
func ExampleOutcome() {
	now := time.Date(2025, 3, 1, 12, 0, 0, 0, time.UTC)
	amount := alipayplus.Amount{Currency: "HKD", Minor: 8518}
	record := payment.Record{}
	for _, event := range []payment.Event{
		payment.Opened{At: now, Terms: payment.Terms{
			PaymentRequestID: "2025030119074101000001", PaymentID: "our-1", CustomerID: "customer-1",
			Amounts:     payment.Amounts{PaymentAmount: alipayplus.Amount{Currency: "JPY", Minor: 995}, PayToAmount: amount},
			RedirectURL: alipayplus.Conceal("https://shop.example/orders/7"),
		}},
		payment.Confirmed{CustomerID: "customer-1", Amount: amount, At: now},
		payment.Debited{Attempt: 1, At: now},
	} {
		next, _, err := record.On(event)
		if err != nil {
			panic(err)
		}
		record = next
		data, err := json.Marshal(mpm.ResultPage{Record: record, Origin: mpm.Intercepted})
		fmt.Println(string(data), err)
	}
	// Output:
	// {"step":"outcome","paymentRequestId":"2025030119074101000001","state":"open","debitAmount":{"currency":"HKD","value":"8518","display":"HKD 85.18"}} <nil>
	// {"step":"outcome","paymentRequestId":"2025030119074101000001","state":"processing","debitAmount":{"currency":"HKD","value":"8518","display":"HKD 85.18"}} <nil>
	// {"step":"outcome","paymentRequestId":"2025030119074101000001","state":"paid","debitAmount":{"currency":"HKD","value":"8518","display":"HKD 85.18"},"redirect":{"to":"merchant","url":"https://shop.example/orders/7","afterSeconds":6},"call":"onSuccess"} <nil>
}

// Telling a user early that a payment will be above a limit. Alipay+ enforces the
// limits by itself.
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
