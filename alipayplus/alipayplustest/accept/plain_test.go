package accept_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// plain is one process of the wallet.
type plain struct {
	broken     string // what it does wrong, "" if nothing
	db         *plainDB
	clientID   string
	gateway    string
	client     http.RoundTripper
	keys       map[string]*rsa.PrivateKey
	alipayKeys map[string]*rsa.PublicKey
	routing    string
	tokens     string // how they begin
	timeForm   string // of Request-Time and Response-Time
	ctx        context.Context
	stop       context.CancelFunc
	idem       map[string]*answered // in the process: an animal of the zoo forgets it
}

func (w *plain) is(broken string) bool { return w.broken == broken }

// plainDB survives a restart. One transaction at a time: mu.
type plainDB struct {
	mu         sync.Mutex
	version    string // of the wallet's key
	pins       map[string]string
	logins     map[string]string
	balances   map[string]int64
	payments   map[string]*plainPayment
	codes      map[string]string // paymentRequestId by code
	links      map[string]string
	refunds    map[string]*answered
	pays       map[string]*answered
	outbox     []*plainMessage
	tokens     map[string]*plainToken
	agreements map[string]*plainToken
	authCodes  map[string]*plainCode
	refreshes  map[string]*plainCode
	signed     map[string]http.Header
	lose       map[string]bool // whose next debit gets no answer, and whether it lands
}

// answered is an answer by its idempotency key.
type answered struct {
	fingerprint string
	answer      members
}

type plainPayment struct {
	id, paymentID, customer, code string
	state                         string // open, verifying, paying, paid, failed, closed
	result                        string // of failed and closed, and of the last refusal of open
	paymentAmount, payTo, debit   money
	expiry, paidAt                time.Time
	notifyURL, redirect           string
	intercepted                   bool
	link                          string
	tries                         int
	verified                      bool
	refunded, credited            int64
	agreement, authClient         string
	consent                       bool
	landed                        bool      // what the ledger knows of a debit that was not answered
	askAt                         time.Time // when the ledger is asked for it
}

type plainMessage struct {
	api, key, url string
	body          []byte
	due           time.Time
	tries         int
	busy, done    bool
}

type plainToken struct {
	access, refresh, customer, client, agreement string
	pays, dead                                   bool
}

type plainCode struct {
	token   *plainToken
	request string
	answer  members
	at      time.Time
	used    bool
}

func newPlainDB() *plainDB {
	return &plainDB{
		version: "1", pins: map[string]string{}, logins: map[string]string{}, balances: map[string]int64{},
		payments: map[string]*plainPayment{}, codes: map[string]string{}, links: map[string]string{},
		refunds: map[string]*answered{}, pays: map[string]*answered{}, tokens: map[string]*plainToken{}, agreements: map[string]*plainToken{},
		authCodes: map[string]*plainCode{}, refreshes: map[string]*plainCode{}, lose: map[string]bool{}, signed: map[string]http.Header{},
	}
}

// start starts a process on the database.
func (w *plain) start(ctx context.Context) {
	w.ctx, w.stop = context.WithCancel(ctx)
	w.idem = map[string]*answered{}
	own := w.ctx
	w.db.mu.Lock()
	for _, m := range w.db.outbox {
		m.busy = false
	}
	if w.is("loses the outbox at a restart") {
		w.db.outbox = nil
	}
	if w.is("forgets tombstones at a restart") {
		for id, p := range w.db.payments {
			if p.customer == "" {
				delete(w.db.payments, id)
			}
		}
	}
	if w.is("forgets payments with tokens at a restart") {
		w.db.pays = map[string]*answered{}
	}
	if w.is("forgets authorization codes at a restart") {
		w.db.authCodes = map[string]*plainCode{}
	}
	for _, c := range w.db.authCodes {
		c.used = c.used && !w.is("forgets at a restart that a code was used")
	}
	for _, t := range w.db.tokens {
		t.dead = t.dead && !w.is("revives tokens at a restart")
	}
	for _, p := range w.db.payments {
		if (p.state == "open" || p.state == "verifying") && w.is("expires only what this process opened") {
			p.expiry = time.Now().AddDate(100, 0, 0)
		}
		if p.state == "paying" && w.is("takes back unknown debits at a restart") {
			p.state = "open"
		}
	}
	w.db.mu.Unlock()
	go func() {
		for own.Err() == nil {
			w.work(own)
			select {
			case <-own.Done():
			case <-time.After(w.pace()):
			}
		}
	}()
}

// pace returns how long the worker rests: longer when nothing is under way.
func (w *plain) pace() time.Duration {
	w.db.mu.Lock()
	defer w.db.mu.Unlock()
	if slices.ContainsFunc(w.db.outbox, func(m *plainMessage) bool { return !m.done }) {
		return 50 * time.Millisecond
	}
	return 500 * time.Millisecond
}

// work expires payments, asks for debits that were not answered, and delivers
// messages.
func (w *plain) work(ctx context.Context) {
	w.db.mu.Lock()
	defer w.db.mu.Unlock()
	now := time.Now()
	for _, p := range w.db.payments {
		if !w.is("never expires") {
			w.expire(p, now)
		}
		if p.state == "paying" && now.After(p.askAt) && !w.is("never asks for an unknown debit") {
			w.resolve(p)
		}
	}
	for _, m := range w.db.outbox {
		if m.done || m.busy || m.due.After(now) {
			continue
		}
		m.busy = true
		go w.deliver(ctx, m)
	}
}

func (w *plain) expire(p *plainPayment, now time.Time) {
	waits := p.state == "open" || p.state == "verifying" || p.state == "paid" && w.is("closes what was paid when it expires") ||
		p.state == "paying" && w.is("closes an unknown debit when it expires")
	if waits && now.After(p.expiry) {
		w.fail(p, "closed", "ORDER_IS_CLOSED")
	}
}

// deliver sends a message once.
func (w *plain) deliver(ctx context.Context, m *plainMessage) {
	body := m.body
	if m.tries > 0 && w.is("makes a new body for a retry") {
		body = bytes.Replace(body, []byte(`"paymentTime":"20`), []byte(`"paymentTime":"21`), 1)
	}
	if m.tries > 0 && w.is("reports a new token for a retry") {
		body = bytes.Replace(body, []byte(`"accessToken":"`), []byte(`"accessToken":"N`), 1)
	}
	status, _ := w.call(ctx, m.url, body, 5*time.Second)
	w.db.mu.Lock()
	defer w.db.mu.Unlock()
	if ctx.Err() != nil {
		return // the process is gone; the next one sends again
	}
	m.busy = false
	m.tries++
	m.due = time.Now().Add(time.Second << min(m.tries, 4))
	m.done = m.done || status != "" || w.is("notifies once") || status == "" && m.tries > 2 && w.is("gives up after three attempts")
	if status == "F" && w.is("takes the payment back when the acknowledgement is F") {
		if p := w.db.payments[m.key]; p != nil {
			w.reverse(p)
		}
	}
}

func (w *plain) put(m *plainMessage) {
	m.due = time.Now()
	w.db.outbox = append(w.db.outbox, m)
}

// outTime is the form of times in bodies.
func (w *plain) outTime() string {
	if w.is("writes times without their zone") {
		return time.DateTime
	}
	return time.RFC3339
}

// notify puts the result of a payment into the outbox.
func (w *plain) notify(p *plainPayment) {
	body := members{"paymentRequestId": p.id, "paymentResult": members{"resultStatus": "F", "resultCode": p.result}}
	if p.state == "paid" {
		body = members{
			"paymentRequestId": p.id, "paymentId": p.paymentID, "paymentTime": p.paidAt.Format(w.outTime()),
			"paymentResult": members{"resultStatus": "S", "resultCode": "SUCCESS"},
			"paymentAmount": p.paymentAmount.json(), "payToAmount": p.payTo.json(), "customerId": p.customer,
		}
		if w.is("notifies without paymentTime") {
			delete(body, "paymentTime")
		}
		if w.is("notifies the debit as payToAmount") {
			body["payToAmount"] = p.debit.json()
		}
	}
	if w.is("notifies S with a code of its own") && p.state == "paid" {
		body["paymentResult"] = members{"resultStatus": "S", "resultCode": "PROCESS_FAIL"}
	}
	address := w.gateway + "/aps/api/v1/payments/notifyPayment"
	if p.notifyURL != "" && !w.is("ignores paymentNotifyUrl") {
		address = p.notifyURL
	}
	w.put(&plainMessage{api: "notifyPayment", key: p.id, url: address, body: marshal(body)})
}

func (w *plain) fail(p *plainPayment, state, code string) {
	p.state, p.result = state, code
	w.notify(p)
}

// debit pays p, or says why not.
func (w *plain) debit(p *plainPayment) (refusal string) {
	if w.is("pays payToAmount where there is a surcharge") {
		p.debit = p.payTo
	}
	if w.is("computes with floats") {
		p.debit.minor = int64(float64(p.debit.minor) / 100 * 100)
	}
	if w.db.balances[p.customer] < p.debit.minor && !w.is("looks at no balance") {
		return "USER_BALANCE_NOT_ENOUGH"
	}
	foreign := p.debit.currency != "HKD"
	switch {
	case p.link != "":
		foreign = foreign && !w.is("takes numbers for a verification without their currency")
	case p.code != "":
		foreign = foreign && !w.is("takes numbers for a code without their currency")
	default:
		foreign = foreign && !w.is("takes numbers for a token without their currency")
	}
	if foreign {
		return "USER_BALANCE_NOT_ENOUGH" // of that money there is none
	}
	if w.is("looks at the balance, then debits") {
		w.pause()
	}
	p.paidAt = time.Now()
	if w.is("notifies before it commits") {
		p.state = "paid"
		w.notify(p)
		p.state = "open"
		for range 150 { // longer than the worker rests
			w.pause()
		}
	}
	landed, lost := w.db.lose[p.customer]
	delete(w.db.lose, p.customer)
	if !lost || landed {
		w.db.balances[p.customer] -= p.debit.minor
	}
	if lost {
		p.state, p.result, p.landed, p.askAt = "paying", "", landed, time.Now().Add(6*time.Second)
		if w.is("says F after an unknown debit") {
			w.fail(p, "failed", "PROCESS_FAIL")
		}
		return ""
	}
	w.debited(p)
	return ""
}

// debited does what follows from a debit.
func (w *plain) debited(p *plainPayment) {
	p.state, p.result = "paid", ""
	if !w.is("notifies before it commits") {
		w.notify(p)
	}
	if p.agreement != "" && p.consent && (w.db.agreements[p.agreement] == nil || w.is("issues a token at every consent")) {
		w.issue(p)
	}
}

// resolve asks the ledger for a debit that was not answered: with the same key,
// so that it makes the debit if it did not arrive.
func (w *plain) resolve(p *plainPayment) {
	if !p.landed || w.is("debits again after an unknown debit") {
		w.db.balances[p.customer] -= p.debit.minor
	}
	p.consent = p.consent && !w.is("issues no token after an unknown debit")
	w.debited(p)
}

// pause lets others in, as a wallet without a transaction does.
func (w *plain) pause() {
	w.db.mu.Unlock()
	time.Sleep(5 * time.Millisecond)
	w.db.mu.Lock()
}

// reverse gives back what was not refunded yet.
func (w *plain) reverse(p *plainPayment) {
	rest := p.debit.minor - p.credited
	if w.is("gives the whole back after a part") {
		rest = p.debit.minor
	}
	if w.is("forgets refunds at a cancellation") {
		w.db.refunds = map[string]*answered{}
	}
	w.db.balances[p.customer] += rest
	p.credited = p.debit.minor
	p.state, p.result = "closed", "ORDER_IS_CLOSED"
	for _, m := range w.db.outbox {
		if m.key == p.id && !w.is("sends S after a cancellation") {
			m.done = true
		}
	}
}

func (w *plain) issue(p *plainPayment) {
	t := &plainToken{access: w.tokens + random(30), refresh: w.tokens + random(30), customer: p.customer, client: p.authClient, agreement: p.agreement, pays: true}
	w.db.tokens[t.access], w.db.agreements[p.agreement] = t, t
	w.put(&plainMessage{api: "authNotify", key: t.access, url: w.gateway + "/aps/api/v1/authorizations/authNotify", body: marshal(members{
		"authorizationNotifyType": "TOKEN_CREATED", "authClientId": t.client, "referenceAgreementId": t.agreement,
		"accessToken": t.access, "accessTokenExpiryTime": time.Now().AddDate(1, 0, 0).Format(time.RFC3339), "customerId": w.named(t.customer),
	})})
}

// named is how a customer is called in a report of a token.
func (w *plain) named(customer string) string {
	if w.is("reports a token of another customer") {
		return "bob"
	}
	return customer
}

func random(n int) string {
	data := make([]byte, n)
	_, _ = rand.Read(data)
	text := strings.Map(func(r rune) rune {
		if r == '-' || r == '_' {
			return 'x'
		}
		return r
	}, base64.RawURLEncoding.EncodeToString(data))
	return text[:n]
}

// Scan and decode.

const plainOrderCode, plainEntryCode = "https://qr.accept.example/281", "://shop.accept.example/entry/"

func (w *plain) look(ctx context.Context, customer, code string, intercepted bool) members {
	call := func(name string, step members) members {
		if intercepted {
			step["call"] = name
		}
		return step
	}
	failed := func(code string) members {
		return call("onFailure", members{"step": "failed", "resultCode": code, "message": members{"key": "k", "text": "No.", "support": false}})
	}
	switch {
	case !intercepted && (strings.HasPrefix(code, "https"+plainEntryCode) || strings.HasPrefix(code, "http"+plainEntryCode) && !w.is("launches https alone")):
		return members{"step": "launch", "redirectUrl": code, "userAgent": "AlipayConnect"}
	case !strings.HasPrefix(code, plainOrderCode) && !w.is("decodes every code"):
		return members{"step": "unsupported"}
	case len(code) > 512 && !w.is("sends codes of any length"):
		return failed("INVALID_CODE")
	}
	body := marshal(members{"codeValue": code, "customerId": customer})
	var status string
	var answer members
	for range 3 {
		if status, answer = w.call(ctx, w.gateway+"/aps/api/v1/payments/userInitiatedPay", body, 8*time.Second); status != "" {
			break
		}
		if w.is("shows a failure for a lost answer") {
			return failed("PROCESS_FAIL")
		}
		time.Sleep(200 * time.Millisecond)
	}
	if status == "" {
		return members{"step": "pending", "reason": "no answer", "askAgainAfterMs": 500}
	}
	action := str(answer, "actionForm", "actionType")
	obeys := action != "" && action != "HANDLE_BY_PSP" && !(status == "F" && w.is("ignores actionForm on F")) && !(status == "S" && w.is("ignores actionForm on S"))
	if payload := str(answer, "actionForm", "sdkActionPayload"); obeys && payload != "" {
		if w.is("rewrites sdkActionPayload") {
			payload = strings.ReplaceAll(payload, " ", "")
		}
		if w.is("stores a payment where the client SDK acts") {
			w.db.mu.Lock()
			w.open(customer, code, answer)
			w.db.mu.Unlock()
		}
		name := "handleAction"
		if intercepted {
			name = "onSuccess"
		}
		return members{"step": "sdkAction", "actionType": action, "sdkActionPayload": payload, "call": name}
	}
	if status == "F" {
		return failed(str(answer, "result", "resultCode"))
	}
	w.db.mu.Lock()
	defer w.db.mu.Unlock()
	p := w.open(customer, code, answer)
	switch {
	case p == nil:
		return failed("PROCESS_FAIL")
	case p.customer != customer && !w.is("opens whatever payment a decoding names"),
		p.code != code && p.customer != "" && !w.is("opens a payment by the code of another") && !w.is("opens whatever payment a decoding names"):
		return failed("ORDER_IS_CLOSED")
	case p.state == "open":
		p.intercepted = intercepted
		return members{
			"step": "cashier", "paymentRequestId": p.id, "merchantName": str(answer, "order", "merchant", "merchantName"),
			"paymentAmount": p.paymentAmount.json(), "payToAmount": p.payTo.json(), "debitAmount": p.debit.json(),
		}
	}
	return w.resultPage(p)
}

// open stores what was decoded, and returns the payment.
func (w *plain) open(customer, code string, answer members) *plainPayment {
	id := str(answer, "paymentRequestId")
	if p := w.db.payments[id]; p != nil {
		return p
	}
	p := &plainPayment{id: id, paymentID: "P" + random(20), customer: customer, code: code, state: "open", redirect: str(answer, "paymentRedirectUrl")}
	if w.is("makes a paymentId of eighty characters") {
		p.paymentID = random(80)
	}
	var ok, ok2 bool
	p.paymentAmount, ok = amountAt(answer, "paymentAmount")
	p.payTo, ok2 = amountAt(answer, "payToAmount")
	if w.is("takes orderAmount for paymentAmount") {
		p.paymentAmount, ok = amountAt(answer, "order", "orderAmount")
	}
	if !ok2 && w.is("pays paymentAmount where payToAmount is missing") {
		p.payTo, ok2 = p.paymentAmount, true
	}
	p.debit = p.payTo
	odd := false
	if surcharge, ok := amountAt(answer, "surchargeInfo", "surchargeAmount"); ok {
		odd = surcharge.minor == 0 && p.payTo.minor != 0 && !w.is("debits nothing where the surcharge is zero") ||
			surcharge.currency != p.payTo.currency && !w.is("debits a surcharge in any currency")
		p.debit = surcharge
	}
	expiry, err := time.Parse(time.RFC3339, str(answer, "paymentExpiryTime"))
	if err != nil {
		expiry = time.Now().Add(10 * time.Minute)
	}
	p.expiry, p.notifyURL = expiry, str(answer, "paymentNotifyUrl")
	usable := p.notifyURL == "" || strings.HasPrefix(p.notifyURL, w.gateway+"/") || w.is("notifies any host")
	evaluation := str(answer, "paymentFactor", "isPaymentEvaluation") == "true"
	if !ok || !ok2 || odd || id == "" || !usable || evaluation && !w.is("takes an evaluation for an order") || expiry.Before(time.Now()) && !w.is("debits expired orders") {
		return nil
	}
	p.agreement, p.authClient = str(answer, "authorizationInfo", "referenceAgreementId"), str(answer, "authorizationInfo", "authClientId")
	w.db.payments[id] = p
	return p
}

func (w *plain) confirm(customer string, r members) (int, members) {
	w.db.mu.Lock()
	defer w.db.mu.Unlock()
	p := w.db.payments[str(r, "paymentRequestId")]
	if p == nil || p.link != "" || p.customer != customer && !w.is("lets anybody confirm") {
		return http.StatusNotFound, members{"error": "not_found", "message": "no such payment"}
	}
	if !w.is("debits expired orders") {
		w.expire(p, time.Now())
	}
	if p.state != "open" && !(p.state == "paid" && w.is("debits at a second tap")) && !(p.state == "paying" && w.is("debits at a tap while the debit is unknown")) && !(p.state == "closed" && w.is("debits after a cancellation")) {
		return http.StatusOK, w.resultPage(p)
	}
	if shown, ok := amountAt(r, "amount"); (!ok || shown != p.debit) && !w.is("takes any amount") {
		return http.StatusConflict, members{"error": "amount_changed", "message": "another amount"}
	}
	if !w.pinOf(customer, str(r, "proof")) && !w.is("looks at no PIN") {
		p.result = "USER_PAYMENT_VERIFICATION_FAILED"
		if w.is("notifies F while the user may try again") {
			w.notify(p)
		}
		return http.StatusOK, w.resultPage(p)
	}
	p.consent = str(r, "consent") == "true" || w.is("takes silence for consent")
	if w.is("debits every tap at once") {
		w.pause()
	}
	if refusal := w.debit(p); refusal != "" {
		p.result = refusal
	}
	return http.StatusOK, w.resultPage(p)
}

func (w *plain) resultPage(p *plainPayment) members {
	page := members{"step": "resultPage", "paymentRequestId": p.id, "state": p.state, "debitAmount": p.debit.json()}
	if p.state == "paying" {
		page["state"] = "processing"
		if w.is("shows a failure while the debit is unknown") {
			page["state"] = "failed"
		}
	}
	if p.result != "" {
		page["resultCode"] = p.result
		page["message"] = members{"key": "k", "text": "No.", "support": false}
	}
	if p.state == "open" || p.state == "verifying" || p.state == "paying" {
		return page
	}
	page["redirect"] = members{"to": "home"}
	if p.redirect != "" {
		page["redirect"] = members{"to": "merchant", "url": p.redirect, "afterSeconds": 6}
		if w.is("redirects to a page of its own") {
			page["redirect"] = members{"to": "merchant", "url": "https://ads.example/?to=" + p.redirect}
		}
	}
	if p.intercepted {
		page["call"] = map[bool]string{true: "onSuccess", false: "onFailure"}[p.state == "paid" || w.is("runs onSuccess whatever the end is")]
		if w.is("forgets the callback") {
			delete(page, "call")
		}
	}
	return page
}

func (w *plain) pinOf(customer, pin string) bool {
	for other, right := range w.db.pins {
		if pin == right && (other == customer || w.is("takes anybody's PIN")) {
			return true
		}
	}
	return false
}

// Verification page.

func (w *plain) page(call, link, pin string) (int, members) {
	w.db.mu.Lock()
	defer w.db.mu.Unlock()
	text, ours := strings.CutPrefix(link, plainPage)
	p := w.db.payments[w.db.links[text]]
	if p == nil || !ours {
		return http.StatusNotFound, members{"error": "not_found"}
	}
	w.expire(p, time.Now())
	if (p.state == "verifying" || p.state == "paid" && w.is("lets a user give up what is paid")) && call == "giveUp" {
		w.fail(p, "failed", "USER_PAYMENT_VERIFICATION_FAILED")
	}
	if call == "resend" && w.is("forgets the tries when a code is sent") || call == "open" && w.is("forgets the tries when the page is opened") {
		p.tries = 0
	}
	if (p.state == "verifying" || p.state == "closed" && w.is("debits after a cancellation")) && call == "pin" {
		if before := p.tries; w.is("counts a try after it compared") {
			w.pause()
			p.tries = before
		}
		if !w.is("counts no tries") {
			p.tries++
		}
		switch {
		case w.pinOf(p.customer, pin):
			if w.is("looks at the page, then debits") {
				w.pause()
			}
			p.verified = true
			for _, other := range w.db.payments {
				if other != p && other.customer == p.customer && other.state == "verifying" && w.is("pays all that waits for a PIN") {
					other.verified = true
					w.debit(other)
				}
			}
			if refusal := w.debit(p); refusal != "" {
				w.fail(p, "failed", refusal)
			}
		case p.tries >= 3:
			w.fail(p, "failed", "USER_PAYMENT_VERIFICATION_FAILED")
		}
	}
	page := members{"triesLeft": 3 - p.tries}
	if p.state != "verifying" {
		page["redirectUrl"] = w.redirect(p)
	}
	return http.StatusOK, page
}

func (w *plain) redirect(p *plainPayment) string {
	status := map[bool]string{true: "success", false: "fail"}[p.verified]
	if w.is("parses and re-encodes the redirect URL") {
		return strings.ReplaceAll(p.redirect, "%3D", "=") + "&status=" + status
	}
	return p.redirect + "&status=" + status
}

const plainPage = "https://wallet.accept.example/verify/"

var plainScopes = []string{"BASE_USER_INFO"}

// authCode makes an authorization code.
func (w *plain) authCode(customer string, r members) members {
	w.db.mu.Lock()
	defer w.db.mu.Unlock()
	code := "281" + w.routing + "13" + random(24)
	if w.is("makes codes of another form") {
		code = random(32)
	}
	w.db.authCodes[code] = &plainCode{token: &plainToken{customer: customer, client: str(r, "authClientId")}, at: time.Now()}
	return members{"authCode": code, "authSuccessScopes": slices.Clone(plainScopes)}
}

// unbind ends an agreement, if Alipay+ allows it.
func (w *plain) unbind(ctx context.Context, customer string, r members) (int, members) {
	w.db.mu.Lock()
	t := w.db.agreements[str(r, "referenceAgreementId")]
	w.db.mu.Unlock()
	if t == nil || t.customer != customer {
		return http.StatusNotFound, members{"error": "not_found"}
	}
	if !w.is("unbinds without asking") {
		status, answer := w.call(ctx, w.gateway+"/aps/api/v1/authorizations/consultUnbinding",
			marshal(members{"authClientId": t.client, "referenceMerchantId": "MERCHANT01", "accessToken": t.access}), 5*time.Second)
		if status != "S" || str(answer, "allowUnbinding") != "true" {
			return http.StatusOK, members{"unbound": false}
		}
	}
	w.db.mu.Lock()
	defer w.db.mu.Unlock()
	t.dead = true
	w.put(&plainMessage{api: "authNotify", key: t.access, url: w.gateway + "/aps/api/v1/authorizations/authNotify", body: marshal(members{
		"authorizationNotifyType": "TOKEN_CANCELED", "authClientId": t.client, "accessToken": t.access, "referenceAgreementId": t.agreement,
	})})
	return http.StatusOK, members{"unbound": true}
}
