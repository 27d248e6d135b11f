package payment

import (
	"fmt"
	"math/big"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
)

// Discrepancy is a sum that does not follow from the others.
type Discrepancy struct {
	Field     string            // "payToAmount" or "surchargeInfo.surchargeAmount"
	Got       alipayplus.Amount // as Alipay+ gave it
	Want      alipayplus.Amount // as the quote has it; zero with Err
	Tolerance int64             // how far Got may lie from Want, in smallest units
	Err       error             // why it cannot be checked at all: ErrQuote, alipayplus.ErrAmountRange
}

// String returns the discrepancy in one line.
func (d Discrepancy) String() string {
	if d.Err != nil {
		return fmt.Sprintf("%s is %v: %v", d.Field, d.Got, d.Err)
	}
	return fmt.Sprintf("%s is %v, expected %v ± %d", d.Field, d.Got, d.Want, d.Tolerance)
}

// CheckAmounts reports sums that do not follow from paymentAmount and the
// quotes. Alipay+'s numbers are authoritative: report what it finds, and decide
// by yourself whether it blocks a payment. Nil means that all is well.
//
// Only the sums after promotion are known, so that rounding leaves some room: a
// unit for each converted term, half the rate for each promotion, and the last
// digit of the price.
func CheckAmounts(a Amounts) []Discrepancy {
	var found []Discrepancy
	check := func(field string, got alipayplus.Amount, q Quote) {
		if d, ok := a.compare(got, q); !ok {
			d.Field, d.Got = field, got
			found = append(found, d)
		}
	}
	if a.PaymentQuote.IsZero() && a.PaymentAmount.Currency == a.PayToAmount.Currency {
		if a.PaymentAmount != a.PayToAmount {
			found = append(found, Discrepancy{Field: "payToAmount", Got: a.PayToAmount, Want: a.PaymentAmount})
		}
	} else {
		check("payToAmount", a.PayToAmount, a.PaymentQuote)
	}
	if s := a.SurchargeInfo; !s.SurchargeAmount.IsZero() {
		check("surchargeInfo.surchargeAmount", s.SurchargeAmount, s.SurchargeQuote)
	}
	return found
}

// compare checks got against paymentAmount times the quote.
func (a Amounts) compare(got alipayplus.Amount, q Quote) (d Discrepancy, ok bool) {
	net := a.PaymentAmount
	to, rate, err := q.rate(net.Currency)
	if err != nil || to != got.Currency {
		return Discrepancy{Err: ErrQuote}, false
	}
	want := new(big.Rat).Mul(ratOf(net), rate)
	tolerance := a.tolerance(to, q, 1)
	off := new(big.Rat).Sub(ratOf(got), want)
	if off.Abs(off).Cmp(tolerance) <= 0 {
		return Discrepancy{}, true
	}
	if d.Want, err = amountOf(to, want, HalfUp); err != nil {
		return Discrepancy{Err: err}, false
	}
	d.Tolerance = new(big.Int).Quo(tolerance.Num(), tolerance.Denom()).Int64()
	return d, false
}

// tolerance returns what rounding explains in a sum of converted terms: a unit
// for each term and each promotion, half the rate for each promotion, and half
// of the price's last digit.
func (a Amounts) tolerance(to alipayplus.Currency, q Quote, terms int64) *big.Rat {
	promotions := int64(len(a.PaymentPromoInfo.PaymentPromoDetails))
	sum := new(big.Rat).SetInt64((terms + promotions) * unit(to))
	from := a.PaymentAmount.Currency
	other, rate, err := q.rate(from)
	if err != nil || other != to {
		return sum
	}
	gross := new(big.Rat).Mul(ratOf(a.PaymentAmount), rate) // before promotions, as far as it is known
	for _, p := range a.PaymentPromoInfo.PaymentPromoDetails {
		switch p.SavingsAmount.Currency {
		case to:
			gross.Add(gross, ratOf(p.SavingsAmount))
		case from:
			gross.Add(gross, new(big.Rat).Mul(ratOf(p.SavingsAmount), rate))
		}
	}
	sum.Add(sum, new(big.Rat).Mul(rate, big.NewRat(promotions*unit(from), 2)))
	return sum.Add(sum, gross.Mul(gross, lastDigit(q.QuotePrice)))
}

// lastDigit returns half a unit of the last digit of p, relative to p: 0.5 for
// 1, and 0.05 for 10 and 1.0.
func lastDigit(p Price) *big.Rat {
	digits, _, ok := p.parse()
	number, _ := new(big.Int).SetString(digits, 10)
	if !ok || number.Sign() == 0 {
		return new(big.Rat)
	}
	return new(big.Rat).SetFrac(big.NewInt(1), number.Lsh(number, 1))
}
