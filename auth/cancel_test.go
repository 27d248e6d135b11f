package auth_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/alipayplustest"
	"github.com/alipayplus-mpp/alipayplus-go/auth"
)

func keep(c *auth.Config) { c.KeepAccessTokens = true }

func (w *world) cancelToken(token alipayplus.Secret) error {
	answer, err := w.service.CancelToken(w.Context(), &auth.CancelTokenRequest{AccessToken: token})
	if (answer == nil) == (err == nil) {
		w.Errorf("CancelToken: %v, %v", answer, err)
	}
	return err
}

func TestCancelToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, func(c *auth.Config) { c.AccessTokenTTL, c.RefreshTokenTTL = time.Hour, 2*time.Hour })
		token := w.apply(applyCode(w.issueCode()))
		for range 3 { // idempotent
			if err := w.cancelToken(token.AccessToken); err != nil {
				t.Fatalf("CancelToken: %v", err)
			}
			w.dead(token.AccessToken, "INVALID_TOKEN")
			w.refused(applyRefresh(token.RefreshToken), "INVALID_REFRESH_TOKEN")
		}

		// By an access token that was refreshed meanwhile.
		token = w.apply(applyCode(w.issueCode()))
		next := w.apply(applyRefresh(token.RefreshToken))
		if err := w.cancelToken(token.AccessToken); err != nil {
			t.Fatalf("CancelToken of a refreshed token: %v", err)
		}
		w.dead(next.AccessToken, "INVALID_TOKEN")
		if w.find(next.AccessToken.Digest()).Repeat.Sealed != nil {
			t.Error("the answer to the refresh is left")
		}

		// One that expired.
		token = w.apply(applyCode(w.issueCode()))
		time.Sleep(time.Hour)
		if err := w.cancelToken(token.AccessToken); err != nil {
			t.Fatalf("CancelToken of an expired token: %v", err)
		}
		w.refused(applyRefresh(token.RefreshToken), "INVALID_REFRESH_TOKEN")

		// What is no access token of ours.
		token = w.apply(applyCode(w.issueCode()))
		for _, other := range []alipayplus.Secret{alipayplus.Conceal("nobody's"), token.RefreshToken} {
			if err := w.cancelToken(other); !errors.Is(err, alipayplus.CodeInvalidToken) {
				t.Errorf("CancelToken: %v, want INVALID_TOKEN", err)
			}
		}
		if err := w.cancelToken(alipayplus.Secret{}); !errors.Is(err, alipayplus.CodeParamIllegal) {
			t.Errorf("CancelToken of nothing: %v, want PARAM_ILLEGAL", err)
		}
		w.alive(token.AccessToken)
		w.work()
		if n := len(w.canceled()); n != 0 {
			t.Errorf("%d notifications of what Alipay+ did itself", n)
		}
	})
}

// A notification of a token that Alipay+ has cancelled meanwhile is not sent.
func TestCancelTokenWithdrawsItsNotification(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.issue(agreement)
		w.gateway.Fail(auth.AuthNotify, alipayplustest.LoseAnswer())
		w.work()
		if keys := w.waiting(); len(keys) != 1 {
			t.Fatalf("%v waits", keys)
		}
		if err := w.cancelToken(w.created().AccessToken); err != nil {
			t.Fatal(err)
		}
		if keys := w.waiting(); len(keys) != 0 {
			t.Errorf("%v waits", keys)
		}
	})
}

func TestCheck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, func(c *auth.Config) { c.AccessTokenTTL = time.Hour })
		w.issue(agreement)
		w.work()
		token := w.created().AccessToken
		grant, err := w.service.Check(t.Context(), token, auth.ScopeAgreementPay)
		if err != nil || grant.CustomerID != "customer-1" || grant.ReferenceAgreementID != "agreement-1" || grant.ReferenceMerchantID != "shop-1" {
			t.Errorf("Check: %v, %v", grant, err)
		}
		for _, c := range []struct {
			rule, scope string
			token       alipayplus.Secret
			code        alipayplus.ResultCode
			unknown     bool
		}{
			{"another scope", "USER_INFO", token, "INVALID_TOKEN", false},
			{"a refresh token", "", w.created().RefreshToken, "INVALID_TOKEN", false},
			{"nobody's", "", alipayplus.Conceal("nobody's"), "INVALID_TOKEN", true},
			{"none", "", alipayplus.Secret{}, "INVALID_TOKEN", true},
		} {
			_, err := w.service.Check(t.Context(), c.token, c.scope)
			if !errors.Is(err, c.code) || errors.Is(err, auth.ErrNotFound) != c.unknown {
				t.Errorf("%s: %v", c.rule, err)
			}
		}
		time.Sleep(time.Hour - time.Millisecond)
		w.alive(token)
		time.Sleep(time.Millisecond)
		w.dead(token, "EXPIRED_ACCESS_TOKEN")

		cfg := w.config
		cfg.Stores = &brokenStore{MemoryStores: w.stores, memory: w.memory, failAt: 1}
		var code alipayplus.ResultCode
		if _, err := newService(t, cfg).Check(t.Context(), token, ""); err == nil || errors.As(err, &code) {
			t.Errorf("with a broken store: %v, want an error that decides nothing", err)
		}
	})
}

func TestCancelTellsAlipay(t *testing.T) {
	for _, c := range []struct {
		rule     string
		keep     bool
		before   int // deliveries before the cancellation
		told     bool
		created  int
		canceled int
	}{
		{"the token is kept", true, 1, true, 1, 1},
		{"the token is kept and waits in its first notification", true, 0, true, 0, 1},
		{"the token is not kept", false, 1, false, 1, 0},
		{"the token is not kept and waits in its first notification", false, 0, false, 0, 0},
	} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, func(cfg *auth.Config) { cfg.KeepAccessTokens = c.keep })
			token := w.issue(agreement)
			for range c.before {
				w.work()
			}
			for range 2 { // idempotent
				told, err := w.service.Cancel(t.Context(), token.ID)
				if err != nil || told != c.told {
					t.Fatalf("%s: Cancel: %t, %v", c.rule, told, err)
				}
			}
			w.work()
			got := w.canceled()
			if len(got) != c.canceled || w.arrived() != c.created+c.canceled {
				t.Fatalf("%s: %d notifications, %d of them TOKEN_CANCELED", c.rule, w.arrived(), len(got))
			}
			if len(got) == 1 {
				if got[0].AuthClientID != "merchant-1" || got[0].ReferenceAgreementID != "agreement-1" || got[0].AccessToken.Digest() != token.AccessDigest {
					t.Errorf("%s: %v", c.rule, got[0])
				}
				w.dead(got[0].AccessToken, "INVALID_TOKEN")
			}
			if after := w.find(token.ID); after.Access != nil || after.Cancelled.IsZero() {
				t.Errorf("%s: something is left: %v", c.rule, after)
			}
			if again := w.issue(agreement); again.Cancelled.IsZero() {
				t.Errorf("%s: the agreement got another token", c.rule)
			}
		})
	}
}

// A token dies even if its text cannot be read any more.
func TestCancelNeedsNoKey(t *testing.T) {
	w := newWorld(t, keep)
	token := w.issue(agreement)
	cfg := w.config
	cfg.Sealer = newSealer(t)
	told, err := newService(t, cfg).Cancel(t.Context(), token.ID)
	if told || err != nil || w.find(token.ID).Cancelled.IsZero() {
		t.Errorf("Cancel: %t, %v", told, err)
	}
	if _, err := w.service.Cancel(t.Context(), "nobody's"); !errors.Is(err, auth.ErrNotFound) {
		t.Errorf("Cancel of nothing: %v", err)
	}
}

// An Unbind whose end could not be stored says so, and another one ends it.
func TestUnbindThatIsNotStored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, func(cfg *auth.Config) { cfg.KeepAccessTokens = true })
		w.unbinding = alipayplus.True
		token := w.issue(agreement)
		w.work()
		failed := 0
		for k := 1; ; k++ {
			broken := w.restart(k, false, false)
			allowed, err := w.service.Unbind(t.Context(), w.client, token.ID, agreement.CustomerID)
			if allowed != (err == nil) {
				t.Fatalf("call %d: %t, %v", k, allowed, err)
			}
			if !broken.reached() {
				break
			}
			failed++
		}
		w.service = newService(t, w.config)
		w.dead(w.created().AccessToken, "INVALID_TOKEN")
		if failed < 2 {
			t.Errorf("%d failures", failed)
		}
	})
}

// Alipay+ is not told of what it cancelled itself.
func TestCancelAfterCancelToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, func(cfg *auth.Config) { cfg.KeepAccessTokens = true })
		token := w.issue(agreement)
		w.work()
		if _, err := w.service.CancelToken(t.Context(), &auth.CancelTokenRequest{AccessToken: w.created().AccessToken}); err != nil {
			t.Fatal(err)
		}
		told, err := w.service.Cancel(t.Context(), token.ID)
		if w.work(); told || err != nil || len(w.canceled()) != 0 {
			t.Errorf("told %t, %v: %v", told, err, w.canceled())
		}
	})
}

func TestUnbind(t *testing.T) {
	for _, c := range []struct {
		rule    string
		answer  alipayplus.Bool
		fault   alipayplustest.Fault
		keep    bool
		allowed bool
		err     error
		fails   bool
	}{
		{rule: "allowed", answer: alipayplus.True, keep: true, allowed: true},
		{rule: "not allowed", answer: alipayplus.False, keep: true},
		{rule: "no word about it", keep: true},
		{rule: "no answer", answer: alipayplus.True, fault: alipayplustest.BadGateway(), keep: true, fails: true},
		{rule: "the token is erased", answer: alipayplus.True, err: auth.ErrErased, fails: true},
	} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, func(cfg *auth.Config) { cfg.KeepAccessTokens = c.keep })
			w.unbinding = c.answer
			token := w.issue(agreement)
			w.work()
			if c.fault != nil {
				w.gateway.Fail(auth.ConsultUnbinding, c.fault)
			}
			allowed, err := w.service.Unbind(t.Context(), w.client, token.ID, agreement.CustomerID)
			if allowed != c.allowed || (err != nil) != c.fails || c.err != nil && !errors.Is(err, c.err) {
				t.Errorf("%s: Unbind: %t, %v", c.rule, allowed, err)
			}
			w.work()
			if !c.allowed {
				w.alive(w.created().AccessToken)
				if len(w.canceled()) != 0 {
					t.Errorf("%s: Alipay+ is told of a cancellation", c.rule)
				}
				return
			}
			w.dead(w.created().AccessToken, "INVALID_TOKEN")
			if len(w.canceled()) != 1 {
				t.Errorf("%s: Alipay+ is not told of the cancellation", c.rule)
			}
			if again, err := w.service.Unbind(t.Context(), w.client, token.ID, agreement.CustomerID); !again || err != nil {
				t.Errorf("%s: a second Unbind: %t, %v", c.rule, again, err)
			}
			calls := w.gateway.Calls(auth.ConsultUnbinding)
			if len(calls) != 1 || calls[0].Target != "/aps/api/v1/authorizations/consultUnbinding" {
				t.Errorf("%s: %d calls of consultUnbinding", c.rule, len(calls))
			}
		})
	}
}

// Nobody ends the authorization of another customer, nor learns that there is
// one, not even after it was cancelled.
func TestUnbindOfAnotherCustomer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, keep)
		w.unbinding = alipayplus.True
		token := w.issue(agreement)
		w.work()
		refused := func(id, customer string) {
			t.Helper()
			allowed, err := w.service.Unbind(t.Context(), w.client, id, customer)
			if allowed || !errors.Is(err, auth.ErrNotFound) {
				t.Errorf("Unbind by %q: %t, %v", customer, allowed, err)
			}
		}
		for _, customer := range []string{"customer-2", "", agreement.CustomerID + " "} {
			refused(token.ID, customer)
		}
		refused("nobody's", agreement.CustomerID)
		w.alive(w.created().AccessToken)
		if n := len(w.gateway.Calls(auth.ConsultUnbinding)); n != 0 {
			t.Errorf("Alipay+ was asked %d times", n)
		}
		if allowed, err := w.service.Unbind(t.Context(), w.client, token.ID, agreement.CustomerID); !allowed || err != nil {
			t.Errorf("Unbind: %t, %v", allowed, err)
		}
		refused(token.ID, "customer-2")
	})
}

// Alipay+ learns of a token before it learns of its end, whatever is lost.
func TestCancellationDoesNotOvertake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, keep)
		token := w.issue(agreement)
		w.gateway.Fail(auth.AuthNotify, alipayplustest.Delay(4*time.Second))
		var wait sync.WaitGroup
		wait.Go(w.work)
		time.Sleep(time.Second) // TOKEN_CREATED is under way
		if told, err := w.service.Cancel(t.Context(), token.ID); !told || err != nil {
			t.Fatalf("Cancel: %t, %v", told, err)
		}
		w.work() // another process
		if n := len(w.canceled()); n != 0 {
			t.Errorf("%d TOKEN_CANCELED while TOKEN_CREATED is under way", n)
		}
		wait.Wait()
		w.work()
		if len(w.canceled()) != 1 || w.arrived() != 2 {
			t.Errorf("%d notifications", w.arrived())
		}
	})
}

// A cancellation joins the transaction of the host, together with its message.
func TestCancelInATransaction(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, keep)
		token := w.issue(agreement)
		w.work()
		err := w.memory.InTx(t.Context(), func(ctx context.Context) error {
			if told, err := w.service.Cancel(ctx, token.ID); !told || err != nil {
				t.Errorf("Cancel: %t, %v", told, err)
			}
			return errBroken
		})
		if !errors.Is(err, errBroken) {
			t.Error(err)
		}
		w.alive(w.created().AccessToken)
		if keys := w.waiting(); len(keys) != 0 {
			t.Errorf("%v waits", keys)
		}
	})
}

// Without the merchant's id Alipay+ cannot be asked, and the token lives.
func TestUnbindNeedsTheMerchant(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, keep)
		g := agreement
		g.ReferenceMerchantID = ""
		token := w.issue(g)
		w.work()
		var invalid *alipayplus.ValidationError
		if allowed, err := w.service.Unbind(t.Context(), w.client, token.ID, agreement.CustomerID); allowed || !errors.As(err, &invalid) {
			t.Errorf("Unbind: %t, %v", allowed, err)
		}
		w.alive(w.created().AccessToken)
	})
}
