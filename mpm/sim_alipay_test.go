package mpm_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
	"github.com/alipayplus-mpp/alipayplus-go/internal/testkit"
	"github.com/alipayplus-mpp/alipayplus-go/mpm"
)

// simAlipay is Alipay+ in a world: its books, and the network on the way to it.
// What it knows is under world.mu.
type simAlipay struct {
	world *world
	books []*book
}

// book is what Alipay+ knows of one order.
type book struct {
	id, code string
	answer   *mpm.UserInitiatedPayResponse // of a decoding, when it gets that far
	refusal  alipayplus.ResultCode         // instead of it
	action   bool                          // it asks for the client SDK
	flawed   bool                          // it cannot be paid: its notify URL is of somebody else
	risky    bool                          // the wallet's Check refused it before the user saw it

	customer  string // who decoded it first
	request   []byte // of that decoding
	decoded   bool
	mixedUp   bool // somebody got the answer of another order
	notice    []byte
	sending   int // notifications on their way
	result    alipayplus.Result
	inquired  alipayplus.Result // last final paymentResult of an inquiry
	cancelled bool              // cancelPayment was answered S
	tooLate   bool              // or F
	refunds   map[string]bool   // answered S
	shown     []string          // final states that users saw
}

func newSimAlipay(w *world) *simAlipay { return &simAlipay{world: w} }

// order makes the i-th order.
func (a *simAlipay) order(i int) *book {
	w := a.world
	b := &book{
		id:      fmt.Sprintf("20250301%d%04d", w.seed, i),
		code:    fmt.Sprintf("https://qr.example/28100004%d%04d", w.seed, i),
		refunds: map[string]bool{},
	}
	asked := int64(100 + w.chance(1000))
	b.answer = &mpm.UserInitiatedPayResponse{
		Result:   alipayplus.CodeSuccess.Result(),
		CodeType: "ORDER_CODE", PaymentRequestID: b.id,
		Order:         payment.Order{ReferenceOrderID: "O-" + b.id},
		PaymentAmount: jpy(asked), PayToAmount: krw(10 * asked),
		PaymentQuote: payment.Quote{QuoteCurrencyPair: "JPY/KRW", QuotePrice: "10"},
	}
	switch chance := w.chance(100); {
	case chance < 6:
		b.refusal = alipayplus.CodeExpiredCode
	case chance < 10:
		b.action = true
	case chance < 14:
		b.action, b.answer.Result = true, alipayplus.CodeBusinessNotSupport.Result()
	case chance < 17:
		b.flawed, b.answer.PaymentNotifyURL = true, "https://notify.example/"
	case chance < 30:
		b.answer.SurchargeInfo.SurchargeAmount = krw(11 * asked)
	case chance < 50:
		b.answer.PaymentNotifyURL = "https://open-sea.alipayplus.com/notify/" + b.id
	case chance < 65:
		b.answer.PaymentExpiryTime = alipayplus.TimeOf(time.Now().Add(w.draw(time.Minute, 4*time.Minute)))
	}
	if b.action {
		b.answer.ActionForm = payment.ActionForm{ActionType: "HANDLE_BY_SDK", SDKActionPayload: alipayplus.Conceal("p")}
	}
	a.books = append(a.books, b)
	return b
}

func resultBody(code alipayplus.ResultCode) []byte {
	r := code.Result()
	return fmt.Appendf(nil, `{"result":{"resultCode":%q,"resultStatus":%q}}`, string(r.Code), string(r.Status))
}

// decode has Alipay+ decode, as often as it is asked.
func (a *simAlipay) decode(body []byte) []byte {
	var r struct{ CodeValue, CustomerID string }
	if err := json.Unmarshal(body, &r); err != nil {
		a.world.violate("a request that is no JSON")
	}
	w := a.world
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, b := range a.books {
		if b.code != r.CodeValue {
			continue
		}
		switch {
		case b.customer == "":
			b.customer, b.request = r.CustomerID, body
		case b.customer != r.CustomerID:
			return resultBody(alipayplus.CodeRepeatReqInconsistent)
		case !bytes.Equal(b.request, body):
			w.violations = append(w.violations, b.id+": a decoding was repeated with another body")
		}
		if b.refusal != "" {
			return resultBody(b.refusal)
		}
		b.decoded = !b.action && !b.flawed
		return testkit.Must(alipayplus.Marshal(b.answer))
	}
	return resultBody(alipayplus.CodeInvalidCode)
}

// checkFailed judges that a user was told that a code cannot be paid.
func (a *simAlipay) checkFailed(b *book, name string, step mpm.Failed) {
	w := a.world
	expiry, _ := b.answer.PaymentExpiryTime.Time()
	w.mu.Lock()
	fine := b.refusal != "" && step.Code == b.refusal ||
		b.flawed && step.Code == alipayplus.CodeProcessFail && step.Alarm != "" ||
		step.Code == alipayplus.CodeOrderIsClosed && !expiry.IsZero() && time.Now().After(expiry) ||
		step.Code == alipayplus.CodeRiskReject && step.Alarm == "" && b.risky ||
		step.Code == alipayplus.CodeRepeatReqInconsistent && (b.mixedUp || b.customer != name)
	w.mu.Unlock()
	if !fine {
		w.violate("%s: %s was told %s, which Alipay+ never said", b.id, name, step.Code)
	}
}

type notice struct {
	PaymentRequestID string
	PaymentResult    alipayplus.Result
	CustomerID       string
}

func (a *simAlipay) find(id string) *book {
	for _, b := range a.books {
		if b.id == id {
			return b
		}
	}
	return nil
}

// sending counts the notifications of one payment that are on their way.
func (a *simAlipay) sending(body []byte, n int) *book {
	var r notice
	_ = json.Unmarshal(body, &r)
	b := a.find(r.PaymentRequestID)
	if b == nil {
		a.world.violate("a notification of no order")
		return nil
	}
	a.world.mu.Lock()
	defer a.world.mu.Unlock()
	if b.sending += n; b.sending > 1 {
		a.world.violations = append(a.world.violations, b.id+": two workers send one notification at once")
	}
	return b
}

// notified has Alipay+ take a notification.
func (a *simAlipay) notified(body []byte) []byte {
	var r notice
	_ = json.Unmarshal(body, &r)
	w := a.world
	b := a.find(r.PaymentRequestID)
	w.note("Alipay+: notified %s %s", r.PaymentRequestID, r.PaymentResult)
	w.mu.Lock()
	defer w.mu.Unlock()
	violate := func(text string) { w.violations = append(w.violations, b.id+": "+text) }
	switch {
	case b.notice != nil && !bytes.Equal(b.notice, body):
		violate("notified twice with different bodies")
		return resultBody(alipayplus.CodeRepeatReqInconsistent)
	case b.notice != nil:
		return resultBody(alipayplus.CodeSuccess)
	case b.cancelled:
		return resultBody(alipayplus.CodeOrderIsClosed)
	case r.PaymentResult.Status != alipayplus.StatusSucceeded && r.PaymentResult.Status != alipayplus.StatusFailed:
		violate("notified neither S nor F")
	case b.inquired.Status != "" && b.inquired.Code != r.PaymentResult.Code:
		violate("notified " + r.PaymentResult.Error() + ", inquiry said " + b.inquired.Error())
	case r.CustomerID != "" && r.CustomerID != b.customer:
		violate("paid by somebody else")
	}
	b.notice, b.result = bytes.Clone(body), r.PaymentResult
	return resultBody(alipayplus.CodeSuccess)
}

// run does what Alipay+ does about an order: it asks, cancels, refunds.
func (a *simAlipay) run(b *book) {
	w := a.world
	if w.chance(20) == 0 { // cancelled before the wallet saw it
		a.cancel(b)
	}
	for i := 0; i < 60 && !a.known(b, func() bool { return b.decoded }); i++ {
		w.pause(5*time.Second, 10*time.Second)
	}
	if !a.known(b, func() bool { return b.decoded }) {
		return
	}
	if w.chance(6) == 0 {
		w.pause(0, time.Minute)
		a.cancel(b)
	}
	for range w.chance(4) {
		w.pause(5*time.Second, 10*time.Second)
		a.inquire(b)
	}
	final := func() bool { return b.result.Status != "" || b.inquired.Status != "" || b.cancelled }
	for i := 0; i < 100 && !a.known(b, final); i++ {
		w.pause(20*time.Second, 40*time.Second)
		if w.chance(4) == 0 {
			a.inquire(b)
		}
	}
	succeeded := func() bool {
		return !b.cancelled && (b.result.Status == alipayplus.StatusSucceeded || b.inquired.Status == alipayplus.StatusSucceeded)
	}
	if !a.known(b, succeeded) {
		return
	}
	for i := range w.chance(4) {
		w.pause(0, time.Minute)
		a.refund(b, i)
	}
	switch w.chance(5) {
	case 0:
		w.pause(0, time.Minute)
		a.cancel(b)
		a.inquire(b)
	case 1:
		a.inquire(b)
	}
}

func (a *simAlipay) known(_ *book, what func() bool) bool {
	a.world.mu.Lock()
	defer a.world.mu.Unlock()
	return what()
}

func (a *simAlipay) inquire(b *book) {
	w := a.world
	closed := a.known(b, func() bool { return b.cancelled })
	notified := a.known(b, func() bool { return b.result.Status != "" })
	var answer struct {
		Result        alipayplus.Result
		PaymentResult alipayplus.Result
	}
	if !a.send("/inquiryPayment", &payment.InquiryPaymentRequest{AcquirerID: "A", PSPID: "P", PaymentRequestID: b.id}, &answer) {
		return
	}
	w.note("Alipay+: inquiry of %s: %s, %s", b.id, answer.Result, answer.PaymentResult)
	w.mu.Lock()
	defer w.mu.Unlock()
	violate := func(text string) { w.violations = append(w.violations, b.id+": "+text) }
	switch r := answer.PaymentResult; {
	case answer.Result.Code == alipayplus.CodeOrderNotExist:
		if notified || closed {
			violate("the wallet has forgotten an order")
		}
	case answer.Result.Status != alipayplus.StatusSucceeded:
	case closed && r.Status != alipayplus.StatusFailed:
		violate("cancelled, and the inquiry says " + r.Error())
	case r.Status != alipayplus.StatusSucceeded && r.Status != alipayplus.StatusFailed:
		if notified && !b.cancelled && !b.tooLate {
			break // a cancellation that was sent and is not answered yet
		}
	case r.Code == alipayplus.CodeOrderIsClosed && b.result.Code != "": // may follow a cancellation whose answer was lost
		b.inquired = r
	case b.inquired.Status != "" && b.inquired != r && b.inquired.Code != alipayplus.CodeSuccess:
		violate("inquiry said " + b.inquired.Error() + " and then " + r.Error())
	case b.result.Status != "" && b.result.Code != r.Code:
		violate("notified " + b.result.Error() + ", inquiry says " + r.Error())
	default:
		b.inquired = r
	}
}

// cancel repeats cancelPayment until it is answered S or F.
func (a *simAlipay) cancel(b *book) {
	w := a.world
	for range 60 {
		var answer struct{ Result alipayplus.Result }
		if a.send("/cancelPayment", &payment.CancelPaymentRequest{AcquirerID: "A", PSPID: "P", PaymentRequestID: b.id}, &answer) {
			w.note("Alipay+: cancels %s: %s", b.id, answer.Result)
			w.mu.Lock()
			b.cancelled = b.cancelled || answer.Result.Status == alipayplus.StatusSucceeded
			b.tooLate = answer.Result.Status == alipayplus.StatusFailed
			done := b.cancelled || b.tooLate
			w.mu.Unlock()
			if m, ok := w.record(b.id).Notification(); done && ok && !b.tooLate && strings.Contains(m.Body.Reveal(), `"resultStatus":"S"`) {
				w.violate("%s: cancelled, and success is still to be notified", b.id)
			}
			if done {
				return
			}
		}
		w.pause(5*time.Second, time.Minute)
	}
	w.violate("%s: cancelPayment is never answered", b.id)
}

// refund gives back a part, until it is answered S or F; sometimes more than is
// left.
func (a *simAlipay) refund(b *book, i int) {
	w := a.world
	part := 1 + int64(w.chance(int(b.answer.PaymentAmount.Minor)))
	request := &payment.RefundRequest{
		AcquirerID: "A", PSPID: "P", PaymentRequestID: b.id, PaymentID: w.record(b.id).PaymentID,
		RefundRequestID: fmt.Sprintf("RR%d-%s", i, b.id), RefundAmount: jpy(part), RefundFromAmount: krw(10 * part),
	}
	if !b.answer.SurchargeInfo.SurchargeAmount.IsZero() {
		request.SurchargeInfo.SurchargeAmount = krw(11 * part)
	}
	for range 60 {
		var answer struct{ Result alipayplus.Result }
		if a.send("/refund", request, &answer) {
			w.note("Alipay+: refunds %v of %s: %s", jpy(part), b.id, answer.Result)
			switch answer.Result.Status {
			case alipayplus.StatusSucceeded:
				w.mu.Lock()
				b.refunds[request.RefundRequestID] = true
				w.mu.Unlock()
				return
			case alipayplus.StatusFailed:
				return
			}
		}
		w.pause(5*time.Second, time.Minute)
	}
	w.violate("%s: refund is never answered", b.id)
}
