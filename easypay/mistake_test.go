package easypay_test

import (
	"context"
	"fmt"
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
	mind []alipayplus.Message
}

func (p *putsLater) Put(_ context.Context, m alipayplus.Message) error {
	p.mind = append(p.mind, m)
	return nil
}

func (p *putsLater) Lease(ctx context.Context, n int, d time.Duration) ([]string, error) {
	for _, m := range p.mind {
		if err := p.Records.Put(ctx, m); err != nil {
			return nil, err
		}
	}
	p.mind = nil
	return p.Records.Lease(ctx, n, d)
}

// debitsOutside books a debit in no transaction.
type debitsOutside struct {
	*paymenttest.Bank
	n int
}

func (d *debitsOutside) Debit(_ context.Context, r payment.Record, debit payment.Debit) error {
	d.n++
	debit.Key += fmt.Sprintf("/%p/%d", d, d.n)
	return d.Bank.Debit(context.Background(), r, debit)
}
