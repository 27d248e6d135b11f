package auth_test

import (
	"bytes"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/auth"
)

// Plaintext exists only sealed, only where it has to, and is erased.
func TestPlaintextIsErased(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		spy := &spyStore{MemoryStore: auth.NewMemoryStore(100)}
		w := newWorld(t, func(c *auth.Config) { c.Codes, c.Tokens = spy, spy })
		w.store = spy.MemoryStore
		var secrets []alipayplus.Secret
		code := w.issueCode()
		redeemed := w.apply(applyCode(code))
		token := w.issue(agreement)
		sealed := func(key string) []byte {
			t := w.find(key)
			return append(append(append([]byte(nil), t.Repeat.Sealed...), t.Notice.Sealed...), t.Access...)
		}
		if len(sealed(token.ID)) == 0 {
			t.Error("nothing waits for its delivery")
		}
		w.work()
		if len(sealed(token.ID)) != 0 {
			t.Error("something is left after the acknowledgement")
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
		if _, err := w.store.FindCode(t.Context(), code.Digest()); !errors.Is(err, auth.ErrNotFound) {
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
		if done := w.work(); done != 0 {
			t.Errorf("%d tokens are due for ever", done)
		}

		// A notification that never got through ends with its token.
		other := agreement
		other.ReferenceAgreementID = "agreement-2"
		token = w.issue(other)
		w.refuseFirst(alipayplus.CodeAccessDenied)
		w.work()
		time.Sleep(2 * time.Hour)
		w.work()
		if n := w.find(token.ID).Notice; n.State != auth.NoticeDropped || n.Sealed != nil {
			t.Errorf("the notice is %v", n)
		}
	})
}
