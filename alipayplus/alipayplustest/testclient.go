package alipayplustest

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rsa"
	_ "crypto/sha1" //nolint:gosec // rules out SHA-1
	"crypto/sha256"
	_ "crypto/sha512" // rules out SHA-512
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
)

// ClientUnderTest makes one call to Alipay+ with these credentials over rt and
// reports what it knows at its end. The body is a JSON object in which id is
// the idempotency field, so that the call may be repeated. A client built on
// the SDK returns [alipayplus.OutcomeOf] of its error.
type ClientUnderTest func(ctx context.Context, c alipayplus.Credentials, rt http.RoundTripper, id string) alipayplus.Outcome

// TestClient tests what Alipay+ and a wallet's money ask of a client: what it
// sends, which answers it believes and when it repeats a call. It is for a
// client of your own, or one that wraps the SDK. Each part names the rule that
// it checks, and runs in a bubble of testing/synctest, so that waits take no
// time.
func TestClient(t *testing.T, call ClientUnderTest) {
	t.Helper()
	for _, rule := range clientRules {
		t.Run(rule.name, func(t *testing.T) {
			if err := rule.check(t, call); err != nil {
				t.Error(err)
			}
		})
	}
}

// sent is one attempt of the client under test.
type sent struct {
	method, target, host string
	header               http.Header
	body                 string
	at                   time.Time
}

// clientRule is one part of TestClient. script gives the answer to attempt n.
type clientRule struct {
	name     string
	script   func(p *peer, n int, r *sent) (*http.Response, error)
	want     alipayplus.Outcome
	or       alipayplus.Outcome // just as right
	repeats  bool               // more than one attempt must be made
	attempts int                // exactly so many, 0 is any number
	turns    int                // how many calls are made, 0 is one
}

// peer is Alipay+ as the rules need it: it signs anything.
type peer struct {
	mu   sync.Mutex
	pair *keyPair
	turn int // from 0
	seen []*sent
}

const peerClient = "WALLET_CLIENT_01"

const (
	answerS = `{"result":{"resultCode":"SUCCESS","resultMessage":"Success","resultStatus":"S"}}`
	answerF = `{"result":{"resultCode":"ORDER_IS_CLOSED","resultMessage":"closed","resultStatus":"F"}}`
	answerU = `{"result":{"resultCode":"UNKNOWN_EXCEPTION","resultMessage":"unknown","resultStatus":"U"}}`
)

// headerTime returns t as a Request-Time or Response-Time.
func headerTime(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

func rawSign(key *rsa.PrivateKey, content string) []byte {
	digest := sha256.Sum256([]byte(content))
	return must(rsa.SignPKCS1v15(nil, key, crypto.SHA256, digest[:]))
}

func signatureHeader(signature []byte) string {
	return "algorithm=RSA256,keyVersion=1,signature=" + url.QueryEscape(base64.StdEncoding.EncodeToString(signature))
}

// reply returns a signed answer, before something is wrong with it.
func (p *peer) reply(r *sent, body string) *http.Response {
	return p.replyAt(r, body, headerTime(time.Now()))
}

func (p *peer) replyAt(r *sent, body, at string) *http.Response {
	content := r.method + " " + r.target + "\n" + peerClient + "." + at + "." + body
	return respond(http.StatusOK, http.Header{
		"Client-Id": {peerClient}, "Response-Time": {at}, "Content-Type": {"application/json; charset=UTF-8"},
		"Signature": {signatureHeader(rawSign(p.pair.alipay, content))},
	}, []byte(body))
}

// resign replaces the signature of an answer.
func resign(response *http.Response, header string) *http.Response {
	response.Header.Set("Signature", header)
	return response
}

func (rule *clientRule) check(t *testing.T, call ClientUnderTest) (err error) {
	for turn := 0; turn < max(1, rule.turns) && err == nil; turn++ {
		synctest.Test(t, func(t *testing.T) { err = rule.run(t, call, turn) })
	}
	return err
}

func (rule *clientRule) run(t *testing.T, call ClientUnderTest, turn int) (err error) {
	p := &peer{pair: must(makeKeys()), turn: turn}
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("the client panics: %v", v)
		}
	}()
	credentials := alipayplus.Credentials{
		ClientID: peerClient,
		Signer:   must(alipayplus.NewSigner("1", p.pair.wallet)),
		Keys:     must(alipayplus.NewKeyRing(map[string]*rsa.PublicKey{"1": &p.pair.alipay.PublicKey})),
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	outcome := call(ctx, credentials, roundTrip(func(r *http.Request) (*http.Response, error) {
		attempt := &sent{method: r.Method, target: r.URL.RequestURI(), host: r.URL.Host, header: r.Header.Clone(), at: time.Now()}
		if r.Body != nil {
			body, err := io.ReadAll(r.Body)
			_ = r.Body.Close()
			if err != nil {
				return nil, err
			}
			attempt.body = string(body)
		}
		p.mu.Lock()
		p.seen = append(p.seen, attempt)
		n := len(p.seen)
		p.mu.Unlock()
		if n > 100 {
			return nil, errors.New("alipayplustest: more than a hundred attempts")
		}
		return rule.script(p, n, attempt)
	}), "T0001")
	p.mu.Lock() // the client may have left an attempt running
	seen := slices.Clone(p.seen)
	p.mu.Unlock()
	n := len(seen)
	if outcome != rule.want && outcome != rule.or {
		return fmt.Errorf("the outcome is %v after %d attempts, want %v", outcome, n, rule.want)
	}
	if rule.attempts > 0 && n != rule.attempts || rule.repeats && n < 2 || n == 0 || n > 100 {
		return fmt.Errorf("%d attempts", n)
	}
	return p.check(credentials, seen)
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// check checks what every attempt must be.
func (p *peer) check(c alipayplus.Credentials, seen []*sent) error {
	wallet := must(alipayplus.NewKeyRing(map[string]*rsa.PublicKey{"1": &p.pair.wallet.PublicKey}))
	times := map[time.Time]string{}
	for i, r := range seen {
		wrong := func(format string, args ...any) error {
			return fmt.Errorf("attempt %d: %s", i+1, fmt.Sprintf(format, args...))
		}
		for _, name := range []string{"Client-Id", "Request-Time", "Signature", "Content-Type"} {
			if n := len(r.header.Values(name)); n != 1 {
				return wrong("%d headers %s", n, name)
			}
		}
		at := r.header.Get("Request-Time")
		sentTime, err := alipayplus.ParseTime(at)
		instant, ok := sentTime.Time()
		switch {
		case r.method != http.MethodPost:
			return wrong("method %s", r.method)
		case r.header.Get("Client-Id") != c.ClientID:
			return wrong("another Client-Id")
		case r.host != seen[0].host:
			return wrong("a signed request goes to another host")
		case r.body != seen[0].body:
			return wrong("another body than attempt 1")
		case !strings.Contains(r.body, `"T0001"`):
			return wrong("the id of the call is not in the body")
		case err != nil || !ok || instant.Sub(r.at).Abs() > time.Minute:
			return wrong("Request-Time is not the time of sending")
		case len(r.header.Values("Idempotency-Key")) > 0 || len(r.header.Values("X-Idempotency-Key")) > 0:
			return wrong("an Idempotency-Key makes net/http send again by itself")
		}
		content := alipayplus.Content{Method: r.method, Target: r.target, ClientID: c.ClientID, Time: at, Body: []byte(r.body)}
		if err := content.Verify(r.header.Get("Signature"), wallet); err != nil {
			return wrong("%v", err)
		}
		for other, stamp := range times {
			if r.at.Sub(other).Abs() >= time.Second && stamp == at {
				return wrong("Request-Time of an attempt before")
			}
		}
		times[r.at] = at
	}
	return nil
}

// always makes a script of one answer for all attempts.
func always(f func(p *peer, r *sent) *http.Response) func(*peer, int, *sent) (*http.Response, error) {
	return func(p *peer, _ int, r *sent) (*http.Response, error) { return f(p, r), nil }
}

// then makes a script of a first answer, and S for all later attempts.
func then(first func(p *peer, r *sent) (*http.Response, error)) func(*peer, int, *sent) (*http.Response, error) {
	return func(p *peer, n int, r *sent) (*http.Response, error) {
		if n == 1 {
			return first(p, r)
		}
		return p.reply(r, answerS), nil
	}
}

var clientRules = slices.Concat(clientVerdicts, clientSignatures)

// clientVerdicts are the rules about what an answer means.
var clientVerdicts = []clientRule{
	{name: "a signed S is a success", attempts: 1, want: alipayplus.OutcomeSucceeded, or: alipayplus.OutcomeSucceeded,
		script: always(func(p *peer, r *sent) *http.Response { return p.reply(r, answerS) })},
	{name: "a signed F is a failure and is not repeated", attempts: 1, want: alipayplus.OutcomeFailed, or: alipayplus.OutcomeFailed,
		script: always(func(p *peer, r *sent) *http.Response { return p.reply(r, answerF) })},
	{name: "a signed U is unknown, and the same request is sent again", repeats: true,
		script: always(func(p *peer, r *sent) *http.Response { return p.reply(r, answerU) })},
	{name: "a status in small letters decides nothing",
		script: always(func(p *peer, r *sent) *http.Response { return p.reply(r, strings.Replace(answerS, `"S"`, `"s"`, 1)) })},
	{name: "an answer without result decides nothing",
		script: always(func(p *peer, r *sent) *http.Response { return p.reply(r, `{"resultStatus":"S"}`) })},
	{name: "a success after U is a success", repeats: true, want: alipayplus.OutcomeSucceeded, or: alipayplus.OutcomeSucceeded,
		script: then(func(p *peer, r *sent) (*http.Response, error) { return p.reply(r, answerU), nil })},
	{name: "a lost answer is asked for again with the same request", repeats: true, want: alipayplus.OutcomeSucceeded, or: alipayplus.OutcomeSucceeded,
		script: then(func(*peer, *sent) (*http.Response, error) { return nil, errLost })},
	{name: "answers that are lost for ever are unknown",
		script: func(*peer, int, *sent) (*http.Response, error) { return nil, errLost }},
	{name: "a deadline that ends after the request was sent decides nothing",
		script: func(*peer, int, *sent) (*http.Response, error) { return nil, context.DeadlineExceeded }},
	{name: "a refused connection is no failure", or: alipayplus.OutcomeNotSent,
		script: func(*peer, int, *sent) (*http.Response, error) {
			return nil, &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
		}},
	{name: "a body whose end cannot be read decides nothing",
		script: always(func(p *peer, r *sent) *http.Response {
			response := p.reply(r, answerS)
			response.Body = io.NopCloser(io.MultiReader(strings.NewReader(answerS), brokenReader{}))
			response.ContentLength = -1
			return response
		})},
	{name: "the HTTP status does not overrule a signed answer", attempts: 1, want: alipayplus.OutcomeSucceeded, or: alipayplus.OutcomeSucceeded,
		script: always(func(p *peer, r *sent) *http.Response {
			response := p.reply(r, answerS)
			response.StatusCode = http.StatusInternalServerError
			return response
		})},
	{name: "a page of a proxy with status 200 decides nothing",
		script: always(func(*peer, *sent) *http.Response {
			return respond(http.StatusOK, http.Header{"Content-Type": {"text/html"}}, []byte("<html>OK</html>"))
		})},
	{name: "a redirect is not followed", attempts: 1,
		script: always(func(*peer, *sent) *http.Response {
			return respond(http.StatusTemporaryRedirect, http.Header{"Location": {"https://elsewhere.example/"}}, nil)
		})},
	{name: "a member twice decides nothing",
		script: always(func(p *peer, r *sent) *http.Response {
			return p.reply(r, strings.TrimSuffix(answerS, "}")+","+strings.TrimPrefix(answerF, "{"))
		})},
}

// clientSignatures are the rules about which answers are one.
var clientSignatures = []clientRule{
	{name: "an unsigned S is unknown",
		script: always(func(*peer, *sent) *http.Response { return respond(http.StatusOK, http.Header{}, []byte(answerS)) })},
	{name: "an unsigned F is unknown",
		script: always(func(*peer, *sent) *http.Response { return respond(http.StatusOK, http.Header{}, []byte(answerF)) })},
	{name: "an answer without Response-Time is unknown",
		script: always(func(p *peer, r *sent) *http.Response {
			response := p.replyAt(r, answerS, "")
			response.Header.Del("Response-Time")
			return response
		})},
	{name: "an answer without Signature is unknown",
		script: always(func(p *peer, r *sent) *http.Response {
			response := p.reply(r, answerS)
			response.Header.Del("Signature")
			return response
		})},
	{name: "an answer with an empty Signature is unknown",
		script: always(func(p *peer, r *sent) *http.Response { return resign(p.reply(r, answerS), "") })},
	{name: "an answer with two Signatures is unknown",
		script: always(func(p *peer, r *sent) *http.Response {
			response := p.reply(r, answerS)
			response.Header.Add("Signature", response.Header.Get("Signature"))
			return response
		})},
	{name: "an answer to another client is unknown, though its signature is right",
		script: always(func(p *peer, r *sent) *http.Response {
			response := p.reply(r, answerS)
			response.Header.Set("Client-Id", "WALLET_CLIENT_02")
			content := r.method + " " + r.target + "\nWALLET_CLIENT_02." + response.Header.Get("Response-Time") + "." + answerS
			return resign(response, signatureHeader(rawSign(p.pair.alipay, content)))
		})},
	{name: "the wallet's own key signs no answers",
		script: always(func(p *peer, r *sent) *http.Response {
			response := p.reply(r, answerS)
			content := r.method + " " + r.target + "\n" + peerClient + "." + response.Header.Get("Response-Time") + "." + answerS
			return resign(response, signatureHeader(rawSign(p.pair.wallet, content)))
		})},
	{name: "an answer to another API is unknown",
		script: always(func(p *peer, r *sent) *http.Response {
			response := p.reply(r, answerS)
			content := "POST /another/api\n" + peerClient + "." + response.Header.Get("Response-Time") + "." + answerS
			return resign(response, signatureHeader(rawSign(p.pair.alipay, content)))
		})},
	{name: "an answer signed over the request's time is unknown",
		script: always(func(p *peer, r *sent) *http.Response {
			response := p.replyAt(r, answerS, r.header.Get("Request-Time"))
			response.Header.Set("Response-Time", headerTime(time.Now().Add(time.Second)))
			return response
		})},
	{name: "an answer with another body is unknown",
		script: always(func(p *peer, r *sent) *http.Response { return swap(p.reply(r, answerF), answerS) })},
	{name: "an answer whose white space was changed is unknown",
		script: always(func(p *peer, r *sent) *http.Response {
			return swap(p.reply(r, answerS), strings.Replace(answerS, `,"`, `, "`, 1))
		})},
	{name: "an answer is verified as it came, not as it would be written", attempts: 1, want: alipayplus.OutcomeSucceeded, or: alipayplus.OutcomeSucceeded,
		script: always(func(p *peer, r *sent) *http.Response {
			return p.reply(r, " {\n \"z\" : 1.50, \"result\":\t{\"resultStatus\":\"S\",\"resultCode\":\"SUCCE\\u0053S\"}, \"a\":\"\\/\" }\n")
		})},
	{name: "a plus in the signature is a plus", attempts: 1, want: alipayplus.OutcomeSucceeded, or: alipayplus.OutcomeSucceeded,
		script: always(func(p *peer, r *sent) *http.Response {
			for i := 0; ; i++ { // until there is one
				at := headerTime(time.Now().Add(time.Duration(i) * time.Millisecond))
				plain := base64.StdEncoding.EncodeToString(rawSign(p.pair.alipay, r.method+" "+r.target+"\n"+peerClient+"."+at+"."+answerS))
				if strings.Contains(plain, "+") {
					return resign(p.replyAt(r, answerS, at), "algorithm=RSA256,keyVersion=1,signature="+plain)
				}
			}
		})},
	{name: "an answer of 20 minutes ago is unknown",
		script: always(func(p *peer, r *sent) *http.Response {
			return p.replyAt(r, answerS, headerTime(time.Now().Add(-20*time.Minute)))
		})},
	{name: "an answer of the future is unknown",
		script: always(func(p *peer, r *sent) *http.Response {
			return p.replyAt(r, answerS, headerTime(time.Now().Add(20*time.Minute)))
		})},
	{name: "the message does not choose the algorithm: none",
		script: always(func(p *peer, r *sent) *http.Response {
			return resign(p.reply(r, answerS), "algorithm=none,keyVersion=1,signature=")
		})},
	{name: "the message does not choose the algorithm: RSA512",
		script: always(func(p *peer, r *sent) *http.Response {
			return otherHash(p, r, p.reply(r, answerS), crypto.SHA512, "RSA512")
		})},
	{name: "the message does not choose the algorithm: SHA-1",
		script: always(func(p *peer, r *sent) *http.Response {
			return otherHash(p, r, p.reply(r, answerS), crypto.SHA1, "RSA1")
		})},
	{name: "a Signature that is none is unknown, without a panic", turns: len(garbage),
		script: always(func(p *peer, r *sent) *http.Response { return resign(p.reply(r, answerS), garbage[p.turn]) })},
}

// garbage are Signature headers that parsers trip over.
var garbage = []string{
	"signature", "signature=", "=", ",", ",,,", "algorithm=RSA256", "algorithm=RSA256,keyVersion=1,signature=%", "algorithm=RSA256,keyVersion=1,signature=%zz",
	"algorithm=RSA256,keyVersion=99999999999999999999,signature=AA==", strings.Repeat("a", 1<<16), "\x00", "algorithm=RSA256,keyVersion=7,signature=" + strings.Repeat("A", 344),
}

func swap(response *http.Response, body string) *http.Response {
	response.Body, response.ContentLength = io.NopCloser(bytes.NewReader([]byte(body))), int64(len(body))
	return response
}

func otherHash(p *peer, r *sent, response *http.Response, hash crypto.Hash, name string) *http.Response {
	h := hash.New()
	_, _ = io.WriteString(h, r.method+" "+r.target+"\n"+peerClient+"."+response.Header.Get("Response-Time")+"."+answerS)
	signature := must(rsa.SignPKCS1v15(nil, p.pair.alipay, hash, h.Sum(nil)))
	return resign(response, strings.Replace(signatureHeader(signature), "RSA256", name, 1))
}
