package payment_test

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
)

// Long random sequences of events, with times and amounts of their own:
// whatever comes late, doubled or reordered, nothing contradicts itself. (What
// becomes of the money is tested on Service: see TestCrashes and
// TestSimulation.)
func TestLongSequences(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		start := rapid.SampledFrom([]payment.Opened{opened, openedEasy, oneClick}).Draw(t, "start")
		record := payment.Record{Terms: payment.Terms{PaymentRequestID: orderID}}
		now := noon
		var p past
		var way []payment.Event
		refunds := map[string]payment.Refunded{}
		for range rapid.IntRange(1, 80).Draw(t, "events") {
			now = now.Add(time.Duration(rapid.Int64Range(0, int64(time.Minute)).Draw(t, "passes")))
			number := rapid.IntRange(0, 3).Draw(t, "number")
			var e payment.Event
			switch rapid.IntRange(0, 13).Draw(t, "event") {
			case 0, 1:
				e = start
			case 2, 3:
				e = with(confirmed, func(e *payment.Confirmed) { e.At = now })
			case 4:
				e = payment.VerificationTried{At: now}
			case 5:
				e = payment.Verified{Try: number, At: now}
			case 6:
				e = payment.VerificationFailed{Try: number, At: now}
			case 7:
				e = payment.OTPResent{At: now}
			case 8:
				e = payment.Expired{At: now}
			case 9:
				e = payment.Debited{Attempt: number, At: now}
			case 10:
				e = payment.Refused{Attempt: number, Code: alipayplus.CodeRiskReject, Retry: rapid.Bool().Draw(t, "retry")}
			case 11:
				if rapid.IntRange(0, 4).Draw(t, "of five") > 0 {
					continue
				}
				e = payment.Cancelled{At: now}
			case 12:
				id := fmt.Sprint("r", rapid.IntRange(1, 9).Draw(t, "refund"))
				refund, known := refunds[id]
				if !known {
					amount := rapid.Int64Range(0, 600).Draw(t, "amount")
					refund = refundOf(id, amount, amount*85614/10000, amount*89614/10000)
					refunds[id] = refund
				}
				refund.At = now
				e = refund
			default:
				if len(record.Credits) == 0 {
					continue
				}
				e = payment.Credited{Key: record.Credits[number%len(record.Credits)].Key}
			}
			way = append(way, e)
			next, after, _, broken := transition(p, record, e)
			if broken != nil {
				t.Fatalf("%v\nafter %s", broken, describe(way))
			}
			p, record = next, after
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
