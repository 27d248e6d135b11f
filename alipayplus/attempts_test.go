package alipayplus_test

import (
	"context"
	"crypto"
	"crypto/sha256"
	"encoding/base64"
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
	"github.com/alipayplus-mpp/alipayplus-go/internal/testkit"
)

// digestSigner gives each digest a signature of its own that costs nothing: the
// digest, eight times. Whoever knows that can verify it.
type digestSigner struct{}

func (digestSigner) SignDigest(_ context.Context, digest [sha256.Size]byte) (string, []byte, error) {
	signature := make([]byte, 0, 256)
	for len(signature) < 256 {
		signature = append(signature, digest[:]...)
	}
	return "1", signature, nil
}

func (digestSigner) Public() crypto.PublicKey { return &testkit.Keys().Wallet.PublicKey }

// sameMessage watches the attempts of many calls: all of one call have the same
// body, each has the time of its sending and a signature of just this content.
type sameMessage struct {
	mu       sync.Mutex
	bodies   map[string]string // by id
	attempts map[string]int
	times    map[string]map[string]bool
	problems []string
}

func (s *sameMessage) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	id, _, _ := strings.Cut(strings.TrimPrefix(string(body), `{"id":"`), `"`)
	at := r.Header.Get("Request-Time")
	digest := sha256.Sum256([]byte("POST " + r.URL.RequestURI() + "\n" + clientID + "." + at + "." + string(body)))
	_, signature, _ := digestSigner{}.SignDigest(r.Context(), digest)
	want := "algorithm=RSA256,keyVersion=1,signature=" + url.QueryEscape(base64.StdEncoding.EncodeToString(signature))

	s.mu.Lock()
	defer s.mu.Unlock()
	s.attempts[id]++
	number := s.attempts[id]
	problem := func(what string) {
		s.problems = append(s.problems, fmt.Sprintf("%s, attempt %d: %s", id, number, what))
	}
	if first, ok := s.bodies[id]; ok && first != string(body) {
		problem("another body")
	}
	s.bodies[id] = string(body)
	if at != stamp(time.Now()) {
		problem("Request-Time is not now")
	}
	if s.times[id] == nil {
		s.times[id] = map[string]bool{}
	}
	if s.times[id][at] {
		problem("the time of another attempt")
	}
	s.times[id][at] = true
	if r.Header.Get("Signature") != want {
		problem("a signature of something else")
	}
	if number < attemptsOf(id) {
		return response(503, nil, ""), nil
	}
	delete(s.times, id)
	return response(200, constantHeader(at), bodyS), nil
}

// attemptsOf returns how many attempts a call takes, 1 to 5.
func attemptsOf(id string) int { return int(id[len(id)-1]-'0')%5 + 1 }

// constantHeader returns a signed answer's header for a time, made once for
// each: the clock of a bubble has few.
func constantHeader(at string) http.Header { return signedHeader(decodePath, at, bodyS) }

// fixedWait is a policy of five attempts that waits a whole second: in virtual
// time the answers of many calls then share their signatures.
type fixedWait struct{}

func (fixedWait) Next(a alipayplus.Attempt) (time.Duration, bool) { return time.Second, a.Number < 5 }

// All attempts of a call are one message: the same body, with a time and a
// signature of its own. 10,000 calls of up to five attempts each;
// ALIPAYPLUS_LONG=1 makes it 100,000.
func TestManyCallsRepeatTheSameMessage(t *testing.T) {
	n := size(10_000, 2_000, 100_000)
	synctest.Test(t, func(t *testing.T) {
		watch := &sameMessage{bodies: map[string]string{}, attempts: map[string]int{}, times: map[string]map[string]bool{}}
		c := newClient(t, watch, func(cfg *alipayplus.ClientConfig) {
			cfg.Signer, cfg.Retry, cfg.Budget = digestSigner{}, fixedWait{}, &alipayplus.Budget{PerCall: 5, Reserve: 1e9}
		})
		var calls sync.WaitGroup
		for i := range n {
			calls.Go(func() {
				id := fmt.Sprint("P", i)
				request := &order{ID: id, Code: alipayplus.Conceal("2816" + id), Payer: "<é>&\u2028"}
				if _, err := decodeOrder.Call(t.Context(), c, request); err != nil {
					t.Errorf("%s: %v", id, err)
				}
			})
			if i%1000 == 999 {
				calls.Wait()
			}
		}
		calls.Wait()
		attempts := 0
		for id, n := range watch.attempts {
			attempts += n
			if n != attemptsOf(id) {
				t.Errorf("%s: %d attempts", id, n)
			}
		}
		if len(watch.attempts) != n || attempts != 3*n {
			t.Errorf("%d calls with %d attempts", len(watch.attempts), attempts)
		}
		for i, p := range watch.problems {
			if i < 10 {
				t.Error(p)
			}
		}
		t.Logf("%d calls, %d attempts: %d with another body, an old time or another signature", n, attempts, len(watch.problems))
	})
}

// What the test above looks for is found where it is wrong.
func TestManyCallsBites(t *testing.T) {
	for name, spoil := range map[string]func(r *http.Request, body string) string{
		"another body": func(_ *http.Request, body string) string { return strings.Replace(body, `"}`, `" }`, 1) },
		"the first time again": func(r *http.Request, body string) string {
			r.Header.Set("Request-Time", "2000-01-01T00:00:00.000Z")
			return body
		},
		"the first signature": func(r *http.Request, body string) string {
			r.Header.Set("Signature", "algorithm=RSA256,keyVersion=1,signature=AA")
			return body
		},
	} {
		synctest.Test(t, func(t *testing.T) {
			watch := &sameMessage{bodies: map[string]string{}, attempts: map[string]int{}, times: map[string]map[string]bool{}}
			n := 0
			c := newClient(t, transport(func(r *http.Request) (*http.Response, error) {
				body, err := io.ReadAll(r.Body)
				if err != nil {
					return nil, err
				}
				text := string(body)
				if n++; n > 1 {
					text = spoil(r, text)
				}
				r.Body = io.NopCloser(strings.NewReader(text))
				return watch.RoundTrip(r)
			}), func(cfg *alipayplus.ClientConfig) { cfg.Signer, cfg.Retry = digestSigner{}, fixedWait{} })
			_, _ = decodeOrder.Call(t.Context(), c, &order{ID: "P2", Payer: "C"})
			if len(watch.problems) == 0 {
				t.Errorf("%s: not found", name)
			}
		})
	}
}
