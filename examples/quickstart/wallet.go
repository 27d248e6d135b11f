package main

import (
	"context"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment/paymenttest"
)

// wallet is the backend of a wallet, reduced to its payments, in memory.
type wallet struct {
	payments *payment.Service
	memory   *alipayplus.Memory
	bank     *paymenttest.Bank // KRW
}

func newWallet() (*wallet, error) {
	w := &wallet{memory: alipayplus.NewMemory()}
	w.bank = paymenttest.NewBank(w.memory)
	w.bank.Deposit(customer, 50_000)
	var err error
	w.payments, err = payment.NewService(payment.ServiceConfig{
		Records: payment.NewMemoryRecords(w.memory), Ledger: w.bank,
	})
	return w, err
}

// happened tells the wallet's payments what happened to one.
func (w *wallet) happened(id string, event payment.Event) (record payment.Record, refused error) {
	return w.payments.On(context.Background(), id, event)
}

func (w *wallet) record(id string) payment.Record {
	record, err := w.payments.Find(context.Background(), id)
	if err != nil {
		panic(err) // it is in memory
	}
	return record
}

func (w *wallet) balance() int64 { return w.bank.Balance(customer) }

// deliver sends what waits in the outbox, once. A real wallet runs a Relay.
func (w *wallet) deliver(ctx context.Context, client *alipayplus.Client) error {
	due, err := w.memory.Lease(ctx, 100, time.Minute)
	if err != nil {
		return err
	}
	for _, d := range due {
		if err := client.Deliver(ctx, d.Message); err != nil {
			return err
		}
		if err := w.memory.Finish(ctx, d, alipayplus.End{State: alipayplus.EndAcknowledged}); err != nil {
			return err
		}
	}
	return nil
}
