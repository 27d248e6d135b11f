package alipayplus_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"runtime"
	"strings"
	"testing"

	"github.com/shopspring/decimal"
	"pgregory.net/rapid"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/internal/wire"
)

// AmountOf is exact or an error.
func TestAmountOf(t *testing.T) {
	for _, test := range []struct {
		major    string
		currency alipayplus.Currency
		want     int64
		err      error
	}{
		{"100", "JPY", 100, nil},
		{"100.0", "JPY", 100, nil},
		{"12.5", "USD", 1250, nil},
		{"12.50", "USD", 1250, nil},
		{"12.500000", "USD", 1250, nil},
		{"1e2", "USD", 10000, nil},
		{"0", "USD", 0, nil},
		{"-0", "USD", 0, nil},
		{"1.234", "KWD", 1234, nil},
		{"1.2345", "CLF", 12345, nil},
		{"99999999999999.99", "USD", 9999999999999999, nil},
		{"9999999999999999", "JPY", 9999999999999999, nil},

		{"100.5", "JPY", 0, alipayplus.ErrAmountRange},
		{"12.345", "USD", 0, alipayplus.ErrAmountRange},
		{"0.001", "USD", 0, alipayplus.ErrAmountRange},
		{"12.499999999999999999999", "USD", 0, alipayplus.ErrAmountRange},
		{"-1", "USD", 0, alipayplus.ErrAmountRange},
		{"-0.01", "USD", 0, alipayplus.ErrAmountRange},
		{"100000000000000", "USD", 0, alipayplus.ErrAmountRange},
		{"10000000000000000", "JPY", 0, alipayplus.ErrAmountRange},
		{"18446744073709551617", "JPY", 0, alipayplus.ErrAmountRange}, // 2^64+1 is 1 to an int64
		{"184467440737095516.17", "USD", 0, alipayplus.ErrAmountRange},
		{"1", "XXX", 0, alipayplus.ErrUnknownCurrency},
		{"1", "usd", 0, alipayplus.ErrUnknownCurrency},
		{"1", "", 0, alipayplus.ErrUnknownCurrency},
		{"1", "XAU", 0, alipayplus.ErrUnknownCurrency}, // gold has no minor unit
	} {
		got, err := alipayplus.AmountOf(decimal.RequireFromString(test.major), test.currency)
		if !errors.Is(err, test.err) || got.Minor != test.want {
			t.Errorf("%s %s: %v, %v; want %d, %v", test.currency, test.major, got.Minor, err, test.want, test.err)
		}
		if err == nil && got.Currency != test.currency || err != nil && !got.IsZero() {
			t.Errorf("%s %s: %#v beside %v", test.currency, test.major, got, err)
		}
	}
	// Exponents that would make numbers of a gigabyte are refused at a glance.
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for _, exponent := range []int32{math.MaxInt32, 1_000_000_000, 17, -65, -1_000_000_000, math.MinInt32} {
		for _, digits := range []int64{1, -1, math.MaxInt64} {
			if got, err := alipayplus.AmountOf(decimal.New(digits, exponent), "USD"); !errors.Is(err, alipayplus.ErrAmountRange) {
				t.Errorf("%dE%d: %v, %v", digits, exponent, got, err)
			}
		}
	}
	runtime.ReadMemStats(&after)
	if took := after.TotalAlloc - before.TotalAlloc; took > 1<<20 {
		t.Errorf("that took %d bytes", took)
	}
	if got, err := alipayplus.AmountOf(decimal.Decimal{}, "USD"); err != nil || got.Minor != 0 {
		t.Errorf("the zero Decimal: %v, %v", got, err)
	}
}

// An amount that is written is read as the same one, and so is its number of
// major units, for every currency.
func TestAmountRoundTrip(t *testing.T) {
	currencies := []alipayplus.Currency{"JPY", "USD", "KWD", "CLF"}
	rapid.Check(t, func(t *rapid.T) {
		a := alipayplus.Amount{
			Currency: rapid.SampledFrom(currencies).Draw(t, "currency"),
			Minor:    rapid.Int64Range(0, 9_999_999_999_999_999).Draw(t, "minor"),
		}
		major, err := a.Decimal()
		if err != nil {
			t.Fatal(err)
		}
		if back, err := alipayplus.AmountOf(major, a.Currency); err != nil || back != a {
			t.Fatalf("%v is %v and back %v, %v", a, major, back, err)
		}
		text, err := json.Marshal(a)
		if err != nil {
			t.Fatal(err)
		}
		if want := fmt.Sprintf(`{"currency":"%s","value":"%d"}`, a.Currency, a.Minor); string(text) != want {
			t.Fatalf("%s, want %s", text, want)
		}
		var back alipayplus.Amount
		if err := json.Unmarshal(text, &back); err != nil || back != a {
			t.Fatalf("%s is %v, %v", text, back, err)
		}
	})
}

func TestAmountUnmarshal(t *testing.T) {
	for _, test := range []struct {
		text string
		want alipayplus.Amount
		rule string
	}{
		{`{"currency":"JPY","value":"100"}`, alipayplus.Amount{Currency: "JPY", Minor: 100}, ""},
		{`{"currency":"JPY","value":100}`, alipayplus.Amount{Currency: "JPY", Minor: 100}, ""},
		{`{"value":"0","currency":"JPY","other":{}}`, alipayplus.Amount{Currency: "JPY"}, ""},
		{`{"currency":"JPY","value":"0000000000000100"}`, alipayplus.Amount{Currency: "JPY", Minor: 100}, ""},
		{`{"currency":"XXX","value":"1"}`, alipayplus.Amount{Currency: "XXX", Minor: 1}, ""}, // kept: it may be where nobody reads it
		{`{}`, alipayplus.Amount{}, ""},
		{`{"currency":"","value":""}`, alipayplus.Amount{}, ""},
		{`null`, alipayplus.Amount{}, ""},
		{`{"currency":"JPY"}`, alipayplus.Amount{}, "digits"},
		{`{"value":"1"}`, alipayplus.Amount{}, "no currency"},
		{`{"currency":"JPY","value":"00000000000000100"}`, alipayplus.Amount{}, "16 digits"},
		{`{"currency":"JPY","value":"10000000000000000"}`, alipayplus.Amount{}, "16 digits"},
		{`{"currency":"JPY","value":"-1"}`, alipayplus.Amount{}, "digits"},
		{`{"currency":"JPY","value":"+1"}`, alipayplus.Amount{}, "digits"},
		{`{"currency":"JPY","value":"1.0"}`, alipayplus.Amount{}, "digits"},
		{`{"currency":"JPY","value":1.0}`, alipayplus.Amount{}, "digits"},
		{`{"currency":"JPY","value":"1E1000000000"}`, alipayplus.Amount{}, "digits"},
		{`{"currency":"JPY","value":1E1000000000}`, alipayplus.Amount{}, "digits"},
		{`{"currency":"JPY","value":" 1"}`, alipayplus.Amount{}, "digits"},
		{`{"currency":"JPY","value":"0x10"}`, alipayplus.Amount{}, "digits"},
		{`{"currency":"JPY","value":"1_0"}`, alipayplus.Amount{}, "digits"},
		{`{"currency":"JPY","value":"１"}`, alipayplus.Amount{}, "digits"},
		{`{"currency":"JPY","value":{"v":1}}`, alipayplus.Amount{}, ""},
		{`"100 JPY"`, alipayplus.Amount{}, "not an amount"},
		{`100`, alipayplus.Amount{}, "not an amount"},
		{`["JPY","100"]`, alipayplus.Amount{}, "not an amount"},
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		var got alipayplus.Amount
		err := json.Unmarshal([]byte(test.text), &got)
		refused := test.rule != "" || strings.Contains(test.text, `{"v"`)
		if (err != nil) != refused || got != test.want {
			t.Errorf("%s: %#v, %v; want %#v", test.text, got, err, test.want)
		}
		if err != nil && !strings.Contains(err.Error(), test.rule) {
			t.Errorf("%s: %v, want %q", test.text, err, test.rule)
		}
		if runtime.ReadMemStats(&after); after.TotalAlloc-before.TotalAlloc > 1<<20 {
			t.Errorf("%s took %d bytes", test.text, after.TotalAlloc-before.TotalAlloc)
		}
	}
}

// What must not be sent breaks a rule; what came in can be stored and read
// again.
func TestAmountOddValues(t *testing.T) {
	for _, a := range []alipayplus.Amount{
		{Currency: "JPY", Minor: -1},
		{Currency: "JPY", Minor: 10_000_000_000_000_000},
		{Currency: "JPY", Minor: math.MinInt64},
		{Currency: "jpy", Minor: 1},
		{Currency: `A"}`, Minor: 1},
		{Minor: 1},
		{Currency: "JPYX", Minor: 1},
	} {
		if len(a.WireRules()) == 0 {
			t.Errorf("%#v breaks no rule", a)
		}
		if _, err := wire.Encode(struct {
			A alipayplus.Amount `json:"a"`
		}{a}); err == nil {
			t.Errorf("%#v is sent", a)
		}
		text, err := json.Marshal(a)
		if err != nil || !json.Valid(text) {
			t.Errorf("%#v cannot be stored: %s, %v", a, text, err)
		}
		if a.Currency == "" || a.Minor < 0 || a.Minor >= 10_000_000_000_000_000 {
			continue // cannot have come in
		}
		var again alipayplus.Amount
		if err := json.Unmarshal(text, &again); err != nil || again != a {
			t.Errorf("%#v is read again as %#v, %v", a, again, err)
		}
	}
	if text, err := json.Marshal(alipayplus.Amount{}); err != nil || string(text) != "null" {
		t.Errorf("zero: %s, %v", text, err)
	}
}

func TestAmountString(t *testing.T) {
	for want, a := range map[string]alipayplus.Amount{
		"":                          {},
		"JPY 100":                   {Currency: "JPY", Minor: 100},
		"HKD 1.00":                  {Currency: "HKD", Minor: 100},
		"HKD 0.05":                  {Currency: "HKD", Minor: 5},
		"USD -0.05":                 {Currency: "USD", Minor: -5},
		"KWD 1.234":                 {Currency: "KWD", Minor: 1234},
		"XXX 7 (smallest units)":    {Currency: "XXX", Minor: 7},
		"A?B?C 7 (smallest units)":  {Currency: "A\nB\x1bC", Minor: 7},
		"USD 99999999999999.99":     {Currency: "USD", Minor: 9_999_999_999_999_999},
		"USD -92233720368547758.08": {Currency: "USD", Minor: math.MinInt64},
	} {
		if got := a.String(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// ISO 4217, from the list of its maintenance agency: the exponents that are not
// two, and some that are.
func TestCurrencyExponents(t *testing.T) {
	for want, codes := range map[int]string{
		0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
		2: "AED ARS AUD BDT BRL CAD CHF CNY COP EGP EUR GBP HKD HUF IDR ILS INR KZT LAK LKR MMK MNT MOP MXN MYR NPR NZD PEN PHP PKR QAR RUB SAR SGD THB TRY TWD TZS UAH USD UZS ZAR",
		3: "BHD IQD JOD KWD LYD OMR TND",
		4: "CLF UYW",
	} {
		for code := range strings.FieldsSeq(codes) {
			if got, ok := alipayplus.Currency(code).Exponent(); !ok || got != want {
				t.Errorf("%s: %d, %v; want %d", code, got, ok, want)
			}
		}
	}
	for _, code := range []alipayplus.Currency{
		"", "U", "US", "USDX", "usd", "XXX", "XTS", "XAU", "XDR", "XBA", "XSU", "   ", "D A", " US", "SD ", "ED ", "AED ", "\x00\x00\x00", "ÄÖ",
	} {
		if e, ok := code.Exponent(); ok {
			t.Errorf("%q has exponent %d", code, e)
		}
	}
	// No code can be found across two entries of a list.
	letters := "ABCDEFGHIJKLMNOPQRSTUVWXYZ "
	known := 0
	for _, a := range letters {
		for _, b := range letters {
			for _, c := range letters {
				code := string([]rune{a, b, c})
				if _, ok := alipayplus.Currency(code).Exponent(); ok {
					known++
					if strings.Contains(code, " ") {
						t.Errorf("%q is a currency", code)
					}
				}
			}
		}
	}
	if known < 160 || known > 185 {
		t.Errorf("%d currencies", known)
	}
}
