package alipayplus_test

import (
	"bytes"
	"context"
	"crypto/rsa"
	"fmt"
	"io"
	"net/http"
	"net/http/httputil"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/alipayplustest"
	"github.com/alipayplus-mpp/alipayplus-go/internal/testkit"
)

const (
	inRefused401 = `{"result":{"resultCode":"INVALID_SIGNATURE","resultStatus":"F"}}`
	inRefused404 = `{"result":{"resultCode":"NO_INTERFACE_DEF","resultStatus":"F"}}`
	inRefused405 = `{"result":{"resultCode":"METHOD_NOT_SUPPORTED","resultStatus":"F"}}`
	inRefused413 = `{"result":{"resultCode":"PARAM_ILLEGAL","resultStatus":"F"}}`
	inRefused415 = `{"result":{"resultCode":"MEDIA_TYPE_NOT_ACCEPTABLE","resultStatus":"F"}}`
)

// What does not verify gets an unsigned constant, and no function runs. The log
// says which rule broke.
func TestHandlerRefusals(t *testing.T) {
	set := func(name string, values ...string) func(*http.Request) {
		return func(r *http.Request) { r.Header[name] = values }
	}
	signature := func(change func(string) string) func(*http.Request) {
		return func(r *http.Request) { r.Header["Signature"] = []string{change(r.Header.Get("Signature"))} }
	}
	replace := func(old, with string) func(*http.Request) {
		return signature(func(s string) string { return strings.Replace(s, old, with, 1) })
	}
	method := func(m string) func(*http.Request) { return func(r *http.Request) { r.Method = m } }
	cases := 0
	for _, c := range []struct {
		rule   string
		spoil  func(*http.Request)
		status int
		body   string
		logged string
	}{
		{"another path", func(r *http.Request) { r.URL.Path, r.RequestURI = "/wallet/other", "/wallet/other" }, 404, inRefused404, ""},
		{"a path with a slash too many", func(r *http.Request) { r.URL.Path, r.RequestURI = "/wallet//move", "/wallet//move" }, 404, inRefused404, ""},
		{"GET", method("GET"), 405, inRefused405, "the method is not POST"},
		{"PUT", method("PUT"), 405, inRefused405, "the method is not POST"},
		{"HEAD", method("HEAD"), 405, inRefused405, "the method is not POST"},
		{"post in lower case", method("post"), 405, inRefused405, "the method is not POST"},
		{"HTML", set("Content-Type", "text/html"), 415, inRefused415, "not plain JSON"},
		{"a form", set("Content-Type", "application/x-www-form-urlencoded"), 415, inRefused415, "not plain JSON"},
		{"a media type that only begins like JSON", set("Content-Type", "application/json5"), 415, inRefused415, "not plain JSON"},
		{"gzip", set("Content-Encoding", "gzip"), 415, inRefused415, "not plain JSON"},
		{"announced as over 1 MiB", func(r *http.Request) { r.ContentLength = 1<<20 + 1 }, 413, inRefused413, "larger than 1 MiB"},
		{"over 1 MiB without announcing it", func(r *http.Request) {
			r.ContentLength, r.Body = -1, io.NopCloser(io.LimitReader(inEndless{}, 1<<20+1))
		}, 413, inRefused413, "larger than 1 MiB"},
		{"without an end", func(r *http.Request) { r.ContentLength, r.Body = -1, io.NopCloser(inEndless{}) }, 413, inRefused413, "larger than 1 MiB"},
		{"a body that breaks off", func(r *http.Request) {
			r.Body = io.NopCloser(io.MultiReader(strings.NewReader(`{"id":`), inBroken{}))
		}, 401, inRefused401, "could not be read"},

		{"no Client-Id", func(r *http.Request) { r.Header.Del("Client-Id") }, 401, inRefused401, "once"},
		{"no Request-Time", func(r *http.Request) { r.Header.Del("Request-Time") }, 401, inRefused401, "once"},
		{"no Signature", func(r *http.Request) { r.Header.Del("Signature") }, 401, inRefused401, "once"},
		{"two Client-Ids", set("Client-Id", inClientID, inClientID), 401, inRefused401, "once"},
		{"two Request-Times", set("Request-Time", stamp(time.Now()), stamp(time.Now())), 401, inRefused401, "once"},
		{"two Signatures", func(r *http.Request) { r.Header.Add("Signature", r.Header.Get("Signature")) }, 401, inRefused401, "once"},
		{"Response-Time instead of Request-Time", func(r *http.Request) {
			r.Header["Response-Time"] = r.Header["Request-Time"]
			r.Header.Del("Request-Time")
		}, 401, inRefused401, "once"},
		{"an empty Client-Id", set("Client-Id", ""), 401, inRefused401, "Client-Id"},
		{"a Client-Id with a dot", set("Client-Id", inClientID+".2025"), 401, inRefused401, "Client-Id"},
		{"a Client-Id that is too long", set("Client-Id", strings.Repeat("A", 65)), 401, inRefused401, "Client-Id"},
		{"somebody else's Client-Id", set("Client-Id", "OTHER"), 401, inRefused401, "not one of ours"},
		{"a Client-Id in lower case", set("Client-Id", strings.ToLower(inClientID)), 401, inRefused401, "not one of ours"},
		{"a time with a letter", set("Request-Time", "2025-02-20T08:51:49.x90Z"), 401, inRefused401, "the time is not"},
		{"a time that is too long", set("Request-Time", strings.Repeat("1", 41)), 401, inRefused401, "the time is not"},
		{"a time with a space", set("Request-Time", "2025-02-20 08:51:49Z"), 401, inRefused401, "the time is not"},
		{"another time than the signed one", set("Request-Time", "2025-02-20T08:51:49.090Z"), 401, inRefused401, "not made over this content"},
		{"an empty Signature", set("Signature", ""), 401, inRefused401, "missing or empty"},
		{"a Signature that is too long", replace("algorithm", strings.Repeat(" ", 2048)+"algorithm"), 401, inRefused401, "longer than 2048"},
		{"the bare value", signature(func(s string) string { return s[strings.LastIndex(s, "=")+1:] }), 401, inRefused401, "has no ="},
		{"no value", replace("signature=", "x="), 401, inRefused401, "unknown item"},
		{"algorithm none", replace("RSA256", "none"), 401, inRefused401, "algorithm is not RSA256"},
		{"algorithm HMAC", replace("RSA256", "HS256"), 401, inRefused401, "algorithm is not RSA256"},
		{"a second algorithm", replace("algorithm=RSA256", "algorithm=RSA256,Algorithm=RSA256"), 401, inRefused401, "second algorithm"},
		{"a second signature", signature(func(s string) string { return s + ",signature=AAAA" }), 401, inRefused401, "second signature"},
		{"a second key version", replace("keyVersion=1", "keyVersion=1,keyVersion=1"), 401, inRefused401, "second keyVersion"},
		{"a key version with a letter", replace("keyVersion=1", "keyVersion=1a"), 401, inRefused401, "not 1 to 9 digits"},
		{"half a signature", signature(func(s string) string { return s[:len(s)-60] }), 401, inRefused401, ""},
		{"another body", func(r *http.Request) {
			r.Body = io.NopCloser(strings.NewReader(strings.Replace(inValid, "100", "900", 1)))
		}, 401, inRefused401, "not made over this content"},
		{"another API's path", func(r *http.Request) { r.URL.Path, r.RequestURI = inAskPath, inAskPath }, 401, inRefused401, "not made over this content"},
		{"a query that was not signed", func(r *http.Request) { r.RequestURI += "?a=b" }, 401, inRefused401, "not made over this content"},
		{"a path in another spelling", func(r *http.Request) { r.RequestURI = "/wallet/%6dove" }, 401, inRefused401, "not made over this content"},
		{"a target with a fragment", func(r *http.Request) { r.RequestURI += "?a#b" }, 401, inRefused401, "the target is no raw path"},
	} {
		cases++
		log := &inLog{}
		cfg := inConfig()
		cfg.Logger = log.logger()
		var observed alipayplus.Result
		cfg.Hooks.Finish = func(_ context.Context, _ string, _ time.Duration, r alipayplus.Result, _ error) { observed = r }
		ran := false
		fn := func(context.Context, *inRequest) (*inResponse, error) { ran = true; return &inResponse{}, nil }
		h := testkit.Must(alipayplus.NewHandler(cfg, inMove.Handle(inMovePath, fn), inAsk.Handle(inAskPath, fn)))
		r := inArrive(inMovePath, inValid).request()
		c.spoil(r)
		w := inServe(h, r)
		if w.Code != c.status || w.Body.String() != c.body {
			t.Errorf("%s: HTTP %d %s, want %d %s", c.rule, w.Code, w.Body, c.status, c.body)
		}
		if answered, err := inResultIn([]byte(c.body)); c.status != 404 && (err != nil || observed != answered) { // without an operation there is nothing to observe
			t.Errorf("%s: the hook sees %v, the answer is %v, %v", c.rule, observed, answered, err)
		}
		if w.Header().Get("Signature") != "" || w.Header().Get("Response-Time") != "" || w.Header().Get("Client-Id") != "" {
			t.Errorf("%s: the refusal is signed", c.rule)
		}
		if (w.Header().Get("Allow") == "POST") != (c.status == 405) {
			t.Errorf("%s: Allow is %q", c.rule, w.Header().Get("Allow"))
		}
		if ran {
			t.Errorf("%s: the function ran", c.rule)
		}
		if !strings.Contains(log.String(), c.logged) {
			t.Errorf("%s: the log does not say %q:\n%s", c.rule, c.logged, log)
		}
	}
	t.Logf("%d requests, each refused", cases)
}

type inEndless struct{}

func (inEndless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}

type inBroken struct{}

func (inBroken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// Reads are refused for their age, with U; what changes something never is.
func TestFreshness(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, c := range []struct {
			rule    string
			maxSkew time.Duration
			age     time.Duration
			path    string
			want    alipayplus.ResultStatus
			logged  bool
		}{
			{"a read at the limit", 0, 15 * time.Minute, inAskPath, "S", false},
			{"a read over the limit", 0, 15*time.Minute + time.Millisecond, inAskPath, "U", true},
			{"a read from the future, at the limit", 0, -15 * time.Minute, inAskPath, "S", false},
			{"a read from the future", 0, -15*time.Minute - time.Millisecond, inAskPath, "U", true},
			{"a read over a limit of its own", time.Second, 2 * time.Second, inAskPath, "U", true},
			{"a read that is old, report only", -1, 24 * time.Hour, inAskPath, "S", true},
			{"a write that is old", 0, 365 * 24 * time.Hour, inMovePath, "S", true},
			{"a write from the future", 0, -24 * time.Hour, inMovePath, "S", true},
		} {
			log, skew := &inLog{}, time.Duration(0)
			cfg := inConfig()
			cfg.MaxSkew, cfg.Logger = c.maxSkew, log.logger()
			cfg.Hooks.Attempt = func(_ context.Context, a alipayplus.Attempt) { skew = a.Skew }
			h := testkit.Must(alipayplus.NewHandler(cfg, inMove.Handle(inMovePath, inDone), inAsk.Handle(inAskPath, inDone)))
			a := inArrive(c.path, inValid)
			a.time = time.Now().Add(-c.age).UTC().Format("2006-01-02T15:04:05.000Z")
			result, err := inResult(inServe(h, a.request()), c.path)
			if err != nil || result.Status != c.want {
				t.Errorf("%s: %v %v, want %s", c.rule, result, err, c.want)
			}
			if logged := strings.Contains(log.String(), "Request-Time is far from now"); logged != c.logged {
				t.Errorf("%s: logged %t, want %t", c.rule, logged, c.logged)
			}
			if skew != c.age {
				t.Errorf("%s: the hook sees an age of %v, want %v", c.rule, skew, c.age)
			}
		}
		// Every form that was seen is a time; what matches the grammar only is
		// reported.
		time.Sleep(25 * 365 * 24 * time.Hour) // to a year whose milliseconds have 13 digits
		now := time.Now()
		for form, known := range map[string]bool{
			now.UTC().Format("2006-01-02T15:04:05Z"):                              true,
			now.In(time.FixedZone("", 8*3600)).Format(time.RFC3339):               true,
			now.In(time.FixedZone("", 8*3600)).Format("2006-01-02T15:04:05-0700"): true,
			fmt.Sprint(now.UnixMilli()):                                           true,
			"20250220085149":                                                      false,
			"T":                                                                   false,
		} {
			log := &inLog{}
			cfg := inConfig()
			cfg.Logger = log.logger()
			h := testkit.Must(alipayplus.NewHandler(cfg, inAsk.Handle(inAskPath, inDone)))
			a := inArrive(inAskPath, inValid)
			a.time = form
			if result, err := inResult(inServe(h, a.request()), inAskPath); err != nil || result.Status != "S" {
				t.Errorf("Request-Time %q: %v %v", form, result, err)
			}
			if strings.Contains(log.String(), "no known form") == known {
				t.Errorf("Request-Time %q: the log is %q", form, log)
			}
		}
	})
}

// The key version is a hint, unless the ring is strict.
func TestKeyVersions(t *testing.T) {
	keys := testkit.Keys()
	public := map[string]*rsa.PublicKey{"1": &keys.Alipay.PublicKey, "2": &keys.Next.PublicKey}
	for _, c := range []struct {
		rule             string
		signer           alipayplus.Signer
		cut              string
		lenient, strict  int
		strayIsMentioned bool
	}{
		{rule: "the right key", signer: signerOf("1", keys.Alipay), lenient: 200, strict: 200},
		{rule: "the other right key", signer: signerOf("2", keys.Next), lenient: 200, strict: 200},
		{rule: "a key under the other's version", signer: signerOf("2", keys.Alipay), lenient: 200, strict: 401, strayIsMentioned: true},
		{rule: "an unknown version", signer: signerOf("0", keys.Alipay), lenient: 200, strict: 401, strayIsMentioned: true},
		{rule: "the version written otherwise", signer: signerOf("01", keys.Alipay), lenient: 200, strict: 401, strayIsMentioned: true},
		{rule: "no version", signer: signerOf("1", keys.Alipay), cut: "keyVersion=1,", lenient: 200, strict: 401, strayIsMentioned: true},
		{rule: "no algorithm", signer: signerOf("1", keys.Alipay), cut: "algorithm=RSA256,", lenient: 200, strict: 200},
		{rule: "an unknown key", signer: signerOf("1", keys.Wallet), lenient: 401, strict: 401},
	} {
		for _, strict := range []bool{false, true} {
			log := &inLog{}
			cfg := inConfig()
			cfg.Logger = log.logger()
			want := c.lenient
			cfg.Keys = testkit.Must(alipayplus.NewKeyRing(public))
			if strict {
				want = c.strict
				cfg.Keys = testkit.Must(alipayplus.NewStrictKeyRing(public))
			}
			h := testkit.Must(alipayplus.NewHandler(cfg, inMove.Handle(inMovePath, inDone)))
			a := inArrive(inMovePath, inValid)
			a.signer = c.signer
			r := a.request()
			r.Header.Set("Signature", strings.Replace(r.Header.Get("Signature"), c.cut, "", 1))
			if w := inServe(h, r); w.Code != want {
				t.Errorf("%s, strict %t: HTTP %d, want %d", c.rule, strict, w.Code, want)
			}
			if strict && c.rule == "no version" && !strings.Contains(log.String(), "the key version is not configured") {
				t.Errorf("%s, strict: the log does not name the rule:\n%s", c.rule, log)
			}
			if stray := strings.Contains(log.String(), "key version of a request"); !strict && stray != c.strayIsMentioned {
				t.Errorf("%s: the log mentions the version: %t", c.rule, stray)
			}
		}
	}
}

// inProxied serves h after a proxy that changes requests, without a socket.
func inProxied(h http.Handler, rewrite func(*httputil.ProxyRequest)) http.Handler {
	return &httputil.ReverseProxy{Rewrite: rewrite, Transport: inTransport{h}}
}

type inTransport struct{ h http.Handler }

func (tr inTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	arrived := r.Clone(r.Context())
	arrived.RequestURI = r.URL.RequestURI()
	return inServe(tr.h, arrived).Result(), nil
}

// What Alipay+ signed is what it sent, wherever that arrives.
func TestTargets(t *testing.T) {
	direct := func(h http.Handler) http.Handler { return h }
	stripped := func(h http.Handler) http.Handler {
		return inProxied(h, func(r *httputil.ProxyRequest) { r.Out.URL.Path = strings.TrimPrefix(r.In.URL.Path, "/gw") })
	}
	rewritten := func(h http.Handler) http.Handler {
		return inProxied(h, func(r *httputil.ProxyRequest) { r.Out.URL.Path, r.Out.URL.RawQuery = inMovePath, "" })
	}
	plain := inMove.Handle(inMovePath, inDone)
	for _, c := range []struct {
		rule   string
		sent   string // and signed
		route  alipayplus.Route
		behind func(http.Handler) http.Handler
		want   int
	}{
		{"directly", inMovePath, plain, direct, 200},
		{"with a query", inMovePath + "?a=b&a=c&%20=+", plain, direct, 200},
		{"with an empty query", inMovePath + "?", plain, direct, 200},
		{"with a path in another spelling", "/wallet/%6dove", plain, direct, 200},
		{"with a slash that is encoded", "/wallet%2Fmove", plain, direct, 200},
		{"behind http.StripPrefix", "/gw" + inMovePath, plain, func(h http.Handler) http.Handler { return http.StripPrefix("/gw", h) }, 200},
		{"behind http.ServeMux", inMovePath, plain, func(h http.Handler) http.Handler {
			mux := http.NewServeMux()
			mux.Handle("POST /wallet/{api}", h)
			return mux
		}, 200},
		{"behind a proxy that strips a prefix", "/gw" + inMovePath, plain.WithTargetPrefix("/gw"), stripped, 200},
		{"behind it, with a query", "/gw" + inMovePath + "?x=%2f", plain.WithTargetPrefix("/gw"), stripped, 200},
		{"behind it, without saying so", "/gw" + inMovePath, plain, stripped, 401},
		{"a prefix, and no proxy that strips it", inMovePath, plain.WithTargetPrefix("/gw"), direct, 401},
		{"behind a proxy that rewrites", "/api/v2/money?do=move", plain.WithTarget("/api/v2/money?do=move"), rewritten, 200},
		{"behind it, another query than the registered one", "/api/v2/money?do=more", plain.WithTarget("/api/v2/money?do=move"), rewritten, 401},
		{"the last of both wins", "/y", plain.WithTargetPrefix("/x").WithTarget("/y"), rewritten, 200},
		{"the last of both wins, the other way round", "/gw" + inMovePath, plain.WithTarget("/y").WithTargetPrefix("/gw"), stripped, 200},
	} {
		h := testkit.Must(alipayplus.NewHandler(inConfig(), c.route))
		w := inServe(c.behind(h), inArrive(c.sent, inValid).request())
		if w.Code != c.want {
			t.Errorf("%s: HTTP %d %s, want %d", c.rule, w.Code, w.Body, c.want)
		}
		if _, err := inVerified(w, c.sent); c.want == 200 && err != nil {
			t.Errorf("%s: the answer does not verify over what was sent: %v", c.rule, err)
		}
	}
}

// Nothing that the wallet or Alipay+ signed for something else is a request.
func TestReflection(t *testing.T) {
	g := alipayplustest.New(t)
	const path = "/api/v1/reflected" // even where the paths are equal
	out := alipayplus.NewOutbound(alipayplus.Spec[inRequest, inResponse]{Name: "reflected", Path: path, ReadOnly: true})
	alipayplustest.Answer(g, out, inDone)
	cfg := g.Config()
	wire := &inCapture{next: g}
	cfg.Transport = wire
	if _, err := out.Call(t.Context(), testkit.Must(alipayplus.NewClient(cfg)), &inRequest{ID: "M1"}); err != nil {
		t.Fatal(err)
	}
	ran := false
	h := testkit.Must(alipayplus.NewHandler(alipayplus.HandlerConfig{Credentials: g.Credentials()},
		inAsk.Handle(path, func(context.Context, *inRequest) (*inResponse, error) { ran = true; return &inResponse{}, nil })))

	own := inAgain(&http.Request{Method: http.MethodPost, RequestURI: path, Header: wire.request}, wire.requestBody)
	if w := inServe(h, own); w.Code != http.StatusUnauthorized || w.Body.String() != inRefused401 {
		t.Errorf("our own request: HTTP %d %s", w.Code, w.Body)
	}
	answer := inAgain(&http.Request{Method: http.MethodPost, RequestURI: path, Header: wire.response}, wire.responseBody)
	if w := inServe(h, answer); w.Code != http.StatusUnauthorized {
		t.Errorf("Alipay+'s answer: HTTP %d %s", w.Code, w.Body)
	}
	// Only the paths keep an answer of Alipay+ apart from a request: a handler at
	// a path of its own refuses it even with its time renamed.
	answer.Header["Request-Time"] = answer.Header["Response-Time"]
	other := testkit.Must(alipayplus.NewHandler(alipayplus.HandlerConfig{Credentials: g.Credentials()},
		inAsk.Handle(inAskPath, func(context.Context, *inRequest) (*inResponse, error) { ran = true; return &inResponse{}, nil })))
	answer = inAgain(&http.Request{Method: http.MethodPost, RequestURI: inAskPath, Header: answer.Header}, wire.responseBody)
	if w := inServe(other, answer); w.Code != http.StatusUnauthorized {
		t.Errorf("Alipay+'s answer at the wallet's own path: HTTP %d %s", w.Code, w.Body)
	}
	if ran {
		t.Error("the function ran")
	}
}

type inCapture struct {
	next                      http.RoundTripper
	request, response         http.Header
	requestBody, responseBody []byte
}

func (c *inCapture) RoundTrip(r *http.Request) (*http.Response, error) {
	c.request = r.Header.Clone()
	c.requestBody = testkit.Must(io.ReadAll(r.Body))
	r.Body = io.NopCloser(bytes.NewReader(c.requestBody))
	response, err := c.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	c.response = response.Header.Clone()
	c.responseBody = testkit.Must(io.ReadAll(response.Body))
	response.Body = io.NopCloser(bytes.NewReader(c.responseBody))
	return response, nil
}
