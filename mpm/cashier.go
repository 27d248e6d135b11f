package mpm

import (
	"cmp"
	"encoding/json"
	"fmt"
	"log/slog"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
)

// Cashier means that there is an order to pay and that its payment is open. The
// app shows the cashier page and, when the user agrees, the backend calls
// [Flow.Confirm] with the debitAmount that was shown. For an [Intercepted] code
// the decode callback waits for the [ResultPage].
//
//	{"step":"cashier","paymentRequestId":"2025030119074101000001",
//	 "merchantName":"Example Shoes","storeName":"Second branch","orderDescription":"Shoes",
//	 "paymentAmount":{"currency":"JPY","value":"995","display":"JPY 995"},
//	 "payToAmount":{"currency":"HKD","value":"8518","display":"HKD 85.18"},
//	 "debitAmount":{"currency":"HKD","value":"8916","display":"HKD 89.16"},
//	 "surchargeAmount":{"currency":"HKD","value":"8916","display":"HKD 89.16"},
//	 "savings":[{"name":"Coupon","amount":{"currency":"HKD","value":"43","display":"HKD 0.43"}}],
//	 "quote":{"currencyPair":"JPY/HKD","price":"8.5614"},
//	 "surchargeQuote":{"currencyPair":"JPY/HKD","price":"8.9614"},
//	 "expiryTime":"2019-11-27T12:01:01+08:00","consent":{"authClientId":"AUTH_CLIENT_01"}}
//
// value is in smallest units, display in major ones. debitAmount is what the
// user pays: surchargeAmount, if there is one, else payToAmount. price
// multiplies smallest units. consent is there if the merchant asks to bind the
// account for later one-click payments: the page asks the user, and what they
// say goes into payment.Confirmation.
type Cashier struct {
	// Record is the open payment, all that the JSON is made from:
	// Cashier{Record: r} shows a payment of the database again.
	Record payment.Record
	// Answer is what Alipay+ answered to the decoding, for what the wallet
	// wants to show beside that. It is zero where nothing was decoded.
	Answer UserInitiatedPayResponse
}

// Consent reports whether the merchant asks to bind the account for one-click
// payments: the cashier page asks the user, and a paid order is then followed
// by a token (package auth).
func (c Cashier) Consent() bool { return c.Record.AuthorizationInfo.AuthClientID != "" }

// shownAmount is an amount for a page.
type shownAmount struct {
	Currency alipayplus.Currency `json:"currency"`
	Value    string              `json:"value"`
	Display  string              `json:"display"`
}

func show(a alipayplus.Amount) shownAmount {
	if a.IsZero() {
		return shownAmount{}
	}
	return shownAmount{a.Currency, fmt.Sprint(a.Minor), a.String()}
}

type shownSaving struct {
	Name   string      `json:"name,omitzero"`
	Amount shownAmount `json:"amount,omitzero"`
}

type shownQuote struct {
	CurrencyPair string `json:"currencyPair"`
	Price        string `json:"price"`
}

func showQuote(q payment.Quote) shownQuote {
	return shownQuote{q.QuoteCurrencyPair, string(q.QuotePrice)}
}

type shownConsent struct {
	AuthClientID string `json:"authClientId"`
}

func merchantName(r payment.Record) string {
	return cmp.Or(r.Order.Merchant.MerchantDisplayName, r.Order.Merchant.MerchantName)
}

// MarshalJSON returns the object for the app.
func (c Cashier) MarshalJSON() ([]byte, error) {
	order, amounts := c.Record.Order, c.Record.Amounts
	shown := struct {
		bare
		PaymentRequestID string          `json:"paymentRequestId"`
		MerchantName     string          `json:"merchantName,omitzero"`
		StoreName        string          `json:"storeName,omitzero"`
		OrderDescription string          `json:"orderDescription,omitzero"`
		PaymentAmount    shownAmount     `json:"paymentAmount"`
		PayToAmount      shownAmount     `json:"payToAmount"`
		DebitAmount      shownAmount     `json:"debitAmount"`
		SurchargeAmount  shownAmount     `json:"surchargeAmount,omitzero"`
		Savings          []shownSaving   `json:"savings,omitzero"`
		Quote            shownQuote      `json:"quote,omitzero"`
		SurchargeQuote   shownQuote      `json:"surchargeQuote,omitzero"`
		ExpiryTime       alipayplus.Time `json:"expiryTime,omitzero"`
		Consent          shownConsent    `json:"consent,omitzero"`
	}{
		bare:             bare{"cashier"},
		PaymentRequestID: c.Record.PaymentRequestID,
		MerchantName:     merchantName(c.Record),
		StoreName:        cmp.Or(order.Merchant.Store.StoreDisplayName, order.Merchant.Store.StoreName),
		OrderDescription: order.OrderDescription,
		PaymentAmount:    show(amounts.PaymentAmount),
		PayToAmount:      show(amounts.PayToAmount),
		DebitAmount:      show(amounts.Debit()),
		SurchargeAmount:  show(amounts.SurchargeInfo.SurchargeAmount),
		Quote:            showQuote(amounts.PaymentQuote),
		SurchargeQuote:   showQuote(amounts.SurchargeInfo.SurchargeQuote),
		ExpiryTime:       c.Record.ExpiryTime,
		Consent:          shownConsent{c.Record.AuthorizationInfo.AuthClientID},
	}
	for _, promo := range amounts.PaymentPromoInfo.PaymentPromoDetails {
		shown.Savings = append(shown.Savings, shownSaving{promo.PromoName, show(promo.SavingsAmount)})
	}
	return json.Marshal(shown)
}

// LogValue returns the payment and what it costs, for log/slog.
func (c Cashier) LogValue() slog.Value {
	return slog.GroupValue(slog.String("paymentRequestId", c.Record.PaymentRequestID), slog.String("debit", c.Record.Amounts.Debit().String()))
}
