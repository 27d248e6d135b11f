package payment_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
)

// What the errors are answered with.
func TestRefusalsNameTheirCode(t *testing.T) {
	for err, code := range map[error]alipayplus.ResultCode{
		payment.ErrUnknownOrder:  alipayplus.CodeOrderNotExist,
		payment.ErrClosed:        alipayplus.CodeOrderIsClosed,
		payment.ErrNotPaid:       alipayplus.CodeProcessFail,
		payment.ErrOtherCustomer: alipayplus.CodeRepeatReqInconsistent,
		payment.ErrInconsistent:  alipayplus.CodeRepeatReqInconsistent,
		payment.ErrAmountChanged: alipayplus.CodeProcessFail,
		payment.ErrCancelWindow:  alipayplus.CodeCancelWindowExceed,
		payment.ErrRefundWindow:  alipayplus.CodeRefundWindowExceed,
		payment.ErrRefundAmount:  alipayplus.CodeRefundAmountExceed,
		payment.ErrRefundCount:   alipayplus.CodeProcessFail,
		payment.ErrParam:         alipayplus.CodeParamIllegal,
	} {
		if !errors.Is(err, code) {
			t.Errorf("%v does not wrap %s", err, code)
		}
	}
	// A mistake of the host, a debit whose end is not known and what is for the
	// user alone are never answered F.
	for _, err := range []error{payment.ErrEvent, payment.ErrPending, payment.ErrTries, payment.ErrResends} {
		var code alipayplus.ResultCode
		if errors.As(err, &code) {
			t.Errorf("%v wraps %s", err, code)
		}
	}
}

// A payment that could not be answered or reported never begins, and what
// decides nothing does not stop one.
func TestOpened(t *testing.T) {
	long := strings.Repeat("x", 65)
	for _, c := range []struct {
		rule   string
		change func(*payment.Opened)
		err    error
	}{
		{"as it should be", func(*payment.Opened) {}, nil},
		{"another payment's record", func(e *payment.Opened) { e.PaymentRequestID = "other" }, payment.ErrEvent},
		{"no time", func(e *payment.Opened) { e.At = time.Time{} }, payment.ErrEvent},
		{"no customer", func(e *payment.Opened) { e.CustomerID = "" }, payment.ErrEvent},
		{"no id of our own", func(e *payment.Opened) { e.PaymentID = "" }, payment.ErrEvent},
		{"an id of our own that is too long", func(e *payment.Opened) { e.PaymentID = long }, payment.ErrEvent},
		{"a customer id that is too long", func(e *payment.Opened) { e.CustomerID = long }, payment.ErrEvent},
		{"no amount to settle", func(e *payment.Opened) { e.Amounts.PayToAmount = alipayplus.Amount{} }, payment.ErrParam},
		{"no payment amount", func(e *payment.Opened) { e.Amounts.PaymentAmount = alipayplus.Amount{} }, payment.ErrParam},
		{"a negative debit", func(e *payment.Opened) { e.Amounts.SurchargeInfo.SurchargeAmount.Minor = -1 }, payment.ErrParam},
		{"a surcharge of another currency", func(e *payment.Opened) { e.Amounts.SurchargeInfo.SurchargeAmount = jpy(8916) }, payment.ErrParam},
		{"a surcharge of nothing where payToAmount is not", func(e *payment.Opened) { e.Amounts.SurchargeInfo.SurchargeAmount = hkd(0) }, payment.ErrParam},
		{"a surcharge over 16 digits", func(e *payment.Opened) { e.Amounts.SurchargeInfo.SurchargeAmount.Minor = 10_000_000_000_000_000 }, payment.ErrParam},
		{"a surcharge in no currency", func(e *payment.Opened) { e.Amounts.SurchargeInfo.SurchargeAmount.Currency = "hk$" }, payment.ErrParam},
		{"a surcharge where payToAmount is nothing", func(e *payment.Opened) { e.Amounts.PayToAmount = hkd(0) }, nil},
		{"fewer than no tries", func(e *payment.Opened) { e.Verification.Tries = -1 }, payment.ErrEvent},
		{"fewer than no resends", func(e *payment.Opened) { e.Verification.Resends = -1 }, payment.ErrEvent},
		{"a currency that cannot be sent", func(e *payment.Opened) { e.Amounts.PayToAmount.Currency = "hkd" }, payment.ErrParam},
		{"a verification page without https", func(e *payment.Opened) { e.Verification.URL = alipayplus.Conceal("http://wallet.example/") }, payment.ErrParam},
		{"an odd currency in a line of goods", func(e *payment.Opened) {
			e.Order.Goods = []payment.Goods{{GoodsUnitAmount: alipayplus.Amount{Currency: "Yen", Minor: 1}}}
			e.Order.OrderAmount = alipayplus.Amount{Currency: "yen", Minor: 1}
			e.Amounts.PaymentPromoInfo.PaymentPromoDetails = []payment.PromoDetail{{SavingsAmount: alipayplus.Amount{Currency: "?", Minor: 1}}}
		}, nil},
		{"a fully discounted payment", func(e *payment.Opened) {
			e.Amounts = payment.Amounts{PaymentAmount: jpy(0), PayToAmount: hkd(0), SurchargeInfo: payment.SurchargeInfo{SurchargeAmount: hkd(0)}}
		}, nil},
	} {
		e := opened
		c.change(&e)
		record, _, err := payment.Record{Terms: payment.Terms{PaymentRequestID: orderID}}.On(e)
		if !errors.Is(err, c.err) || (c.err == nil) != (err == nil) {
			t.Errorf("%s: %v, want %v", c.rule, err, c.err)
		}
		if strings.Contains(fmt.Sprint(err), long) {
			t.Errorf("%s: the error quotes the input", c.rule)
		}
		if _, err := record.MarshalBinary(); err != nil {
			t.Errorf("%s: the record cannot be stored: %v", c.rule, err)
		}
	}

	// An id of Alipay+'s that is so long that no notification could carry it.
	e := opened
	e.PaymentRequestID = long
	if _, _, err := (payment.Record{}).On(e); !errors.Is(err, payment.ErrParam) {
		t.Errorf("a paymentRequestId of 65 characters: %v", err)
	}
	// The caller keeps its own.
	goods := []payment.Goods{{GoodsUnitAmount: alipayplus.Amount{Currency: "Yen", Minor: 1}}}
	e = opened
	e.Order.Goods = goods
	if _, _, err := (payment.Record{}).On(e); err != nil || goods[0].GoodsUnitAmount.Minor != 1 {
		t.Errorf("%v, and the caller's order is now %v", err, goods)
	}
}

// An expiry that Alipay+ gave holds, in whatever form it came.
func TestExpiryTime(t *testing.T) {
	for _, c := range []struct {
		text string
		at   time.Time
		want payment.State
	}{
		{"2025-03-01T20:00:30+08:00", noon.Add(30 * time.Second), payment.StatePaying},
		{"2025-03-01T20:00:30+0800", noon.Add(31 * time.Second), payment.StateClosed},
		{"2025-03-01T12:00:30.500Z", noon.Add(30 * time.Second), payment.StatePaying},
		{"", noon.Add(payment.DefaultExpiry), payment.StatePaying},
		{"", late, payment.StateClosed},
	} {
		e := opened
		if err := json.Unmarshal([]byte(`"`+c.text+`"`), &e.ExpiryTime); err != nil {
			t.Fatal(err)
		}
		confirm := confirmed
		confirm.At = c.at
		if _, after, _, err := (events{e, confirm}).run(t); err != nil || after.State != c.want {
			t.Errorf("confirmed at %v, expiry %q: %s, %v, want %s", c.at, c.text, after.State, err, c.want)
		}
	}
	e := opened
	_ = json.Unmarshal([]byte(`"tomorrow"`), &e.ExpiryTime)
	if _, _, _, err := (events{e}).run(t); !errors.Is(err, payment.ErrParam) {
		t.Errorf("an expiry that is no time: %v", err)
	}
}

// A promotion may pay for everything. A debit of nothing that lands after the
// cancellation leaves nothing to give back, and ends it.
func TestCancelledDebitOfNothing(t *testing.T) {
	free := with(opened, func(e *payment.Opened) {
		e.Amounts = payment.Amounts{PaymentAmount: jpy(995), PayToAmount: hkd(0)}
	})
	agreed := with(confirmed, func(e *payment.Confirmed) { e.Amount = hkd(0) })
	for _, c := range []struct {
		list events
		want alipayplus.ResultStatus
	}{
		{events{free, agreed, cancelled}, alipayplus.StatusUnknown},
		{events{free, agreed, cancelled, debited}, alipayplus.StatusSucceeded},
		{events{free, agreed, debited, cancelled}, alipayplus.StatusSucceeded},
	} {
		_, after, _, err := c.list.run(t)
		if err != nil || after.State != payment.StateClosed || after.CancelAnswer().Result.Status != c.want || len(after.Credits) != 0 {
			t.Errorf("%d events: %s, %v, credits %v, %v", len(c.list), after.State, after.CancelAnswer().Result, after.Credits, err)
		}
		told := after.InquiryAnswer().PaymentResult
		if ended := c.want == alipayplus.StatusSucceeded; (told == alipayplus.CodeOrderIsClosed.Result()) != ended {
			t.Errorf("%d events: inquiryPayment tells %v", len(c.list), told)
		}
	}
}

// The cancel window follows the day in UTC+8, not in UTC.
func TestCancelWindow(t *testing.T) {
	utc8 := time.FixedZone("UTC+8", 8*60*60)
	for _, c := range []struct{ paid, deadline time.Time }{
		{time.Date(2025, 3, 1, 0, 10, 0, 0, utc8), time.Date(2025, 3, 2, 0, 30, 0, 0, utc8)},
		{time.Date(2025, 3, 1, 23, 59, 59, 0, utc8), time.Date(2025, 3, 2, 0, 30, 0, 0, utc8)},
		{time.Date(2025, 12, 31, 12, 0, 0, 0, utc8), time.Date(2026, 1, 1, 0, 30, 0, 0, utc8)},
		{time.Date(2025, 3, 1, 20, 0, 0, 0, time.UTC), time.Date(2025, 3, 3, 0, 30, 0, 0, utc8)},
	} {
		list := events{opened, confirmed, payment.Debited{Attempt: 1, At: c.paid}}
		if _, _, _, err := append(list, payment.Cancelled{At: c.deadline}).run(t); err != nil {
			t.Errorf("paid %v, cancelled %v: %v", c.paid, c.deadline, err)
		}
		if _, _, _, err := append(list, payment.Cancelled{At: c.deadline.Add(1)}).run(t); !errors.Is(err, payment.ErrCancelWindow) {
			t.Errorf("paid %v, cancelled a nanosecond after %v: %v", c.paid, c.deadline, err)
		}
	}
}
