package mpm_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
)

// mistake is what a wallet of a control does wrong: the simulation must catch it.
type mistake int

const (
	noMistake                mistake = iota
	notifiesBeforePersisting         // sends the result before the transaction commits
	newBodyOnRetry                   // makes a new notification for every try
	debitKeyPerTry                   // the debit is not idempotent by its own key
	unknownIsFailed                  // takes a debit whose end is not known for refused
	queuesAfterCommit                // puts the notification into the outbox after the commit
)

// rebuilt is m made anew instead of stored.
func rebuilt(m alipayplus.Message, tries int) alipayplus.Message {
	var r payment.NotifyPaymentRequest
	if json.Unmarshal([]byte(m.Body.Reveal()), &r) != nil || r.PaymentID == "" {
		return m
	}
	r.PaymentID = fmt.Sprintf("%s-%d", r.PaymentID, tries)
	again, err := payment.NotifyPayment.Prepare(&r)
	if err != nil {
		return m
	}
	again.URL = m.URL
	return again
}

// bank is a ledger that is another service: it answers late, its answers get
// lost, and a debit may land after all. It survives the crashes of the wallet.
type bank struct {
	world *world // its clock and its chances

	mu       sync.Mutex
	balances map[string]int64
	ledger   map[string]int64 // key, UNIQUE → what the customer got
	refused  map[string]payment.Refused
	voided   map[string]bool
	keys     int
}

// move does what effect says and returns the event that reports its end, nil if
// that is not known.
func (b *bank) move(effect payment.Effect, m mistake) payment.Event {
	b.travel()
	if m == debitKeyPerTry {
		if d, ok := effect.(payment.Debit); ok {
			b.mu.Lock()
			b.keys++
			d.Key = strings.Replace(d.Key, "debit/", fmt.Sprintf("debit/again%d-", b.keys), 1)
			b.mu.Unlock()
			effect = d
		}
	}
	var end payment.Event
	switch chance := b.world.chance(100); {
	case chance < 6: // the request is lost
	case chance < 12: // it arrives after the wallet gave up
		b.world.later(func() { b.book(effect) })
	case chance < 18: // the answer is lost
		b.book(effect)
	default:
		end = b.book(effect)
	}
	b.travel()
	if d, ok := effect.(payment.Debit); ok && end == nil && m == unknownIsFailed {
		return payment.Refused{Attempt: d.Attempt}
	}
	return end
}

// travel is the way to the bank or back, sometimes a long one.
func (b *bank) travel() {
	b.world.pause(time.Millisecond, 300*time.Millisecond)
	if b.world.chance(6) == 0 {
		b.world.pause(0, time.Minute)
	}
}

func (b *bank) book(effect payment.Effect) payment.Event {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch d := effect.(type) {
	case payment.Debit:
		if refused, ok := b.refused[d.Key]; ok {
			return refused
		}
		if _, done := b.ledger[d.Key]; !done {
			refused := payment.Refused{Attempt: d.Attempt}
			switch {
			case b.voided[d.Key]:
			case b.balances[d.CustomerID] < d.Amount.Minor:
				refused.Code, refused.Retry = alipayplus.CodeUserBalanceNotEnough, true
			case b.world.chance(100) < 5:
				refused.Code = alipayplus.CodeRiskReject
			default:
				b.ledger[d.Key] = -d.Amount.Minor
				b.balances[d.CustomerID] -= d.Amount.Minor
				return payment.Debited{Attempt: d.Attempt, At: time.Now()}
			}
			b.refused[d.Key] = refused
			return refused
		}
		return payment.Debited{Attempt: d.Attempt, At: time.Now()}
	case payment.Void:
		if _, done := b.ledger[d.Key]; done {
			return payment.Debited{Attempt: d.Attempt, At: time.Now()}
		}
		b.voided[d.Key] = true
		return payment.Refused{Attempt: d.Attempt}
	case payment.Credit:
		if _, done := b.ledger[d.Key]; !done {
			b.ledger[d.Key] = d.Amount.Minor
			b.balances[d.CustomerID] += d.Amount.Minor
		}
		return payment.Credited{Key: d.Key}
	}
	return nil
}
