package auth_test

import (
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/auth"
)

// restart is a service over the same records, whose store fails at call k.
func (w *world) restart(k int, crash, after bool) *brokenStore {
	w.Helper()
	broken := &brokenStore{MemoryStore: w.store, failAt: k, crash: crash, after: after}
	cfg := w.config
	cfg.Codes, cfg.Tokens = broken, broken
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
			if k < 4 {
				t.Errorf("only %d steps", k-1)
			}
		}
	}
}

// From the debit to the acknowledgement, the process dies or the store fails at
// every step: the notification is not lost and there is one token.
func TestCrashBetweenDebitAndAcknowledgement(t *testing.T) {
	everyFailure(t, func(t *testing.T, k int, crash, after bool) (met bool) {
		w := newWorld(t)
		broken := w.restart(k, crash, after)
		bodies := w.recordBodies()
		survive(func() { // the debit is booked; the host does what follows
			if _, err := w.service.Issue(t.Context(), agreement); err == nil {
				_, _ = w.service.Work(t.Context(), w.client)
			}
		})
		met = broken.reached()
		w.service = newService(t, w.config)
		w.issue(agreement) // for each booked debit, again
		w.workFor(5 * time.Minute)
		w.issue(agreement)

		created := w.created()
		w.alive(created.AccessToken)
		for _, body := range *bodies {
			if string(body) != string((*bodies)[0]) {
				t.Error("two notifications of one token differ")
			}
		}
		if got := fmt.Sprint(w.store); got != "auth.MemoryStore{0 codes, 1 tokens}" {
			t.Errorf("there are %s", got)
		}
		if n := w.find(created.AccessToken.Digest()).Notice; n.State != auth.NoticeAcknowledged {
			t.Errorf("the notice is %v", n)
		}
		return met
	})
}

// The same, if the host inserts the record in the transaction of its debit and
// the process dies while it sends.
func TestCrashWhileSending(t *testing.T) {
	for _, processed := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			token, err := w.service.NewToken(agreement)
			if err != nil {
				t.Fatal(err)
			}
			if fmt.Sprint(w.store) != "auth.MemoryStore{0 codes, 0 tokens}" {
				t.Error("NewToken stored something")
			}
			if err := w.store.SaveToken(t.Context(), token); err != nil {
				t.Fatal(err)
			}
			died := false
			w.connect(func(r *http.Request) (*http.Response, error) {
				if died {
					return w.gateway.RoundTrip(r)
				}
				died = true
				if processed {
					if _, err := w.gateway.RoundTrip(r); err != nil {
						t.Error(err)
					}
				}
				panic(errCrash)
			})
			if survive(func() { w.work() }) {
				t.Fatal("the process did not die")
			}
			w.workFor(5 * time.Minute)
			if w.created().AccessToken.Digest() != token.AccessDigest {
				t.Error("another token")
			}
			if n := w.find(token.ID).Notice; n.State != auth.NoticeAcknowledged {
				t.Errorf("the notice is %v", n)
			}
		})
	}
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
			if got := fmt.Sprint(w.store); got != "auth.MemoryStore{1 codes, 1 tokens}" {
				t.Errorf("there are %s", got)
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
			if _, err := w.service.Cancel(t.Context(), token.ID); err == nil {
				if w.find(token.ID).Cancelled.IsZero() {
					t.Error("answered, but not cancelled")
				}
				_, _ = w.service.Work(t.Context(), w.client)
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
