package payment_test

import (
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
)

// A payment whose result could not be reported does not begin: the answer is
// PARAM_ILLEGAL, nothing is stored, and the alarm names the host.
func TestServiceChecksNotifyURL(t *testing.T) {
	for _, row := range []struct{ url, alarm string }{
		{"", ""},
		{"https://alipayplus.com/n", ""},
		{"https://open-sea.alipayplus.com/notify/1", ""},
		{"https://notify.example.com", ""}, // of NotifyHosts, and without a path
		{"https://NOTIFY.example.com:443/n", ""},
		{"https://other.example:8443/n", ""},
		{"https://other.example/n", "other.example, which is not allowed"},
		{"https://unknown.example/n", "unknown.example, which is not allowed"},
		{"https://open-sea.alipayplus.com:8443/n", "port other than 443"},
		{"https://xalipayplus.com/n", "xalipayplus.com, which is not allowed"},
		{"https://alipayplus.com@unknown.example/n", "user-info"},
		{"http://open-sea.alipayplus.com/n", "not https"},
		{"http://169.254.169.254/", "not https"},
		{"https://169.254.169.254/", "IP address"},
		{"https://[::1]/", "IP address"},
		{"https://2852039166/", "IP address"},
		{"no url", "blank"},
	} {
		var log strings.Builder
		s := serve(t, false, func(c *payment.ServiceConfig) {
			c.NotifyHosts = []string{"notify.example.com", "other.example:8443"}
			c.Logger = slog.New(slog.NewTextHandler(&log, nil))
		})
		terms := scannedTerms("P1")
		terms.NotifyURL = row.url
		_, err := s.Open(t.Context(), payment.Opened{Terms: terms})
		known, _ := s.Find(t.Context(), "P1")
		switch refused := row.alarm != ""; {
		case errors.Is(err, payment.ErrParam) != refused, refused == (known.State == payment.StateOpen):
			t.Errorf("%q: %v, state %q", row.url, err, known.State)
		case strings.Contains(log.String(), "alarm") != refused, !strings.Contains(log.String(), row.alarm):
			t.Errorf("%q: the log says %q", row.url, log.String())
		case refused && strings.Contains(row.alarm, "not allowed") && !strings.Contains(log.String(), "NotifyHosts"):
			t.Errorf("%q: the alarm does not say what to do: %q", row.url, log.String())
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

func TestServiceRefusesNotifyHosts(t *testing.T) {
	for _, host := range []string{"", "https://notify.example", "127.0.0.1", "notify.example:", "a b"} {
		cfg := payment.ServiceConfig{NotifyHosts: []string{host}}
		s := serve(t, false)
		cfg.Records, cfg.Ledger = payment.NewMemoryRecords(s.memory), s.bank
		if _, err := payment.NewService(cfg); err == nil {
			t.Errorf("%q is taken for a host", host)
		}
	}
}
