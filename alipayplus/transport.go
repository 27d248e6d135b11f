package alipayplus

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http/httptrace"
	"sync"
	"sync/atomic"
	"syscall"
)

// networkError has a text that shows neither URL nor header; errors.Is and
// errors.As find the cause.
type networkError struct {
	text  string
	cause error
}

func (e *networkError) Error() string { return e.text }

func (e *networkError) Unwrap() error { return e.cause }

func (e *networkError) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, e.text) }

func transportError(err error) error {
	var certificate *tls.CertificateVerificationError
	var dns *net.DNSError
	var timeout net.Error
	text := "the connection failed"
	switch {
	case errors.As(err, &certificate):
		text = "the gateway's TLS certificate is not accepted"
	case errors.As(err, &dns):
		text = "the gateway's host name does not resolve"
	case errors.Is(err, syscall.ECONNREFUSED):
		text = "connection refused"
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		text = "timed out"
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		text = "connection reset"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		text = "the connection was closed before the answer was complete"
	}
	return &networkError{text, err}
}

// outgoing is the body of a request, and what is known about its way. A request
// was certainly not sent if no byte of the body was read and the transport
// never had a connection. Neither proves it alone: a transport may fill a
// buffer before it dials; and one that fails over tells httptrace of one way
// and takes another.
type outgoing struct {
	trace      httptrace.ClientTrace
	asked, got atomic.Bool // for a connection; a transport that is not net/http's may not tell

	mu   sync.Mutex
	rest []byte
	read bool // some byte, at least
	shut bool
}

func newOutgoing(body []byte) *outgoing {
	o := &outgoing{rest: body}
	o.trace.GetConn = func(string) { o.asked.Store(true) }
	o.trace.GotConn = func(httptrace.GotConnInfo) { o.got.Store(true) }
	return o
}

// Read implements io.Reader.
func (o *outgoing) Read(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	switch {
	case o.shut:
		return 0, errShut
	case len(o.rest) == 0:
		return 0, io.EOF
	}
	n := copy(p, o.rest)
	o.rest = o.rest[n:]
	o.read = o.read || n > 0
	return n, nil
}

var errShut = errors.New("the attempt is over")

// notSent ends the attempt: no byte can be read from now on. It reports whether
// it is proved that nothing was sent.
func (o *outgoing) notSent() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.shut = true
	return o.asked.Load() && !o.got.Load() && !o.read
}
