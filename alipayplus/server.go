package alipayplus

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"
)

// NewServer returns an http.Server for h with every limit set, so that slow and
// oversized requests cannot hold it up. Give it TLS, or a proxy in front of it
// that has it.
func NewServer(addr string, h http.Handler) *http.Server {
	return &http.Server{
		Addr:              addr,
		Handler:           h,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       15 * time.Second,
		WriteTimeout:      40 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    16 << 10,
	}
}

// grace is how long Serve waits for the requests that run when its context
// ends: longer than Alipay+ waits for any answer.
const grace = 15 * time.Second

// Serve serves s at s.Addr until ctx ends, and then lets the requests that run
// end, for 15 seconds at most. It uses TLS if s.TLSConfig has a certificate. It
// returns nil after ctx ended and all requests were answered; else why the
// server could not listen, or that requests were cut off.
func Serve(ctx context.Context, s *http.Server) error {
	return serve(ctx, s, s.ListenAndServe, s.ListenAndServeTLS)
}

// ServeListener serves like [Serve], on l instead of s.Addr, and closes l: for
// a free port, or a socket that the system opened.
//
//	l, err := net.Listen("tcp", "127.0.0.1:0")
//	…
//	err = alipayplus.ServeListener(ctx, alipayplus.NewServer("", handler), l)
func ServeListener(ctx context.Context, s *http.Server, l net.Listener) error {
	return serve(ctx, s,
		func() error { return s.Serve(l) },
		func(cert, key string) error { return s.ServeTLS(l, cert, key) })
}

func serve(ctx context.Context, s *http.Server, plain func() error, withTLS func(cert, key string) error) error {
	ended := make(chan error, 1)
	go func() {
		if hasCertificate(s.TLSConfig) {
			ended <- withTLS("", "")
		} else {
			ended <- plain()
		}
	}()
	select {
	case err := <-ended:
		return served(err)
	case <-ctx.Done():
	}
	shutdown, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer cancel()
	if err := s.Shutdown(shutdown); err != nil {
		_ = s.Close()
		_ = served(<-ended) // the error below says more
		return fmt.Errorf("alipayplus: requests were cut off: %w", err)
	}
	return served(<-ended)
}

// served returns the error that a server ended with: that it was closed is
// none.
func served(err error) error {
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

func hasCertificate(c *tls.Config) bool {
	return c != nil && (len(c.Certificates) > 0 || c.GetCertificate != nil || c.GetConfigForClient != nil)
}
