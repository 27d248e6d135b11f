package telemetry

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
)

// ClientHooks returns hooks for alipayplus.ClientConfig.Hooks. A call is a span
// with a child for each attempt.
func (t *Telemetry) ClientHooks() alipayplus.Hooks {
	return alipayplus.Hooks{
		Start: t.start(trace.SpanKindClient),
		Attempt: func(ctx context.Context, a alipayplus.Attempt) {
			t.attempt(ctx, t.attempts, a)
			now := time.Now()
			_, span := t.tracer.Start(ctx, a.Operation+" attempt", trace.WithTimestamp(now.Add(-a.Elapsed)))
			span.SetAttributes(attribute.Int("alipayplus.attempt", a.Number))
			if a.Err != nil {
				span.SetStatus(codes.Error, a.Err.Error()) // shows no body, URL or header
				span.SetAttributes(semconv.ErrorTypeKey.String(t.errorType(a.Err, a.Err.Result)))
			}
			span.End(trace.WithTimestamp(now))
		},
		Finish: func(ctx context.Context, operation string, took time.Duration, r alipayplus.Result, err error) {
			outcome := attribute.String("alipayplus.outcome", alipayplus.OutcomeOf(err).String())
			attributes := append(t.end(ctx, operation, r, err), outcome)
			t.client.Record(ctx, took.Seconds(), system, attributes...)
			trace.SpanFromContext(ctx).SetAttributes(outcome)
			trace.SpanFromContext(ctx).End()
		},
	}
}

// HandlerHooks returns hooks for alipayplus.HandlerConfig.Hooks.
func (t *Telemetry) HandlerHooks() alipayplus.Hooks {
	return alipayplus.Hooks{
		Start:   t.start(trace.SpanKindServer),
		Attempt: func(ctx context.Context, a alipayplus.Attempt) { t.attempt(ctx, t.verifications, a) },
		Finish: func(ctx context.Context, operation string, took time.Duration, r alipayplus.Result, err error) {
			t.server.Record(ctx, took.Seconds(), system, t.end(ctx, operation, r, err)...)
			trace.SpanFromContext(ctx).End()
		},
	}
}

func (t *Telemetry) start(kind trace.SpanKind) func(context.Context, string) context.Context {
	return func(ctx context.Context, operation string) context.Context {
		ctx, _ = t.tracer.Start(ctx, operation, trace.WithSpanKind(kind),
			trace.WithAttributes(semconv.RPCSystemNameKey.String(system), semconv.RPCMethod(operation)))
		return ctx
	}
}

// attempt counts one attempt or verification.
func (t *Telemetry) attempt(ctx context.Context, counter metric.Int64Counter, a alipayplus.Attempt) {
	attributes := method(a.Operation)
	if a.Err != nil {
		attributes = append(attributes, semconv.ErrorTypeKey.String(t.errorType(a.Err, a.Err.Result)))
	}
	counter.Add(ctx, 1, metric.WithAttributes(attributes...))
	if a.Skew != 0 {
		t.skew.Record(ctx, a.Skew.Seconds(), metric.WithAttributes(method(a.Operation)...))
	}
}

// end describes the end of a call or a request in its span, and returns the
// attributes for its metric. Only U, and a call without a verified answer, is
// an error of the span: F is an answer like another.
func (t *Telemetry) end(ctx context.Context, operation string, r alipayplus.Result, err error) []attribute.KeyValue {
	attributes := []attribute.KeyValue{semconv.RPCMethod(operation)}
	if r.Code != "" {
		attributes = append(attributes, semconv.RPCResponseStatusCode(t.codes.bounded(r.Code)))
	}
	if r.Status != alipayplus.StatusSucceeded {
		attributes = append(attributes, semconv.ErrorTypeKey.String(t.errorType(err, r)))
	}
	span := trace.SpanFromContext(ctx)
	span.SetAttributes(attributes[1:]...)
	if r.Status != alipayplus.StatusSucceeded && r.Status != alipayplus.StatusFailed {
		span.SetStatus(codes.Error, t.errorType(err, r))
	}
	return attributes
}

func method(operation string) []attribute.KeyValue {
	return []attribute.KeyValue{semconv.RPCSystemNameKey.String(system), semconv.RPCMethod(operation)}
}
