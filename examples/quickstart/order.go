package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/alipayplustest"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
	"github.com/alipayplus-mpp/alipayplus-go/mpm"
)

const customer = "C-4711"

// orderCode is the workflow of making a payment with an order code, step by step
// as the wallet's backend sees it.
func (w *world) orderCode(ctx context.Context) error {
	w.trace.title("Order code: scan, decode, pay, report, return")
	code := alipayplus.Conceal(w.shop.OrderCode(alipayplus.Amount{Currency: "JPY", Minor: 100}))

	w.trace.step("Steps 5-8", "The user scans the merchant's code; filter and rules say: an order code of Alipay+")
	w.trace.step("Steps 9-11", "The wallet asks Alipay+ to decode it: first answer U, second lost after processing, third S")
	w.alipay.Fail(mpm.UserInitiatedPay,
		alipayplustest.Unknown(alipayplus.CodeUnknownException), alipayplustest.LoseAnswer())
	step, text, err := w.ask(ctx, "/scan", map[string]any{"code": code.Reveal()})
	if err != nil {
		return err
	}
	w.trace.step("Steps 12-13", "The app gets what the cashier page shows")
	w.trace.forApp(text)
	if step.Step != "cashier" {
		return fmt.Errorf("no cashier page but %s", step.Step)
	}
	id := step.PaymentRequestID
	if err := w.payAndReport(ctx, id, step.DebitAmount); err != nil {
		return err
	}
	if err := expect("how often Alipay+ decoded", w.ran(mpm.UserInitiatedPay, code.Digest()), 1); err != nil {
		return err
	}
	return w.afterwards(ctx, id)
}

// forApp is what this program reads of the JSON for the app.
type forApp struct {
	Step             string            `json:"step"`
	PaymentRequestID string            `json:"paymentRequestId"`
	DebitAmount      alipayplus.Amount `json:"debitAmount"`
	State            string            `json:"state"`
}

// ask is the wallet's app asking its backend, over HTTP.
func (w *world) ask(ctx context.Context, path string, question map[string]any) (answer forApp, text []byte, err error) {
	body, err := json.Marshal(question)
	if err != nil {
		return answer, nil, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, w.appURL+path, bytes.NewReader(body))
	if err != nil {
		return answer, nil, err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-Customer", customer)
	response, err := w.appTransport.RoundTrip(r)
	if err != nil {
		return answer, nil, err
	}
	defer func() { _ = response.Body.Close() }()
	if text, err = io.ReadAll(response.Body); err != nil {
		return answer, nil, err
	}
	if response.StatusCode != http.StatusOK {
		return answer, nil, fmt.Errorf("%s is answered HTTP %d: %s", path, response.StatusCode, text)
	}
	return answer, text, json.Unmarshal(text, &answer)
}

// payAndReport is what follows the cashier page.
func (w *world) payAndReport(ctx context.Context, id string, debit alipayplus.Amount) error {
	w.trace.step("Step 17", "The user confirms; debit, record and notification are one transaction of the wallet")
	before := w.wallet.balance()
	confirmation := map[string]any{"paymentRequestId": id, "amount": debit}
	page, text, err := w.ask(ctx, "/confirm", confirmation)
	if err != nil {
		return err
	}
	w.trace.say("payment %s is %s, balance KRW %d -> %d", id, page.State, before, w.wallet.balance())
	if _, _, err := w.ask(ctx, "/confirm", confirmation); err != nil {
		return err
	}
	w.trace.say("a second tap changes nothing: balance KRW %d", w.wallet.balance())

	w.trace.step("Steps 18-20", "The wallet notifies Alipay+; the first acknowledgement is lost")
	w.alipay.Fail(payment.NotifyPayment, alipayplustest.LoseAnswer())
	if err := w.wallet.deliver(ctx, w.client, 1); err != nil {
		return err
	}

	w.trace.step("Steps 21-24", "The app shows the result and returns the user to the merchant")
	w.trace.forApp(text)
	return errors.Join(
		expect("how often Alipay+ took the result", w.ran(payment.NotifyPayment, id), 1),
		expect("the balance", w.wallet.balance(), before-debit.Minor),
	)
}

// afterwards is what Alipay+ asks about a paid order.
func (w *world) afterwards(ctx context.Context, id string) error {
	before := w.wallet.balance()
	w.trace.step("Step 5", "Alipay+ inquires: the answer agrees with the notification")
	if err := w.inquire(ctx, id, alipayplus.CodeSuccess); err != nil {
		return err
	}

	w.trace.step("afterwards", "The merchant gives back a part; Alipay+ sends the refund twice, the money moves once")
	record, err := w.wallet.record(ctx, id)
	if err != nil {
		return err
	}
	refund := &payment.RefundRequest{
		AcquirerID: "ACQUIRER01", PSPID: "WALLET01",
		PaymentRequestID: id, PaymentID: record.PaymentID, RefundRequestID: "RR-0001",
		RefundAmount:     alipayplus.Amount{Currency: "JPY", Minor: 30},
		RefundFromAmount: alipayplus.Amount{Currency: "KRW", Minor: 300},
	}
	for range 2 {
		answer, err := alipayplustest.Send(ctx, w.alipay, w.server, "/alipayplus/refund", payment.Refund, refund)
		if err != nil {
			return err
		}
		if err := expect("the refund's status", answer.Result.Status, alipayplus.StatusSucceeded); err != nil {
			return err
		}
	}
	if err := expect("the balance", w.wallet.balance(), before+300); err != nil {
		return err
	}

	w.trace.step("afterwards", "The merchant cancels: the rest is given back")
	cancelled, err := alipayplustest.Send(ctx, w.alipay, w.server, "/alipayplus/cancelPayment", payment.CancelPayment,
		&payment.CancelPaymentRequest{AcquirerID: "ACQUIRER01", PSPID: "WALLET01", PaymentRequestID: id})
	if err != nil {
		return err
	}
	w.trace.say("balance KRW %d: money out is money back", w.wallet.balance())
	if err := errors.Join(
		expect("the cancellation's status", cancelled.Result.Status, alipayplus.StatusSucceeded),
		expect("the balance", w.wallet.balance(), before+1000),
	); err != nil {
		return err
	}
	return w.inquire(ctx, id, alipayplus.CodeOrderIsClosed)
}

func (w *world) inquire(ctx context.Context, id string, want alipayplus.ResultCode) error {
	answer, err := alipayplustest.Send(ctx, w.alipay, w.server, "/alipayplus/inquiryPayment", payment.InquiryPayment,
		&payment.InquiryPaymentRequest{AcquirerID: "ACQUIRER01", PSPID: "WALLET01", PaymentRequestID: id})
	if err != nil {
		return err
	}
	return expect("paymentResult", answer.PaymentResult.Code, want)
}
