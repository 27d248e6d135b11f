package telemetry_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/examples/otel/telemetry"
)

func observer(t *testing.T) (*telemetry.Telemetry, *metric.ManualReader) {
	t.Helper()
	reader := metric.NewManualReader()
	observer, err := telemetry.New(noop.NewTracerProvider(), metric.NewMeterProvider(metric.WithReader(reader)))
	if err != nil {
		t.Fatal(err)
	}
	return observer, reader
}

// collect returns the attributes of each series by the name of its metric.
func collect(t *testing.T, reader *metric.ManualReader) (series map[string][]attribute.Set, err error) {
	t.Helper()
	var all metricdata.ResourceMetrics
	err = reader.Collect(t.Context(), &all)
	series = map[string][]attribute.Set{}
	for _, scope := range all.ScopeMetrics {
		for _, m := range scope.Metrics {
			switch data := m.Data.(type) {
			case metricdata.Sum[int64]:
				for _, p := range data.DataPoints {
					series[m.Name] = append(series[m.Name], p.Attributes)
				}
			case metricdata.Gauge[int64]:
				for _, p := range data.DataPoints {
					series[m.Name] = append(series[m.Name], p.Attributes)
				}
			case metricdata.Gauge[float64]:
				for _, p := range data.DataPoints {
					series[m.Name] = append(series[m.Name], p.Attributes)
				}
			case metricdata.Histogram[float64]:
				for _, p := range data.DataPoints {
					series[m.Name] = append(series[m.Name], p.Attributes)
				}
			}
		}
	}
	return series, err
}

// However many result codes the two sides make up, the series stay few.
func TestCodesAreBounded(t *testing.T) {
	observer, reader := observer(t)
	for _, hooks := range []alipayplus.Hooks{observer.ClientHooks(), observer.HandlerHooks()} {
		for i := range 1500 {
			r := alipayplus.Result{Code: alipayplus.ResultCode(fmt.Sprint("CODE_", i)), Status: alipayplus.StatusFailed}
			err := &alipayplus.Error{Operation: "refund", Outcome: alipayplus.OutcomeFailed, Result: r}
			hooks.Attempt(t.Context(), alipayplus.Attempt{Operation: "refund", Err: err})
			hooks.Finish(t.Context(), "refund", time.Second, r, err)
		}
	}
	series, err := collect(t, reader)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"rpc.client.call.duration", "rpc.server.call.duration", "alipayplus.client.attempts", "alipayplus.server.verifications"} {
		if n := len(series[name]); n != 101 {
			t.Errorf("%s has %d series, want 100 codes and the rest", name, n)
		}
	}
}

// error.type is one of a few words, whatever the error says.
func TestErrorTypes(t *testing.T) {
	for want, err := range map[string]*alipayplus.Error{
		"signature":    {Err: fmt.Errorf("an answer: %w", alipayplus.ErrSignature)},
		"unsigned":     {Err: alipayplus.ErrUnsigned},
		"stale":        {Err: alipayplus.ErrStale},
		"malformed":    {Err: alipayplus.ErrMalformed},
		"timeout":      {Err: context.DeadlineExceeded},
		"canceled":     {Err: context.Canceled, Outcome: alipayplus.OutcomeNotSent},
		"not_sent":     {Err: errors.New("connection refused"), Outcome: alipayplus.OutcomeNotSent},
		"retry_budget": {Err: errors.Join(context.DeadlineExceeded, alipayplus.ErrRetryBudget)},
		"_OTHER":       {Err: errors.New("connection reset by PR000001")},
	} {
		observer, reader := observer(t)
		observer.ClientHooks().Finish(t.Context(), "refund", time.Second, alipayplus.Result{}, err)
		series, collected := collect(t, reader)
		if collected != nil || len(series["rpc.client.call.duration"]) != 1 {
			t.Fatalf("%v, %v", series, collected)
		}
		if got, _ := series["rpc.client.call.duration"][0].Value("error.type"); got.AsString() != want {
			t.Errorf("%v is %q, want %q", err, got.AsString(), want)
		}
	}
}

// brokenQueue is a database that does not answer.
type brokenQueue struct{ *alipayplus.Memory }

func (brokenQueue) Backlog(context.Context) (alipayplus.Backlog, error) {
	return alipayplus.Backlog{}, errors.New("the database does not answer")
}

func (brokenQueue) Finish(context.Context, alipayplus.Delivery, alipayplus.End) error {
	return errors.New("the database does not answer")
}

// A database that does not answer makes no figures: the age is absent, which
// the alert sees, and no delivery is counted whose end is not recorded.
func TestBrokenQueue(t *testing.T) {
	observer, reader := observer(t)
	queue, err := observer.Queue(brokenQueue{alipayplus.NewMemory()})
	if err != nil {
		t.Fatal(err)
	}
	if err := queue.Finish(t.Context(), alipayplus.Delivery{}, alipayplus.End{}); err == nil {
		t.Error("the error is lost")
	}
	series, err := collect(t, reader)
	if err == nil {
		t.Error("nobody is told that the backlog cannot be read")
	}
	for _, name := range []string{"alipayplus.outbox.oldest.age", "alipayplus.outbox.messages", "alipayplus.outbox.deliveries"} {
		if len(series[name]) > 0 {
			t.Errorf("%s has a value", name)
		}
	}
}
