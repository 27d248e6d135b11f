package payment_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
)

func krw(minor int64) alipayplus.Amount { return alipayplus.Amount{Currency: "KRW", Minor: minor} }

// paidInKRW is a payment of JPY 100 for which the user paid KRW 1000.
func paidInKRW(t *testing.T, id string) payment.Record {
	t.Helper()
	open := opened
	open.PaymentRequestID = id
	open.Amounts = payment.Amounts{
		PaymentAmount: jpy(100), PayToAmount: krw(1000),
		PaymentQuote: payment.Quote{QuoteCurrencyPair: "JPY/KRW", QuotePrice: "10.0000"},
	}
	record := payment.Record{}
	for _, e := range []payment.Event{open, payment.Confirmed{CustomerID: "alice", Amount: krw(1000), At: noon}, debited} {
		var err error
		if record, _, err = record.On(e); err != nil {
			t.Fatal(err)
		}
	}
	return record
}

func refundInKRW(payment1, id string, amount, from int64) payment.Refunded {
	e := refundOf(id, amount, 0, 0)
	e.Request.PaymentRequestID = payment1
	e.Request.RefundFromAmount = krw(from)
	e.Request.SurchargeInfo = payment.SurchargeInfo{}
	return e
}

// However many refunds come, and whatever they say, the user never gets more
// back than was debited.
func TestRefundsNeverExceedTheDebit(t *testing.T) {
	for _, c := range []struct {
		rule    string
		refunds [][2]int64 // JPY, KRW
		errs    []error
		credits []int64
		cut     int64 // of the last refund
	}{
		{"the whole, and then nothing for a won", [][2]int64{{100, 1000}, {0, 1}, {0, 1}}, []error{nil, payment.ErrParam, payment.ErrParam}, []int64{1000}, 0},
		{"the whole, and then a yen", [][2]int64{{100, 1000}, {1, 0}}, []error{nil, payment.ErrRefundAmount}, []int64{1000}, 0},
		{"parts that were rounded up", [][2]int64{{50, 501}, {50, 501}}, []error{nil, nil}, []int64{501, 499}, 2},
		{"the user has all before the last part", [][2]int64{{99, 1000}, {1, 1}}, []error{nil, nil}, []int64{1000}, 1},
		{"one part is far too much", [][2]int64{{50, 1010}}, []error{payment.ErrRefundAmount}, nil, 0},
	} {
		record := paidInKRW(t, orderID)
		for i, r := range c.refunds {
			var err error
			record, _, err = record.On(refundInKRW(orderID, fmt.Sprint("r", i), r[0], r[1]))
			if !errors.Is(err, c.errs[i]) || err == nil != (c.errs[i] == nil) {
				t.Errorf("%s: refund %d: %v, want %v", c.rule, i, err, c.errs[i])
			}
		}
		var credits []int64
		for _, credit := range record.Credits {
			credits = append(credits, credit.Amount.Minor)
		}
		if fmt.Sprint(credits) != fmt.Sprint(c.credits) {
			t.Errorf("%s: credits of %v, want %v", c.rule, credits, c.credits)
		}
		if n := len(record.Refunds); n > 0 {
			if got := record.Refunds[n-1].Cut.Minor; got != c.cut {
				t.Errorf("%s: %d cut, want %d", c.rule, got, c.cut)
			}
		}
		for _, r := range record.Refunds {
			record, _, _ = record.On(payment.Credited{Key: "refund/2025/" + r.RefundRequestID})
			if answer := record.RefundAnswer(r.RefundRequestID); answer.Result.Status != alipayplus.StatusSucceeded {
				t.Errorf("%s: %s is answered %v", c.rule, r.RefundRequestID, answer.Result)
			}
		}
		// A cancellation gives back the rest, and not more.
		record, _, err := record.On(cancelled)
		if err != nil {
			t.Fatal(err)
		}
		var sum int64
		for _, credit := range record.Credits {
			sum += credit.Amount.Minor
		}
		if sum != 1000 {
			t.Errorf("%s: cancelled, %d given back of 1000", c.rule, sum)
		}
	}
}

// A promotion may make the parts differ by more than a unit each: half the
// rate.
func TestRefundOfPromotedPayment(t *testing.T) {
	open := opened
	open.Amounts = payment.Amounts{
		PaymentAmount: jpy(100), PayToAmount: krw(996), // asked JPY 105, KRW 54 off
		PaymentQuote: payment.Quote{QuoteCurrencyPair: "JPY/KRW", QuotePrice: "10.0000"},
		PaymentPromoInfo: payment.PromoInfo{PaymentPromoDetails: []payment.PromoDetail{
			{SavingsAmount: krw(54)},
		}},
	}
	list := events{open, payment.Confirmed{CustomerID: "alice", Amount: krw(996), At: noon}, debited, refundInKRW(orderID, "r1", 100, 1000)}
	if _, after, do, err := list.run(t); err != nil || names(do) != "Credit refund/2025/r1 KRW 996" || after.Refunds[0].Cut != krw(4) {
		t.Errorf("%v, %s", err, names(do))
	}
}

// What the user gets back is measured with the quote of the surcharge, which
// made the debit, and not with the one of payToAmount.
func TestRefundOfSurcharge(t *testing.T) {
	for _, c := range []struct {
		pay, surcharge payment.Price
		err            error
		cut            alipayplus.Amount
	}{
		{"10.0000", "11", nil, krw(20)}, // half a unit of the last digit of 11 is KRW 50
		{"10", "11.0000", payment.ErrRefundAmount, alipayplus.Amount{}},
	} {
		open := opened
		open.Amounts = payment.Amounts{
			PaymentAmount: jpy(100), PayToAmount: krw(1000),
			PaymentQuote: payment.Quote{QuoteCurrencyPair: "JPY/KRW", QuotePrice: c.pay},
			SurchargeInfo: payment.SurchargeInfo{
				SurchargeAmount: krw(1100), SurchargeQuote: payment.Quote{QuoteCurrencyPair: "JPY/KRW", QuotePrice: c.surcharge},
			},
		}
		refund := refundInKRW(orderID, "r1", 100, 1000)
		refund.Request.SurchargeInfo.SurchargeAmount = krw(1120)
		list := events{open, payment.Confirmed{CustomerID: "alice", Amount: krw(1100), At: noon}, debited}
		_, record, _, err := list.run(t)
		if err != nil {
			t.Fatal(err)
		}
		after, _, err := record.On(refund)
		if !errors.Is(err, c.err) || err == nil && after.Refunds[0].Cut != c.cut {
			t.Errorf("quotes of %s and %s: %v, refunds %v", c.pay, c.surcharge, err, after.Refunds)
		}
	}
}

// The window of a refund is 366 days, also in a leap year and whatever the
// zones of the times are.
func TestRefundWindow(t *testing.T) {
	for _, paid := range []time.Time{
		time.Date(2025, 3, 1, 12, 0, 0, 0, time.UTC),
		time.Date(2027, 6, 1, 12, 0, 0, 0, time.FixedZone("", 8*60*60)),
	} {
		for late, want := range map[time.Duration]error{0: nil, time.Second: payment.ErrRefundWindow} {
			record := payment.Record{}
			refund := refundInKRW(orderID, "r1", 100, 1000)
			refund.At = paid.Add(366*24*time.Hour + late).In(time.FixedZone("", -7*60*60))
			open := opened
			open.At, open.ExpiryTime = paid, alipayplus.TimeOf(paid)
			open.Amounts = payment.Amounts{PaymentAmount: jpy(100), PayToAmount: krw(1000)}
			var err error
			for _, e := range []payment.Event{
				open, payment.Confirmed{CustomerID: "alice", Amount: krw(1000), At: paid}, payment.Debited{Attempt: 1, At: paid}, refund,
			} {
				if err != nil {
					t.Fatal(err)
				}
				record, _, err = record.On(e)
			}
			if !errors.Is(err, want) {
				t.Errorf("paid at %v, refunded at %v: %v, want %v", paid, refund.At, err, want)
			}
		}
	}
}

// The number of refunds is bounded, because each makes the record larger.
func TestMaxRefunds(t *testing.T) {
	record := paidInKRW(t, orderID)
	var err error
	for i := range payment.MaxRefunds {
		if record, _, err = record.On(refundInKRW(orderID, fmt.Sprint("r", i), 1, 10)); err != nil {
			t.Fatalf("refund %d: %v", i+1, err)
		}
	}
	list := []alipayplus.ResultCode{alipayplus.CodeRefundAmountExceed, alipayplus.CodeProcessFail}
	if _, _, err = record.On(refundInKRW(orderID, "over", 1, 10)); !errors.Is(err, list[0]) {
		t.Errorf("a yen too much: %v", err)
	}
	record.Amounts.PaymentAmount, record.Amounts.PayToAmount = jpy(1000), krw(10_000)
	if _, _, err = record.On(refundInKRW(orderID, "one more", 1, 10)); !errors.Is(err, payment.ErrRefundCount) || !errors.Is(err, list[1]) {
		t.Errorf("one refund more: %v", err)
	}
	if _, _, err = record.On(refundInKRW(orderID, "r0", 1, 10)); err != nil {
		t.Errorf("a repeat: %v", err)
	}
}

// Two refunds never share a key of the ledger, also if they share their id, and
// also if ids contain a slash.
func TestRefundKeys(t *testing.T) {
	keys := map[string]string{}
	for _, ids := range [][2]string{
		{"1", "r"}, {"2", "r"}, {"a", "b/c"}, {"a/b", "c"}, {"a%2Fb", "c"}, {"a%252Fb", "c"}, {"a", "b%2Fc"}, {"a%", "2Fb"}, {"a/", "b"}, {"a", "/b"},
	} {
		_, do, err := paidInKRW(t, ids[0]).On(refundInKRW(ids[0], ids[1], 1, 10))
		if err != nil {
			t.Fatal(err)
		}
		credit := do[0].(payment.Credit)
		if other, met := keys[credit.Key]; met {
			t.Errorf("%q and %q share the key %q", ids, other, credit.Key)
		}
		keys[credit.Key] = fmt.Sprint(ids)
		if credit.Reason != payment.CreditRefund || credit.DebitKey != "debit/1/"+ids[0] {
			t.Errorf("%+v", credit)
		}
	}
}
