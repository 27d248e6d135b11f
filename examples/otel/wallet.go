package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/alipayplustest"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment/paymenttest"
	"github.com/alipayplus-mpp/alipayplus-go/examples/otel/telemetry"
)

// wallet is a small backend with telemetry at each of its parts.
type wallet struct {
	alipay   *alipayplustest.Gateway
	payments *payment.Service
	bank     *paymenttest.RemoteBank
	relay    *alipayplus.Relay
	handler  http.Handler
	memory   *alipayplus.Memory
}

func newWallet(alipay *alipayplustest.Gateway, t *telemetry.Telemetry, log *slog.Logger) (*wallet, error) {
	w := &wallet{alipay: alipay, memory: alipayplus.NewMemory(), bank: paymenttest.NewRemoteBank("KRW")}
	config := alipay.Config()
	config.Hooks = t.ClientHooks()
	config.Logger = log
	client, err := alipayplus.NewClient(config)
	if err != nil {
		return nil, err
	}
	w.payments, err = payment.NewService(payment.ServiceConfig{
		Client: client, Records: payment.NewMemoryRecords(w.memory), RemoteLedger: w.bank,
		AfterCommit: t.AfterCommit, Logger: log,
	})
	if err != nil {
		return nil, err
	}
	queue, err := t.Queue(w.memory)
	if err != nil {
		return nil, err
	}
	w.relay, err = alipayplus.NewRelay(alipayplus.RelayConfig{Client: client, Queue: queue, Logger: log})
	if err != nil {
		return nil, err
	}
	w.handler, err = alipayplus.NewHandler(alipayplus.HandlerConfig{
		Credentials: alipay.Credentials(),
		Idempotency: alipayplus.NewMemoryIdempotencyStore(1 << 20),
		Hooks:       t.HandlerHooks(),
		Logger:      log,
	}, w.payments.Routes(prefix)...)
	return w, err
}

const prefix = "/alipayplus/"

// live plays the i-th of many payments: some are refused, some cancelled, some
// never confirmed, and Alipay+ has its bad moments.
func (w *wallet) live(ctx context.Context, i int) error {
	id, customer := fmt.Sprintf("PR%06d", i), fmt.Sprintf("customer-%06d", i)
	if i%7 != 1 { // those have no money
		w.bank.Deposit(customer, 1000)
	}
	switch i % 10 {
	case 2:
		w.alipay.Fail(payment.NotifyPayment, alipayplustest.LoseAnswer())
	case 4:
		w.alipay.Fail(payment.NotifyPayment, alipayplustest.Unknown(alipayplus.CodeUnknownException), alipayplustest.Stale(time.Minute))
	case 6:
		w.alipay.Fail(payment.NotifyPayment, alipayplustest.Tamper())
	}
	opened, err := w.payments.Open(ctx, payment.Opened{Terms: payment.Terms{
		PaymentRequestID: id, CustomerID: customer, CodeValueDigest: alipayplus.Conceal("code " + id).Digest(),
		Amounts: payment.Amounts{
			PaymentAmount: alipayplus.Amount{Currency: "JPY", Minor: 100},
			PayToAmount:   alipayplus.Amount{Currency: "KRW", Minor: 1000},
			PaymentQuote:  payment.Quote{QuoteCurrencyPair: "JPY/KRW", QuotePrice: "10.0000"},
		},
	}})
	if err != nil {
		return err
	}
	if i%9 != 5 {
		if _, err = w.payments.Confirm(ctx, payment.Confirmation{
			PaymentRequestID: id, CustomerID: customer, Shown: opened.Amounts.Debit(),
		}); err != nil {
			return err
		}
	}
	_, err = alipayplustest.Send(ctx, w.alipay, w.handler, prefix+"inquiryPayment", payment.InquiryPayment,
		&payment.InquiryPaymentRequest{PaymentRequestID: id})
	if i%8 == 3 && err == nil {
		_, err = alipayplustest.Send(ctx, w.alipay, w.handler, prefix+"cancelPayment", payment.CancelPayment,
			&payment.CancelPaymentRequest{PaymentRequestID: id})
	}
	if i%8 == 7 && err == nil { // a stranger, without a signature
		stranger, _ := http.NewRequestWithContext(ctx, http.MethodPost, "https://wallet.example"+prefix+"refund", http.NoBody)
		stranger.Header.Set("Content-Type", "application/json")
		if _, refused := w.alipay.Exchange(w.handler, stranger); refused == nil {
			err = errors.New("the stranger got a signed answer")
		}
	}
	return err
}
