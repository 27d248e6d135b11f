// Quickstart runs a whole payment between a wallet backend and an Alipay+ that
// it plays itself: real RSA keys, real HTTP on a loopback port, real faults. It
// needs no set-up and no network:
//
//	go run ./examples/quickstart
package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/alipayplustest"
)

func main() {
	if err := run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "quickstart:", err)
		os.Exit(1)
	}
}

// world is the two parties and the wire between them.
type world struct {
	alipay *alipayplustest.Gateway
	client *alipayplus.Client
	trace  *trace
}

func run(ctx context.Context) error {
	began := time.Now()
	out := &trace{out: os.Stdout}
	checks := &checker{}
	gateway := alipayplustest.New(checks)

	// Alipay+, at a loopback port.
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := &http.Server{Handler: gateway, ReadHeaderTimeout: 5 * time.Second}
	go func() { _ = server.Serve(listener) }()
	defer func() { _ = server.Close() }()

	// The wallet's client. A real one has keys from a vault, the gateway's own
	// BaseURL, and the default retry intervals.
	cfg := alipayplus.Config{
		Credentials: gateway.Credentials(),
		BaseURL:     "http://" + listener.Addr().String(),
		Transport:   &tracingTransport{out, &http.Transport{}},
		Retry:       alipayplus.Backoff{Base: 20 * time.Millisecond},
	}
	client, err := alipayplus.New(cfg)
	if err != nil {
		return err
	}
	defer client.CloseIdleConnections()

	w := &world{gateway, client, out}
	if err := w.orderCode(ctx); err != nil {
		return err
	}
	checks.finish()
	if len(checks.complaints) > 0 {
		return fmt.Errorf("Alipay+ complains:\n%s", strings.Join(checks.complaints, "\n"))
	}
	fmt.Printf("\nOK: 1 payment, %d messages signed and verified, in %v\n",
		out.messages.Load(), time.Since(began).Round(10*time.Millisecond))
	return nil
}

// checker is the alipayplustest.TB of a program.
type checker struct {
	complaints []string
	cleanups   []func()
}

func (c *checker) Helper()          {}
func (c *checker) Cleanup(f func()) { c.cleanups = append(c.cleanups, f) }
func (c *checker) Errorf(format string, args ...any) {
	c.complaints = append(c.complaints, fmt.Sprintf(format, args...))
}

func (c *checker) finish() {
	for _, f := range c.cleanups {
		f()
	}
}
