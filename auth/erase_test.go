package auth_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/auth"
)

// Plaintext exists only sealed, only where it has to, and is erased.
func TestPlaintextIsErased(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		spy := new(spyStore)
		w := newWorld(t, func(c *auth.Config) {
			spy.MemoryStores, spy.outbox = c.Stores.(*auth.MemoryStores), c.Outbox
			c.Stores, c.Outbox = spy, spy
		})
		var secrets []alipayplus.Secret
		code := w.issueCode()
		redeemed := w.apply(applyCode(code))
		token := w.issue(agreement)
		sealed := func(key string) []byte {
			t := w.find(key)
			return append(append([]byte(nil), t.Repeat.Sealed...), t.Access...)
		}
		w.work()
		if len(sealed(token.ID)) != 0 {
			t.Error("a text is kept without KeepAccessTokens")
		}
		refreshed := w.apply(applyRefresh(w.created().RefreshToken))
		if len(sealed(token.ID)) == 0 {
			t.Error("nothing is there for a repeated refresh")
		}
		time.Sleep(auth.RepeatWindow - time.Second)
		w.work()
		if len(sealed(token.ID)) == 0 {
			t.Error("erased before its time")
		}
		time.Sleep(time.Second)
		w.work()
		if len(sealed(token.ID)) != 0 {
			t.Error("something is left after the grace")
		}
		if _, err := w.stores.FindCode(t.Context(), code.Digest()); !errors.Is(err, auth.ErrNotFound) {
			t.Error("the answer to a redeem is left after its time")
		}
		secrets = append(secrets, code, redeemed.AccessToken, redeemed.RefreshToken, w.created().AccessToken,
			w.created().RefreshToken, refreshed.AccessToken, refreshed.RefreshToken, agreement.UserLoginID)
		for i, record := range spy.saved {
			for j, secret := range secrets {
				if bytes.Contains(record, []byte(secret.Reveal())) {
					t.Errorf("record %d of %d holds secret %d in plain", i, len(spy.saved), j)
				}
			}
		}
		if len(spy.saved) < 7 || !bytes.Contains(bytes.Join(spy.saved, nil), []byte(code.Digest())) {
			t.Errorf("%d records were looked at", len(spy.saved))
		}
	})
}

// A kept token is erased when it ends.
func TestKeptTokenIsErasedAtItsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, keep, func(c *auth.Config) { c.AccessTokenTTL, c.RefreshTokenTTL = time.Hour, 2*time.Hour })
		token := w.issue(agreement)
		w.work()
		time.Sleep(2*time.Hour - time.Second)
		w.work()
		if w.find(token.ID).Access == nil {
			t.Error("erased before its end")
		}
		time.Sleep(time.Second)
		w.work()
		if w.find(token.ID).Access != nil {
			t.Error("left after its end")
		}
		if !w.find(token.ID).EraseAt().IsZero() {
			t.Error("a token has something to erase for ever")
		}
	})
}

// The sealed answer to a refresh is erased after five minutes, too, if the
// token itself ended before.
func TestAnswerIsErasedAfterAShortToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, func(c *auth.Config) { c.AccessTokenTTL, c.RefreshTokenTTL = time.Minute, time.Minute })
		first := w.apply(applyCode(w.issueCode()))
		second := w.apply(applyRefresh(first.RefreshToken))
		digest := second.AccessToken.Digest()
		if len(w.find(digest).Repeat.Sealed) == 0 {
			t.Fatal("control: there is nothing to erase")
		}
		w.workFor(10 * time.Minute)
		if token := w.find(digest); len(token.Repeat.Sealed) > 0 || !token.EraseAt().IsZero() {
			t.Errorf("%d bytes are left, to be erased at %v", len(token.Repeat.Sealed), token.EraseAt())
		}
	})
}

// An error of the database does not end Run, and one bad record does not hold
// up the others.
func TestRunGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, keep, func(c *auth.Config) { c.AccessTokenTTL, c.RefreshTokenTTL = time.Hour, time.Hour })
		bad := w.issue(agreement)
		other := agreement
		other.ReferenceAgreementID = "agreement-2"
		time.Sleep(time.Second)
		good := w.issue(other)
		code := w.issueCode()
		time.Sleep(48 * time.Hour)

		cfg := w.config
		cfg.Stores = &poisoned{MemoryStores: w.stores, id: bad.ID, failures: 5}
		w.service = newService(t, cfg)
		w.workFor(time.Hour)
		if w.find(good.ID).Access != nil || w.find(bad.ID).Access == nil {
			t.Error("a bad record holds up another one")
		}
		if _, err := w.stores.FindCode(t.Context(), code.Digest()); !errors.Is(err, auth.ErrNotFound) {
			t.Errorf("a code is left: %v", err)
		}
		if !strings.Contains(w.log.String(), "level=ERROR") {
			t.Error("no alarm")
		}
	})
}

// Of two processes that read the same list, the slower one finds nothing to
// erase and writes nothing: the record keeps its version.
func TestErasedByAnotherProcess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, keep, func(c *auth.Config) { c.AccessTokenTTL, c.RefreshTokenTTL = time.Hour, time.Hour })
		ended := w.issue(agreement)
		time.Sleep(2 * time.Hour)
		w.work()
		before := w.find(ended.ID)
		if before.Access != nil || before.Version == ended.Version {
			t.Fatal("control: it is not erased")
		}
		cfg := w.config
		cfg.Stores = oldList{w.stores, []string{ended.ID}}
		w.service = newService(t, cfg)
		w.workFor(time.Hour)
		if after := w.find(ended.ID); after.Version != before.Version {
			t.Errorf("version %d became %d", before.Version, after.Version)
		}
	})
}

// oldList has tokens to erase that somebody else erased.
type oldList struct {
	*auth.MemoryStores
	ids []string
}

func (s oldList) TokensToErase(context.Context, time.Time, int) ([]string, error) { return s.ids, nil }

// poisoned fails for one token, always, and for codes a few times.
type poisoned struct {
	*auth.MemoryStores
	id       string
	failures int
}

func (s *poisoned) SaveToken(ctx context.Context, t auth.Token) error {
	if t.ID == s.id {
		return errBroken
	}
	return s.MemoryStores.SaveToken(ctx, t)
}

func (s *poisoned) DeleteCodes(ctx context.Context, now time.Time, n int) (int, error) {
	if s.failures > 0 {
		s.failures--
		return 0, errBroken
	}
	return s.MemoryStores.DeleteCodes(ctx, now, n)
}
