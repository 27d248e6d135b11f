package easypay

import (
	"context"
	"log/slog"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
	"github.com/alipayplus-mpp/alipayplus-go/auth"
	"github.com/alipayplus-mpp/alipayplus-go/internal/weburl"
	"github.com/alipayplus-mpp/alipayplus-go/internal/wire"
)

// evaluate answers whether the account would support the payment.
func (s *Service) evaluate(ctx context.Context, r *payment.PayRequest) (*payment.PayResponse, error) {
	customerID, err := s.customer(ctx, r)
	if err != nil {
		return nil, err
	}
	terms := r.Terms()
	terms.CustomerID = customerID
	if err := terms.Amounts.Validate(); err != nil {
		s.log.ErrorContext(ctx, "easypay: alarm: an evaluation has impossible amounts; it is refused",
			slog.String("paymentRequestId", r.PaymentRequestID), slog.Any("error", err))
		return nil, err
	}
	if err := s.cfg.Payments.Evaluate(ctx, terms); err != nil {
		return nil, err
	}
	return &payment.PayResponse{CustomerID: customerID}, nil
}

// create opens a payment with a verification page.
func (s *Service) create(ctx context.Context, r *payment.PayRequest) (*payment.PayResponse, error) {
	info := r.AuthorizationInfo
	if r.PaymentFactor.IsAuthorizationAndPay == alipayplus.True &&
		(info.ReferenceAgreementID == "" || info.AuthClientID == "" || info.AuthState.IsZero()) {
		return nil, illegal("isAuthorizationAndPay without referenceAgreementId, authClientId or authState")
	}
	terms := r.Terms()
	terms.RedirectURL = redirectURLOf(r)
	if rule := weburl.Public(terms.RedirectURL.Reveal()); rule != "" {
		return nil, illegal("paymentRedirectUrl " + rule)
	}
	var err error
	if terms.CustomerID, err = s.customer(ctx, r); err != nil {
		return nil, err
	}
	terms.Verification = payment.Verification{URL: s.link(r.PaymentRequestID), Tries: s.cfg.Tries, Resends: s.cfg.Resends}
	record, err := s.cfg.Payments.Open(ctx, payment.Opened{Terms: terms, SentAt: sentAt(ctx)})
	if err != nil {
		return nil, err
	}
	answer, err := s.answerOf(ctx, r, record)
	if err != nil || answer.Result.Status == alipayplus.StatusFailed {
		return answer, err
	}
	if answer.PaymentURL.IsZero() {
		return nil, s.inconsistent(ctx, r, "the first was a one-click payment")
	}
	return &payment.PayResponse{
		Result:    alipayplus.CodePaymentInProcess.Result(),
		PaymentID: answer.PaymentID, CustomerID: answer.CustomerID, PaymentURL: answer.PaymentURL,
	}, nil
}

// payWithToken opens a payment and debits the user, who agreed in advance.
func (s *Service) payWithToken(ctx context.Context, r *payment.PayRequest, g auth.Grant) (*payment.PayResponse, error) {
	terms := r.Terms()
	terms.CustomerID = g.CustomerID
	record, err := s.cfg.Payments.Open(ctx, payment.Opened{Terms: terms, SentAt: sentAt(ctx)})
	if err != nil {
		return nil, err
	}
	answer, err := s.answerOf(ctx, r, record)
	switch {
	case err != nil:
		return nil, err
	case !record.Verification.URL.IsZero():
		return nil, s.inconsistent(ctx, r, "the first was a creation")
	case record.State != payment.StateOpen:
		return answer, nil
	}
	record, err = s.cfg.Payments.Confirm(ctx, payment.Confirmation{
		PaymentRequestID: r.PaymentRequestID, CustomerID: g.CustomerID, Shown: record.Amounts.Debit(),
	})
	if err != nil {
		return nil, err
	}
	return record.PayAnswer(), nil
}

// sentAt returns the Request-Time of the pay that is answered.
func sentAt(ctx context.Context) time.Time {
	info, _ := alipayplus.RequestInfo(ctx)
	return info.SignedAt
}

// redirectURLOf returns paymentRedirectUrl, or, where that is absent,
// pinRedirectUrl in passThroughInfo, as the sample of the documents has it.
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
