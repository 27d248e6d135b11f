package auth_test

import (
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
