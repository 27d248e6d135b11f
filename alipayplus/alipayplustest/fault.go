package alipayplustest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"syscall"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
)

// Fault takes the place of one exchange. serve is Alipay+ itself: a fault that
// does not call it loses the request, one that calls it and returns an error
// loses the answer after processing. Others can be written in the same way.
type Fault func(r *http.Request, serve func(*http.Request) *http.Response) (*http.Response, error)

// Fail gives the next requests of op these faults, one each. A fault that is
// never met is an error of the test.
func (g *Gateway) Fail(op interface{ Name() string }, next ...Fault) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.faults[op.Name()] = append(g.faults[op.Name()], next...)
}

type gatewayKey struct{}

type served struct {
	g      *Gateway
	target string
	// instead answers a request that arrives and verifies without processing it.
	instead func(r *http.Request, result alipayplus.Result) *http.Response
}

func gatewayOf(r *http.Request) *served { return r.Context().Value(gatewayKey{}).(*served) }

var errLost = errors.New("alipayplustest: connection lost")

// None makes no fault: the exchange takes its course, between others that fail.
func None() Fault {
	return func(r *http.Request, serve func(*http.Request) *http.Response) (*http.Response, error) {
		return serve(r), nil
	}
}

// RefuseConnection makes a fault where nobody listens, so that nothing is sent.
// Over HTTP it is [LoseRequest].
func RefuseConnection() Fault {
	return func(*http.Request, func(*http.Request) *http.Response) (*http.Response, error) {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
	}
}

// LoseRequest makes a fault where the connection breaks before Alipay+ has the
// request.
func LoseRequest() Fault {
	return func(*http.Request, func(*http.Request) *http.Response) (*http.Response, error) {
		return nil, errLost
	}
}

// LoseAnswer makes a fault where Alipay+ processes the request, then the
// connection breaks.
func LoseAnswer() Fault {
	return func(r *http.Request, serve func(*http.Request) *http.Response) (*http.Response, error) {
		serve(r)
		return nil, errLost
	}
}

// Truncate makes a fault where the answer's body breaks off after n bytes.
func Truncate(n int) Fault {
	return func(r *http.Request, serve func(*http.Request) *http.Response) (*http.Response, error) {
		response := serve(r)
		body, err := io.ReadAll(response.Body)
		if err != nil {
			return nil, err
		}
		response.Body = io.NopCloser(io.MultiReader(bytes.NewReader(body[:min(n, len(body))]), brokenReader{}))
		return response, nil
	}
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// Tamper makes a fault where somebody changes one letter of the answer on its
// way.
func Tamper() Fault {
	return func(r *http.Request, serve func(*http.Request) *http.Response) (*http.Response, error) {
		response := serve(r)
		body, err := io.ReadAll(response.Body)
		if err != nil {
			return nil, err
		}
		body[len(body)/2] ^= 1
		response.Body = io.NopCloser(bytes.NewReader(body))
		return response, nil
	}
}

// HalfSigned makes a fault where the answer comes without its Response-Time.
func HalfSigned() Fault {
	return func(r *http.Request, serve func(*http.Request) *http.Response) (*http.Response, error) {
		response := serve(r)
		response.Header.Del("Response-Time")
		return response, nil
	}
}

// Unsigned makes a fault where somebody answers result, unsigned, and the
// request is not processed.
func Unsigned(result alipayplus.Result) Fault {
	return func(*http.Request, func(*http.Request) *http.Response) (*http.Response, error) {
		return unsigned(http.StatusOK, result), nil
	}
}

// BadGateway makes a fault where a proxy answers 502 with an HTML page.
func BadGateway() Fault {
	return func(*http.Request, func(*http.Request) *http.Response) (*http.Response, error) {
		return respond(http.StatusBadGateway, http.Header{"Content-Type": {"text/html"}},
			[]byte("<html><body><h1>502 Bad Gateway</h1></body></html>")), nil
	}
}

// Unknown makes a fault where Alipay+ answers U with this code, signed, and
// does not process the request.
func Unknown(code alipayplus.ResultCode) Fault {
	return func(r *http.Request, _ func(*http.Request) *http.Response) (*http.Response, error) {
		return gatewayOf(r).instead(r, alipayplus.Result{Code: code, Status: alipayplus.StatusUnknown}), nil
	}
}

// Refused makes a fault where Alipay+ answers F with this code, signed, and
// does not process the request. Nothing is remembered: the same request, again,
// is processed.
func Refused(code alipayplus.ResultCode) Fault {
	return func(r *http.Request, _ func(*http.Request) *http.Response) (*http.Response, error) {
		return gatewayOf(r).instead(r, alipayplus.Result{Code: code, Status: alipayplus.StatusFailed}), nil
	}
}

// Stale makes a fault where Alipay+ processes the request and answers with a
// signed time that lies this far in the past.
func Stale(age time.Duration) Fault {
	return func(r *http.Request, serve func(*http.Request) *http.Response) (*http.Response, error) {
		response := serve(r)
		body, err := io.ReadAll(response.Body)
		if err != nil {
			return nil, err
		}
		at := gatewayOf(r)
		return at.g.sign(at.target, body, time.Now().Add(-age)), nil
	}
}

// Delay makes a fault where the answer takes this long, or for ever if d is
// negative; the request is processed at once.
func Delay(d time.Duration) Fault {
	return func(r *http.Request, serve func(*http.Request) *http.Response) (*http.Response, error) {
		response := serve(r)
		if err := wait(r.Context(), d); err != nil {
			return nil, err
		}
		return response, nil
	}
}

func wait(ctx context.Context, d time.Duration) error {
	var fired <-chan time.Time // never, if d is negative
	if d >= 0 {
		timer := time.NewTimer(d)
		defer timer.Stop()
		fired = timer.C
	}
	select {
	case <-fired:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
