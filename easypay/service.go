package easypay

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path"
	"strings"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
	"github.com/alipayplus-mpp/alipayplus-go/auth"
	"github.com/alipayplus-mpp/alipayplus-go/internal/weburl"
)

// Config is what NewService needs. Fields without "required" may stay zero.
type Config struct {
	Payments *payment.Service   // required
	Sealer   *alipayplus.Sealer // required: seals the links to the verification page
	// PageURL is where the wallet's verification page is, https (or http on
	// this machine), at most 1,024 characters, with "/" or "=" at its end:
	// "https://wallet.example/verify/". A sealed link of at most 512 letters,
	// digits, "-" and "_" is appended to it. Required.
	PageURL string
	// Account finds the customer whom Alipay+ names, for an evaluation and for
	// a creation. A refusal is an error that is wholly a failing ResultCode,
	// for example alipayplus.CodeUserNotExist; any other error answers U.
	// Required.
	Account func(ctx context.Context, a Account) (customerID string, err error)
	// Tokens knows the tokens that the wallet issued; nil if it issues none.
	Tokens Tokens
	// Other answers what is neither Easy Pay nor a payment with a token:
	// payment codes, for example. Nil refuses it with PARAM_ILLEGAL.
	Other func(ctx context.Context, r *payment.PayRequest) (*payment.PayResponse, error)

	// Tries is how many PINs or OTPs the user may enter for one payment,
	// Resends how many more OTPs they may ask for; 0 means payment.DefaultTries
	// and payment.DefaultResends.
	Tries, Resends int
	// Logger gets alarms (level ERROR) and oddities, never a secret; nil means
	// slog.Default().
	Logger *slog.Logger
}

// Tokens knows the tokens that the wallet issued. *auth.Service is one.
type Tokens interface {
	// Check returns the grant of a token that is valid and has scope; an empty
	// scope asks for none. A dead token is CodeInvalidToken or
	// CodeExpiredAccessToken, one that was never issued is CodeInvalidToken and
	// auth.ErrNotFound; any other error answers U.
	Check(ctx context.Context, token alipayplus.Secret, scope string) (auth.Grant, error)
}

// Service answers pay and serves the verification page. It is immutable and
// safe for concurrent use; any number of processes may work on the same
// payments.
//
// Alipay+ calls pay for several things, which [payment.PayRequest] lists. The
// first line that fits decides which one it is:
//
//	isPaymentEvaluation                                        evaluation
//	isAuthorizationAndPay                                      creation
//	isAgreementPayment and paymentMethodId is a token of ours  one-click payment
//	isEasyPayScenario                                          creation
//	isAgreementPayment and any other paymentMethodId           F INVALID_TOKEN
//	everything else                                            Config.Other, or F PARAM_ILLEGAL
//
// An evaluation asks whether the account would support the payment. It finds
// the customer, also that of a token, checks the amounts and asks
// payment.ServiceConfig.Check. The answer is S with customerId, F or U. No
// money moves and no order is made. A customerId that is not the one that
// Config.Account finds is PARAM_ILLEGAL, here and for a creation.
//
// A creation makes an order, whose user is verified before they pay. With
// isAuthorizationAndPay it needs a whole authorizationInfo. The redirect URL is
// paymentRedirectUrl, or pinRedirectUrl of passThroughInfo; one that is missing
// or unusable is PARAM_ILLEGAL. The answer is U PAYMENT_IN_PROCESS with
// paymentUrl, paymentId and customerId, or F, never S.
//
// A one-click payment is debited at once. The token must be valid and have the
// scope AGREEMENT_PAY, else the answer is INVALID_TOKEN or
// EXPIRED_ACCESS_TOKEN; a customerId that is not the token's is INVALID_TOKEN,
// too, and another authClientId is logged. The answer is S, F, or U while the
// end of the debit is not known.
//
// Each answer about a payment that is known is made from its record, also if
// the token died or the account was closed meanwhile. So a repeated pay never
// contradicts inquiryPayment and notifyPayment, whatever the handler's
// IdempotencyStore forgot.
type Service struct {
	cfg Config
	log *slog.Logger
}

// NewService checks cfg and returns a Service.
func NewService(cfg Config) (*Service, error) {
	switch {
	case cfg.Payments == nil:
		return nil, errors.New("easypay: a Service needs Payments")
	case cfg.Sealer == nil:
		return nil, errors.New("easypay: a Service needs a Sealer")
	case cfg.Account == nil:
		return nil, errors.New("easypay: a Service needs a function Account")
	case !weburl.IsHTTPS(cfg.PageURL) || !weburl.IsOpenable(cfg.PageURL) || len(cfg.PageURL) > maxPageURL:
		return nil, errors.New("easypay: PageURL is no https URL of at most 1,024 characters")
	case !strings.HasSuffix(cfg.PageURL, "/") && !strings.HasSuffix(cfg.PageURL, "="):
		return nil, errors.New(`easypay: PageURL ends neither with "/" nor with "=": the link is appended to it as it is`)
	case cfg.Tries < 0 || cfg.Resends < 0:
		return nil, errors.New("easypay: Tries and Resends cannot be negative")
	}
	if t, ok := cfg.Tokens.(*auth.Service); ok && t == nil { // a wallet that has none, in a variable of this type
		cfg.Tokens = nil
	}
	s := &Service{cfg: cfg, log: cfg.Logger}
	if s.log == nil {
		s.log = slog.Default()
	}
	return s, nil
}

const maxPageURL = 1024

// Routes serve pay below prefix: "/alipayplus/", or the same without its last
// slash, gives "/alipayplus/pay", the path to register with Alipay+.
// inquiryPayment, cancelPayment and refund are in payment.Service.Routes.
func (s *Service) Routes(prefix string) []alipayplus.Route {
	return []alipayplus.Route{payment.Pay.Handle(path.Join(prefix, "pay"), s.pay)}
}

// pay tells the kinds of calls apart.
func (s *Service) pay(ctx context.Context, r *payment.PayRequest) (*payment.PayResponse, error) {
	factor := r.PaymentFactor
	agreement := factor.IsAgreementPayment == alipayplus.True && !r.PaymentMethod.PaymentMethodID.IsZero()
	easyPay := factor.IsEasyPayScenario == alipayplus.True
	switch {
	case factor.IsPaymentEvaluation == alipayplus.True:
		return s.evaluate(ctx, r)
	case factor.IsAuthorizationAndPay == alipayplus.True:
		return s.answer(ctx, r, s.create)
	case agreement:
		return s.answer(ctx, r, func(ctx context.Context, r *payment.PayRequest) (*payment.PayResponse, error) {
			grant, ours, err := s.grant(ctx, r, auth.ScopeAgreementPay)
			switch {
			case err != nil:
				return nil, err
			case ours:
				return s.payWithToken(ctx, r, grant)
			case easyPay:
				return s.create(ctx, r)
			}
			return nil, alipayplus.CodeInvalidToken
		})
	case easyPay:
		return s.answer(ctx, r, s.create)
	case s.cfg.Other != nil:
		return s.cfg.Other(ctx, r)
	}
	return nil, illegal("neither Easy Pay nor a payment with a token")
}

// answer returns what fn answers. It refuses a payment only if it is not known:
// the answer to a repeat is made from the record of what was begun before.
func (s *Service) answer(ctx context.Context, r *payment.PayRequest, fn func(context.Context, *payment.PayRequest) (*payment.PayResponse, error)) (*payment.PayResponse, error) {
	answer, err := fn(ctx, r)
	refusal, refused := alipayplus.RefusalOf(err)
	if !refused || refusal.Code == alipayplus.CodeRepeatReqInconsistent {
		return answer, err
	}
	record, failed := s.cfg.Payments.Find(ctx, r.PaymentRequestID)
	switch {
	case failed != nil:
		return nil, failed
	case record.State == "":
		return nil, err
	}
	return s.answerOf(ctx, r, record)
}

// answerOf returns the answer to r from the record of its payment.
func (s *Service) answerOf(ctx context.Context, r *payment.PayRequest, record payment.Record) (*payment.PayResponse, error) {
	if record.CustomerID == "" { // cancelled before it came
		return record.PayAnswer(), nil
	}
	now, id := r.Terms().Amounts, r.PaymentMethod.CustomerID
	switch {
	case now.PaymentAmount != record.Amounts.PaymentAmount, now.PayToAmount != record.Amounts.PayToAmount, now.Debit() != record.Amounts.Debit():
		return nil, s.inconsistent(ctx, r, "amounts")
	case id != "" && id != record.CustomerID:
		return nil, s.inconsistent(ctx, r, "customerId")
	case r.PaymentFactor.IsAuthorizationAndPay == alipayplus.True && record.Verification.URL.IsZero():
		return nil, s.inconsistent(ctx, r, "isAuthorizationAndPay")
	case r.PaymentMethod.PaymentMethodID.IsZero() && record.Verification.URL.IsZero():
		// A creation must not be answered with the S of a one-click payment.
		return nil, s.inconsistent(ctx, r, "paymentMethodId")
	}
	return record.PayAnswer(), nil
}

// inconsistent raises an alarm about r, which names a known payment and differs
// from it in what, and returns the refusal.
func (s *Service) inconsistent(ctx context.Context, r *payment.PayRequest, what string) error {
	s.log.ErrorContext(ctx, "easypay: alarm: a payment that is known comes again with something else; it is refused",
		slog.String("paymentRequestId", r.PaymentRequestID), slog.String("other", what))
	return payment.ErrInconsistent
}

// illegal refuses a request; the message is for Alipay+ and for the log.
func illegal(message string) error {
	result := alipayplus.CodeParamIllegal.Result()
	result.Message = message
	return fmt.Errorf("easypay: %s: %w", message, result)
}
