package auth_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"reflect"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/alipayplustest"
	"github.com/alipayplus-mpp/alipayplus-go/auth"
)

// must keeps the examples short.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func exampleService() *auth.Service {
	key := make([]byte, 32) // in production from a KMS
	_, _ = rand.Read(key)
	store := auth.NewMemoryStore(1000) // in production a database
	return must(auth.NewService(auth.Config{
		Codes: store, Tokens: store, Sealer: must(auth.NewSealer(key)), RoutingNumber: "666",
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

// A user agreed to one-click payments. The token is made once, and Alipay+ is
// told until it acknowledges.
func ExampleService_Issue() {
	ctx := context.Background()
	service := exampleService()
	alipay := alipayplustest.New(program{})
	var token alipayplus.Secret
	alipayplustest.Answer(alipay, auth.AuthNotify,
		func(_ context.Context, r *auth.AuthNotifyRequest) (*auth.AuthNotifyResponse, error) {
			created := r.Notification.(auth.TokenCreated)
			fmt.Println("Alipay+ learns of", created.ReferenceAgreementID, created.AccessToken)
			token = created.AccessToken
			return &auth.AuthNotifyResponse{}, nil
		})
	client := must(alipayplus.NewClient(alipay.Config()))

	agreement := auth.Grant{
		CustomerID: "C1", AuthClientID: "M1", ReferenceAgreementID: "AG1",
		UserLoginID: alipayplus.Conceal("62-857****6473"),
	}
	first := must(service.Issue(ctx, agreement))
	second := must(service.Issue(ctx, agreement)) // after a crash, say
	fmt.Println(first.AccessDigest == second.AccessDigest, first.Notice.State)

	done, err := service.Work(ctx, client)
	fmt.Println(done, err)

	grant, err := service.Check(ctx, token, auth.ScopeAgreementPay)
	fmt.Println(grant.CustomerID, grant.ReferenceAgreementID, err)
	// Output:
	// true pending
	// Alipay+ learns of AG1 [redacted]
	// 1 <nil>
	// C1 AG1 <nil>
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
