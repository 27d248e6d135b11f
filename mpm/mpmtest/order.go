package mpmtest

import (
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
	"github.com/alipayplus-mpp/alipayplus-go/mpm"
)

// Order is an order that the merchant placed with Alipay+.
type Order struct {
	PaymentRequestID string            // Alipay+'s id of the payment
	Amount           alipayplus.Amount // what the merchant asks for
	EntryCode        bool              // placed on the amount page of an entry code
	RedirectURL      string            // the merchant's result page for it
}

// Answer returns what Alipay+ answers when the order is decoded and nothing is
// special about it: yen are paid in won, ten for one; every other currency is
// paid as it is. Merchant.Decoded may change it and return it.
func (o Order) Answer() *mpm.UserInitiatedPayResponse {
	answer := &mpm.UserInitiatedPayResponse{
		AcquirerID:       "ACQUIRER01",
		PSPID:            "WALLET01",
		CodeType:         "ORDER_CODE",
		PaymentRequestID: o.PaymentRequestID,
		Order: payment.Order{
			ReferenceOrderID: "ORDER-" + o.PaymentRequestID,
			OrderDescription: "Shoes",
			OrderAmount:      o.Amount,
			Merchant: payment.Merchant{
				ReferenceMerchantID: "M0001", MerchantMCC: "5661", MerchantName: "Example Shoes",
				Store: payment.Store{ReferenceStoreID: "S0001", StoreName: "Second branch", StoreMCC: "5661"},
			},
		},
		PaymentFactor:      payment.Factor{IsInStorePayment: alipayplus.True, IsCashierPayment: alipayplus.True},
		PaymentAmount:      o.Amount,
		PayToAmount:        o.Amount,
		PaymentRedirectURL: alipayplus.Conceal(o.RedirectURL),
		ActionForm:         payment.ActionForm{ActionType: "HANDLE_BY_PSP"},
	}
	if o.Amount.Currency == "JPY" {
		answer.PayToAmount = alipayplus.Amount{Currency: "KRW", Minor: 10 * o.Amount.Minor}
		answer.PaymentQuote = payment.Quote{QuoteID: "1234567", QuoteCurrencyPair: "JPY/KRW", QuotePrice: "10.0000"}
	}
	return answer
}
