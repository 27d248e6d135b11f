package main

import (
	"context"
	"fmt"
	"log"
	"net/url"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
)

// operators is what an operator of the wallet sees.
type operators struct {
	Notice   string
	Payments []shownPayment
	Outbox   []letter
	Dead     []alipayplus.Delivery
}

// shownPayment is a row of the payments.
type shownPayment struct {
	payment.Record
	Back alipayplus.Amount // what was given back
	Told alipayplus.Result // what Alipay+ was told
}

// Refundable reports whether there is something to give back.
func (p shownPayment) Refundable() bool {
	left := p.Amounts.PaymentAmount.Minor
	for _, r := range p.Refunds {
		left -= r.RefundAmount.Minor
	}
	return p.State == payment.StatePaid && left > 0
}

// Cancellable reports whether a cancellation would change something.
func (p shownPayment) Cancellable() bool {
	return p.State == payment.StatePaid || p.State == payment.StateOpen || p.State == payment.StateVerifying
}

// letter is a message in the outbox.
type letter struct{ alipayplus.Delivery }

// In is how long it takes until the next try.
func (l letter) In() string {
	if d := time.Until(l.Due).Round(time.Second); d > 0 {
		return "in " + d.String()
	}
	return "now"
}

func (w *wallet) operators(ctx context.Context, a *alipay) (o operators, err error) {
	records, err := w.list(ctx, "", 12)
	if err != nil {
		return o, err
	}
	for _, r := range records {
		p := shownPayment{Record: r, Back: alipayplus.Amount{Currency: r.Amounts.Debit().Currency}}
		for _, c := range r.Credits {
			if c.Done {
				p.Back.Minor += c.Amount.Minor
			}
		}
		known, _, err := a.order(ctx, r.PaymentRequestID)
		if err != nil {
			return o, err
		}
		p.Told = known.Result
		o.Payments = append(o.Payments, p)
	}
	waiting, err := w.outbox.Waiting(ctx, 8)
	if err != nil {
		return o, err
	}
	for _, d := range waiting {
		o.Outbox = append(o.Outbox, letter{d})
	}
	o.Dead, err = w.outbox.DeadLetters(ctx, 20)
	return o, err
}

// operate is what an operator does, or Alipay+ because a merchant wants it. It
// returns what came of it, in words.
func operate(ctx context.Context, w *wallet, a *alipay, action string, form url.Values) string {
	id := form.Get("id")
	r, err := w.payments.Find(ctx, id)
	if err != nil {
		return "The database did not answer. Please try again."
	}
	var result alipayplus.Result
	switch action {
	case "requeue":
		if err := w.outbox.Requeue(ctx, form.Get("operation"), id); err != nil {
			return "The message could not be sent again: the database did not answer."
		}
		w.changed.tell()
		return "The message is on its way again."
	case "inquire":
		var answer *payment.InquiryPaymentResponse
		answer, err = call(ctx, a, payment.InquiryPayment, &payment.InquiryPaymentRequest{AcquirerID: r.AcquirerID, PSPID: r.PSPID, PaymentRequestID: id}, nil)
		if err == nil {
			return fmt.Sprintf("Alipay+ asked; the payment is %s %s.", answer.PaymentResult.Status, answer.PaymentResult.Code)
		}
	case "cancel":
		result, err = a.cancel(ctx, &payment.CancelPaymentRequest{AcquirerID: r.AcquirerID, PSPID: r.PSPID, PaymentRequestID: id})
	case "refund":
		var answer *payment.RefundResponse
		answer, err = call(ctx, a, payment.Refund, refundOf(r, form.Get("part") != ""),
			func(r *payment.RefundResponse) alipayplus.Result { return r.Result })
		if err == nil {
			result = answer.Result
		}
	default:
		return ""
	}
	name := map[string]string{"cancel": "cancelPayment", "refund": "refund", "inquire": "inquiryPayment"}[action]
	if err != nil {
		log.Printf("operators: %q: %v", action, err) //nolint:gosec // quoted
		if action == "refund" {                      // the next click is another refund
			return "Alipay+ sent refund five times and got no final answer. Look at what was given back before you send another one."
		}
		return fmt.Sprintf("Alipay+ sent %s five times and got no final answer. Send it again.", name)
	}
	return fmt.Sprintf("Alipay+ sent %s; the wallet answered %s %s.", name, result.Status, result.Code)
}

// refundOf gives back a third of the payment, or all that is left.
func refundOf(r payment.Record, part bool) *payment.RefundRequest {
	share := func(whole alipayplus.Amount, of func(payment.RefundEntry) alipayplus.Amount) alipayplus.Amount {
		if part {
			whole.Minor /= 3
			return whole
		}
		for _, before := range r.Refunds {
			whole.Minor -= of(before).Minor
		}
		return whole
	}
	request := &payment.RefundRequest{
		AcquirerID: r.AcquirerID, PSPID: r.PSPID, PaymentRequestID: r.PaymentRequestID, PaymentID: r.PaymentID,
		RefundRequestID:  "R" + newID(),
		RefundAmount:     share(r.Amounts.PaymentAmount, func(e payment.RefundEntry) alipayplus.Amount { return e.RefundAmount }),
		RefundFromAmount: share(r.Amounts.PayToAmount, func(e payment.RefundEntry) alipayplus.Amount { return e.RefundFromAmount }),
		RefundQuote:      r.Amounts.PaymentQuote,
	}
	if s := r.Amounts.SurchargeInfo; !s.SurchargeAmount.IsZero() {
		request.SurchargeInfo = payment.SurchargeInfo{
			SurchargeAmount: share(s.SurchargeAmount, func(e payment.RefundEntry) alipayplus.Amount { return e.SurchargeAmount }), SurchargeQuote: s.SurchargeQuote,
		}
	}
	return request
}
