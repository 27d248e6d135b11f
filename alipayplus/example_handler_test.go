package alipayplus_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/alipayplustest"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
)

// examplePay returns a request as Alipay+ sends it.
func examplePay(id string, yen int64) *payment.PayRequest {
	price := alipayplus.Amount{Currency: "JPY", Minor: yen}
	return &payment.PayRequest{
		AcquirerID: "A", PSPID: "P", PaymentRequestID: id, PaymentAmount: price, PayToAmount: price,
		PaymentMethod: payment.Method{PaymentMethodType: "CONNECT_WALLET", PaymentMethodID: alipayplus.Conceal("281666040000000001")},
	}
}

// A wallet answers pay with one function. Its own unique constraint makes it
// idempotent; the IdempotencyStore spares it most repetitions.
func ExampleInbound_Handle() {
	var bookings sync.Map // in the place of a table whose primary key is payment_request_id
	pay := func(ctx context.Context, r *payment.PayRequest) (*payment.PayResponse, error) {
		if r.PayToAmount.Minor > 10_000 {
			return nil, alipayplus.CodeUserBalanceNotEnough // a refusal: F, kept and repeated
		}
		if err := ctx.Err(); err != nil {
			return nil, err // any other error: U, since money may have moved
		}
		// One transaction: INSERT INTO booking … ON CONFLICT DO NOTHING, and the
		// debit only if that inserted a row.
		id, _ := bookings.LoadOrStore(r.PaymentRequestID, "W-0001")
		return &payment.PayResponse{PaymentID: id.(string), PaymentTime: alipayplus.TimeOf(time.Now())}, nil // a zero Result is SUCCESS
	}

	alipay := alipayplustest.New(exampleTB{}) // plays Alipay+; a test gives its t
	handler, err := alipayplus.NewHandler(alipayplus.HandlerConfig{
		Credentials: alipay.Credentials(),
		Idempotency: alipayplus.NewMemoryIdempotencyStore(1000), // in production a table of the wallet's database
	}, payment.Pay.Handle("/alipayplus/pay", pay))
	if err != nil {
		fmt.Println(err)
		return
	}

	for _, request := range []*payment.PayRequest{
		examplePay("PR-1", 995),
		examplePay("PR-1", 995),    // again: the same answer, freshly signed
		examplePay("PR-1", 1000),   // another amount under the same id
		examplePay("PR-2", 99_999), // more than the user has
	} {
		answer, err := alipayplustest.Send(context.Background(), alipay, handler, "/alipayplus/pay", payment.Pay, request)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Printf("%s: %v %q\n", request.PaymentRequestID, answer.Result, answer.PaymentID)
	}
	// Output:
	// PR-1: S SUCCESS "W-0001"
	// PR-1: S SUCCESS "W-0001"
	// PR-1: F REPEAT_REQ_INCONSISTENT ""
	// PR-2: F USER_BALANCE_NOT_ENOUGH ""
}

// A run that ended without an answer, because the process died or an error came
// up after the booking, is run again: RequestInfo says so, and the unique
// constraint finds the booking.
func ExampleRequestInfo() {
	var bookings sync.Map // in the place of a table whose primary key is payment_request_id
	pay := func(ctx context.Context, r *payment.PayRequest) (*payment.PayResponse, error) {
		info, _ := alipayplus.RequestInfo(ctx)
		id, booked := bookings.LoadOrStore(r.PaymentRequestID, "W-0001")
		fmt.Printf("runs again: %t, was booked: %t\n", info.Again, booked)
		if !booked {
			return nil, errors.New("the connection to the database broke after the commit")
		}
		return &payment.PayResponse{PaymentID: id.(string), PaymentTime: alipayplus.TimeOf(time.Now())}, nil
	}
	alipay := alipayplustest.New(exampleTB{})
	handler, err := alipayplus.NewHandler(alipayplus.HandlerConfig{
		Credentials: alipay.Credentials(), Idempotency: alipayplus.NewMemoryIdempotencyStore(1000),
	}, payment.Pay.Handle("/alipayplus/pay", pay))
	if err != nil {
		fmt.Println(err)
		return
	}
	for range 3 {
		answer, err := alipayplustest.Send(context.Background(), alipay, handler, "/alipayplus/pay", payment.Pay, examplePay("PR-1", 995))
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Printf("%v %q\n", answer.Result, answer.PaymentID)
	}
	// Output:
	// runs again: false, was booked: false
	// U UNKNOWN_EXCEPTION ""
	// runs again: true, was booked: true
	// S SUCCESS "W-0001"
	// S SUCCESS "W-0001"
}

// One handler serves all APIs of a wallet, on a server that has every
// limit set. An API that only reads needs no Store.
func ExampleNewServer() {
	alipay := alipayplustest.New(exampleTB{})
	handler, err := alipayplus.NewHandler(
		alipayplus.HandlerConfig{Credentials: alipay.Credentials(), Idempotency: alipayplus.NewMemoryIdempotencyStore(1000)},
		payment.Refund.Handle("/alipayplus/refund", func(context.Context, *payment.RefundRequest) (*payment.RefundResponse, error) {
			return nil, alipayplus.Result{Code: alipayplus.CodeOrderNotExist, Status: alipayplus.StatusFailed, Message: "no such payment"}
		}),
		payment.InquiryPayment.Handle("/alipayplus/inquiryPayment",
			func(context.Context, *payment.InquiryPaymentRequest) (*payment.InquiryPaymentResponse, error) {
				return &payment.InquiryPaymentResponse{PaymentResult: alipayplus.CodePaymentInProcess.Result()}, nil
			}),
	)
	if err != nil {
		fmt.Println(err)
		return
	}
	server := alipayplus.NewServer("", handler)
	listener, err := net.Listen("tcp", "127.0.0.1:0") // in production server.ListenAndServeTLS
	if err != nil {
		fmt.Println(err)
		return
	}
	go func() { _ = server.Serve(listener) }()
	defer func() { _ = server.Close() }()

	// Alipay+ asks over HTTP.
	wallet := alipayplustest.Remote("http://"+listener.Addr().String(), nil)
	answer, err := alipayplustest.Send(context.Background(), alipay, wallet, "/alipayplus/inquiryPayment", payment.InquiryPayment,
		&payment.InquiryPaymentRequest{AcquirerID: "A", PSPID: "P", PaymentRequestID: "PR-1"})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(answer.Result, "/", answer.PaymentResult)

	// Anybody else gets nothing.
	response, err := http.Post("http://"+listener.Addr().String()+"/alipayplus/refund", "application/json", http.NoBody)
	if err != nil {
		fmt.Println(err)
		return
	}
	_ = response.Body.Close()
	fmt.Println(response.Status)
	// Output:
	// S SUCCESS / U PAYMENT_IN_PROCESS
	// 401 Unauthorized
}

// exampleTB prints what Alipay+ complains about.
type exampleTB struct{}

func (exampleTB) Helper()                           {}
func (exampleTB) Errorf(format string, args ...any) { fmt.Printf(format+"\n", args...) }
func (exampleTB) Cleanup(func())                    {}
