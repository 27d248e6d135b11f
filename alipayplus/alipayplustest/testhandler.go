package alipayplustest

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
)

// HandledOrder is the request of TestHandler: ID is its idempotency key, Payer
// must be the same in each repetition.
type HandledOrder struct {
	ID    string `json:"id,omitzero" wire:"required,max=64"`
	Payer string `json:"payer,omitzero" wire:"max=64"`
}

// HandledAnswer is the answer of TestHandler. Receipt is what the function of
// an API made; a repetition gets the same.
type HandledAnswer struct {
	Result  alipayplus.Result `json:"result" wire:"check"`
	Receipt string            `json:"receipt,omitzero" wire:"check"`
}

// HandledOrderPath is where the handler under test serves the API of
// TestHandler.
const HandledOrderPath = "/alipayplus/handledOrder"

// HandlerUnderTest makes a wallet's handler with these credentials, over a
// store that holds nothing. It serves one API, at HandledOrderPath, by run,
// whose error means what it means to Inbound.Handle: a nil error is S, a
// ResultCode is F, any other error is U.
type HandlerUnderTest func(t *testing.T, c alipayplus.Credentials, run func(context.Context, *HandledOrder) (*HandledAnswer, error)) http.Handler

// TestHandler tests what Alipay+ and a wallet's money ask of the server that
// answers Alipay+: which requests it runs, how often, and what it answers. It
// is for a server of your own, or one that wraps the SDK with routers, proxies
// and a store of its own. Each part names the rule that it checks, and runs in
// a bubble of testing/synctest.
func TestHandler(t *testing.T, open HandlerUnderTest) {
	t.Helper()
	for _, rule := range handlerRules {
		t.Run(rule.name, func(t *testing.T) {
			if err := checkHandler(t, rule, open); err != nil {
				t.Error(err)
			}
		})
	}
}

// handlerRule is one part of TestHandler.
type handlerRule struct {
	name  string
	check func(*handlerTest) error
}

func checkHandler(t *testing.T, rule handlerRule, open HandlerUnderTest) (err error) {
	synctest.Test(t, func(t *testing.T) {
		defer func() {
			if v := recover(); v != nil {
				err = fmt.Errorf("the handler panics: %v", v)
			}
		}()
		g := New(t)
		h := &handlerTest{T: t, g: g}
		h.handler = open(t, g.Credentials(), h.run)
		err = rule.check(h)
	})
	return err
}

// handlerTest is one handler and what its function did.
type handlerTest struct {
	*testing.T
	g       *Gateway
	handler http.Handler

	mu   sync.Mutex
	runs int
	next func(n int) error // what run n, from 1, returns instead of an answer
}

func (h *handlerTest) run(_ context.Context, o *HandledOrder) (*HandledAnswer, error) {
	h.mu.Lock()
	h.runs++
	n, next := h.runs, h.next
	h.mu.Unlock()
	if next != nil {
		if err := next(n); err != nil {
			return nil, err
		}
	}
	return &HandledAnswer{Receipt: fmt.Sprintf("receipt %d of %s", n, o.ID)}, nil
}

func (h *handlerTest) ran(want int) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.runs != want {
		return fmt.Errorf("the function ran %d times, want %d", h.runs, want)
	}
	return nil
}

const handledBody = `{"id":"P1","payer":"C1"}`

// signed returns a signed request, before something is wrong with it.
func (h *handlerTest) signed(body string) *http.Request {
	return h.g.NewRequest(h.Context(), HandledOrderPath, []byte(body))
}

// send sends a good request and wants an answer with this status.
func (h *handlerTest) send(body string, want alipayplus.ResultStatus) ([]byte, error) {
	answer, err := h.g.Exchange(h.handler, h.signed(body))
	if err == nil && statusIn(answer) != want {
		err = fmt.Errorf("the answer is %s, want status %s", answer, want)
	}
	return answer, err
}

// refused wants that r neither runs the function nor is answered S.
func (h *handlerTest) refused(r *http.Request) error {
	w := &recorder{header: make(http.Header)}
	h.handler.ServeHTTP(w, r)
	if statusIn(w.body.Bytes()) == alipayplus.StatusSucceeded {
		return errors.New("the answer is S")
	}
	return h.ran(0)
}

// spoiled makes a rule about a request with one thing wrong.
func spoiled(name string, spoil func(h *handlerTest, r *http.Request)) handlerRule {
	return handlerRule{name, func(h *handlerTest) error {
		r := h.signed(handledBody)
		spoil(h, r)
		return h.refused(r)
	}}
}

// honoured makes a rule about a request that is odd and right.
func honoured(name string, change func(h *handlerTest, r *http.Request)) handlerRule {
	return handlerRule{name, func(h *handlerTest) error {
		r := h.signed(handledBody)
		change(h, r)
		answer, err := h.g.Exchange(h.handler, r)
		if err == nil && statusIn(answer) != alipayplus.StatusSucceeded {
			err = fmt.Errorf("the answer is %s", answer)
		}
		return errors.Join(err, h.ran(1))
	}}
}

// resigned signs r again, with this key, over other parts.
func (h *handlerTest) resigned(r *http.Request, key *rsa.PrivateKey, method, target, id, at, body string) {
	r.Header.Set("Signature", signatureHeader(rawSign(key, method+" "+target+"\n"+id+"."+at+"."+body)))
}

func withBody(r *http.Request, body string) {
	r.Body, r.ContentLength = rewinding{bytes.NewReader([]byte(body))}, int64(len(body))
}

var handlerRules = []handlerRule{
	{"a signed request is served and answered with a signature", func(h *handlerTest) error {
		_, err := h.send(handledBody, alipayplus.StatusSucceeded)
		return errors.Join(err, h.ran(1))
	}},
	spoiled("a request without Signature is refused", func(_ *handlerTest, r *http.Request) { r.Header.Del("Signature") }),
	spoiled("a request without Request-Time is refused", func(h *handlerTest, r *http.Request) {
		r.Header.Del("Request-Time")
		h.resigned(r, h.g.pair.alipay, "POST", HandledOrderPath, h.g.clientID, "", handledBody)
	}),
	spoiled("a request without Client-Id is refused", func(h *handlerTest, r *http.Request) {
		r.Header.Del("Client-Id")
		h.resigned(r, h.g.pair.alipay, "POST", HandledOrderPath, "", r.Header.Get("Request-Time"), handledBody)
	}),
	spoiled("a request to another client is refused, though its signature is right", func(h *handlerTest, r *http.Request) {
		r.Header.Set("Client-Id", "WALLET_CLIENT_02")
		h.resigned(r, h.g.pair.alipay, "POST", HandledOrderPath, "WALLET_CLIENT_02", r.Header.Get("Request-Time"), handledBody)
	}),
	spoiled("the wallet's own key signs no requests", func(h *handlerTest, r *http.Request) {
		h.resigned(r, h.g.pair.wallet, "POST", HandledOrderPath, h.g.clientID, r.Header.Get("Request-Time"), handledBody)
	}),
	spoiled("a signature of another API is refused", func(h *handlerTest, r *http.Request) {
		h.resigned(r, h.g.pair.alipay, "POST", "/another/api", h.g.clientID, r.Header.Get("Request-Time"), handledBody)
	}),
	spoiled("another body is refused", func(_ *handlerTest, r *http.Request) { withBody(r, strings.Replace(handledBody, "C1", "C2", 1)) }),
	spoiled("another white space is refused", func(_ *handlerTest, r *http.Request) { withBody(r, strings.Replace(handledBody, `,"`, `, "`, 1)) }),
	spoiled("another time is refused", func(_ *handlerTest, r *http.Request) {
		r.Header.Set("Request-Time", headerTime(time.Now().Add(time.Second)))
	}),
	spoiled("two Signatures are refused", func(_ *handlerTest, r *http.Request) { r.Header.Add("Signature", r.Header.Get("Signature")) }),
	spoiled("the message does not choose the algorithm: none", func(_ *handlerTest, r *http.Request) {
		r.Header.Set("Signature", "algorithm=none,keyVersion=1,signature=")
	}),
	spoiled("the message does not choose the algorithm: RSA512", func(h *handlerTest, r *http.Request) {
		digest := sha512.Sum512([]byte("POST " + HandledOrderPath + "\n" + h.g.clientID + "." + r.Header.Get("Request-Time") + "." + handledBody))
		signature := must(rsa.SignPKCS1v15(nil, h.g.pair.alipay, crypto.SHA512, digest[:]))
		r.Header.Set("Signature", strings.Replace(signatureHeader(signature), "RSA256", "RSA512", 1))
	}),
	spoiled("a body whose end cannot be read is refused", func(_ *handlerTest, r *http.Request) {
		r.Body, r.ContentLength = io.NopCloser(io.MultiReader(strings.NewReader(handledBody), brokenReader{})), -1
	}),
	{"a member twice is refused", func(h *handlerTest) error { return h.refused(h.signed(`{"id":"P1","payer":"C1","id":"P2"}`)) }},
	{"a request without id is refused", func(h *handlerTest) error { return h.refused(h.signed(`{"payer":"C1"}`)) }},
	{"a Signature that is none is refused, without a panic", func(h *handlerTest) error {
		for _, text := range garbage {
			r := h.signed(handledBody)
			r.Header.Set("Signature", text)
			if err := h.refused(r); err != nil {
				return fmt.Errorf("%.40q: %w", text, err)
			}
		}
		return nil
	}},
	honoured("a request is verified as it came, not as it would be written", func(h *handlerTest, r *http.Request) {
		const odd = " {\n \"payer\" : \"C\\u0031\", \"z\":1.50, \"id\":\"P1\" }\n"
		withBody(r, odd)
		h.resigned(r, h.g.pair.alipay, "POST", HandledOrderPath, h.g.clientID, r.Header.Get("Request-Time"), odd)
	}),
	honoured("a plus in the signature is a plus", func(h *handlerTest, r *http.Request) {
		for i := 0; ; i++ { // until there is one
			at := headerTime(time.Now().Add(time.Duration(i) * time.Millisecond))
			content := "POST " + HandledOrderPath + "\n" + h.g.clientID + "." + at + "." + handledBody
			if plain := base64.StdEncoding.EncodeToString(rawSign(h.g.pair.alipay, content)); strings.Contains(plain, "+") {
				r.Header.Set("Request-Time", at)
				r.Header.Set("Signature", "algorithm=RSA256,keyVersion=1,signature="+plain)
				return
			}
		}
	}),
	honoured("blanks and another order in the Signature header are fine", func(_ *handlerTest, r *http.Request) {
		_, signature, _ := strings.Cut(r.Header.Get("Signature"), "signature=")
		r.Header.Set("Signature", "signature="+url.PathEscape(must(url.PathUnescape(signature)))+" , keyVersion=1, algorithm=RSA256")
	}),
	{"a repeated request runs once and gets the same answer", func(h *handlerTest) error {
		first, err := h.send(handledBody, alipayplus.StatusSucceeded)
		time.Sleep(time.Hour)
		second, err2 := h.send(handledBody, alipayplus.StatusSucceeded)
		if err := errors.Join(err, err2, h.ran(1)); err != nil {
			return err
		}
		if !bytes.Equal(first, second) {
			return fmt.Errorf("the second answer is %s, the first was %s", second, first)
		}
		return nil
	}},
	{"an F is as final as an S", func(h *handlerTest) error {
		h.next = func(n int) error {
			if n == 1 {
				return alipayplus.CodeProcessFail
			}
			return nil
		}
		_, err := h.send(handledBody, alipayplus.StatusFailed)
		_, err2 := h.send(handledBody, alipayplus.StatusFailed)
		return errors.Join(err, err2, h.ran(1))
	}},
	{"an error that is no refusal is U, and not final", func(h *handlerTest) error {
		h.next = func(n int) error {
			if n == 1 {
				return errors.New("the database is away")
			}
			return nil
		}
		_, err := h.send(handledBody, alipayplus.StatusUnknown)
		_, err2 := h.send(handledBody, alipayplus.StatusSucceeded)
		return errors.Join(err, err2, h.ran(2))
	}},
	{"a panic is a signed U, and not final", func(h *handlerTest) error {
		h.next = func(n int) error {
			if n == 1 {
				panic("a mistake in the wallet")
			}
			return nil
		}
		_, err := h.send(handledBody, alipayplus.StatusUnknown)
		_, err2 := h.send(handledBody, alipayplus.StatusSucceeded)
		return errors.Join(err, err2, h.ran(2))
	}},
	{"an id with other content is REPEAT_REQ_INCONSISTENT after S", func(h *handlerTest) error { return h.inconsistent(nil) }},
	{"an id with other content is REPEAT_REQ_INCONSISTENT after F", func(h *handlerTest) error {
		return h.inconsistent(alipayplus.CodeProcessFail)
	}},
	{"an id with other content is REPEAT_REQ_INCONSISTENT after U", func(h *handlerTest) error {
		return h.inconsistent(errors.New("the database is away"))
	}},
	{"two ids are two requests", func(h *handlerTest) error {
		_, err := h.send(handledBody, alipayplus.StatusSucceeded)
		_, err2 := h.send(strings.Replace(handledBody, "P1", "p1", 1), alipayplus.StatusSucceeded)
		_, err3 := h.send(strings.Replace(handledBody, "P1", "P1 ", 1), alipayplus.StatusSucceeded)
		errs := []error{err, err2, err3}
		long := strings.Repeat("i", 63)
		for _, id := range []string{long + "1", long + "2", "e", "é", "e\u0301"} {
			_, err := h.send(strings.Replace(handledBody, "P1", id, 1), alipayplus.StatusSucceeded)
			errs = append(errs, err)
		}
		return errors.Join(append(errs, h.ran(8))...)
	}},
	{"a repetition while the first still runs is U at once", func(h *handlerTest) error {
		arrived, release := make(chan struct{}), make(chan struct{})
		h.next = func(n int) error {
			if n == 1 {
				close(arrived)
				<-release
			}
			return nil
		}
		ended := make(chan error, 1)
		go func() {
			_, err := h.send(handledBody, alipayplus.StatusSucceeded)
			ended <- err
		}()
		<-arrived
		_, err := h.send(handledBody, alipayplus.StatusUnknown)
		close(release)
		return errors.Join(err, <-ended, h.ran(1))
	}},
	{"of many requests at once one runs", func(h *handlerTest) error {
		h.next = func(int) error { time.Sleep(time.Second); return nil }
		var all sync.WaitGroup
		var mu sync.Mutex
		var wrong error
		for range 32 {
			all.Go(func() {
				answer, err := h.g.Exchange(h.handler, h.signed(handledBody))
				if err == nil && statusIn(answer) == alipayplus.StatusFailed {
					err = fmt.Errorf("the answer is %s", answer)
				}
				mu.Lock()
				defer mu.Unlock()
				wrong = errors.Join(wrong, err)
			})
		}
		all.Wait()
		return errors.Join(wrong, h.ran(1))
	}},
}

// inconsistent sends a request that ends with first, and its id with another
// payer.
func (h *handlerTest) inconsistent(first error) error {
	h.next = func(int) error { return first }
	if _, err := h.g.Exchange(h.handler, h.signed(handledBody)); err != nil {
		return err
	}
	answer, err := h.send(strings.Replace(handledBody, "C1", "C2", 1), alipayplus.StatusFailed)
	if err == nil && !bytes.Contains(answer, []byte(alipayplus.CodeRepeatReqInconsistent)) {
		err = fmt.Errorf("the answer is %s", answer)
	}
	return errors.Join(err, h.ran(1))
}
