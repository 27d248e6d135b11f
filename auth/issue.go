package auth

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"unicode/utf8"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
)

// AuthCode answers getAuthCode of the Alipay+ client SDK. Its JSON is for the
// wallet's app, which hands it to the client SDK.
type AuthCode struct {
	// Code is the authorization code, 32 characters; absent if scopes were asked
	// for and none was granted.
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

// IssueCode answers getAuthCode: it makes an authorization code for the user who
// is logged in to the wallet's app. g says who that is, the client, and which
// scopes the user granted; asked are the scopes of getAuthCode. The code stands
// for those that are in both. It is stored as a digest and can be redeemed once,
// within CodeTTL.
//
// The error of a g that is not complete is an *alipayplus.ValidationError.
func (s *Service) IssueCode(ctx context.Context, g Grant, asked []string) (AuthCode, error) {
	if s.cfg.Codes == nil {
		return AuthCode{}, errors.New("auth: no Codes in the Config")
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
	if err := s.cfg.Codes.SaveCode(ctx, newCode(code, g, now(), s.cfg.CodeTTL)); err != nil {
		return AuthCode{}, err
	}
	answer.Code = code
	return answer, nil
}

// NewToken makes the record of the token for an agreement and of the
// notification TOKEN_CREATED about it, and stores nothing. It is for a host that
// inserts the record itself, in the transaction that debits the user: insert it
// if its ID is not there yet, else forget it.
//
// The error of a g that is not complete is an *alipayplus.ValidationError. A
// ReferenceMerchantID that is too long for authNotify is left out with a warning
// on Config.Logger: an order may carry one, and the user has paid.
func (s *Service) NewToken(g Grant) (Token, error) {
	if utf8.RuneCountInString(g.ReferenceMerchantID) > 32 {
		s.log.Warn("auth: referenceMerchantId is longer than 32 characters and left out", slog.String("authClientId", g.AuthClientID))
		g.ReferenceMerchantID = ""
	}
	if err := g.check(true); err != nil {
		return Token{}, err
	}
	if len(g.Scopes) == 0 {
		g.Scopes = []string{ScopeAgreementPay}
	}
	at := now()
	p := s.newPair(at)
	t := s.token(agreementID(&g), g, p, at)
	sealed, err := s.sealNotice(t.AccessDigest, TokenCreated{
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
	if err != nil {
		return Token{}, err
	}
	t.Notice = Notice{State: NoticePending, Next: at, Sealed: sealed}
	return t, nil
}

// Issue makes and stores the token for an agreement, once: for the same
// authClientId and referenceAgreementId it returns the token that there is,
// whatever became of it. Call it when a payment with isAuthorizationAndPay
// succeeded, in the transaction of the debit if the TokenStore can take part in
// it, else after it and again until it returns nil. Work then tells Alipay+.
func (s *Service) Issue(ctx context.Context, g Grant) (Token, error) {
	t, err := s.NewToken(g)
	if err != nil {
		return Token{}, err
	}
	err = s.cfg.Tokens.SaveToken(ctx, t)
	if err == nil || !errors.Is(err, ErrConflict) {
		return t, err
	}
	there, err := s.cfg.Tokens.FindToken(ctx, t.ID)
	if err != nil {
		return Token{}, err
	}
	if there.Grant.CustomerID != g.CustomerID {
		return Token{}, errOtherCustomer
	}
	return there, nil
}

var errOtherCustomer = errors.New("auth: this agreement belongs to another customer")
