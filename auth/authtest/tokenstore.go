package authtest

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/auth"
)

// TestTokenStore is the contract of auth.TokenStore as a test. open is called
// once for each part.
func TestTokenStore(t *testing.T, open func(*testing.T) auth.TokenStore) {
	t.Helper()
	for _, part := range []struct {
		name string
		run  func(*tokenTest)
	}{
		{"an unknown key is not found", (*tokenTest).unknown},
		{"a record comes back whole, by each of its keys", (*tokenTest).whole},
		{"keys that a token lost do not find it", (*tokenTest).lost},
		{"an ID is taken once", (*tokenTest).once},
		{"no two tokens share a digest", (*tokenTest).shared},
		{"only the next version is stored", (*tokenTest).versions},
		{"of many concurrent inserts and changes one is stored", (*tokenTest).concurrent},
		{"what is due is listed, longest due first", (*tokenTest).due},
		{"records share no memory with their users", (*tokenTest).separate},
	} {
		t.Run(part.name, func(t *testing.T) { part.run(&tokenTest{t, open(t)}) })
	}
}

type tokenTest struct {
	*testing.T
	store auth.TokenStore
}

// token is a new token of the time at, with a notice that is due then.
func (t *tokenTest) token(at time.Time) auth.Token {
	return auth.Token{
		ID: digest(), Version: 1,
		Grant: auth.Grant{
			CustomerID: "C1", AuthClientID: "M1", ReferenceAgreementID: "AG1", ReferenceMerchantID: "R1",
			AcquirerID: "A1", PSPID: "P1", Scopes: []string{auth.ScopeAgreementPay},
		},
		AccessDigest: digest(), AccessExpiry: at.Add(1000 * time.Hour).Truncate(time.Second),
		RefreshDigest: digest(), RefreshExpiry: at.Add(2000 * time.Hour).Truncate(time.Second),
		Created: at,
		Notice:  auth.Notice{State: auth.NoticePending, Next: at, Sealed: []byte(allBytes())},
		Access:  []byte("sealed"),
	}
}

// refreshed is t after a refresh, with every field set.
func refreshed(t auth.Token) auth.Token {
	t.Version++
	t.OldAccessDigest, t.OldRefreshDigest = t.AccessDigest, t.RefreshDigest
	t.AccessDigest, t.RefreshDigest = digest(), digest()
	t.Repeat = auth.Repeat{Print: t.OldRefreshDigest, Until: t.Created.Add(auth.RepeatWindow), Sealed: []byte(allBytes())}
	t.Notice = auth.Notice{
		State: auth.NoticePending, Tries: 3, Code: "PROCESS_FAIL", Next: t.Created.Add(time.Minute),
		Lease: t.Created.Add(time.Hour), Sealed: []byte("notice"),
	}
	t.Cancelled = t.Created.Add(time.Second)
	return t
}

func (t *tokenTest) save(token auth.Token) {
	t.Helper()
	if err := t.store.SaveToken(t.Context(), token); err != nil {
		t.Fatalf("SaveToken of version %d: %v", token.Version, err)
	}
}

func (t *tokenTest) refuse(token auth.Token, why string) {
	t.Helper()
	if err := t.store.SaveToken(t.Context(), token); !errors.Is(err, auth.ErrConflict) {
		t.Fatalf("SaveToken of %s: %v, want ErrConflict", why, err)
	}
}

func (t *tokenTest) want(token auth.Token) {
	t.Helper()
	for _, key := range token.Keys() {
		got, err := t.store.FindToken(t.Context(), key)
		if err != nil {
			t.Fatalf("FindToken: %v", err)
		}
		same(t.T, got, token)
	}
}

func (t *tokenTest) missing(key string) {
	t.Helper()
	if _, err := t.store.FindToken(t.Context(), key); !errors.Is(err, auth.ErrNotFound) {
		t.Fatalf("FindToken: %v, want ErrNotFound", err)
	}
}

func (t *tokenTest) unknown() {
	token := t.token(moment())
	token.OldAccessDigest, token.OldRefreshDigest = "", "" // as most tokens are
	t.save(token)
	t.missing(digest())
	t.missing("")
}

func (t *tokenTest) whole() {
	token := t.token(moment())
	t.save(token)
	t.want(token)
	token = refreshed(token)
	t.save(token)
	t.want(token)
}

func (t *tokenTest) lost() {
	first := t.token(moment())
	t.save(first)
	second := refreshed(first)
	t.save(second)
	third := refreshed(second)
	t.save(third)
	t.want(third)
	t.missing(first.AccessDigest)
	t.missing(first.RefreshDigest)
}

func (t *tokenTest) once() {
	token := t.token(moment())
	t.save(token)
	again := t.token(moment())
	again.ID = token.ID
	t.refuse(again, "an ID that is there already")
	t.want(token)
	t.missing(again.AccessDigest)
}

func (t *tokenTest) shared() {
	token := t.token(moment())
	t.save(token)
	byAccess, byRefresh := t.token(moment()), t.token(moment())
	byAccess.AccessDigest = token.AccessDigest
	byRefresh.RefreshDigest = token.RefreshDigest
	t.refuse(byAccess, "another token with its access token")
	t.refuse(byRefresh, "another token with its refresh token")
	t.missing(byAccess.ID)
	t.missing(byRefresh.ID)
	t.want(token)
}

func (t *tokenTest) versions() {
	token := t.token(moment())
	t.refuse(refreshed(token), "version 2 of a token that is not there")
	t.save(token)
	winner, loser := refreshed(token), refreshed(token)
	t.save(winner)
	t.refuse(loser, "a version that is there already")
	ahead := winner
	ahead.Version = 4
	t.refuse(ahead, "a version that is not the next one")
	t.want(winner)
	t.missing(loser.AccessDigest)
}

func (t *tokenTest) concurrent() {
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
			return t.store.SaveToken(t.Context(), token)
		})
		token, err := t.store.FindToken(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		race("changes of one token", func(int) error {
			return t.store.SaveToken(t.Context(), refreshed(token))
		})
	}
}

func (t *tokenTest) due() {
	at := moment()
	var saved []auth.Token
	for _, after := range []time.Duration{2 * time.Second, 0, time.Second, time.Hour} {
		token := t.token(at.Add(after))
		t.save(token)
		saved = append(saved, token)
	}
	idle := t.token(at)
	idle.Notice, idle.Access = auth.Notice{State: auth.NoticeAcknowledged}, nil
	t.save(idle)
	leased := t.token(at)
	leased.Notice.Lease = at.Add(time.Minute)
	t.save(leased)

	list := func(now time.Time, limit int) []auth.Token {
		t.Helper()
		tokens, err := t.store.DueTokens(t.Context(), now, limit)
		if err != nil {
			t.Fatalf("DueTokens: %v", err)
		}
		var mine []auth.Token // the store may hold others
		for _, token := range tokens {
			if token.ID == idle.ID || token.ID == leased.ID {
				t.Errorf("DueTokens lists a token that is not due")
			}
			for _, s := range saved {
				if s.ID == token.ID {
					mine = append(mine, token)
				}
			}
		}
		return mine
	}
	const all = 1 << 20
	if got := list(at.Add(-time.Millisecond), all); len(got) != 0 {
		t.Errorf("DueTokens lists %d tokens before they are due", len(got))
	}
	got := list(at.Add(2*time.Second), all)
	if len(got) != 3 || got[0].ID != saved[1].ID || got[1].ID != saved[2].ID || got[2].ID != saved[0].ID {
		t.Fatalf("DueTokens lists %d tokens, or not in the order of their due times; want 3", len(got))
	}
	same(t.T, got[0], saved[1])
	if tokens, err := t.store.DueTokens(t.Context(), at.Add(2*time.Second), 2); err != nil || len(tokens) != 2 {
		t.Errorf("DueTokens with limit 2: %d tokens, %v", len(tokens), err)
	}

	// A change of the due time counts at once.
	done := saved[1]
	done.Version++
	done.Notice = auth.Notice{State: auth.NoticeAcknowledged}
	t.save(done)
	if got := list(at.Add(2*time.Second), all); len(got) != 2 {
		t.Errorf("DueTokens lists %d tokens after one was done, want 2", len(got))
	}
}

func (t *tokenTest) separate() {
	token := t.token(moment())
	kept := token
	kept.Grant.Scopes = []string{auth.ScopeAgreementPay}
	kept.Notice.Sealed = []byte(allBytes())
	kept.Access = []byte("sealed")
	t.save(token)
	spoil := func(token auth.Token) {
		token.Grant.Scopes[0] = "changed"
		token.Notice.Sealed[0] ^= 0xff
		token.Access[0] ^= 0xff
	}
	spoil(token)
	t.want(kept)
	got, err := t.store.FindToken(t.Context(), kept.ID)
	if err != nil {
		t.Fatal(err)
	}
	spoil(got)
	t.want(kept)
	due, err := t.store.DueTokens(t.Context(), kept.Created, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	for _, token := range due {
		if token.ID == kept.ID {
			spoil(token)
		}
	}
	t.want(kept)
}
