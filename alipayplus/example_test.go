package alipayplus_test

import (
	"context"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"net/http"
	"os"
	"time"

	"github.com/shopspring/decimal"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/alipayplustest"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
	"github.com/alipayplus-mpp/alipayplus-go/internal/testkit"
	"github.com/alipayplus-mpp/alipayplus-go/mpm"
)

// A wallet decodes the code that its user scanned. Alipay+ is played in memory
// here: in production the Config comes from the wallet's own settings, and
// nothing else changes.
func Example() {
	alipay := alipayplustest.New(exampleTB{}) // in a test: alipayplustest.New(t)
	alipayplustest.Answer(alipay, mpm.UserInitiatedPay,
		func(ctx context.Context, r *mpm.UserInitiatedPayRequest) (*mpm.UserInitiatedPayResponse, error) {
			return &mpm.UserInitiatedPayResponse{
				PaymentRequestID: "PR-1",
				PayToAmount:      alipayplus.Amount{Currency: "KRW", Minor: 1000},
			}, nil
		})

	client, err := alipayplus.NewClient(alipay.Config()) // one for the process: keep it
	if err != nil {
		log.Fatal(err)
	}

	// The first answer gets lost. The call is repeated with the same bytes, and
	// Alipay+ answers as it did before.
	alipay.Fail(mpm.UserInitiatedPay, alipayplustest.LoseAnswer())

	order, err := mpm.UserInitiatedPay.Call(context.Background(), client, &mpm.UserInitiatedPayRequest{
		CodeValue:  alipayplus.Conceal("281666040000000001"),
		CustomerID: "C-4711",
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s: the user pays %v\n", order.PaymentRequestID, order.PayToAmount)
	// Output:
	// PR-1: the user pays KRW 1000
}

// A production client. Keys come from a vault, not from the source.
func ExampleNew() {
	open := func() (*alipayplus.Client, error) {
		own, err := alipayplus.ParsePrivateKey([]byte(os.Getenv("OWN_PRIVATE_KEY")))
		if err != nil {
			return nil, fmt.Errorf("own key: %w", err)
		}
		signer, err := alipayplus.NewSigner("1", own) // the key version under which Alipay+ has our public key
		if err != nil {
			return nil, err
		}
		theirs, err := alipayplus.ParsePublicKey([]byte(os.Getenv("ALIPAYPLUS_PUBLIC_KEY")))
		if err != nil {
			return nil, fmt.Errorf("their key: %w", err)
		}
		keys, err := alipayplus.NewKeyRing(map[string]*rsa.PublicKey{"1": theirs})
		if err != nil {
			return nil, err
		}
		return alipayplus.NewClient(alipayplus.ClientConfig{
			Credentials: alipayplus.Credentials{ClientID: "WALLET_CLIENT_01", Signer: signer, Keys: keys},
			BaseURL:     "https://open-sea-global.alipayplus.com",
		})
	}

	client, err := open()
	fmt.Println(client, err) // a key that is missing says so, and no error ever quotes one
	// Output:
	// <nil> own key: alipayplus: unusable key: empty
}

// What to do after a call, by the one question that matters: did Alipay+
// process it?
func ExampleOutcomeOf() {
	next := func(err error) string {
		switch alipayplus.OutcomeOf(err) {
		case alipayplus.OutcomeSucceeded:
			return "go on: the answer is verified"
		case alipayplus.OutcomeFailed:
			return "stop: Alipay+ refused, and that is verified"
		case alipayplus.OutcomeNotSent:
			return "nothing happened: try later, or tell the user to scan again"
		case alipayplus.OutcomeUnknown:
			return "it may have happened: send the same request again"
		}
		return ""
	}

	alipay := alipayplustest.New(exampleTB{})
	alipayplustest.Answer(alipay, mpm.UserInitiatedPay, closedOrder)
	cfg := alipay.Config()
	cfg.Retry = alipayplus.NoRetry // to see the end of a single attempt
	client, err := alipayplus.NewClient(cfg)
	if err != nil {
		log.Fatal(err)
	}
	scan := &mpm.UserInitiatedPayRequest{CodeValue: alipayplus.Conceal("281666"), CustomerID: "C-4711"}

	// A refusal that does not verify is no refusal: anybody could have sent it.
	forged := alipayplus.Result{Code: alipayplus.CodeOrderIsClosed, Status: alipayplus.StatusFailed}
	alipay.Fail(mpm.UserInitiatedPay,
		alipayplustest.RefuseConnection(), alipayplustest.LoseAnswer(), alipayplustest.Unsigned(forged), alipayplustest.None())
	for range 4 {
		_, err := mpm.UserInitiatedPay.Call(context.Background(), client, scan)
		fmt.Println(err)
		fmt.Println("   ", next(err))
	}
	// Output:
	// alipayplus: userInitiatedPay was not sent: connection refused
	//     nothing happened: try later, or tell the user to scan again
	// alipayplus: userInitiatedPay: outcome unknown: the connection failed
	//     it may have happened: send the same request again
	// alipayplus: userInitiatedPay: outcome unknown: the answer is not signed (it claims F ORDER_IS_CLOSED)
	//     it may have happened: send the same request again
	// alipayplus: userInitiatedPay failed: F ORDER_IS_CLOSED (trace T2)
	//     stop: Alipay+ refused, and that is verified
}

// closedOrder returns what Alipay+ answers about an order that was paid
// already.
func closedOrder(context.Context, *mpm.UserInitiatedPayRequest) (*mpm.UserInitiatedPayResponse, error) {
	return nil, alipayplus.CodeOrderIsClosed
}

// Result codes are errors: ask for one with errors.Is. Only a verified code is
// ever found.
func ExampleError() {
	alipay := alipayplustest.New(exampleTB{})
	alipayplustest.Answer(alipay, mpm.UserInitiatedPay, closedOrder)
	client, err := alipayplus.NewClient(alipay.Config())
	if err != nil {
		log.Fatal(err)
	}
	_, err = mpm.UserInitiatedPay.Call(context.Background(), client,
		&mpm.UserInitiatedPayRequest{CodeValue: alipayplus.Conceal("281666"), CustomerID: "C-4711"})

	switch {
	case errors.Is(err, alipayplus.CodeExpiredCode), errors.Is(err, alipayplus.CodeInvalidCode):
		fmt.Println("Please scan a new code.")
	case errors.Is(err, alipayplus.CodeOrderIsClosed):
		fmt.Println("This order is closed.")
	default:
		fmt.Println("Please try again.")
	}

	var e *alipayplus.Error
	if errors.As(err, &e) {
		fmt.Printf("for support: %s, %v, HTTP %d, %d attempt\n", e.Operation, e.Outcome, e.HTTPStatus, e.Attempts)
	}
	// Output:
	// This order is closed.
	// for support: userInitiatedPay, failed, HTTP 200, 1 attempt
}

// A refusal may hold an instruction that must be obeyed. AnswerIn reads it, and
// only from an answer that verified.
func ExampleOutbound_AnswerIn() {
	alipay := alipayplustest.New(exampleTB{})
	alipayplustest.Answer(alipay, mpm.UserInitiatedPay,
		func(context.Context, *mpm.UserInitiatedPayRequest) (*mpm.UserInitiatedPayResponse, error) {
			return &mpm.UserInitiatedPayResponse{
				Result:     alipayplus.CodeInvalidCode.Result(),
				ActionForm: payment.ActionForm{ActionType: "HANDLE_BY_SDK", SDKActionPayload: alipayplus.Conceal("…")},
			}, nil
		})
	client, err := alipayplus.NewClient(alipay.Config())
	if err != nil {
		log.Fatal(err)
	}
	_, err = mpm.UserInitiatedPay.Call(context.Background(), client,
		&mpm.UserInitiatedPayRequest{CodeValue: alipayplus.Conceal("281666"), CustomerID: "C-4711"})

	fmt.Println(err)
	if answer, ok := mpm.UserInitiatedPay.AnswerIn(err); ok && answer.ActionForm.ActionType == "HANDLE_BY_SDK" {
		fmt.Println("hand the payload to the Alipay+ client SDK in the app")
	}
	// Output:
	// alipayplus: userInitiatedPay failed: F INVALID_CODE (trace T1)
	// hand the payload to the Alipay+ client SDK in the app
}

// A notification must arrive even if this process dies. It is prepared and
// stored in the transaction that moved the money, and delivered from there
// until Alipay+ acknowledges it: always the same bytes.
func ExampleClient_Deliver() {
	alipay := alipayplustest.New(exampleTB{})
	alipayplustest.Answer(alipay, payment.NotifyPayment,
		func(context.Context, *payment.NotifyPaymentRequest) (*payment.NotifyPaymentResponse, error) {
			return &payment.NotifyPaymentResponse{}, nil
		})
	cfg := alipay.Config()
	cfg.Retry = alipayplus.NoRetry // the outbox repeats
	client, err := alipayplus.NewClient(cfg)
	if err != nil {
		log.Fatal(err)
	}

	message, err := payment.NotifyPayment.Prepare(&payment.NotifyPaymentRequest{
		PaymentRequestID: "PR-1",
		PaymentResult:    alipayplus.CodeUserBalanceNotEnough.Result(),
	})
	if err != nil {
		log.Fatal(err) // it breaks a rule, and the error lists all that it breaks
	}
	row, err := message.MarshalBinary() // INSERT INTO outbox …, in the transaction of the ledger
	if err != nil {
		log.Fatal(err)
	}

	// Later, in any process. Two deliveries meet trouble.
	alipay.Fail(payment.NotifyPayment, alipayplustest.LoseAnswer(), alipayplustest.BadGateway())
	var stored alipayplus.Message
	if err := stored.UnmarshalBinary(row); err != nil {
		log.Fatal(err)
	}
	schedule := alipayplus.Schedule{time.Millisecond, time.Millisecond} // nil is the documented one, over 24 hours
	for tries := 1; ; tries++ {
		err := client.Deliver(context.Background(), stored)
		wait, again := schedule.Next(tries, err)
		switch {
		case err == nil:
			fmt.Println("acknowledged: delete the row")
			return
		case !again:
			fmt.Println("dead letter: keep the row, raise an alarm:", err)
			return
		}
		fmt.Println("again later:", err)
		time.Sleep(wait) // UPDATE outbox SET due = now() + wait
	}
	// Output:
	// again later: alipayplus: notifyPayment: outcome unknown: the connection failed
	// again later: alipayplus: notifyPayment: outcome unknown: the gateway answered with an error (HTTP 502)
	// acknowledged: delete the row
}

// Ask about the order's paymentNotifyUrl before the user pays.
func ExampleClient_CheckNotifyURL() {
	client, err := alipayplus.NewClient(alipayplustest.New(exampleTB{}).Config())
	if err != nil {
		log.Fatal(err)
	}
	for _, url := range []string{
		"",
		"https://open-sea.alipayplus.com/aps/api/v1/payments/notifyPayment",
		"https://alipayplus.com.example/notify",
		"http://169.254.169.254/latest/meta-data",
	} {
		fmt.Printf("%v\n", client.CheckNotifyURL(url))
	}
	// Output:
	// <nil>
	// <nil>
	// alipayplus: invalid message: paymentNotifyUrl: names the host alipayplus.com.example, which is not allowed; if it is Alipay+'s, add it to ClientConfig.NotifyHosts
	// alipayplus: invalid message: paymentNotifyUrl: is not https
}

// Behind another router, or in a proxy, Content checks a signature by itself.
// It takes the texts as they are on the wire.
func ExampleContent_Verify() {
	alipay := alipayplustest.New(exampleTB{})
	alipayKeys := alipay.Credentials().Keys

	middleware := func(r *http.Request, body []byte) error {
		return alipayplus.Content{
			Method:   r.Method,
			Target:   r.RequestURI, // never the decoded path
			ClientID: r.Header.Get("Client-Id"),
			Time:     r.Header.Get("Request-Time"),
			Body:     body, // never encoded again
		}.Verify(r.Header.Get("Signature"), alipayKeys)
	}

	body := []byte(`{"paymentRequestId":"PR-1"}`)
	request := alipay.NewRequest(context.Background(), "/wallet/inquiryPayment", body)
	fmt.Println(middleware(request, body))
	fmt.Println(middleware(request, append(body, '\n')))
	request.Header.Del("Signature")
	fmt.Println(middleware(request, body))
	// Output:
	// <nil>
	// alipayplus: signature does not verify: it was not made over this content with a known key
	// alipayplus: signature does not verify: the Signature header is missing or empty
}

// Alipay+ changes its key: for a while both are live, then the old one is taken
// out. The ring is the same one that Client and Handler hold.
func ExampleKeyRing_Replace() {
	oldKey, newKey := &testkit.Keys().Alipay.PublicKey, &testkit.Keys().Next.PublicKey // of ParsePublicKey

	ring, err := alipayplus.NewKeyRing(map[string]*rsa.PublicKey{"1": oldKey})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(ring)

	err = ring.Replace(map[string]*rsa.PublicKey{"1": oldKey, "2": newKey})
	fmt.Println(ring, err)

	err = ring.Replace(map[string]*rsa.PublicKey{"2": newKey})
	fmt.Println(ring, err)

	err = ring.Replace(nil) // a vault that answers nothing does not leave us without keys
	fmt.Println(ring, err)
	// Output:
	// KeyRing 1
	// KeyRing 1 2 <nil>
	// KeyRing 2 <nil>
	// KeyRing 2 alipayplus: unusable key: a key ring holds 1 to 4 keys, not 0
}

// Money crosses the edge once, exactly or not at all.
func ExampleAmountOf() {
	for _, price := range []struct {
		major    string
		currency alipayplus.Currency
	}{{"12.50", "USD"}, {"100", "JPY"}, {"1.234", "KWD"}, {"12.345", "USD"}, {"0.5", "JPY"}, {"1", "XXX"}} {
		major, err := decimal.NewFromString(price.major)
		if err != nil {
			log.Fatal(err)
		}
		amount, err := alipayplus.AmountOf(major, price.currency)
		if err != nil {
			fmt.Printf("%s %s: %v\n", price.currency, price.major, err)
			continue
		}
		wire, err := json.Marshal(amount)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%v is %d of the smallest unit: %s\n", amount, amount.Minor, wire)
	}
	// Output:
	// USD 12.50 is 1250 of the smallest unit: {"currency":"USD","value":"1250"}
	// JPY 100 is 100 of the smallest unit: {"currency":"JPY","value":"100"}
	// KWD 1.234 is 1234 of the smallest unit: {"currency":"KWD","value":"1234"}
	// USD 12.345: alipayplus: amount out of range
	// JPY 0.5: alipayplus: amount out of range
	// XXX 1: alipayplus: unknown currency
}

// A Secret does not print, and only Marshal writes it.
func ExampleSecret() {
	code := alipayplus.Conceal("281666040000000001")
	fmt.Printf("%v %s %q\n", code, code, code)
	fmt.Println("to log and to key by:", code.Digest()[:16], "…")
	fmt.Println("the same code again:", code.Equal(alipayplus.Conceal("281666040000000001")))
	message := map[string]alipayplus.Secret{"codeValue": code}
	_, err := json.Marshal(message)
	fmt.Println("encoding/json fails:", err != nil)
	text, err := alipayplus.Marshal(message)
	fmt.Println(string(text), err)
	// Output:
	// [redacted] [redacted] [redacted]
	// to log and to key by: eede674ba4458ab9 …
	// the same code again: true
	// encoding/json fails: true
	// {"codeValue":"281666040000000001"} <nil>
}

// A Time keeps the text that came in and gives the instant.
func ExampleTime() {
	var order struct {
		PaymentTime alipayplus.Time `json:"paymentTime"`
	}
	if err := json.Unmarshal([]byte(`{"paymentTime":"2019-11-27T12:01:01+08:00"}`), &order); err != nil {
		log.Fatal(err)
	}
	at, ok := order.PaymentTime.Time()
	fmt.Println(order.PaymentTime, at.UTC(), ok)
	fmt.Println(alipayplus.TimeOf(at.UTC()), alipayplus.TimeOf(at.UTC()).Equal(order.PaymentTime))
	// Output:
	// 2019-11-27T12:01:01+08:00 2019-11-27 04:01:01 +0000 UTC true
	// 2019-11-27T04:01:01+00:00 true
}

// An API that no package of the SDK has is declared in the same way, and then
// has all that the others have: signatures, retries, outcomes, the fake.
func ExampleNewOutbound() {
	type pointsRequest struct {
		CustomerID string `json:"customerId" wire:"required,max=64"`
	}
	type pointsResponse struct {
		Result alipayplus.Result `json:"result" wire:"check"`
		Points string            `json:"points,omitzero"`
	}
	inquirePoints := alipayplus.NewOutbound(alipayplus.Spec[pointsRequest, pointsResponse]{
		Name:     "inquirePoints",
		Path:     "/aps/api/v1/points/inquirePoints",
		ReadOnly: true, // so that repeating it is safe
	})

	alipay := alipayplustest.New(exampleTB{})
	alipayplustest.Answer(alipay, inquirePoints, func(_ context.Context, r *pointsRequest) (*pointsResponse, error) {
		return &pointsResponse{Points: "7"}, nil
	})
	client, err := alipayplus.NewClient(alipay.Config())
	if err != nil {
		log.Fatal(err)
	}

	answer, err := inquirePoints.Call(context.Background(), client, &pointsRequest{CustomerID: "C-4711"})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(answer.Points)
	_, err = inquirePoints.Call(context.Background(), client, &pointsRequest{})
	fmt.Println(err)
	// Output:
	// 7
	// alipayplus: inquirePoints was not sent: invalid message: customerId: missing
}
