package auth

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
)

// AuthCode answers getAuthCode of the Alipay+ client SDK. Its JSON is for the
// wallet's app, which hands it to the client SDK.
type AuthCode struct {
	// Code is the authorization code, 32 characters; absent if scopes were
	// asked for and none was granted.
	Code          alipayplus.Secret `json:"authCode,omitzero"`
	SuccessScopes []string          `json:"authSuccessScopes,omitzero"` // asked for and granted
	ErrorScopes   []string          `json:"authErrorScopes,omitzero"`   // asked for and not granted
}

// MarshalJSON returns the object for the app, with the code in it.
func (c AuthCode) MarshalJSON() ([]byte, error) {
	type fields AuthCode
	return alipayplus.Marshal(fields(c))
}

// LogValue returns c without the code, for log/slog.
func (c AuthCode) LogValue() slog.Value {
	type fields AuthCode
	return alipayplus.Loggable(fields(c)).LogValue()
}

// IssueCode answers getAuthCode: it makes an authorization code for the user
// who is logged in to the wallet's app. g says who that is, the client, and
// which scopes the user granted; asked are the scopes of getAuthCode. The code
// is for those that are in both. It is stored as a digest and can be redeemed
// once, within Config.CodeTTL.
//
// The error of a g that is not complete is an *alipayplus.ValidationError.
func (s *Service) IssueCode(ctx context.Context, g Grant, asked []string) (AuthCode, error) {
	if s.cfg.RoutingNumber == "" {
		return AuthCode{}, errors.New("auth: no RoutingNumber in the Config")
	}
	if err := g.check(false); err != nil {
		return AuthCode{}, err
	}
	var answer AuthCode
	for _, scope := range asked {
		if slices.Contains(g.Scopes, scope) {
			answer.SuccessScopes = append(answer.SuccessScopes, scope)
		} else {
			answer.ErrorScopes = append(answer.ErrorScopes, scope)
		}
	}
	if len(asked) > 0 && answer.SuccessScopes == nil {
		return answer, nil
	}
	g.Scopes = answer.SuccessScopes
	code := newCodeText(s.cfg.RoutingNumber)
	if err := s.cfg.Stores.SaveCode(ctx, newCode(code, g, now(), s.cfg.CodeTTL)); err != nil {
		return AuthCode{}, err
	}
	answer.Code = code
	return answer, nil
}

// Issue makes and stores the token for an agreement, once, and puts its
// TOKEN_CREATED into the outbox: for the same authClientId and
// referenceAgreementId it returns the token that there is, whatever became of
// it. [Service.OnPaid] calls it for payments; call it yourself for an agreement
// that was made in another way.
//
// The error of a g that is not complete is an *alipayplus.ValidationError. A
// ReferenceMerchantID that is too long for authNotify is left out with a
// warning on Config.Logger: an order may carry one, and the user has paid.
func (s *Service) Issue(ctx context.Context, g Grant) (Token, error) {
	if utf8.RuneCountInString(g.ReferenceMerchantID) > 32 {
		s.log.WarnContext(ctx, "auth: referenceMerchantId is longer than 32 characters and left out",
			slog.String("authClientId", g.AuthClientID))
		g.ReferenceMerchantID = ""
	}
	t, m, err := s.newToken(g, now())
	if err != nil {
		return Token{}, err
	}
	issued := t
	err = s.cfg.Stores.InTx(ctx, func(ctx context.Context) error {
		err := s.cfg.Stores.SaveToken(ctx, t)
		if errors.Is(err, ErrConflict) {
			issued, err = s.cfg.Stores.FindToken(ctx, t.ID)
			return err
		}
		issued = t
		if err == nil {
			err = s.cfg.Outbox.Put(ctx, m)
		}
		return err
	})
	if err != nil {
		return Token{}, err
	}
	if issued.Grant.CustomerID != g.CustomerID { // found out here: an error inside would undo a payment, too
		return Token{}, errOtherCustomer
	}
	return issued, nil
}

// newToken makes the record of the token for an agreement, and the message
// TOKEN_CREATED about it.
func (s *Service) newToken(g Grant, at time.Time) (t Token, m alipayplus.Message, err error) {
	if err := g.check(true); err != nil {
		return t, m, err
	}
	if len(g.Scopes) == 0 {
		g.Scopes = []string{ScopeAgreementPay}
	}
	p := s.newPair(at)
	t = s.token(agreementID(&g), g, p, at)
	m, err = s.message(t.ID, TokenCreated{
		AuthClientID:           g.AuthClientID,
		ReferenceAgreementID:   g.ReferenceAgreementID,
		AccessToken:            p.access,
		AccessTokenExpiryTime:  alipayplus.TimeOf(p.accessExpiry),
		RefreshToken:           p.refresh,
		RefreshTokenExpiryTime: alipayplus.TimeOf(p.refreshExpiry),
		ReferenceMerchantID:    g.ReferenceMerchantID,
		CustomerID:             g.CustomerID,
		UserLoginID:            g.UserLoginID,
		AcquirerID:             g.AcquirerID,
		PSPID:                  g.PSPID,
		Wallet:                 s.cfg.Wallet,
	})
	return t, m, err
}

var errOtherCustomer = errors.New("auth: this agreement belongs to another customer")
