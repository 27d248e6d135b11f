package alipayplustest_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/alipayplustest"
)

// Send verifies the answer as Alipay+ does: F and U are answers, what is not
// signed, or not strictly as the documents say, is none.
func TestSend(t *testing.T) {
	t.Parallel()
	g := alipayplustest.New(t)
	var result error
	h := newHandler(t, g, alipayplus.NewMemoryIdempotencyStore(100), func(context.Context, *request) (*response, error) {
		return &response{Ref: "R"}, result
	})
	send := func(h http.Handler, id string) (*response, error) {
		return alipayplustest.Send(t.Context(), g, h, "/wallet/move", move, &request{ID: id})
	}
	for want, err := range map[alipayplus.ResultStatus]error{"S": nil, "F": alipayplus.CodeRiskReject, "U": context.DeadlineExceeded} {
		result = err
		if answer, err := send(h, "M"+string(want)); err != nil || answer.Result.Status != want {
			t.Errorf("%s: %v %v", want, answer, err)
		}
	}
	result = nil
	server := httptest.NewServer(h)
	defer server.Close()
	if answer, err := send(alipayplustest.Remote(server.URL+"/", nil), "M1"); err != nil || answer.Ref != "R" {
		t.Errorf("over HTTP: %v %v", answer, err)
	}
	if _, err := send(alipayplustest.Remote("http://127.0.0.1:1", nil), "M1"); err == nil || !strings.Contains(err.Error(), "HTTP 502") {
		t.Errorf("a server that is not there: %v", err)
	}
	if answer, err := send(h, ""); err != nil || answer.Result.Code != alipayplus.CodeParamIllegal {
		t.Errorf("a request without its id is sent as it is: %v %v", answer, err)
	}

	change := func(f func(http.Header), from, to string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			answer := httptest.NewRecorder()
			h.ServeHTTP(answer, r)
			for name, values := range answer.Header() {
				w.Header()[name] = values
			}
			if f != nil {
				f(w.Header())
			}
			w.WriteHeader(answer.Code)
			_, _ = w.Write([]byte(strings.Replace(answer.Body.String(), from, to, 1)))
		})
	}
	for rule, c := range map[string]struct {
		h    http.Handler
		want string
	}{
		"no signature":         {change(func(h http.Header) { h.Del("Signature") }, "", ""), "not signed"},
		"no time":              {change(func(h http.Header) { h.Del("Response-Time") }, "", ""), "not signed"},
		"two signatures":       {change(func(h http.Header) { h.Add("Signature", h.Get("Signature")) }, "", ""), "not signed"},
		"another client id":    {change(func(h http.Header) { h.Set("Client-Id", "OTHER") }, "", ""), "another Client-Id"},
		"another body":         {change(nil, `"R"`, `"X"`), "does not verify"},
		"a path without route": {http.NotFoundHandler(), "HTTP 404"},
	} {
		if answer, err := send(c.h, "M1"); err == nil || !strings.Contains(err.Error(), c.want) || answer != nil {
			t.Errorf("%s: %v %v, want an error that says %q", rule, answer, err, c.want)
		}
	}

	// What the wallet signs must be as strict as the documents: a hand-made
	// handler that sends a number, or nothing, is found.
	for rule, body := range map[string]string{
		"a number":        `{"result":{"resultCode":"SUCCESS","resultStatus":"S"},"ref":1}`,
		"an empty text":   `{"result":{"resultCode":"SUCCESS","resultStatus":"S"},"ref":""}`,
		"no result":       `{"ref":"R"}`,
		"a small status":  `{"result":{"resultCode":"SUCCESS","resultStatus":"s"}}`,
		"no JSON":         `OK`,
		"a member twice":  `{"result":{"resultStatus":"S","resultStatus":"F"}}`,
		"nothing":         ``,
		"a list":          `[]`,
		"a half document": `{"result":`,
	} {
		byHand := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			c := g.Credentials()
			const at = "2025-02-20T08:51:49Z"
			digest := sha256.Sum256([]byte("POST " + r.RequestURI + "\n" + c.ClientID + "." + at + "." + body))
			_, signature, err := c.Signer.SignDigest(r.Context(), digest)
			if err != nil {
				t.Error(err)
			}
			w.Header().Set("Client-Id", c.ClientID)
			w.Header().Set("Response-Time", at)
			w.Header().Set("Signature", "signature="+url.QueryEscape(base64.StdEncoding.EncodeToString(signature)))
			_, _ = io.WriteString(w, body)
		})
		if answer, err := send(byHand, "M1"); err == nil {
			t.Errorf("%s: taken as %v", rule, answer)
		}
	}
}
