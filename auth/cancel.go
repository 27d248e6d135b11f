package auth

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
)

// ErrErased is the error of Unbind for a token whose text is not kept, or not
// any more, so that Alipay+ cannot be asked about it. See
// Config.KeepAccessTokens.
var ErrErased = errors.New("auth: the text of the token is not kept")

// CancelToken answers cancelToken: it ends the access token and its refresh
// token. [Service.Routes] serves it.
//
// It succeeds for a token that is cancelled, has expired, or was refreshed
// meanwhile, and refuses one that never was with INVALID_TOKEN.
func (s *Service) CancelToken(ctx context.Context, r *CancelTokenRequest) (*CancelTokenResponse, error) {
	if r == nil || r.AccessToken.IsZero() {
		return nil, alipayplus.CodeParamIllegal
	}
	digest := r.AccessToken.Digest()
	_, err := s.update(ctx, digest, func(t *Token) (*messages, error) {
		if digest != t.AccessDigest && digest != t.OldAccessDigest {
			return nil, alipayplus.CodeInvalidToken
		}
		if !t.Cancelled.IsZero() {
			return nil, nil //nolint:nilnil // nothing changes
		}
		do := new(messages)
		do.withdraw = t.created()
		t.cancel(now(), false)
		return do, nil
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
// Token: both tokens are dead when it returns nil. Use it when the wallet
// itself decides, for example when an account is closed; if the user wants it,
// use Unbind. It joins the transaction that ctx carries.
//
// told reports whether Alipay+ is told, by TOKEN_CANCELED in the outbox. That
// needs the text of the token: see Config.KeepAccessTokens. A TOKEN_CREATED
// that is not acknowledged is withdrawn.
func (s *Service) Cancel(ctx context.Context, id string) (told bool, err error) {
	t, err := s.update(ctx, id, func(t *Token) (*messages, error) {
		if !t.Cancelled.IsZero() {
			return nil, nil //nolint:nilnil // nothing changes
		}
		do := new(messages)
		do.withdraw = t.created()
		m, err := s.canceledMessage(t)
		if err == nil {
			do.put = &m
		} else { // never a reason to keep a token alive
			s.log.WarnContext(ctx, "auth: Alipay+ cannot be told of a cancelled token",
				slog.String("token", t.ID), slog.Any("error", err))
		}
		t.cancel(now(), err == nil)
		return do, nil
	})
	if err != nil {
		return false, err
	}
	return t.Told, nil
}

func (s *Service) canceledMessage(t *Token) (m alipayplus.Message, err error) {
	access, err := s.accessToken(t)
	if err != nil {
		return m, err
	}
	return s.message(t.ID, TokenCanceled{
		AuthClientID:         t.Grant.AuthClientID,
		AccessToken:          access,
		ReferenceAgreementID: t.Grant.ReferenceAgreementID,
		ReferenceMerchantID:  t.Grant.ReferenceMerchantID,
		CustomerID:           t.Grant.CustomerID,
	})
}

// Unbind ends an authorization because the user wants it, by the ID of its
// Token; package authsql shows how to list the IDs of a user. customerID is who
// asks: somebody else's authorization is [ErrNotFound], like one that is not
// there. It asks Alipay+ by consultUnbinding, so call it outside of a
// transaction. If Alipay+ agrees, it does what [Service.Cancel] does. If
// allowed is false and the error nil, nothing changed: send the user to the
// merchant. After another error, call it again.
//
// It needs Config.KeepAccessTokens and Grant.ReferenceMerchantID: without the
// first one the error is ErrErased, without the second one an
// *alipayplus.ValidationError.
func (s *Service) Unbind(ctx context.Context, c *alipayplus.Client, id, customerID string) (allowed bool, err error) {
	t, err := s.cfg.Stores.FindToken(ctx, id)
	switch {
	case err != nil:
		return false, err
	case t.Grant.CustomerID != customerID:
		s.log.WarnContext(ctx, "auth: a customer wants to end the authorization of another one", slog.String("token", t.ID))
		return false, fmt.Errorf("auth: no authorization of this customer: %w", ErrNotFound)
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

// accessToken returns the text of t's access token, if it is kept.
func (s *Service) accessToken(t *Token) (alipayplus.Secret, error) {
	if len(t.Access) == 0 {
		return alipayplus.Secret{}, ErrErased
	}
	text, err := s.cfg.Sealer.Open(forUnbind.of(t.AccessDigest), t.Access)
	return alipayplus.Conceal(string(text)), err
}
