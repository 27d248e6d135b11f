package main

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/alipayplustest"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
	"github.com/alipayplus-mpp/alipayplus-go/auth"
	"github.com/alipayplus-mpp/alipayplus-go/codeid"
	"github.com/alipayplus-mpp/alipayplus-go/mpm"
)

// What Alipay+ knows and answers in this program. Everything here is invented.

const rules = `[
	{"codeMatchPattern":{"matchMethod":"PREFIX","prefix":"https://qr.example/281","priority":10},
	 "postCodeMatchAction":{"postCodeMatchActionType":"DECODE"}},
	{"codeMatchPattern":{"matchMethod":"PREFIX","prefix":"https://shop.example/pay/","priority":20},
	 "postCodeMatchAction":{"postCodeMatchActionType":"OPEN_URL","urlConstructionMethod":"USE_DIRECTLY"}}
]`

func (w *world) answerAsAlipay() {
	alipayplustest.Answer(w.alipay, codeid.InquiryCodeRules,
		func(context.Context, *codeid.InquiryCodeRulesRequest) (*codeid.InquiryCodeRulesResponse, error) {
			return &codeid.InquiryCodeRulesResponse{Version: "c_1_example", CodeRules: json.RawMessage(rules)}, nil
		})
	alipayplustest.Answer(w.alipay, mpm.UserInitiatedPay, decode)
	alipayplustest.Answer(w.alipay, payment.NotifyPayment,
		func(context.Context, *payment.NotifyPaymentRequest) (*payment.NotifyPaymentResponse, error) {
			return &payment.NotifyPaymentResponse{}, nil
		})
	alipayplustest.Answer(w.alipay, auth.AuthNotify,
		func(_ context.Context, r *auth.AuthNotifyRequest) (*auth.AuthNotifyResponse, error) {
			if created, ok := r.Notification.(auth.TokenCreated); ok {
				w.known = append(w.known, created.AccessToken)
			}
			return &auth.AuthNotifyResponse{}, nil
		})
}

// decode is Alipay+ decoding an order code.
func decode(_ context.Context, r *mpm.UserInitiatedPayRequest) (*mpm.UserInitiatedPayResponse, error) {
	asked := alipayplus.Amount{Currency: "JPY", Minor: 100}
	return &mpm.UserInitiatedPayResponse{
		AcquirerID:       "ACQUIRER01",
		PSPID:            "WALLET01",
		CodeType:         "ORDER_CODE",
		PaymentRequestID: "PR-" + r.CodeValue.Digest()[:12],
		Order: payment.Order{
			ReferenceOrderID: "OrderID_0101010101",
			OrderDescription: "SHOES",
			OrderAmount:      asked,
			Merchant: payment.Merchant{
				ReferenceMerchantID: "M0001", MerchantMCC: "5661", MerchantName: "Example Shoes",
				Store: payment.Store{ReferenceStoreID: "S0001", StoreName: "Example Shoes, second branch", StoreMCC: "5661"},
			},
		},
		PaymentAmount:      asked,
		PayToAmount:        alipayplus.Amount{Currency: "KRW", Minor: 1000},
		PaymentQuote:       payment.Quote{QuoteID: "1234567", QuoteCurrencyPair: "JPY/KRW", QuotePrice: "10.0000"},
		PaymentFactor:      payment.Factor{IsInStorePayment: alipayplus.True, IsCashierPayment: alipayplus.True},
		PaymentExpiryTime:  alipayplus.TimeOf(time.Now().Add(10 * time.Minute)),
		PaymentRedirectURL: "https://merchant.example/orders/0101010101",
		ActionForm:         payment.ActionForm{ActionType: "HANDLE_BY_PSP"},
	}, nil
}

// ran counts how often Alipay+ really processed an API for key.
func (w *world) ran(op interface{ Name() string }, key string) int {
	n := 0
	for _, call := range w.alipay.Calls(op) {
		if call.Ran && call.Key == key {
			n++
		}
	}
	return n
}

// expect turns what must hold at the end of a step into an error if it does not.
func expect[T comparable](what string, got, want T) error {
	if got != want {
		return fmt.Errorf("%s is %v, should be %v", what, got, want)
	}
	return nil
}
