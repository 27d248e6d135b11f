package telemetry

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
)

// AfterCommit counts changes of a payment's state, and marks them in the span
// that runs. Set payment.ServiceConfig.AfterCommit to it, or call it in yours.
// (Changes in a transaction of the host are not reported there: call it after
// such a commit yourself.)
func (t *Telemetry) AfterCommit(ctx context.Context, before, after payment.Record) {
	if before.State == after.State {
		return
	}
	change := []attribute.KeyValue{
		attribute.String("alipayplus.from", stateName(before.State)),
		attribute.String("alipayplus.to", stateName(after.State)),
	}
	t.transitions.Add(ctx, 1, metric.WithAttributes(change...))
	trace.SpanFromContext(ctx).AddEvent("payment.transition", trace.WithAttributes(change...))
}

func stateName(s payment.State) string {
	if s == "" {
		return "unseen"
	}
	return string(s)
}
