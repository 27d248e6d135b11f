package payment_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/alipayplustest"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment/paymenttest"
	"github.com/alipayplus-mpp/alipayplus-go/internal/testkit"
)

// served is a wallet's backend on Service, in memory.
type served struct {
	*payment.Service
	t       *testing.T
	gateway *alipayplustest.Gateway
	memory  *alipayplus.Memory
	bank    *paymenttest.Bank       // nil with a remote ledger
	remote  *paymenttest.RemoteBank // nil with a local one
	relay   *alipayplus.Relay
	mu      sync.Mutex
	told    []string // what notifyPayment said
}

func serve(t *testing.T, remote bool, change ...func(*payment.ServiceConfig)) *served {
	t.Helper()
	s := &served{t: t, gateway: alipayplustest.New(t), memory: alipayplus.NewMemory()}
	cfg := payment.ServiceConfig{Records: payment.NewMemoryRecords(s.memory)}
	if remote {
		s.remote = paymenttest.NewRemoteBank("KRW")
		s.remote.Deposit("C1", 1000)
		cfg.RemoteLedger = s.remote
	} else {
		s.bank = paymenttest.NewBank(s.memory, "KRW")
		s.bank.Deposit("C1", 1000)
		cfg.Ledger = s.bank
	}
	for _, c := range change {
		c(&cfg)
	}
	var err error
	if s.Service, err = payment.NewService(cfg); err != nil {
		t.Fatal(err)
	}
	alipayplustest.Answer(s.gateway, payment.NotifyPayment,
		func(_ context.Context, r *payment.NotifyPaymentRequest) (*payment.NotifyPaymentResponse, error) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.told = append(s.told, r.PaymentRequestID+" "+r.PaymentResult.Error())
			return &payment.NotifyPaymentResponse{}, nil
		})
	client, err := alipayplus.NewClient(s.gateway.Config())
	if err != nil {
		t.Fatal(err)
	}
	if s.relay, err = alipayplus.NewRelay(alipayplus.RelayConfig{Client: client, Queue: s.memory}); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *served) balance() int64 {
	if s.remote != nil {
		return s.remote.Balance("C1")
	}
	return s.bank.Balance("C1")
}

// runs lets Run and the Relay work for d.
func (s *served) runs(d time.Duration) {
	ctx, cancel := context.WithTimeout(s.t.Context(), d)
	defer cancel()
	done := make(chan error, 2)
	go func() { done <- s.Run(ctx) }()
	go func() { done <- s.relay.Run(ctx) }()
	for range 2 {
		if err := <-done; !errors.Is(err, context.DeadlineExceeded) {
			s.t.Error(err)
		}
	}
}

func scannedTerms(id string) payment.Terms {
	return payment.Terms{
		PaymentRequestID: id, CustomerID: "C1", CodeValueDigest: "digest",
		Amounts: payment.Amounts{
			PaymentAmount: alipayplus.Amount{Currency: "JPY", Minor: 30},
			PayToAmount:   alipayplus.Amount{Currency: "KRW", Minor: 300},
		},
	}
}

func agreed(r payment.Record) payment.Confirmation {
	return payment.Confirmation{PaymentRequestID: r.PaymentRequestID, CustomerID: r.CustomerID, Shown: r.Amounts.Debit()}
}

// both runs a test with a ledger in the database and with one elsewhere.
func both(t *testing.T, test func(t *testing.T, remote bool)) {
	t.Helper()
	for _, remote := range []bool{false, true} {
		t.Run(fmt.Sprintf("remote=%t", remote), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { test(t, remote) })
		})
	}
}

func TestServicePays(t *testing.T) {
	both(t, func(t *testing.T, remote bool) {
		s := serve(t, remote)
		opened, err := s.Open(t.Context(), payment.Opened{Terms: scannedTerms("P1")})
		if err != nil || opened.State != payment.StateOpen {
			t.Fatal(opened.State, err)
		}
		for range 2 { // a double tap
			paid, err := s.Confirm(t.Context(), agreed(opened))
			if err != nil || paid.State != payment.StatePaid {
				t.Fatal(paid.State, err)
			}
		}
		if s.balance() != 700 {
			t.Errorf("balance %d", s.balance())
		}
		s.runs(3 * time.Second)
		if fmt.Sprint(s.told) != "[P1 S SUCCESS]" {
			t.Errorf("told %v", s.told)
		}
	})
}

// An answer that comes after the patience with the ledger is recorded all the
// same.
func TestLateAnswerIsRecorded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := serve(t, true)
		opened, err := s.Open(t.Context(), payment.Opened{Terms: scannedTerms("P1")})
		if err != nil {
			t.Fatal(err)
		}
		s.remote.Fault = func(context.Context, string, bool) error {
			time.Sleep(6 * time.Second) // and does not look at its context
			return nil
		}
		if paid, err := s.Confirm(t.Context(), agreed(opened)); err != nil || paid.State != payment.StatePaid {
			t.Errorf("%s, %v", paid.State, err)
		}
	})
}

// A payment that is opened again keeps what was stored first. Without
// paymentExpiryTime it expires after DefaultExpiry on the wallet's own clock,
// whatever the clock of Alipay+ says.
func TestServiceOpensOnce(t *testing.T) {
	both(t, func(t *testing.T, remote bool) {
		s := serve(t, remote)
		began := time.Now()
		first, err := s.Open(t.Context(), payment.Opened{Terms: scannedTerms("P1"), SentAt: began.Add(-time.Hour)})
		if err != nil || first.PaymentID == "" {
			t.Fatal(first.PaymentID, err)
		}
		if expiry, _ := first.ExpiryTime.Time(); !expiry.Equal(began.Add(payment.DefaultExpiry)) {
			t.Errorf("expires at %v, opened at %v", expiry, began)
		}
		time.Sleep(time.Minute)
		for _, id := range []string{"", "another"} {
			terms := scannedTerms("P1")
			terms.PaymentID = id
			again, err := s.Open(t.Context(), payment.Opened{Terms: terms, SentAt: time.Now()})
			if err != nil || again.PaymentID != first.PaymentID || again.ExpiryTime != first.ExpiryTime || again.Version != first.Version {
				t.Errorf("again: payment %s until %v, %v; first %s until %v", again.PaymentID, again.ExpiryTime, err, first.PaymentID, first.ExpiryTime)
			}
		}
	})
}

// A ledger that does not answer is asked again; the user is debited once.
func TestServiceResumes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := serve(t, true)
		lost := 3
		s.remote.Fault = func(_ context.Context, _ string, after bool) error {
			if after && lost > 0 {
				lost--
				return errors.New("connection reset")
			}
			return nil
		}
		opened, err := s.Open(t.Context(), payment.Opened{Terms: scannedTerms("P1")})
		if err != nil {
			t.Fatal(err)
		}
		paying, err := s.Confirm(t.Context(), agreed(opened))
		if err != nil || paying.State != payment.StatePaying {
			t.Fatal(paying.State, err)
		}
		s.runs(5 * time.Minute)
		paid, err := s.Find(t.Context(), "P1")
		if err != nil || paid.State != payment.StatePaid || s.balance() != 700 {
			t.Errorf("%v, balance %d, %v", paid.State, s.balance(), err)
		}
		if fmt.Sprint(s.told) != "[P1 S SUCCESS]" {
			t.Errorf("told %v", s.told)
		}
	})
}

func TestServiceRefusesAndExpires(t *testing.T) {
	both(t, func(t *testing.T, remote bool) {
		s := serve(t, remote)
		terms := scannedTerms("P1")
		terms.Amounts.PayToAmount.Minor = 3000
		opened, err := s.Open(t.Context(), payment.Opened{Terms: terms})
		if err != nil {
			t.Fatal(err)
		}
		refused, err := s.Confirm(t.Context(), agreed(opened))
		if err != nil || refused.State != payment.StateOpen || refused.Code != alipayplus.CodeUserBalanceNotEnough {
			t.Fatal(refused.State, refused.Code, err)
		}
		if s.balance() != 1000 {
			t.Errorf("balance %d after a refusal", s.balance())
		}
		s.runs(payment.DefaultExpiry + 5*time.Minute)
		if fmt.Sprint(s.told) != "[P1 F ORDER_IS_CLOSED]" {
			t.Errorf("told %v", s.told)
		}
	})
}

// The first instant of Go's time is a time like any other: a payment that
// expires then is closed and reported.
func TestExpiryAtZeroTime(t *testing.T) {
	both(t, func(t *testing.T, remote bool) {
		s := serve(t, remote)
		terms := scannedTerms("P1")
		var err error
		if terms.ExpiryTime, err = alipayplus.ParseTime("0001-01-01T00:00:00Z"); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Open(t.Context(), payment.Opened{Terms: terms}); err != nil {
			t.Fatal(err)
		}
		s.runs(time.Minute)
		s.want(payment.StateClosed, 1000, "P1 F ORDER_IS_CLOSED")
	})
}

// Ids of the wallet are unique, and the host can make them.
func TestNewID(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := serve(t, false)
		seen := map[string]bool{}
		for i := range 1000 {
			r, err := s.Open(t.Context(), payment.Opened{Terms: scannedTerms(fmt.Sprint("P", i))})
			if err != nil || len(r.PaymentID) < 20 || len(r.PaymentID) > 64 || seen[r.PaymentID] {
				t.Fatalf("%q, %v", r.PaymentID, err)
			}
			seen[r.PaymentID] = true
		}
		own := serve(t, false, func(cfg *payment.ServiceConfig) { cfg.NewID = func() string { return "own" } })
		if r := own.open(); r.PaymentID != "own" {
			t.Errorf("%q", r.PaymentID)
		}
		log := newAlarms()
		long := serve(t, false, func(cfg *payment.ServiceConfig) {
			cfg.NewID, cfg.Logger = func() string { return strings.Repeat("x", 65) }, slog.New(log)
		})
		_, err := long.Open(t.Context(), payment.Opened{Terms: scannedTerms("P1")})
		if _, refused := alipayplus.RefusalOf(err); err == nil || refused || log.count("as Alipay+ asks") != 0 {
			t.Errorf("an id of the wallet that is too long: refused %v, %v", refused, err)
		}
	})
}

func TestNewServiceChecksConfig(t *testing.T) {
	memory := alipayplus.NewMemory()
	records := payment.NewMemoryRecords(memory)
	for _, cfg := range []payment.ServiceConfig{
		{},
		{Ledger: paymenttest.NewBank(memory, "KRW")},
		{Records: records},
		{Records: records, Ledger: paymenttest.NewBank(memory, "KRW"), RemoteLedger: paymenttest.NewRemoteBank("HKD")},
	} {
		if _, err := payment.NewService(cfg); err == nil {
			t.Errorf("%+v is taken", cfg)
		}
	}
	if s, err := payment.NewService(payment.ServiceConfig{Records: records, Ledger: paymenttest.NewBank(memory, "KRW")}); err != nil {
		t.Error(err)
	} else if _, err := s.On(t.Context(), "P1", nil); !errors.Is(err, payment.ErrEvent) {
		t.Errorf("a nil event: %v", err)
	}
}

// An alarm is not lost because nobody thought of a Logger.
func TestServiceWithoutLogger(t *testing.T) {
	log := testkit.DefaultLog(t)
	s := serve(t, false)
	terms := scannedTerms("P1")
	terms.NotifyURL = "https://unknown.example/n"
	if _, err := s.Open(t.Context(), payment.Opened{Terms: terms}); err == nil || !strings.Contains(log.String(), "alarm") {
		t.Errorf("%v, and the log says %q", err, log)
	}
}
