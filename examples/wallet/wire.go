package main

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"path"
	"regexp"
	"sync"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
)

// message is a signed message, or that there was none.
type message struct {
	Number    int
	At        time.Time
	Operation string
	FromUs    bool // the wallet sent it
	Answer    bool
	Attempt   int    // how often this request was sent, the same bytes each time
	Verified  bool   // its signature is the sender's, for what arrived
	Lost      string // why there is no answer
	Status    string // of the result: S, F, U
	Code      string
	HTTP      int    // of an answer
	JSON      string // readable, without secrets
	Target    string
	ClientID  string
	Time      string
	Signature string
	Bytes     int
	Digest    string // of the body
}

// kept is how many messages the page shows at most.
const kept = 200

// wire remembers the messages that pass between the wallet and Alipay+.
type wire struct {
	changed notifier

	mu       sync.Mutex
	ours     *alipayplus.KeyRing // the wallet's public key
	theirs   *alipayplus.KeyRing // Alipay+'s
	number   int
	messages []message
	attempts map[[sha256.Size]byte]int // by target and body
}

func newWire() *wire { return &wire{attempts: make(map[[sha256.Size]byte]int)} }

// knows tells wire the keys of both sides.
func (w *wire) knows(c alipayplus.Credentials) error {
	signer, ok := c.Signer.(interface{ Public() crypto.PublicKey })
	var public *rsa.PublicKey
	if ok {
		public, ok = signer.Public().(*rsa.PublicKey)
	}
	if !ok {
		return fmt.Errorf("the wallet's signer shows no public key")
	}
	ours, err := alipayplus.NewKeyRing(map[string]*rsa.PublicKey{"1": public})
	w.ours, w.theirs = ours, c.Keys
	return err
}

// after returns the messages after number n, the oldest first.
func (w *wire) after(n int) []message {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i, m := range w.messages {
		if m.Number > n {
			return append([]message(nil), w.messages[i:]...)
		}
	}
	return nil
}

func (w *wire) add(m message) {
	m.At = time.Now()
	w.mu.Lock()
	w.number++
	m.Number = w.number
	if w.messages = append(w.messages, m); len(w.messages) > kept {
		w.messages = w.messages[1:]
	}
	w.mu.Unlock()
	w.changed.tell()
}

// watch is a transport whose messages are remembered. fromUs: the wallet sends
// the requests; else Alipay+ does.
func (w *wire) watch(fromUs bool, next http.RoundTripper) http.RoundTripper {
	return watching{w, fromUs, next}
}

type watching struct {
	wire   *wire
	fromUs bool
	next   http.RoundTripper
}

func (t watching) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	_ = r.Body.Close()
	r = r.Clone(r.Context())
	r.Body = io.NopCloser(bytes.NewReader(body))
	target := r.URL.RequestURI()
	operation := path.Base(r.URL.Path)
	t.wire.mu.Lock()
	key := sha256.Sum256(append([]byte(target+"\n"), body...))
	if len(t.wire.attempts) > 10_000 {
		clear(t.wire.attempts) // a toy: they count anew
	}
	t.wire.attempts[key]++
	attempt := t.wire.attempts[key]
	t.wire.mu.Unlock()
	t.wire.add(t.wire.read(message{Operation: operation, FromUs: t.fromUs, Attempt: attempt}, target, r.Header, "Request-Time", body))

	response, err := t.next.RoundTrip(r)
	if err != nil {
		t.wire.add(message{Operation: operation, FromUs: !t.fromUs, Answer: true, Attempt: attempt, Lost: "No answer: the connection was closed."})
		return nil, err
	}
	answer, err := io.ReadAll(response.Body)
	_ = response.Body.Close()
	if err != nil {
		t.wire.add(message{Operation: operation, FromUs: !t.fromUs, Answer: true, Attempt: attempt, Lost: "No answer: it broke off."})
		return nil, err
	}
	response.Body = io.NopCloser(bytes.NewReader(answer))
	m := message{Operation: operation, FromUs: !t.fromUs, Answer: true, Attempt: attempt, HTTP: response.StatusCode}
	t.wire.add(t.wire.read(m, target, response.Header, "Response-Time", answer))
	return response, nil
}

// read fills in what a message's header and body say.
func (w *wire) read(m message, target string, h http.Header, timeHeader string, body []byte) message {
	sum := sha256.Sum256(body)
	m.Target, m.ClientID, m.Time, m.Signature = target, h.Get("Client-Id"), h.Get(timeHeader), h.Get("Signature")
	m.Bytes, m.Digest, m.JSON = len(body), fmt.Sprintf("%x", sum), readable(body)
	keys := w.theirs
	if m.FromUs {
		keys = w.ours
	}
	m.Verified = alipayplus.Content{
		Method: http.MethodPost, Target: target, ClientID: m.ClientID, Time: m.Time, Body: body,
	}.Verify(m.Signature, keys) == nil
	if m.Answer {
		var answer struct {
			Result        alipayplus.Result `json:"result"`
			PaymentResult alipayplus.Result `json:"paymentResult"`
		}
		if json.Unmarshal(body, &answer) == nil {
			m.Status, m.Code = string(answer.Result.Status), string(answer.Result.Code)
		}
	}
	return m
}

// secretMembers are hidden; what is signed and sent are the exact bytes.
var secretMembers = regexp.MustCompile(`"(codeValue|paymentUrl|paymentRedirectUrl|accessToken|refreshToken|authCode|paymentMethodId|` +
	`userLoginId|authState|passThroughInfo|sdkActionPayload)"\s*:\s*"(?:[^"\\]|\\.)*"`)

// readable is a body for the eye: indented, without its secrets.
func readable(body []byte) string {
	var text bytes.Buffer
	if json.Indent(&text, secretMembers.ReplaceAll(body, []byte(`"$1":"(hidden)"`)), "", "  ") != nil {
		return fmt.Sprintf("%d bytes that are not JSON", len(body))
	}
	return text.String()
}
