package auth

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
)

// ApplyToken answers applyToken:
//
//	auth.ApplyToken.Handle("/alipayplus/applyToken", service.ApplyToken)
//
// An authorization code gives one pair of tokens, for one request; a repeat of
// that request within RepeatWindow gets the same pair (see Config.NoCodeRepeat).
// A refresh token gives a new pair and kills the old one; the same refresh token
// within RepeatWindow gets the same new pair, unless that was refreshed, too.
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

// refusal is code with status F, also for a code that the SDK does not know.
func refusal(code alipayplus.ResultCode) error {
	return alipayplus.Result{Code: code, Status: alipayplus.StatusFailed}
}

// otherClient reports whether r is to be refused because it names another client
// than g.
func (s *Service) otherClient(ctx context.Context, r *ApplyTokenRequest, g *Grant) bool {
	if r.AuthClientID == "" || r.AuthClientID == g.AuthClientID {
		return false
	}
	s.log.WarnContext(ctx, "auth: applyToken names another client than the grant is bound to",
		slog.String("authClientId", r.AuthClientID), slog.String("boundTo", g.AuthClientID),
		slog.Bool("refused", s.cfg.RefuseOtherClient))
	return s.cfg.RefuseOtherClient
}

// redeem exchanges a code. What decides is one atomic step of the CodeStore: the
// change of the code to consumed, together with the sealed answer. The token
// follows from that record, so that a repeat after a crash can still store it.
func (s *Service) redeem(ctx context.Context, r *ApplyTokenRequest) (*ApplyTokenResponse, error) {
	if s.cfg.Codes == nil || !wellFormed(r.AuthCode, s.cfg.RoutingNumber) {
		return nil, refusal(s.cfg.InvalidCode)
	}
	digest := r.AuthCode.Digest()
	for range contention {
		c, err := s.cfg.Codes.FindCode(ctx, digest)
		if errors.Is(err, ErrNotFound) {
			return nil, refusal(s.cfg.InvalidCode)
		}
		if err != nil {
			return nil, err
		}
		if s.otherClient(ctx, r, &c.Grant) {
			return nil, refusal(s.cfg.InvalidCode)
		}
		at := now()
		if !c.Consumed.IsZero() {
			if c.Repeat.Print != printOf(r) || !c.Repeat.open(at) {
				return nil, refusal(s.cfg.InvalidCode)
			}
			answer, err := s.openAnswer(forRedeem, digest, c.Repeat.Sealed)
			if err != nil {
				return nil, err
			}
			return s.complete(ctx, c, answer)
		}
		if !at.Before(c.Expiry) {
			return nil, refusal(s.cfg.ExpiredCode)
		}
		answer := s.newPair(at).answer(&c.Grant)
		sealed, err := s.sealAnswer(forRedeem, digest, answer)
		if err != nil {
			return nil, err
		}
		c = c.consumed(r, at, sealed)
		err = s.cfg.Codes.SaveCode(ctx, c)
		if err == nil {
			return s.complete(ctx, c, answer)
		}
		if !errors.Is(err, ErrConflict) {
			return nil, err
		}
	}
	return nil, fmt.Errorf("%w, %d times in a row", ErrConflict, contention)
}

// complete stores the token of a consumed code, if it is not there yet, and
// gives the answer.
func (s *Service) complete(ctx context.Context, c Code, answer *ApplyTokenResponse) (*ApplyTokenResponse, error) {
	t := s.token(c.Digest, c.Grant, pairIn(answer), c.Consumed)
	err := s.cfg.Tokens.SaveToken(ctx, t)
	if err == nil {
		return answer, nil
	}
	if !errors.Is(err, ErrConflict) {
		return nil, err
	}
	there, err := s.cfg.Tokens.FindToken(ctx, t.ID)
	if err != nil {
		return nil, err
	}
	if s.cfg.NoCodeRepeat || !there.Cancelled.IsZero() || there.AccessDigest != t.AccessDigest {
		return nil, refusal(s.cfg.InvalidCode)
	}
	return answer, nil
}

// refresh exchanges a refresh token.
func (s *Service) refresh(ctx context.Context, r *ApplyTokenRequest) (*ApplyTokenResponse, error) {
	digest := r.RefreshToken.Digest()
	var answer *ApplyTokenResponse
	_, err := s.update(ctx, digest, func(t *Token) (changed bool, err error) {
		answer = nil
		at := now()
		if !t.Cancelled.IsZero() || s.otherClient(ctx, r, &t.Grant) {
			return false, alipayplus.CodeInvalidRefreshToken
		}
		switch {
		case digest == t.RefreshDigest && !at.Before(t.RefreshExpiry):
			return false, alipayplus.CodeExpiredRefreshToken
		case digest == t.RefreshDigest:
			p := s.newPair(at)
			answer = p.answer(&t.Grant)
			sealed, err := s.sealAnswer(forRefresh, p.access.Digest(), answer)
			if err != nil {
				return false, err
			}
			t.refresh(p, at, sealed, s.keep(p))
			return true, nil
		case digest == t.OldRefreshDigest && t.Repeat.open(at):
			answer, err = s.openAnswer(forRefresh, t.AccessDigest, t.Repeat.Sealed)
			return false, err
		}
		return false, alipayplus.CodeInvalidRefreshToken
	})
	if errors.Is(err, ErrNotFound) {
		return nil, alipayplus.CodeInvalidRefreshToken
	}
	if err != nil {
		return nil, err
	}
	return answer, nil
}
