package auth

import (
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
)

// CancelTokenRequest ends an authorization from the side of the merchant.
type CancelTokenRequest struct {
	AcquirerID  string            `json:"acquirerId,omitzero" wire:"check,max=64"`      // REQUIRED, ≤ 64
	PSPID       string            `json:"pspId,omitzero" wire:"check,max=64"`           // REQUIRED, ≤ 64: the MPP's id at Alipay+
	AccessToken alipayplus.Secret `json:"accessToken,omitzero" wire:"required,max=128"` // REQUIRED, ≤ 128: the idempotency field
	// PassThroughInfo is key-value pairs in a string, ≤ 20,000 characters.
	PassThroughInfo alipayplus.Secret `json:"passThroughInfo,omitzero" wire:"max=20000"`
}

// CancelTokenResponse is the MPP's answer to cancelToken.
type CancelTokenResponse struct {
	Result alipayplus.Result `json:"result" wire:"required"`
}

// CancelToken is the API by which Alipay+ ends an authorization: the access
// token and its refresh token. Serve it with Service.CancelToken.
var CancelToken = alipayplus.NewInbound(alipayplus.Spec[CancelTokenRequest, CancelTokenResponse]{
	Name:    "cancelToken",
	Timeout: 5 * time.Second,
	Idempotency: func(r *CancelTokenRequest) alipayplus.Idempotency {
		return alipayplus.Idempotency{Key: r.AccessToken.Digest()}
	},
})
