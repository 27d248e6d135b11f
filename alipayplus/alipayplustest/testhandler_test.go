package alipayplustest_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/alipayplustest"
)

type (
	handled       = alipayplustest.HandledOrder
	handledAnswer = alipayplustest.HandledAnswer
	handledFunc   = func(context.Context, *handled) (*handledAnswer, error)
)

var conformIn = alipayplus.NewInbound(alipayplus.Spec[handled, handledAnswer]{
	Name: "handledOrder",
	Idempotency: func(o *handled) alipayplus.Idempotency {
		return alipayplus.Idempotency{Key: o.ID, Match: []any{o.Payer}}
	},
})

func TestHandlerOfTheSDK(t *testing.T) {
	alipayplustest.TestHandler(t, func(t *testing.T, c alipayplus.Credentials, run handledFunc) http.Handler {
		h, err := alipayplus.NewHandler(
			alipayplus.HandlerConfig{Credentials: c, Idempotency: alipayplus.NewMemoryIdempotencyStore(100)},
			conformIn.Handle(alipayplustest.HandledOrderPath, run))
		if err != nil {
			t.Fatal(err)
		}
		return h
	})
}

// handlerZoo are servers with one mistake each, and the rule of TestHandler
// that must find it.
var handlerZoo = map[string]string{
	"skips the check without a Signature":     "a request without Signature is refused",
	"skips the check without a Request-Time":  "a request without Request-Time is refused",
	"skips the check without a Client-Id":     "a request without Client-Id is refused",
	"takes the Client-Id from the request":    "a request to another client is refused, though its signature is right",
	"verifies with its own key, too":          "the wallet's own key signs no requests",
	"does not verify the target":              "a signature of another API is refused",
	"never checks a signature":                "another body is refused",
	"does not verify the time":                "another time is refused",
	"takes the first of two Signatures":       "two Signatures are refused",
	"takes algorithm none":                    "the message does not choose the algorithm: none",
	"takes the algorithm from the message":    "the message does not choose the algorithm: RSA512",
	"ignores a read error":                    "a body whose end cannot be read is refused",
	"takes the last of two members":           "a member twice is refused",
	"runs without an id":                      "a request without id is refused",
	"panics on a short Signature":             "a Signature that is none is refused, without a panic",
	"verifies the body as it would write it":  "another white space is refused",
	"accepts only the body it would write":    "a request is verified as it came, not as it would be written",
	"turns + into a blank":                    "a plus in the signature is a plus",
	"wants one order in the Signature header": "blanks and another order in the Signature header are fine",
	"does not sign its answers":               "a signed request is served and answered with a signature",
	"runs each repetition":                    "a repeated request runs once and gets the same answer",
	"forgets after half an hour":              "a repeated request runs once and gets the same answer",
	"counts the answers in the answer":        "a repeated request runs once and gets the same answer",
	"keeps no F":                              "an F is as final as an S",
	"keeps U as final":                        "an error that is no refusal is U, and not final",
	"answers an error with F":                 "an error that is no refusal is U, and not final",
	"lets a panic through":                    "a panic is a signed U, and not final",
	"answers a panic with F":                  "a panic is a signed U, and not final",
	"does not compare the content":            "an id with other content is REPEAT_REQ_INCONSISTENT after S",
	"compares only what succeeded":            "an id with other content is REPEAT_REQ_INCONSISTENT after F",
	"forgets the content of what is open":     "an id with other content is REPEAT_REQ_INCONSISTENT after U",
	"ignores the case of ids":                 "two ids are two requests",
	"trims ids":                               "two ids are two requests",
	"cuts ids":                                "two ids are two requests",
	"ignores accents in ids":                  "two ids are two requests",
	"runs a repetition beside the first":      "a repetition while the first still runs is U at once",
	"answers F while the first still runs":    "a repetition while the first still runs is U at once",
	"looks first and keeps later":             "of many requests at once one runs",
}

func openNaive(mistake string) alipayplustest.HandlerUnderTest {
	return func(_ *testing.T, c alipayplus.Credentials, run handledFunc) http.Handler {
		return &naiveServer{naive: naive{mistake: mistake}, c: c, run: run, records: map[string]*naiveRecord{}}
	}
}

// Each server of the zoo fails the rule that names its mistake; without a
// mistake the same server passes all. No rule is without a server that fails
// it.
func TestHandlerFindsEachMistake(t *testing.T) {
	bites := map[string]bool{}
	for mistake, rule := range handlerZoo {
		if alipayplustest.CheckHandler(t, rule, openNaive(mistake)) == nil {
			t.Errorf("%s: not found by %q", mistake, rule)
		}
		bites[rule] = true
	}
	for _, rule := range alipayplustest.HandlerRules() {
		if err := alipayplustest.CheckHandler(t, rule, openNaive("")); err != nil {
			t.Errorf("without a mistake: %s: %v", rule, err)
		}
		if !bites[rule] {
			t.Errorf("no server of the zoo fails %q", rule)
		}
	}
	t.Logf("%d servers with a mistake each, all found; %d rules", len(handlerZoo), len(bites))
}

// naiveServer is a server written by hand, right but for one mistake.
type naiveServer struct {
	naive
	c       alipayplus.Credentials
	run     handledFunc
	mu      sync.Mutex
	records map[string]*naiveRecord
}

type naiveRecord struct {
	payer   string
	running bool
	answer  []byte
	at      time.Time
}

const (
	naiveU = `{"result":{"resultCode":"UNKNOWN_EXCEPTION","resultStatus":"U"}}`
	naiveF = `{"result":{"resultCode":"PROCESS_FAIL","resultStatus":"F"}}`
)

// ServeHTTP implements http.Handler.
func (s *naiveServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil && !s.is("ignores a read error") || !s.verified(r.Header, body) {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	var o handled
	err = json.Unmarshal(body, &o)
	if err != nil || bytes.Count(body, []byte(`"id"`)) > 1 && !s.is("takes the last of two members") || o.ID == "" && !s.is("runs without an id") {
		s.answer(w, `{"result":{"resultCode":"PARAM_ILLEGAL","resultStatus":"F"}}`)
		return
	}
	s.answer(w, s.once(r.Context(), &o))
}

func (s *naiveServer) answer(w http.ResponseWriter, body string) {
	at := time.Now().UTC().Format("2006-01-02T15:04:05.000Z")
	digest := sha256.Sum256([]byte("POST " + alipayplustest.HandledOrderPath + "\n" + s.c.ClientID + "." + at + "." + body))
	_, signature, err := s.c.Signer.SignDigest(context.Background(), digest)
	if err != nil {
		panic(err)
	}
	w.Header().Set("Client-Id", s.c.ClientID)
	w.Header().Set("Response-Time", at)
	if !s.is("does not sign its answers") {
		w.Header().Set("Signature", "algorithm=RSA256,keyVersion=1,signature="+url.QueryEscape(base64.StdEncoding.EncodeToString(signature)))
	}
	_, _ = io.WriteString(w, body)
}

// once runs the function at most once for an id that got S or F.
func (s *naiveServer) once(ctx context.Context, o *handled) string {
	key := o.ID
	switch {
	case s.is("ignores the case of ids"):
		key = strings.ToUpper(key)
	case s.is("trims ids"):
		key = strings.TrimSpace(key)
	case s.is("cuts ids"):
		key = key[:min(len(key), 63)]
	case s.is("ignores accents in ids"):
		key = strings.NewReplacer("é", "e", "e\u0301", "e").Replace(key)
	}
	s.mu.Lock()
	record := s.records[key]
	if record != nil && (s.is("runs each repetition") || s.is("forgets after half an hour") && time.Since(record.at) > 30*time.Minute) {
		record = nil
	}
	if record != nil && (s.is("runs a repetition beside the first") && record.running || s.is("forgets the content of what is open") && record.answer == nil) {
		record = nil
	}
	switch {
	case record == nil:
	case record.payer != o.Payer && !s.is("does not compare the content") &&
		!(s.is("compares only what succeeded") && !bytes.Contains(record.answer, []byte(`"S"`))):
		s.mu.Unlock()
		return `{"result":{"resultCode":"REPEAT_REQ_INCONSISTENT","resultStatus":"F"}}`
	case record.running:
		s.mu.Unlock()
		if s.is("answers F while the first still runs") {
			return naiveF
		}
		return naiveU
	case record.answer != nil:
		s.mu.Unlock()
		if s.is("counts the answers in the answer") {
			return strings.TrimSuffix(string(record.answer), "}") + `,"repeated":"true"}`
		}
		return string(record.answer)
	}
	record = &naiveRecord{payer: o.Payer, running: true, at: time.Now()}
	if !s.is("looks first and keeps later") {
		s.records[key] = record
	}
	s.mu.Unlock()
	answer := s.function(ctx, o)
	s.mu.Lock()
	defer s.mu.Unlock()
	record.running = false
	final := bytes.Contains(answer, []byte(`"S"`)) || bytes.Contains(answer, []byte(`"F"`)) && !s.is("keeps no F")
	if final || s.is("keeps U as final") {
		record.answer = answer
	}
	s.records[key] = record
	return string(answer)
}

func (s *naiveServer) function(ctx context.Context, o *handled) (answer []byte) {
	defer func() {
		if s.is("lets a panic through") {
			return
		}
		if v := recover(); v != nil {
			answer = []byte(naiveU)
			if s.is("answers a panic with F") {
				answer = []byte(naiveF)
			}
		}
	}()
	response, err := s.run(ctx, o)
	var code alipayplus.ResultCode
	switch {
	case errors.As(err, &code) || err != nil && s.is("answers an error with F"):
		return []byte(naiveF)
	case err != nil:
		return []byte(naiveU)
	}
	response.Result = alipayplus.CodeSuccess.Result()
	answer, err = json.Marshal(response)
	if err != nil {
		panic(err)
	}
	return answer
}

func (s *naiveServer) verified(h http.Header, body []byte) bool {
	id, at := h.Get("Client-Id"), h.Get("Request-Time")
	switch {
	case s.is("never checks a signature"),
		s.is("skips the check without a Signature") && h.Get("Signature") == "",
		s.is("skips the check without a Request-Time") && at == "",
		s.is("skips the check without a Client-Id") && id == "":
		return true
	case id != s.c.ClientID && !s.is("takes the Client-Id from the request") || id == "" || at == "",
		len(h.Values("Signature")) != 1 && !s.is("takes the first of two Signatures"):
		return false
	}
	algorithm, signature, ok := s.parts(h.Get("Signature"))
	if !ok {
		return false
	}
	if algorithm == "none" && s.is("takes algorithm none") {
		return true
	}
	text := string(body)
	if s.is("verifies the body as it would write it") || s.is("accepts only the body it would write") {
		var v any
		_ = json.Unmarshal(body, &v)
		again, _ := json.Marshal(v)
		if s.is("accepts only the body it would write") && string(again) != text {
			return false
		}
		text = string(again)
	}
	key, own := alipayplustest.AlipayKey(), s.c.Signer.(interface{ Public() crypto.PublicKey }).Public().(*rsa.PublicKey)
	verify := func(key *rsa.PublicKey, target, at string) bool {
		content := []byte("POST " + target + "\n" + id + "." + at + "." + text)
		if algorithm == "RSA512" && s.is("takes the algorithm from the message") {
			digest := sha512.Sum512(content)
			return rsa.VerifyPKCS1v15(key, crypto.SHA512, digest[:], signature) == nil
		}
		digest := sha256.Sum256(content)
		return algorithm == "RSA256" && rsa.VerifyPKCS1v15(key, crypto.SHA256, digest[:], signature) == nil
	}
	path := alipayplustest.HandledOrderPath
	switch {
	case s.is("verifies with its own key, too") && verify(own, path, at),
		s.is("does not verify the target") && verify(key, "/another/api", at):
		return true
	case s.is("does not verify the time"):
		instant, err := time.Parse(time.RFC3339, at)
		for second := range 3 {
			if err == nil && verify(key, path, instant.Add(-time.Duration(second)*time.Second).Format("2006-01-02T15:04:05.000Z")) {
				return true
			}
		}
	}
	return verify(key, path, at)
}

// parts reads a Signature header.
func (s *naiveServer) parts(header string) (algorithm string, signature []byte, ok bool) {
	if s.is("panics on a short Signature") {
		_ = strings.Split(header, ",")[2][1:]
	}
	named := map[string]string{}
	for i, item := range strings.Split(header, ",") {
		name, value, found := strings.Cut(strings.TrimSpace(item), "=")
		if !found || s.is("wants one order in the Signature header") && name != [3]string{"algorithm", "keyVersion", "signature"}[min(i, 2)] {
			return "", nil, false
		}
		named[name] = value
	}
	text, err := url.PathUnescape(named["signature"])
	if s.is("turns + into a blank") {
		text, err = url.QueryUnescape(named["signature"])
	}
	if err != nil {
		return "", nil, false
	}
	signature, err = base64.StdEncoding.DecodeString(text)
	return named["algorithm"], signature, err == nil
}
