package telemetry

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
)

// Queue is what an alipayplus.Queue that can be observed has: a
// *sqlstore.Outbox and an *alipayplus.Memory do.
type Queue interface {
	alipayplus.Queue
	Ready() <-chan struct{}
	Backlog(ctx context.Context) (alipayplus.Backlog, error)
}

// Queue observes q. Give the result to alipayplus.RelayConfig.Queue. The
// backlog is read whenever metrics are collected: by every process, with the
// same answer, so take the maximum of them and not the sum.
func (t *Telemetry) Queue(q Queue) (alipayplus.Queue, error) {
	messages, err1 := t.meter.Int64ObservableGauge("alipayplus.outbox.messages", metric.WithUnit("{message}"),
		metric.WithDescription("Messages that Alipay+ has not acknowledged."))
	oldest, err2 := t.meter.Float64ObservableGauge("alipayplus.outbox.oldest.age", metric.WithUnit("s"),
		metric.WithDescription("Age of the oldest message that waits, 0 if none does."))
	if err := errors.Join(err1, err2); err != nil {
		return nil, err
	}
	_, err := t.meter.RegisterCallback(func(ctx context.Context, o metric.Observer) error {
		ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
		defer cancel()
		backlog, err := q.Backlog(ctx)
		if err != nil {
			return fmt.Errorf("the backlog of the outbox cannot be read: %w", err)
		}
		o.ObserveInt64(messages, int64(backlog.Waiting), waiting)
		o.ObserveInt64(messages, int64(backlog.Dead), dead)
		var age time.Duration
		if backlog.Waiting > 0 {
			age = max(time.Since(backlog.Oldest), 0)
		}
		o.ObserveFloat64(oldest, age.Seconds())
		return nil
	}, messages, oldest)
	return observed{q, t}, err
}

var (
	waiting = metric.WithAttributes(attribute.String("alipayplus.state", "waiting"))
	dead    = metric.WithAttributes(attribute.String("alipayplus.state", "dead"))
)

// observed is a Queue whose deliveries are counted.
type observed struct {
	Queue
	t *Telemetry
}

// Finish counts a delivery whose end is recorded.
func (q observed) Finish(ctx context.Context, d alipayplus.Delivery, end alipayplus.End) error {
	err := q.Queue.Finish(ctx, d, end)
	if err != nil {
		return err
	}
	attributes := method(d.Message.Operation)
	if end.State == alipayplus.EndAcknowledged && !d.Put.IsZero() {
		q.t.age.Record(ctx, max(time.Since(d.Put), 0).Seconds(), metric.WithAttributes(attributes...))
	}
	q.t.deliveries.Add(ctx, 1, metric.WithAttributes(append(attributes, attribute.String("alipayplus.end", endName(end.State)))...))
	return nil
}

func endName(s alipayplus.EndState) string {
	switch s {
	case alipayplus.EndAcknowledged:
		return "acknowledged"
	case alipayplus.EndDead:
		return "dead"
	case alipayplus.EndAgain:
		return "again"
	}
	return other
}
