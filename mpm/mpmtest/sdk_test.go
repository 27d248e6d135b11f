package mpmtest_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/alipayplustest"
	"github.com/alipayplus-mpp/alipayplus-go/internal/testkit"
	"github.com/alipayplus-mpp/alipayplus-go/mpm"
	"github.com/alipayplus-mpp/alipayplus-go/mpm/mpmtest"
)

// complaints is a TB that keeps what is reported to it.
type complaints struct{ texts []string }

func (c *complaints) Helper()        {}
func (c *complaints) Cleanup(func()) {}
func (c *complaints) Errorf(format string, args ...any) {
	c.texts = append(c.texts, fmt.Sprintf(format, args...))
}

// newShop makes a merchant whose complaints are kept.
func newShop() (*mpmtest.Merchant, *complaints) {
	c := &complaints{}
	return mpmtest.NewMerchant(c, alipayplustest.New(c)), c
}

// The guide "Make a payment", figure 3: which logos the Scan page gets, and
// when the client SDK asks Alipay+ for them.
func TestAcceptanceMarkLogos(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shop, _ := newShop()
		shop.AcceptanceMarks = map[string][]string{"JP": {"A", "B"}, "SG": {"C"}}
		sdk := mpmtest.SDK{Merchant: shop, Region: "SG"}
		fetches := 0
		for _, c := range []struct {
			rule    string
			after   time.Duration
			change  func()
			region  string
			logos   []string
			fetched bool
		}{
			{"the first time it pulls the configuration", 0, nil, "JP", []string{"A", "B"}, true},
			{"no region: where the phone is", 0, nil, "", []string{"C"}, false},
			{"a region without Alipay+: an empty array", 0, nil, "AQ", []string{}, false},
			{"the phone is where there is no Alipay+", 0, func() { sdk.Region = "AQ" }, "", []string{}, false},
			{"24 hours are not more than 24 hours", 24 * time.Hour, func() { shop.AcceptanceMarks["JP"] = []string{"D"} }, "JP", []string{"A", "B"}, false},
			{"more than 24 hours", time.Second, nil, "JP", []string{"D"}, true},
			{"cached again", 23 * time.Hour, func() { shop.AcceptanceMarks["JP"] = nil }, "JP", []string{"D"}, false},
		} {
			time.Sleep(c.after)
			if c.change != nil {
				c.change()
			}
			logos := sdk.GetAcceptanceMarkLogos(c.region)
			if logos == nil || !slices.Equal(logos, c.logos) {
				t.Errorf("%s: %v, want %v", c.rule, logos, c.logos)
			}
			now := 0
			for _, line := range shop.Journal.Lines() {
				if line == "SDK -> Alipay+: fetchConfig" {
					now++
				}
			}
			if (now > fetches) != c.fetched {
				t.Errorf("%s: fetched %t", c.rule, now > fetches)
			}
			fetches = now
		}
	})
}

// What an app does wrong with the client SDK is noticed.
func TestSDKNotices(t *testing.T) {
	jpy := alipayplus.Amount{Currency: "JPY", Minor: 100}
	const entry, userAgent = "https://shop.example/entry/M0001", "AlipayConnect"
	for _, c := range []struct {
		rule    string
		run     func(context.Context, *mpmtest.Merchant, *mpmtest.SDK) error
		noticed string
	}{
		{"a payload that Alipay+ did not give", func(_ context.Context, _ *mpmtest.Merchant, s *mpmtest.SDK) error {
			s.HandleAction("p")
			return nil
		}, "byte for byte"},
		{"a payload that was parsed and made again", func(_ context.Context, m *mpmtest.Merchant, s *mpmtest.SDK) error {
			var v any
			if err := json.Unmarshal([]byte(m.ErrorPage("page").SDKActionPayload.Reveal()), &v); err != nil {
				return err
			}
			again, err := json.Marshal(v)
			s.HandleAction(string(again))
			return err
		}, "byte for byte"},
		{"a callback that never runs", func(ctx context.Context, _ *mpmtest.Merchant, s *mpmtest.SDK) error {
			s.Decode = func(context.Context, string, *mpmtest.Callback) {}
			return s.Launch(ctx, entry, userAgent, "")
		}, "did not run the callback"},
		{"a callback that runs twice", func(ctx context.Context, _ *mpmtest.Merchant, s *mpmtest.SDK) error {
			s.Decode = func(_ context.Context, _ string, c *mpmtest.Callback) { c.OnSuccess(""); c.OnFailure("CODE", "text") }
			return s.Launch(ctx, entry, userAgent, "")
		}, "ran twice"},
		{"a failure without a message", func(ctx context.Context, _ *mpmtest.Merchant, s *mpmtest.SDK) error {
			s.Decode = func(_ context.Context, _ string, c *mpmtest.Callback) { c.OnFailure("CODE", "") }
			return s.Launch(ctx, entry, userAgent, "")
		}, "without a code and a message"},
		{"another user agent", func(ctx context.Context, _ *mpmtest.Merchant, s *mpmtest.SDK) error {
			return s.Launch(ctx, entry, "Mozilla/5.0", "")
		}, "user agent"},
		{"another URL", func(ctx context.Context, _ *mpmtest.Merchant, s *mpmtest.SDK) error {
			return s.Launch(ctx, "https://evil.example/entry/M0001", userAgent, "")
		}, "no page"},
		{"no app behind it", func(ctx context.Context, _ *mpmtest.Merchant, s *mpmtest.SDK) error {
			return s.Launch(ctx, entry, userAgent, "")
		}, "SDK.Decode"},
		{"no amount", func(ctx context.Context, _ *mpmtest.Merchant, s *mpmtest.SDK) error {
			s.Amount = alipayplus.Amount{}
			return s.Launch(ctx, entry, userAgent, "")
		}, "SDK.Amount"},
		{"no getAuthCode", func(ctx context.Context, m *mpmtest.Merchant, s *mpmtest.SDK) error {
			m.AuthClientID = "AUTH_CLIENT_01"
			return s.Launch(ctx, entry, userAgent, "")
		}, "SDK.GetAuthCode"},
		{"an authorization code of over 32 characters", authorizing(`{"authCode":"28166613AbCdEf0123456789AbCdEf012","authSuccessScopes":["BASE_USER_INFO"]}`, nil), "281, routing number, 13"},
		{"an authorization code of another type", authorizing(`{"authCode":"28166604AbCdEf0123456789AbCdEf01","authSuccessScopes":["BASE_USER_INFO"]}`, nil), "281, routing number, 13"},
		{"no authorization code", authorizing(`{"authErrorScopes":["BASE_USER_INFO"]}`, nil), "281, routing number, 13"},
		{"a scope that is forgotten", authorizing(`{"authCode":"28166613AbCdEf0123456789AbCdEf01"}`, nil), "each scope"},
		{"applyToken fails", authorizing(`{"authCode":"28166613AbCdEf0123456789AbCdEf01","authSuccessScopes":["BASE_USER_INFO"]}`,
			func(context.Context, string) (string, error) { return "", alipayplus.CodeInvalidCode }), "applyToken: INVALID_CODE"},
		{"applyToken without customerId", authorizing(`{"authCode":"28166613AbCdEf0123456789AbCdEf01","authSuccessScopes":["BASE_USER_INFO"]}`,
			func(context.Context, string) (string, error) { return "", nil }), "without customerId"},
	} {
		t.Run(c.rule, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				shop, complaints := newShop()
				sdk := &mpmtest.SDK{Merchant: shop, Amount: jpy}
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				err := c.run(ctx, shop, sdk)
				noticed := fmt.Sprint(complaints.texts, err)
				if !strings.Contains(noticed, c.noticed) {
					t.Errorf("%q does not say %q", noticed, c.noticed)
				}
			})
		})
	}
}

func authorizing(answer string, applyToken func(context.Context, string) (string, error)) func(context.Context, *mpmtest.Merchant, *mpmtest.SDK) error {
	return func(ctx context.Context, m *mpmtest.Merchant, s *mpmtest.SDK) error {
		m.AuthClientID, m.ApplyToken = "AUTH_CLIENT_01", applyToken
		s.GetAuthCode = func(context.Context, string, []string) ([]byte, error) { return []byte(answer), nil }
		s.Decode = func(_ context.Context, _ string, c *mpmtest.Callback) { c.OnSuccess("") }
		return s.Launch(ctx, "https://shop.example/entry/M0001", "AlipayConnect", "")
	}
}

// answers is a backend that answers each path alike; nil is HTTP 404.
type answers map[string]string

func (a answers) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path := r.URL.Path
	if strings.HasPrefix(path, "/payments/") {
		path = "/payments/"
	}
	text, ok := a[path]
	if !ok {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	_, _ = io.WriteString(w, text)
}

const orderJSON = `{"step":"cashier","paymentRequestId":"P","merchantName":"M","paymentAmount":{"currency":"JPY","value":"1","display":"JPY 1"},` +
	`"payToAmount":{"currency":"JPY","value":"1","display":"JPY 1"},"debitAmount":{"currency":"JPY","value":"1","display":"JPY 1"}}`

// What a backend does wrong with its JSON is noticed.
func TestAppNotices(t *testing.T) {
	for _, c := range []struct{ rule, scan, confirm, payment, noticed string }{
		{"no JSON", `launch`, "", "", "does not understand"},
		{"a member that no app knows", `{"step":"local","more":1}`, "", "", "does not understand"},
		{"an unknown step", `{"step":"jump"}`, "", "", "jump"},
		{"pending without a time", `{"step":"pending","reason":"r"}`, "", "", "when to ask again"},
		{"a callback for a scanned code", `{"step":"sdkAction","sdkActionPayload":"p","call":"onSuccess"}`, "", "", "nobody waits"},
		{"a cashier page without what the user pays", strings.Replace(orderJSON, "debitAmount", "savings", 1), "", "", "debitAmount"},
		{"another answer to a confirmation", orderJSON, `{"step":"local"}`, "", "does not answer a confirmation"},
		{"an unknown state", orderJSON, `{"step":"resultPage","state":"done"}`, "", "done"},
		{"no way back", orderJSON, `{"step":"resultPage","state":"paid"}`, "", "where"},
		{"another answer about the payment", orderJSON, `{"step":"resultPage","paymentRequestId":"P","state":"processing"}`, `{"step":"local"}`, "no result page"},
	} {
		t.Run(c.rule, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				shop, complaints := newShop()
				app := mpmtest.NewApp(shop, answers{"/scan": c.scan, "/confirm": c.confirm, "/payments/": c.payment})
				_, err := app.ScanCode(t.Context(), "a code")
				if noticed := fmt.Sprint(complaints.texts, err); !strings.Contains(noticed, c.noticed) {
					t.Errorf("%q does not say %q", noticed, c.noticed)
				}
			})
		})
	}
	t.Run("an intercepted code whose callback stays open", func(t *testing.T) {
		shop, _ := newShop()
		app := mpmtest.NewApp(shop, answers{
			"/scan":   string(testkit.Must(mpm.Launch{RedirectURL: alipayplus.Conceal(shop.EntryCode()), UserAgent: "AlipayConnect"}.MarshalJSON())),
			"/decode": string(testkit.Must(mpm.Failed{Code: alipayplus.CodeExpiredCode, Message: mpm.UserMessageOf(alipayplus.CodeExpiredCode)}.MarshalJSON())), // no Origin
		})
		app.SDK.Amount = alipayplus.Amount{Currency: "JPY", Minor: 1}
		_, err := app.ScanCode(t.Context(), shop.EntryCode())
		if err == nil || !strings.Contains(err.Error(), "leaves the callback of decode open") {
			t.Error(err)
		}
	})
	t.Run("a backend that fails", func(t *testing.T) {
		shop, _ := newShop()
		if _, err := mpmtest.NewApp(shop, answers{}).ScanCode(t.Context(), "a code"); err == nil || !strings.Contains(err.Error(), "HTTP 404") {
			t.Error(err)
		}
	})
	t.Run("no backend", func(t *testing.T) {
		shop, _ := newShop()
		if _, err := mpmtest.NewApp(shop, nil).ScanCode(t.Context(), "a code"); err == nil || !strings.Contains(err.Error(), "App.Backend") {
			t.Error(err)
		}
	})
}
