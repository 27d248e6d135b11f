package auth_test

import (
	"errors"
	"reflect"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/auth"
)

func TestRefreshRotatesBothTokens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		first := w.apply(applyCode(w.issueCode()))
		time.Sleep(time.Hour + time.Second/2)
		second := w.apply(applyRefresh(first.RefreshToken))
		if second.AccessToken.Equal(first.AccessToken) || second.RefreshToken.Equal(first.RefreshToken) || second.CustomerID != "customer-1" {
			t.Errorf("the new pair: %v", second)
		}
		w.dead(first.AccessToken, "INVALID_TOKEN")
		w.alive(second.AccessToken)
		access, _ := second.AccessTokenExpiryTime.Time()
		if left := time.Until(access); left > 3650*24*time.Hour || left < 3650*24*time.Hour-time.Second {
			t.Errorf("the new access token ends in %v", left)
		}
		record := w.find(second.AccessToken.Digest())
		refresh, _ := second.RefreshTokenExpiryTime.Time()
		if !record.AccessExpiry.Equal(access) || !record.RefreshExpiry.Equal(refresh) {
			t.Error("the record ends at another time than Alipay+ is told")
		}

		// The same refresh token, inside and after the grace.
		time.Sleep(auth.RepeatWindow - time.Millisecond)
		if again := w.apply(applyRefresh(first.RefreshToken)); !reflect.DeepEqual(*again, *second) {
			t.Error("the same refresh token within five minutes: another pair")
		}
		w.alive(second.AccessToken)
		time.Sleep(time.Millisecond)
		w.refused(applyRefresh(first.RefreshToken), "INVALID_REFRESH_TOKEN")
		w.alive(second.AccessToken)

		// The new refresh token goes on.
		third := w.apply(applyRefresh(second.RefreshToken))
		w.dead(second.AccessToken, "INVALID_TOKEN")
		w.refused(applyRefresh(first.RefreshToken), "INVALID_REFRESH_TOKEN")
		if again := w.apply(applyRefresh(second.RefreshToken)); !reflect.DeepEqual(*again, *third) {
			t.Error("the same refresh token at once: another pair")
		}
	})
}

// When the new refresh token was used, the one before it is dead at once, also
// within the five minutes.
func TestGraceEndsWithTheNextRefresh(t *testing.T) {
	w := newWorld(t)
	first := w.apply(applyCode(w.issueCode()))
	second := w.apply(applyRefresh(first.RefreshToken))
	w.apply(applyRefresh(second.RefreshToken))
	w.refused(applyRefresh(first.RefreshToken), "INVALID_REFRESH_TOKEN")
}

func TestRefusedRefreshes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, func(c *auth.Config) { c.AccessTokenTTL, c.RefreshTokenTTL = time.Hour, 2*time.Hour })
		token := w.apply(applyCode(w.issueCode()))
		w.refused(applyRefresh(alipayplus.Conceal("nobody's")), "INVALID_REFRESH_TOKEN")
		w.refused(applyRefresh(token.AccessToken), "INVALID_REFRESH_TOKEN")
		w.dead(token.RefreshToken, "INVALID_TOKEN") // nor does a refresh token pay

		time.Sleep(time.Hour)
		w.dead(token.AccessToken, "EXPIRED_ACCESS_TOKEN")
		fresh := w.apply(applyRefresh(token.RefreshToken)) // it outlives its access token
		w.alive(fresh.AccessToken)

		time.Sleep(2*time.Hour - time.Millisecond)
		fresh = w.apply(applyRefresh(fresh.RefreshToken))
		time.Sleep(2 * time.Hour)
		w.refused(applyRefresh(fresh.RefreshToken), "EXPIRED_REFRESH_TOKEN")

		token = w.apply(applyCode(w.issueCode()))
		next := w.apply(applyRefresh(token.RefreshToken))
		if _, err := w.service.CancelToken(t.Context(), &auth.CancelTokenRequest{AccessToken: next.AccessToken}); err != nil {
			t.Fatal(err)
		}
		w.refused(applyRefresh(next.RefreshToken), "INVALID_REFRESH_TOKEN")
		w.refused(applyRefresh(token.RefreshToken), "INVALID_REFRESH_TOKEN") // in the grace of a cancelled token
	})
}

// Concurrent refreshes with one token give one new pair.
func TestConcurrentRefreshes(t *testing.T) {
	w := newWorld(t)
	token := w.apply(applyCode(w.issueCode()))
	for range 20 {
		answers := make([]*auth.ApplyTokenResponse, 64)
		var wait sync.WaitGroup
		for i := range answers {
			wait.Go(func() { answers[i], _ = w.service.ApplyToken(t.Context(), applyRefresh(token.RefreshToken)) })
		}
		wait.Wait()
		for _, answer := range answers {
			if answer == nil || !reflect.DeepEqual(*answer, *answers[0]) {
				t.Fatal("two answers to one refresh token")
			}
		}
		token = answers[0]
		w.alive(token.AccessToken)
	}
}

func TestRefreshNeedsItsKey(t *testing.T) {
	w := newWorld(t)
	first := w.apply(applyCode(w.issueCode()))
	second := w.apply(applyRefresh(first.RefreshToken))
	cfg := w.config
	cfg.Sealer = newSealer(t)
	w.service = newService(t, cfg)
	answer, err := w.service.ApplyToken(t.Context(), applyRefresh(first.RefreshToken))
	var code alipayplus.ResultCode
	if answer != nil || err == nil || errors.As(err, &code) {
		t.Errorf("with another key: %v, %v; want an error that decides nothing", answer, err)
	}
	w.apply(applyRefresh(second.RefreshToken)) // which needs no key of old
}

func TestSealingKeysRotate(t *testing.T) {
	older, newer := make([]byte, 32), make([]byte, 32)
	older[0], newer[0] = 1, 2
	first, err := alipayplus.NewSealer(older)
	if err != nil {
		t.Fatal(err)
	}
	both, err := alipayplus.NewSealer(newer, older)
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, func(c *auth.Config) { c.Sealer = first })
	code := w.issueCode()
	answer := w.apply(applyCode(code))
	cfg := w.config
	cfg.Sealer = both
	w.service = newService(t, cfg)
	if again := w.apply(applyCode(code)); !reflect.DeepEqual(*again, *answer) {
		t.Error("what the old key sealed is lost")
	}
	code = w.issueCode()
	w.apply(applyCode(code))
	w.service = newService(t, w.config) // with the old key alone
	if _, err := w.service.ApplyToken(t.Context(), applyCode(code)); err == nil {
		t.Error("the new key is not the one that seals")
	}
	for _, keys := range [][][]byte{nil, {nil}, {make([]byte, 31)}, {make([]byte, 32)}, {newer, make([]byte, 16)}} {
		if _, err := alipayplus.NewSealer(keys...); err == nil {
			t.Errorf("a Sealer of %d keys that cannot be used", len(keys))
		}
	}
}
