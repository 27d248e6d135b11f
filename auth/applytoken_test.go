package auth_test

import (
	"context"
	"reflect"
	"testing"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/alipayplustest"
	"github.com/alipayplus-mpp/alipayplus-go/auth"
)

// An S of applyToken without any one of the members that make it a token is
// answered U.
func TestApplyTokenSuccessRequires(t *testing.T) {
	at := alipayplus.TimeOf(time.Now())
	full := auth.ApplyTokenResponse{
		AccessToken: alipayplus.Conceal("A1"), AccessTokenExpiryTime: at,
		RefreshToken: alipayplus.Conceal("R1"), RefreshTokenExpiryTime: at, CustomerID: "C1",
	}
	answerTo := func(answer auth.ApplyTokenResponse) alipayplus.Result {
		t.Helper()
		gateway := alipayplustest.New(t)
		handler, err := alipayplus.NewHandler(alipayplus.HandlerConfig{Credentials: gateway.Credentials()},
			auth.ApplyToken.Handle("/token", func(context.Context, *auth.ApplyTokenRequest) (*auth.ApplyTokenResponse, error) { return &answer, nil }))
		if err != nil {
			t.Fatal(err)
		}
		got, err := alipayplustest.Send(t.Context(), gateway, handler, "/token", auth.ApplyToken,
			&auth.ApplyTokenRequest{AcquirerID: "A", PSPID: "P", GrantType: auth.GrantAuthorizationCode, AuthCode: alipayplus.Conceal("C")})
		if err != nil {
			t.Fatal(err)
		}
		return got.Result
	}
	if got := answerTo(full); got != alipayplus.CodeSuccess.Result() {
		t.Errorf("a full answer: %v", got)
	}
	for _, member := range []string{"AccessToken", "AccessTokenExpiryTime", "RefreshToken", "RefreshTokenExpiryTime", "CustomerID"} {
		without := full
		reflect.ValueOf(&without).Elem().FieldByName(member).SetZero()
		if got := answerTo(without); got != alipayplus.CodeUnknownException.Result() {
			t.Errorf("without %s: %v, want U", member, got)
		}
	}
}
