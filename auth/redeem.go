package auth

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
)

// ApplyToken answers applyToken; Routes serves it.
//
// An authorization code gives one pair of tokens, for one request; a repeat of
// that request within RepeatWindow gets the same pair (see
// Config.NoCodeRepeat). A refresh token gives a new pair and kills the old one;
// the same refresh token within RepeatWindow gets the same new pair, unless
// that was refreshed, too.
//
// Refusals are Config.InvalidCode and Config.ExpiredCode, INVALID_REFRESH_TOKEN
// and EXPIRED_REFRESH_TOKEN, and PARAM_ILLEGAL for anything else. An error of a
// store makes the answer U, and Alipay+ asks again.
func (s *Service) ApplyToken(ctx context.Context, r *ApplyTokenRequest) (*ApplyTokenResponse, error) {
	switch {
	case r == nil:
	case r.GrantType == GrantAuthorizationCode && !r.AuthCode.IsZero():
		return s.redeem(ctx, r)
	case r.GrantType == GrantRefreshToken && !r.RefreshToken.IsZero():
		return s.refresh(ctx, r)
	}
	return nil, alipayplus.CodeParamIllegal
}

// refusal returns code with status F, also for a code that the SDK does not
// know.
func refusal(code alipayplus.ResultCode) error {
	return alipayplus.Result{Code: code, Status: alipayplus.StatusFailed}
}

// otherClient reports whether r is to be refused because it names another
// client than g, and logs that it does.
func (s *Service) otherClient(ctx context.Context, r *ApplyTokenRequest, g *Grant) bool {
	if r.AuthClientID == "" || r.AuthClientID == g.AuthClientID {
		return false
	}
	s.log.WarnContext(ctx, "auth: applyToken names another client than the grant is bound to",
		slog.String("authClientId", r.AuthClientID), slog.String("boundTo", g.AuthClientID),
		slog.Bool("refused", s.cfg.RefuseOtherClient))
	return s.cfg.RefuseOtherClient
}

// redeem exchanges a code. The code is consumed, its answer kept and the token
// stored in one transaction.
func (s *Service) redeem(ctx context.Context, r *ApplyTokenRequest) (answer *ApplyTokenResponse, err error) {
	if s.cfg.RoutingNumber == "" || !wellFormed(r.AuthCode, s.cfg.RoutingNumber) {
		return nil, refusal(s.cfg.InvalidCode)
	}
	digest := r.AuthCode.Digest()
	err = s.cfg.Stores.InTx(ctx, func(ctx context.Context) error {
		for range contention {
			c, err := s.cfg.Stores.FindCode(ctx, digest)
			if errors.Is(err, ErrNotFound) {
				return refusal(s.cfg.InvalidCode)
			}
			if err != nil {
				return err
			}
			if s.otherClient(ctx, r, &c.Grant) {
				return refusal(s.cfg.InvalidCode)
			}
			at := now()
			if !c.Consumed.IsZero() {
				answer, err = s.repeat(ctx, r, &c, at)
				return err
			}
			if !at.Before(c.Expiry) {
				return refusal(s.cfg.ExpiredCode)
			}
			p := s.newPair(at)
			answer = p.answer(&c.Grant)
			sealed, err := s.sealAnswer(forRedeem, digest, answer)
			if err != nil {
				return err
			}
			c = c.consumed(r, at, sealed)
			err = s.cfg.Stores.SaveCode(ctx, c)
			if errors.Is(err, ErrConflict) {
				continue
			}
			if err == nil {
				err = s.cfg.Stores.SaveToken(ctx, s.token(c.Digest, c.Grant, p, at))
			}
			return err
		}
		return errContention
	})
	if err != nil {
		return nil, err
	}
	return answer, nil
}

// repeat returns the answer to a request for a code that was redeemed before.
func (s *Service) repeat(ctx context.Context, r *ApplyTokenRequest, c *Code, at time.Time) (*ApplyTokenResponse, error) {
	if s.cfg.NoCodeRepeat || c.Repeat.Fingerprint != fingerprintOf(r) || !c.Repeat.open(at) {
		return nil, refusal(s.cfg.InvalidCode)
	}
	answer, err := s.openAnswer(forRedeem, c.Digest, c.Repeat.Sealed)
	if err != nil {
		return nil, err
	}
	t, err := s.cfg.Stores.FindToken(ctx, c.Digest)
	if err != nil {
		return nil, err
	}
	if !t.Cancelled.IsZero() || t.AccessDigest != answer.AccessToken.Digest() {
		return nil, refusal(s.cfg.InvalidCode)
	}
	return answer, nil
}

// refresh exchanges a refresh token.
func (s *Service) refresh(ctx context.Context, r *ApplyTokenRequest) (*ApplyTokenResponse, error) {
	digest := r.RefreshToken.Digest()
	var answer *ApplyTokenResponse
	_, err := s.update(ctx, digest, func(t *Token) (do *messages, err error) {
		answer = nil
		at := now()
		if !t.Cancelled.IsZero() || s.otherClient(ctx, r, &t.Grant) {
			return nil, alipayplus.CodeInvalidRefreshToken
		}
		switch {
		case digest == t.RefreshDigest && !at.Before(t.RefreshExpiry):
			return nil, alipayplus.CodeExpiredRefreshToken
		case digest == t.RefreshDigest:
			p := s.newPair(at)
			answer = p.answer(&t.Grant)
			sealed, err := s.sealAnswer(forRefresh, p.access.Digest(), answer)
			if err != nil {
				return nil, err
			}
			// TOKEN_CREATED tells of the pair that is dead now. Who sent the
			// refresh token knows it.
			do = new(messages)
			do.withdraw = t.created()
			t.refresh(p, at, sealed, s.keep(p))
			return do, nil
		case digest == t.OldRefreshDigest && t.Repeat.open(at):
			answer, err = s.openAnswer(forRefresh, t.AccessDigest, t.Repeat.Sealed)
			return nil, err
		}
		return nil, alipayplus.CodeInvalidRefreshToken
	})
	if errors.Is(err, ErrNotFound) {
		return nil, alipayplus.CodeInvalidRefreshToken
	}
	if err != nil {
		return nil, err
	}
	return answer, nil
}
