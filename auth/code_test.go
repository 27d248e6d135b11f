package auth_test

import (
	"context"
	"errors"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/auth"
)

func TestCodesAreAsTheDocumentsAsk(t *testing.T) {
	w := newWorld(t)
	form := regexp.MustCompile(`^28166613[0-9A-Za-z]{24}$`)
	seen := map[string]bool{}
	used := map[rune]int{}
	for range 2000 {
		code := w.issueCode().Reveal()
		if !form.MatchString(code) || len(code) > 32 {
			t.Fatal("a code does not have the form of the documents")
		}
		if seen[code] {
			t.Fatal("the same code twice")
		}
		seen[code] = true
		for _, r := range code[8:] {
			used[r]++
		}
	}
	// 48,000 characters: 774 of each, give or take six times the deviation of
	// 28.
	if len(used) != 62 {
		t.Errorf("%d characters occur, want all 62", len(used))
	}
	for r, n := range used {
		if n < 604 || n > 944 {
			t.Errorf("%c occurs %d times, which is no chance", r, n)
		}
	}
}

// What is asked for and what is granted make the answer for the client SDK.
func TestScopes(t *testing.T) {
	for _, c := range []struct {
		rule                                     string
		granted, asked, success, failed, carried []string
		code                                     bool
	}{
		{rule: "granted is carried", granted: []string{"A", "B"}, asked: []string{"A", "B"}, success: []string{"A", "B"}, carried: []string{"A", "B"}, code: true},
		{rule: "not granted fails", granted: []string{"A"}, asked: []string{"A", "B"}, success: []string{"A"}, failed: []string{"B"}, carried: []string{"A"}, code: true},
		{rule: "granted but not asked is not carried", granted: []string{"A", auth.ScopeAgreementPay}, asked: []string{"A"}, success: []string{"A"}, carried: []string{"A"}, code: true},
		{rule: "nothing granted, no code", asked: []string{"A"}, failed: []string{"A"}},
		{rule: "nothing asked, a code for nothing but who it is", granted: []string{auth.ScopeAgreementPay}, code: true},
	} {
		w := newWorld(t)
		g := login
		g.Scopes = c.granted
		answer, err := w.service.IssueCode(t.Context(), g, c.asked)
		if err != nil || !slices.Equal(answer.SuccessScopes, c.success) || !slices.Equal(answer.ErrorScopes, c.failed) || answer.Code.IsZero() == c.code {
			t.Errorf("%s: %v, %v", c.rule, answer, err)
			continue
		}
		if !c.code {
			continue
		}
		grant, err := w.service.Check(t.Context(), w.apply(applyCode(answer.Code)).AccessToken, "")
		if err != nil || !slices.Equal(grant.Scopes, c.carried) {
			t.Errorf("%s: the token carries %v, %v; want %v", c.rule, grant.Scopes, err, c.carried)
		}
	}
}

func TestCodeIsRedeemedForTokens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, func(c *auth.Config) { c.AccessTokenTTL, c.RefreshTokenTTL = time.Hour, 2*time.Hour })
		answer := w.apply(applyCode(w.issueCode()))
		if answer.AccessToken.IsZero() || answer.RefreshToken.IsZero() || answer.AccessToken.Equal(answer.RefreshToken) {
			t.Error("there are no two tokens")
		}
		// 62 to the power of 43 is just more than 2 to the power of 256.
		form := regexp.MustCompile(`^[0-9A-Za-z]{43}$`)
		if !form.MatchString(answer.AccessToken.Reveal()) || !form.MatchString(answer.RefreshToken.Reveal()) {
			t.Errorf("tokens of %d and %d characters, or not of base62", len(answer.AccessToken.Reveal()), len(answer.RefreshToken.Reveal()))
		}
		access, _ := answer.AccessTokenExpiryTime.Time()
		refresh, _ := answer.RefreshTokenExpiryTime.Time()
		if time.Until(access) != time.Hour || time.Until(refresh) != 2*time.Hour || answer.CustomerID != "customer-1" {
			t.Errorf("answer: %v", answer)
		}
		grant, err := w.service.Check(t.Context(), answer.AccessToken, "BASE")
		if err != nil || grant.CustomerID != "customer-1" || grant.AuthClientID != "merchant-1" ||
			grant.AcquirerID != "acquirer-1" || grant.PSPID != "psp-1" {
			t.Errorf("Check: %v, %v", grant, err)
		}
		if _, err := w.service.Check(t.Context(), answer.AccessToken, auth.ScopeAgreementPay); !errors.Is(err, alipayplus.CodeInvalidToken) {
			t.Errorf("a token of a login pays: %v", err)
		}
	})
}

func TestCodeIsValidForItsTime(t *testing.T) {
	for _, c := range []struct {
		rule    string
		after   time.Duration
		refused alipayplus.ResultCode
	}{
		{"at the last millisecond", 299_999 * time.Millisecond, ""},
		{"at its end", 300 * time.Second, "EXPIRED_CODE"},
		{"just after its end", 300_001 * time.Millisecond, "EXPIRED_CODE"},
		{"within a day it is known", 24 * time.Hour, "EXPIRED_CODE"},
		{"later it is deleted", 25 * time.Hour, "INVALID_CODE"},
	} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, func(c *auth.Config) { c.CodeTTL = 5 * time.Minute })
			code := w.issueCode()
			time.Sleep(c.after)
			w.work()
			if c.refused == "" {
				w.apply(applyCode(code))
			} else {
				w.refused(applyCode(code), c.refused)
			}
		})
	}
}

// Only the request that redeemed a code gets its answer again, for five
// minutes.
func TestCodeIsRedeemedOnce(t *testing.T) {
	for _, c := range []struct {
		rule    string
		after   time.Duration
		change  func(*auth.ApplyTokenRequest)
		config  func(*auth.Config)
		refused bool
	}{
		{rule: "the same request at once"},
		{rule: "the same request at the end of the window", after: auth.RepeatWindow - time.Millisecond},
		{rule: "the same request after the window", after: auth.RepeatWindow, refused: true},
		{rule: "another acquirer", change: func(r *auth.ApplyTokenRequest) { r.AcquirerID = "acquirer-2" }, refused: true},
		{rule: "another PSP", change: func(r *auth.ApplyTokenRequest) { r.PSPID = "psp-2" }, refused: true},
		{rule: "without a client", change: func(r *auth.ApplyTokenRequest) { r.AuthClientID = "" }, refused: true},
		{rule: "repeats switched off", config: func(c *auth.Config) { c.NoCodeRepeat = true }, refused: true},
	} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, func(cfg *auth.Config) {
				cfg.CodeTTL = time.Hour
				if c.config != nil {
					c.config(cfg)
				}
			})
			code := w.issueCode()
			first := w.apply(applyCode(code))
			time.Sleep(c.after)
			again := applyCode(code)
			if c.change != nil {
				c.change(again)
			}
			if c.refused {
				w.refused(again, "INVALID_CODE")
				w.alive(first.AccessToken)
				return
			}
			if second := w.apply(again); !reflect.DeepEqual(*second, *first) {
				t.Errorf("%s: another answer", c.rule)
			}
		})
	}
}

// A repeated answer never brings a dead pair back.
func TestRepeatOfAnEndedToken(t *testing.T) {
	w := newWorld(t)
	code := w.issueCode()
	first := w.apply(applyCode(code))
	w.apply(applyRefresh(first.RefreshToken))
	w.refused(applyCode(code), "INVALID_CODE")

	code = w.issueCode()
	first = w.apply(applyCode(code))
	if _, err := w.service.CancelToken(t.Context(), &auth.CancelTokenRequest{AccessToken: first.AccessToken}); err != nil {
		t.Fatal(err)
	}
	w.refused(applyCode(code), "INVALID_CODE")
	w.dead(first.AccessToken, "INVALID_TOKEN")
}

func TestCodesOfOthers(t *testing.T) {
	w := newWorld(t)
	code := w.issueCode().Reveal()
	for _, c := range []struct {
		rule, code string
		looked     bool // up in the store
	}{
		{"too short", code[:31], false},
		{"too long", code + "x", false},
		{"another prefix", "282" + code[3:], false},
		{"another routing number", "281667" + code[6:], false},
		{"another kind", "28166601" + code[8:], false},
		{"not base62", code[:31] + "-", false},
		{"not ASCII", code[:30] + "é", false},
		{"nobody's", "28166613" + strings.Repeat("0", 24), true},
		{"in another case", strings.ToUpper(code[:31]) + "a", true},
	} {
		store := &brokenStore{MemoryStores: w.stores, memory: w.memory}
		cfg := w.config
		cfg.Stores = store
		answer, err := newService(t, cfg).ApplyToken(t.Context(), applyCode(alipayplus.Conceal(c.code)))
		if looked := store.calls > 0; looked != c.looked {
			t.Errorf("%s: looked up %t", c.rule, looked)
		}
		if answer != nil || !errors.Is(err, alipayplus.CodeInvalidCode) {
			t.Errorf("%s: %v, %v", c.rule, answer, err)
		}
	}
	for _, r := range []*auth.ApplyTokenRequest{
		nil, {}, {GrantType: auth.GrantAuthorizationCode}, {GrantType: auth.GrantRefreshToken},
		{GrantType: "PASSWORD", AuthCode: alipayplus.Conceal(code)},
		{GrantType: auth.GrantRefreshToken, AuthCode: alipayplus.Conceal(code)},
	} {
		w.refused(r, "PARAM_ILLEGAL")
	}
	w.apply(applyCode(alipayplus.Conceal(code))) // none of that spent it
}

// An answer that was lost is repeated in its window, also when the code would
// have expired meanwhile.
func TestRepeatAfterTheExpiry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		r := applyCode(w.issueCode())
		time.Sleep(10*time.Minute - time.Second)
		first := w.apply(r)
		time.Sleep(auth.RepeatWindow - time.Microsecond)
		if again := w.apply(r); !again.AccessToken.Equal(first.AccessToken) || !again.RefreshToken.Equal(first.RefreshToken) {
			t.Error("the repeat got other tokens")
		}
		time.Sleep(time.Microsecond)
		w.refused(r, "INVALID_CODE")
	})
}

// The binding to a client is checked where applyToken names one.
func TestAnotherClient(t *testing.T) {
	for _, refuse := range []bool{false, true} {
		w := newWorld(t, func(c *auth.Config) { c.RefuseOtherClient = refuse })
		stays := func(a *auth.ApplyTokenResponse) { // with the client that the user allowed
			t.Helper()
			grant, err := w.service.Check(t.Context(), a.AccessToken, "BASE")
			if err != nil || grant.AuthClientID != login.AuthClientID {
				t.Errorf("the token is bound to %q, %v", grant.AuthClientID, err)
			}
		}
		code := w.issueCode()
		r := applyCode(code)
		r.AuthClientID = "merchant-2"
		if refuse {
			w.refused(r, "INVALID_CODE")
			w.apply(applyCode(code)) // it was not spent
		} else {
			stays(w.apply(r))
		}
		if !strings.Contains(w.log.String(), "another client") {
			t.Error("another client is not reported")
		}
		refresh := applyRefresh(w.apply(applyCode(w.issueCode())).RefreshToken)
		refresh.AuthClientID = "merchant-2"
		if refuse {
			w.refused(refresh, "INVALID_REFRESH_TOKEN")
		} else {
			stays(w.apply(refresh))
		}
	}
}

func TestConfiguredRefusals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, func(c *auth.Config) { c.InvalidCode, c.ExpiredCode = "MY_INVALID", "MY_EXPIRED" })
		code := w.issueCode()
		time.Sleep(time.Hour)
		for code, want := range map[string]alipayplus.ResultCode{code.Reveal(): "MY_EXPIRED", "x": "MY_INVALID"} {
			_, err := w.service.ApplyToken(t.Context(), applyCode(alipayplus.Conceal(code)))
			var result alipayplus.Result
			if !errors.As(err, &result) || result.Code != want || result.Status != alipayplus.StatusFailed {
				t.Errorf("refusal: %v, want F %s", err, want)
			}
		}
	})
}

// steppedBack is a store as it looks after the clock went back by an hour.
type steppedBack struct{ *auth.MemoryStores }

func (s steppedBack) FindCode(ctx context.Context, digest string) (auth.Code, error) {
	c, err := s.MemoryStores.FindCode(ctx, digest)
	for _, at := range []*time.Time{&c.Expiry, &c.Consumed, &c.Repeat.Until, &c.EraseAt} {
		if !at.IsZero() {
			*at = at.Add(time.Hour)
		}
	}
	return c, err
}

func TestConsumedCodeStaysConsumedWhenTheClockStepsBack(t *testing.T) {
	for _, noRepeat := range []bool{false, true} {
		w := newWorld(t, func(c *auth.Config) { c.NoCodeRepeat = noRepeat })
		code := w.issueCode()
		first := w.apply(applyCode(code))
		cfg := w.config
		cfg.Stores = steppedBack{w.stores}
		w.service = newService(t, cfg)
		other := applyCode(code)
		other.AcquirerID = "acquirer-2"
		w.refused(other, "INVALID_CODE")
		if noRepeat {
			w.refused(applyCode(code), "INVALID_CODE")
		} else if again := w.apply(applyCode(code)); !reflect.DeepEqual(*again, *first) {
			t.Error("another pair of tokens")
		}
	}
}

func TestIssueCodeNeedsAUserAndAClient(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct {
		rule   string
		change func(*auth.Grant)
	}{
		{"customerId: missing", func(g *auth.Grant) { g.CustomerID = "" }},
		{"authClientId: missing", func(g *auth.Grant) { g.AuthClientID = "" }},
		{"customerId: too long", func(g *auth.Grant) { g.CustomerID = strings.Repeat("c", 65) }},
		{"referenceAgreementId: too long", func(g *auth.Grant) { g.ReferenceAgreementID = strings.Repeat("a", 65) }},
		{"authClientId: too long", func(g *auth.Grant) { g.AuthClientID = strings.Repeat("m", 65) }},
		{"scopes: an empty one", func(g *auth.Grant) { g.Scopes = []string{""} }},
	} {
		g := login
		c.change(&g)
		var invalid *alipayplus.ValidationError
		field, _, _ := strings.Cut(c.rule, ":")
		if _, err := w.service.IssueCode(t.Context(), g, nil); !errors.As(err, &invalid) || paths(invalid) != field {
			t.Errorf("%s: %v", c.rule, err)
		}
	}
	cfg := w.config
	cfg.RoutingNumber = ""
	w.service = newService(t, cfg)
	if _, err := w.service.IssueCode(t.Context(), login, nil); err == nil {
		t.Error("a code without a routing number")
	}
	w.refused(applyCode(alipayplus.Conceal("28166613"+strings.Repeat("0", 24))), "INVALID_CODE")
}
