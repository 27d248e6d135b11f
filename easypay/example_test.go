package easypay_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/alipayplustest"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment/paymenttest"
	"github.com/alipayplus-mpp/alipayplus-go/easypay"
)

const examplePage = "https://wallet.example/verify/"

// exampleWallet makes a wallet in memory whose customer-1 has HKD 100.00.
func exampleWallet() (*easypay.Service, *payment.Service, *paymenttest.Bank) {
	memory := alipayplus.NewMemory() // yours: package sqlstore
	bank := paymenttest.NewBank(memory, "HKD")
	bank.Deposit("customer-1", 10_000)
	payments := must(payment.NewService(payment.ServiceConfig{Records: payment.NewMemoryRecords(memory), Ledger: bank}))
	key := make([]byte, 32) // yours: from a KMS, always the same
	_ = must(rand.Read(key))
	return must(easypay.NewService(easypay.Config{
		Payments: payments, Sealer: must(alipayplus.NewSealer(key)), PageURL: examplePage,
		Account: func(_ context.Context, a easypay.Account) (string, error) {
			if a.UserLoginID.Reveal() != "852-90000000" {
				return "", alipayplus.CodeUserNotExist
			}
			return "customer-1", nil
		},
	})), payments, bank
}

// exampleCalls returns an evaluation and a creation, as Alipay+ makes them.
func exampleCalls() (evaluation, creation *payment.PayRequest) {
	evaluation = &payment.PayRequest{
		PaymentRequestID: "PR-1",
		Order:            payment.Order{Merchant: payment.Merchant{MerchantName: "Example Shoes"}},
		PaymentAmount:    alipayplus.Amount{Currency: "SGD", Minor: 1000},
		PayToAmount:      alipayplus.Amount{Currency: "HKD", Minor: 5800},
		PaymentMethod: payment.Method{PaymentMethodMetaData: payment.MethodMetaData{
			UserLoginID: alipayplus.Conceal("852-90000000"), UserLoginIDType: "MOBILE",
		}},
		PaymentFactor: payment.Factor{
			IsAgreementPayment: alipayplus.True, IsEasyPayScenario: alipayplus.True, IsPaymentEvaluation: alipayplus.True,
		},
		PaymentRedirectURL: alipayplus.Conceal("https://pay.example/result?session=%2B"),
	}
	later := *evaluation
	later.PaymentFactor.IsPaymentEvaluation = alipayplus.Unset
	return evaluation, &later
}

// A wallet in memory. Alipay+ is played by alipayplustest.
func ExampleService() {
	service, payments, bank := exampleWallet()
	g := alipayplustest.New(&testing.T{}) // your test's
	handler := must(alipayplus.NewHandler(alipayplus.HandlerConfig{
		Credentials: g.Credentials(), Idempotency: alipayplus.NewMemoryIdempotencyStore(1000),
	}, slices.Concat(service.Routes("/alipayplus/"), payments.Routes("/alipayplus/"))...))

	ctx := context.Background()
	evaluation, creation := exampleCalls()
	answer, err := alipayplustest.Send(ctx, g, handler, "/alipayplus/pay", payment.Pay, evaluation)
	fmt.Println("evaluation:", answer.Result, err)
	answer, err = alipayplustest.Send(ctx, g, handler, "/alipayplus/pay", payment.Pay, creation)
	fmt.Println("creation:", answer.Result, err)

	// The user opens the page and enters a wrong PIN, then the right one.
	link, _ := strings.CutPrefix(answer.PaymentURL.Reveal(), examplePage)
	for _, pin := range []string{"0000", "1234"} {
		page, err := service.Verify(ctx, alipayplus.Conceal(link), func(_ context.Context, r payment.Record) (bool, error) {
			return r.CustomerID == "customer-1" && pin == "1234", nil
		})
		fmt.Println(page.Record.State, page.TriesLeft, page.Redirect.Reveal(), err)
	}
	fmt.Println("balance", bank.Balance("customer-1"))
	// Output:
	// evaluation: S SUCCESS <nil>
	// creation: U PAYMENT_IN_PROCESS <nil>
	// verifying 2  <nil>
	// paid 0 https://pay.example/result?session=%2B&status=success <nil>
	// balance 4200
}

// openedPayment makes a wallet with a payment whose user is to be verified.
func openedPayment() (service *easypay.Service, link string) {
	service, _, _ = exampleWallet()
	g := alipayplustest.New(&testing.T{})
	handler := must(alipayplus.NewHandler(alipayplus.HandlerConfig{
		Credentials: g.Credentials(), Idempotency: alipayplus.NewMemoryIdempotencyStore(1000),
	}, service.Routes("/alipayplus/")...))
	_, creation := exampleCalls()
	answer := must(alipayplustest.Send(context.Background(), g, handler, "/alipayplus/pay", payment.Pay, creation))
	link, _ = strings.CutPrefix(answer.PaymentURL.Reveal(), examplePage)
	return service, link
}

func ExampleRedirect() {
	url, err := easypay.Redirect("https://pay.example/result?data=n5x%2B%3D%3D%26%26SG&app=app", false)
	fmt.Println(url, err)
	_, err = easypay.Redirect("https://pay.example@other.example/", true)
	fmt.Println(err)
	// Output:
	// https://pay.example/result?data=n5x%2B%3D%3D%26%26SG&app=app&status=fail <nil>
	// easypay: the redirect URL has user-info
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
