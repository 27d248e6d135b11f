package payment_test

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
)

// These are edges that changes of the code crossed without a test that saw it:
// see internal/cmd/mutate.

// A quote of another time or price is another payment, whatever the form.
func TestIdentityOfQuotes(t *testing.T) {
	print := func(start, price string) string {
		var r payment.PayRequest
		form := `{"paymentRequestId":"P1","surchargeInfo":{"surchargeQuote":{"quoteId":"Q","quoteStartTime":"` + start + `","quotePrice":"` + price + `"}}}`
		if err := json.Unmarshal([]byte(form), &r); err != nil {
			t.Fatal(err)
		}
		return printOf(t, alipayplus.Idempotency{Key: r.PaymentRequestID, Match: payment.Pay.Spec().Idempotency(&r).Match})
	}
	want := print("2025-01-01T00:00:00Z", "0")
	for _, same := range [][2]string{{"2025-01-01T08:00:00+08:00", "0"}, {"2025-01-01T00:00:00.000Z", "0.00"}, {"2025-01-01T00:00Z", "000e5"}} {
		if print(same[0], same[1]) != want {
			t.Errorf("%v is another", same)
		}
	}
	for _, other := range [][2]string{{"2025-01-01T00:00:01Z", "0"}, {"2025-01-01T00:00:00.001Z", "0"}, {"tomorrow", "0"}, {"2025-01-01T00:00:00Z", "0.01"}, {"2025-01-01T00:00:00Z", ""}} {
		if print(other[0], other[1]) == want {
			t.Errorf("%v is the same", other)
		}
	}
}

// null and "" make a Price absent, also where one was.
func TestPriceBecomesAbsent(t *testing.T) {
	for _, text := range []string{"null", `""`} {
		p := payment.Price("1.5")
		if err := p.UnmarshalJSON([]byte(text)); err != nil || p != "" {
			t.Errorf("%s: %q, %v", text, p, err)
		}
	}
	for text, want := range map[string]bool{"1e30": true, "1e-30": true, "1e31": false, "1e-31": false} {
		if _, err := payment.Price(text).Decimal(); (err == nil) != want {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// A debit is refused with a code of status F: after any other, money may have
// moved.
func TestRefusedNeedsAFailure(t *testing.T) {
	for code, want := range map[alipayplus.ResultCode]bool{
		alipayplus.CodeSuccess: false, alipayplus.CodePaymentInProcess: false, alipayplus.CodeUnknownException: false,
		alipayplus.CodeRequestTrafficExceedLimit: false,
		"":                                       true, alipayplus.CodeUserBalanceNotEnough: true, "MY_OWN": true,
	} {
		_, _, _, err := (events{opened, confirmed, with(refused, func(e *payment.Refused) { e.Code = code })}).run(t)
		if (err == nil) != want || err != nil && !errors.Is(err, payment.ErrEvent) {
			t.Errorf("%q: %v", code, err)
		}
	}
}
