package mpm_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/alipayplustest"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment/paymenttest"
	"github.com/alipayplus-mpp/alipayplus-go/codeid"
	"github.com/alipayplus-mpp/alipayplus-go/mpm"
	"github.com/alipayplus-mpp/alipayplus-go/mpm/mpmtest"
)

// login is your login: who asks?
func login(r *http.Request) (id string, err error) {
	if id = r.Header.Get("X-Customer"); id == "" {
		return "", errors.New("nobody is signed in")
	}
	return id, nil
}

// check is your risk control, limits and PIN. It may run again.
func check(_ context.Context, c payment.Check) error {
	switch {
	case c.Terms.Order.Merchant.MerchantMCC == "7995":
		return alipayplus.CodeRiskReject // for good
	case c.Stage == payment.StageDebit && c.Proof.Reveal() != "1234":
		return payment.Retryable(alipayplus.CodeUserPaymentVerificationFailed)
	}
	return nil
}

// A wallet's whole backend. Here it keeps everything in memory, and Alipay+,
// the merchant and the user's phone are doubles of the SDK; a real one has
// alipayplus.ParseCredentials, the database of package sqlstore and a Ledger of
// its own, and serves its two handlers with alipayplus.Serve.
func Example() {
	gateway := alipayplustest.New(program{})        // plays Alipay+
	shop := mpmtest.NewMerchant(program{}, gateway) // plays a merchant
	ctx, stop := context.WithCancel(context.Background())
	database := alipayplus.NewMemory()
	bank := paymenttest.NewBank(database, "KRW")
	bank.Deposit("customer-1", 5_000)

	client := must(alipayplus.NewClient(gateway.Config()))
	payments := must(payment.NewService(payment.ServiceConfig{Client: client, Records: payment.NewMemoryRecords(database), Ledger: bank, Check: check}))
	identifier := must(codeid.Open(ctx, codeid.Config{Client: client}))
	flow := must(mpm.NewFlow(mpm.Config{Client: client, Identifier: identifier, Payments: payments}))
	relay := must(alipayplus.NewRelay(alipayplus.RelayConfig{Client: client, Queue: database}))
	forAlipay := must(alipayplus.NewHandler(
		alipayplus.HandlerConfig{Credentials: gateway.Credentials(), Idempotency: alipayplus.NewMemoryIdempotencyStore(1000)},
		payments.Routes("/alipayplus/")...)) // inquiryPayment, cancelPayment, refund
	forApp := flow.Handler(login)

	var running sync.WaitGroup
	running.Go(func() { _ = relay.Run(ctx) })      // delivers notifyPayment
	running.Go(func() { _ = payments.Run(ctx) })   // expires payments, and resumes after a crash
	running.Go(func() { _ = identifier.Run(ctx) }) // refreshes the code rules

	phone := mpmtest.NewApp(shop, forApp)
	phone.Header.Set("X-Customer", "customer-1")
	phone.Proof, phone.Hurried = "1234", true
	pages, err := phone.ScanCode(ctx, shop.OrderCode(alipayplus.Amount{Currency: "JPY", Minor: 100}))
	for _, page := range pages {
		fmt.Println(page)
	}
	inquiry, err2 := alipayplustest.Send(ctx, gateway, forAlipay, "/alipayplus/inquiryPayment", payment.InquiryPayment,
		&payment.InquiryPaymentRequest{AcquirerID: "A", PSPID: "P", PaymentRequestID: shop.Orders()[0].PaymentRequestID})
	fmt.Println("inquiryPayment:", inquiry.PaymentResult, "balance:", bank.Balance("customer-1"), errors.Join(err, err2))
	stop()
	running.Wait()
	// Output:
	// cashier page: Example Shoes, KRW 1000
	// result page: paid KRW 1000
	// result page of the merchant
	// inquiryPayment: S SUCCESS balance: 4000 <nil>
}

// program is the alipayplustest.TB of a program.
type program struct{}

func (program) Helper()                           {}
func (program) Errorf(format string, args ...any) { fmt.Printf(format+"\n", args...) }
func (program) Cleanup(func())                    {}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
