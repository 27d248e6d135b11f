package easypay

import (
	"context"
	"errors"
	"log/slog"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
	"github.com/alipayplus-mpp/alipayplus-go/auth"
)

// Account names the user of an evaluation or a creation, by one of two ids.
type Account struct {
	PaymentMethodID alipayplus.Secret // ≤ 128: if present, it names the user; never a token of the wallet
	UserLoginID     alipayplus.Secret // ≤ 64: else the id that the user logs in with, for example "852-91234567"
	UserLoginIDType string            // ≤ 32: of UserLoginID: MOBILE
}

func accountOf(r *payment.PayRequest) Account {
	if id := r.PaymentMethod.PaymentMethodID; !id.IsZero() {
		return Account{PaymentMethodID: id}
	}
	meta := r.PaymentMethod.PaymentMethodMetaData
	return Account{UserLoginID: meta.UserLoginID, UserLoginIDType: meta.UserLoginIDType}
}

func (a Account) isZero() bool { return a.PaymentMethodID.IsZero() && a.UserLoginID.IsZero() }

// customer returns who is to pay: the customer of a token, or the one that
// Config.Account finds.
func (s *Service) customer(ctx context.Context, r *payment.PayRequest) (customerID string, err error) {
	a := accountOf(r)
	if a.isZero() {
		return "", illegal("neither paymentMethodId nor userLoginId")
	}
	scope := auth.ScopeAgreementPay
	if r.PaymentFactor.IsAuthorizationAndPay == alipayplus.True {
		scope = "" // the user is about to grant it
	}
	grant, ours, err := s.grant(ctx, r, scope)
	if err != nil {
		return "", err
	}
	if ours {
		return grant.CustomerID, nil
	}
	customerID, err = s.cfg.Account(ctx, a)
	switch said := r.PaymentMethod.CustomerID; {
	case err != nil:
		return "", err
	case customerID == "":
		return "", errNobody
	case said != "" && said != customerID:
		s.log.ErrorContext(ctx, "easypay: alarm: an account comes with the customerId of somebody else; the payment is refused",
			slog.String("paymentRequestId", r.PaymentRequestID))
		return "", illegal("customerId is not that of the account")
	}
	return customerID, nil
}

var errNobody = errors.New("easypay: Account returned neither a customer nor an error")

// grant returns the grant of the token in paymentMethodId. ours is false if the
// wallet never issued such a token.
func (s *Service) grant(ctx context.Context, r *payment.PayRequest, scope string) (g auth.Grant, ours bool, err error) {
	method := r.PaymentMethod
	if s.cfg.Tokens == nil || method.PaymentMethodID.IsZero() {
		return g, false, nil
	}
	g, err = s.cfg.Tokens.Check(ctx, method.PaymentMethodID, scope)
	switch {
	case errors.Is(err, auth.ErrNotFound):
		return auth.Grant{}, false, nil
	case err != nil:
		return auth.Grant{}, true, err
	}
	log := s.log.With(slog.String("paymentRequestId", r.PaymentRequestID))
	if method.CustomerID != "" && method.CustomerID != g.CustomerID {
		log.ErrorContext(ctx, "easypay: alarm: a token comes with the customerId of somebody else; the payment is refused")
		return auth.Grant{}, true, alipayplus.CodeInvalidToken
	}
	if id := method.PaymentMethodMetaData.AuthClientID; id != "" && id != g.AuthClientID {
		log.WarnContext(ctx, "easypay: a token comes from another client than it was issued to",
			slog.String("authClientId", id), slog.String("issuedTo", g.AuthClientID))
	}
	return g, true, nil
}
