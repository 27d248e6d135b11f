package alipayplus

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
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

// Serve serves s until ctx ends, and then lets the requests that run end, for
// 15 seconds at most. It uses TLS if s.TLSConfig has a certificate. It returns
// nil after ctx ended and all requests were answered; else why the server could
// not listen, or that requests were cut off.
func Serve(ctx context.Context, s *http.Server) error {
	ended := make(chan error, 1)
	go func() {
		if hasCertificate(s.TLSConfig) {
			ended <- s.ListenAndServeTLS("", "")
		} else {
			ended <- s.ListenAndServe()
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
