package easypay_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
	"github.com/alipayplus-mpp/alipayplus-go/auth"
)

// tokens takes the place of package auth: one token for each agreement, made in
// the transaction of the debit together with its message.
type tokens struct {
	memory *alipayplus.Memory

	mu   sync.Mutex
	made int
	rows map[string]token // by agreement
}

type token struct {
	text   string
	grant  auth.Grant
	expiry time.Time
	dead   bool
}

func (t *tokens) onPaid(ctx context.Context, outbox alipayplus.Outbox, before, after payment.Record) error {
	info := after.AuthorizationInfo
	if before.State == payment.StatePaid || after.State != payment.StatePaid || !after.Consented {
		return nil
	}
	t.mu.Lock()
	key := info.AuthClientID + " " + info.ReferenceAgreementID
	_, there := t.rows[key]
	if !there {
		t.made++
		t.rows[key] = token{
			text: fmt.Sprintf("token-%d", t.made), expiry: time.Now().Add(30 * 24 * time.Hour),
			grant: auth.Grant{CustomerID: after.CustomerID, AuthClientID: info.AuthClientID, Scopes: []string{auth.ScopeAgreementPay}},
		}
		t.memory.OnRollback(ctx, func() {
			t.mu.Lock()
			defer t.mu.Unlock()
			delete(t.rows, key)
		})
	}
	row := t.rows[key]
	t.mu.Unlock()
	if there {
		return nil
	}
	m, err := auth.AuthNotify.Prepare(&auth.AuthNotifyRequest{Notification: auth.TokenCreated{
		AuthClientID: info.AuthClientID, ReferenceAgreementID: info.ReferenceAgreementID,
		AccessToken: alipayplus.Conceal(row.text), AccessTokenExpiryTime: alipayplus.TimeOf(row.expiry),
	}})
	if err != nil {
		return err
	}
	m.Key = "created/" + key
	return outbox.Put(ctx, m)
}

// issue makes a token without a payment.
func (t *tokens) issue(text string, g auth.Grant) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.rows[text] = token{text: text, grant: g, expiry: time.Now().Add(30 * 24 * time.Hour)}
}

// kill cancels a token.
func (t *tokens) kill(text alipayplus.Secret) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for key, row := range t.rows {
		if row.text == text.Reveal() {
			row.dead = true
			t.rows[key] = row
		}
	}
}

// forget erases a token, as a wallet does when it is long dead.
func (t *tokens) forget(text alipayplus.Secret) {
	t.mu.Lock()
	defer t.mu.Unlock()
	maps.DeleteFunc(t.rows, func(_ string, row token) bool { return row.text == text.Reveal() })
}

func (t *tokens) count() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.rows)
}

var (
	errUnknownToken = unknownToken{}
	errTokens       = errors.New("the token table is not reachable")
)

// unknownToken is CodeInvalidToken and matches auth.ErrNotFound, as package
// auth has it.
type unknownToken struct{}

func (unknownToken) Error() string        { return "INVALID_TOKEN: unknown" }
func (unknownToken) Unwrap() error        { return alipayplus.CodeInvalidToken }
func (unknownToken) Is(target error) bool { return target == auth.ErrNotFound } //nolint:errorlint // it is the target itself

func (t *tokens) Check(_ context.Context, text alipayplus.Secret, scope string) (auth.Grant, error) {
	if text.Reveal() == "trouble" {
		return auth.Grant{}, errTokens
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, row := range t.rows {
		switch {
		case row.text != text.Reveal():
		case row.dead, scope != "" && !slices.Contains(row.grant.Scopes, scope):
			return auth.Grant{}, alipayplus.CodeInvalidToken
		case !time.Now().Before(row.expiry):
			return auth.Grant{}, alipayplus.CodeExpiredAccessToken
		default:
			return row.grant, nil
		}
	}
	return auth.Grant{}, errUnknownToken
}
