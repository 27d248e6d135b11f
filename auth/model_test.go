package auth_test

import (
	"errors"
	"reflect"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/auth"
)

// modelToken is what a token should be, said as simply as possible.
type modelToken struct {
	pairs     []modelPair // the last one is the present one
	cancelled bool
}

type modelPair struct {
	answer auth.ApplyTokenResponse
	made   time.Time
}

// Any order of redeems, refreshes, cancellations, work and passing time: the
// service says what the model says.
func TestTokensAgainstAModel(t *testing.T) {
	const accessTTL, refreshTTL = time.Hour, 3 * time.Hour
	synctest.Test(t, func(t *testing.T) {
		rapid.Check(noDeadline{t}, func(r *rapid.T) {
			w := newWorld(t, func(c *auth.Config) { c.AccessTokenTTL, c.RefreshTokenTTL = accessTTL, refreshTTL })
			var tokens []*modelToken
			draw := func() (*modelToken, int) {
				if len(tokens) == 0 {
					r.Skip("no token yet")
				}
				m := tokens[rapid.IntRange(0, len(tokens)-1).Draw(r, "token")]
				return m, rapid.IntRange(0, len(m.pairs)-1).Draw(r, "pair")
			}
			r.Repeat(map[string]func(*rapid.T){
				"redeem": func(r *rapid.T) {
					tokens = append(tokens, &modelToken{pairs: []modelPair{{*w.apply(applyCode(w.issueCode())), time.Now()}}})
				},
				"pass": func(r *rapid.T) {
					time.Sleep(time.Duration(rapid.SampledFrom([]int{1, 60, 299, 300, 3600, 7200}).Draw(r, "seconds")) * time.Second)
				},
				"work": func(r *rapid.T) { w.work() },
				"cancel": func(r *rapid.T) {
					m, i := draw()
					_, err := w.service.CancelToken(t.Context(), &auth.CancelTokenRequest{AccessToken: m.pairs[i].answer.AccessToken})
					if known := i >= len(m.pairs)-2; known != (err == nil) {
						r.Fatalf("cancelToken by pair %d of %d: %v", i, len(m.pairs), err)
					}
					m.cancelled = m.cancelled || err == nil
				},
				"refresh": func(r *rapid.T) {
					m, i := draw()
					last := len(m.pairs) - 1
					answer, err := w.service.ApplyToken(t.Context(), applyRefresh(m.pairs[i].answer.RefreshToken))
					switch {
					case m.cancelled, i < last-1, i == last-1 && time.Since(m.pairs[last].made) >= auth.RepeatWindow:
						if !errors.Is(err, alipayplus.CodeInvalidRefreshToken) {
							r.Fatalf("refresh with pair %d of %d: %v", i, last+1, err)
						}
					case i == last-1:
						if err != nil || !reflect.DeepEqual(*answer, m.pairs[last].answer) {
							r.Fatalf("a repeated refresh: %v, %v", answer, err)
						}
					case time.Since(m.pairs[last].made) >= refreshTTL:
						if !errors.Is(err, alipayplus.CodeExpiredRefreshToken) {
							r.Fatalf("an expired refresh token: %v", err)
						}
					case err != nil:
						r.Fatalf("refresh: %v", err)
					default:
						m.pairs = append(m.pairs, modelPair{*answer, time.Now()})
					}
				},
				"": func(r *rapid.T) { // after every step
					for _, m := range tokens {
						for i, p := range m.pairs {
							_, err := w.service.Check(t.Context(), p.answer.AccessToken, "BASE")
							want := alipayplus.CodeInvalidToken
							switch {
							case m.cancelled || i < len(m.pairs)-1:
							case time.Since(p.made) >= accessTTL:
								want = alipayplus.CodeExpiredAccessToken
							default:
								want = ""
							}
							if want == "" && err != nil || want != "" && !errors.Is(err, want) {
								r.Fatalf("Check of pair %d of %d: %v, want %s", i, len(m.pairs), err, want)
							}
						}
					}
				},
			})
		})
	})
}

// noDeadline hides the method Deadline of *testing.T, which synctest forbids.
type noDeadline struct{ rapid.TB }
