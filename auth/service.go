package auth

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
)

// minCodeTTL is the shortest validity of an authorization code that the
// documents allow.
const minCodeTTL = 5 * time.Minute

// Config is what NewService needs. Fields without "required" may stay zero.
type Config struct {
	Stores Stores // required
	// Outbox takes the messages of authNotify, in the transactions of Stores:
	// both must be in the same database. Required.
	Outbox alipayplus.Outbox
	// Sealer encrypts answers and tokens that have to wait, and the messages in
	// the Outbox; give it to the alipayplus.Relay, too. Required.
	Sealer *alipayplus.Sealer

	// RoutingNumber is the number of 3 digits that Alipay+ assigned to the MPP;
	// every authorization code carries it. Required for payments in the Chinese
	// mainland. Without it IssueCode fails, and every code is invalid.
	RoutingNumber string
	// CodeTTL is how long a code is valid, at least 5 minutes; 0 means 10
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
	// Set it if users may end an authorization in the wallet: consultUnbinding
	// and authNotify TOKEN_CANCELED name the token. Without it Unbind gives
	// ErrErased, and Alipay+ learns of Cancel only when it uses the token.
	KeepAccessTokens bool

	// UserLoginID returns the masked login id of a customer ("62-857****6473",
	// at most 64 characters) for the TOKEN_CREATED of OnPaid; the zero Secret
	// leaves it out. It is called in the transaction of the payment, and an
	// error undoes that.
	UserLoginID func(ctx context.Context, customerID string) (alipayplus.Secret, error)
	Wallet      Wallet // of authNotify TOKEN_CREATED
	// Logger gets alarms (level ERROR) and oddities, never a secret; nil means
	// slog.Default().
	Logger *slog.Logger
}

// Service is the authorization server of a wallet: it issues, redeems,
// refreshes, checks and cancels. It is immutable and safe for concurrent use,
// and holds nothing but its Config: any number of processes may work on the
// same Stores.
type Service struct {
	cfg Config
	log *slog.Logger
}

// NewService checks cfg and returns a Service.
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
	case cfg.Stores == nil:
		return nil, errors.New("auth: a Service needs Stores")
	case cfg.Outbox == nil:
		return nil, errors.New("auth: a Service needs an Outbox")
	case cfg.Sealer == nil:
		return nil, errors.New("auth: a Service needs a Sealer; make one with alipayplus.NewSealer")
	case cfg.RoutingNumber != "" && !validRouting(cfg.RoutingNumber):
		return nil, errors.New("auth: RoutingNumber is not 3 digits")
	case cfg.CodeTTL < minCodeTTL:
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
		s.log = slog.Default()
	}
	// A Wallet that cannot be sent would cost every payment its token.
	sample := Grant{CustomerID: "C", AuthClientID: "M", ReferenceAgreementID: "A"}
	if _, _, err := s.newToken(sample, now()); err != nil {
		return nil, fmt.Errorf("auth: TOKEN_CREATED cannot be made with this Wallet: %w", err)
	}
	return s, nil
}

// Routes serve applyToken and cancelToken below prefix: "/alipayplus/", or the
// same without its last slash, gives "/alipayplus/applyToken" and so on, the
// paths to register with Alipay+.
func (s *Service) Routes(prefix string) []alipayplus.Route {
	return []alipayplus.Route{
		ApplyToken.Handle(path.Join(prefix, "applyToken"), s.ApplyToken),
		CancelToken.Handle(path.Join(prefix, "cancelToken"), s.CancelToken),
	}
}

// now returns the time as databases keep it: UTC, in microseconds.
func now() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }

// newPair makes an access token and its refresh token.
func (s *Service) newPair(at time.Time) *pair {
	return &pair{
		access:        newTokenText(),
		refresh:       newTokenText(),
		accessExpiry:  at.Add(s.cfg.AccessTokenTTL).Truncate(time.Second),
		refreshExpiry: at.Add(s.cfg.RefreshTokenTTL).Truncate(time.Second),
	}
}

// token returns the first record of the pair p.
func (s *Service) token(id string, g Grant, p *pair, at time.Time) Token {
	return Token{
		ID: id, Version: 1, Grant: g.stored(), Created: at,
		AccessDigest: p.access.Digest(), AccessExpiry: p.accessExpiry,
		RefreshDigest: p.refresh.Digest(), RefreshExpiry: p.refreshExpiry,
		Access: s.keep(p),
	}
}

// purpose is what a text was sealed for. It is authenticated with the digest
// that the text belongs to, so that no sealed text can be moved.
type purpose string

const (
	forRedeem  purpose = "auth redeem"      // the answer to applyToken with a code; digest of the code
	forRefresh purpose = "auth refresh"     // the answer to applyToken with a refresh token; digest of the new access token
	forUnbind  purpose = "auth accessToken" // an access token; its digest
)

func (p purpose) of(digest string) string { return string(p) + " " + digest }

// keep returns the access token, sealed, with Config.KeepAccessTokens, else
// nil.
func (s *Service) keep(p *pair) []byte {
	if !s.cfg.KeepAccessTokens {
		return nil
	}
	return s.cfg.Sealer.Seal(forUnbind.of(p.access.Digest()), []byte(p.access.Reveal()))
}

// sealAnswer returns an answer with tokens, sealed, for its repetition.
func (s *Service) sealAnswer(p purpose, digest string, answer *ApplyTokenResponse) ([]byte, error) {
	text, err := alipayplus.Marshal(answer)
	if err != nil {
		return nil, errors.New("auth: the answer cannot be encoded")
	}
	return s.cfg.Sealer.Seal(p.of(digest), text), nil
}

// openAnswer returns the answer that sealAnswer sealed.
func (s *Service) openAnswer(p purpose, digest string, sealed []byte) (*ApplyTokenResponse, error) {
	text, err := s.cfg.Sealer.Open(p.of(digest), sealed)
	if err != nil {
		return nil, err
	}
	answer := new(ApplyTokenResponse)
	if alipayplus.Unmarshal(text, answer) != nil {
		return nil, alipayplus.ErrSealed
	}
	return answer, nil
}

// message prepares and seals a notification about the token id. Messages of one
// token arrive in their order.
func (s *Service) message(id string, n Notification) (alipayplus.Message, error) {
	m, err := AuthNotify.Prepare(&AuthNotifyRequest{Notification: n})
	if err != nil {
		return m, err
	}
	m.Group = id
	return s.cfg.Sealer.SealMessage(m), nil
}

// contention is how often a change is tried again because somebody else changed
// the record.
const contention = 100

var errContention = fmt.Errorf("%w, %d times in a row", ErrConflict, contention)

// messages is what a change of a token does to the outbox.
type messages struct {
	withdraw string // the key of a message of authNotify, or ""
	put      *alipayplus.Message
}

// update changes a token together with the outbox, in one transaction. change
// gets the stored token and may be called again; nil means that it changed
// nothing.
func (s *Service) update(ctx context.Context, key string, change func(*Token) (*messages, error)) (t Token, err error) {
	err = s.cfg.Stores.InTx(ctx, func(ctx context.Context) error {
		for range contention {
			var err error
			if t, err = s.cfg.Stores.FindToken(ctx, key); err != nil {
				return err
			}
			do, err := change(&t)
			if err != nil || do == nil {
				return err
			}
			t.Version++
			err = s.cfg.Stores.SaveToken(ctx, t)
			if errors.Is(err, ErrConflict) {
				continue
			}
			if err == nil && do.withdraw != "" {
				err = s.cfg.Outbox.Withdraw(ctx, AuthNotify.Name(), do.withdraw)
			}
			if err == nil && do.put != nil {
				err = s.cfg.Outbox.Put(ctx, *do.put)
			}
			return err
		}
		return errContention
	})
	return t, err
}
