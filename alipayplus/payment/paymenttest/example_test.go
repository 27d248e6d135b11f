package paymenttest_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment/paymenttest"
)

// pays opens and confirms a payment of 85.18 HKD.
func pays(ctx context.Context, payments *payment.Service) payment.Record {
	hkd := alipayplus.Amount{Currency: "HKD", Minor: 8518}
	must(payments.Open(ctx, payment.Opened{Terms: payment.Terms{
		PaymentRequestID: "P1", CustomerID: "C1", CodeValueDigest: alipayplus.Conceal("code").Digest(),
		Amounts: payment.Amounts{PaymentAmount: hkd, PayToAmount: hkd},
	}}))
	return must(payments.Confirm(ctx, payment.Confirmation{PaymentRequestID: "P1", CustomerID: "C1", Shown: hkd}))
}

// A wallet whose money is in the database of its payments.
func ExampleBank() {
	ctx := context.Background()
	database := alipayplus.NewMemory()
	bank := paymenttest.NewBank(database, "HKD")
	payments := must(payment.NewService(payment.ServiceConfig{
		Records: payment.NewMemoryRecords(database), Ledger: bank,
	}))

	poor := pays(ctx, payments)
	fmt.Println(poor.State, poor.Code)
	bank.Deposit("C1", 10_000)
	fmt.Println(pays(ctx, payments).State, bank.Balance("C1"))
	// Output:
	// open USER_BALANCE_NOT_ENOUGH
	// paid 1482
}

// A wallet whose money is in a service of its own, whose answer is lost: the user
// was debited, and the payment is paying until the service is asked again.
func ExampleRemoteBank() {
	ctx := context.Background()
	bank := paymenttest.NewRemoteBank("HKD")
	bank.Deposit("C1", 10_000)
	bank.Fault = func(_ context.Context, _ string, after bool) error {
		if after {
			return errors.New("the answer is lost")
		}
		return nil
	}
	payments := must(payment.NewService(payment.ServiceConfig{
		Records: payment.NewMemoryRecords(alipayplus.NewMemory()), RemoteLedger: bank,
	}))

	record := pays(ctx, payments)
	fmt.Println(record.State, record.InquiryAnswer().PaymentResult, bank.Balance("C1"))
	// Output:
	// paying U PAYMENT_IN_PROCESS 1482
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
