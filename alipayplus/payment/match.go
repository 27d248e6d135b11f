package payment

import (
	"slices"
	"strconv"
	"strings"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
)

// The functions here list, in a fixed order, the members of an object that two
// requests with one idempotency key must share. Lists of texts, not structs:
// a field that a later version adds must not change stored fingerprints. Values
// are normalised, because a repeat may write 8.50 for 8.5, and promotions are
// sorted, because their order means nothing.

// matchAmount returns the text of an amount, also of one whose currency could
// not be sent.
func matchAmount(a alipayplus.Amount) string {
	if a.IsZero() {
		return ""
	}
	return string(a.Currency) + " " + strconv.FormatInt(a.Minor, 10)
}

func matchMethod(m Method) []string {
	meta := m.PaymentMethodMetaData
	return []string{
		m.PaymentMethodType, m.PaymentMethodID.Digest(), m.CustomerID,
		meta.PaymentCodeRegion, meta.UserLoginID.Digest(), meta.UserLoginIDType, meta.AuthClientID,
	}
}

func matchPromos(p PromoInfo) [][]string {
	list := make([][]string, 0, len(p.PaymentPromoDetails))
	for _, d := range p.PaymentPromoDetails {
		list = append(list, []string{d.PromoID, d.PromoName, d.PromoType, matchAmount(d.SavingsAmount)})
	}
	slices.SortFunc(list, slices.Compare)
	return list
}

func matchRefundPromos(p RefundPromoInfo) [][]string {
	list := make([][]string, 0, len(p.RefundPromoDetails))
	for _, d := range p.RefundPromoDetails {
		list = append(list, []string{d.PromoID, d.PromoName, d.PromoType, matchAmount(d.RefundAmount)})
	}
	slices.SortFunc(list, slices.Compare)
	return list
}

func matchQuote(q Quote) []string {
	return []string{
		q.QuoteID, q.QuoteCurrencyPair, matchPrice(q.QuotePrice),
		matchTime(q.QuoteStartTime), matchTime(q.QuoteExpiryTime), q.BaseCurrency, q.QuoteUnit,
	}
}

// matchPrice drops what changes nothing: 010.50 and 1.05E+1 are both 105E-1.
func matchPrice(p Price) string {
	digits, exponent, ok := p.parse()
	if !ok {
		return string(p)
	}
	short := strings.TrimRight(digits, "0")
	exponent += len(digits) - len(short)
	if short = strings.TrimLeft(short, "0"); short == "" {
		return "0"
	}
	return short + "E" + strconv.Itoa(exponent)
}

// matchTime returns the instant in one form, or the text of t if it is no time.
func matchTime(t alipayplus.Time) string {
	if instant, ok := t.Time(); ok {
		return instant.UTC().Format("2006-01-02T15:04:05.999999999Z")
	}
	return t.String()
}
