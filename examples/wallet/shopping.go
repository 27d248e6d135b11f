package main

import (
	"context"
	"errors"
	"log"
	"net/url"
	"strings"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/alipayplustest"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
	"github.com/alipayplus-mpp/alipayplus-go/auth"
	"github.com/alipayplus-mpp/alipayplus-go/easypay"
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
	answer, err := call(ctx, a, payment.CancelPayment, &payment.CancelPaymentRequest{AcquirerID: "ACQUIRER01", PSPID: "WALLET01", PaymentRequestID: o.ID},
		func(r *payment.CancelPaymentResponse) alipayplus.Result { return r.Result })
	if err == nil && answer.Result.Status == alipayplus.StatusSucceeded {
		err = a.tellShop(ctx, o.ID, alipayplus.CodeOrderIsClosed.Result())
	}
	if err != nil {
		log.Printf("Alipay+: payment %s is not settled: %v", o.ID, err)
	}
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

func (p *phone) openStore(context.Context, url.Values) error {
	p.Screen = "store"
	return nil
}

// refusal is the wallet's final answer that it does not pay.
func refusal(err error) (code alipayplus.ResultCode, ok bool) {
	var r alipayplus.Result
	if errors.As(err, &r) {
		return r.Code, r.Status == alipayplus.StatusFailed
	}
	return code, errors.As(err, &code)
}

// refusedHere shows why the shop could not sell.
func (p *phone) refusedHere(err error) error {
	code, ok := refusal(err)
	if !ok {
		return err
	}
	switch code {
	case alipayplus.CodeUserNotExist:
		p.Notice = "No Harbour wallet has this phone number. Nothing was charged."
	case alipayplus.CodeUserBalanceNotEnough:
		p.Notice = "Your wallet’s balance is not enough. Nothing was charged."
	case alipayplus.CodeInvalidToken, alipayplus.CodeExpiredAccessToken:
		p.Notice = "Your wallet does not know this shop any more. Let the shop forget it, and pay with your phone number."
	default:
		p.Notice = "Your wallet does not pay this. Nothing was charged."
	}
	return nil
}

// checkout is the user paying at the online shop with their phone number.
func (p *phone) checkout(ctx context.Context, form url.Values) error {
	o, page, err := p.alipay.easyPay(ctx, strings.TrimSpace(form.Get("login")), form.Get("remember") != "")
	if err != nil {
		return p.refusedHere(err)
	}
	_, link, ok := strings.Cut(page.Reveal(), verifyPath)
	if !ok {
		return errors.New("the answer to pay has no page of the wallet")
	}
	p.Order, p.link = o.ID, alipayplus.Conceal(link)
	p.Verify, err = p.wallet.openVerification(ctx, p.link)
	p.Screen = "verify"
	return err
}

func (p *phone) oneClick(ctx context.Context, _ url.Values) error {
	token, ok, err := p.alipay.agreement(ctx, p.User)
	if err != nil || !ok {
		return err
	}
	o, err := p.alipay.oneClick(ctx, token)
	if _, refused := refusal(err); refused || o.ID == "" {
		return p.refusedHere(err)
	}
	p.Order, p.Screen = o.ID, "shop" // where it is told what became of it
	if err != nil {
		log.Printf("phone: one click: %v", err)
		go p.alipay.settle(context.WithoutCancel(ctx), o)
	}
	return nil
}

func (p *phone) forget(ctx context.Context, _ url.Values) error {
	token, ok, err := p.alipay.agreement(ctx, p.User)
	if err != nil || !ok {
		return err
	}
	if err := p.alipay.endAgreement(ctx, token); err != nil {
		return err
	}
	p.Notice = store + " does not remember your wallet any more."
	return nil
}

func (p *phone) enterOTP(ctx context.Context, form url.Values) error {
	page, err := p.wallet.easyPay.Verify(ctx, p.link, p.wallet.compareOTP(strings.TrimSpace(form.Get("otp"))))
	return p.verified(ctx, page, err, "That was not the code.")
}

func (p *phone) resendOTP(ctx context.Context, _ url.Values) error {
	page, err := p.wallet.easyPay.Resend(ctx, p.link, p.wallet.sendOTP)
	return p.verified(ctx, page, err, "A new code is on its way.")
}

func (p *phone) giveUp(ctx context.Context, _ url.Values) error {
	page, err := p.wallet.easyPay.GiveUp(ctx, p.link)
	return p.verified(ctx, page, err, "")
}

// verified shows the verification page again, or the shop's page after it.
func (p *phone) verified(ctx context.Context, page easypay.Page, err error, notice string) error {
	if err != nil {
		return err
	}
	p.Verify = page
	if page.Redirect.IsZero() {
		p.Notice = notice
		return nil
	}
	p.Screen = "shop"
	go p.alipay.inquire(context.WithoutCancel(ctx), p.Order)
	return nil
}

func (p *phone) openShops(context.Context, url.Values) error {
	p.Screen = "shops"
	return nil
}

// connected are the agreements that the user made, as the wallet has them.
type connected struct{ ID, Client string }

func (w *wallet) connections(ctx context.Context, customer string) ([]connected, error) {
	return rows(ctx, w.db, func(r rowScanner) (c connected, err error) {
		err = r.Scan(&c.ID, &c.Client)
		c.Client = strings.ReplaceAll(strings.TrimPrefix(c.Client, "M-"), "-", " ")
		return c, err
	}, `SELECT id, auth_client_id FROM alipayplus_auth_token WHERE customer_id = $1 AND reference_agreement_id <> '' AND ended_at > $2 ORDER BY auth_client_id`,
		customer, time.Now().UnixMicro())
}

// unbind is the user ending an agreement in the wallet.
func (p *phone) unbind(ctx context.Context, form url.Values) error {
	list, err := p.wallet.connections(ctx, p.User)
	if err != nil {
		return err
	}
	for _, c := range list {
		if c.ID != form.Get("id") {
			continue
		}
		allowed, err := p.wallet.tokens.Unbind(ctx, p.wallet.client, c.ID, p.User)
		switch {
		case err != nil:
			log.Printf("phone: unbind: %v", err)
			p.Notice = "Not known yet whether that worked. Please try again."
		case allowed:
			p.Notice = c.Client + " cannot charge you any more."
		default:
			p.Notice = "Please end this at " + c.Client + "."
		}
	}
	return nil
}
