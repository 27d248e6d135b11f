package main

import (
	"context"
	"fmt"
	"time"

	"github.com/shopspring/decimal"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/alipayplustest"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
	"github.com/alipayplus-mpp/alipayplus-go/mpm"
)

// orderCode is the workflow of making a payment with an order code.
func (w *world) orderCode(ctx context.Context) error {
	w.trace.title("Order code: scan, decode, pay, report, return")
	alipayplustest.Answer(w.alipay, mpm.UserInitiatedPay, theOrder)
	alipayplustest.Answer(w.alipay, payment.NotifyPayment,
		func(context.Context, *payment.NotifyPaymentRequest) (*payment.NotifyPaymentResponse, error) {
			return &payment.NotifyPaymentResponse{}, nil
		})

	w.trace.step("Steps 5-8", "The user scans the merchant's code; it is an Alipay+ order code")
	code, customer := alipayplus.Conceal("https://qr.example/281000040123456789abcdef"), "C-4711"

	w.trace.step("Steps 9-11", "The wallet asks Alipay+ to decode it: first answer U, second lost after processing, third S")
	w.alipay.Fail(mpm.UserInitiatedPay,
		alipayplustest.Unknown(alipayplus.CodeUnknownException), alipayplustest.LoseAnswer())
	order, err := mpm.UserInitiatedPay.Call(ctx, w.client, &mpm.UserInitiatedPayRequest{CodeValue: code, CustomerID: customer})
	if err != nil {
		return err
	}

	w.trace.step("Steps 12-13", "The app shows the cashier page")
	if err := w.client.CheckNotifyURL(order.PaymentNotifyURL); err != nil {
		return err // found out before the user pays
	}
	w.trace.say("%s at %s", order.Order.OrderDescription, order.Order.Merchant.MerchantName)
	w.trace.say("merchant asks %v, the user pays %v", order.PaymentAmount, order.PayToAmount)

	w.trace.step("Step 17", "The user confirms; the wallet debits the account and stores the notification in one transaction")
	notification, err := payment.NotifyPayment.Prepare(&payment.NotifyPaymentRequest{
		PaymentResult:    alipayplus.CodeSuccess.Result(),
		PaymentRequestID: order.PaymentRequestID,
		PaymentID:        "W-0001",
		PaymentTime:      alipayplus.TimeOf(time.Now()),
		PaymentAmount:    order.PaymentAmount,
		PayToAmount:      order.PayToAmount,
		CustomerID:       customer,
	})
	if err != nil {
		return err
	}
	notification.URL = order.PaymentNotifyURL
	w.trace.say("outbox: %v", notification)

	w.trace.step("Steps 18-20", "The wallet notifies Alipay+; the first acknowledgement is lost")
	w.alipay.Fail(payment.NotifyPayment, alipayplustest.LoseAnswer())
	if err := w.client.Deliver(ctx, notification); err != nil {
		return err
	}

	w.trace.step("Steps 21-24", "The app shows the result and returns the user to the merchant")
	w.trace.say("WebView opens %s", order.PaymentRedirectURL)

	decoded, reported := 0, 0
	for _, call := range w.alipay.Calls(mpm.UserInitiatedPay) {
		if call.Ran {
			decoded++
		}
	}
	for _, call := range w.alipay.Calls(payment.NotifyPayment) {
		if call.Ran {
			reported++
		}
	}
	if decoded != 1 || reported != 1 {
		return fmt.Errorf("Alipay+ decoded %d times and took %d results, each should be 1", decoded, reported)
	}
	return nil
}

// theOrder is what Alipay+ knows about the code.
func theOrder(context.Context, *mpm.UserInitiatedPayRequest) (*mpm.UserInitiatedPayResponse, error) {
	asked, err := alipayplus.AmountOf(decimal.NewFromInt(100), "JPY")
	if err != nil {
		return nil, err
	}
	return &mpm.UserInitiatedPayResponse{
		AcquirerID:       "ACQUIRER01",
		PSPID:            "WALLET01",
		CodeType:         "ORDER_CODE",
		PaymentRequestID: "PR-0133",
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
		PaymentFactor:      payment.Factor{IsInStorePayment: alipayplus.True, IsCashierPayment: alipayplus.True},
		PaymentExpiryTime:  alipayplus.TimeOf(time.Now().Add(10 * time.Minute)),
		PaymentRedirectURL: "https://merchant.example/orders/0101010101",
		ActionForm:         payment.ActionForm{ActionType: "HANDLE_BY_PSP"},
	}, nil
}
