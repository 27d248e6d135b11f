package main

import (
	"encoding/json"
	"log/slog"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	client "github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/prometheus"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	api "go.opentelemetry.io/otel/trace"

	"github.com/alipayplus-mpp/alipayplus-go/examples/otel/telemetry"
)

// play runs the demonstration and returns what a Prometheus server and a
// collector of spans would see.
func play(t *testing.T, payments int) (series map[string][]map[string]string, text string, spans tracetest.SpanStubs) {
	t.Helper()
	registry := client.NewRegistry()
	reader, err := prometheus.New(prometheus.WithRegisterer(registry))
	if err != nil {
		t.Fatal(err)
	}
	exporter := tracetest.NewInMemoryExporter()
	var families []*dto.MetricFamily
	synctest.Test(t, func(t *testing.T) {
		observer, err := telemetry.New(trace.NewTracerProvider(trace.WithSyncer(exporter)), metric.NewMeterProvider(metric.WithReader(reader)))
		if err != nil {
			t.Fatal(err)
		}
		if err := demonstrate(t.Context(), observer, slog.New(slog.DiscardHandler), payments, 0); err != nil {
			t.Error(err)
		}
		if families, err = registry.Gather(); err != nil {
			t.Error(err)
		}
	})
	series = map[string][]map[string]string{}
	for _, family := range families {
		text += family.String() + "\n"
		names := []string{family.GetName()}
		if family.GetType() == dto.MetricType_HISTOGRAM {
			names = []string{family.GetName() + "_bucket", family.GetName() + "_count", family.GetName() + "_sum"}
		}
		for _, m := range family.GetMetric() {
			labels := map[string]string{"le": ""}
			for _, l := range m.GetLabel() {
				labels[l.GetName()] = l.GetValue()
			}
			for _, name := range names {
				series[name] = append(series[name], labels)
			}
		}
	}
	return series, text, exporter.GetSpans()
}

// Every metric, label and value that the dashboard and the alerts ask for comes
// out of the endpoint.
func TestDashboardAndAlertsFindTheirMetrics(t *testing.T) {
	series, _, _ := play(t, 60)
	selector := regexp.MustCompile(`\b((?:alipayplus|rpc)_[a-z_]+_(?:total|bucket|count|seconds|messages)|alipayplus_outbox_messages)(?:\{([^}]*)\})?`)
	matcher := regexp.MustCompile(`(\w+)(!?=)"([^"]*)"`)
	grouping := regexp.MustCompile(`by \(([^)]*)\)`)
	found := map[string]bool{}
	for name, expressions := range map[string][]string{"dashboard.json": dashboard(t), "alerts.yml": {read(t, "alerts.yml")}} {
		if len(expressions) == 0 {
			t.Errorf("%s asks for nothing", name)
		}
		for _, expression := range expressions {
			selectors := selector.FindAllStringSubmatch(expression, -1)
			if len(selectors) == 0 {
				t.Errorf("%s: no metric in %s", name, expression)
			}
			for _, s := range selectors {
				found[s[1]] = true
				if !slices.ContainsFunc(series[s[1]], func(labels map[string]string) bool {
					for _, m := range matcher.FindAllStringSubmatch(s[2], -1) {
						if (labels[m[1]] == m[3]) != (m[2] == "=") {
							return false
						}
					}
					return true
				}) {
					t.Errorf("%s: nothing is like %s", name, s[0])
				}
				if name == "alerts.yml" { // several expressions in one text
					continue
				}
				for _, g := range grouping.FindAllStringSubmatch(expression, -1) {
					for label := range strings.SplitSeq(g[1], ", ") {
						if !slices.ContainsFunc(series[s[1]], func(labels map[string]string) bool { _, ok := labels[label]; return ok }) {
							t.Errorf("%s: %s has no label %s", name, s[1], label)
						}
					}
				}
			}
		}
	}
	for name := range series {
		own := strings.HasPrefix(name, "alipayplus_") || strings.HasPrefix(name, "rpc_")
		if own && !strings.HasSuffix(name, "_sum") && !strings.HasSuffix(name, "_count") && !found[name] {
			t.Errorf("%s is on no panel", name)
		}
	}
}

func dashboard(t *testing.T) (expressions []string) {
	t.Helper()
	var board struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
	}
	if err := json.Unmarshal([]byte(read(t, "dashboard.json")), &board); err != nil {
		t.Fatal(err)
	}
	for _, panel := range board.Panels {
		if panel.Title == "" || len(panel.Targets) == 0 {
			t.Errorf("panel %q has no title or asks for nothing", panel.Title)
		}
		for _, target := range panel.Targets {
			expressions = append(expressions, target.Expr)
		}
	}
	return expressions
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// The alerts fire when they should and are silent when all is well.
func TestAlerts(t *testing.T) {
	promtool, err := exec.LookPath("promtool")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("no promtool; Debian has it in the package prometheus")
		}
		t.Skip("no promtool; Debian has it in the package prometheus")
	}
	if out, err := exec.CommandContext(t.Context(), promtool, "test", "rules", "alerts_test.yml").CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// 400 payments make no more series than 200, and nothing that tells one
// payment or customer from another is in a metric or a span.
func TestNothingGrowsWithThePayments(t *testing.T) {
	few, _, _ := play(t, 200)
	many, text, spans := play(t, 400)
	for name := range many {
		if len(many[name]) > len(few[name]) {
			t.Errorf("%s: %d series after 200 payments, %d after 400", name, len(few[name]), len(many[name]))
		}
	}
	all, err := json.Marshal(spans)
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{"PR000", "customer-", "https://"} {
		if strings.Contains(text, secret) || strings.Contains(string(all), secret) {
			t.Errorf("%s is in a metric or a span", secret)
		}
	}
	if !strings.Contains(text, "notifyPayment") || len(spans) < 1000 {
		t.Errorf("nothing was observed: %d spans", len(spans))
	}
}

// A call is a span with its attempts below it; what is wrong is marked, and
// what the wallet decided is not.
func TestSpans(t *testing.T) {
	_, _, spans := play(t, 60)
	seen := map[string]bool{}
	for _, span := range spans {
		attributes := map[string]string{}
		for _, a := range span.Attributes {
			attributes[string(a.Key)] = a.Value.String()
		}
		switch span.SpanKind {
		case api.SpanKindClient:
			if attributes["rpc.system.name"] != "alipayplus" || attributes["rpc.method"] != span.Name {
				t.Errorf("%s: %v", span.Name, attributes)
			}
			if wrong := attributes["alipayplus.outcome"] == "unknown"; wrong != (span.Status.Code == codes.Error) {
				t.Errorf("%s: %v, status %v", span.Name, attributes, span.Status)
			}
			seen["client "+attributes["alipayplus.outcome"]] = true
		case api.SpanKindServer:
			seen["server "+span.Name] = true
			for _, e := range span.Events {
				seen[span.Name+" "+e.Name] = true
			}
		default:
			parent := slices.IndexFunc(spans, func(s tracetest.SpanStub) bool { return s.SpanContext.SpanID() == span.Parent.SpanID() })
			if parent < 0 || spans[parent].Name+" attempt" != span.Name || span.StartTime.Before(spans[parent].StartTime) {
				t.Errorf("%s is no attempt of a call", span.Name)
			}
			seen["attempt "+attributes["error.type"]] = true
		}
	}
	for _, want := range []string{
		"client succeeded", "client failed", "client unknown", "attempt ", "attempt signature",
		"server inquiryPayment", "server cancelPayment", "server refund", "cancelPayment payment.transition",
	} {
		if !seen[want] {
			t.Errorf("no %s among %v", want, seen)
		}
	}
}
