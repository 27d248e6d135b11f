package main

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/alipayplustest"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
	"github.com/alipayplus-mpp/alipayplus-go/auth"
	"github.com/alipayplus-mpp/alipayplus-go/codeid"
	"github.com/alipayplus-mpp/alipayplus-go/mpm"
)

// alipay plays Alipay+ and its shops. What it remembers is in the database, so
// that all instances of the wallet meet the same one.
type alipay struct {
	db      *database
	wire    *wire
	faults  *faults
	gateway *alipayplustest.Gateway
	wallet  http.Handler // where it calls the wallet
	changed notifier

	mu    sync.Mutex
	signs map[string]order  // what the sheet shows now, by goods
	pages map[string]string // payloads of the client SDK, with the page that each opens
}

func newAlipay(db *database, w *wire, f *faults) (*alipay, error) {
	a := &alipay{
		db: db, wire: w, faults: f, gateway: alipayplustest.New(complaints{}),
		signs: make(map[string]order), pages: make(map[string]string),
	}
	alipayplustest.Answer(a.gateway, codeid.InquiryCodeRules, func(context.Context, *codeid.InquiryCodeRulesRequest) (*codeid.InquiryCodeRulesResponse, error) {
		answer := new(codeid.InquiryCodeRulesResponse)
		return answer, json.Unmarshal([]byte(codeRules), answer)
	})
	alipayplustest.Answer(a.gateway, mpm.UserInitiatedPay, a.decode)
	alipayplustest.Answer(a.gateway, payment.NotifyPayment, a.notified)
	alipayplustest.Answer(a.gateway, auth.AuthNotify, a.authNotified)
	alipayplustest.Answer(a.gateway, auth.ConsultUnbinding, func(context.Context, *auth.ConsultUnbindingRequest) (*auth.ConsultUnbindingResponse, error) {
		return &auth.ConsultUnbindingResponse{AllowUnbinding: alipayplus.True}, nil
	})
	return a, w.knows(a.gateway.Credentials())
}

// complaints are what the gateway finds wrong with the wallet's messages.
type complaints struct{}

func (complaints) Helper()        {}
func (complaints) Cleanup(func()) {}
func (complaints) Errorf(format string, args ...any) {
	log.Printf("Alipay+ complains: "+format, args...)
}

// ServeHTTP is Alipay+ for the wallet, with the faults that are switched on.
func (a *alipay) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.faults.before(a.gateway).ServeHTTP(w, r)
}

// client is how the wallet reaches Alipay+ at url.
func (a *alipay) client(url string) alipayplus.ClientConfig {
	return alipayplus.ClientConfig{
		Credentials: a.gateway.Credentials(), BaseURL: url, Transport: a.wire.watch(true, &http.Transport{}),
	}
}

// reach is how Alipay+ reaches the wallet at url.
func (a *alipay) reach(url string) http.Handler {
	return alipayplustest.Remote(url, a.faults.between(a.wire.watch(false, &http.Transport{}), a.wire.add))
}

// sign is the order that the sheet shows for goods; it is placed when it is
// needed, or again if another one is wanted.
func (a *alipay) sign(ctx context.Context, g goods, another bool) (order, error) {
	if g.Price.IsZero() {
		return order{Code: g.fixed, Kind: g.ID, Shop: g.Shop}, nil
	}
	a.mu.Lock()
	o, ok := a.signs[g.ID]
	a.mu.Unlock()
	if ok && !another {
		return o, nil
	}
	o, err := a.place(ctx, g.ID, g.Shop, g.Price, g.life)
	if err != nil {
		return order{}, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.signs[g.ID] = o
	return o, nil
}

// place is a shop placing an order.
func (a *alipay) place(ctx context.Context, kind, shop string, price alipayplus.Amount, life time.Duration) (order, error) {
	if life == 0 {
		life = 10 * time.Minute
	}
	o := order{ID: newID(), Kind: kind, Shop: shop, Price: price, Expires: time.Now().Add(life)}
	o.Code = orderPrefix + "00004" + digits(18)
	if kind == "countryamount" {
		o.Code = nationalQR(fmt.Sprintf("%d.%02d", price.Minor/100, price.Minor%100))
	}
	_, err := a.db.ExecContext(ctx, `INSERT INTO world_order (payment_request_id, code, kind, shop, currency, minor_units, expires_ms) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		o.ID, o.Code, o.Kind, o.Shop, string(o.Price.Currency), o.Price.Minor, o.Expires.UnixMilli())
	return o, err
}

const orderColumns = `SELECT payment_request_id, code, kind, shop, currency, minor_units, expires_ms, result_code, result_status, cancelled FROM world_order`

func scanOrder(r rowScanner) (o order, err error) {
	var in, code, status string
	var expires, cancelled int64
	err = r.Scan(&o.ID, &o.Code, &o.Kind, &o.Shop, &in, &o.Price.Minor, &expires, &code, &status, &cancelled)
	o.Cancelled = cancelled != 0
	o.Price.Currency, o.Expires = alipayplus.Currency(in), time.UnixMilli(expires)
	o.Result = alipayplus.Result{Code: alipayplus.ResultCode(code), Status: alipayplus.ResultStatus(status)}
	return o, err
}

// order finds an order by its id.
func (a *alipay) order(ctx context.Context, id string) (order, bool, error) {
	o, err := scanOrder(a.db.QueryRowContext(ctx, orderColumns+` WHERE payment_request_id = $1`, id))
	if errors.Is(err, sql.ErrNoRows) {
		return order{}, false, nil
	}
	return o, err == nil, err
}

// decode answers userInitiatedPay. The client SDK takes an order's code out of
// its URL.
func (a *alipay) decode(ctx context.Context, r *mpm.UserInitiatedPayRequest) (*mpm.UserInitiatedPayResponse, error) {
	code := r.CodeValue.Reveal()
	o, err := scanOrder(a.db.QueryRowContext(ctx, orderColumns+` WHERE code = $1 OR code = $2`, code, strings.TrimSuffix(orderPrefix, "281")+code))
	if errors.Is(err, sql.ErrNoRows) {
		return nil, alipayplus.CodeInvalidCode
	}
	if err != nil {
		return nil, err
	}
	return o.answer(a.errorPage)
}

// errorPage makes the client SDK show a page with text.
func (a *alipay) errorPage(text string) payment.ActionForm {
	payload := fmt.Sprintf(`{"page":"%s","text":"\"限额\" <b> \\"}`, random(8)) // hard to pass on by accident
	a.mu.Lock()
	defer a.mu.Unlock()
	a.pages[payload] = text
	return payment.ActionForm{ActionType: "HANDLE_BY_SDK", SDKActionPayload: alipayplus.Conceal(payload)}
}

// page is what the client SDK shows for a payload.
func (a *alipay) page(payload string) (text string, ok bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	text, ok = a.pages[payload]
	return text, ok
}

// notified answers notifyPayment and tells the shop.
func (a *alipay) notified(ctx context.Context, r *payment.NotifyPaymentRequest) (*payment.NotifyPaymentResponse, error) {
	done, err := a.db.ExecContext(ctx, `UPDATE world_order SET result_code = $2, result_status = $3 WHERE payment_request_id = $1`,
		r.PaymentRequestID, string(r.PaymentResult.Code), string(r.PaymentResult.Status))
	if err != nil {
		return nil, err
	}
	if n, err := done.RowsAffected(); err != nil {
		return nil, err
	} else if n == 0 {
		return nil, alipayplus.CodeOrderNotExist
	}
	a.changed.tell()
	return &payment.NotifyPaymentResponse{}, nil
}

// authNotified answers authNotify: the shop may pay with a token, or not any more.
func (a *alipay) authNotified(ctx context.Context, r *auth.AuthNotifyRequest) (*auth.AuthNotifyResponse, error) {
	var err error
	switch n := r.Notification.(type) {
	case auth.TokenCreated:
		_, err = a.db.ExecContext(ctx, `INSERT INTO world_agreement (agreement_id, shop, customer_id, token, alive) VALUES ($1, $2, $3, $4, 1) ON CONFLICT DO NOTHING`,
			n.ReferenceAgreementID, n.AuthClientID, n.CustomerID, n.AccessToken.Reveal())
	case auth.TokenCanceled:
		_, err = a.db.ExecContext(ctx, `UPDATE world_agreement SET alive = 0 WHERE agreement_id = $1`, n.ReferenceAgreementID)
	}
	a.changed.tell()
	return &auth.AuthNotifyResponse{}, err
}

// newID makes an id of a payment.
func newID() string { return time.Now().UTC().Format("20060102150405") + digits(14) }

func digits(n int) string {
	raw := make([]byte, n)
	fillRandom(raw)
	var text strings.Builder
	for _, b := range raw {
		text.WriteString(strconv.Itoa(int(b) % 10))
	}
	return text.String()
}

func fillRandom(b []byte) { _, _ = rand.Read(b) } // never fails
