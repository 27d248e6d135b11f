package main

import (
	"context"
	"fmt"
	"log"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/easypay"
)

// phone is a user's phone: the wallet's app, the Alipay+ client SDK, and the
// browser with a shop. Each browser that opens the page is one phone.
type phone struct {
	mu     sync.Mutex
	wallet *wallet
	alipay *alipay
	app    app

	User   string
	Region string
	Turn   int    // grows with every action: a form of a screen that is over does nothing
	Screen string // the name of its template
	Text   string // of screens that only say something
	Notice string // above the screen, once

	code        string // that was scanned or intercepted
	intercepted bool
	launched    string // the entry code's page
	Step        step
	Entry       goods // of the amount page
	EntryIn     alipayplus.Currency
	consent     bool
	Waiting     bool // the end of a confirmation is not known

	link   alipayplus.Secret // to the verification page
	Verify easypay.Page
	Order  string // of the shop's page
}

// actions are what a user does with the phone. Every button of a screen names
// one.
var actions = map[string]func(*phone, context.Context, url.Values) error{
	"home":     (*phone).goHome,
	"user":     (*phone).signIn,
	"camera":   (*phone).openScanner,
	"scan":     (*phone).scan,
	"poll":     (*phone).poll,
	"amount":   (*phone).enterAmount,
	"agree":    (*phone).agree,
	"cashier":  (*phone).backToCashier,
	"pin":      (*phone).confirm,
	"back":     (*phone).backToShop,
	"shops":    (*phone).openShops,
	"unbind":   (*phone).unbind,
	"store":    (*phone).openStore,
	"checkout": (*phone).checkout,
	"oneclick": (*phone).oneClick,
	"forget":   (*phone).forget,
	"otp":      (*phone).enterOTP,
	"resend":   (*phone).resendOTP,
	"giveup":   (*phone).giveUp,
	"new":      (*phone).newOrder,
}

// do carries out an action. What fails is shown and changes nothing else. An
// action of a screen that is over is not carried out: a second window, where the
// user still sees another order, must not pay this one.
func (p *phone) do(ctx context.Context, action string, form url.Values) {
	p.mu.Lock()
	defer p.mu.Unlock()
	do, known := actions[action]
	if !known {
		return
	}
	if form.Get("turn") != strconv.Itoa(p.Turn) {
		if form.Get("alone") == "" { // a person did it
			p.Notice = "This phone went on meanwhile, perhaps in another window. This is what it shows now."
		}
		return
	}
	p.Turn++
	p.Notice = ""
	if err := do(p, ctx, form); err != nil {
		log.Printf("phone: %q: %v", action, err) //nolint:gosec // quoted
		p.Notice = "That did not work. Please try again."
	}
}

func (p *phone) goHome(context.Context, url.Values) error {
	p.Screen, p.Step, p.code, p.launched, p.Waiting = "home", step{}, "", "", false
	return nil
}

func (p *phone) signIn(ctx context.Context, form url.Values) error {
	if _, known := userOf(form.Get("user")); known {
		p.User = form.Get("user")
	}
	return p.goHome(ctx, nil)
}

func (p *phone) openScanner(_ context.Context, form url.Values) error {
	if region := form.Get("region"); region != "" {
		p.Region = region
	}
	p.Screen = "scan"
	return nil
}

// newOrder has the shop place another order for a sign.
func (p *phone) newOrder(ctx context.Context, form url.Values) error {
	g, ok := goodsOf(form.Get("goods"))
	if !ok {
		return nil
	}
	_, err := p.alipay.sign(ctx, g, true)
	return err
}

// scan is the camera seeing a code, of the sheet or pasted.
func (p *phone) scan(ctx context.Context, form url.Values) error {
	code := strings.TrimSpace(form.Get("code"))
	if g, ok := goodsOf(form.Get("goods")); ok {
		o, err := p.alipay.sign(ctx, g, g.life > 0)
		if err != nil {
			return err
		}
		code = o.Code
	}
	if code == "" {
		p.Notice = "Paste a code, or click one."
		return nil
	}
	p.code, p.intercepted = code, false
	return p.next(p.app.scan(ctx, p.User, code))
}

// next shows what a step says.
func (p *phone) next(s step, err error) error {
	if err != nil {
		return err
	}
	p.Waiting = false
	before := p.Step
	p.Step = s
	switch s.Step {
	case "cashier":
		p.Screen = "cashier"
	case "launch":
		return p.launch(s.RedirectURL)
	case "sdkAction": // handleAction, or onSuccess of the decode callback
		text, ok := p.alipay.page(s.Payload)
		if !ok {
			return fmt.Errorf("the client SDK got a payload that Alipay+ did not give")
		}
		p.Screen, p.Text = "sdkpage", text
	case "resultPage":
		p.Screen = "result"
		if s.Cashier != nil { // open: the cashier page again, with the reason
			p.Step = *s.Cashier
			p.Step.ResultCode, p.Step.Message = s.ResultCode, s.Message
			p.Screen = "pin"
		}
	case "pending":
		p.Screen = "waiting"
	case "unavailable":
		p.Screen, p.Step = "waiting", before
		p.Step.AskAgain = s.AskAgain
	default: // failed, local, rejected, unsupported
		p.Screen = s.Step
	}
	return nil
}

// launch is the client SDK opening an entry code's page.
func (p *phone) launch(redirectURL string) error {
	g, in, ok := entryGoods(redirectURL)
	if !ok {
		return fmt.Errorf("no shop is at the URL of an entry code")
	}
	p.launched, p.Entry, p.EntryIn, p.Screen = redirectURL, g, in, "amount"
	return nil
}

// enterAmount is the user entering the amount on the merchant's page: the shop
// places an order, and the client SDK intercepts its code.
func (p *phone) enterAmount(ctx context.Context, form url.Values) error {
	minor, ok := parseAmount(form.Get("amount"), p.EntryIn)
	if !ok {
		p.Notice = "Enter an amount of at most 1,000,000, such as 1200 or 1,200."
		if digits, _ := p.EntryIn.Exponent(); digits > 0 {
			p.Notice = "Enter an amount of at most 1,000,000, such as 85.50."
		}
		return nil
	}
	o, err := p.alipay.place(ctx, p.Entry.ID, p.Entry.Shop, amount(p.EntryIn, minor), 0)
	if err != nil {
		return err
	}
	p.code, p.intercepted = "281"+strings.TrimPrefix(o.Code, orderPrefix), true
	return p.next(p.app.decode(ctx, p.User, p.code))
}

// typedAmount is an amount as people write it in English. A comma stands before
// three digits only: 85,50 is not 8550.
var typedAmount = regexp.MustCompile(`^([0-9]{1,7}|[0-9]{1,3}(?:,[0-9]{3})+)(?:\.([0-9]*))?$`)

// parseAmount reads an amount in major units, of at most a million.
func parseAmount(text string, in alipayplus.Currency) (minor int64, ok bool) {
	digits, _ := in.Exponent()
	parts := typedAmount.FindStringSubmatch(strings.TrimSpace(text))
	if parts == nil || len(parts[2]) > digits {
		return 0, false
	}
	zeros := strings.Repeat("0", digits)
	minor, err := strconv.ParseInt(strings.ReplaceAll(parts[1], ",", "")+(parts[2] + zeros)[:digits], 10, 64)
	most, _ := strconv.ParseInt("1000000"+zeros, 10, 64)
	return minor, err == nil && 0 < minor && minor <= most
}

// poll asks again what was not known.
func (p *phone) poll(ctx context.Context, _ url.Values) error {
	switch {
	case p.Screen == "shop":
		return nil // the shop's page is rendered anew
	case p.Screen != "waiting" && p.Screen != "result":
		return nil
	case p.Waiting || p.Step.Step == "resultPage":
		before := p.Waiting
		err := p.next(p.app.payment(ctx, p.User, p.Step.PaymentRequestID))
		p.Waiting = before && p.Screen == "waiting"
		return err
	case p.intercepted:
		return p.next(p.app.decode(ctx, p.User, p.code))
	}
	return p.next(p.app.scan(ctx, p.User, p.code))
}

func (p *phone) agree(_ context.Context, form url.Values) error {
	p.consent = form.Get("consent") != ""
	p.Step.ResultCode, p.Step.Message.Text = "", ""
	p.Screen = "pin"
	return nil
}

func (p *phone) backToCashier(context.Context, url.Values) error {
	p.Screen = "cashier"
	return nil
}

// confirm is the user entering the PIN. Without an answer the user may have paid:
// the phone asks until it knows.
func (p *phone) confirm(ctx context.Context, form url.Values) error {
	s, err := p.app.confirm(ctx, p.User, p.Step, p.consent, form.Get("pin"))
	if err != nil {
		log.Printf("phone: confirm: %v", err)
		s = unknown
	}
	if s.Step == unknown.Step {
		p.Waiting, p.Screen, p.Step.AskAgain = true, "waiting", s.AskAgain
		return nil
	}
	return p.next(s, nil)
}

// backToShop opens the merchant's page in a WebView, or the home page.
func (p *phone) backToShop(ctx context.Context, _ url.Values) error {
	if id, ok := strings.CutPrefix(p.Step.Redirect.URL, resultPage); ok && p.Step.Redirect.To == "merchant" {
		p.Order, p.Screen = id, "shop"
		return nil
	}
	return p.goHome(ctx, nil)
}

// patience is how long an action may take; the slowest switch takes 6 seconds an
// attempt.
const patience = 35 * time.Second
