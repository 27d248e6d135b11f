package auth

import (
	"context"
	"errors"
	"slices"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
)

// Check says what a token allows. For a one-click payment ask for
// ScopeAgreementPay; an empty scope asks for none. If the payment names a
// customerId, compare it with Grant.CustomerID: another one is CodeInvalidToken.
//
// A token that is unknown, cancelled, refreshed away or without the scope is
// CodeInvalidToken, one past its time CodeExpiredAccessToken: errors that a
// function behind an inbound API can return as they are. errors.Is(err,
// ErrNotFound) tells a text that never was a token of ours from a dead token.
// Any other error is the store's, and decides nothing.
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

// errUnknown is CodeInvalidToken, as a function of an inbound API may return it,
// and matches ErrNotFound, too.
var errUnknown error = unknownTokenError{}

type unknownTokenError struct{}

func (unknownTokenError) Error() string        { return "INVALID_TOKEN: " + ErrNotFound.Error() }
func (unknownTokenError) Unwrap() error        { return alipayplus.CodeInvalidToken }
func (unknownTokenError) Is(target error) bool { return target == ErrNotFound }
