package auth

import (
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
)

// GrantType says what applyToken exchanges for tokens.
type GrantType string

// The grant types of the documents.
const (
	GrantAuthorizationCode GrantType = "AUTHORIZATION_CODE"
	GrantRefreshToken      GrantType = "REFRESH_TOKEN"
)

// ApplyTokenRequest asks for an access token.
type ApplyTokenRequest struct {
	AcquirerID   string            `json:"acquirerId,omitzero" wire:"check,max=64"`    // REQUIRED, ≤ 64
	PSPID        string            `json:"pspId,omitzero" wire:"check,max=64"`         // REQUIRED, ≤ 64: the MPP's id at Alipay+
	AuthClientID string            `json:"authClientId,omitzero" wire:"check,max=64"`  // ≤ 64: who asks; not always present
	GrantType    GrantType         `json:"grantType,omitzero" wire:"required,max=32"`  // REQUIRED
	AuthCode     alipayplus.Secret `json:"authCode,omitzero" wire:"check,max=32"`      // with AUTHORIZATION_CODE, ≤ 32
	RefreshToken alipayplus.Secret `json:"refreshToken,omitzero" wire:"check,max=128"` // with REFRESH_TOKEN, ≤ 128
}

// ApplyTokenResponse is the MPP's answer to applyToken. Service.ApplyToken
// makes it.
type ApplyTokenResponse struct {
	Result                 alipayplus.Result `json:"result" wire:"required"`
	AccessToken            alipayplus.Secret `json:"accessToken,omitzero" wire:"max=128"`  // ≤ 128
	AccessTokenExpiryTime  alipayplus.Time   `json:"accessTokenExpiryTime,omitzero"`       // with AccessToken
	RefreshToken           alipayplus.Secret `json:"refreshToken,omitzero" wire:"max=128"` // ≤ 128
	RefreshTokenExpiryTime alipayplus.Time   `json:"refreshTokenExpiryTime,omitzero"`      // with RefreshToken
	CustomerID             string            `json:"customerId,omitzero" wire:"max=64"`    // ≤ 64: the MPP's user id
	UserLoginID            alipayplus.Secret `json:"userLoginId,omitzero" wire:"max=64"`   // ≤ 64: for the host to add, if agreed with Alipay+
}

// ApplyToken is the API by which Alipay+ exchanges an authorization code or a
// refresh token for tokens. Serve it with Service.ApplyToken.
//
// It has no idempotency field: a code is redeemed once and a refresh token is
// spent once, and [Service] repeats the answer of either for five minutes by
// its own rules. So no answer with tokens is ever kept in the handler's
// IdempotencyStore.
var ApplyToken = alipayplus.NewInbound(alipayplus.Spec[ApplyTokenRequest, ApplyTokenResponse]{
	Name:    "applyToken",
	Timeout: 5 * time.Second,
	Missing: func(_ *ApplyTokenRequest, a *ApplyTokenResponse) (missing []string) {
		for _, member := range []struct {
			name   string
			absent bool
		}{
			{"accessToken", a.AccessToken.IsZero()},
			{"accessTokenExpiryTime", a.AccessTokenExpiryTime.IsZero()},
			{"refreshToken", a.RefreshToken.IsZero()},
			{"refreshTokenExpiryTime", a.RefreshTokenExpiryTime.IsZero()},
			{"customerId", a.CustomerID == ""},
		} {
			if member.absent {
				missing = append(missing, member.name)
			}
		}
		return missing
	},
})
