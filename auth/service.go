package auth

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
)

// MinCodeTTL is the least that the documents ask an authorization code to be
// valid for.
const MinCodeTTL = 5 * time.Minute

// Config is what New needs. Fields without REQUIRED may stay zero.
type Config struct {
	Tokens TokenStore // REQUIRED
	Sealer *Sealer    // REQUIRED

	// Codes keeps authorization codes. Nil: IssueCode fails, and every code is
	// invalid. REQUIRED for payments in the Chinese mainland.
	Codes CodeStore
	// RoutingNumber is the number of 3 digits that Alipay+ assigned to the MPP;
	// every authorization code carries it. REQUIRED with Codes.
	RoutingNumber string
	// CodeTTL is how long a code is valid, at least MinCodeTTL; 0 means 10
	// minutes.
	CodeTTL time.Duration
	// NoCodeRepeat: a code gives one answer only. Otherwise the same request,
	// again within RepeatWindow, gets the same tokens, because Alipay+ repeats
	// an applyToken that timed out.
	NoCodeRepeat bool
	// RefuseOtherClient: a code or refresh token is refused if applyToken names
	// another authClientId than it is bound to. Otherwise that is logged: the
	// grant was bound to its client when it was made.
	RefuseOtherClient bool
	// InvalidCode and ExpiredCode are the codes that applyToken refuses an
	// authorization code with; empty means INVALID_CODE and EXPIRED_CODE. (The
	// documents do not name them.)
	InvalidCode, ExpiredCode alipayplus.ResultCode

	// AccessTokenTTL and RefreshTokenTTL are how long tokens are valid; 0 means
	// 3,650 days, as in the sample of the documents. A refresh token must not
	// end before its access token.
	AccessTokenTTL, RefreshTokenTTL time.Duration
	// KeepAccessTokens keeps each access token, sealed, as long as it lives.
	// consultUnbinding and authNotify TOKEN_CANCELED name the token: without
	// this, a user cannot end an authorization in the wallet with Unbind, and
	// Alipay+ learns of Cancel only when it uses the token.
	KeepAccessTokens bool

	Wallet   Wallet              // of authNotify TOKEN_CREATED
	Schedule alipayplus.Schedule // of authNotify; nil: the default of Schedule
	// Logger gets alarms and oddities, never a secret; nil is silent.
	Logger *slog.Logger
}

// Service is the authorization server of a wallet: it issues, redeems,
// refreshes, checks and cancels. It is immutable and safe for concurrent use,
// holds nothing but its Config, and owns no goroutine: any number of processes
// may work on the same stores.
type Service struct {
	cfg Config
	log *slog.Logger
}

// NewService checks cfg completely and returns a Service.
func NewService(cfg Config) (*Service, error) {
	if cfg.CodeTTL == 0 {
		cfg.CodeTTL = 10 * time.Minute
	}
	const decade = 3650 * 24 * time.Hour
	if cfg.AccessTokenTTL == 0 {
		cfg.AccessTokenTTL = decade
	}
	if cfg.RefreshTokenTTL == 0 {
		cfg.RefreshTokenTTL = max(decade, cfg.AccessTokenTTL)
	}
	if cfg.InvalidCode == "" {
		cfg.InvalidCode = alipayplus.CodeInvalidCode
	}
	if cfg.ExpiredCode == "" {
		cfg.ExpiredCode = alipayplus.CodeExpiredCode
	}
	switch {
	case cfg.Tokens == nil:
		return nil, errors.New("auth: no Tokens")
	case cfg.Sealer == nil || len(cfg.Sealer.aeads) == 0:
		return nil, errors.New("auth: no Sealer; make one with NewSealer")
	case cfg.Codes != nil && !validRouting(cfg.RoutingNumber):
		return nil, errors.New("auth: RoutingNumber is not 3 digits")
	case cfg.CodeTTL < MinCodeTTL:
		return nil, errors.New("auth: CodeTTL is below 5 minutes, which the documents forbid")
	case cfg.AccessTokenTTL < time.Second:
		return nil, errors.New("auth: AccessTokenTTL is below a second")
	case cfg.RefreshTokenTTL < cfg.AccessTokenTTL:
		return nil, errors.New("auth: RefreshTokenTTL is shorter than AccessTokenTTL")
	case cfg.InvalidCode == alipayplus.CodeSuccess || cfg.ExpiredCode == alipayplus.CodeSuccess:
		return nil, errors.New("auth: a refusal cannot have the code SUCCESS")
	}
	s := &Service{cfg: cfg, log: cfg.Logger}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	return s, nil
}

// now is the time as databases keep it.
func now() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }

// newPair makes two tokens.
func (s *Service) newPair(at time.Time) *pair {
	return &pair{
		access:        newTokenText(),
		refresh:       newTokenText(),
		accessExpiry:  at.Add(s.cfg.AccessTokenTTL).Truncate(time.Second),
		refreshExpiry: at.Add(s.cfg.RefreshTokenTTL).Truncate(time.Second),
	}
}

// token makes the record of p.
func (s *Service) token(id string, g Grant, p *pair, at time.Time) Token {
	return Token{
		ID: id, Version: 1, Grant: g.stored(), Created: at,
		AccessDigest: p.access.Digest(), AccessExpiry: p.accessExpiry,
		RefreshDigest: p.refresh.Digest(), RefreshExpiry: p.refreshExpiry,
		Access: s.keep(p),
	}
}

// keep seals the access token, if that is wanted.
func (s *Service) keep(p *pair) []byte {
	if !s.cfg.KeepAccessTokens {
		return nil
	}
	return s.cfg.Sealer.seal(forUnbind, p.access.Digest(), []byte(p.access.Reveal()))
}

// sealAnswer and openAnswer keep an answer with tokens for its repetition.
func (s *Service) sealAnswer(p purpose, digest string, answer *ApplyTokenResponse) ([]byte, error) {
	text, err := alipayplus.Marshal(answer)
	if err != nil {
		return nil, errors.New("auth: the answer cannot be encoded")
	}
	return s.cfg.Sealer.seal(p, digest, text), nil
}

func (s *Service) openAnswer(p purpose, digest string, sealed []byte) (*ApplyTokenResponse, error) {
	text, err := s.cfg.Sealer.open(p, digest, sealed)
	if err != nil {
		return nil, err
	}
	answer := new(ApplyTokenResponse)
	if alipayplus.Unmarshal(text, answer) != nil {
		return nil, errSealed
	}
	return answer, nil
}

// sealNotice prepares and seals a notification about the token with this digest.
func (s *Service) sealNotice(digest string, n Notification) ([]byte, error) {
	m, err := AuthNotify.Prepare(&AuthNotifyRequest{Notification: n})
	if err != nil {
		return nil, err
	}
	text, err := m.MarshalBinary()
	if err != nil {
		return nil, errors.New("auth: the notification cannot be encoded")
	}
	return s.cfg.Sealer.seal(forNotice, digest, text), nil
}

func (s *Service) openNotice(t *Token) (m alipayplus.Message, err error) {
	text, err := s.cfg.Sealer.open(forNotice, t.AccessDigest, t.Notice.Sealed)
	if err != nil {
		return m, err
	}
	if m.UnmarshalBinary(text) != nil {
		return m, errSealed
	}
	return m, nil
}

// contention is how often a change is tried again because somebody else changed
// the record.
const contention = 100

// update changes a token: change gets the stored one and reports whether it
// changed it.
func (s *Service) update(ctx context.Context, key string, change func(*Token) (changed bool, err error)) (Token, error) {
	for range contention {
		t, err := s.cfg.Tokens.FindToken(ctx, key)
		if err != nil {
			return Token{}, err
		}
		if changed, err := change(&t); err != nil || !changed {
			return t, err
		}
		t.Version++
		err = s.cfg.Tokens.SaveToken(ctx, t)
		if err == nil || !errors.Is(err, ErrConflict) {
			return t, err
		}
		if err := ctx.Err(); err != nil {
			return Token{}, err
		}
	}
	return Token{}, fmt.Errorf("%w, %d times in a row", ErrConflict, contention)
}

// codeOf is the verified result code of a delivery.
func codeOf(err error) alipayplus.ResultCode {
	var e *alipayplus.Error
	switch {
	case err == nil:
		return alipayplus.CodeSuccess
	case errors.As(err, &e):
		return e.Result.Code
	}
	return ""
}
