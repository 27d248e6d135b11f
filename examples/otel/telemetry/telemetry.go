// Package telemetry tells OpenTelemetry what a wallet's backend does with
// Alipay+: calls in both directions, the outbox, and payments. Copy it, and
// change what you count.
//
// Names follow OpenTelemetry's semantic conventions for remote procedure calls
// (semconv v1.43.0). Metrics, with the attributes that they have besides
// rpc.system.name and rpc.method:
//
//	rpc.client.call.duration          calls to Alipay+, with all attempts: alipayplus.outcome, rpc.response.status_code, error.type
//	rpc.server.call.duration          requests from Alipay+: rpc.response.status_code, error.type
//	alipayplus.client.attempts        attempts of calls: error.type
//	alipayplus.server.verifications   requests, before anything is decided: error.type
//	alipayplus.clock.skew             how far Alipay+'s signed times lie in the past
//	alipayplus.outbox.deliveries      attempts to deliver a message: alipayplus.end
//	alipayplus.outbox.delivery.age    age of a message when it was acknowledged
//	alipayplus.outbox.messages        messages that are not acknowledged: alipayplus.state (no rpc attributes)
//	alipayplus.outbox.oldest.age      age of the oldest message that waits (no rpc attributes)
//	alipayplus.payment.transitions    changes of a payment's state: alipayplus.from, alipayplus.to (no rpc attributes)
//
// No attribute of a metric holds what a payment, a customer or a stranger
// chooses: API names are those that the program declares, result codes are
// bounded (see maxCodes), all others are constants.
package telemetry

import (
	"errors"

	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/semconv/v1.43.0/rpcconv"
	"go.opentelemetry.io/otel/trace"
)

const scope = "github.com/alipayplus-mpp/alipayplus-go/examples/otel/telemetry"

// system is the value of rpc.system.name.
const system = "alipayplus"

// Telemetry has the instruments. Make one with New for the life of the process.
type Telemetry struct {
	tracer trace.Tracer
	meter  metric.Meter
	codes  resultCodes

	client        rpcconv.ClientCallDuration
	server        rpcconv.ServerCallDuration
	attempts      metric.Int64Counter
	verifications metric.Int64Counter
	skew          metric.Float64Histogram
	deliveries    metric.Int64Counter
	age           metric.Float64Histogram
	transitions   metric.Int64Counter
}

// New makes the instruments.
func New(tracers trace.TracerProvider, meters metric.MeterProvider) (*Telemetry, error) {
	t := &Telemetry{tracer: tracers.Tracer(scope), meter: meters.Meter(scope)}
	var errs []error
	check := func(err error) { errs = append(errs, err) }
	var err error
	t.client, err = rpcconv.NewClientCallDuration(t.meter)
	check(err)
	t.server, err = rpcconv.NewServerCallDuration(t.meter)
	check(err)
	t.attempts, err = t.meter.Int64Counter("alipayplus.client.attempts", metric.WithUnit("{attempt}"),
		metric.WithDescription("Attempts of calls to Alipay+."))
	check(err)
	t.verifications, err = t.meter.Int64Counter("alipayplus.server.verifications", metric.WithUnit("{request}"),
		metric.WithDescription("Requests whose signature was verified, or that were refused before."))
	check(err)
	t.skew, err = t.meter.Float64Histogram("alipayplus.clock.skew", metric.WithUnit("s"),
		metric.WithDescription("How far the signed time of a message from Alipay+ lies in the past."),
		metric.WithExplicitBucketBoundaries(-60, -10, -2, 0, 2, 10, 60, 300))
	check(err)
	t.deliveries, err = t.meter.Int64Counter("alipayplus.outbox.deliveries", metric.WithUnit("{attempt}"),
		metric.WithDescription("Attempts to deliver a message of the outbox, by their end."))
	check(err)
	t.age, err = t.meter.Float64Histogram("alipayplus.outbox.delivery.age", metric.WithUnit("s"),
		metric.WithDescription("Age of a message of the outbox when Alipay+ acknowledged it."),
		metric.WithExplicitBucketBoundaries(0.1, 0.5, 1, 2, 5, 15, 60, 300, 1800, 7200, 43200))
	check(err)
	t.transitions, err = t.meter.Int64Counter("alipayplus.payment.transitions", metric.WithUnit("{payment}"),
		metric.WithDescription("Payments that went from one state to another."))
	check(err)
	return t, errors.Join(errs...)
}
