// Otel runs a small wallet against an Alipay+ that it plays itself, and shows
// what package telemetry tells OpenTelemetry: spans and metrics as JSON on
// stdout, or a Prometheus endpoint for the dashboard and the alerts beside it.
//
//	go run .                    # twenty payments, everything on stdout
//	go run . -listen :9464      # payments until it is stopped; metrics at /metrics
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.opentelemetry.io/otel/exporters/prometheus"
	"go.opentelemetry.io/otel/exporters/stdout/stdoutmetric"
	"go.opentelemetry.io/otel/exporters/stdout/stdouttrace"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/trace"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/alipayplustest"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
	"github.com/alipayplus-mpp/alipayplus-go/examples/otel/telemetry"
)

func main() {
	listen := flag.String("listen", "", "address of a Prometheus endpoint, for example :9464")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Stdout, *listen); err != nil && !errors.Is(err, context.Canceled) {
		fmt.Fprintln(os.Stderr, "otel:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, out io.Writer, listen string) (err error) {
	payments, pause := 20, time.Duration(0)
	var reader metric.Reader
	if listen == "" {
		exporter, err := stdoutmetric.New(stdoutmetric.WithWriter(out))
		if err != nil {
			return err
		}
		reader = metric.NewPeriodicReader(exporter) // exports at Shutdown, too
	} else {
		payments, pause = 1e9, 200*time.Millisecond
		if reader, err = prometheus.New(); err != nil {
			return err
		}
		server := &http.Server{Addr: listen, Handler: promhttp.Handler(), ReadHeaderTimeout: 10 * time.Second}
		failed := make(chan error, 1)
		go func() { failed <- server.ListenAndServe() }()
		defer func() { _ = server.Close() }()
		var cancel context.CancelCauseFunc
		ctx, cancel = context.WithCancelCause(ctx)
		go func() { cancel(<-failed) }()
	}
	spans, err := stdouttrace.New(stdouttrace.WithWriter(out))
	if err != nil {
		return err
	}
	meters := metric.NewMeterProvider(metric.WithReader(reader))
	// With traffic, sample: each request of a stranger begins a span, too.
	tracers := trace.NewTracerProvider(trace.WithBatcher(spans), trace.WithSampler(trace.ParentBased(trace.TraceIDRatioBased(1))))
	defer func() {
		end := context.WithoutCancel(ctx)
		err = errors.Join(err, tracers.Shutdown(end), meters.Shutdown(end))
	}()
	t, err := telemetry.New(tracers, meters)
	if err != nil {
		return err
	}
	return demonstrate(ctx, t, slog.New(slog.NewTextHandler(os.Stderr, nil)), payments, pause)
}

// demonstrate lives through so many payments and ends when Alipay+ knows the
// end of each.
func demonstrate(ctx context.Context, t *telemetry.Telemetry, log *slog.Logger, payments int, pause time.Duration) error {
	complaints := &complaints{}
	alipay := alipayplustest.New(complaints)
	var notified atomic.Int64
	alipayplustest.Answer(alipay, payment.NotifyPayment,
		func(context.Context, *payment.NotifyPaymentRequest) (*payment.NotifyPaymentResponse, error) {
			if notified.Add(1)%15 == 8 { // becomes a dead letter
				return nil, alipayplus.CodeProcessFail
			}
			return &payment.NotifyPaymentResponse{}, nil
		})
	w, err := newWallet(alipay, t, log)
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var relaying sync.WaitGroup
	relaying.Go(func() { _ = w.relay.Run(ctx) })
	for i := range payments {
		if err := w.live(ctx, i); err != nil {
			return err
		}
		if !sleep(ctx, pause) {
			return ctx.Err()
		}
	}
	for {
		backlog, err := w.memory.Backlog(ctx)
		if err != nil || backlog.Waiting == 0 {
			stop()
			relaying.Wait()
			return errors.Join(err, complaints.err)
		}
		sleep(ctx, 100*time.Millisecond)
	}
}

func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// complaints are what the Gateway finds wrong with the wallet.
type complaints struct {
	mu  sync.Mutex
	err error
}

func (*complaints) Helper()        {}
func (*complaints) Cleanup(func()) {}
func (c *complaints) Errorf(format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.err = errors.Join(c.err, fmt.Errorf(format, args...))
}
