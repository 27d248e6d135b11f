package main

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment/paymenttest"
	"github.com/alipayplus-mpp/alipayplus-go/auth"
	"github.com/alipayplus-mpp/alipayplus-go/easypay"
)

// wallet is the backend of a wallet in memory. A real one has the database of
// package sqlstore and a Ledger of its own.
type wallet struct {
	database     *alipayplus.Memory // payments, balances, tokens and the outbox, in one transaction
	sealer       *alipayplus.Sealer
	bank         *paymenttest.Bank
	tokens       *auth.Service
	payments     *payment.Service
	easyPay      *easypay.Service
	acknowledged chan string // keys of messages that Alipay+ acknowledged
}

func newWallet(client *alipayplus.Client) (*wallet, error) {
	w := &wallet{database: alipayplus.NewMemory(), acknowledged: make(chan string, 100)}
	w.bank = paymenttest.NewBank(w.database, "KRW")
	w.bank.Deposit(customer, 50_000) // KRW
	key := make([]byte, 32)          // a real one stays in a KMS, apart from the database
	if _, err := rand.Read(key); err != nil {
		return nil, err
	}
	var err error
	if w.sealer, err = alipayplus.NewSealer(key); err != nil {
		return nil, err
	}
	w.tokens, err = auth.NewService(auth.Config{
		Stores: auth.NewMemoryStores(w.database), Outbox: w.database, Sealer: w.sealer,
		RoutingNumber: "004", KeepAccessTokens: true,
	})
	if err != nil {
		return nil, err
	}
	w.payments, err = payment.NewService(payment.ServiceConfig{
		Client: client, Records: payment.NewMemoryRecords(w.database), Ledger: w.bank,
		OnChange: w.tokens.OnPaid, // the token of an agreement, in the transaction of the debit
	})
	if err != nil {
		return nil, err
	}
	w.easyPay, err = newEasyPay(w.payments, w.tokens, w.sealer)
	return w, err
}

// login is the wallet's own: who asks?
func login(r *http.Request) (id string, err error) {
	if id = r.Header.Get("X-Customer"); id == "" {
		return "", errors.New("nobody is signed in")
	}
	return id, nil
}

func (w *wallet) record(ctx context.Context, id string) (payment.Record, error) {
	return w.payments.Find(ctx, id)
}

func (w *wallet) balance() int64 { return w.bank.Balance(customer) }

// deliver runs the relay until Alipay+ has acknowledged n messages. A real wallet
// runs it all the time; here it waits for its step of the trace.
func (w *wallet) deliver(ctx context.Context, client *alipayplus.Client, n int) error {
	relay, err := alipayplus.NewRelay(alipayplus.RelayConfig{
		Client: client, Queue: watched{w.database, w.acknowledged}, Sealer: w.sealer,
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
	for range n {
		select {
		case <-w.acknowledged:
		case err := <-ended:
			return err
		}
	}
	stop()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
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
