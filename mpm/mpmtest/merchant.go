package mpmtest

import (
	"context"
	"fmt"
	"sync"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/alipayplustest"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
	"github.com/alipayplus-mpp/alipayplus-go/mpm"
)

// Merchant plays a merchant and its acquirer (ACQP), and what Alipay+ knows of
// their orders. It scripts userInitiatedPay and notifyPayment of its Gateway,
// so that a Gateway has one Merchant. Set the fields before the first code is
// scanned. It is safe for concurrent use.
type Merchant struct {
	// Decoded is what Alipay+ answers when an order is decoded, like a function
	// of alipayplustest.Answer. nil means Order.Answer.
	Decoded func(Order) (*mpm.UserInitiatedPayResponse, error)
	// AcceptanceMarks are the logos that Alipay+ has configured, by region.
	AcceptanceMarks map[string][]string
	// AuthClientID makes it a merchant of the Chinese mainland, which asks for
	// the user's id before it shows its amount page.
	AuthClientID string
	// ApplyToken is Alipay+ exchanging an authorization code at the wallet:
	// send applyToken to the wallet's handler and return the customerId of its
	// answer. nil takes every code.
	ApplyToken func(ctx context.Context, authCode string) (customerID string, err error)
	// Journal is what all parties do.
	Journal Journal

	tb       alipayplustest.TB
	mu       sync.Mutex
	orders   []Order
	byCode   map[string]Order             // by code value
	told     map[string]alipayplus.Result // by paymentRequestId
	payloads map[string]string            // of the client SDK, with the page that each opens
}

// NewMerchant makes a Merchant at g that reports mistakes to tb.
func NewMerchant(tb alipayplustest.TB, g *alipayplustest.Gateway) *Merchant {
	m := &Merchant{
		AcceptanceMarks: map[string][]string{"JP": {"Alipay+", "Example Pay"}, "CN": {"Alipay"}},
		tb:              tb,
		byCode:          make(map[string]Order),
		told:            make(map[string]alipayplus.Result),
		payloads:        make(map[string]string),
	}
	alipayplustest.Answer(g, mpm.UserInitiatedPay, m.decode)
	alipayplustest.Answer(g, payment.NotifyPayment, m.notify)
	return m
}

// Where the parts of the played world are.
const (
	orderCodeURL     = "https://qr.example/"
	entryCodeURL     = "https://shop.example/entry/M0001"
	resultURL        = "https://shop.example/result/"
	authorizationURL = "https://auth.example/authorize?client=M0001&redirect=%2Fentry%2FM0001"
)

// CodeRules returns the body of an inquiryCodeRules answer by which the
// merchant's codes are identified, for codeid.ParseRuleset or a preset of an
// Identifier.
func (m *Merchant) CodeRules() []byte {
	return []byte(`{"result":{"resultCode":"SUCCESS","resultStatus":"S"},"version":"c_1_mpmtest","codeRules":[` +
		`{"codeMatchPattern":{"matchMethod":"PREFIX","prefix":"https://qr.example/281"},` +
		`"postCodeMatchAction":{"postCodeMatchActionType":"DECODE"}},` +
		`{"codeMatchPattern":{"matchMethod":"PREFIX","prefix":"https://shop.example/entry/"},` +
		`"postCodeMatchAction":{"postCodeMatchActionType":"OPEN_URL","urlConstructionMethod":"USE_DIRECTLY"}},` +
		`{"codeMatchPattern":{"matchMethod":"PREFIX","prefix":"http://shop.example/entry/"},` +
		`"postCodeMatchAction":{"postCodeMatchActionType":"OPEN_URL","urlConstructionMethod":"USE_DIRECTLY"}}]}`)
}

// OrderCode places an order over amount and returns the code that the merchant
// shows for it, as a scanner reads it.
func (m *Merchant) OrderCode(amount alipayplus.Amount) string { return m.place(amount, false) }

// EntryCode returns the code that is printed on the merchant's counter, as a
// scanner reads it. The merchant answers at the same URL with http, too.
func (m *Merchant) EntryCode() string { return entryCodeURL }

// Orders returns the orders so far.
func (m *Merchant) Orders() []Order {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]Order(nil), m.orders...)
}

// Told returns what Alipay+ told the merchant about a payment, and false as
// long as the wallet has not notified Alipay+.
func (m *Merchant) Told(paymentRequestID string) (alipayplus.Result, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	result, ok := m.told[paymentRequestID]
	return result, ok
}

// ErrorPage returns an actionForm that makes the client SDK show a page with
// text, for Merchant.Decoded: with status S, or with F to refuse an order.
// Quotes, markup and other scripts in its payload show a wallet that changes
// it.
func (m *Merchant) ErrorPage(text string) payment.ActionForm {
	m.mu.Lock()
	defer m.mu.Unlock()
	payload := fmt.Sprintf(`{"page":"%d","url":"https://error.example/?a=1&b=<2>","text":"\"限额\" \u00e9 \\ 😀"} `, len(m.payloads)+1)
	m.payloads[payload] = text
	return payment.ActionForm{ActionType: "HANDLE_BY_SDK", SDKActionPayload: alipayplus.Conceal(payload)}
}

// place makes an order and returns its code as a URL.
func (m *Merchant) place(amount alipayplus.Amount, entry bool) string {
	m.Journal.Note(fmt.Sprintf("merchant -> Alipay+: an order over %v", amount))
	m.mu.Lock()
	n := len(m.orders) + 1
	order := Order{
		PaymentRequestID: fmt.Sprintf("20250301190741010%08d", n),
		Amount:           amount,
		EntryCode:        entry,
		RedirectURL:      fmt.Sprintf("%s%d?status=a%%2Fb", resultURL, n),
	}
	m.orders = append(m.orders, order)
	code := fmt.Sprintf("28100004%018d", n)
	m.byCode[code] = order              // as the client SDK takes it out of the URL
	m.byCode[orderCodeURL+code] = order // as a scanner reads it
	m.mu.Unlock()
	m.Journal.Note("Alipay+ -> merchant: the order's code")
	return orderCodeURL + code
}

// decode answers userInitiatedPay, as Alipay+ does.
func (m *Merchant) decode(_ context.Context, r *mpm.UserInitiatedPayRequest) (*mpm.UserInitiatedPayResponse, error) {
	m.Journal.Note("backend -> Alipay+: userInitiatedPay")
	m.mu.Lock()
	order, ok := m.byCode[r.CodeValue.Reveal()]
	m.mu.Unlock()
	if !ok {
		m.Journal.Note("Alipay+ -> backend: INVALID_CODE")
		return nil, alipayplus.CodeInvalidCode
	}
	var answer *mpm.UserInitiatedPayResponse
	var err error
	if m.Decoded == nil {
		answer = order.Answer()
	} else {
		answer, err = m.Decoded(order)
	}
	switch {
	case err != nil || answer == nil:
		m.Journal.Note("Alipay+ -> backend: no order")
	case answer.ActionForm.ActionType == "":
		m.Journal.Note("Alipay+ -> backend: the order")
	default:
		m.Journal.Note("Alipay+ -> backend: the order, " + answer.ActionForm.ActionType)
	}
	return answer, err
}

// notify answers notifyPayment, as Alipay+ does.
func (m *Merchant) notify(_ context.Context, r *payment.NotifyPaymentRequest) (*payment.NotifyPaymentResponse, error) {
	m.Journal.Note("backend -> Alipay+: notifyPayment " + r.PaymentResult.Error())
	m.mu.Lock()
	known := false
	for _, order := range m.orders {
		known = known || order.PaymentRequestID == r.PaymentRequestID
	}
	if known {
		m.told[r.PaymentRequestID] = r.PaymentResult
	}
	m.mu.Unlock()
	if !known {
		m.tb.Errorf("mpmtest: a payment result for an order that does not exist")
		return nil, alipayplus.CodeOrderNotExist
	}
	m.Journal.Note("Alipay+ -> backend: S SUCCESS")
	m.Journal.Note("Alipay+ -> merchant: payment result " + r.PaymentResult.Error())
	return &payment.NotifyPaymentResponse{}, nil
}
