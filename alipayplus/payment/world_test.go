package payment_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
)

// world is a wallet whose ledger is another service: orders to it get lost when
// the wallet crashes, its reports come late, twice and in any order.
type world struct {
	row   []byte // the stored record
	now   time.Time
	queue []payment.Effect // ordered and not yet done: lost in a crash
	past  past
	way   []payment.Event

	booked  map[string]int64 // the ledger, by key: what the user got, negative for a debit
	refused map[string]bool  // debits that the ledger refused
	voided  map[string]bool  // debits that it will never take
	reports []payment.Event  // on their way back

	refunds map[string]payment.Refunded
}

func (w *world) record() (r payment.Record) {
	if err := r.UnmarshalBinary(w.row); err != nil {
		panic(err)
	}
	return r
}

// happened is one transaction of the wallet.
func (w *world) happened(t *rapid.T, e payment.Event) error {
	r := w.record()
	w.way = append(w.way, e)
	p, next, do, broken := transition(w.past, r, e)
	if broken != nil {
		t.Fatalf("%v\nafter %s", broken, describe(w.way))
	}
	_, _, err := r.On(e)
	if next.Version != r.Version {
		w.row, _ = next.MarshalBinary()
	}
	w.past = p
	w.queue = append(w.queue, do...)
	return err
}

// try is the number of a try that was counted, if there is one.
func (w *world) try(t *rapid.T) int {
	return rapid.IntRange(0, len(w.record().Tried)).Draw(t, "try")
}

// perform lets the ledger execute an order, or execute it again.
func (w *world) perform(t *rapid.T, e payment.Effect) {
	switch e := e.(type) {
	case payment.Debit:
		_, landed := w.booked[e.Key]
		if !landed && !w.refused[e.Key] && !w.voided[e.Key] {
			if rapid.Bool().Draw(t, "the debit lands") {
				w.booked[e.Key] = -e.Amount.Minor
			} else {
				w.refused[e.Key] = true
			}
		}
		w.report(e.Key, e.Attempt, rapid.Bool().Draw(t, "the user may retry"))
	case payment.Void:
		w.voided[e.Key] = true
		w.report(e.Key, e.Attempt, false)
	case payment.Credit:
		w.booked[e.Key] = e.Amount.Minor
		w.reports = append(w.reports, payment.Credited{Key: e.Key})
	}
}

func (w *world) report(key string, attempt int, retry bool) {
	if _, landed := w.booked[key]; landed {
		w.reports = append(w.reports, payment.Debited{Attempt: attempt, At: w.now})
	} else {
		w.reports = append(w.reports, payment.Refused{Attempt: attempt, Code: alipayplus.CodeRiskReject, Retry: retry})
	}
}

// settle lets everything come to its end, as after the last crash. It begins
// with a comparison of the ledger's debits with the record.
func (w *world) settle(t *rapid.T) {
	for attempt := range w.record().Attempts {
		if _, landed := w.booked[fmt.Sprintf("debit/%d/%s", attempt+1, orderID)]; landed {
			w.reports = append(w.reports, payment.Debited{Attempt: attempt + 1, At: w.now})
		}
	}
	for _, e := range w.reports {
		_ = w.happened(t, e)
	}
	w.reports = nil
	for range 20 {
		w.queue = w.record().Due()
		if len(w.queue) == 0 {
			return
		}
		for _, e := range w.queue {
			w.perform(t, e)
		}
		for _, e := range w.reports {
			_ = w.happened(t, e)
		}
		w.reports = nil
	}
	t.Fatalf("it never ends: %s", describe(w.way))
}

func take[T any](t *rapid.T, list []T, label string) (T, int) {
	i := rapid.IntRange(0, len(list)-1).Draw(t, label)
	return list[i], i
}

// Long random lives of a payment: whatever is lost, late, doubled or reordered,
// nothing contradicts itself and the money adds up.
func TestLives(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		start := opened
		if rapid.Bool().Draw(t, "Easy Pay") {
			start = openedEasy
		} else if rapid.Bool().Draw(t, "one-click") {
			start = oneClick
		}
		w := &world{
			now: noon, booked: map[string]int64{}, refused: map[string]bool{}, voided: map[string]bool{},
			refunds: map[string]payment.Refunded{},
		}
		w.row, _ = payment.Record{Terms: payment.Terms{PaymentRequestID: orderID}}.MarshalBinary()

		t.Repeat(map[string]func(*rapid.T){
			"time passes": func(t *rapid.T) {
				w.now = w.now.Add(time.Duration(rapid.Int64Range(0, int64(6*time.Minute)).Draw(t, "by")))
			},
			"opened":    func(t *rapid.T) { _ = w.happened(t, start) },
			"confirmed": func(t *rapid.T) { _ = w.happened(t, with(confirmed, func(e *payment.Confirmed) { e.At = w.now })) },
			"tried":     func(t *rapid.T) { _ = w.happened(t, payment.VerificationTried{At: w.now}) },
			"verified":  func(t *rapid.T) { _ = w.happened(t, payment.Verified{Try: w.try(t), At: w.now}) },
			"wrong":     func(t *rapid.T) { _ = w.happened(t, payment.VerificationFailed{Try: w.try(t), At: w.now}) },
			"resent":    func(t *rapid.T) { _ = w.happened(t, payment.OTPResent{At: w.now}) },
			"expired":   func(t *rapid.T) { _ = w.happened(t, payment.Expired{At: w.now}) },
			"cancelled": func(t *rapid.T) {
				if rapid.IntRange(0, 9).Draw(t, "of ten") == 0 {
					_ = w.happened(t, payment.Cancelled{At: w.now})
				}
			},
			"refunded": func(t *rapid.T) {
				id := fmt.Sprintf("r%d", rapid.IntRange(1, 9).Draw(t, "refund"))
				e, ok := w.refunds[id]
				if !ok {
					amount := rapid.Int64Range(0, 600).Draw(t, "amount")
					e = refundOf(id, amount, amount*85614/10000, amount*89614/10000)
					w.refunds[id] = e
				}
				e.At = w.now
				_ = w.happened(t, e)
			},
			"ledger works": func(t *rapid.T) {
				if len(w.queue) > 0 {
					e, i := take(t, w.queue, "order")
					if rapid.Bool().Draw(t, "and it is not ordered again") {
						w.queue = slices.Delete(w.queue, i, i+1)
					}
					w.perform(t, e)
				}
			},
			"ledger reports": func(t *rapid.T) {
				if len(w.reports) > 0 {
					e, i := take(t, w.reports, "report")
					if rapid.Bool().Draw(t, "and it does not come again") {
						w.reports = slices.Delete(w.reports, i, i+1)
					}
					if err := w.happened(t, e); err != nil {
						if _, stale := e.(payment.Refused); !stale {
							t.Fatalf("a report is refused: %v", err)
						}
					}
				}
			},
			"crash": func(*rapid.T) {
				w.reports = nil
				w.queue = w.record().Due()
			},
			// The ledger called a debit refused, and then it landed.
			"ledger errs": func(t *rapid.T) {
				for attempt := range w.record().Attempts {
					key := fmt.Sprintf("debit/%d/%s", attempt+1, orderID)
					if w.refused[key] && !w.voided[key] && rapid.IntRange(0, 9).Draw(t, "of ten") == 0 {
						delete(w.refused, key)
						w.booked[key] = -start.Amounts.Debit().Minor
						w.reports = append(w.reports, payment.Debited{Attempt: attempt + 1, At: w.now})
					}
				}
			},
		})
		w.settle(t)

		r := w.record()
		var balance, refunds int64
		for _, amount := range w.booked {
			balance += amount
		}
		for _, e := range r.Refunds {
			refunds += e.SurchargeAmount.Minor - e.Cut.Minor
		}
		switch {
		case r.State == payment.StatePaid && balance != refunds-r.Amounts.Debit().Minor:
			t.Fatalf("paid, refunds of %d, and the user's balance moved by %d: %s", refunds, balance, describe(w.way))
		case r.State != payment.StatePaid && balance != 0:
			t.Fatalf("%s, and the user's balance moved by %d: %s", r.State, balance, describe(w.way))
		case r.State == payment.StatePaying:
			t.Fatalf("it never ends: %s", describe(w.way))
		case w.past.Cancelled && r.CancelAnswer().Result.Status != alipayplus.StatusSucceeded:
			t.Fatalf("the cancellation never ends: %s", describe(w.way))
		}
	})
}

// However a payment is refunded in parts, rounding never refuses a part, the
// user never gets more than was debited, and what is cut is at most a unit for
// each.
func TestRefundsInParts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		quote := payment.Quote{
			QuoteCurrencyPair: rapid.SampledFrom([]string{"JPY/HKD", "HKD/JPY"}).Draw(t, "pair"),
			QuotePrice:        payment.Price(fmt.Sprintf("%d.%04d", rapid.IntRange(0, 20).Draw(t, "price"), rapid.IntRange(1, 9999).Draw(t, "decimals"))),
		}
		asked := jpy(rapid.Int64Range(1, 1_000_000).Draw(t, "asked"))
		to, err := quote.Convert(asked, payment.HalfUp)
		if err != nil {
			t.Fatal(err)
		}
		open := opened
		open.Amounts = payment.Amounts{PaymentAmount: asked, PayToAmount: to, PaymentQuote: quote}
		record := payment.Record{Terms: payment.Terms{PaymentRequestID: orderID}}
		for _, e := range []payment.Event{open, payment.Confirmed{CustomerID: "alice", Amount: to, At: noon}, debited} {
			if record, _, err = record.On(e); err != nil {
				t.Fatal(err)
			}
		}
		parts := int64(0)
		for left := asked.Minor; left > 0; {
			part := min(left, rapid.Int64Range(asked.Minor/payment.MaxRefunds+1, asked.Minor).Draw(t, "part"))
			left -= part
			parts++
			from, err := quote.Convert(jpy(part), payment.HalfUp)
			if err != nil {
				t.Fatal(err)
			}
			e := refundOf(fmt.Sprint("r", parts), part, from.Minor, 0)
			e.Request.SurchargeInfo = payment.SurchargeInfo{}
			if record, _, err = record.On(e); err != nil {
				t.Fatalf("part %d, %v of %v: %v", parts, jpy(part), asked, err)
			}
		}
		var credits, cut, from int64
		for _, c := range record.Credits {
			credits += c.Amount.Minor
		}
		for _, r := range record.Refunds {
			cut += r.Cut.Minor
			from += r.RefundFromAmount.Minor
		}
		if credits > to.Minor || credits+cut != from || cut > parts {
			t.Fatalf("%d parts: %d credited and %d cut, %d debited", parts, credits, cut, to.Minor)
		}
		over := refundOf("over", 1, 0, 0)
		over.Request.SurchargeInfo = payment.SurchargeInfo{}
		if _, _, err := record.On(over); err == nil {
			t.Fatal("a yen more than the payment is refunded")
		}
	})
}
