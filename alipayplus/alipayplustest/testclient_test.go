package alipayplustest_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha1" //nolint:gosec // a mistake of the zoo
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/alipayplustest"
)

type conformOrder struct {
	ID string `json:"id,omitzero" wire:"required,max=64"`
}

type conformAnswer struct {
	Result alipayplus.Result `json:"result" wire:"check"`
}

var conformOut = alipayplus.NewOutbound(alipayplus.Spec[conformOrder, conformAnswer]{
	Name: "conform", Path: "/v1/conform",
	Idempotency: func(o *conformOrder) alipayplus.Idempotency { return alipayplus.Idempotency{Key: o.ID} },
})

// sdkCall puts the SDK under TestClient.
func sdkCall(ctx context.Context, c alipayplus.Credentials, rt http.RoundTripper, id string) alipayplus.Outcome {
	client, err := alipayplus.NewClient(alipayplus.ClientConfig{Credentials: c, BaseURL: "https://gateway.example", Transport: rt})
	if err != nil {
		panic(err)
	}
	_, err = conformOut.Call(ctx, client, &conformOrder{ID: id})
	return alipayplus.OutcomeOf(err)
}

func TestClientOfTheSDK(t *testing.T) { alipayplustest.TestClient(t, sdkCall) }

func ExampleTestClient() {
	testWallet := func(t *testing.T) { // func TestWallet(t *testing.T)
		alipayplustest.TestClient(t, func(ctx context.Context, c alipayplus.Credentials, rt http.RoundTripper, id string) alipayplus.Outcome {
			client, err := alipayplus.NewClient(alipayplus.ClientConfig{Credentials: c, BaseURL: "https://gateway.example", Transport: rt})
			if err != nil {
				t.Fatal(err)
			}
			_, err = conformOut.Call(ctx, client, &conformOrder{ID: id})
			return alipayplus.OutcomeOf(err)
		})
	}
	_ = testWallet
}

// naive is a client written by hand, right but for one mistake.
type naive struct {
	mistake string
	next    int
}

func (n *naive) is(mistake string) bool { return n.mistake == mistake }

// clientZoo are clients with one mistake each, and the rule of TestClient that
// must find it.
var clientZoo = map[string]string{
	"skips the check without a Signature":            "an answer without Signature is unknown",
	"skips the check without a Response-Time":        "an answer without Response-Time is unknown",
	"never checks a signature":                       "an answer with another body is unknown",
	"takes the algorithm from the message":           "the message does not choose the algorithm: RSA512",
	"takes SHA-1 from the message":                   "the message does not choose the algorithm: SHA-1",
	"takes algorithm none":                           "the message does not choose the algorithm: none",
	"turns + into a blank":                           "a plus in the signature is a plus",
	"verifies the body as it would write it":         "an answer whose white space was changed is unknown",
	"looks at the past only":                         "an answer of the future is unknown",
	"looks at the future only":                       "an answer of 20 minutes ago is unknown",
	"takes the Client-Id from the answer":            "an answer to another client is unknown, though its signature is right",
	"believes an unsigned S":                         "an unsigned S is unknown",
	"believes an unsigned F":                         "an unsigned F is unknown",
	"verifies with the request's time":               "an answer signed over the request's time is unknown",
	"verifies with its own key, too":                 "the wallet's own key signs no answers",
	"verifies only time and body":                    "an answer to another API is unknown",
	"takes the first of two Signatures":              "an answer with two Signatures is unknown",
	"ignores a read error":                           "a body whose end cannot be read decides nothing",
	"repeats after F":                                "a signed F is a failure and is not repeated",
	"never repeats":                                  "a lost answer is asked for again with the same request",
	"makes a new id for each attempt":                "a signed U is unknown, and the same request is sent again",
	"signs once for all attempts":                    "a signed U is unknown, and the same request is sent again",
	"takes U for F":                                  "a signed U is unknown, and the same request is sent again",
	"takes a lost answer for F":                      "answers that are lost for ever are unknown",
	"takes a deadline for not sent":                  "a deadline that ends after the request was sent decides nothing",
	"takes a refused connection for F":               "a refused connection is no failure",
	"takes any case of the status":                   "a status in small letters decides nothing",
	"takes HTTP 200 for S":                           "a page of a proxy with status 200 decides nothing",
	"takes HTTP 500 for unknown":                     "the HTTP status does not overrule a signed answer",
	"follows redirects":                              "a redirect is not followed",
	"takes the last of two members":                  "a member twice decides nothing",
	"sends an Idempotency-Key":                       "a signed S is a success",
	"panics on a short Signature":                    "a Signature that is none is unknown, without a panic",
	"panics on a key version that it does not know":  "a Signature that is none is unknown, without a panic",
	"verifies the header as it is, percents and all": "a signed S is a success",
}

// Each client of the zoo fails the rule that names its mistake; without a
// mistake the same client passes all, and so does the SDK. No rule is without a
// client that fails it.
func TestClientFindsEachMistake(t *testing.T) {
	check := func(rule, mistake string) error {
		return alipayplustest.CheckClient(t, rule, func(ctx context.Context, c alipayplus.Credentials, rt http.RoundTripper, id string) alipayplus.Outcome {
			return (&naive{mistake: mistake}).call(ctx, c, rt, id)
		})
	}
	bites := map[string]bool{}
	for mistake, rule := range clientZoo {
		if check(rule, mistake) == nil {
			t.Errorf("%s: not found by %q", mistake, rule)
		}
		bites[rule] = true
	}
	for _, rule := range alipayplustest.ClientRules() {
		if err := check(rule, ""); err != nil {
			t.Errorf("without a mistake: %s: %v", rule, err)
		}
		for mistake := range clientZoo {
			if bites[rule] {
				break
			}
			bites[rule] = check(rule, mistake) != nil
		}
		if !bites[rule] {
			t.Errorf("no client of the zoo fails %q", rule)
		}
	}
	t.Logf("%d clients with a mistake each, all found; %d rules", len(clientZoo), len(bites))
}

func (n *naive) call(ctx context.Context, c alipayplus.Credentials, rt http.RoundTripper, id string) alipayplus.Outcome {
	outcome := alipayplus.OutcomeUnknown
	signedAt := time.Now()
	for range 3 {
		if n.next++; n.is("makes a new id for each attempt") && n.next > 1 {
			id = fmt.Sprintf("%s-%d", "T0001", n.next)
		}
		if !n.is("signs once for all attempts") {
			signedAt = time.Now()
		}
		var again bool
		if outcome, again = n.attempt(ctx, c, rt, "/v1/conform", `{"id":"`+id+`","first":"T0001"}`, signedAt); !again || n.is("never repeats") {
			break
		}
		time.Sleep(2 * time.Second)
	}
	return outcome
}

func (n *naive) attempt(ctx context.Context, c alipayplus.Credentials, rt http.RoundTripper, target, body string, at time.Time) (outcome alipayplus.Outcome, again bool) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://gateway.example"+target, strings.NewReader(body))
	if err != nil {
		panic(err)
	}
	text := at.UTC().Format("2006-01-02T15:04:05.000Z")
	digest := sha256.Sum256([]byte("POST " + target + "\n" + c.ClientID + "." + text + "." + body))
	_, signature, err := c.Signer.SignDigest(ctx, digest)
	if err != nil {
		return alipayplus.OutcomeNotSent, false
	}
	r.Header = http.Header{
		"Client-Id": {c.ClientID}, "Request-Time": {text}, "Content-Type": {"application/json"},
		"Signature": {"algorithm=RSA256,keyVersion=1,signature=" + url.QueryEscape(base64.StdEncoding.EncodeToString(signature))},
	}
	if n.is("sends an Idempotency-Key") {
		r.Header.Set("Idempotency-Key", "1")
	}
	res, err := rt.RoundTrip(r)
	if err != nil {
		if n.is("takes a lost answer for F") || n.is("takes a refused connection for F") && strings.Contains(err.Error(), "refused") {
			return alipayplus.OutcomeFailed, false
		}
		if n.is("takes a deadline for not sent") && errors.Is(err, context.DeadlineExceeded) {
			return alipayplus.OutcomeNotSent, false
		}
		return alipayplus.OutcomeUnknown, true
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err != nil && !n.is("ignores a read error") {
		return alipayplus.OutcomeUnknown, true
	}
	if location := res.Header.Get("Location"); location != "" {
		if n.is("follows redirects") {
			moved, _ := http.NewRequestWithContext(ctx, http.MethodPost, location, strings.NewReader(body))
			moved.Header = r.Header
			_, _ = rt.RoundTrip(moved)
		}
		return alipayplus.OutcomeUnknown, false
	}
	if n.is("takes HTTP 200 for S") && res.StatusCode == http.StatusOK && !json.Valid(answer) {
		return alipayplus.OutcomeSucceeded, false
	}
	if n.is("takes HTTP 500 for unknown") && res.StatusCode >= 500 {
		return alipayplus.OutcomeUnknown, true
	}
	status := n.status(answer)
	if err := n.verify(c, target, text, res.Header, answer); err != nil {
		unsigned := res.Header.Get("Signature") == "" && res.Header.Get("Response-Time") == ""
		switch {
		case n.is("believes an unsigned S") && unsigned && status == "S":
			return alipayplus.OutcomeSucceeded, false
		case n.is("believes an unsigned F") && unsigned && status == "F":
			return alipayplus.OutcomeFailed, false
		}
		return alipayplus.OutcomeUnknown, true
	}
	switch status {
	case "S":
		return alipayplus.OutcomeSucceeded, false
	case "F":
		return alipayplus.OutcomeFailed, n.is("repeats after F")
	}
	if n.is("takes U for F") {
		return alipayplus.OutcomeFailed, false
	}
	return alipayplus.OutcomeUnknown, true
}

func (n *naive) status(answer []byte) string {
	if bytes.Count(answer, []byte(`"result"`)) > 1 && !n.is("takes the last of two members") {
		return ""
	}
	var v struct {
		Result struct {
			Status string `json:"resultStatus"`
		} `json:"result"`
	}
	_ = json.Unmarshal(answer, &v)
	if n.is("takes any case of the status") {
		return strings.ToUpper(v.Result.Status)
	}
	return v.Result.Status
}

var errNaive = errors.New("does not verify")

func (n *naive) verify(c alipayplus.Credentials, target, requestTime string, h http.Header, body []byte) error {
	if n.is("never checks a signature") {
		return nil
	}
	if n.is("skips the check without a Signature") && h.Get("Signature") == "" && h.Get("Response-Time") != "" {
		return nil
	}
	if n.is("skips the check without a Response-Time") && h.Get("Response-Time") == "" && h.Get("Signature") != "" {
		return nil
	}
	if len(h.Values("Signature")) != 1 && !n.is("takes the first of two Signatures") || h.Get("Response-Time") == "" {
		return errNaive
	}
	id := h.Get("Client-Id")
	if id != c.ClientID && !n.is("takes the Client-Id from the answer") {
		return errNaive
	}
	at, err := time.Parse(time.RFC3339, h.Get("Response-Time"))
	if age := time.Since(at); err != nil || age > 15*time.Minute && !n.is("looks at the future only") || age < -15*time.Minute && !n.is("looks at the past only") {
		return errNaive
	}
	algorithm, version, signature, err := n.parse(h.Get("Signature"))
	if err != nil {
		return err
	}
	hash := crypto.SHA256
	switch {
	case n.is("takes algorithm none") && algorithm == "none":
		return nil
	case n.is("takes the algorithm from the message") && algorithm == "RSA512":
		hash = crypto.SHA512
	case n.is("takes SHA-1 from the message") && algorithm == "RSA1":
		hash = crypto.SHA1
	case algorithm != "RSA256":
		return errNaive
	}
	if n.is("panics on a key version that it does not know") && version != "1" {
		panic("no key " + version)
	}
	if n.is("verifies with the request's time") {
		h = h.Clone()
		h.Set("Response-Time", requestTime)
	}
	content := "POST " + target + "\n" + id + "." + h.Get("Response-Time") + "." + string(body)
	if n.is("verifies the body as it would write it") {
		var v any
		_ = json.Unmarshal(body, &v)
		again, _ := json.Marshal(v)
		content = strings.TrimSuffix(content, string(body)) + string(again)
	}
	if n.is("verifies only time and body") && hash == crypto.SHA256 {
		for _, target := range []string{"/v1/conform", "/another/api"} {
			if n.verifyText(c, strings.Replace(content, "POST /v1/conform", "POST "+target, 1), hash, signature) == nil {
				return nil
			}
		}
	}
	return n.verifyText(c, content, hash, signature)
}

func (n *naive) verifyText(c alipayplus.Credentials, content string, hash crypto.Hash, signature []byte) error {
	keys := []*rsa.PublicKey{alipayplustest.AlipayKey()}
	if n.is("verifies with its own key, too") {
		keys = append(keys, c.Signer.(interface{ Public() crypto.PublicKey }).Public().(*rsa.PublicKey))
	}
	var sum []byte
	switch hash {
	case crypto.SHA512:
		digest := sha512.Sum512([]byte(content))
		sum = digest[:]
	case crypto.SHA1:
		digest := sha1.Sum([]byte(content)) //nolint:gosec // a mistake of the zoo
		sum = digest[:]
	default:
		digest := sha256.Sum256([]byte(content))
		sum = digest[:]
	}
	for _, key := range keys {
		if rsa.VerifyPKCS1v15(key, hash, sum, signature) == nil {
			return nil
		}
	}
	return errNaive
}

func (n *naive) parse(header string) (algorithm, version string, signature []byte, err error) {
	if n.is("panics on a short Signature") {
		_ = strings.Split(header, ",")[2][1:]
	}
	parts := strings.Split(header, ",")
	if len(parts) != 3 {
		return "", "", nil, errNaive
	}
	algorithm, okA := strings.CutPrefix(parts[0], "algorithm=")
	version, okV := strings.CutPrefix(parts[1], "keyVersion=")
	text, okS := strings.CutPrefix(parts[2], "signature=")
	if !okA || !okV || !okS {
		return "", "", nil, errNaive
	}
	switch {
	case n.is("turns + into a blank"):
		text, err = url.QueryUnescape(text)
	case n.is("verifies the header as it is, percents and all"):
	default:
		text, err = url.PathUnescape(text)
	}
	if err != nil {
		return "", "", nil, err
	}
	signature, err = base64.StdEncoding.DecodeString(text)
	return algorithm, version, signature, err
}
