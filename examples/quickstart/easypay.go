package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/alipayplustest"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
	"github.com/alipayplus-mpp/alipayplus-go/auth"
	"github.com/alipayplus-mpp/alipayplus-go/easypay"
)

const (
	payPath     = "/alipayplus/pay"
	loginID     = "852-90000000"
	verifyPage  = "https://wallet.example/verify/" // a sealed link is appended
	merchantID  = "MERCHANT01"
	agreementID = "AGREEMENT01"
)

// logins are the wallet's customers by login id.
var logins = map[string]string{loginID: customer, "852-90000815": "C-0815"}

// newEasyPay makes the wallet's side of Easy Pay.
func newEasyPay(payments *payment.Service, tokens easypay.Tokens, sealer *alipayplus.Sealer) (*easypay.Service, error) {
	return easypay.NewService(easypay.Config{
		Payments: payments, Tokens: tokens, Sealer: sealer, PageURL: verifyPage,
		Account: func(_ context.Context, a easypay.Account) (string, error) {
			id, known := logins[a.UserLoginID.Reveal()]
			if !known {
				return "", alipayplus.CodeUserNotExist
			}
			return id, nil
		},
	})
}

// enters is the user entering a PIN on the verification page.
func (w *world) enters(ctx context.Context, link alipayplus.Secret, pin string) (easypay.Page, error) {
	return w.wallet.easyPay.Verify(ctx, link, func(context.Context, payment.Record) (bool, error) { return pin == "1234", nil })
}

// easyPayRequest is a pay request that names the user by the login id.
func easyPayRequest(id string, factor payment.Factor) *payment.PayRequest {
	factor.IsAgreementPayment = alipayplus.True
	return &payment.PayRequest{
		AcquirerID: "ACQUIRER01", PSPID: "WALLET01", PaymentRequestID: id,
		Order: payment.Order{
			ReferenceOrderID: "ORDER02", OrderDescription: "GIFT",
			Merchant: payment.Merchant{ReferenceMerchantID: "SHOP02", MerchantMCC: "5411", MerchantName: "A shop"},
		},
		PaymentAmount: alipayplus.Amount{Currency: "KRW", Minor: 7000},
		PayToAmount:   alipayplus.Amount{Currency: "KRW", Minor: 7000},
		PaymentMethod: payment.Method{
			PaymentMethodType: "CONNECT_WALLET",
			PaymentMethodMetaData: payment.MethodMetaData{
				UserLoginID: alipayplus.Conceal(loginID), UserLoginIDType: "MOBILE",
			},
		},
		PaymentFactor:      factor,
		PaymentRedirectURL: alipayplus.Conceal("https://pay.example/result?session=n5x%2BaN%3D%3D%26%26SG&app=app"),
		PaymentExpiryTime:  alipayplus.TimeOf(time.Now().Add(10 * time.Minute)),
	}
}

func (w *world) sendPay(ctx context.Context, r *payment.PayRequest, want string) (*payment.PayResponse, error) {
	answer, err := alipayplustest.Send(ctx, w.alipay, w.server, payPath, payment.Pay, r)
	if err != nil {
		return nil, err
	}
	return answer, expect("the answer to pay", answer.Result.Error(), want)
}

// easyPay is Easy Pay with consent to one-click payments, and one of those.
func (w *world) easyPay(ctx context.Context) error {
	w.trace.title("Easy Pay: evaluate, create, verify, pay, and then with one click")
	const id = "PR-EASYPAY-1"
	alipayplustest.Answer(w.alipay, payment.NotifyPayment, // the order is not one of the shop's
		func(context.Context, *payment.NotifyPaymentRequest) (*payment.NotifyPaymentResponse, error) {
			return &payment.NotifyPaymentResponse{}, nil
		})
	before := w.wallet.balance()
	factor := payment.Factor{IsEasyPayScenario: alipayplus.True}

	w.trace.step("Steps 3-4", "Alipay+ evaluates the user's account: no money moves")
	evaluation := factor
	evaluation.IsPaymentEvaluation = alipayplus.True
	if _, err := w.sendPay(ctx, easyPayRequest("PR-EVALUATION-1", evaluation), "S SUCCESS"); err != nil {
		return err
	}

	w.trace.step("Steps 7-11", "Alipay+ asks for the order, with consent to one-click payments; the answer is U with the verification page")
	creation := factor
	creation.IsAuthorizationAndPay = alipayplus.True
	request := easyPayRequest(id, creation)
	request.AuthorizationInfo = payment.AuthorizationInfo{
		ReferenceAgreementID: agreementID, AuthClientID: merchantID, AuthState: alipayplus.Conceal("state-1"),
	}
	created, err := w.sendPay(ctx, request, "U PAYMENT_IN_PROCESS")
	if err != nil {
		return err
	}
	text, ours := strings.CutPrefix(created.PaymentURL.Reveal(), verifyPage)
	if err := errors.Join(expect("paymentUrl is the page", ours, true), expect("the balance", w.wallet.balance(), before)); err != nil {
		return err
	}
	link := alipayplus.Conceal(text)

	w.trace.step("Step 12", "The user enters a wrong PIN, then the right one")
	page, err := w.enters(ctx, link, "0000")
	if err != nil {
		return err
	}
	w.trace.say("wrong PIN: the payment is %s, %d tries are left", page.Record.State, page.TriesLeft)
	if err := w.inquire(ctx, id, alipayplus.CodePaymentInProcess); err != nil {
		return err
	}
	if page, err = w.enters(ctx, link, "1234"); err != nil {
		return err
	}
	record := page.Record
	w.trace.say("right PIN: the payment is %s, balance KRW %d -> %d", record.State, before, w.wallet.balance())

	w.trace.step("Steps 13-15", "The user returns with the verification's status; every other byte of the URL stays")
	w.trace.say("%s", page.Redirect.Reveal())

	w.trace.step("Steps 16-26", "Alipay+ inquires; the wallet notifies the result, and reports the token, which it issued in the transaction of the debit. The first report is lost")
	if err := w.inquire(ctx, id, alipayplus.CodeSuccess); err != nil {
		return err
	}
	w.alipay.Fail(auth.AuthNotify, alipayplustest.LoseAnswer())
	if err := w.wallet.deliver(ctx, w.client, 2); err != nil {
		return err
	}
	if err := expect("the tokens that Alipay+ knows", len(w.known), 1); err != nil {
		return err
	}
	return w.oneClick(ctx, before-7000)
}

// oneClick pays with the token, cancels it, and tries again.
func (w *world) oneClick(ctx context.Context, balance int64) error {
	token := w.known[0]
	w.trace.step("one-click", "The merchant pays with the token: no page, no PIN")
	request := easyPayRequest("PR-ONECLICK-1", payment.Factor{})
	request.PaymentMethod = payment.Method{PaymentMethodType: "CONNECT_WALLET", PaymentMethodID: token}
	for range 2 { // Alipay+ sends it twice, the money moves once
		if _, err := w.sendPay(ctx, request, "S SUCCESS"); err != nil {
			return err
		}
	}
	w.trace.say("balance KRW %d", w.wallet.balance())
	if err := expect("the balance", w.wallet.balance(), balance-7000); err != nil {
		return err
	}
	if err := w.wallet.deliver(ctx, w.client, 1); err != nil {
		return err
	}

	w.trace.step("cancelToken", "The user ends it at the merchant: the token is dead")
	answer, err := alipayplustest.Send(ctx, w.alipay, w.server, "/alipayplus/cancelToken", auth.CancelToken,
		&auth.CancelTokenRequest{AcquirerID: "ACQUIRER01", PSPID: "WALLET01", AccessToken: token})
	if err != nil {
		return err
	}
	if err := expect("the answer to cancelToken", answer.Result.Status, alipayplus.StatusSucceeded); err != nil {
		return err
	}
	request.PaymentRequestID = "PR-ONECLICK-2"
	_, err = w.sendPay(ctx, request, "F INVALID_TOKEN")
	return err
}

// mainland is the extra authorization for merchants in the Chinese mainland.
func (w *world) mainland(ctx context.Context) error {
	w.trace.title("Chinese mainland: authorization code, then applyToken")
	w.trace.step("Steps 18-21", "The client SDK asks the app for an authorization code (getAuthCode)")
	grant := auth.Grant{CustomerID: customer, AuthClientID: merchantID, Scopes: []string{"BASE_USER_INFO"}}
	code, err := w.wallet.tokens.IssueCode(ctx, grant, []string{"BASE_USER_INFO"})
	if err != nil {
		return err
	}
	w.trace.say("code %v: %d characters, 281 + routing number + 13 + random", code.Code, len(code.Code.Reveal()))

	w.trace.step("Steps 22-26", "The merchant has it; Alipay+ exchanges it for a token and the customer id, and repeats a lost call")
	request := &auth.ApplyTokenRequest{
		AcquirerID: "ACQUIRER01", PSPID: "WALLET01", AuthClientID: merchantID,
		GrantType: auth.GrantAuthorizationCode, AuthCode: code.Code,
	}
	var first alipayplus.Secret
	for i := range 2 {
		answer, err := alipayplustest.Send(ctx, w.alipay, w.server, "/alipayplus/applyToken", auth.ApplyToken, request)
		if err != nil {
			return err
		}
		if i == 0 {
			first = answer.AccessToken
		}
		if err := errors.Join(
			expect("the answer to applyToken", answer.Result.Error(), "S SUCCESS"),
			expect("customerId", answer.CustomerID, customer),
			expect("the token of the repetition", answer.AccessToken.Equal(first), true),
		); err != nil {
			return err
		}
	}

	w.trace.step("afterwards", "The same code in another request is refused: it can be used once")
	request.AcquirerID = "ACQUIRER02"
	answer, err := alipayplustest.Send(ctx, w.alipay, w.server, "/alipayplus/applyToken", auth.ApplyToken, request)
	if err != nil {
		return err
	}
	if answer.Result.Status != alipayplus.StatusFailed {
		return fmt.Errorf("a used code was redeemed again: %w", answer.Result)
	}
	return nil
}
