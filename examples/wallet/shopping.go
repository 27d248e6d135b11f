package main

import (
	"context"
	"errors"
	"log"
	"net/url"
	"strings"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/easypay"
)

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
