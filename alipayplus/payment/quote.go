package payment

import (
	"encoding/json"
	"errors"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
)

// Quote is an exchange rate between two currencies.
//
// QuotePrice multiplies smallest units of the first currency of
// QuoteCurrencyPair into smallest units of the second: with JPY/HKD and 8.5614,
// one yen is 8.5614 HKD cents. The pair may stand either way round and the price
// may be below 1; Convert reads the pair.
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

// Price is a decimal number as it came in, for example "8.5614" or "10.0000":
// digits, and maybe a point and digits, at most 32 characters. It keeps its
// text, so that storing and sending it again changes nothing. The zero Price is
// absent.
type Price string

// ErrPrice is the error of a Price that is not digits, or digits, a point and
// digits, within 32 characters.
var ErrPrice = errors.New("payment: not a decimal number of at most 32 characters")

// Decimal is the number.
func (p Price) Decimal() (decimal.Decimal, error) {
	// The grammar first: a decimal parser would take 1E1000000000.
	if !p.wellFormed() {
		return decimal.Decimal{}, ErrPrice
	}
	d, err := decimal.NewFromString(string(p))
	if err != nil {
		return decimal.Decimal{}, ErrPrice
	}
	return d, nil
}

func (p Price) wellFormed() bool {
	whole, fraction, point := strings.Cut(string(p), ".")
	return len(p) <= 32 && allDigits(whole) && (!point || allDigits(fraction))
}

// UnmarshalJSON reads a JSON string or number and keeps its digits.
func (p *Price) UnmarshalJSON(data []byte) error {
	text := string(data)
	if strings.HasPrefix(text, `"`) && json.Unmarshal(data, &text) != nil {
		return ErrPrice
	}
	switch {
	case text == "null" || text == "":
		*p = ""
	case !Price(text).wellFormed():
		return ErrPrice
	default:
		*p = Price(text)
	}
	return nil
}

// WireRules are the rules that p breaks as a value to send.
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
