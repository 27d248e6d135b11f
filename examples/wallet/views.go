package main

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
	"github.com/alipayplus-mpp/alipayplus-go/easypay"
)

// acceptanceMarks are what the client SDK gives for a region.
var acceptanceMarks = map[string][]string{
	"JP": {"Alipay+", "Example Pay"}, "KR": {"Alipay+", "Seoul Pay"}, "CN": {"Alipay+"}, "TH": {"Alipay+", "Country QR"},
}

// shownSign is a code of the sheet.
type shownSign struct {
	goods
	Order order
	Used  bool // the order is over: another one can be placed
}

// codes are the signs of one group of the sheet.
func (p *page) codes(group string) ([]shownSign, error) {
	var all []shownSign
	for _, g := range sheet {
		if g.Group != group {
			continue
		}
		ctx := context.Background()
		o, err := p.alipay.sign(ctx, g, false)
		if err != nil {
			return nil, err
		}
		s := shownSign{goods: g, Order: o}
		if o.ID != "" {
			now, _, err := p.alipay.order(ctx, o.ID)
			if err != nil {
				return nil, err
			}
			s.Used = now.Result.Status != "" || now.Cancelled || group == "pay" && g.life == 0 && time.Now().After(o.Expires)
		}
		all = append(all, s)
	}
	return all, nil
}

func (p *page) history(customer string) ([]payment.Record, error) {
	return p.wallet.list(context.Background(), customer, 5)
}

func (p *page) balance(customer string) (alipayplus.Amount, error) {
	return p.wallet.db.balance(context.Background(), customer)
}

// otp is the text message on the phone.
func (p *page) otp(v easypay.Page) (string, error) {
	otp, _, err := p.wallet.otp(context.Background(), v.Record.PaymentRequestID)
	return otp, err
}

func (p *page) order(id string) (order, error) {
	o, _, err := p.alipay.order(context.Background(), id)
	return o, err
}

func (p *page) connections(customer string) ([]connected, error) {
	return p.wallet.connections(context.Background(), customer)
}

// remembered reports whether the online shop can pay with one click.
func (p *page) remembered(customer string) (bool, error) {
	_, ok, err := p.alipay.agreement(context.Background(), customer)
	return ok, err
}

// display is an amount as people write it.
func display(a alipayplus.Amount) string {
	digits, ok := a.Currency.Exponent()
	d, err := a.Decimal()
	if !ok || err != nil {
		return a.String()
	}
	return money{Display: string(a.Currency) + " " + d.StringFixed(int32(digits))}.Text() //nolint:gosec // at most 4 digits
}

var regions = map[string]string{"JP": "Japan", "KR": "Korea", "CN": "the Chinese mainland", "TH": "Thailand"}

func loginOf(id string) string {
	u, _ := userOf(id)
	return u.LoginID
}

// gift is what the online shop sells, and about what it costs in the wallet.
func gift() (g struct {
	Shop         string
	Price, About alipayplus.Amount
}, err error) {
	g.Shop, g.Price = store, giftBox
	sums, err := order{Price: giftBox}.amounts()
	g.About = sums.PayToAmount
	return g, err
}

// what says in a few words what an API is for.
func what(operation string) string {
	for _, a := range apis {
		if a.Name == operation {
			return a.What
		}
	}
	return map[string]string{"inquiryCodeRules": "ask which codes it takes", "cancelToken": "end one-click payments"}[operation] //nolint:gosec // names of APIs
}

// rateText is a rate for people: the price multiplies smallest units.
func rateText(r rate) (string, error) {
	from, to, _ := strings.Cut(r.Pair, "/")
	price, err := decimal.NewFromString(r.Price)
	a, known := alipayplus.Currency(from).Exponent()
	b, knownToo := alipayplus.Currency(to).Exponent()
	if err != nil || !known || !knownToo {
		return "", errors.New("no rate")
	}
	return "1 " + from + " = " + price.Shift(int32(a-b)).String() + " " + to, nil //nolint:gosec // exponents are small
}

func clock(t time.Time) string { return t.Local().Format("15:04:05") }

// words are a payment's state in the user's words.
func words(r payment.Record) string {
	back := int64(0)
	for _, c := range r.Credits {
		if c.Done {
			back += c.Amount.Minor
		}
	}
	switch r.State {
	case payment.StateOpen:
		return "Not paid yet"
	case payment.StateVerifying:
		return "Waiting for your code"
	case payment.StatePaying:
		return "In progress"
	case payment.StatePaid:
		if back > 0 {
			return display(alipayplus.Amount{Currency: r.Amounts.Debit().Currency, Minor: back}) + " came back"
		}
		return "Paid"
	case payment.StateFailed:
		return "Not paid"
	case payment.StateClosed:
		if back > 0 {
			return "Given back"
		}
	}
	return "Cancelled, nothing charged"
}

// verifyPage is the verification page for a browser that Alipay+ sent here; on
// the phone it is a screen.
func (p *page) verifyPage(w http.ResponseWriter, r *http.Request) {
	page, err := p.wallet.openVerification(r.Context(), alipayplus.Conceal(r.PathValue("link")))
	p.showVerification(w, r, page, "", err)
}

// verify is a form of that page. The link is what other sites do not know.
func (p *page) verify(w http.ResponseWriter, r *http.Request) {
	link := alipayplus.Conceal(r.PathValue("link"))
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), patience)
	defer cancel()
	var page easypay.Page
	var err error
	notice := ""
	switch r.PostFormValue("action") {
	case "resend":
		notice = "A new code is on its way."
		page, err = p.wallet.easyPay.Resend(ctx, link, p.wallet.sendOTP)
	case "giveup":
		page, err = p.wallet.easyPay.GiveUp(ctx, link)
	default:
		notice = "That was not the code."
		page, err = p.wallet.easyPay.Verify(ctx, link, p.wallet.compareOTP(strings.TrimSpace(r.PostFormValue("otp"))))
	}
	p.showVerification(w, r, page, notice, err)
}

func (p *page) showVerification(w http.ResponseWriter, r *http.Request, page easypay.Page, notice string, err error) {
	// A form's redirect leads to the shop.
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self' https:; base-uri 'none'; frame-ancestors 'none'")
	switch {
	case errors.Is(err, easypay.ErrLink):
		http.NotFound(w, r)
	case err != nil:
		http.Error(w, "Please try again.", http.StatusServiceUnavailable)
	case !page.Redirect.IsZero():
		http.Redirect(w, r, page.Redirect.Reveal(), http.StatusSeeOther)
	default:
		p.render(w, "verify.html", struct {
			easypay.Page
			Notice string
		}{page, notice})
	}
}
