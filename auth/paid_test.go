package auth_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/alipayplustest"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment/paymenttest"
	"github.com/alipayplus-mpp/alipayplus-go/auth"
)

// paying is a world whose payments issue tokens.
type paying struct {
	*world
	payments *payment.Service
	balance  func() int64
}

// pays runs a test with a ledger in the database and with one elsewhere.
func pays(t *testing.T, test func(t *testing.T, p *paying), change ...func(*auth.Config)) {
	t.Helper()
	for _, remote := range []bool{false, true} {
		t.Run(fmt.Sprintf("remote=%t", remote), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := &paying{world: newWorld(t, change...)}
				cfg := payment.ServiceConfig{
					Records: payment.NewMemoryRecords(p.memory),
					OnChange: func(ctx context.Context, before, after payment.Record) error {
						return p.service.OnPaid(ctx, before, after)
					},
				}
				if remote {
					bank := paymenttest.NewRemoteBank("HKD")
					bank.Deposit("customer-1", 1000)
					cfg.RemoteLedger, p.balance = bank, func() int64 { return bank.Balance("customer-1") }
				} else {
					bank := paymenttest.NewBank(p.memory, "HKD")
					bank.Deposit("customer-1", 1000)
					cfg.Ledger, p.balance = bank, func() int64 { return bank.Balance("customer-1") }
				}
				var err error
				if p.payments, err = payment.NewService(cfg); err != nil {
					t.Fatal(err)
				}
				alipayplustest.Answer(p.gateway, payment.NotifyPayment,
					func(context.Context, *payment.NotifyPaymentRequest) (*payment.NotifyPaymentResponse, error) {
						return &payment.NotifyPaymentResponse{}, nil
					})
				test(t, p)
			})
		})
	}
}

// open opens a payment that asks for an agreement.
func (p *paying) open(id string, change ...func(*payment.Terms)) payment.Record {
	p.Helper()
	hkd := alipayplus.Amount{Currency: "HKD", Minor: 100}
	terms := payment.Terms{
		PaymentRequestID: id, CustomerID: "customer-1", CodeValueDigest: "digest",
		AcquirerID: "acquirer-1", PSPID: "psp-1",
		Amounts:           payment.Amounts{PaymentAmount: hkd, PayToAmount: hkd},
		Order:             payment.Order{Merchant: payment.Merchant{ReferenceMerchantID: "shop-1"}},
		AuthorizationInfo: payment.AuthorizationInfo{AuthClientID: "merchant-1", ReferenceAgreementID: "agreement-1"},
	}
	for _, c := range change {
		c(&terms)
	}
	r, err := p.payments.Open(p.Context(), payment.Opened{Terms: terms})
	if err != nil {
		p.Fatal(err)
	}
	return r
}

func (p *paying) confirm(r payment.Record, consent bool) (payment.Record, error) {
	return p.payments.Confirm(p.Context(), payment.Confirmation{
		PaymentRequestID: r.PaymentRequestID, CustomerID: r.CustomerID, Shown: r.Amounts.Debit(), Consent: consent,
	})
}

// pay confirms the payment, which must succeed.
func (p *paying) pay(r payment.Record, consent bool) {
	p.Helper()
	r, err := p.confirm(r, consent)
	if err != nil || r.State != payment.StatePaid {
		p.Fatalf("Confirm: %q, %v", r.State, err)
	}
}

// runPayments lets payment.Service.Run work for d.
func (p *paying) runPayments(d time.Duration) {
	p.Helper()
	ctx, cancel := context.WithTimeout(p.Context(), d)
	defer cancel()
	if err := p.payments.Run(ctx); !errors.Is(err, context.DeadlineExceeded) {
		p.Error(err)
	}
}

func masked(_ context.Context, customerID string) (alipayplus.Secret, error) {
	return alipayplus.Conceal("62-857****6473 " + customerID), nil
}

// A payment with consent gives the token of its agreement, once for all
// payments that name it.
func TestOnPaid(t *testing.T) {
	pays(t, func(t *testing.T, p *paying) {
		p.pay(p.open("P1"), true)
		second := p.open("P2")
		p.pay(second, true)
		p.work()
		got := p.created()
		token := p.find(got.AccessToken.Digest())
		want := auth.TokenCreated{
			AuthClientID: "merchant-1", ReferenceAgreementID: "agreement-1",
			AccessToken: got.AccessToken, AccessTokenExpiryTime: alipayplus.TimeOf(token.AccessExpiry),
			RefreshToken: got.RefreshToken, RefreshTokenExpiryTime: alipayplus.TimeOf(token.RefreshExpiry),
			ReferenceMerchantID: "shop-1", CustomerID: "customer-1",
			UserLoginID: alipayplus.Conceal("62-857****6473 customer-1"), AcquirerID: "acquirer-1", PSPID: "psp-1",
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("authNotify: %v, want %v", got, want)
		}
		grant, err := p.service.Check(t.Context(), got.AccessToken, auth.ScopeAgreementPay)
		if err != nil || !reflect.DeepEqual(grant, auth.GrantOf(second)) {
			t.Errorf("Check: %v, %v", grant, err)
		}

		// It can be unbound.
		p.unbinding = alipayplus.True
		if allowed, err := p.service.Unbind(t.Context(), p.client, token.ID, "customer-1"); !allowed || err != nil {
			t.Errorf("Unbind: %t, %v", allowed, err)
		}
		p.work()
		if len(p.canceled()) != 1 {
			t.Error("Alipay+ is not told of the end")
		}
	}, keep, func(c *auth.Config) { c.UserLoginID = masked })
}

func TestOnPaidIssuesNothing(t *testing.T) {
	pays(t, func(t *testing.T, p *paying) {
		p.pay(p.open("no consent"), false)
		p.pay(p.open("no agreement", func(t *payment.Terms) { t.AuthorizationInfo = payment.AuthorizationInfo{} }), true)
		p.open("not paid")
		r := p.open("too expensive", func(t *payment.Terms) {
			t.Amounts.PaymentAmount.Minor, t.Amounts.PayToAmount.Minor = 9999, 9999
		})
		if r, err := p.confirm(r, true); err != nil || r.State == payment.StatePaid {
			t.Fatalf("Confirm: %q, %v", r.State, err)
		}
		p.work()
		for _, n := range p.notified {
			t.Errorf("Alipay+ is told %v", n)
		}
		if p.log.Len() > 0 {
			t.Errorf("log: %s", p.log)
		}
	})
}

// A change of a payment that was paid before, a refund for example, is none of
// OnPaid's business.
func TestOnPaidAfterThePayment(t *testing.T) {
	pays(t, func(t *testing.T, p *paying) {
		r := p.open("P1")
		r.State, r.Consented = payment.StatePaid, true
		if err := p.service.OnPaid(t.Context(), r, r); err != nil {
			t.Error(err)
		}
		if keys := p.waiting(); len(keys) != 0 {
			t.Errorf("%v waits", keys)
		}
	})
}

// What fails every time does not cost the user the payment.
func TestOnPaidNeverLosesThePayment(t *testing.T) {
	for _, c := range []struct {
		rule   string
		change func(*payment.Terms)
		config func(*auth.Config)
		issued bool
		level  string
	}{
		{"a client id that authNotify cannot carry",
			func(t *payment.Terms) { t.AuthorizationInfo.AuthClientID = strings.Repeat("m", 65) }, nil, false, "ERROR"},
		{"an agreement without an id",
			func(t *payment.Terms) { t.AuthorizationInfo.ReferenceAgreementID = "" }, nil, false, "ERROR"},
		{"an agreement of another customer",
			func(t *payment.Terms) { t.AuthorizationInfo.ReferenceAgreementID = "taken" }, nil, false, "ERROR"},
		{"a merchant id that authNotify cannot carry",
			func(t *payment.Terms) { t.Order.Merchant.ReferenceMerchantID = strings.Repeat("m", 33) }, nil, true, "WARN"},
		{"a login id that authNotify cannot carry", nil, func(c *auth.Config) {
			c.UserLoginID = func(context.Context, string) (alipayplus.Secret, error) {
				return alipayplus.Conceal(strings.Repeat("1", 65)), nil
			}
		}, true, "WARN"},
	} {
		t.Run(c.rule, func(t *testing.T) {
			pays(t, func(t *testing.T, p *paying) {
				taken := agreement
				taken.CustomerID, taken.ReferenceAgreementID = "customer-2", "taken"
				p.issue(taken)
				p.work()
				r := p.open("P1", func(t *payment.Terms) {
					if c.change != nil {
						c.change(t)
					}
				})
				p.pay(r, true)
				if p.balance() != 900 {
					t.Errorf("the balance is %d", p.balance())
				}
				p.work()
				if n := p.arrived(); (n == 2) != c.issued {
					t.Errorf("Alipay+ learned of %d tokens", n)
				}
				if !strings.Contains(p.log.String(), "level="+c.level) {
					t.Errorf("log: %s", p.log)
				}
			}, func(cfg *auth.Config) {
				if c.config != nil {
					c.config(cfg)
				}
			})
		})
	}
}

// An error of the database, at any step, leaves the payment and its token
// together: with a ledger in the database neither is there, and the user may
// confirm again; with one elsewhere the payment is, and the token follows.
func TestOnPaidWhenTheDatabaseFails(t *testing.T) {
	for k := 1; k <= 3; k++ { // SaveToken, Put, UserLoginID
		pays(t, func(t *testing.T, p *paying) {
			right := p.service
			cfg := p.config
			if k < 3 {
				broken := &brokenStore{MemoryStores: p.stores, memory: p.memory, failAt: k}
				cfg.Stores, cfg.Outbox = broken, broken
			} else {
				cfg.UserLoginID = func(context.Context, string) (alipayplus.Secret, error) { return alipayplus.Secret{}, errBroken }
			}
			p.service = newService(t, cfg)
			r := p.open("P1")
			got, err := p.confirm(r, true)
			remote := err == nil
			switch {
			case remote && (got.State != payment.StatePaid || !got.Missed || p.balance() != 900):
				t.Errorf("the payment is %q, missed %t, the balance %d", got.State, got.Missed, p.balance())
			case !remote && (!errors.Is(err, errBroken) || p.balance() != 1000):
				t.Errorf("Confirm: %v, the balance is %d", err, p.balance())
			}
			if keys := p.waiting(); !remote && len(keys) != 0 {
				t.Errorf("%v is told", keys)
			}
			p.service = right
			if remote {
				p.runPayments(time.Hour)
			} else {
				p.pay(p.open("P2"), true)
			}
			p.work()
			p.alive(p.created().AccessToken)
			if p.balance() != 900 {
				t.Errorf("the balance is %d", p.balance())
			}
		})
	}
}
