package easypay

import (
	"context"
	"errors"
	"fmt"
	"net/url"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
	"github.com/alipayplus-mpp/alipayplus-go/auth"
	"github.com/alipayplus-mpp/alipayplus-go/internal/weburl"
	"github.com/alipayplus-mpp/alipayplus-go/internal/wire"
)

// Evaluation asks whether the account could make the payment. No money moves and
// no order is made.
type Evaluation struct{ *payment.PayRequest }

// Creation asks to make an order, whose user is verified before they pay.
type Creation struct {
	*payment.PayRequest
	// RedirectURL is where the user goes after the verification; make the URL
	// with Redirect. It is checked: usable, and with paymentRedirectUrl absent
	// the pinRedirectUrl of passThroughInfo.
	RedirectURL alipayplus.Secret
}

// OneClick asks to pay with a token that the wallet issued before.
type OneClick struct {
	*payment.PayRequest
	Grant auth.Grant // of the token: valid, and with scope AGREEMENT_PAY
}

// Account names the user of an evaluation or a creation.
type Account struct {
	PaymentMethodID alipayplus.Secret // if not absent, this is who pays
	UserLoginID     alipayplus.Secret // else this, for example a phone number "852-91234567"
	UserLoginIDType string            // of UserLoginID: MOBILE
}

// Account is who is to pay.
func (e Evaluation) Account() Account { return accountOf(e.PayRequest) }

// Account is who is to pay.
func (c Creation) Account() Account { return accountOf(c.PayRequest) }

func accountOf(r *payment.PayRequest) Account {
	if id := r.PaymentMethod.PaymentMethodID; !id.IsZero() {
		return Account{PaymentMethodID: id}
	}
	meta := r.PaymentMethod.PaymentMethodMetaData
	return Account{UserLoginID: meta.UserLoginID, UserLoginIDType: meta.UserLoginIDType}
}

func (a Account) isZero() bool { return a.PaymentMethodID.IsZero() && a.UserLoginID.IsZero() }

// Consent reports whether the user agreed to one-click payments: once the
// payment is paid, issue a token (package auth).
func (c Creation) Consent() bool { return c.PaymentFactor.IsAuthorizationAndPay == alipayplus.True }

// Terms are the terms for payment.Opened; PaymentID, CustomerID and Verification
// are the wallet's to add.
func (c Creation) Terms() payment.Terms {
	terms := c.PayRequest.Terms()
	terms.RedirectURL = c.RedirectURL
	return terms
}

// Eligible answers an evaluation with S.
type Eligible struct {
	CustomerID string // ≤ 64: the MPP's user id
}

// Verification answers a creation: with U PAYMENT_IN_PROCESS, because nothing is
// paid before the user is verified. It has no way to say S.
type Verification struct {
	PaymentID  string            // REQUIRED, ≤ 64: the MPP's id of the payment
	URL        alipayplus.Secret // REQUIRED, ≤ 2048, https: the wallet's verification page
	CustomerID string            // ≤ 64: the MPP's user id
}

// VerificationOf is the answer to a creation from the payment's record: the same
// one for every repetition, or the code of a payment that failed or was closed
// meanwhile.
func VerificationOf(r payment.Record) (Verification, error) {
	if answer := r.PayAnswer(); answer.Result.Code != alipayplus.CodePaymentInProcess {
		return Verification{}, answer.Result
	}
	return Verification{PaymentID: r.PaymentID, URL: r.Verification.URL, CustomerID: r.CustomerID}, nil
}

// Paid answers a one-click payment with S.
type Paid struct {
	PaymentID   string          // REQUIRED, ≤ 64: the MPP's id of the payment
	PaymentTime alipayplus.Time // REQUIRED: when the user was debited
	CustomerID  string          // ≤ 64: the MPP's user id
}

// PaidOf is the answer to a one-click payment from its record, or the code of
// one that is not paid: U PAYMENT_IN_PROCESS while the debit is not certain.
func PaidOf(r payment.Record) (Paid, error) {
	answer := r.PayAnswer()
	if answer.Result.Status != alipayplus.StatusSucceeded {
		return Paid{}, answer.Result
	}
	return Paid{PaymentID: answer.PaymentID, PaymentTime: answer.PaymentTime, CustomerID: answer.CustomerID}, nil
}

// Tokens knows the tokens that the wallet issued. *auth.Service is one.
type Tokens interface {
	// Check is the grant behind a token, if it is valid and has scope. A dead
	// token is CodeInvalidToken or CodeExpiredAccessToken; an unknown one is
	// CodeInvalidToken and auth.ErrNotFound; any other error answers U.
	Check(ctx context.Context, token alipayplus.Secret, scope string) (auth.Grant, error)
}

// Service answers pay. Its functions follow the rules of Inbound.Handle: an
// error that is a failing ResultCode refuses with F, any other error answers U.
// A kind of call whose function is nil is refused with BUSINESS_NOT_SUPPORT, or
// PARAM_ILLEGAL if it is Other.
type Service struct {
	// Evaluate says whether the account supports the payment. It must not move
	// money or make an order. PaymentMethodID of the account may be a token.
	Evaluate func(context.Context, Evaluation) (Eligible, error)
	// Create makes the order and the verification page. It runs again for a
	// repetition that found no answer: it must then return the same order
	// (VerificationOf the record that it stored).
	Create func(context.Context, Creation) (Verification, error)
	// Pay debits the user of a token, once for each paymentRequestId. It runs
	// again for a repetition that found no answer (PaidOf the record that it
	// stored), unless the token died meanwhile: that is answered U, and
	// inquiryPayment tells what became of the payment.
	Pay func(context.Context, OneClick) (Paid, error)
	// Other answers all that is neither Easy Pay nor a payment with a token:
	// payment codes, for example.
	Other func(context.Context, *payment.PayRequest) (*payment.PayResponse, error)
	// Tokens knows the wallet's tokens; nil if it issues none.
	Tokens Tokens
}

// Handle serves pay at path, the one that the MPP registered with Alipay+.
func (s Service) Handle(path string) alipayplus.Route { return payment.Pay.Handle(path, s.answer) }

// answer tells the kinds of pay apart; the first that fits.
func (s Service) answer(ctx context.Context, r *payment.PayRequest) (*payment.PayResponse, error) {
	factor := r.PaymentFactor
	switch {
	case factor.IsPaymentEvaluation == alipayplus.True:
		return s.evaluate(ctx, Evaluation{r})
	case factor.IsAuthorizationAndPay == alipayplus.True:
		return s.create(ctx, r)
	case factor.IsAgreementPayment == alipayplus.True && !r.PaymentMethod.PaymentMethodID.IsZero():
		grant, err := s.token(ctx, r.PaymentMethod.PaymentMethodID)
		switch {
		case err == nil:
			return s.pay(ctx, OneClick{r, grant})
		case errors.Is(err, auth.ErrNotFound) && factor.IsEasyPayScenario == alipayplus.True:
			return s.create(ctx, r)
		case ranBefore(ctx):
			// Pay may have debited the user while the token was alive.
			return nil, errDeadToken
		case errors.Is(err, auth.ErrNotFound):
			return nil, alipayplus.CodeInvalidToken
		}
		return nil, err
	case factor.IsEasyPayScenario == alipayplus.True:
		return s.create(ctx, r)
	case s.Other != nil:
		return s.Other(ctx, r)
	}
	return nil, alipayplus.CodeParamIllegal
}

func (s Service) token(ctx context.Context, token alipayplus.Secret) (auth.Grant, error) {
	if s.Tokens == nil {
		return auth.Grant{}, fmt.Errorf("%w: %w", alipayplus.CodeInvalidToken, auth.ErrNotFound)
	}
	return s.Tokens.Check(ctx, token, auth.ScopeAgreementPay)
}

// ranBefore reports whether an earlier run of this request left no answer.
func ranBefore(ctx context.Context) bool {
	info, _ := alipayplus.RequestInfo(ctx)
	return info.Again
}

var errDeadToken = errors.New("easypay: the token is dead, but an earlier run of this payment may have used it")

func (s Service) evaluate(ctx context.Context, e Evaluation) (*payment.PayResponse, error) {
	if s.Evaluate == nil {
		return nil, alipayplus.CodeBusinessNotSupport
	}
	if e.Account().isZero() {
		return nil, illegal("neither paymentMethodId nor userLoginId")
	}
	eligible, err := s.Evaluate(ctx, e)
	if err != nil {
		return nil, err
	}
	return &payment.PayResponse{CustomerID: eligible.CustomerID}, nil
}

func (s Service) create(ctx context.Context, r *payment.PayRequest) (*payment.PayResponse, error) {
	if s.Create == nil {
		return nil, alipayplus.CodeBusinessNotSupport
	}
	c := Creation{PayRequest: r}
	if c.Account().isZero() {
		return nil, illegal("neither paymentMethodId nor userLoginId")
	}
	info := r.AuthorizationInfo
	if c.Consent() && (info.ReferenceAgreementID == "" || info.AuthClientID == "" || info.AuthState.IsZero()) {
		return nil, illegal("isAuthorizationAndPay without authorizationInfo")
	}
	c.RedirectURL = redirectURLOf(r)
	if rule := weburl.Public(c.RedirectURL.Reveal()); rule != "" {
		return nil, illegal("paymentRedirectUrl " + rule)
	}
	v, err := s.Create(ctx, c)
	if err != nil {
		return nil, err
	}
	if page, err := url.Parse(v.URL.Reveal()); v.PaymentID == "" || err != nil || page.Scheme != "https" || page.Host == "" {
		return nil, errors.New("easypay: Create returned no PaymentID or no https URL")
	}
	return &payment.PayResponse{
		Result:     alipayplus.CodePaymentInProcess.Result(),
		PaymentID:  v.PaymentID,
		PaymentURL: v.URL,
		CustomerID: v.CustomerID,
	}, nil
}

func (s Service) pay(ctx context.Context, c OneClick) (*payment.PayResponse, error) {
	if s.Pay == nil {
		return nil, alipayplus.CodeBusinessNotSupport
	}
	p, err := s.Pay(ctx, c)
	if err != nil {
		return nil, err
	}
	if p.PaymentID == "" || p.PaymentTime.IsZero() {
		return nil, errors.New("easypay: Pay returned no PaymentID or no PaymentTime")
	}
	return &payment.PayResponse{PaymentID: p.PaymentID, PaymentTime: p.PaymentTime, CustomerID: p.CustomerID}, nil
}

func illegal(message string) error {
	result := alipayplus.CodeParamIllegal.Result()
	result.Message = message
	return result
}

// redirectURLOf is paymentRedirectUrl, or, where that is absent, pinRedirectUrl
// in passThroughInfo, as the sample of the documents has it.
func redirectURLOf(r *payment.PayRequest) alipayplus.Secret {
	if !r.PaymentRedirectURL.IsZero() {
		return r.PaymentRedirectURL
	}
	var pass struct {
		PinRedirectURL alipayplus.Secret `json:"pinRedirectUrl,omitzero"`
	}
	if wire.Decode([]byte(r.PassThroughInfo.Reveal()), &pass) != nil {
		return alipayplus.Secret{}
	}
	return pass.PinRedirectURL
}
