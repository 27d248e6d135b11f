package alipayplus

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http/httptrace"
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

// connection learns from httptrace whether the request ever got a connection.
// Only a transport that took part in the trace can prove that it did not.
type connection struct {
	trace      httptrace.ClientTrace
	asked, got atomic.Bool
}

func newConnection() *connection {
	c := new(connection)
	c.trace.GetConn = func(string) { c.asked.Store(true) }
	c.trace.GotConn = func(httptrace.GotConnInfo) { c.got.Store(true) }
	return c
}

func (c *connection) untouched() bool { return c.asked.Load() && !c.got.Load() }
