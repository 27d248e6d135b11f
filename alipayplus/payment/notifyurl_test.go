package payment_test

import (
	"log/slog"
	"strings"
	"testing"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/alipayplustest"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
	"github.com/alipayplus-mpp/alipayplus-go/internal/testkit"
)

// A payment whose result could not be reported does not begin: the answer is
// PARAM_ILLEGAL, nothing is stored, and the alarm names the host. What can be
// reported is for the client to say, which is one with the relay's.
func TestServiceChecksNotifyURL(t *testing.T) {
	client := func(baseURL string, hosts ...string) func(*testing.T) *alipayplus.Client {
		return func(t *testing.T) *alipayplus.Client {
			cfg := alipayplustest.New(t).Config()
			cfg.BaseURL, cfg.NotifyHosts = baseURL, hosts
			return testkit.Must(alipayplus.NewClient(cfg))
		}
	}
	gateway := client("https://gateway.example", "notify.example.com", "other.example:8443")
	loopback := client("http://127.0.0.1:8080")
	none := func(*testing.T) *alipayplus.Client { return nil }
	for _, row := range []struct {
		client     func(*testing.T) *alipayplus.Client
		url, alarm string
	}{
		{gateway, "", ""},
		{gateway, "https://alipayplus.com/n", ""},
		{gateway, "https://open-sea.alipayplus.com/notify/1", ""},
		{gateway, "https://gateway.example/n", ""},
		{gateway, "https://notify.example.com", ""}, // without a path
		{gateway, "https://NOTIFY.example.com:443/n", ""},
		{gateway, "https://other.example:8443/n", ""},
		{gateway, "https://other.example/n", "other.example, which is not allowed; if it is Alipay+'s, add it to ClientConfig.NotifyHosts"},
		{gateway, "https://unknown.example/n", "unknown.example, which is not allowed"},
		{gateway, "https://open-sea.alipayplus.com:8443/n", "port other than 443"},
		{gateway, "https://alipayplus.com@unknown.example/n", "user-info"},
		{gateway, "http://gateway.example/n", "not https"},
		{gateway, "http://127.0.0.1:8080/n", "not https"},
		{gateway, "https://169.254.169.254/", "IP address"},
		{gateway, "no url", "blank"},

		{loopback, "http://127.0.0.1:8080/n", ""},
		{loopback, "https://open-sea.alipayplus.com/n", ""},
		{loopback, "http://127.0.0.1:8081/n", "not https"},
		{loopback, "http://127.0.0.1/n", "not https"},
		{loopback, "http://localhost:8080/n", "not https"},
		{loopback, "https://127.0.0.1:8080/n", "IP address"},

		{none, "", ""},
		{none, "https://alipayplus.com/n", ""},
		{none, "https://open-sea.alipayplus.com/notify/1", ""},
		{none, "https://xalipayplus.com/n", "xalipayplus.com, which is not allowed"},
		{none, "https://notify.example.com/n", "ServiceConfig.Client is not set"},
		{none, "http://127.0.0.1:8080/n", "not https"},
		{none, "https://[::1]/", "IP address"},
	} {
		var log strings.Builder
		s := serve(t, false, func(c *payment.ServiceConfig) {
			c.Client = row.client(t)
			c.Logger = slog.New(slog.NewTextHandler(&log, nil))
		})
		terms := scannedTerms("P1")
		terms.NotifyURL = row.url
		_, err := s.Open(t.Context(), payment.Opened{Terms: terms})
		known, _ := s.Find(t.Context(), "P1")
		result, isRefusal := alipayplus.RefusalOf(err)
		switch refused := row.alarm != ""; {
		case isRefusal != refused, refused && result.Code != alipayplus.CodeParamIllegal, refused == (known.State == payment.StateOpen):
			t.Errorf("%q: %v, state %q", row.url, err, known.State)
		case strings.Contains(log.String(), "alarm") != refused, !strings.Contains(log.String(), row.alarm):
			t.Errorf("%q: the log says %q", row.url, log.String())
		}
	}
}

// A payment that is known stays known, whatever its hosts are called since.
func TestServiceOfKnownPaymentIgnoresNotifyURL(t *testing.T) {
	s := serve(t, false)
	opened, err := s.Open(t.Context(), payment.Opened{Terms: scannedTerms("P1")})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Confirm(t.Context(), agreed(opened)); err != nil {
		t.Fatal(err)
	}
	terms := scannedTerms("P1")
	terms.NotifyURL = "https://unknown.example/n"
	if known, err := s.Open(t.Context(), payment.Opened{Terms: terms}); err != nil || known.State != payment.StatePaid {
		t.Errorf("%v, %v", known.State, err)
	}
}
