package payment_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
	"github.com/alipayplus-mpp/alipayplus-go/internal/testkit"
)

// printOf is the identity of a request as the handler compares it.
func printOf(t *testing.T, id alipayplus.Idempotency) string {
	t.Helper()
	text, err := alipayplus.Marshal(id.Match)
	if err != nil {
		t.Fatal(err)
	}
	return id.Key + string(text)
}

// visit calls fn with every scalar member of v and its path. Slices get one
// item if they have none.
func visit(v reflect.Value, path string, fn func(path string, leaf reflect.Value)) {
	switch v.Interface().(type) {
	case alipayplus.Amount, alipayplus.Secret, alipayplus.Time, alipayplus.Bool,
		alipayplus.Personal[payment.Buyer], alipayplus.Personal[payment.Shipping], alipayplus.Personal[payment.Env]:
		fn(path, v)
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			visit(v.Field(i), path+"."+v.Type().Field(i).Name, fn)
		}
	case reflect.Slice:
		if v.Len() == 0 {
			v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		}
		visit(v.Index(0), path, fn)
	default:
		fn(path, v)
	}
}

// set gives a leaf one of several values.
func set(t *testing.T, leaf reflect.Value, n int) {
	text := string(rune('A' + n))
	switch v := leaf.Addr().Interface().(type) {
	case *alipayplus.Amount:
		*v = alipayplus.Amount{Currency: alipayplus.Currency(strings.Repeat(text, 3)), Minor: 7}
	case *alipayplus.Secret:
		*v = alipayplus.Conceal(text)
	case *alipayplus.Personal[payment.Buyer]:
		*v = alipayplus.PersonalOf(payment.Buyer{BuyerEmail: text})
	case *alipayplus.Personal[payment.Shipping]:
		*v = alipayplus.PersonalOf(payment.Shipping{ShippingCarrier: text})
	case *alipayplus.Personal[payment.Env]:
		*v = alipayplus.PersonalOf(payment.Env{ClientIP: text})
	case *alipayplus.Time:
		_ = json.Unmarshal([]byte(`"`+text+`"`), v)
	case *alipayplus.Bool:
		*v = alipayplus.Bool(n)
	case *payment.Price:
		*v = payment.Price(string(rune('1' + n)))
	default:
		if leaf.Kind() != reflect.String {
			t.Fatalf("no values for a %v", leaf.Type())
		}
		leaf.SetString(text)
	}
}

// identityTest changes every member of a request in turn: those under match
// must change its identity, all others must not.
func identityTest[Req any](t *testing.T, identity func(*Req) alipayplus.Idempotency, match ...string) {
	var base Req
	v := reflect.ValueOf(&base).Elem()
	visit(v, "", func(_ string, leaf reflect.Value) { set(t, leaf, 0) })
	want := printOf(t, identity(&base))
	met := map[string]bool{}
	visit(v, "", func(path string, leaf reflect.Value) {
		counts := false
		for _, m := range match {
			if path == m || strings.HasPrefix(path, m+".") {
				counts, met[m] = true, true
			}
		}
		before := reflect.New(leaf.Type()).Elem()
		before.Set(leaf)
		changed := func(how string) {
			if got := printOf(t, identity(&base)); (got != want) != counts {
				t.Errorf("%s %s: another identity: %v, want %v", path, how, got != want, counts)
			}
		}
		set(t, leaf, 1)
		changed("changed")
		leaf.SetZero()
		changed("left out")
		leaf.Set(before)
	})
	for _, m := range match {
		if !met[m] {
			t.Errorf("there is no %s", m)
		}
	}
}

// The documents' tables of idempotency fields and of those that must be
// consistent, member by member.
func TestIdentities(t *testing.T) {
	t.Run("pay", func(t *testing.T) {
		identityTest(t, payment.Pay.Spec().Idempotency,
			".PaymentRequestID", ".PaymentAmount", ".PayToAmount", ".SurchargeInfo", ".PaymentMethod", ".PaymentPromoInfo")
	})
	t.Run("refund", func(t *testing.T) {
		identityTest(t, payment.Refund.Spec().Idempotency,
			".PaymentRequestID", ".RefundRequestID", ".RefundAmount", ".RefundFromAmount", ".RefundPromoInfo", ".SurchargeInfo")
	})
	t.Run("cancelPayment", func(t *testing.T) {
		identityTest(t, payment.CancelPayment.Spec().Idempotency, ".PaymentRequestID")
	})
	t.Run("notifyPayment", func(t *testing.T) {
		identityTest(t, payment.NotifyPayment.Spec().Idempotency,
			".PaymentRequestID", ".PaymentAmount", ".PaymentResult.Code", ".PaymentResult.Status", ".PaymentID", ".PayToAmount",
			".CustomerID", ".CustomsDeclarationAmount")
	})
}

// An evaluation's answer is never that of a payment.
func TestEvaluationHasItsOwnKey(t *testing.T) {
	identity := payment.Pay.Spec().Idempotency
	request := payment.PayRequest{PaymentRequestID: "1"}
	for flag, key := range map[alipayplus.Bool]string{alipayplus.Unset: "1", alipayplus.False: "1", alipayplus.True: "1/evaluation"} {
		request.PaymentFactor.IsPaymentEvaluation = flag
		if got := identity(&request).Key; got != key {
			t.Errorf("isPaymentEvaluation %v: key %q, want %q", flag, got, key)
		}
	}

	// A payment may be named like another one's evaluation: same key, but not
	// the same request.
	request.PaymentFactor.IsPaymentEvaluation = alipayplus.True
	evaluation := identity(&request)
	request.PaymentRequestID, request.PaymentFactor.IsPaymentEvaluation = "1/evaluation", alipayplus.Unset
	if creation := identity(&request); creation.Key == evaluation.Key && printOf(t, creation) == printOf(t, evaluation) {
		t.Error("an evaluation's answer would be repeated as the answer of a payment")
	}
}

// The same content in another form is the same content.
func TestIdentityIsNormalised(t *testing.T) {
	const form = `{"paymentRequestId":"1","paymentAmount":{"currency":"JPY","value":"995"},"payToAmount":{"currency":"HKD","value":"8518"},
		"surchargeInfo":{"surchargeAmount":{"currency":"HKD","value":"8916"},"surchargeQuote":{"quotePrice":"8.9614","quoteExpiryTime":"2025-03-01T12:00:00Z"}},
		"paymentMethod":{"paymentMethodType":"X","paymentMethodId":"281"},
		"paymentPromoInfo":{"paymentPromoDetails":[{"promoId":"P","savingsAmount":{"currency":"hkd","value":"43"}},{"promoId":"A","savingsAmount":{"currency":"hkd","value":"5"}}]}}`
	want := printOf(t, payment.Pay.Spec().Idempotency(testkit.Must(ptr(decode[payment.PayRequest](form)))))
	for _, c := range [][2]string{
		{`"value":"995"`, `"value":995`},
		{`"value":"995"`, `"value":"0995"`},
		{`{"currency":"JPY","value":"995"}`, `{"value":"995","currency":"JPY","scale":null}`},
		{`"8.9614"`, `8.961400`},
		{`"8.9614"`, `"08.9614"`},
		{`"8.9614"`, `"89614E-4"`},
		{`"8.9614"`, `0.89614e1`},
		{`{"promoId":"P","savingsAmount":{"currency":"hkd","value":"43"}},{"promoId":"A","savingsAmount":{"currency":"hkd","value":"5"}}`,
			`{"promoId":"A","savingsAmount":{"currency":"hkd","value":"5"}},{"promoId":"P","savingsAmount":{"currency":"hkd","value":"43"}}`},
		{`2025-03-01T12:00:00Z`, `2025-03-01T20:00:00.000+08:00`},
		{`"paymentMethodType":"X"`, `"paymentMethodType":"X","customerId":"","paymentMethodMetaData":{}`},
	} {
		other := strings.Replace(form, c[0], c[1], 1)
		if got := printOf(t, payment.Pay.Spec().Idempotency(testkit.Must(ptr(decode[payment.PayRequest](other))))); got != want || other == form {
			t.Errorf("%s instead of %s is another request:\n%s\n%s", c[1], c[0], got, want)
		}
	}
	if strings.Contains(want, "281") {
		t.Error("a secret stands in the identity")
	}
}

// A price that is no number does not come in; one that the host made is itself
// all the same.
func TestIdentityOfOddPrices(t *testing.T) {
	seen := map[string]payment.Price{}
	for _, price := range []payment.Price{"", "x", "y", "0", "1"} {
		request := payment.PayRequest{PaymentRequestID: "1"}
		request.SurchargeInfo.SurchargeQuote.QuotePrice = price
		text := printOf(t, payment.Pay.Spec().Idempotency(&request))
		if other, ok := seen[text]; ok {
			t.Errorf("%q is the same as %q", price, other)
		}
		seen[text] = price
	}
}

func ptr[T any](v T, err error) (*T, error) { return &v, err }

// The promotions of a refund may come in any order, too.
func TestRefundPromotionsHaveNoOrder(t *testing.T) {
	request := payment.RefundRequest{RefundRequestID: "1"}
	details := []payment.RefundPromoDetail{{PromoID: "P", RefundAmount: hkd(43)}, {PromoID: "A", RefundAmount: hkd(5)}}
	request.RefundPromoInfo.RefundPromoDetails = details
	want := printOf(t, payment.Refund.Spec().Idempotency(&request))
	request.RefundPromoInfo.RefundPromoDetails = []payment.RefundPromoDetail{details[1], details[0]}
	if got := printOf(t, payment.Refund.Spec().Idempotency(&request)); got != want {
		t.Errorf("the same promotions in another order are another refund:\n%s\n%s", got, want)
	}
}
