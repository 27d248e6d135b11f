package main

import (
	"context"
	"log"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/alipayplustest"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
	"github.com/alipayplus-mpp/alipayplus-go/auth"
)

// The online shop of the phone's browser.
const store = "Gift Market"

var giftBox = jpy(2_800)

// call is Alipay+ calling the wallet. What is not answered is sent again, five
// times in all, as is what is answered U, unless that is the end of it.
func call[Req, Resp any](ctx context.Context, a *alipay, op *alipayplus.Inbound[Req, Resp], r *Req, result func(*Resp) alipayplus.Result) (*Resp, error) {
	for try := 1; ; try++ {
		answer, err := alipayplustest.Send(ctx, a.gateway, a.wallet, inboundPath+op.Name(), op, r)
		if err == nil && (result == nil || result(answer).Status != alipayplus.StatusUnknown) {
			return answer, nil
		}
		if try == 5 {
			if err == nil {
				err = result(answer)
			}
			return nil, err
		}
		if err := pause(ctx, time.Second); err != nil {
			return nil, err
		}
	}
}

// payRequest is what all requests of the online shop have in common.
func payRequest(o order, f payment.Factor, m payment.Method) (*payment.PayRequest, error) {
	sums, err := o.amounts()
	f.IsAgreementPayment = alipayplus.True
	return &payment.PayRequest{
		AcquirerID: "ACQUIRER01", PSPID: "WALLET01", PaymentRequestID: o.ID, Order: o.details(),
		PaymentAmount: sums.PaymentAmount, PayToAmount: sums.PayToAmount, PaymentQuote: sums.PaymentQuote,
		PaymentMethod: m, PaymentFactor: f,
		PaymentRedirectURL: alipayplus.Conceal(resultPage + o.ID),
	}, err
}

// easyPay is a check-out with the login id: evaluation, then creation. It returns
// the wallet's verification page.
func (a *alipay) easyPay(ctx context.Context, loginID string, remember bool) (o order, page alipayplus.Secret, err error) {
	if o, err = a.place(ctx, "easypay", store, giftBox, 0); err != nil {
		return o, page, err
	}
	method := payment.Method{PaymentMethodType: "CONNECT_WALLET", PaymentMethodMetaData: payment.MethodMetaData{
		UserLoginID: alipayplus.Conceal(loginID), UserLoginIDType: "MOBILE",
	}}
	evaluation, err := payRequest(o, payment.Factor{IsEasyPayScenario: alipayplus.True, IsPaymentEvaluation: alipayplus.True}, method)
	if err != nil {
		return o, page, err
	}
	result := func(r *payment.PayResponse) alipayplus.Result { return r.Result }
	answer, err := call(ctx, a, payment.Pay, evaluation, result)
	if err == nil && answer.Result.Status != alipayplus.StatusSucceeded {
		err = answer.Result
	}
	if err != nil {
		return o, page, err
	}
	creation, _ := payRequest(o, payment.Factor{IsEasyPayScenario: alipayplus.True}, method)
	creation.PaymentExpiryTime = alipayplus.TimeOf(o.Expires)
	if remember {
		creation.PaymentFactor.IsAuthorizationAndPay = alipayplus.True
		creation.AuthorizationInfo = agreementOf(o)
	}
	if answer, err = call(ctx, a, payment.Pay, creation, nil); err != nil {
		return o, page, err
	}
	if answer.Result.Code != alipayplus.CodePaymentInProcess {
		return o, page, answer.Result
	}
	return o, answer.PaymentURL, nil
}

// oneClick pays with the token of an agreement. No user is there. An error that
// is no refusal leaves it open whether the order is paid.
func (a *alipay) oneClick(ctx context.Context, token alipayplus.Secret) (order, error) {
	o, err := a.place(ctx, "easypay", store, giftBox, 0)
	if err != nil {
		return o, err
	}
	r, err := payRequest(o, payment.Factor{}, payment.Method{PaymentMethodType: "CONNECT_WALLET", PaymentMethodID: token})
	if err != nil {
		return o, err
	}
	r.PaymentExpiryTime = alipayplus.TimeOf(o.Expires)
	answer, err := call(ctx, a, payment.Pay, r, func(r *payment.PayResponse) alipayplus.Result { return r.Result })
	if err == nil && answer.Result.Status != alipayplus.StatusSucceeded {
		err = answer.Result
	}
	return o, err
}

// inquire asks how a payment is until it is final, as Alipay+ does every 10
// seconds; here a little faster.
func (a *alipay) inquire(ctx context.Context, id string) {
	for range 12 {
		answer, err := alipayplustest.Send(ctx, a.gateway, a.wallet, inboundPath+"inquiryPayment", payment.InquiryPayment,
			&payment.InquiryPaymentRequest{AcquirerID: "ACQUIRER01", PSPID: "WALLET01", PaymentRequestID: id})
		if err == nil && answer.PaymentResult.Status != alipayplus.StatusUnknown {
			return
		}
		if pause(ctx, 2*time.Second) != nil {
			return
		}
	}
}

// settle is for a payment that got no final answer: Alipay+ asks what became of
// it, takes it back if the wallet does not know, and tells the shop.
func (a *alipay) settle(ctx context.Context, o order) {
	for try := 1; ; try++ {
		answer, err := call(ctx, a, payment.InquiryPayment, &payment.InquiryPaymentRequest{AcquirerID: "ACQUIRER01", PSPID: "WALLET01", PaymentRequestID: o.ID}, nil)
		if err == nil && answer.PaymentResult.Status == alipayplus.StatusSucceeded {
			return // the wallet reports it
		}
		if err == nil && (answer.Result.Status == alipayplus.StatusFailed || answer.PaymentResult.Status == alipayplus.StatusFailed) || try == 12 {
			break
		}
		if pause(ctx, 2*time.Second) != nil {
			return
		}
	}
	if result, err := a.cancel(ctx, &payment.CancelPaymentRequest{AcquirerID: "ACQUIRER01", PSPID: "WALLET01", PaymentRequestID: o.ID}); err != nil {
		log.Printf("Alipay+: payment %s is not settled: %v", o.ID, err)
	} else if result.Status != alipayplus.StatusSucceeded {
		log.Printf("Alipay+: payment %s cannot be taken back: %v", o.ID, result)
	}
}

// cancel takes a payment back and tells the shop.
func (a *alipay) cancel(ctx context.Context, r *payment.CancelPaymentRequest) (alipayplus.Result, error) {
	answer, err := call(ctx, a, payment.CancelPayment, r, func(r *payment.CancelPaymentResponse) alipayplus.Result { return r.Result })
	if err != nil {
		return alipayplus.Result{}, err
	}
	if answer.Result.Status == alipayplus.StatusSucceeded {
		_, err = a.db.ExecContext(ctx, `UPDATE world_order SET cancelled = 1 WHERE payment_request_id = $1`, r.PaymentRequestID)
		a.changed.tell()
	}
	return answer.Result, err
}

// agreement is a token that the shop has.
func (a *alipay) agreement(ctx context.Context, customer string) (token alipayplus.Secret, ok bool, err error) {
	list, err := rows(ctx, a.db, scanText, `SELECT token FROM world_agreement WHERE shop = $1 AND customer_id = $2 AND alive = 1 ORDER BY agreement_id DESC`,
		order{Shop: store}.details().Merchant.ReferenceMerchantID, customer)
	if err != nil || len(list) == 0 {
		return token, false, err
	}
	return alipayplus.Conceal(list[0]), true, nil
}

// endAgreement is the user removing the wallet at the shop.
func (a *alipay) endAgreement(ctx context.Context, token alipayplus.Secret) error {
	answer, err := call(ctx, a, auth.CancelToken, &auth.CancelTokenRequest{AcquirerID: "ACQUIRER01", PSPID: "WALLET01", AccessToken: token},
		func(r *auth.CancelTokenResponse) alipayplus.Result { return r.Result })
	if err != nil {
		return err
	}
	if answer.Result.Status != alipayplus.StatusSucceeded {
		return answer.Result
	}
	_, err = a.db.ExecContext(ctx, `UPDATE world_agreement SET alive = 0 WHERE token = $1`, token.Reveal())
	return err
}
