package auth

import (
	"context"
	"errors"
	"slices"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
)

// Check returns the grant of a token that may be used now. For a one-click
// payment ask for [ScopeAgreementPay]; an empty scope asks for none. If the
// payment names a customerId, compare it with Grant.CustomerID: another one is
// CodeInvalidToken.
//
// The error is CodeInvalidToken for a token that is unknown, cancelled,
// replaced by a refresh or without the scope, and CodeExpiredAccessToken for
// one past its time: the function of pay can return both as they are. For a
// text that never was a token of this wallet, errors.Is(err, ErrNotFound) is
// true, too. Any other error comes from the database, and decides nothing.
func (s *Service) Check(ctx context.Context, token alipayplus.Secret, scope string) (Grant, error) {
	if token.IsZero() {
		return Grant{}, errUnknown
	}
	digest := token.Digest()
	t, err := s.cfg.Stores.FindToken(ctx, digest)
	switch {
	case errors.Is(err, ErrNotFound):
		return Grant{}, errUnknown
	case err != nil:
		return Grant{}, err
	case t.AccessDigest != digest, !t.Cancelled.IsZero():
		return Grant{}, alipayplus.CodeInvalidToken
	case !now().Before(t.AccessExpiry):
		return Grant{}, alipayplus.CodeExpiredAccessToken
	case scope != "" && !slices.Contains(t.Grant.Scopes, scope):
		return Grant{}, alipayplus.CodeInvalidToken
	}
	return t.Grant, nil
}

// errUnknown is CodeInvalidToken, as a function of an inbound API may return
// it, and matches ErrNotFound, too.
var errUnknown error = unknownTokenError{}

type unknownTokenError struct{}

func (unknownTokenError) Error() string        { return "INVALID_TOKEN: " + ErrNotFound.Error() }
func (unknownTokenError) Unwrap() error        { return alipayplus.CodeInvalidToken }
func (unknownTokenError) Is(target error) bool { return target == ErrNotFound }
