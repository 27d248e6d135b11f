package auth

import (
	"errors"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/internal/wire"
)

// AuthNotifyRequest tells Alipay+ about a code or a token:
//
//	&auth.AuthNotifyRequest{Notification: auth.TokenCanceled{AuthClientID: client, AccessToken: token}}
//
// The Go type of Notification decides authorizationNotifyType, so that a type
// and members that do not belong together cannot be sent.
type AuthNotifyRequest struct {
	Notification Notification // REQUIRED: TokenCreated, TokenCanceled or AuthCodeCreated
}

// Notification is one of TokenCreated, TokenCanceled and AuthCodeCreated.
type Notification interface {
	// message is the notification with its authorizationNotifyType.
	message() any
	// key is what makes two notifications the same.
	key() string
}

// TokenCreated is authNotify with the type TOKEN_CREATED, about the token of an
// agreement that the user made. [Service.Issue] makes it.
type TokenCreated struct {
	AuthClientID           string            `json:"authClientId,omitzero" wire:"required,max=64"`         // REQUIRED, ≤ 64
	ReferenceAgreementID   string            `json:"referenceAgreementId,omitzero" wire:"required,max=64"` // REQUIRED, ≤ 64: from authorizationInfo
	AccessToken            alipayplus.Secret `json:"accessToken,omitzero" wire:"required,max=128"`         // REQUIRED, ≤ 128
	AccessTokenExpiryTime  alipayplus.Time   `json:"accessTokenExpiryTime,omitzero" wire:"required"`       // REQUIRED
	RefreshToken           alipayplus.Secret `json:"refreshToken,omitzero" wire:"max=128"`                 // ≤ 128
	RefreshTokenExpiryTime alipayplus.Time   `json:"refreshTokenExpiryTime,omitzero"`                      // with RefreshToken
	ReferenceMerchantID    string            `json:"referenceMerchantId,omitzero" wire:"max=32"`           // ≤ 32
	CustomerID             string            `json:"customerId,omitzero" wire:"max=64"`                    // ≤ 64: the MPP's user id
	UserLoginID            alipayplus.Secret `json:"userLoginId,omitzero" wire:"max=64"`                   // ≤ 64: masked, "62-857****6473"
	AcquirerID             string            `json:"acquirerId,omitzero" wire:"max=64"`                    // ≤ 64
	PSPID                  string            `json:"pspId,omitzero" wire:"max=64"`                         // ≤ 64: the MPP's id at Alipay+
	Result                 alipayplus.Result `json:"result,omitzero"`                                      // of the authorization; in the documents' sample only
	Wallet                 Wallet            `json:"walletForAccountBinding,omitzero"`                     // what the merchant shows of the wallet
}

// TokenCanceled is authNotify with the type TOKEN_CANCELED: the authorization
// ended in the wallet. Service.Cancel and Service.Unbind make it.
type TokenCanceled struct {
	AuthClientID         string            `json:"authClientId,omitzero" wire:"required,max=64"` // REQUIRED, ≤ 64
	AccessToken          alipayplus.Secret `json:"accessToken,omitzero" wire:"required,max=128"` // REQUIRED, ≤ 128
	ReferenceAgreementID string            `json:"referenceAgreementId,omitzero" wire:"max=64"`  // ≤ 64
	ReferenceMerchantID  string            `json:"referenceMerchantId,omitzero" wire:"max=32"`   // ≤ 32
	CustomerID           string            `json:"customerId,omitzero" wire:"max=64"`            // ≤ 64: the MPP's user id
}

// AuthCodeCreated is authNotify with the type AUTHCODE_CREATED: the user agreed
// in the wallet, and Alipay+ gets the authorization code for applyToken.
type AuthCodeCreated struct {
	AuthClientID         string            `json:"authClientId,omitzero" wire:"required,max=64"` // REQUIRED, ≤ 64
	AuthCode             alipayplus.Secret `json:"authCode,omitzero" wire:"required,max=32"`     // REQUIRED, ≤ 32
	AuthState            alipayplus.Secret `json:"authState,omitzero" wire:"required,max=256"`   // REQUIRED, ≤ 256: as the client made it
	ReferenceAgreementID string            `json:"referenceAgreementId,omitzero" wire:"max=64"`  // ≤ 64
	ReferenceMerchantID  string            `json:"referenceMerchantId,omitzero" wire:"max=32"`   // ≤ 32
	CustomerID           string            `json:"customerId,omitzero" wire:"max=64"`            // ≤ 64: the MPP's user id
}

// Wallet is walletForAccountBinding: what a merchant shows of the wallet.
type Wallet struct {
	WalletName      string     `json:"walletName,omitzero"`
	WalletBrandName string     `json:"walletBrandName,omitzero"`
	WalletLogo      WalletLogo `json:"walletLogo,omitzero"`
	WalletRegion    string     `json:"walletRegion,omitzero"` // ISO 3166
}

// WalletLogo is a picture of the wallet.
type WalletLogo struct {
	LogoName string `json:"logoName,omitzero"`
	LogoURL  string `json:"logoUrl,omitzero" wire:"max=2048,https"` // https
}

// AuthNotifyResponse acknowledges a notification.
type AuthNotifyResponse struct {
	Result     alipayplus.Result `json:"result" wire:"check,alias=resultInfo"`
	AcquirerID string            `json:"acquirerId,omitzero"`
	PSPID      string            `json:"pspId,omitzero"`
}

// AuthNotify is the API that tells Alipay+ about codes and tokens. It is
// repeated unchanged until it is acknowledged; an F never changes a token. An
// alipayplus.Relay delivers what Issue and Cancel put into the outbox.
var AuthNotify = alipayplus.NewOutbound(alipayplus.Spec[AuthNotifyRequest, AuthNotifyResponse]{
	Name:    "authNotify",
	Path:    "/aps/api/v1/authorizations/authNotify",
	Timeout: 5 * time.Second,
	Idempotency: func(r *AuthNotifyRequest) alipayplus.Idempotency {
		if r.Notification == nil {
			return alipayplus.Idempotency{}
		}
		return alipayplus.Idempotency{Key: r.Notification.key()}
	},
})

const (
	typeTokenCreated    = "TOKEN_CREATED"
	typeTokenCanceled   = "TOKEN_CANCELED"
	typeAuthCodeCreated = "AUTHCODE_CREATED"
)

// The three messages as they travel.
type (
	tokenCreatedMessage struct {
		Type string `json:"authorizationNotifyType,omitzero"`
		TokenCreated
	}
	tokenCanceledMessage struct {
		Type string `json:"authorizationNotifyType,omitzero"`
		TokenCanceled
	}
	authCodeCreatedMessage struct {
		Type string `json:"authorizationNotifyType,omitzero"`
		AuthCodeCreated
	}
)

func (n TokenCreated) message() any    { return &tokenCreatedMessage{typeTokenCreated, n} }
func (n TokenCanceled) message() any   { return &tokenCanceledMessage{typeTokenCanceled, n} }
func (n AuthCodeCreated) message() any { return &authCodeCreatedMessage{typeAuthCodeCreated, n} }

func (n TokenCreated) key() string    { return typeTokenCreated + "/" + n.AccessToken.Digest() }
func (n TokenCanceled) key() string   { return typeTokenCanceled + "/" + n.AccessToken.Digest() }
func (n AuthCodeCreated) key() string { return typeAuthCodeCreated + "/" + n.AuthCode.Digest() }

// WireRules returns the rules that r breaks as a message to send.
func (r AuthNotifyRequest) WireRules() []string {
	if r.Notification == nil {
		return []string{"holds no notification"}
	}
	return nil
}

// WireValue returns what is sent: the notification with its
// authorizationNotifyType.
func (r AuthNotifyRequest) WireValue() any {
	if r.Notification == nil {
		return nil
	}
	return r.Notification.message()
}

// UnmarshalJSON reads a notification. Without authorizationNotifyType, as in a
// sample of the documents, its members decide, and members may be missing.
func (r *AuthNotifyRequest) UnmarshalJSON(data []byte) error {
	var probe struct {
		Type        string            `json:"authorizationNotifyType,omitzero"`
		AuthCode    alipayplus.Secret `json:"authCode,omitzero"`
		AccessToken alipayplus.Secret `json:"accessToken,omitzero"`
		Expiry      alipayplus.Time   `json:"accessTokenExpiryTime,omitzero"`
	}
	if err := wire.Decode(data, &probe); err != nil {
		return errNotification
	}
	switch {
	case probe.Type != "":
	case !probe.AuthCode.IsZero():
		probe.Type = typeAuthCodeCreated
	case !probe.AccessToken.IsZero() && !probe.Expiry.IsZero():
		probe.Type = typeTokenCreated
	}
	var err error
	switch probe.Type {
	case typeTokenCreated:
		var m tokenCreatedMessage
		err = wire.Decode(data, &m)
		r.Notification = m.TokenCreated
	case typeTokenCanceled:
		var m tokenCanceledMessage
		err = wire.Decode(data, &m)
		r.Notification = m.TokenCanceled
	case typeAuthCodeCreated:
		var m authCodeCreatedMessage
		err = wire.Decode(data, &m)
		r.Notification = m.AuthCodeCreated
	default:
		return errNotification
	}
	var invalid *wire.InvalidError
	if errors.As(err, &invalid) {
		for _, p := range invalid.Problems {
			if p.Rule != "missing" {
				return errNotification
			}
		}
	}
	return nil
}

// errNotification is the error of what cannot be read. Its text is a rule.
var errNotification error = notificationError{}

type notificationError struct{}

func (notificationError) Error() string    { return "auth: not readable as a notification" }
func (notificationError) WireRule() string { return "not readable as a notification" }
