package payment_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/shopspring/decimal"
	"pgregory.net/rapid"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
	"github.com/alipayplus-mpp/alipayplus-go/internal/testkit"
)

func idr(minor int64) alipayplus.Amount { return alipayplus.Amount{Currency: "IDR", Minor: minor} }

func ExampleCheckAmounts() {
	amounts := payment.Amounts{
		PaymentAmount: alipayplus.Amount{Currency: "JPY", Minor: 995},
		PayToAmount:   alipayplus.Amount{Currency: "HKD", Minor: 9518}, // 1000 too much
		PaymentQuote:  payment.Quote{QuoteCurrencyPair: "JPY/HKD", QuotePrice: "8.5614"},
	}
	for _, d := range payment.CheckAmounts(amounts) {
		fmt.Println(d)
	}
	// Output: payToAmount is HKD 95.18, expected HKD 85.19 ± 1
}

func TestCheckAmounts(t *testing.T) {
	promo := func(savings ...alipayplus.Amount) (p payment.PromoInfo) {
		for _, s := range savings {
			p.PaymentPromoDetails = append(p.PaymentPromoDetails, payment.PromoDetail{SavingsAmount: s})
		}
		return p
	}
	quote := func(pair string, price payment.Price) payment.Quote {
		return payment.Quote{QuoteCurrencyPair: pair, QuotePrice: price}
	}
	surcharge := func(a alipayplus.Amount, q payment.Quote) payment.SurchargeInfo {
		return payment.SurchargeInfo{SurchargeAmount: a, SurchargeQuote: q}
	}
	for _, c := range []struct {
		rule    string
		amounts payment.Amounts
		found   []string // fields
		err     error
	}{
		{"the documents' first case", payment.Amounts{
			PaymentAmount: jpy(995), PayToAmount: hkd(8518), PaymentQuote: quote("JPY/HKD", "8.5614"),
			SurchargeInfo: surcharge(hkd(8916), quote("JPY/HKD", "8.9614")), PaymentPromoInfo: promo(hkd(43)),
		}, nil, nil},
		{"the documents' second case", payment.Amounts{
			PaymentAmount: alipayplus.Amount{Currency: "USD", Minor: 9946}, PayToAmount: hkd(92807),
			PaymentQuote: quote("USD/HKD", "9.3307"), PaymentPromoInfo: promo(hkd(500)),
		}, nil, nil},
		{"one currency, one sum", payment.Amounts{PaymentAmount: idr(50), PayToAmount: idr(50)}, nil, nil},
		{"one currency, two sums", payment.Amounts{PaymentAmount: idr(50), PayToAmount: idr(51)}, []string{"payToAmount"}, nil},
		{"the pair the other way round", payment.Amounts{PaymentAmount: jpy(100), PayToAmount: hkd(1000), PaymentQuote: quote("HKD/JPY", "0.1000")}, nil, nil},
		{"the pair read the wrong way round", payment.Amounts{PaymentAmount: jpy(100), PayToAmount: hkd(1000), PaymentQuote: quote("HKD/JPY", "10.0000")}, []string{"payToAmount"}, nil},
		{"over by one unit: rounding", payment.Amounts{PaymentAmount: jpy(100), PayToAmount: hkd(1001), PaymentQuote: quote("JPY/HKD", "10.0000")}, nil, nil},
		{"over by two units", payment.Amounts{PaymentAmount: jpy(100), PayToAmount: hkd(1002), PaymentQuote: quote("JPY/HKD", "10.0000")}, []string{"payToAmount"}, nil},
		{"under by two units", payment.Amounts{PaymentAmount: jpy(100), PayToAmount: hkd(998), PaymentQuote: quote("JPY/HKD", "10.0000")}, []string{"payToAmount"}, nil},
		{"a short price leaves room for its last digit", payment.Amounts{PaymentAmount: jpy(1000), PayToAmount: hkd(10400), PaymentQuote: quote("JPY/HKD", "10")}, nil, nil},
		{"and so does what was taken off", payment.Amounts{PaymentAmount: jpy(94), PayToAmount: hkd(1240), PaymentQuote: quote("JPY/HKD", "10"), PaymentPromoInfo: promo(hkd(9500))}, nil, nil},
		{"in the payment's currency, too", payment.Amounts{PaymentAmount: jpy(94), PayToAmount: hkd(1240), PaymentQuote: quote("JPY/HKD", "10"), PaymentPromoInfo: promo(jpy(950))}, nil, nil},
		{"a promotion leaves room for half the rate", payment.Amounts{PaymentAmount: jpy(100), PayToAmount: hkd(1007), PaymentQuote: quote("JPY/HKD", "10.00000"), PaymentPromoInfo: promo(hkd(50))}, nil, nil},
		{"but not for more", payment.Amounts{PaymentAmount: jpy(100), PayToAmount: hkd(1008), PaymentQuote: quote("JPY/HKD", "10.00000"), PaymentPromoInfo: promo(hkd(50))}, []string{"payToAmount"}, nil},
		{"IDR in steps of 100", payment.Amounts{PaymentAmount: hkd(1), PayToAmount: idr(20000), PaymentQuote: quote("HKD/IDR", "19950.00")}, nil, nil},
		{"a surcharge that does not follow", payment.Amounts{
			PaymentAmount: jpy(100), PayToAmount: hkd(1000), PaymentQuote: quote("JPY/HKD", "10.0000"),
			SurchargeInfo: surcharge(hkd(1200), quote("JPY/HKD", "11.0000")),
		}, []string{"surchargeInfo.surchargeAmount"}, nil},
		{"no quote", payment.Amounts{PaymentAmount: jpy(100), PayToAmount: hkd(1000)}, []string{"payToAmount"}, payment.ErrQuote},
		{"a quote of other currencies", payment.Amounts{PaymentAmount: jpy(100), PayToAmount: hkd(1000), PaymentQuote: quote("JPY/KRW", "10")}, []string{"payToAmount"}, payment.ErrQuote},
		{"a surcharge without a quote", payment.Amounts{PaymentAmount: idr(100), PayToAmount: idr(100), SurchargeInfo: surcharge(idr(110), payment.Quote{})}, []string{"surchargeInfo.surchargeAmount"}, payment.ErrQuote},
		{"sums so large that nothing can be expected", payment.Amounts{PaymentAmount: jpy(9_999_999_999_999_999), PayToAmount: hkd(1), PaymentQuote: quote("JPY/HKD", "99999999999")}, []string{"payToAmount"}, alipayplus.ErrAmountRange},
	} {
		found := payment.CheckAmounts(c.amounts)
		var fields []string
		for _, d := range found {
			fields = append(fields, d.Field)
			if !errors.Is(d.Err, c.err) {
				t.Errorf("%s: %v", c.rule, d.Err)
			}
		}
		if fmt.Sprint(fields) != fmt.Sprint(c.found) {
			t.Errorf("%s: found %v, want %v", c.rule, found, c.found)
		}
	}
}

// Sums computed as the documents say are never reported, whatever the rounding,
// the direction of the pair and the digits of its price; sums that are off by
// more than twice the room are.
func TestCheckAmountsAgreesWithCalculation(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		price := decimal.New(rapid.Int64Range(50, 5_000_000).Draw(t, "price"), -4)
		direct := payment.Quote{QuoteCurrencyPair: "JPY/HKD", QuotePrice: payment.Price(price.StringFixed(4))}
		asked := rapid.Int64Range(1, 10_000_000).Draw(t, "asked")
		calculation := payment.Calculation{
			Asked: jpy(asked), PaymentQuote: direct,
			Rounding: rapid.SampledFrom([]payment.Rounding{payment.HalfUp, payment.HalfEven}).Draw(t, "rounding"),
		}
		var promos payment.PromoInfo
		for range rapid.IntRange(0, 3).Draw(t, "promotions") {
			off := jpy(rapid.Int64Range(0, asked/4).Draw(t, "JPY off"))
			if rapid.Bool().Draw(t, "in HKD") {
				off = testkit.Must(direct.Convert(off, payment.HalfUp))
			}
			calculation.Promotions = append(calculation.Promotions, off)
			promos.PaymentPromoDetails = append(promos.PaymentPromoDetails, payment.PromoDetail{SavingsAmount: off})
		}
		sums, err := calculation.Sums()
		if err != nil {
			t.Skip("more off than asked")
		}
		told := direct
		if rapid.Bool().Draw(t, "told the other way round") {
			digits := rapid.Int32Range(6, 10).Draw(t, "digits")
			told = payment.Quote{QuoteCurrencyPair: "HKD/JPY", QuotePrice: payment.Price(decimal.NewFromInt(1).DivRound(price, digits).StringFixed(digits))}
		}
		amounts := payment.Amounts{PaymentAmount: sums.PaymentAmount, PayToAmount: sums.PayToAmount, PaymentQuote: told, PaymentPromoInfo: promos}
		if found := payment.CheckAmounts(amounts); found != nil {
			t.Fatalf("%+v: %v", sums, found)
		}
		amounts.PayToAmount.Minor += 1_000_000_000
		found := payment.CheckAmounts(amounts)
		if len(found) != 1 {
			t.Fatalf("a billion too much: %v", found)
		}
		amounts.PayToAmount.Minor = sums.PayToAmount.Minor + 2*found[0].Tolerance + 2
		if payment.CheckAmounts(amounts) == nil {
			t.Fatalf("%v is not reported", amounts.PayToAmount)
		}
	})
}
