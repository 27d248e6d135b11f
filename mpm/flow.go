package mpm

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
	"github.com/alipayplus-mpp/alipayplus-go/codeid"
)

// Identifier says whether Alipay+ takes a code. *codeid.Identifier is one.
type Identifier interface {
	Identify(ctx context.Context, code string) (codeid.Identification, error)
}

// Config is what NewFlow needs. Fields without "required" may stay zero.
type Config struct {
	Client     *alipayplus.Client // required
	Identifier Identifier         // required
	// Payments keeps the payments that Flow opens; required. Its Check decides
	// whether the customer may pay an order.
	Payments *payment.Service
	// Filter keeps codes for the wallet, or rejects them, before they are
	// identified; nil lets all pass.
	Filter *codeid.Filter
	// Decoder is the API that decodes; nil means UserInitiatedPay. Give
	// UserInitiatedPay.WithPath(…) for a gateway that serves it elsewhere.
	Decoder *alipayplus.Outbound[UserInitiatedPayRequest, UserInitiatedPayResponse]
	// AskAgainAfter goes into Pending, at least a millisecond; 0 means 2
	// seconds.
	AskAgainAfter time.Duration
	// Message replaces a message for the user, for example by one in the user's
	// language; nil keeps the English text.
	Message func(ctx context.Context, code alipayplus.ResultCode, english UserMessage) UserMessage
	// Logger gets alarms (level ERROR), refusals and odd amounts, never a
	// secret; nil means slog.Default().
	Logger *slog.Logger
}

// Flow tells the app what to do next: for a code, for a confirmation and for a
// payment. It is immutable and safe for concurrent use.
type Flow struct {
	client        *alipayplus.Client
	identifier    Identifier
	payments      *payment.Service
	filter        *codeid.Filter
	decoder       *alipayplus.Outbound[UserInitiatedPayRequest, UserInitiatedPayResponse]
	askAgainAfter time.Duration
	messages      func(context.Context, alipayplus.ResultCode, UserMessage) UserMessage
	log           *slog.Logger
}

// NewFlow checks cfg and returns a Flow.
func NewFlow(cfg Config) (*Flow, error) {
	if cfg.Client == nil || cfg.Identifier == nil || cfg.Payments == nil {
		return nil, errors.New("mpm: a Flow needs a Client, an Identifier and Payments")
	}
	if cfg.AskAgainAfter != 0 && cfg.AskAgainAfter < time.Millisecond {
		return nil, fmt.Errorf("mpm: AskAgainAfter is %v; the least is a millisecond (2*time.Second is two seconds)", cfg.AskAgainAfter)
	}
	f := &Flow{
		client:        cfg.Client,
		identifier:    cfg.Identifier,
		payments:      cfg.Payments,
		filter:        cfg.Filter,
		decoder:       cfg.Decoder,
		askAgainAfter: cfg.AskAgainAfter,
		messages:      cfg.Message,
		log:           cfg.Logger,
	}
	if f.decoder == nil {
		f.decoder = UserInitiatedPay
	}
	if f.askAgainAfter <= 0 {
		f.askAgainAfter = 2 * time.Second
	}
	if f.log == nil {
		f.log = slog.Default()
	}
	return f, nil
}

// Scan returns what comes next for a code that the user scanned: it filters the
// code, identifies it, decodes an order code and opens the payment. The line
// end, blanks and byte order mark of a scanner are removed first
// ([codeid.Clean]).
//
// The only error is *alipayplus.ValidationError, for wrong use: an empty code,
// or a customer id that is empty or over 64 characters. What Alipay+, the
// network or the database does is in the [Step]: [Pending] when nothing is
// known for certain. The same question may be asked again at any time.
func (f *Flow) Scan(ctx context.Context, code alipayplus.Secret, customerID string) (Step, error) {
	code = clean(code)
	if err := checkUse(code, customerID); err != nil {
		return nil, err
	}
	if f.filter != nil {
		switch verdict := f.filter.Check(code.Reveal()); verdict.Decision {
		case codeid.DecisionLocal:
			return Local{verdict}, nil
		case codeid.DecisionRejected:
			return Rejected{verdict}, nil
		case codeid.DecisionIdentify:
		}
	}
	id, err := f.identifier.Identify(ctx, code.Reveal())
	switch {
	case errors.Is(err, alipayplus.CodeParamIllegal): // no code of anybody
		return Unsupported{}, nil
	case err != nil: // no rule set, or the remote identifier did not answer
		return Pending{Reason: "the code cannot be identified yet", AskAgainAfter: f.askAgainAfter, Err: err}, nil //nolint:nilerr // the Step carries it
	case !id.Supported:
		return Unsupported{}, nil
	case id.Action == codeid.ActionDecode:
		return f.decode(ctx, code, customerID, Scanned), nil
	case id.Action == codeid.ActionOpenURL && id.RedirectURL() != "":
		return Launch{alipayplus.Conceal(id.RedirectURL()), id.UserAgent, alipayplus.Conceal(id.ACDecodeConfig)}, nil
	}
	return f.failed(ctx, alipayplus.CodeInvalidCode, Scanned, "the code is supported, but there is no way to go on with it"), nil
}

// clean returns a code as it is filtered, identified, sent and digested.
func clean(code alipayplus.Secret) alipayplus.Secret {
	return alipayplus.Conceal(codeid.Clean(code.Reveal()))
}

// levelOf returns the level of a failure: an alarm, unless the app has hung up.
func levelOf(ctx context.Context) slog.Level {
	if errors.Is(ctx.Err(), context.Canceled) {
		return slog.LevelInfo
	}
	return slog.LevelError
}

func (f *Flow) message(ctx context.Context, code alipayplus.ResultCode) UserMessage {
	english := UserMessageOf(code)
	if f.messages == nil {
		return english
	}
	return f.messages(ctx, code, english)
}
