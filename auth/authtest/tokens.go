package authtest

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/auth"
)

// token returns a new token of the time at.
func (t *storesTest) token(at time.Time) auth.Token {
	return auth.Token{
		ID: digest(), Version: 1,
		Grant: auth.Grant{
			CustomerID: "C1", AuthClientID: "M1", ReferenceAgreementID: "AG1", ReferenceMerchantID: "R1",
			AcquirerID: "A1", PSPID: "P1", Scopes: []string{auth.ScopeAgreementPay, "B"},
		},
		AccessDigest: digest(), AccessExpiry: at.Add(1000 * time.Hour).Truncate(time.Second),
		RefreshDigest: digest(), RefreshExpiry: at.Add(2000 * time.Hour).Truncate(time.Second),
		Created: at,
		Access:  []byte(allBytes()),
	}
}

// refreshed returns t after a refresh, with every field set.
func refreshed(t auth.Token) auth.Token {
	t.Version++
	t.OldAccessDigest, t.OldRefreshDigest = t.AccessDigest, t.RefreshDigest
	t.AccessDigest, t.RefreshDigest = digest(), digest()
	t.Repeat = auth.Repeat{Fingerprint: t.OldRefreshDigest, Until: t.Created.Add(auth.RepeatWindow), Sealed: []byte(allBytes())}
	t.Cancelled, t.Told = t.Created.Add(time.Second), true
	return t
}

func (t *storesTest) saveToken(token auth.Token) {
	t.Helper()
	if err := t.stores.SaveToken(t.Context(), token); err != nil {
		t.Fatalf("SaveToken of version %d: %v", token.Version, err)
	}
}

func (t *storesTest) refuseToken(token auth.Token, why string) {
	t.Helper()
	if err := t.stores.SaveToken(t.Context(), token); !errors.Is(err, auth.ErrConflict) {
		t.Fatalf("SaveToken of %s: %v, want ErrConflict", why, err)
	}
}

func (t *storesTest) wantToken(token auth.Token) {
	t.Helper()
	for _, key := range token.Keys() {
		got, err := t.stores.FindToken(t.Context(), key)
		if err != nil {
			t.Fatalf("FindToken: %v", err)
		}
		same(t.T, got, token)
	}
}

func (t *storesTest) missing(key string) {
	t.Helper()
	if _, err := t.stores.FindToken(t.Context(), key); !errors.Is(err, auth.ErrNotFound) {
		t.Fatalf("FindToken: %v, want ErrNotFound", err)
	}
}

func (t *storesTest) unknownToken() {
	token := t.token(moment())
	token.OldAccessDigest, token.OldRefreshDigest = "", "" // as most tokens are
	t.saveToken(token)
	t.missing(digest())
	t.missing("")
}

func (t *storesTest) wholeToken() {
	token := t.token(moment())
	t.saveToken(token)
	t.wantToken(token)
	token = refreshed(token)
	t.saveToken(token)
	t.wantToken(token)
}

func (t *storesTest) lostKeys() {
	first := t.token(moment())
	t.saveToken(first)
	second := refreshed(first)
	t.saveToken(second)
	third := refreshed(second)
	t.saveToken(third)
	t.wantToken(third)
	t.missing(first.AccessDigest)
	t.missing(first.RefreshDigest)
}

func (t *storesTest) exactTokens() {
	token := t.token(moment())
	t.saveToken(token)
	for _, key := range token.Keys() {
		for _, other := range []string{key[:63], key + " ", "%", key[:63] + "_"} {
			t.missing(other)
		}
	}
}

// expiredToken has a token of long ago. Its record still tells a late request
// what became of it.
func (t *storesTest) expiredToken() {
	token := t.token(longAgo())
	t.saveToken(token)
	t.wantToken(token)
	token = refreshed(token)
	t.saveToken(token)
	t.wantToken(token)
}

func (t *storesTest) tokenOnce() {
	token := t.token(moment())
	t.saveToken(token)
	again := t.token(moment())
	again.ID = token.ID
	t.refuseToken(again, "an ID that is there already")
	t.wantToken(token)
	t.missing(again.AccessDigest)
}

func (t *storesTest) sharedDigests() {
	token := t.token(moment())
	t.saveToken(token)
	byAccess, byRefresh := t.token(moment()), t.token(moment())
	byAccess.AccessDigest = token.AccessDigest
	byRefresh.RefreshDigest = token.RefreshDigest
	t.refuseToken(byAccess, "another token with its access token")
	t.refuseToken(byRefresh, "another token with its refresh token")
	t.missing(byAccess.ID)
	t.missing(byRefresh.ID)
	t.wantToken(token)
}

func (t *storesTest) tokenVersions() {
	token := t.token(moment())
	t.refuseToken(refreshed(token), "version 2 of a token that is not there")
	t.saveToken(token)
	winner, loser := refreshed(token), refreshed(token)
	t.saveToken(winner)
	t.refuseToken(loser, "a version that is there already")
	ahead := winner
	ahead.Version = 4
	t.refuseToken(ahead, "a version that is not the next one")
	t.wantToken(winner)
	t.missing(loser.AccessDigest)
}

func (t *storesTest) concurrentTokens() {
	const writers = 32
	race := func(what string, write func(i int) error) {
		t.Helper()
		var stored atomic.Int32
		var wait sync.WaitGroup
		for i := range writers {
			wait.Go(func() {
				err := write(i)
				switch {
				case err == nil:
					stored.Add(1)
				case !errors.Is(err, auth.ErrConflict):
					t.Errorf("SaveToken: %v", err)
				}
			})
		}
		wait.Wait()
		if n := stored.Load(); n != 1 {
			t.Fatalf("%d of %d concurrent %s were stored, want 1", n, writers, what)
		}
	}
	for range 20 {
		id := digest()
		race("tokens with one ID", func(i int) error {
			token := t.token(moment())
			token.ID = id
			token.Grant.CustomerID = fmt.Sprint(i)
			return t.stores.SaveToken(t.Context(), token)
		})
		token, err := t.stores.FindToken(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		race("changes of one token", func(int) error {
			return t.stores.SaveToken(t.Context(), refreshed(token))
		})
	}
}

func (t *storesTest) toErase() {
	at := moment()
	var saved []auth.Token
	for _, after := range []time.Duration{2 * time.Second, 0, time.Second, time.Hour} {
		token := t.token(at)
		token.Repeat = auth.Repeat{Fingerprint: digest(), Until: at.Add(after), Sealed: []byte("x")}
		t.saveToken(token)
		saved = append(saved, token)
	}
	idle := t.token(at)
	idle.Access = nil
	t.saveToken(idle)

	list := func(now time.Time, n int) []string {
		t.Helper()
		ids, err := t.stores.TokensToErase(t.Context(), now, n)
		if err != nil {
			t.Fatalf("TokensToErase: %v", err)
		}
		var mine []string // the store may hold others
		for _, id := range ids {
			if id == idle.ID {
				t.Errorf("TokensToErase lists a token with nothing to erase")
			}
			for _, s := range saved {
				if s.ID == id {
					mine = append(mine, id)
				}
			}
		}
		return mine
	}
	const all = 1 << 20
	if got := list(at.Add(-time.Millisecond), all); len(got) != 0 {
		t.Errorf("TokensToErase lists %d tokens too early", len(got))
	}
	got := list(at.Add(2*time.Second), all)
	if !slices.Equal(got, []string{saved[1].ID, saved[2].ID, saved[0].ID}) {
		t.Fatalf("TokensToErase lists %d tokens, or not in the order of their times; want 3", len(got))
	}
	if ids, err := t.stores.TokensToErase(t.Context(), at.Add(2*time.Second), 2); err != nil || len(ids) != 2 {
		t.Errorf("TokensToErase with limit 2: %d tokens, %v", len(ids), err)
	}

	// A change of the time counts at once.
	done := saved[1]
	done.Version++
	done.Repeat = auth.Repeat{}
	t.saveToken(done)
	if got := list(at.Add(2*time.Second), all); len(got) != 2 {
		t.Errorf("TokensToErase lists %d tokens after one was erased, want 2", len(got))
	}
}

func (t *storesTest) separateTokens() {
	token := t.token(moment())
	token.Repeat = auth.Repeat{Fingerprint: digest(), Until: token.Created, Sealed: []byte("sealed")}
	kept := token
	kept.Grant.Scopes = []string{auth.ScopeAgreementPay, "B"}
	kept.Repeat.Sealed = []byte("sealed")
	kept.Access = []byte(allBytes())
	t.saveToken(token)
	spoil := func(token auth.Token) {
		token.Grant.Scopes[0] = "changed"
		token.Repeat.Sealed[0] ^= 0xff
		token.Access[0] ^= 0xff
	}
	spoil(token)
	t.wantToken(kept)
	got, err := t.stores.FindToken(t.Context(), kept.ID)
	if err != nil {
		t.Fatal(err)
	}
	spoil(got)
	t.wantToken(kept)
}
