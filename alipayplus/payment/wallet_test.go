package payment_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/alipayplustest"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment/paymenttest"
)

// wallet is what survives a crash: the database, the money, and Alipay+.
type wallet struct {
	t       *testing.T
	gateway *alipayplustest.Gateway
	memory  *alipayplus.Memory
	records *payment.MemoryRecords
	bank    *paymenttest.Bank       // nil with a remote ledger
	remote  *paymenttest.RemoteBank // nil with a local one

	mu        sync.Mutex
	told      map[string][]alipayplus.Result // what changed at Alipay+, by payment
	cancelled map[string]bool                // cancelPayment was answered S
	refunded  map[string]bool                // refund was answered S, by refundRequestId
	deposits  int64
}

func newWallet(t *testing.T, remote bool) *wallet {
	memory := alipayplus.NewMemory()
	w := &wallet{
		t: t, gateway: alipayplustest.New(t), memory: memory, records: payment.NewMemoryRecords(memory),
		told: map[string][]alipayplus.Result{}, cancelled: map[string]bool{}, refunded: map[string]bool{},
	}
	if remote {
		w.remote = paymenttest.NewRemoteBank("KRW")
	} else {
		w.bank = paymenttest.NewBank(memory, "KRW")
	}
	alipayplustest.Answer(w.gateway, payment.NotifyPayment,
		func(_ context.Context, r *payment.NotifyPaymentRequest) (*payment.NotifyPaymentResponse, error) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.told[r.PaymentRequestID] = append(w.told[r.PaymentRequestID], r.PaymentResult)
			return &payment.NotifyPaymentResponse{}, nil
		})
	return w
}

func (w *wallet) deposit(customer string, minor int64) {
	w.mu.Lock()
	w.deposits += minor
	w.mu.Unlock()
	if w.remote != nil {
		w.remote.Deposit(customer, minor)
	} else {
		w.bank.Deposit(customer, minor)
	}
}

// audit compares the books when all is quiet: the ledger, the records, and what
// Alipay+ knows.
func (w *wallet) audit(customers []string, ids ...string) {
	w.t.Helper()
	ctx := context.WithoutCancel(w.t.Context())
	w.mu.Lock()
	defer w.mu.Unlock()
	var entries map[string]paymenttest.Entry
	var balances int64
	if w.remote != nil {
		entries = w.remote.Entries()
		for _, c := range customers {
			balances += w.remote.Balance(c)
		}
	} else {
		entries = w.bank.Entries()
		for _, c := range customers {
			balances += w.bank.Balance(c)
		}
	}
	net, debits, total := map[string]int64{}, map[string]int{}, w.deposits
	for key, e := range entries {
		total += e.Minor
		part := strings.Split(key, "/")
		id := part[len(part)-1]
		switch part[0] {
		case "refund":
			id = part[1]
		case "debit":
			if e.Minor != 0 {
				debits[id]++
			}
		case "reverse":
			debits[id]--
		}
		net[id] += e.Minor
	}
	if total != balances {
		w.t.Errorf("the entries sum up to %d, the balances to %d", total, balances)
	}
	for _, id := range ids {
		if err := w.auditOne(ctx, id, net[id], debits[id]); err != nil {
			w.t.Errorf("%s: %v\ntold %v\n%v", id, err, w.told[id], slices.Sorted(maps.Keys(entries)))
			if w.t.Failed() {
				return
			}
		}
	}
	if dead, err := w.memory.DeadLetters(ctx, 10); err != nil || len(dead) > 0 {
		w.t.Errorf("dead letters: %v, %v", dead, err)
	}
	if left, err := w.memory.Lease(ctx, 10, time.Second); err != nil || len(left) > 0 {
		w.t.Errorf("messages are left: %v, %v", left, err)
	}
	if left, err := w.records.Lease(ctx, 10, time.Second); err != nil || len(left) > 0 {
		w.t.Errorf("payments are due: %v, %v", left, err)
	}
}

func (w *wallet) auditOne(ctx context.Context, id string, net int64, debits int) error {
	r, err := w.records.Find(ctx, id)
	if err != nil {
		return err
	}
	want, wantDebits := int64(0), 0
	if r.State == payment.StatePaid {
		want, wantDebits = -r.Amounts.Debit().Minor, 1
		for _, refund := range r.Refunds {
			want += refund.RefundFromAmount.Minor - refund.Cut.Minor
		}
	}
	result := r.InquiryAnswer().PaymentResult
	told := w.told[id]
	cancelledPaid := r.State == payment.StateClosed && r.PaidTime != (alipayplus.Time{})
	for _, refund := range r.Refunds {
		if r.RefundAnswer(refund.RefundRequestID).Result.Status != alipayplus.StatusSucceeded {
			return fmt.Errorf("the refund %s is not done", refund.RefundRequestID)
		}
		delete(w.refunded, refund.RefundRequestID)
	}
	for refund := range w.refunded {
		if strings.HasPrefix(refund, id+"-") {
			return fmt.Errorf("the refund %s was answered S and is not there", refund)
		}
	}
	_, notified := r.Notification()
	switch {
	case r.State == "" && net == 0 && len(told) == 0:
		return nil
	case net != want, r.State != payment.StateClosed && debits != wantDebits:
		return fmt.Errorf("%s, the ledger says %d and %d debits, want %d and %d", r.State, net, debits, want, wantDebits)
	case len(r.Due()) > 0 || r.Missed || r.Resume != (payment.Resume{}):
		return fmt.Errorf("%s, due %v, missed %t, %v", r.State, r.Due(), r.Missed, r.Resume)
	case result.Status != alipayplus.StatusSucceeded && result.Status != alipayplus.StatusFailed:
		return fmt.Errorf("%s, inquiry says %s", r.State, result.Error())
	case w.cancelled[id] && r.State != payment.StateClosed && r.State != payment.StateFailed:
		return fmt.Errorf("%s, but its cancellation was answered S", r.State)
	case len(told) > 1:
		return fmt.Errorf("%s, Alipay+ was told twice", r.State)
	case notified && len(told) == 0:
		return fmt.Errorf("%s, Alipay+ was told nothing", r.State)
	case notified && told[0] != result:
		return fmt.Errorf("%s, Alipay+ was told %s, inquiry says %s", r.State, told[0].Error(), result.Error())
	case !notified && len(told) > 0 && !(cancelledPaid && told[0].Status == alipayplus.StatusSucceeded):
		return fmt.Errorf("%s, Alipay+ was told %s", r.State, told[0].Error())
	case !notified && result.Status == alipayplus.StatusSucceeded:
		return fmt.Errorf("%s, and no notification", r.State)
	}
	return nil
}

var errCrash = errors.New("the process or its network broke")

// fault is what happens at a step of a process.
type fault int

// The faults.
const (
	dieBefore  fault = iota // the process ends before the step
	dieAfter                // it ends after the step
	failBefore              // the step fails
	failAfter               // the step is done, but its answer is lost
)

var faultNames = []string{"dies before", "dies after", "fails at", "loses the answer of"}

// process is one life of the wallet's backend: all that it does elsewhere is a
// step, and each may go wrong.
type process struct {
	*payment.Service
	relay  *alipayplus.Relay
	wallet *wallet

	// fault says what happens at a step.
	fault func(name string) (fault, bool)
	mu    sync.Mutex
	dead  bool
}

func (w *wallet) start(fault func(name string) (fault, bool)) *process {
	w.t.Helper()
	p := &process{wallet: w, fault: fault}
	cfg := payment.ServiceConfig{
		Records: steppedRecords{w.records, p},
		Check:   func(context.Context, payment.Check) error { return p.step("Check", nil) },
		OnChange: func(context.Context, payment.Record, payment.Record) error {
			return p.step("OnChange", nil)
		},
	}
	if w.remote != nil {
		cfg.RemoteLedger = steppedRemote{w.remote, p}
	} else {
		cfg.Ledger = ledgerFuncs{
			debit: func(ctx context.Context, r payment.Record, d payment.Debit) error {
				return p.step("Debit", func() error { return w.bank.Debit(ctx, r, d) })
			},
			credit: func(ctx context.Context, r payment.Record, c payment.Credit) error {
				return p.step("Credit", func() error { return w.bank.Credit(ctx, r, c) })
			},
		}
	}
	var err error
	if p.Service, err = payment.NewService(cfg); err != nil {
		w.t.Fatal(err)
	}
	config := w.gateway.Config()
	config.Transport = steppedTransport{w.gateway, p}
	client, err := alipayplus.NewClient(config)
	if err != nil {
		w.t.Fatal(err)
	}
	p.relay, err = alipayplus.NewRelay(alipayplus.RelayConfig{
		Client: client, Queue: steppedQueue{w.memory, p}, Poll: 5 * time.Second,
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return p
}

// runs lets Run and the Relay work for d.
func (p *process) runs(d time.Duration) {
	ctx, cancel := context.WithTimeout(p.wallet.t.Context(), d)
	defer cancel()
	var running sync.WaitGroup
	running.Go(func() { _ = p.Run(ctx) })
	running.Go(func() { _ = p.relay.Run(ctx) })
	running.Wait()
}

// step does something elsewhere, with what may go wrong.
func (p *process) step(name string, do func() error) error {
	p.mu.Lock()
	what, hit := fault(0), false
	if !p.dead {
		what, hit = p.fault(name)
	}
	p.dead = p.dead || hit && what == dieBefore
	dead := p.dead
	p.mu.Unlock()
	if dead || hit && what == failBefore {
		return errCrash
	}
	var err error
	if do != nil {
		err = do()
	}
	if hit {
		p.mu.Lock()
		p.dead = p.dead || what == dieAfter
		p.mu.Unlock()
		return errCrash
	}
	return err
}

func (p *process) isDead() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.dead
}
