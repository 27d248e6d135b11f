package alipayplus_test

import (
	"bufio"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/internal/testkit"
)

// almost is how exactly a call ends that the host's code would hold up.
const almost = 10 * time.Millisecond

// deaf waits for the end of the test, whatever its context says.
type deaf struct{ end chan struct{} }

func newDeaf() deaf { return deaf{make(chan struct{})} }

func (d deaf) SignDigest(context.Context, [sha256.Size]byte) (string, []byte, error) {
	<-d.end
	return testkit.Unverified{}.SignDigest(context.Background(), [sha256.Size]byte{})
}

func (d deaf) Begin(context.Context, alipayplus.Claim) (alipayplus.ClaimState, []byte, error) {
	<-d.end
	return alipayplus.ClaimFirst, nil, nil
}

func (d deaf) Finish(context.Context, alipayplus.Claim, []byte) error {
	<-d.end
	return nil
}

func (d deaf) RoundTrip(r *http.Request) (*http.Response, error) {
	arrived(r)
	<-d.end
	return response(200, nil, ""), nil
}

// heldBody returns an answer whose body never comes.
func (d deaf) heldBody(status int) transport {
	return func(r *http.Request) (*http.Response, error) {
		arrived(r)
		res := response(status, nil, "")
		res.ContentLength, res.Body = -1, io.NopCloser(d)
		return res, nil
	}
}

func (d deaf) Read([]byte) (int, error) {
	<-d.end
	return 0, io.EOF
}

// A call ends at its deadlines, whatever the host's signer and transport do
// with the context that they get.
func TestCallsEndAtTheirDeadline(t *testing.T) {
	for name, parts := range map[string]func(d deaf, cfg *alipayplus.ClientConfig){
		"a transport that ignores its context": func(d deaf, cfg *alipayplus.ClientConfig) { cfg.Transport = d },
		"a body that ignores its context":      func(d deaf, cfg *alipayplus.ClientConfig) { cfg.Transport = d.heldBody(200) },
		"an error page that never comes":       func(d deaf, cfg *alipayplus.ClientConfig) { cfg.Transport = d.heldBody(502) },
	} {
		synctest.Test(t, func(t *testing.T) {
			d := newDeaf()
			defer close(d.end)
			c := newClient(t, nil, func(cfg *alipayplus.ClientConfig) {
				cfg.Retry = quick(100)
				parts(d, cfg)
			})
			ctx, cancel := context.WithTimeout(t.Context(), 2500*time.Millisecond)
			defer cancel()
			var info alipayplus.Info
			began := time.Now()
			_, err := decodeOrder.Call(ctx, c, &order{ID: "P1"}, alipayplus.WithTimeout(time.Second), alipayplus.WithInfo(&info))
			if took := time.Since(began); took > 2500*time.Millisecond+3*almost || info.Attempts != 3 {
				t.Errorf("%s: ended after %v and %d attempts: %v", name, took, info.Attempts, err)
			}
			if !errors.Is(err, context.DeadlineExceeded) || alipayplus.OutcomeOf(err) != alipayplus.OutcomeUnknown {
				t.Errorf("%s: %v", name, err)
			}
		})
	}
	synctest.Test(t, func(t *testing.T) {
		d := newDeaf()
		defer close(d.end)
		signer := signerFunc(d.SignDigest)
		c := newClient(t, answers(bodyS), noRetry, func(cfg *alipayplus.ClientConfig) { cfg.Signer = signer })
		began := time.Now()
		_, err := decodeOrder.Call(t.Context(), c, &order{ID: "P1"}, alipayplus.WithTimeout(time.Second))
		if took := time.Since(began); took > time.Second+almost || alipayplus.OutcomeOf(err) != alipayplus.OutcomeNotSent || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a signer that ignores its context: ended after %v: %v", took, err)
		}
	})
}

// A server that switches protocols and then says nothing: net/http hands such a
// connection over without a deadline.
func TestSwitchingProtocols(t *testing.T) {
	released := make(chan struct{})
	l := listen(t, func(conn net.Conn) {
		if _, err := http.ReadRequest(bufio.NewReader(conn)); err != nil { // else the answer might come before the request
			t.Error(err)
		}
		_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n")
		<-released
	})
	defer close(released)
	c := newClient(t, &http.Transport{}, func(cfg *alipayplus.ClientConfig) { cfg.BaseURL, cfg.Retry = "http://"+l, quick(3) })
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var info alipayplus.Info
	_, err := decodeOrder.Call(ctx, c, &order{ID: "P1"}, alipayplus.WithInfo(&info))
	if alipayplus.OutcomeOf(err) != alipayplus.OutcomeUnknown || info.Attempts != 1 || info.HTTPStatus != 101 || ctx.Err() != nil {
		t.Errorf("%v after %d attempts", err, info.Attempts)
	}
	if err == nil || !strings.Contains(err.Error(), "switches protocols") {
		t.Errorf("%v", err)
	}
}

// An answer goes out in the time that Alipay+ waits, whatever the host's store
// and signer do with the context that they get.
func TestAnswersEndAtTheirDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for name, begins := range map[string]bool{"a store that hangs in Begin": false, "a store that hangs in Finish": true} {
			d := newDeaf()
			cfg := inConfig()
			memory := cfg.Idempotency
			cfg.Idempotency = &inStoreFault{
				begin: func(_ int, ctx context.Context, c alipayplus.Claim, _ alipayplus.IdempotencyStore) (alipayplus.ClaimState, []byte, error) {
					if begins {
						return memory.Begin(ctx, c)
					}
					return d.Begin(ctx, c)
				},
				finish: func(_ int, ctx context.Context, c alipayplus.Claim, answer []byte, _ alipayplus.IdempotencyStore) error {
					return d.Finish(ctx, c, answer)
				},
			}
			h := testkit.Must(alipayplus.NewHandler(cfg, inMove.Handle(inMovePath, inDone)))
			began := time.Now()
			if got := inSend(t, h, inValid); got != alipayplus.CodeUnknownException.Result() || time.Since(began) > 7*time.Second+almost {
				t.Errorf("%s: %v after %v", name, got, time.Since(began))
			}
			close(d.end)
			synctest.Wait()
		}
		d := newDeaf()
		defer close(d.end)
		cfg := inConfig()
		cfg.Signer = &lateDeaf{deaf: d, Signer: cfg.Signer}
		h := testkit.Must(alipayplus.NewHandler(cfg, inMove.Handle(inMovePath, inDone)))
		began := time.Now()
		w := inServe(h, inArrive(inMovePath, inValid).request())
		if took := time.Since(began); w.Code != http.StatusInternalServerError || took > 8*time.Second+almost {
			t.Errorf("a signer that hangs: HTTP %d after %v", w.Code, took)
		}
	})
}

// lateDeaf signs once, for NewHandler, and then hangs.
type lateDeaf struct {
	alipayplus.Signer
	deaf
	once sync.Once
}

func (s *lateDeaf) SignDigest(ctx context.Context, digest [sha256.Size]byte) (version string, signature []byte, err error) {
	first := false
	s.once.Do(func() { first = true })
	if first {
		return s.Signer.SignDigest(ctx, digest)
	}
	return s.deaf.SignDigest(ctx, digest)
}

// A stranger who announces a body and does not send it is sent away in time,
// also by a server that has no limits of its own, and by one that cannot set
// any.
func TestUnverifiedBodiesEndAtTheirDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := testkit.Must(alipayplus.NewHandler(inConfig(), inMove.Handle(inMovePath, inDone)))
		head, _, _ := strings.Cut(inHTTP(inArrive(inMovePath, inValid)), "{")
		pipes, done := make(inPipes), make(chan error)
		server := &http.Server{Handler: h} //nolint:gosec // the point: no limits
		go func() { done <- server.Serve(pipes) }()
		client, at := net.Pipe()
		pipes <- at
		go func() { _, _ = io.WriteString(client, head+"{") }()
		began := time.Now()
		answer, _ := io.ReadAll(client)
		if took := time.Since(began); took > 7*time.Second+time.Second || !strings.HasPrefix(string(answer), "HTTP/1.1 401 ") {
			t.Errorf("a server without limits: %v: %q", took, answer)
		}
		_ = server.Close()
		<-done

		d := newDeaf()
		defer close(d.end)
		r := inArrive(inMovePath, inValid).request()
		r.Body, r.ContentLength = io.NopCloser(d), -1
		w := httptest.NewRecorder()
		began = time.Now()
		h.ServeHTTP(w, r)
		if took := time.Since(began); took > 7*time.Second+almost || w.Code != http.StatusUnauthorized {
			t.Errorf("a server that sets no deadline: HTTP %d after %v", w.Code, took)
		}
	})
}

// After the body of a request nothing of its deadline is left: the function and
// the signer may take their time.
func TestReadDeadlineEndsWithTheBody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := signerFunc(func(ctx context.Context, digest [32]byte) (string, []byte, error) {
			if err := ctx.Err(); err != nil {
				return "", nil, err
			}
			return signerOf("7", testkit.Keys().Wallet).SignDigest(ctx, digest)
		})
		cfg := inConfig()
		cfg.Signer = slow
		h := testkit.Must(alipayplus.NewHandler(cfg, inMove.Handle(inMovePath, func(ctx context.Context, r *inRequest) (*inResponse, error) {
			time.Sleep(20 * time.Second) // longer than any deadline
			return inDone(ctx, r)
		})))
		pipes, done := make(inPipes), make(chan error)
		server := &http.Server{Handler: h} //nolint:gosec // the point: no limits
		go func() { done <- server.Serve(pipes) }()
		client, at := net.Pipe()
		pipes <- at
		go func() { _, _ = io.WriteString(client, inHTTP(inArrive(inMovePath, inValid))) }()
		answer := make([]byte, 15)
		if _, err := io.ReadFull(client, answer); err != nil || string(answer) != "HTTP/1.1 200 OK" {
			t.Errorf("%q %v", answer, err)
		}
		_ = client.Close()
		_ = server.Close()
		<-done
	})
}

// A panic of the host's signer is one of the caller's goroutine, where a server
// recovers it.
func TestPanicsArePassedOn(t *testing.T) {
	signer := signerFunc(func(context.Context, [32]byte) (string, []byte, error) { panic("no connection to the HSM") })
	c := newClient(t, answers(bodyS), noRetry, func(cfg *alipayplus.ClientConfig) { cfg.Signer = signer })
	defer func() {
		if v := recover(); v != "no connection to the HSM" {
			t.Errorf("recovered %v", v)
		}
	}()
	_, _ = decodeOrder.Call(t.Context(), c, &order{ID: "P1"})
	t.Error("no panic")
}
