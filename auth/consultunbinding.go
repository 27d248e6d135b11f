package auth

import (
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
)

// ConsultUnbindingRequest asks whether a user may end an authorization in the
// wallet.
type ConsultUnbindingRequest struct {
	AuthClientID        string            `json:"authClientId,omitzero" wire:"required,max=64"`        // REQUIRED, ≤ 64
	ReferenceMerchantID string            `json:"referenceMerchantId,omitzero" wire:"required,max=32"` // REQUIRED, ≤ 32
	AccessToken         alipayplus.Secret `json:"accessToken,omitzero" wire:"required,max=128"`        // REQUIRED, ≤ 128
}

// ConsultUnbindingResponse is Alipay+'s answer. It may hold more than the
// documents show: alipayplus.WithInfo gives the whole body.
type ConsultUnbindingResponse struct {
	Result alipayplus.Result `json:"result" wire:"check,alias=resultInfo"`
	// AllowUnbinding: True, the wallet may end the authorization. False, the
	// user has to do it at the merchant.
	AllowUnbinding alipayplus.Bool `json:"allowUnbinding,omitzero" wire:"check"`
}

// ConsultUnbinding is the API that asks Alipay+ whether the user may end an
// authorization in the wallet. It changes nothing. Service.Unbind calls it and
// does what follows.
var ConsultUnbinding = alipayplus.NewOutbound(alipayplus.Spec[ConsultUnbindingRequest, ConsultUnbindingResponse]{
	Name:     "consultUnbinding",
	Path:     "/aps/api/v1/authorizations/consultUnbinding",
	Timeout:  5 * time.Second,
	ReadOnly: true,
})
