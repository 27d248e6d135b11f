package alipayplus_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"os"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
)

var errLost = errors.New("connection lost")

// dialError returns what a transport returns that found nobody, having told the
// request's trace that it tried.
func dialError(r *http.Request) error {
	httptrace.ContextClientTrace(r.Context()).GetConn(r.URL.Host)
	return &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
}

// arrived tells the request's trace that there was a connection.
func arrived(r *http.Request) {
	trace := httptrace.ContextClientTrace(r.Context())
	trace.GetConn(r.URL.Host)
	trace.GotConn(httptrace.GotConnInfo{})
}

// closedPort is an address at which nobody listens. A port that was just closed
// would be given to the next who asks for one, another test perhaps; this one is
// given to nobody.
const closedPort = "127.0.0.1:1"

// callOver makes one call with the SDK's own transport, or rt, and tells what
// came of it.
func callOver(t *testing.T, baseURL string, rt http.RoundTripper) (attempts int, err error) {
	t.Helper()
	c := newClient(t, rt, func(cfg *alipayplus.ClientConfig) { cfg.BaseURL, cfg.Retry = baseURL, quick(3) })
	defer c.CloseIdleConnections()
	var info alipayplus.Info
	answer, err := decodeOrder.Call(t.Context(), c, &order{ID: "1"}, alipayplus.WithInfo(&info))
	if answer != nil {
		t.Error("an answer")
	}
	return info.Attempts, err
}

// On a real network: what is proved, and what is not.
func TestNotSentIsProved(t *testing.T) {
	silent := func(l *tls.Config) *httptest.Server {
		s := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("a request arrived") }))
		s.Config.ErrorLog = log.New(io.Discard, "", 0)
		s.TLS = l
		s.StartTLS()
		t.Cleanup(s.Close)
		return s
	}
	t.Run("closed port", func(t *testing.T) {
		attempts, err := callOver(t, "https://"+closedPort, nil)
		if alipayplus.OutcomeOf(err) != alipayplus.OutcomeNotSent || attempts != 3 || !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("%v after %d attempts, want not sent after 3", err, attempts)
		}
	})
	t.Run("a certificate of nobody", func(t *testing.T) {
		attempts, err := callOver(t, silent(nil).URL, nil)
		var certificate *tls.CertificateVerificationError
		if alipayplus.OutcomeOf(err) != alipayplus.OutcomeNotSent || attempts != 1 || !errors.As(err, &certificate) {
			t.Errorf("%v after %d attempts, want not sent after 1", err, attempts)
		}
	})
	t.Run("a certificate of another host", func(t *testing.T) {
		s := silent(nil)
		roots := x509.NewCertPool()
		roots.AddCert(s.Certificate())
		rt := &http.Transport{
			TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
			DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
				return new(net.Dialer).DialContext(ctx, "tcp", s.Listener.Addr().String())
			},
		}
		attempts, err := callOver(t, "https://gateway.invalid", rt)
		if alipayplus.OutcomeOf(err) != alipayplus.OutcomeNotSent || attempts != 1 {
			t.Errorf("%v after %d attempts, want not sent after 1", err, attempts)
		}
	})
	t.Run("TLS 1.1 only", func(t *testing.T) {
		attempts, err := callOver(t, silent(&tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}).URL, nil)
		if alipayplus.OutcomeOf(err) != alipayplus.OutcomeNotSent || attempts != 3 {
			t.Errorf("%v after %d attempts, want not sent after 3", err, attempts)
		}
	})
	t.Run("no TLS at all", func(t *testing.T) {
		l := listen(t, func(conn net.Conn) { _, _ = io.WriteString(conn, "220 mail.example ESMTP\r\n") })
		attempts, err := callOver(t, "https://"+l, nil)
		if alipayplus.OutcomeOf(err) != alipayplus.OutcomeNotSent || attempts != 3 {
			t.Errorf("%v after %d attempts, want not sent after 3", err, attempts)
		}
	})
	t.Run("closed in the handshake", func(t *testing.T) {
		attempts, err := callOver(t, "https://"+listen(t, func(net.Conn) {}), nil)
		if alipayplus.OutcomeOf(err) != alipayplus.OutcomeNotSent || attempts != 3 {
			t.Errorf("%v after %d attempts, want not sent after 3", err, attempts)
		}
	})
	t.Run("closed after the request", func(t *testing.T) {
		var requests atomic.Int64
		l := listen(t, func(conn net.Conn) {
			if _, err := http.ReadRequest(bufio.NewReader(conn)); err == nil {
				requests.Add(1)
			}
		})
		attempts, err := callOver(t, "http://"+l, &http.Transport{})
		if alipayplus.OutcomeOf(err) != alipayplus.OutcomeUnknown || attempts != 3 || requests.Load() != 3 {
			t.Errorf("%v after %d attempts and %d requests, want unknown after 3", err, attempts, requests.Load())
		}
	})
	t.Run("closed at once", func(t *testing.T) {
		_, err := callOver(t, "http://"+listen(t, func(net.Conn) {}), &http.Transport{})
		if alipayplus.OutcomeOf(err) != alipayplus.OutcomeUnknown {
			t.Errorf("%v, want unknown: bytes may have arrived", err)
		}
	})
}

// listen serves each connection with serve and closes it then.
func listen(t *testing.T, serve func(net.Conn)) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				serve(conn)
			}()
		}
	}()
	return l.Addr().String()
}

// A transport that says nothing to httptrace proves nothing, whatever error it
// returns: it may have sent before.
func TestSilentTransportProvesNothing(t *testing.T) {
	dial := &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
	for name, rt := range map[string]transport{
		"a dial error out of nowhere": func(*http.Request) (*http.Response, error) { return nil, dial },
		"a dial error after a connection": func(r *http.Request) (*http.Response, error) {
			arrived(r)
			return nil, dial
		},
		"a dial error of a second try": func(r *http.Request) (*http.Response, error) {
			arrived(r)
			return nil, dialError(r)
		},
		"a certificate error out of nowhere": func(*http.Request) (*http.Response, error) {
			return nil, &tls.CertificateVerificationError{Err: errors.New("expired")}
		},
		"a DNS error out of nowhere":      func(*http.Request) (*http.Response, error) { return nil, &net.DNSError{IsNotFound: true} },
		"neither a response nor an error": func(*http.Request) (*http.Response, error) { return nil, nil },
		"a response without a body":       func(*http.Request) (*http.Response, error) { return &http.Response{StatusCode: http.StatusOK}, nil },
	} {
		c := newClient(t, rt, noRetry)
		answer, err := decodeOrder.Call(t.Context(), c, &order{ID: "1"})
		if answer != nil || alipayplus.OutcomeOf(err) != alipayplus.OutcomeUnknown {
			t.Errorf("%s: %v, want unknown", name, err)
		}
	}
}

// A transport that fails over may tell httptrace of a way on which nobody
// answered and send on another: "not sent" is proved only if nobody read the
// body. So an API that must not be sent twice is not.
func TestFailingOverIsSent(t *testing.T) {
	second := transport(func(r *http.Request) (*http.Response, error) {
		if _, err := io.ReadAll(r.Body); err != nil {
			return nil, err
		}
		return nil, errLost
	})
	for name, rt := range map[string]transport{
		"to a way that tells nothing": func(r *http.Request) (*http.Response, error) {
			_ = dialError(r)
			return second(r)
		},
		"with the error of the first way": func(r *http.Request) (*http.Response, error) {
			_, _ = second(r)
			return nil, dialError(r)
		},
		"after one byte": func(r *http.Request) (*http.Response, error) {
			_, _ = r.Body.Read(make([]byte, 1))
			return nil, dialError(r)
		},
	} {
		for _, op := range []*alipayplus.Outbound[order, orderAnswer]{onceOnly, decodeOrder} {
			sent := 0
			count := transport(func(r *http.Request) (*http.Response, error) { sent++; return rt(r) })
			_, err := op.Call(t.Context(), newClient(t, count, func(cfg *alipayplus.ClientConfig) { cfg.Retry = quick(5) }), &order{ID: "1"})
			if want := map[bool]int{true: 1, false: 5}[op == onceOnly]; alipayplus.OutcomeOf(err) != alipayplus.OutcomeUnknown || sent != want {
				t.Errorf("%s, %s: %v after %d requests, want unknown after %d", name, op.Name(), err, sent, want)
			}
		}
	}
	// Control: nobody has read.
	sent := 0
	refused := transport(func(r *http.Request) (*http.Response, error) { sent++; return nil, dialError(r) })
	_, err := onceOnly.Call(t.Context(), newClient(t, refused, func(cfg *alipayplus.ClientConfig) { cfg.Retry = quick(5) }), &order{ID: "1"})
	if alipayplus.OutcomeOf(err) != alipayplus.OutcomeNotSent || sent != 5 {
		t.Errorf("control: %v after %d tries", err, sent)
	}
}

// A transport that still dials when the attempt is over cannot send any more:
// else "not sent" would be wrong a moment later.
func TestNothingIsSentAfterNotSent(t *testing.T) {
	late := make(chan struct{})
	read := make(chan error)
	rt := transport(func(r *http.Request) (*http.Response, error) {
		err := dialError(r)
		go func() {
			<-late
			sent, readErr := io.ReadAll(r.Body)
			if len(sent) > 0 {
				readErr = nil
			}
			read <- readErr
		}()
		return nil, err
	})
	_, err := onceOnly.Call(t.Context(), newClient(t, rt, noRetry), &order{ID: "1"})
	if alipayplus.OutcomeOf(err) != alipayplus.OutcomeNotSent {
		t.Errorf("%v", err)
	}
	close(late)
	if err := <-read; err == nil {
		t.Error("the body was read after the attempt")
	}
}
