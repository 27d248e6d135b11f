package payment

import (
	"encoding/json"
	"errors"
	"math/big"
	"strconv"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
)

// Quote is an exchange rate between two currencies.
//
// QuotePrice multiplies smallest units of the first currency of
// QuoteCurrencyPair into smallest units of the second: with JPY/HKD and 8.5614,
// one yen is 8.5614 HKD cents. The pair may have its currencies in either
// order, and the price may be below 1: [Quote.Convert] reads the pair.
type Quote struct {
	QuoteID           string          `json:"quoteId,omitzero" wire:"max=64"`           // ≤ 64
	QuoteCurrencyPair string          `json:"quoteCurrencyPair,omitzero" wire:"max=16"` // REQUIRED: AAA/BBB
	QuotePrice        Price           `json:"quotePrice,omitzero"`                      // REQUIRED: a decimal number
	QuoteStartTime    alipayplus.Time `json:"quoteStartTime,omitzero"`                  // when the rate begins to hold
	QuoteExpiryTime   alipayplus.Time `json:"quoteExpiryTime,omitzero"`                 // when it ceases to
	BaseCurrency      string          `json:"baseCurrency,omitzero" wire:"max=3"`       // seen in sister APIs; not used here
	QuoteUnit         string          `json:"quoteUnit,omitzero" wire:"max=16"`         // the same
}

// IsZero reports whether q is absent.
func (q Quote) IsZero() bool { return q == Quote{} }

// Price is a decimal number as it came in, for example "8.5614", "10.0000" or
// "8.66E-5": digits, maybe a point and digits, and maybe an exponent from -30
// to 30, at most 32 characters. It keeps its text, so that storing and sending
// it again changes nothing. The zero Price is absent.
type Price string

var errPrice = errors.New("payment: not a decimal number of at most 32 characters")

const maxPriceExponent = 30

// Decimal returns the number, or an error if p is absent or no number.
func (p Price) Decimal() (decimal.Decimal, error) {
	// The text is read here: a decimal parser would take 1E1000000000.
	digits, exponent, ok := p.parse()
	if !ok {
		return decimal.Decimal{}, errPrice
	}
	whole, _ := new(big.Int).SetString(digits, 10)
	return decimal.NewFromBigInt(whole, int32(exponent)), nil //nolint:gosec // at most 62
}

// parse splits p: its value is digits times ten to the exponent.
func (p Price) parse() (digits string, exponent int, ok bool) {
	number, power := string(p), ""
	if i := strings.IndexAny(number, "eE"); i >= 0 {
		number, power = number[:i], number[i+1:]
		sign := 1
		switch {
		case strings.HasPrefix(power, "-"):
			sign, power = -1, power[1:]
		case strings.HasPrefix(power, "+"):
			power = power[1:]
		}
		if !allDigits(power) || len(power) > 2 {
			return "", 0, false
		}
		exponent, _ = strconv.Atoi(power)
		exponent *= sign
	}
	whole, fraction, point := strings.Cut(number, ".")
	if len(p) > 32 || !allDigits(whole) || point && !allDigits(fraction) || exponent < -maxPriceExponent || exponent > maxPriceExponent {
		return "", 0, false
	}
	return whole + fraction, exponent - len(fraction), true
}

func (p Price) wellFormed() bool {
	_, _, ok := p.parse()
	return ok
}

// UnmarshalJSON reads a JSON string or number and keeps its digits.
func (p *Price) UnmarshalJSON(data []byte) error {
	text := string(data)
	if strings.HasPrefix(text, `"`) && json.Unmarshal(data, &text) != nil {
		return errPrice
	}
	switch {
	case text == "null" || text == "":
		*p = ""
	case !Price(text).wellFormed():
		return errPrice
	default:
		*p = Price(text)
	}
	return nil
}

// WireRules returns the rules that p breaks as a value to send.
func (p Price) WireRules() []string {
	if p == "" || p.wellFormed() {
		return nil
	}
	return []string{"is not a decimal number of at most 32 characters"}
}

func allDigits(text string) bool {
	for i := range len(text) {
		if text[i] < '0' || text[i] > '9' {
			return false
		}
	}
	return text != ""
}
