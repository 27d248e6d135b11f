package auth_test

import (
	"errors"
	"fmt"
	"reflect"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/auth"
)

// restart makes a service over the same records, whose store fails at call k.
func (w *world) restart(k int, crash, after bool) *brokenStore {
	w.Helper()
	broken := &brokenStore{MemoryStores: w.stores, memory: w.memory, failAt: k, crash: crash, after: after}
	cfg := w.config
	cfg.Stores, cfg.Outbox = broken, broken
	w.service = newService(w.T, cfg)
	return broken
}

// everyFailure calls run with a store that fails at call 1, 2, 3 and so on, in
// each way, until run ends without having met the failure.
func everyFailure(t *testing.T, run func(t *testing.T, k int, crash, after bool) (met bool)) {
	t.Helper()
	for _, crash := range []bool{true, false} {
		for _, after := range []bool{false, true} {
			k, met := 1, true
			for ; met; k++ {
				t.Run(fmt.Sprintf("call %d, crash %t, after %t", k, crash, after), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) { met = run(t, k, crash, after) })
				})
				if t.Failed() {
					return
				}
			}
			if k < 3 {
				t.Errorf("only %d steps", k-1)
			}
		}
	}
}

// The process dies or the store fails at every step of issuing: there is one
// token, and Alipay+ learns of it.
func TestCrashWhileIssuing(t *testing.T) {
	everyFailure(t, func(t *testing.T, k int, crash, after bool) (met bool) {
		w := newWorld(t)
		broken := w.restart(k, crash, after)
		survive(func() { _, _ = w.service.Issue(t.Context(), agreement) })
		met = broken.reached()
		w.service = newService(t, w.config)
		token := w.issue(agreement) // again
		w.workFor(5 * time.Minute)
		w.issue(agreement)
		w.workFor(5 * time.Minute)
		created := w.created()
		w.alive(created.AccessToken)
		if created.AccessToken.Digest() != token.AccessDigest {
			t.Error("Alipay+ learned of another token")
		}
		return met
	})
}

// While a code is redeemed, the process dies or the store fails at every step:
// Alipay+ asks again and gets the one token.
func TestCrashWhileRedeeming(t *testing.T) {
	for _, noRepeat := range []bool{false, true} {
		everyFailure(t, func(t *testing.T, k int, crash, after bool) (met bool) {
			w := newWorld(t, func(c *auth.Config) { c.NoCodeRepeat = noRepeat })
			request := applyCode(w.issueCode())
			broken := w.restart(k, crash, after)
			var first *auth.ApplyTokenResponse
			survive(func() {
				var err error
				first, err = w.service.ApplyToken(t.Context(), request)
				var code alipayplus.ResultCode
				var result alipayplus.Result
				if errors.As(err, &code) || errors.As(err, &result) {
					t.Errorf("a failure of the store is a refusal: %v", err)
				}
			})
			w.service = newService(t, w.config)
			again, err := w.service.ApplyToken(t.Context(), request)
			switch {
			case noRepeat && errors.Is(err, alipayplus.CodeInvalidCode): // the token may have been handed over
			case err != nil:
				t.Errorf("again: %v", err)
			case first != nil && !reflect.DeepEqual(*first, *again):
				t.Error("two answers")
			default:
				w.alive(again.AccessToken)
			}
			return broken.reached()
		})
	}
}

// The same for a refresh.
func TestCrashWhileRefreshing(t *testing.T) {
	everyFailure(t, func(t *testing.T, k int, crash, after bool) (met bool) {
		w := newWorld(t)
		old := w.apply(applyCode(w.issueCode()))
		broken := w.restart(k, crash, after)
		var first *auth.ApplyTokenResponse
		survive(func() { first, _ = w.service.ApplyToken(t.Context(), applyRefresh(old.RefreshToken)) })
		met = broken.reached()
		w.service = newService(t, w.config)
		again := w.apply(applyRefresh(old.RefreshToken))
		if first != nil && !reflect.DeepEqual(*first, *again) {
			t.Error("two answers")
		}
		w.alive(again.AccessToken)
		w.dead(old.AccessToken, "INVALID_TOKEN")
		return met
	})
}

// The same for a cancellation: when it is answered, the token is dead.
func TestCrashWhileCancelling(t *testing.T) {
	everyFailure(t, func(t *testing.T, k int, crash, after bool) (met bool) {
		w := newWorld(t, keep)
		token := w.issue(agreement)
		w.work()
		access := w.created().AccessToken
		broken := w.restart(k, crash, after)
		survive(func() {
			if _, err := w.service.Cancel(t.Context(), token.ID); err == nil && w.find(token.ID).Cancelled.IsZero() {
				t.Error("answered, but not cancelled")
			}
		})
		met = broken.reached()
		w.service = newService(t, w.config)
		if told, err := w.service.Cancel(t.Context(), token.ID); !told || err != nil {
			t.Errorf("Cancel: %t, %v", told, err)
		}
		w.workFor(5 * time.Minute)
		w.dead(access, "INVALID_TOKEN")
		if len(w.canceled()) != 1 {
			t.Errorf("%d notifications", len(w.canceled()))
		}
		return met
	})
}
