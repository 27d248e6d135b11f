package easypay_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment/paymenttest"
)

// mistake is what a wallet does wrong, for the controls.
type mistake struct {
	issuesAfterwards bool // the token, in AfterCommit
	putsLater        bool // messages, after the transaction
	debitsOutside    bool // whatever becomes of the transaction, without a key
}

func (m mistake) records(r payment.Records) payment.Records {
	if m.putsLater {
		return &putsLater{Records: r}
	}
	return r
}

func (m mistake) ledger(b *paymenttest.Bank) payment.Ledger {
	if m.debitsOutside {
		return &debitsOutside{Bank: b}
	}
	return b
}

// putsLater keeps messages in mind until Run looks at the records.
type putsLater struct {
	payment.Records

	mu   sync.Mutex
	mind []alipayplus.Message
}

func (p *putsLater) Put(_ context.Context, m alipayplus.Message) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.mind = append(p.mind, m)
	return nil
}

func (p *putsLater) Lease(ctx context.Context, n int, d time.Duration) ([]string, error) {
	if err := p.putAll(ctx); err != nil {
		return nil, err
	}
	return p.Records.Lease(ctx, n, d)
}

func (p *putsLater) putAll(ctx context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, m := range p.mind {
		if err := p.Records.Put(ctx, m); err != nil {
			return err
		}
	}
	p.mind = nil
	return nil
}

// debitsOutside books a debit in no transaction.
type debitsOutside struct {
	*paymenttest.Bank
	n atomic.Int64
}

func (d *debitsOutside) Debit(_ context.Context, r payment.Record, debit payment.Debit) error {
	debit.Key += fmt.Sprintf("/%p/%d", d, d.n.Add(1))
	return d.Bank.Debit(context.Background(), r, debit)
}
