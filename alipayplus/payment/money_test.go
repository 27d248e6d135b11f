package payment_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
)

// The documents' first case: 1000 JPY with a coupon of 5 JPY, paid in HKD with
// a surcharge.
func ExampleCalculation() {
	sums, err := payment.Calculation{
		Asked:          alipayplus.Amount{Currency: "JPY", Minor: 1000},
		Promotions:     []alipayplus.Amount{{Currency: "JPY", Minor: 5}},
		PaymentQuote:   payment.Quote{QuoteCurrencyPair: "JPY/HKD", QuotePrice: "8.5614"},
		SurchargeQuote: payment.Quote{QuoteCurrencyPair: "JPY/HKD", QuotePrice: "8.9614"},
	}.Sums()
	fmt.Println(sums.PaymentAmount.Minor, sums.SavingsAmount.Minor, sums.PayToAmount.Minor, sums.SurchargeAmount.Minor, err)
	// Output: 995 43 8518 8916 <nil>
}

// The documents' second case: 10000 USD with a coupon of 500 HKD, paid in HKD.
// All values are smallest units.
func ExampleCalculation_promotionInOwnCurrency() {
	sums, err := payment.Calculation{
		Asked:        alipayplus.Amount{Currency: "USD", Minor: 10000},
		Promotions:   []alipayplus.Amount{{Currency: "HKD", Minor: 500}},
		PaymentQuote: payment.Quote{QuoteCurrencyPair: "USD/HKD", QuotePrice: "9.3307"},
	}.Sums()
	fmt.Println(sums.PaymentAmount.Minor, sums.SavingsAmount.Minor, sums.PayToAmount.Minor, err)
	// Output: 9946 500 92807 <nil>
}

// A quote converts in both directions.
func ExampleQuote_Convert() {
	quote := payment.Quote{QuoteCurrencyPair: "KRW/JPY", QuotePrice: "0.1000"}
	krw, _ := quote.Convert(alipayplus.Amount{Currency: "JPY", Minor: 100}, payment.HalfUp)
	jpy, _ := quote.Convert(krw, payment.HalfUp)
	fmt.Println(krw, jpy)
	// Output: KRW 1000 JPY 100
}

// Both roundings fit the documents' cases.
func TestCasesWithHalfEven(t *testing.T) {
	first := payment.Calculation{
		Asked: jpy(1000), Promotions: []alipayplus.Amount{jpy(5)}, Rounding: payment.HalfEven,
		PaymentQuote:   payment.Quote{QuoteCurrencyPair: "JPY/HKD", QuotePrice: "8.5614"},
		SurchargeQuote: payment.Quote{QuoteCurrencyPair: "JPY/HKD", QuotePrice: "8.9614"},
	}
	if got, err := first.Sums(); err != nil || got != (payment.Sums{PaymentAmount: jpy(995), PayToAmount: hkd(8518), SurchargeAmount: hkd(8916), SavingsAmount: hkd(43)}) {
		t.Error(got, err)
	}
}

func TestConvert(t *testing.T) {
	for _, c := range []struct {
		rule  string
		pair  string
		price payment.Price
		from  alipayplus.Amount
		round payment.Rounding
		want  alipayplus.Amount
		err   error
	}{
		{"smallest units, no shift of decimals", "JPY/HKD", "8.5614", jpy(1), payment.HalfUp, hkd(9), nil},
		{"half goes up", "JPY/HKD", "0.5", jpy(1), payment.HalfUp, hkd(1), nil},
		{"half goes to even: down", "JPY/HKD", "0.5", jpy(1), payment.HalfEven, hkd(0), nil},
		{"half goes to even: up", "JPY/HKD", "0.5", jpy(3), payment.HalfEven, hkd(2), nil},
		{"more than half goes up to odd, too", "JPY/HKD", "0.5001", jpy(1), payment.HalfEven, hkd(1), nil},
		{"less than half goes down", "JPY/HKD", "0.4999", jpy(1), payment.HalfUp, hkd(0), nil},
		{"divided: exact, not by a rounded inverse", "HKD/JPY", "3", jpy(1_000_000_000_000_001), payment.HalfUp, hkd(333_333_333_333_334), nil},
		{"divided: half of a third place", "HKD/JPY", "2", jpy(1), payment.HalfUp, hkd(1), nil},
		{"nothing is nothing", "JPY/HKD", "8.5614", jpy(0), payment.HalfUp, hkd(0), nil},
		{"quote unit 1 is no unit", "JPY/HKD", "2", jpy(1), payment.HalfUp, hkd(2), nil},
		{"IDR ends in 00", "JPY/IDR", "10855.37", jpy(123), payment.HalfUp, idr(1_335_200), nil},
		{"IDR half goes to even: down", "JPY/IDR", "250", jpy(1), payment.HalfUp, idr(200), nil},
		{"IDR half goes to even: up", "JPY/IDR", "350", jpy(1), payment.HalfUp, idr(400), nil},
		{"from IDR nothing is special", "IDR/JPY", "0.5", idr(25), payment.HalfUp, jpy(13), nil},
		{"IDR over 16 digits", "JPY/IDR", "10", jpy(999_999_999_999_999_99), payment.HalfUp, idr(0), alipayplus.ErrAmountRange},
		{"a price with an exponent", "IDR/JPY", "8.66E-5", idr(1_000_000), payment.HalfUp, jpy(87), nil},
		{"a currency that is not in the pair", "JPY/HKD", "8.5614", idr(1), payment.HalfUp, hkd(0), payment.ErrQuote},
		{"no pair", "", "8.5614", jpy(1), payment.HalfUp, hkd(0), payment.ErrQuote},
		{"half a pair", "JPY", "8.5614", jpy(1), payment.HalfUp, hkd(0), payment.ErrQuote},
		{"a pair of one", "JPY/JPY", "1", jpy(1), payment.HalfUp, hkd(0), payment.ErrQuote},
		{"no price", "JPY/HKD", "", jpy(1), payment.HalfUp, hkd(0), payment.ErrQuote},
		{"a price of nothing", "HKD/JPY", "0.000", jpy(1), payment.HalfUp, hkd(0), payment.ErrQuote},
		{"a price that is none", "JPY/HKD", "1E31", jpy(1), payment.HalfUp, hkd(0), payment.ErrQuote},
		{"over 16 digits", "JPY/HKD", "10", jpy(1_000_000_000_000_000), payment.HalfUp, hkd(0), alipayplus.ErrAmountRange},
		{"far over 16 digits", "JPY/HKD", payment.Price(strings.Repeat("9", 32)), jpy(9_999_999_999_999_999), payment.HalfUp, hkd(0), alipayplus.ErrAmountRange},
		{"negative", "JPY/HKD", "10", jpy(-1), payment.HalfUp, hkd(0), alipayplus.ErrAmountRange},
	} {
		got, err := payment.Quote{QuoteCurrencyPair: c.pair, QuotePrice: c.price, QuoteUnit: "1"}.Convert(c.from, c.round)
		if !errors.Is(err, c.err) || c.err == nil && (err != nil || got != c.want) {
			t.Errorf("%s: %v, %v", c.rule, got, err)
		}
	}
	if _, err := (payment.Quote{QuoteCurrencyPair: "JPY/HKD", QuotePrice: "8", QuoteUnit: "100"}).Convert(jpy(1), payment.HalfUp); !errors.Is(err, payment.ErrQuote) {
		t.Error("a unit of unknown meaning is ignored")
	}
}

func TestCalculationErrors(t *testing.T) {
	quote := payment.Quote{QuoteCurrencyPair: "JPY/HKD", QuotePrice: "8.5614"}
	for _, c := range []struct {
		rule string
		payment.Calculation
		err error
	}{
		{"one currency", payment.Calculation{Asked: idr(100), Promotions: []alipayplus.Amount{idr(10)}}, nil},
		{"all of it is off", payment.Calculation{Asked: jpy(5), Promotions: []alipayplus.Amount{jpy(5)}, PaymentQuote: quote}, nil},
		{"more is off than was asked", payment.Calculation{Asked: jpy(5), Promotions: []alipayplus.Amount{jpy(6)}, PaymentQuote: quote}, alipayplus.ErrAmountRange},
		{"less than nothing is asked", payment.Calculation{Asked: jpy(-5)}, alipayplus.ErrAmountRange},
		{"promotions whose sum is over 64 bits", payment.Calculation{Asked: jpy(5), Promotions: []alipayplus.Amount{jpy(1), jpy(math.MaxInt64)}}, alipayplus.ErrAmountRange},
		{"promotions whose sum is over 64 bits, converted", payment.Calculation{Asked: jpy(5), Promotions: []alipayplus.Amount{hkd(1), hkd(math.MaxInt64)}, PaymentQuote: quote}, alipayplus.ErrAmountRange},
		{"less than nothing is off", payment.Calculation{Asked: jpy(5), Promotions: []alipayplus.Amount{jpy(-1)}, PaymentQuote: quote}, alipayplus.ErrAmountRange},
		{"less than nothing is off, in one currency", payment.Calculation{Asked: idr(5), Promotions: []alipayplus.Amount{idr(-1)}}, alipayplus.ErrAmountRange},
		{"a promotion in a third currency", payment.Calculation{Asked: jpy(5), Promotions: []alipayplus.Amount{idr(1)}, PaymentQuote: quote}, payment.ErrQuote},
		{"a quote of other currencies", payment.Calculation{Asked: idr(5), PaymentQuote: quote}, payment.ErrQuote},
		{"a surcharge quote into a third currency", payment.Calculation{Asked: jpy(5), PaymentQuote: quote, SurchargeQuote: payment.Quote{QuoteCurrencyPair: "JPY/USD", QuotePrice: "1"}}, payment.ErrQuote},
	} {
		if _, err := c.Sums(); !errors.Is(err, c.err) || c.err == nil && err != nil {
			t.Errorf("%s: %v", c.rule, err)
		}
	}
}

// What is debited is the surcharge amount if there is one, also one of nothing.
func TestDebit(t *testing.T) {
	a := payment.Amounts{PaymentAmount: jpy(995), PayToAmount: hkd(8518)}
	if a.Debit() != hkd(8518) {
		t.Error(a.Debit())
	}
	a.SurchargeInfo.SurchargeAmount = hkd(0)
	if a.Debit() != hkd(0) {
		t.Error(a.Debit())
	}
}

// A price keeps its digits, and only digits reach the decimal parser.
func TestPrice(t *testing.T) {
	for _, c := range []struct {
		json string
		want payment.Price
		ok   bool
	}{
		{`"10.0000"`, "10.0000", true},
		{`10.0000`, "10.0000", true},
		{`"0.00001"`, "0.00001", true},
		{`8`, "8", true},
		{`null`, "", true},
		{`""`, "", true},
		{`"1E1000000000"`, "", false},
		{`1E1000000000`, "", false},
		{`1e2`, "1e2", true},
		{`8.66E-5`, "8.66E-5", true},
		{`"8.66E-5"`, "8.66E-5", true},
		{`"8.66e-05"`, "8.66e-05", true},
		{`"1E+30"`, "1E+30", true},
		{`"1E31"`, "", false},
		{`"1E-31"`, "", false},
		{`"1E030"`, "", false},
		{`"1E"`, "", false},
		{`"1E-"`, "", false},
		{`"1E+-1"`, "", false},
		{`"E5"`, "", false},
		{`"1E2E3"`, "", false},
		{`"1E1.5"`, "", false},
		{`"-1"`, "", false},
		{`-1`, "", false},
		{`"+1"`, "", false},
		{`"1."`, "", false},
		{`".5"`, "", false},
		{`"1.2.3"`, "", false},
		{`"1,5"`, "", false},
		{`" 1"`, "", false},
		{`"١"`, "", false}, // a digit, but not of ours
		{`true`, "", false},
		{`{}`, "", false},
		{`"` + strings.Repeat("9", 32) + `"`, payment.Price(strings.Repeat("9", 32)), true},
		{`"` + strings.Repeat("9", 33) + `"`, "", false},
	} {
		var p payment.Price
		err := json.Unmarshal([]byte(c.json), &p)
		if (err == nil) != c.ok || p != c.want {
			t.Errorf("%s: %q, %v", c.json, p, err)
		}
		if _, err := p.Decimal(); (err == nil) != (c.ok && c.want != "") {
			t.Errorf("%s: Decimal: %v", c.json, err)
		}
		if _, err := payment.Price(strings.Trim(c.json, `"`)).Decimal(); (err == nil) != (c.ok && c.want != "") {
			t.Errorf("%s made by hand: Decimal: %v", c.json, err)
		}
	}
}
