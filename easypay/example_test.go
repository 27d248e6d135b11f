package easypay_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/alipayplustest"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
	"github.com/alipayplus-mpp/alipayplus-go/easypay"
)

// A service that evaluates and creates. Alipay+ is played by alipayplustest.
func ExampleService() {
	payments := map[string]payment.Record{} // a table of the wallet
	service := easypay.Service{
		Evaluate: func(_ context.Context, e easypay.Evaluation) (easypay.Eligible, error) {
			if e.Account().UserLoginID.Reveal() != "852-90000000" {
				return easypay.Eligible{}, alipayplus.CodeUserNotExist
			}
			return easypay.Eligible{CustomerID: "customer-1"}, nil
		},
		Create: func(_ context.Context, c easypay.Creation) (easypay.Verification, error) {
			terms := c.Terms()
			terms.PaymentID, terms.CustomerID = "wallet-1", "customer-1"
			terms.Verification = payment.Verification{URL: alipayplus.Conceal("https://wallet.example/verify?session=1")}
			record, _, err := payments[c.PaymentRequestID].On(payment.Opened{Terms: terms, At: time.Now()})
			if err != nil {
				return easypay.Verification{}, err
			}
			payments[c.PaymentRequestID] = record
			return easypay.VerificationOf(record)
		},
	}

	t := &testing.T{} // your test's
	g := alipayplustest.New(t)
	handler, err := alipayplus.NewHandler(alipayplus.HandlerConfig{
		Credentials: g.Credentials(), Idempotency: alipayplus.NewMemoryIdempotencyStore(1000),
	}, service.Handle("/alipayplus/pay"))
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx := context.Background()
	call := &payment.PayRequest{
		PaymentRequestID: "PR-1",
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
	answer, err := alipayplustest.Send(ctx, g, handler, "/alipayplus/pay", payment.Pay, call)
	fmt.Println("evaluation:", answer.Result, err)

	call.PaymentFactor.IsPaymentEvaluation = alipayplus.Unset
	answer, err = alipayplustest.Send(ctx, g, handler, "/alipayplus/pay", payment.Pay, call)
	fmt.Println("creation:", answer.Result, answer.PaymentURL.Reveal(), err)

	// The user enters the right PIN on the verification page: it is counted, stored
	// and then compared.
	record, _, err := payments["PR-1"].On(payment.VerificationTried{At: time.Now()})
	fmt.Println(record.State, err)
	record, do, err := record.On(payment.Verified{Try: len(record.Tried), At: time.Now()})
	fmt.Println(record.State, err)
	for _, effect := range do {
		if debit, ok := effect.(payment.Debit); ok {
			fmt.Println("debit", debit.Amount)
		}
	}
	url, err := easypay.Redirect(record.RedirectURL.Reveal(), record.Verified())
	fmt.Println("redirect", url, err)
	// Output:
	// evaluation: S SUCCESS <nil>
	// creation: U PAYMENT_IN_PROCESS https://wallet.example/verify?session=1 <nil>
	// verifying <nil>
	// paying <nil>
	// debit HKD 58.00
	// redirect https://pay.example/result?session=%2B&status=success <nil>
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
