package payment

import (
	"errors"
	"fmt"
	"math/big"
	"strings"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
)

// Amounts are the sums of a payment as Alipay+ gave them. They are
// authoritative; CheckAmounts only reports.
type Amounts struct {
	PaymentAmount    alipayplus.Amount `json:"paymentAmount,omitzero"`    // what Alipay+ requests, promotions taken off
	PayToAmount      alipayplus.Amount `json:"payToAmount,omitzero"`      // what the MPP settles, in its currency
	PaymentQuote     Quote             `json:"paymentQuote,omitzero"`     // if the two currencies differ
	SurchargeInfo    SurchargeInfo     `json:"surchargeInfo,omitzero"`    // if the user pays another sum than payToAmount
	PaymentPromoInfo PromoInfo         `json:"paymentPromoInfo,omitzero"` // the promotions taken off
}

// Debit returns what the user pays: surchargeInfo.surchargeAmount if present,
// else payToAmount.
func (a Amounts) Debit() alipayplus.Amount {
	if !a.SurchargeInfo.SurchargeAmount.IsZero() {
		return a.SurchargeInfo.SurchargeAmount
	}
	return a.PayToAmount
}

// Validate returns an error that wraps [ErrParam] if a payment of a must not
// begin: an amount is missing, negative, over 16 digits or without a currency,
// or surchargeAmount, which the user would be debited, is in another currency
// than payToAmount, or zero where payToAmount is not. Raise an alarm: Alipay+
// should never send this.
func (a Amounts) Validate() error {
	surcharge := a.SurchargeInfo.SurchargeAmount
	switch {
	case outOfRange(a.PaymentAmount), outOfRange(a.PayToAmount), outOfRange(a.Debit()):
		return fmt.Errorf("%w: an amount is missing or out of range", ErrParam)
	case surcharge.IsZero():
		return nil
	case surcharge.Currency != a.PayToAmount.Currency:
		return fmt.Errorf("%w: surchargeAmount is in another currency than payToAmount", ErrParam)
	case surcharge.Minor == 0 && a.PayToAmount.Minor != 0:
		return fmt.Errorf("%w: surchargeAmount is zero and payToAmount is not", ErrParam)
	}
	return nil
}

// outOfRange reports whether a could not be in a message: it is absent,
// negative, over 16 digits, or without a currency.
func outOfRange(a alipayplus.Amount) bool { return a.IsZero() || len(a.WireRules()) > 0 }

// Rounding is what happens to half a smallest unit.
type Rounding uint8

// The roundings. The documents do not say which one Alipay+ uses; both give the
// numbers of their examples. Into IDR it is always half-even, to a multiple of
// 100.
const (
	HalfUp   Rounding = iota // to the larger one
	HalfEven                 // to the even one
)

// ErrQuote is the error of a quote that cannot convert an amount: it has no
// price, or a zero one, or its pair does not hold the currency.
var ErrQuote = errors.New("payment: the quote does not fit the amount")

// Convert returns a in the other currency of the quote's pair, rounded to its
// smallest unit, or to 100 of them for IDR. The errors are [ErrQuote] and, for
// a result that is negative or over 16 digits, [alipayplus.ErrAmountRange].
func (q Quote) Convert(a alipayplus.Amount, round Rounding) (alipayplus.Amount, error) {
	to, rate, err := q.rate(a.Currency)
	if err != nil {
		return alipayplus.Amount{}, err
	}
	return amountOf(to, new(big.Rat).Mul(rate, ratOf(a)), round)
}

// rate returns what one smallest unit of from is in the other currency.
func (q Quote) rate(from alipayplus.Currency) (to alipayplus.Currency, rate *big.Rat, err error) {
	first, second, _ := strings.Cut(q.QuoteCurrencyPair, "/")
	price, err := q.QuotePrice.Decimal()
	if err != nil || price.Sign() <= 0 || first == "" || second == "" || first == second || q.QuoteUnit != "" && q.QuoteUnit != "1" {
		return "", nil, ErrQuote
	}
	rate = price.Rat()
	switch string(from) {
	case first:
		return alipayplus.Currency(second), rate, nil
	case second:
		return alipayplus.Currency(first), rate.Inv(rate), nil
	}
	return "", nil, ErrQuote
}

// Calculation computes the sums of a payment the way Alipay+ does: every
// converted term is rounded to the smallest unit, then they are added and
// subtracted.
type Calculation struct {
	Asked          alipayplus.Amount   // what the acquirer asked for
	Promotions     []alipayplus.Amount // in either currency
	PaymentQuote   Quote               // zero: the MPP has the same currency
	SurchargeQuote Quote               // zero: no surcharge
	Rounding       Rounding
}

// Sums is the result of a [Calculation].
type Sums struct {
	PaymentAmount   alipayplus.Amount
	PayToAmount     alipayplus.Amount
	SurchargeAmount alipayplus.Amount // zero without SurchargeQuote
	SavingsAmount   alipayplus.Amount // all promotions in the MPP's currency
}

// Sums computes the sums. The errors are [ErrQuote] and, if a sum is negative
// or over 16 digits, [alipayplus.ErrAmountRange].
func (c Calculation) Sums() (Sums, error) {
	var s Sums
	var err error
	if outOfRange(c.Asked) {
		return Sums{}, alipayplus.ErrAmountRange
	}
	if s.PaymentAmount, _, err = c.net(c.PaymentQuote, c.Asked.Currency); err != nil {
		return Sums{}, err
	}
	home := c.Asked.Currency
	if !c.PaymentQuote.IsZero() {
		if home, _, err = c.PaymentQuote.rate(c.Asked.Currency); err != nil {
			return Sums{}, err
		}
	}
	if s.PayToAmount, s.SavingsAmount, err = c.net(c.PaymentQuote, home); err != nil {
		return Sums{}, err
	}
	if !c.SurchargeQuote.IsZero() {
		if s.SurchargeAmount, _, err = c.net(c.SurchargeQuote, home); err != nil {
			return Sums{}, err
		}
	}
	return s, nil
}

// net returns what was asked, less the promotions, in the given currency.
func (c Calculation) net(q Quote, in alipayplus.Currency) (net, savings alipayplus.Amount, err error) {
	term := func(a alipayplus.Amount) (alipayplus.Amount, error) {
		if a.Currency == in {
			return a, nil
		}
		converted, err := q.Convert(a, c.Rounding)
		if err == nil && converted.Currency != in {
			err = ErrQuote
		}
		return converted, err
	}
	if net, err = term(c.Asked); err != nil {
		return net, savings, err
	}
	savings = alipayplus.Amount{Currency: in}
	for _, p := range c.Promotions {
		off, err := term(p)
		if err != nil {
			return net, savings, err
		}
		if off.Minor < 0 || off.Minor > net.Minor-savings.Minor {
			return net, savings, alipayplus.ErrAmountRange
		}
		savings.Minor += off.Minor
	}
	net.Minor -= savings.Minor
	return net, savings, nil
}

func ratOf(a alipayplus.Amount) *big.Rat { return new(big.Rat).SetInt64(a.Minor) }

// amountOf returns r, rounded to a whole number of units.
func amountOf(c alipayplus.Currency, r *big.Rat, round Rounding) (alipayplus.Amount, error) {
	step := unit(c)
	if step != 1 {
		round = HalfEven
		r = new(big.Rat).Mul(r, big.NewRat(1, step))
	}
	whole, rest := new(big.Int).QuoRem(r.Num(), r.Denom(), new(big.Int))
	half := rest.Lsh(rest, 1).Cmp(r.Denom())
	if half > 0 || half == 0 && (round == HalfUp || whole.Bit(0) == 1) {
		whole.Add(whole, big.NewInt(1))
	}
	whole.Mul(whole, big.NewInt(step))
	if r.Sign() < 0 || !whole.IsInt64() || whole.Int64() > maxMinor {
		return alipayplus.Amount{}, alipayplus.ErrAmountRange
	}
	return alipayplus.Amount{Currency: c, Minor: whole.Int64()}, nil
}

const maxMinor = 9_999_999_999_999_999 // 16 digits

// unit returns the step in which amounts of a currency are rounded. Amounts of
// IDR end in 00.
func unit(c alipayplus.Currency) int64 {
	if c == "IDR" {
		return 100
	}
	return 1
}
