package alipayplus_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/internal/testkit"
)

// fixedAnswer is a gateway that always gives one answer, and can change it.
type fixedAnswer struct {
	status int
	header http.Header
	body   string
}

func (f *fixedAnswer) RoundTrip(*http.Request) (*http.Response, error) {
	return response(f.status, f.header, f.body), nil
}

func noRetry(cfg *alipayplus.ClientConfig) { cfg.Retry = alipayplus.NoRetry }

// Every bit of what an answer consists of counts, as it does for requests.
func TestCallRefusesEveryFlippedBit(t *testing.T) {
	for i, x := range exchanges {
		stride := 13
		if i == 0 || long {
			stride = 1
		}
		t.Run(x.api, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				at := stamp(time.Now())
				gateway := &fixedAnswer{200, signedHeader(x.target, at, bodyS), bodyS}
				c := newClient(t, gateway, noRetry)
				deliver := func() error {
					return c.Deliver(t.Context(), alipayplus.Message{Operation: x.api, Key: "1", Path: x.target, Body: alipayplus.Conceal(x.body)})
				}
				if err := deliver(); err != nil {
					t.Fatalf("control: unchanged, it must be accepted: %v", err)
				}
				refuse := func(what string) {
					if err := deliver(); alipayplus.OutcomeOf(err) != alipayplus.OutcomeUnknown || !errors.Is(err, alipayplus.ErrSignature) {
						t.Errorf("%s with a flipped bit: %v", what, err)
					}
				}
				n := flips([]byte(clientID), stride, func(b []byte) {
					gateway.header.Set("Client-Id", string(b))
					refuse("client id")
				})
				gateway.header.Set("Client-Id", clientID)
				n += flips([]byte(at), stride, func(b []byte) {
					gateway.header.Set("Response-Time", string(b))
					refuse("time")
				})
				gateway.header.Set("Response-Time", at)
				n += flips([]byte(bodyS), stride, func(b []byte) {
					gateway.body = string(b)
					refuse("body")
				})
				gateway.body = bodyS
				header := gateway.header.Get("Signature")
				n += flips(signatureIn(t, header), stride, func(b []byte) {
					gateway.header.Set("Signature", headerOf(b))
					refuse("signature")
				})
				// The target is not in the answer: it is that of the request.
				n += flips([]byte(x.target), stride, func(b []byte) {
					target := string(b)
					if strings.ContainsAny(target, "\x00\n\r #") || target[0] != '/' {
						return // an answer can be signed for it, a request cannot be made
					}
					gateway.header = signedHeader(target, at, bodyS)
					refuse("target")
				})
				if err := func() error { gateway.header.Set("Signature", header); return deliver() }(); err != nil {
					t.Errorf("control: restored, it must be accepted: %v", err)
				}
				t.Logf("%d flips, none accepted", n)
			})
		})
	}
}

func TestCallFlippedHeaderText(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gateway := &fixedAnswer{200, signedHeader(decodePath, stamp(time.Now()), bodyS), bodyS}
		c := newClient(t, gateway, noRetry)
		header := gateway.header.Get("Signature")
		want := signatureIn(t, header)
		flips([]byte(header), size(1, 3, 1), func(b []byte) {
			gateway.header.Set("Signature", string(b))
			if _, err := decodeOrder.Call(t.Context(), c, &order{ID: "1"}); err != nil {
				return
			}
			if got, err := lenientSignature(string(b)); err != nil || !bytes.Equal(got, want) {
				t.Errorf("accepted with another signature: %q", b)
			}
		})
	})
}

// A client is as strict about the header of an answer as Content.Verify.
func TestCallHeaderForms(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		at := stamp(time.Now())
		var body string
		var signature []byte
		for i := 0; ; i++ {
			body = fmt.Sprintf(`{"result":{"resultCode":"SUCCESS","resultStatus":"S"},"n":"%d"}`, i)
			signature = rawSignature(testkit.Keys().Alipay, "POST "+decodePath+"\n"+clientID+"."+at+"."+body)
			if text := headerOf(signature); strings.Count(text, "%2B") > 1 && strings.Contains(text, "%2F") {
				break
			}
		}
		gateway := &fixedAnswer{200, signedHeader(decodePath, at, body), body}
		c := newClient(t, gateway, noRetry)
		for _, form := range headerForms {
			gateway.header.Set("Signature", fill(t, form.form, signature))
			answer, err := decodeOrder.Call(t.Context(), c, &order{ID: "1"})
			switch {
			case form.rule == "" && err != nil:
				t.Errorf("%s: %v", form.name, err)
			case form.rule != "" && (answer != nil || !errors.Is(err, alipayplus.ErrSignature) || !strings.Contains(err.Error(), form.rule)):
				t.Errorf("%s: got %v, want the rule %q", form.name, err, form.rule)
			}
		}
		// What Content cannot see: how often each header is there.
		for _, test := range []struct {
			name   string
			change func(http.Header)
		}{
			{"two Signature headers", func(h http.Header) { h.Add("Signature", h.Get("Signature")) }},
			{"two Response-Time headers", func(h http.Header) { h.Add("Response-Time", h.Get("Response-Time")) }},
			{"two Client-Id headers", func(h http.Header) { h.Add("Client-Id", h.Get("Client-Id")) }},
			{"no Client-Id", func(h http.Header) { h.Del("Client-Id") }},
			{"another Client-Id, signed", func(h http.Header) {
				h.Set("Client-Id", "OTHER")
				h.Set("Signature", signByHand(testkit.Keys().Alipay, "POST", decodePath, "OTHER", at, body))
			}},
			{"the right Client-Id in another case, signed", func(h http.Header) {
				h.Set("Client-Id", strings.ToLower(clientID))
				h.Set("Signature", signByHand(testkit.Keys().Alipay, "POST", decodePath, strings.ToLower(clientID), at, body))
			}},
			// The signature covers the configured one, so that it would verify.
			{"another Client-Id", func(h http.Header) { h.Set("Client-Id", "OTHER") }},
			{"the right Client-Id in another case", func(h http.Header) { h.Set("Client-Id", strings.ToLower(clientID)) }},
			{"no Response-Time", func(h http.Header) { h.Del("Response-Time") }},
			{"empty Response-Time", func(h http.Header) { h.Set("Response-Time", "") }},
			{"no Signature", func(h http.Header) { h.Del("Signature") }},
			{"empty Signature", func(h http.Header) { h.Set("Signature", "") }},
			{"Request-Time instead", func(h http.Header) {
				h.Set("Request-Time", h.Get("Response-Time"))
				h.Del("Response-Time")
			}},
			{"signed over another method", func(h http.Header) {
				h.Set("Signature", signByHand(testkit.Keys().Alipay, "GET", decodePath, clientID, at, body))
			}},
			{"signed over the path of another API", func(h http.Header) {
				h.Set("Signature", signByHand(testkit.Keys().Alipay, "POST", "/aps/api/v1/payments/read", clientID, at, body))
			}},
			{"signed over the request's body", func(h http.Header) {
				h.Set("Signature", signByHand(testkit.Keys().Alipay, "POST", decodePath, clientID, at, `{"id":"1"}`))
			}},
			{"signed with the wallet's own key", func(h http.Header) {
				h.Set("Signature", signByHand(testkit.Keys().Wallet, "POST", decodePath, clientID, at, body))
			}},
		} {
			gateway.header = signedHeader(decodePath, at, body)
			test.change(gateway.header)
			answer, err := decodeOrder.Call(t.Context(), c, &order{ID: "1"})
			if answer != nil || !errors.Is(err, alipayplus.ErrSignature) || alipayplus.OutcomeOf(err) != alipayplus.OutcomeUnknown {
				t.Errorf("%s: %v, %v", test.name, answer, err)
			}
		}
		gateway.header = signedHeader(decodePath, at, body)
		if _, err := decodeOrder.Call(t.Context(), c, &order{ID: "1"}); err != nil {
			t.Errorf("control: %v", err)
		}
	})
}

// The wallet's own request, sent back to it, is no answer: the other headers
// are there, but the key is its own.
func TestReflectedRequestIsNoAnswer(t *testing.T) {
	c := newClient(t, transport(func(r *http.Request) (*http.Response, error) {
		header := http.Header{
			"Client-Id": r.Header["Client-Id"], "Response-Time": r.Header["Request-Time"], "Signature": r.Header["Signature"],
		}
		body := `{"result":{"resultCode":"SUCCESS","resultStatus":"S"}}`
		return response(200, header, body), nil
	}), noRetry, func(cfg *alipayplus.ClientConfig) { cfg.Signer = walletSigner() })
	err := c.Deliver(t.Context(), alipayplus.Message{
		Operation: "x", Key: "1", Path: "/a", Body: alipayplus.Conceal(`{"result":{"resultCode":"SUCCESS","resultStatus":"S"}}`),
	})
	if !errors.Is(err, alipayplus.ErrSignature) {
		t.Errorf("a reflected request counts as an answer: %v", err)
	}
}

// Answers of the wrong age are unknown, in both directions; a negative MaxSkew
// only reports, and a time of no known form is never refused.
func TestAnswerFreshness(t *testing.T) {
	const quarter, warned = 15 * time.Minute, "stale answer"
	for _, test := range []struct {
		name    string
		at      func(now time.Time) string
		maxSkew time.Duration
		stale   bool
		logged  string
	}{
		{"now", stamp, 0, false, ""},
		{"15 minutes ago", func(now time.Time) string { return stamp(now.Add(-quarter)) }, 0, false, ""},
		{"a little more", func(now time.Time) string { return stamp(now.Add(-quarter - time.Millisecond)) }, 0, true, warned},
		{"15 minutes ahead", func(now time.Time) string { return stamp(now.Add(quarter)) }, 0, false, ""},
		{"a little further ahead", func(now time.Time) string { return stamp(now.Add(quarter + time.Millisecond)) }, 0, true, warned},
		{"in an offset", func(now time.Time) string {
			return now.In(time.FixedZone("", 8*3600)).Format("2006-01-02T15:04:05-07:00")
		}, 0, false, ""},
		{"in an offset without colon, stale", func(now time.Time) string {
			return now.Add(-time.Hour).In(time.FixedZone("", 8*3600)).Format("2006-01-02T15:04:05-0700")
		}, 0, true, warned},
		{"own limit", func(now time.Time) string { return stamp(now.Add(-2 * time.Second)) }, time.Second, true, warned},
		{"epoch milliseconds", func(now time.Time) string { return fmt.Sprint(now.UnixMilli()) }, 0, false, ""},
		{"stale, reported only", func(now time.Time) string { return stamp(now.Add(-24 * time.Hour)) }, -1, false, warned},
		{"no known form", func(time.Time) string { return "20250220T0851" }, 0, false, "no known form"},
	} {
		synctest.Test(t, func(t *testing.T) {
			time.Sleep(2 * 365 * 24 * time.Hour) // a bubble begins in 2000, when milliseconds had 12 digits
			at, log := test.at(time.Now()), &journal{}
			var skew time.Duration
			gateway := &fixedAnswer{200, signedHeader(decodePath, at, bodyS), bodyS}
			c := newClient(t, gateway, noRetry, func(cfg *alipayplus.ClientConfig) {
				cfg.MaxSkew, cfg.Logger = test.maxSkew, slog.New(log)
				cfg.Hooks.Attempt = func(_ context.Context, a alipayplus.Attempt) { skew = a.Skew }
			})
			answer, err := decodeOrder.Call(t.Context(), c, &order{ID: "1"})
			if stale := errors.Is(err, alipayplus.ErrStale); stale != test.stale || (answer != nil) == stale {
				t.Errorf("%s: %v", test.name, err)
			}
			if test.stale && (alipayplus.OutcomeOf(err) != alipayplus.OutcomeUnknown || skew == 0) {
				t.Errorf("%s: outcome %v, skew %v", test.name, alipayplus.OutcomeOf(err), skew)
			}
			if test.logged != "" && log.count(test.logged) != 1 {
				t.Errorf("%s: not logged", test.name)
			}
			if test.logged == "" && log.count("") != 0 {
				t.Errorf("%s: logged without need", test.name)
			}
		})
	}
}

// A key version that is not configured verifies, and is reported by its number.
func TestStrayKeyVersionIsReported(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := &journal{}
		gateway := &fixedAnswer{200, signedHeader(decodePath, stamp(time.Now()), bodyS), bodyS}
		gateway.header.Set("Signature", strings.Replace(gateway.header.Get("Signature"), "keyVersion=1", "keyVersion=7", 1))
		c := newClient(t, gateway, noRetry, func(cfg *alipayplus.ClientConfig) { cfg.Logger = slog.New(log) })
		if _, err := decodeOrder.Call(t.Context(), c, &order{ID: "1"}); err != nil {
			t.Error(err)
		}
		if log.count("key version") != 1 {
			t.Error("not reported")
		}
	})
}
