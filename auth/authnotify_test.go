package auth_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/auth"
	"github.com/alipayplus-mpp/alipayplus-go/internal/wire"
)

func timeAt(t *testing.T, text string) alipayplus.Time {
	t.Helper()
	at, err := alipayplus.ParseTime(text)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// Each notification as it travels. There is no way to write another type next
// to these members.
func TestAuthNotifyAsSent(t *testing.T) {
	expiry := timeAt(t, "2033-09-02T13:41:58+08:00")
	for _, c := range []struct {
		notification auth.Notification
		body, key    string
	}{
		{auth.TokenCreated{
			AuthClientID: "m", ReferenceAgreementID: "a", AccessToken: alipayplus.Conceal("t"), AccessTokenExpiryTime: expiry,
			RefreshToken: alipayplus.Conceal("r"), RefreshTokenExpiryTime: expiry, CustomerID: "c",
			Wallet: auth.Wallet{WalletName: "W", WalletLogo: auth.WalletLogo{LogoURL: "https://wallet.example/w.svg"}},
		}, `{"authorizationNotifyType":"TOKEN_CREATED","authClientId":"m","referenceAgreementId":"a","accessToken":"t",
			"accessTokenExpiryTime":"2033-09-02T13:41:58+08:00","refreshToken":"r",
			"refreshTokenExpiryTime":"2033-09-02T13:41:58+08:00","customerId":"c",
			"walletForAccountBinding":{"walletName":"W","walletLogo":{"logoUrl":"https://wallet.example/w.svg"}}}`,
			"TOKEN_CREATED/" + alipayplus.Conceal("t").Digest()},
		{auth.TokenCanceled{AuthClientID: "m", AccessToken: alipayplus.Conceal("t")},
			`{"authorizationNotifyType":"TOKEN_CANCELED","authClientId":"m","accessToken":"t"}`,
			"TOKEN_CANCELED/" + alipayplus.Conceal("t").Digest()},
		{auth.AuthCodeCreated{AuthClientID: "m", AuthCode: alipayplus.Conceal("281"), AuthState: alipayplus.Conceal("s")},
			`{"authorizationNotifyType":"AUTHCODE_CREATED","authClientId":"m","authCode":"281","authState":"s"}`,
			"AUTHCODE_CREATED/" + alipayplus.Conceal("281").Digest()},
	} {
		m, err := auth.AuthNotify.Prepare(&auth.AuthNotifyRequest{Notification: c.notification})
		if err != nil {
			t.Errorf("%T: %v", c.notification, err)
			continue
		}
		if diff := cmp.Diff(members(t, []byte(c.body)), members(t, []byte(m.Body.Reveal()))); diff != "" {
			t.Errorf("%T: (-want +got)\n%s", c.notification, diff)
		}
		if m.Key != c.key || m.Path != "/aps/api/v1/authorizations/authNotify" {
			t.Errorf("%T: key %s, path %s", c.notification, m.Key, m.Path)
		}
		var back auth.AuthNotifyRequest
		if err := wire.Decode([]byte(m.Body.Reveal()), &back); err != nil {
			t.Errorf("%T: %v", c.notification, err)
		}
		if !reflect.DeepEqual(back.Notification, c.notification) {
			t.Errorf("%T: it comes back as %v", c.notification, back)
		}
	}
}

func members(t *testing.T, body []byte) (m map[string]any) {
	t.Helper()
	if err := json.Unmarshal(body, &m); err != nil {
		t.Fatal(err)
	}
	return m
}

func TestAuthNotifyRules(t *testing.T) {
	expiry := timeAt(t, "2033-09-02T13:41:58+08:00")
	token, long := alipayplus.Conceal("t"), alipayplus.Conceal(strings.Repeat("t", 129))
	for _, c := range []struct {
		rule         string
		notification auth.Notification
	}{
		{"holds no notification", nil},
		{"authClientId: missing", auth.TokenCreated{ReferenceAgreementID: "a", AccessToken: token, AccessTokenExpiryTime: expiry}},
		{"referenceAgreementId: missing", auth.TokenCreated{AuthClientID: "m", AccessToken: token, AccessTokenExpiryTime: expiry}},
		{"accessToken: missing", auth.TokenCreated{AuthClientID: "m", ReferenceAgreementID: "a", AccessTokenExpiryTime: expiry}},
		{"accessTokenExpiryTime: missing", auth.TokenCreated{AuthClientID: "m", ReferenceAgreementID: "a", AccessToken: token}},
		{"accessToken: longer than 128 characters", auth.TokenCanceled{AuthClientID: "m", AccessToken: long}},
		{"accessToken: missing", auth.TokenCanceled{AuthClientID: "m"}},
		{"authClientId: missing", auth.TokenCanceled{AccessToken: token}},
		{"authCode: longer than 32 characters", auth.AuthCodeCreated{AuthClientID: "m", AuthState: alipayplus.Conceal("s"), AuthCode: long}},
		{"authState: missing", auth.AuthCodeCreated{AuthClientID: "m", AuthCode: token}},
		{"walletForAccountBinding.walletLogo.logoUrl: not an absolute https URL", auth.TokenCreated{
			AuthClientID: "m", ReferenceAgreementID: "a", AccessToken: token, AccessTokenExpiryTime: expiry,
			Wallet: auth.Wallet{WalletLogo: auth.WalletLogo{LogoURL: "http://wallet.example/w.svg"}},
		}},
	} {
		_, err := auth.AuthNotify.Prepare(&auth.AuthNotifyRequest{Notification: c.notification})
		var invalid *alipayplus.ValidationError
		if !errors.As(err, &invalid) || !strings.Contains(err.Error(), c.rule) || alipayplus.OutcomeOf(err) != alipayplus.OutcomeNotSent {
			t.Errorf("%s: %v", c.rule, err)
		}
	}
}

// A sample of the documents has neither the type nor all that their text asks.
func TestAuthNotifySampleOfTheDocuments(t *testing.T) {
	const sample = `{
		"accessToken": "TOKEN-1", "accessTokenExpiryTime": "2033-09-02T13:41:58+08:00",
		"acquirerId": "A07", "customerId": "21", "pspId": "102",
		"refreshToken": "TOKEN-2", "refreshTokenExpiryTime": "2033-09-02T13:41:58+08:00",
		"result": {"resultCode": "SUCCESS", "resultMessage": "Success", "resultStatus": "S"},
		"userLoginId": "62-857****6473",
		"walletForAccountBinding": {"walletBrandName": "W", "walletLogo": {"logoName": "W",
			"logoUrl": "https://wallet.example/w.svg"}, "walletName": "W", "walletRegion": "ID"}}`
	var r auth.AuthNotifyRequest
	if err := wire.Decode([]byte(sample), &r); err != nil {
		t.Fatal(err)
	}
	want := auth.TokenCreated{
		AccessToken: alipayplus.Conceal("TOKEN-1"), AccessTokenExpiryTime: timeAt(t, "2033-09-02T13:41:58+08:00"),
		RefreshToken: alipayplus.Conceal("TOKEN-2"), RefreshTokenExpiryTime: timeAt(t, "2033-09-02T13:41:58+08:00"),
		AcquirerID: "A07", PSPID: "102", CustomerID: "21", UserLoginID: alipayplus.Conceal("62-857****6473"),
		Result: alipayplus.Result{Code: "SUCCESS", Status: "S", Message: "Success"},
		Wallet: auth.Wallet{WalletName: "W", WalletBrandName: "W", WalletRegion: "ID",
			WalletLogo: auth.WalletLogo{LogoName: "W", LogoURL: "https://wallet.example/w.svg"}},
	}
	if !reflect.DeepEqual(r.Notification, want) {
		t.Errorf("got %#v, want %#v", r.Notification, want)
	}
	for _, c := range []struct {
		rule, body string
		want       auth.Notification
	}{
		{"a code, without a type", `{"authCode":"281","authState":"s"}`, auth.AuthCodeCreated{AuthCode: alipayplus.Conceal("281"), AuthState: alipayplus.Conceal("s")}},
		{"a cancelled token", `{"authorizationNotifyType":"TOKEN_CANCELED","accessToken":"t"}`, auth.TokenCanceled{AccessToken: alipayplus.Conceal("t")}},
		{"members that do not belong to the type are left out", `{"authorizationNotifyType":"TOKEN_CANCELED","accessToken":"t","authCode":"c"}`, auth.TokenCanceled{AccessToken: alipayplus.Conceal("t")}},
		{"a token, created or cancelled", `{"accessToken":"t"}`, nil},
		{"a type that nobody knows", `{"authorizationNotifyType":"TOKEN_LOST","accessToken":"t"}`, nil},
		{"nothing", `{}`, nil},
	} {
		var r auth.AuthNotifyRequest
		err := wire.Decode([]byte(c.body), &r)
		if (err != nil) != (c.want == nil) || !reflect.DeepEqual(r.Notification, c.want) {
			t.Errorf("%s: %v, %v", c.rule, r, err)
		}
	}
}

func TestAnswersOfAlipayAreTolerated(t *testing.T) {
	for _, c := range []struct {
		body string
		want alipayplus.Bool
	}{
		{`{"result":{"resultCode":"SUCCESS","resultStatus":"S"},"allowUnbinding":"true"}`, alipayplus.True},
		{`{"result":{"resultCode":"SUCCESS","resultStatus":"S"},"allowUnbinding":true,"unbindUrl":"https://x"}`, alipayplus.True},
		{`{"result":{"resultCode":"SUCCESS","resultStatus":"S"},"allowUnbinding":"False"}`, alipayplus.False},
		{`{"result":{"resultCode":"SUCCESS","resultStatus":"S"}}`, alipayplus.Unset},
	} {
		var answer auth.ConsultUnbindingResponse
		if err := wire.Decode([]byte(c.body), &answer); err != nil || answer.AllowUnbinding != c.want || answer.Result.Status != "S" {
			t.Errorf("%s: %v, %v", c.body, answer, err)
		}
	}
	var notified auth.AuthNotifyResponse
	err := wire.Decode([]byte(`{"result":{"resultCode":"SUCCESS","resultStatus":"S","resultMessage":"success"},"acquirerId":"1","pspId":"2"}`), &notified)
	if err != nil || notified.AcquirerID != "1" || notified.PSPID != "2" {
		t.Errorf("%v, %v", notified, err)
	}
}
