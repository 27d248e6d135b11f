package accept

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// amount is an amount as it is on the wire.
type amount struct {
	Currency string `json:"currency"`
	Value    string `json:"value"`
}

func (a amount) minor() int64 {
	n, err := strconv.ParseInt(a.Value, 10, 64)
	if err != nil {
		return -1
	}
	return n
}

func (a amount) String() string { return a.Currency + " " + a.Value }

func (a amount) object() object { return object{"currency": a.Currency, "value": a.Value} }

func amountIn(v object, name string) amount {
	return amount{text(v, name, "currency"), text(v, name, "value")}
}

// order is a payment at Alipay+.
type order struct {
	id, code      string
	paymentAmount amount
	payToAmount   amount
	debit         amount // what the user pays: payToAmount or the surcharge
	expiry        time.Time
	agreement     string // referenceAgreementId, if the user was asked to consent

	// What the checks set before the wallet asks. The rest is guarded by
	// alipay.mu.
	answer       object // what decoding gives
	decodeFaults []fault
	notifyFaults []fault
	atNotify     func(n attempt) // runs before a notification is answered

	customer     string    // who decoded it
	decodes      []attempt // userInitiatedPay, whatever became of it
	decoded      int       // S answers made
	notes        []attempt // notifyPayment, whatever became of it
	acknowledged int       // S answers to notifyPayment made

	paymentID string // as an answer to pay gave it, "" if none did
	cancelled bool   // a cancelPayment was answered S
	refunded  int64
	seen      bool // the wallet knows it
}

// newOrder makes an order of which the user pays minor.
func (a *alipay) newOrder(id string, minor int64, expiry time.Time) *order {
	o := &order{
		id: id, code: orderCode + id, expiry: expiry,
		payToAmount: amount{a.cfg.Currency, strconv.FormatInt(minor, 10)},
	}
	o.debit = o.payToAmount
	o.paymentAmount = o.payToAmount
	o.answer = object{
		"result":     object{"resultCode": "SUCCESS", "resultStatus": "S", "resultMessage": "success"},
		"acquirerId": acquirerID, "pspId": pspID, "codeType": "ORDER_CODE", "paymentRequestId": id,
		"paymentFactor": object{"isInStorePayment": "true", "isCashierPayment": "true"},
		"actionForm":    object{"actionType": "HANDLE_BY_PSP"},
	}
	if a.cfg.OrderCurrency != a.cfg.Currency {
		o.paymentAmount = amount{a.cfg.OrderCurrency, strconv.FormatInt(minor/10, 10)}
		o.answer["paymentQuote"] = object{"quoteId": "Q1", "quoteCurrencyPair": a.cfg.OrderCurrency + "/" + a.cfg.Currency, "quotePrice": "10"}
	}
	o.answer["order"] = o.orderObject()
	o.answer["paymentAmount"] = o.paymentAmount.object()
	o.answer["payToAmount"] = o.payToAmount.object()
	o.answer["paymentExpiryTime"] = expiry.UTC().Format("2006-01-02T15:04:05Z07:00")
	a.mu.Lock()
	defer a.mu.Unlock()
	a.orders[id], a.codes[o.code] = o, o
	return o
}

const (
	acquirerID = "ACCEPT_ACQUIRER"
	pspID      = "ACCEPT_PSP"
)

func (o *order) orderObject() object {
	return object{
		"referenceOrderId": "R" + o.id, "orderDescription": "Acceptance", "orderAmount": o.paymentAmount.object(),
		"merchant": object{
			"referenceMerchantId": "MERCHANT01", "merchantMCC": "5411", "merchantName": "Accept Shop",
			"store": object{"referenceStoreId": "STORE01", "storeName": "Main", "storeMCC": "5411"},
		},
	}
}

// decoding notes a request of userInitiatedPay.
func (a *alipay) decoding(x *exchange, seen attempt) fault {
	code, customer := text(seen.members, "codeValue"), text(seen.members, "customerId")
	a.mu.Lock()
	defer a.mu.Unlock()
	o := a.codes[code]
	switch {
	case len([]rune(code)) > 512:
		a.log.wrong("no codeValue of over 512 characters", "one of %d", len([]rune(code)))
	case !strings.HasPrefix(code, orderCode):
		a.log.wrong("userInitiatedPay for codes that the rules give to Alipay+", "a code of %d characters that no rule matches", len(code))
	}
	if o == nil {
		x.process = func() []byte { return result("F", "INVALID_CODE") }
		return nil
	}
	o.decodes = append(o.decodes, seen)
	x.process = func() []byte {
		a.mu.Lock()
		defer a.mu.Unlock()
		if o.customer == "" {
			o.customer = customer
		}
		if o.customer != customer {
			return result("F", "REPEAT_REQ_INCONSISTENT")
		}
		if text(o.answer, "result", "resultStatus") == "S" {
			o.decoded++
		}
		return encode(o.answer)
	}
	return next(&o.decodeFaults)
}

// notified notes a request of notifyPayment.
func (a *alipay) notified(x *exchange, seen attempt) fault {
	id := text(seen.members, "paymentRequestId")
	a.mu.Lock()
	o := a.orders[id]
	if o == nil {
		a.mu.Unlock()
		a.log.wrong("notifications of known payments", "notifyPayment for %q, which Alipay+ never gave", id)
		x.process = func() []byte { return result("F", "ORDER_NOT_EXIST") }
		return nil
	}
	before := o.notes
	o.notes = append(o.notes, seen)
	fault, at := next(&o.notifyFaults), o.atNotify
	rule := o.checkNote(before, seen)
	a.mu.Unlock()
	if rule != "" {
		a.log.wrong("a notification that agrees with the order and never changes", "notifyPayment for %s: %s", id, rule)
	}
	if at != nil {
		at(seen)
	}
	x.process = func() []byte {
		a.mu.Lock()
		defer a.mu.Unlock()
		o.acknowledged++
		return result("S", "SUCCESS")
	}
	return fault
}

// checkNote says what is wrong with a notification.
func (o *order) checkNote(before []attempt, n attempt) string {
	status := text(n.members, "paymentResult", "resultStatus")
	switch {
	case len(before) > 0 && !bytes.Equal(before[0].body, n.body):
		return "the body is not that of the first attempt"
	case len(before) > 0 && replayed(before[0], n):
		return "the signature is that of an earlier attempt: each is signed anew"
	case status != "S" && status != "F":
		return fmt.Sprintf("resultStatus is %q: only S and F are final", status)
	case status == "F":
		return ""
	case text(n.members, "paymentId") == "":
		return "paymentId is missing"
	case text(n.members, "paymentTime") == "":
		return "paymentTime is missing"
	case farOff(text(n.members, "paymentTime"), n.at):
		return "paymentTime is " + text(n.members, "paymentTime") + ", and the user paid just now"
	case amountIn(n.members, "paymentAmount") != o.paymentAmount:
		return fmt.Sprintf("paymentAmount is %v, the order's is %v", amountIn(n.members, "paymentAmount"), o.paymentAmount)
	case amountIn(n.members, "payToAmount") != o.payToAmount && (o.payToAmount != o.paymentAmount || amountIn(n.members, "payToAmount") != amount{}):
		return fmt.Sprintf("payToAmount is %v, the order's is %v", amountIn(n.members, "payToAmount"), o.payToAmount)
	case text(n.members, "customerId") == "":
		return "customerId is missing"
	case o.customer != "" && text(n.members, "customerId") != o.customer:
		return "customerId is not who decoded the order"
	}
	return ""
}

// farOff reports whether a time is days away from at: clocks differ, and a
// notification may be late.
func farOff(value string, at time.Time) bool {
	t, err := time.Parse(time.RFC3339, value)
	return err == nil && at.Sub(t).Abs() > 48*time.Hour
}

// replayed reports whether an attempt was not signed anew. Two of the same
// second look alike, if the wallet's times have no milliseconds.
func replayed(before, n attempt) bool {
	return before.signature == n.signature && n.at.Sub(before.at) > 1500*time.Millisecond
}

// told returns what Alipay+ was told last, "" if nothing.
func (o *order) told() (status, code string) {
	if len(o.notes) == 0 {
		return "", ""
	}
	last := o.notes[len(o.notes)-1].members
	return text(last, "paymentResult", "resultStatus"), text(last, "paymentResult", "resultCode")
}

// view returns a copy of o, to be read without the lock.
func (a *alipay) view(o *order) order {
	a.mu.Lock()
	defer a.mu.Unlock()
	return *o
}

// change changes o.
func (a *alipay) change(o *order, f func(o *order)) {
	a.mu.Lock()
	defer a.mu.Unlock()
	f(o)
}

// set gives the decoding's answer other members; nil takes one away.
func (o *order) set(members object) {
	for name, value := range members {
		if value == nil {
			delete(o.answer, name)
		} else {
			o.answer[name] = value
		}
	}
}
