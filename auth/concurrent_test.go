package auth_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/auth"
)

// Of any number of concurrent redeems of a code, one token comes.
func TestConcurrentRedeems(t *testing.T) {
	codes, redeems := 4, 1000
	if long() {
		codes = 1000
	}
	for _, c := range []struct {
		rule     string
		noRepeat bool
		request  func(code alipayplus.Secret, i int) *auth.ApplyTokenRequest
		winners  func(n int) bool
	}{
		{"the same request: all get the same token", false,
			func(code alipayplus.Secret, _ int) *auth.ApplyTokenRequest { return applyCode(code) },
			func(n int) bool { return n == redeems }},
		{"the same request, repeats switched off: one gets it", true,
			func(code alipayplus.Secret, _ int) *auth.ApplyTokenRequest { return applyCode(code) },
			func(n int) bool { return n == 1 }},
		{"different requests: one gets it", false,
			func(code alipayplus.Secret, i int) *auth.ApplyTokenRequest {
				r := applyCode(code)
				r.AcquirerID = fmt.Sprint(i)
				return r
			},
			func(n int) bool { return n == 1 }},
	} {
		w := newWorld(t, func(cfg *auth.Config) { cfg.NoCodeRepeat = c.noRepeat })
		for range codes {
			code := w.issueCode()
			answers := make([]*auth.ApplyTokenResponse, redeems)
			var wait sync.WaitGroup
			for i := range redeems {
				wait.Go(func() {
					var err error
					answers[i], err = w.service.ApplyToken(t.Context(), c.request(code, i))
					if err != nil && !errors.Is(err, alipayplus.CodeInvalidCode) {
						t.Errorf("%s: %v", c.rule, err)
					}
				})
			}
			wait.Wait()
			winners, tokens := 0, map[string]bool{}
			for _, answer := range answers {
				if answer != nil {
					winners++
					tokens[answer.AccessToken.Reveal()] = true
				}
			}
			if len(tokens) != 1 || !c.winners(winners) {
				t.Fatalf("%s: %d answers with %d tokens of %d redeems", c.rule, winners, len(tokens), redeems)
			}
		}
	}
}

// overtaken is a database in which another process changes each record once,
// after it was read and before it is saved.
type overtaken struct {
	*auth.MemoryStores
	token, code func(ctx context.Context)
}

func (s *overtaken) SaveToken(ctx context.Context, t auth.Token) error {
	if other := s.token; other != nil {
		s.token = nil
		other(ctx)
	}
	return s.MemoryStores.SaveToken(ctx, t)
}

func (s *overtaken) SaveCode(ctx context.Context, c auth.Code) error {
	if other := s.code; other != nil {
		s.code = nil
		other(ctx)
	}
	return s.MemoryStores.SaveCode(ctx, c)
}

// Who was overtaken reads again and decides anew, in the same transaction.
func TestOvertaken(t *testing.T) {
	w := newWorld(t, keep)
	cfg := w.config
	stores := &overtaken{MemoryStores: w.stores}
	cfg.Stores = stores
	overtakenService := newService(t, cfg)

	code := w.issueCode()
	other := applyCode(code)
	other.AcquirerID = "acquirer-2"
	var theirs *auth.ApplyTokenResponse
	stores.code = func(ctx context.Context) {
		var err error
		if theirs, err = w.service.ApplyToken(ctx, other); err != nil {
			t.Error(err)
		}
	}
	if _, err := overtakenService.ApplyToken(t.Context(), applyCode(code)); !errors.Is(err, alipayplus.CodeInvalidCode) {
		t.Errorf("a code that somebody else redeemed: %v", err)
	}
	// The refusal undid what was done in its transaction, the other redeem too:
	// it joined. Redeem again, alone.
	theirs = w.apply(other)

	var next *auth.ApplyTokenResponse
	stores.token = func(ctx context.Context) {
		var err error
		if next, err = w.service.ApplyToken(ctx, applyRefresh(theirs.RefreshToken)); err != nil {
			t.Error(err)
		}
	}
	again, err := overtakenService.ApplyToken(t.Context(), applyRefresh(theirs.RefreshToken))
	if err != nil || !again.AccessToken.Equal(next.AccessToken) {
		t.Errorf("a refresh token that was spent meanwhile: %v, %v", again, err)
	}

	stores.token = func(ctx context.Context) {
		next, err = w.service.ApplyToken(ctx, applyRefresh(next.RefreshToken))
		if err != nil {
			t.Error(err)
		}
	}
	id := code.Digest()
	if told, err := overtakenService.Cancel(t.Context(), id); !told || err != nil {
		t.Errorf("Cancel: %t, %v", told, err)
	}
	leased, err := w.memory.Lease(t.Context(), 10, 0)
	if err != nil || len(leased) != 1 || leased[0].Message.Key != "TOKEN_CANCELED/"+next.AccessToken.Digest() {
		t.Errorf("Alipay+ is told of another token than the last one: %v, %v", leased, err)
	}
	w.dead(next.AccessToken, "INVALID_TOKEN")
}
