package auth

import (
	"context"
	"errors"
	"log/slog"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
)

// ErrErased says that the text of the token is not known any more, so that
// Alipay+ cannot be asked about it. See Config.KeepAccessTokens.
var ErrErased = errors.New("auth: the text of the token is erased")

// CancelToken answers cancelToken: the access token and its refresh token are
// dead from now on.
//
//	auth.CancelToken.Handle("/alipayplus/cancelToken", service.CancelToken)
//
// It succeeds for a token that is cancelled, expired, or was refreshed meanwhile,
// and refuses one that never was with INVALID_TOKEN.
func (s *Service) CancelToken(ctx context.Context, r *CancelTokenRequest) (*CancelTokenResponse, error) {
	if r == nil || r.AccessToken.IsZero() {
		return nil, alipayplus.CodeParamIllegal
	}
	digest := r.AccessToken.Digest()
	_, err := s.update(ctx, digest, func(t *Token) (bool, error) {
		if digest != t.AccessDigest && digest != t.OldAccessDigest {
			return false, alipayplus.CodeInvalidToken
		}
		if !t.Cancelled.IsZero() {
			return false, nil
		}
		t.cancel(now(), nil)
		return true, nil
	})
	if errors.Is(err, ErrNotFound) {
		return nil, alipayplus.CodeInvalidToken
	}
	if err != nil {
		return nil, err
	}
	return &CancelTokenResponse{}, nil
}

// Cancel ends an authorization from the side of the wallet, by the ID of its
// Token: both tokens are dead when it returns nil. Use it when the wallet itself
// decides, for example when an account is closed; if the user wants it, use
// Unbind.
//
// told reports whether Alipay+ will be told, by authNotify TOKEN_CANCELED from
// Work. That needs the text of the token: see Config.KeepAccessTokens.
func (s *Service) Cancel(ctx context.Context, id string) (told bool, err error) {
	t, err := s.update(ctx, id, func(t *Token) (bool, error) {
		if !t.Cancelled.IsZero() {
			return false, nil
		}
		notice, err := s.canceledNotice(t)
		if err != nil { // never a reason to keep a token alive
			s.log.WarnContext(ctx, "auth: Alipay+ cannot be told of a cancelled token",
				slog.String("token", t.ID), slog.Any("error", err))
		}
		t.cancel(now(), notice)
		return true, nil
	})
	if err != nil {
		return false, err
	}
	return t.Notice.State != NoticeDropped, nil
}

func (s *Service) canceledNotice(t *Token) ([]byte, error) {
	access, err := s.accessToken(t)
	if err != nil {
		return nil, err
	}
	return s.sealNotice(t.AccessDigest, TokenCanceled{
		AuthClientID:         t.Grant.AuthClientID,
		AccessToken:          access,
		ReferenceAgreementID: t.Grant.ReferenceAgreementID,
		ReferenceMerchantID:  t.Grant.ReferenceMerchantID,
		CustomerID:           t.Grant.CustomerID,
	})
}

// Unbind ends an authorization because the user wants it, by the ID of its
// Token. It asks Alipay+ by consultUnbinding. If Alipay+ agrees, it cancels the
// token and has Work tell Alipay+. allowed false with a nil error: nothing
// changed, send the user to the merchant. With an error, call it again.
//
// It needs Config.KeepAccessTokens and Grant.ReferenceMerchantID. ErrErased: the
// text of the token is gone.
func (s *Service) Unbind(ctx context.Context, c *alipayplus.Client, id string) (allowed bool, err error) {
	t, err := s.cfg.Tokens.FindToken(ctx, id)
	if err != nil {
		return false, err
	}
	if !t.Cancelled.IsZero() {
		return true, nil
	}
	access, err := s.accessToken(&t)
	if err != nil {
		return false, err
	}
	answer, err := ConsultUnbinding.Call(ctx, c, &ConsultUnbindingRequest{
		AuthClientID:        t.Grant.AuthClientID,
		ReferenceMerchantID: t.Grant.ReferenceMerchantID,
		AccessToken:         access,
	})
	if err != nil {
		return false, err
	}
	if answer.AllowUnbinding != alipayplus.True {
		return false, nil
	}
	_, err = s.Cancel(ctx, t.ID)
	return err == nil, err
}

// accessToken is the text of t's access token, if it is still known: kept, or in
// a notification that was not acknowledged.
func (s *Service) accessToken(t *Token) (alipayplus.Secret, error) {
	if len(t.Access) > 0 {
		text, err := s.cfg.Sealer.open(forUnbind, t.AccessDigest, t.Access)
		return alipayplus.Conceal(string(text)), err
	}
	if len(t.Notice.Sealed) == 0 {
		return alipayplus.Secret{}, ErrErased
	}
	m, err := s.openNotice(t)
	if err != nil {
		return alipayplus.Secret{}, err
	}
	var n struct {
		AccessToken alipayplus.Secret `json:"accessToken"`
	}
	if alipayplus.Unmarshal([]byte(m.Body.Reveal()), &n) != nil || n.AccessToken.IsZero() {
		return alipayplus.Secret{}, errSealed
	}
	return n.AccessToken, nil
}
