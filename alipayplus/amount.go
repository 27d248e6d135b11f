package alipayplus

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/shopspring/decimal"

	"github.com/alipayplus-mpp/alipayplus-go/internal/wire"
)

// Amount is money: a whole number of the currency's smallest unit. 100 JPY is
// Amount{"JPY", 100}, 1.00 HKD is Amount{"HKD", 100}. On the wire it is
// {"currency":"JPY","value":"100"}, the value a string of at most 16 digits.
// Amounts are comparable with ==. The zero Amount is absent.
type Amount struct {
	Currency Currency // of the value; "" only in the zero Amount
	Minor    int64    // never negative in a message
}

// Errors of Amount, matched with errors.Is.
var (
	// ErrUnknownCurrency: ISO 4217 does not list the currency, so its major
	// unit is not known.
	ErrUnknownCurrency = errors.New("alipayplus: unknown currency")
	// ErrAmountRange: the number has more decimals than the currency, is
	// negative or has more than 16 digits.
	ErrAmountRange = errors.New("alipayplus: amount out of range")
)

// maxMinor is the largest value of a message, 16 digits.
const maxMinor = 9_999_999_999_999_999

// AmountOf returns the Amount of major units: 12.5 USD is 1250 cents. It never
// rounds: more decimals than the currency has are [ErrAmountRange], as are a
// negative number and one of more than 16 digits.
func AmountOf(major decimal.Decimal, c Currency) (Amount, error) {
	exponent, ok := c.Exponent()
	if !ok {
		return Amount{}, ErrUnknownCurrency
	}
	// A decimal may hold an exponent that would make huge numbers: look first.
	if e := major.Exponent(); e > 16 || e < -64 || major.NumDigits() > 64 {
		return Amount{}, ErrAmountRange
	}
	minor := major.Shift(int32(exponent))
	if minor.Sign() < 0 || !minor.IsInteger() || minor.Cmp(decimal.NewFromInt(maxMinor)) > 0 {
		return Amount{}, ErrAmountRange
	}
	return Amount{c, minor.IntPart()}, nil
}

// Decimal returns a in major units, for display and arithmetic.
func (a Amount) Decimal() (decimal.Decimal, error) {
	exponent, ok := a.Currency.Exponent()
	if !ok {
		return decimal.Decimal{}, ErrUnknownCurrency
	}
	return decimal.New(a.Minor, -int32(exponent)), nil
}

// String returns the currency and the major units, "HKD 1.00", for a page or a
// log. For an unknown currency it is the smallest units, named as such.
func (a Amount) String() string {
	if a.IsZero() {
		return ""
	}
	code := sanitize(string(a.Currency), 8)
	exponent, ok := a.Currency.Exponent()
	if !ok {
		return fmt.Sprintf("%s %d (smallest units)", code, a.Minor)
	}
	return code + " " + decimal.New(a.Minor, -int32(exponent)).StringFixed(int32(exponent))
}

// IsZero reports whether a is absent: no currency and no value.
func (a Amount) IsZero() bool { return a == Amount{} }

type wireAmount struct {
	Currency string `json:"currency"`
	Value    string `json:"value"`
}

// MarshalJSON returns the wire form, null for the zero Amount. It encodes every
// Amount, so that a message that came in can be stored; WireRules says what
// must not be sent.
func (a Amount) MarshalJSON() ([]byte, error) {
	if a.IsZero() {
		return []byte("null"), nil
	}
	currency, err := quoteJSON(string(a.Currency))
	if err != nil {
		return nil, err
	}
	out := make([]byte, 0, 48)
	out = append(out, `{"currency":`...)
	out = append(out, currency...)
	out = append(out, `,"value":"`...)
	out = strconv.AppendInt(out, a.Minor, 10)
	return append(out, `"}`...), nil
}

// UnmarshalJSON reads the wire form. The value is digits only, at most 16, as a
// string or as a number; a sign, a fraction or an exponent is an error.
func (a *Amount) UnmarshalJSON(data []byte) error {
	var w wireAmount
	if string(data) == "null" {
		return nil
	}
	if wire.Decode(data, &w) != nil {
		return scalarError("is not an amount")
	}
	switch {
	case w.Currency == "" && w.Value == "":
		*a = Amount{}
		return nil
	case w.Currency == "":
		return scalarError("has no currency")
	case !allDigits(w.Value) || len(w.Value) > 16:
		return scalarError("has a value that is not 1 to 16 digits")
	}
	minor, err := strconv.ParseInt(w.Value, 10, 64)
	if err != nil {
		return scalarError("has a value that is not 1 to 16 digits")
	}
	*a = Amount{Currency(w.Currency), minor}
	return nil
}

// WireRules returns the rules that a breaks as an amount to send.
func (a Amount) WireRules() []string {
	if a.IsZero() {
		return nil
	}
	var rules []string
	if !a.Currency.wellFormed() {
		rules = append(rules, "has a currency that is not three upper-case letters")
	}
	if a.Minor < 0 || a.Minor > maxMinor {
		rules = append(rules, "has a value that is negative or over 16 digits")
	}
	return rules
}
