package main

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment/paymenttest"
)

// wallet is the backend of a wallet, reduced to its payments, in memory. A real
// one has the database of package sqlstore and a Ledger of its own.
type wallet struct {
	database     *alipayplus.Memory // payments, balances and the outbox, in one transaction
	bank         *paymenttest.Bank
	payments     *payment.Service
	acknowledged chan string // keys of messages that Alipay+ acknowledged
}

func newWallet() (*wallet, error) {
	w := &wallet{database: alipayplus.NewMemory(), acknowledged: make(chan string, 100)}
	w.bank = paymenttest.NewBank(w.database)
	w.bank.Deposit(customer, 50_000) // KRW
	var err error
	w.payments, err = payment.NewService(payment.ServiceConfig{Records: payment.NewMemoryRecords(w.database), Ledger: w.bank})
	return w, err
}

// login is the wallet's own: who asks?
func login(r *http.Request) (id string, err error) {
	if id = r.Header.Get("X-Customer"); id == "" {
		return "", errors.New("nobody is signed in")
	}
	return id, nil
}

// happened applies an event to a payment.
func (w *wallet) happened(id string, event payment.Event) (payment.Record, error) {
	return w.payments.On(context.Background(), id, event)
}

func (w *wallet) record(ctx context.Context, id string) (payment.Record, error) {
	return w.payments.Find(ctx, id)
}

func (w *wallet) balance() int64 { return w.bank.Balance(customer) }

// deliver runs the relay until Alipay+ has acknowledged a message. A real wallet
// runs it all the time; here it waits for its step of the trace.
func (w *wallet) deliver(ctx context.Context, client *alipayplus.Client) error {
	relay, err := alipayplus.NewRelay(alipayplus.RelayConfig{
		Client: client, Queue: watched{w.database, w.acknowledged},
		Schedule: alipayplus.Schedule{10 * time.Millisecond, 10 * time.Millisecond, 10 * time.Millisecond},
		Poll:     10 * time.Millisecond,
	})
	if err != nil {
		return err
	}
	ctx, stop := context.WithTimeout(ctx, 10*time.Second)
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- relay.Run(ctx) }()
	select {
	case <-w.acknowledged:
		stop()
		<-ended
		return nil
	case err := <-ended:
		return err
	}
}

// watched is a Queue that tells what was acknowledged.
type watched struct {
	*alipayplus.Memory
	acknowledged chan<- string
}

func (q watched) Finish(ctx context.Context, d alipayplus.Delivery, end alipayplus.End) error {
	err := q.Memory.Finish(ctx, d, end)
	if err == nil && end.State == alipayplus.EndAcknowledged {
		q.acknowledged <- d.Message.Key
	}
	return err
}
