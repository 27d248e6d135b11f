package auth_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"reflect"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/alipayplustest"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment/paymenttest"
	"github.com/alipayplus-mpp/alipayplus-go/auth"
)

// exampleSealer has a new key; a real one is in a KMS.
func exampleSealer() *alipayplus.Sealer {
	key := make([]byte, 32)
	_, _ = rand.Read(key)
	return must(alipayplus.NewSealer(key))
}

func exampleService() *auth.Service {
	db := alipayplus.NewMemory() // in production authsql and sqlstore
	return must(auth.NewService(auth.Config{
		Stores: auth.NewMemoryStores(db), Outbox: db, Sealer: exampleSealer(), RoutingNumber: "666",
	}))
}

// program plays *testing.T for the in-memory Alipay+.
type program struct{}

func (program) Helper()                           {}
func (program) Cleanup(func())                    {}
func (program) Errorf(format string, args ...any) { fmt.Printf(format+"\n", args...) }

// The login of a user in the Chinese mainland: getAuthCode of the client SDK,
// then applyToken of Alipay+.
func ExampleService_IssueCode() {
	ctx := context.Background()
	service := exampleService()

	code, err := service.IssueCode(ctx, auth.Grant{
		CustomerID: "C1", AuthClientID: "M1", Scopes: []string{"BASE_USER_INFO"},
	}, []string{"BASE_USER_INFO", "USER_PHONE"})
	fmt.Println(code, err)
	fmt.Println(code.Code.Reveal()[:8], len(code.Code.Reveal()))

	request := &auth.ApplyTokenRequest{
		AcquirerID: "A1", PSPID: "P1", AuthClientID: "M1",
		GrantType: auth.GrantAuthorizationCode, AuthCode: code.Code,
	}
	answer, err := service.ApplyToken(ctx, request)
	fmt.Println(answer.CustomerID, !answer.AccessToken.IsZero(), err)

	again, err := service.ApplyToken(ctx, request) // Alipay+ had no answer
	fmt.Println(reflect.DeepEqual(*again, *answer), err)

	request.AcquirerID = "A2" // somebody else with the same code
	_, err = service.ApplyToken(ctx, request)
	fmt.Println(err)
	// Output:
	// {[redacted] [BASE_USER_INFO] [USER_PHONE]} <nil>
	// 28166613 32
	// C1 true <nil>
	// true <nil>
	// F INVALID_CODE
}

// A user pays and agrees to one-click payments: the token is made in the
// transaction of the debit, and a Relay tells Alipay+. Later the user ends the
// authorization in the wallet, which needs KeepAccessTokens and the order's
// referenceMerchantId.
func ExampleService_OnPaid() {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	db, sealer := alipayplus.NewMemory(), exampleSealer() // in production sqlstore and a KMS
	tokens := must(auth.NewService(auth.Config{
		Stores: auth.NewMemoryStores(db), Outbox: db, Sealer: sealer,
		KeepAccessTokens: true,
		UserLoginID: func(context.Context, string) (alipayplus.Secret, error) {
			return alipayplus.Conceal("62-857****6473"), nil
		},
	}))
	bank := paymenttest.NewBank(db, "HKD") // in production your ledger
	bank.Deposit("C1", 1000)
	payments := must(payment.NewService(payment.ServiceConfig{
		Records: payment.NewMemoryRecords(db), Ledger: bank, OnChange: tokens.OnPaid,
	}))

	// Alipay+, in memory.
	alipay := alipayplustest.New(program{})
	told := make(chan auth.Notification, 2)
	alipayplustest.Answer(alipay, auth.AuthNotify,
		func(_ context.Context, r *auth.AuthNotifyRequest) (*auth.AuthNotifyResponse, error) {
			told <- r.Notification
			return &auth.AuthNotifyResponse{}, nil
		})
	alipayplustest.Answer(alipay, auth.ConsultUnbinding,
		func(context.Context, *auth.ConsultUnbindingRequest) (*auth.ConsultUnbindingResponse, error) {
			return &auth.ConsultUnbindingResponse{AllowUnbinding: alipayplus.True}, nil
		})
	alipayplustest.Answer(alipay, payment.NotifyPayment,
		func(context.Context, *payment.NotifyPaymentRequest) (*payment.NotifyPaymentResponse, error) {
			return &payment.NotifyPaymentResponse{}, nil
		})
	client := must(alipayplus.NewClient(alipay.Config()))
	relay := must(alipayplus.NewRelay(alipayplus.RelayConfig{Client: client, Queue: db, Sealer: sealer}))
	go func() { _ = relay.Run(ctx) }()

	hkd := alipayplus.Amount{Currency: "HKD", Minor: 100}
	opened := must(payments.Open(ctx, payment.Opened{Terms: payment.Terms{
		PaymentRequestID: "PR1", CustomerID: "C1", CodeValueDigest: "a digest",
		Amounts:           payment.Amounts{PaymentAmount: hkd, PayToAmount: hkd},
		Order:             payment.Order{Merchant: payment.Merchant{ReferenceMerchantID: "SHOP1"}},
		AuthorizationInfo: payment.AuthorizationInfo{AuthClientID: "M1", ReferenceAgreementID: "AG1"},
	}}))
	paid := must(payments.Confirm(ctx, payment.Confirmation{
		PaymentRequestID: "PR1", CustomerID: "C1", Shown: opened.Amounts.Debit(), Consent: true,
	}))
	fmt.Println(paid.State, paid.Consented)

	created := (<-told).(auth.TokenCreated)
	fmt.Println("Alipay+ learns of", created.ReferenceAgreementID, created.UserLoginID, created.AccessToken)
	grant, err := tokens.Check(ctx, created.AccessToken, auth.ScopeAgreementPay)
	fmt.Println(grant.CustomerID, grant.ReferenceMerchantID, err)

	token := must(tokens.Issue(ctx, auth.GrantOf(paid))) // the one that there is
	allowed, err := tokens.Unbind(ctx, client, token.ID, "C1")
	fmt.Println(allowed, err)
	canceled := (<-told).(auth.TokenCanceled)
	fmt.Println("Alipay+ learns of its end", canceled.AccessToken.Equal(created.AccessToken))
	_, err = tokens.Check(ctx, created.AccessToken, auth.ScopeAgreementPay)
	fmt.Println(err)
	// Output:
	// paid true
	// Alipay+ learns of AG1 [redacted] [redacted]
	// C1 SHOP1 <nil>
	// true <nil>
	// Alipay+ learns of its end true
	// INVALID_TOKEN
}

// Run in a goroutine of each process, together with the Run of the Relay.
func ExampleService_Run() {
	service := exampleService()
	ctx, stop := context.WithTimeout(context.Background(), time.Millisecond)
	defer stop()
	fmt.Println(service.Run(ctx))
	// Output:
	// context deadline exceeded
}

// Check of a token that a payment names: a refusal can be answered as it is.
func ExampleService_Check() {
	_, err := exampleService().Check(context.Background(), alipayplus.Conceal("not ours"), auth.ScopeAgreementPay)
	fmt.Println(err)
	fmt.Println(errors.Is(err, alipayplus.CodeInvalidToken), errors.Is(err, auth.ErrNotFound))
	// Output:
	// INVALID_TOKEN: auth: no such record
	// true true
}

// The type of a notification is the type of its value.
func ExampleAuthNotifyRequest() {
	m, err := auth.AuthNotify.Prepare(&auth.AuthNotifyRequest{Notification: auth.TokenCanceled{
		AuthClientID: "M1", AccessToken: alipayplus.Conceal("T1"),
	}})
	fmt.Println(m.Body.Reveal(), err)

	_, err = auth.AuthNotify.Prepare(&auth.AuthNotifyRequest{Notification: auth.TokenCanceled{AuthClientID: "M1"}})
	var invalid *alipayplus.ValidationError
	fmt.Println(errors.As(err, &invalid), invalid.Problems[0].Path, invalid.Problems[0].Rule)
	// Output:
	// {"authorizationNotifyType":"TOKEN_CANCELED","authClientId":"M1","accessToken":"T1"} <nil>
	// true accessToken missing
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
