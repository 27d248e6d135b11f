package auth

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"unicode/utf8"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
)

// GrantOf returns what the user of a payment agreed to: one-click payments to
// the client of its AuthorizationInfo. It counts only if Record.Consented is
// true.
func GrantOf(r payment.Record) Grant {
	return Grant{
		CustomerID:           r.CustomerID,
		AuthClientID:         r.AuthorizationInfo.AuthClientID,
		Scopes:               []string{ScopeAgreementPay},
		ReferenceAgreementID: r.AuthorizationInfo.ReferenceAgreementID,
		ReferenceMerchantID:  r.Order.Merchant.ReferenceMerchantID,
		AcquirerID:           r.AcquirerID,
		PSPID:                r.PSPID,
	}
}

// OnPaid issues the token of an agreement when its payment becomes paid, for
// payment.ServiceConfig.OnChange. It does nothing for every other change, and
// nothing if the user did not consent. The token, its TOKEN_CREATED in the
// outbox and the payment are stored in one transaction, the one that ctx
// carries, if Stores, Outbox and the payment's Records are in one database.
//
// An error comes from the database or from Config.UserLoginID and passes. With
// a payment.Ledger it undoes the debit, and the user may confirm again; with a
// payment.RemoteLedger the payment is recorded all the same, and
// payment.Service calls OnPaid again until it returns nil.
//
// What would fail every time never costs the user the payment: if the agreement
// belongs to another customer, or the grant cannot be sent, OnPaid raises an
// alarm (level ERROR on Config.Logger), issues nothing and returns nil.
func (s *Service) OnPaid(ctx context.Context, before, after payment.Record) error {
	if before.State == payment.StatePaid || after.State != payment.StatePaid || !after.Consented {
		return nil
	}
	g := GrantOf(after)
	log := s.log.With(slog.String("paymentRequestId", after.PaymentRequestID))
	if s.cfg.UserLoginID != nil {
		login, err := s.cfg.UserLoginID(ctx, g.CustomerID)
		switch {
		case err != nil:
			return fmt.Errorf("auth: no login id: %w", err)
		case !utf8.ValidString(login.Reveal()) || utf8.RuneCountInString(login.Reveal()) > 64:
			log.WarnContext(ctx, "auth: a login id is longer than 64 characters or no UTF-8 and left out")
		default:
			g.UserLoginID = login
		}
	}
	_, err := s.Issue(ctx, g)
	var incomplete *alipayplus.ValidationError
	if errors.Is(err, errOtherCustomer) || errors.As(err, &incomplete) {
		log.ErrorContext(ctx, "auth: alarm: a payment is made, but its agreement gets no token", slog.Any("error", err))
		return nil
	}
	return err
}
