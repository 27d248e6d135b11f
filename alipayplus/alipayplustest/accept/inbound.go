package accept

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"
)

// request is a signed inbound request, which can be sent again and again.
type request struct {
	api    string
	url    string
	target string
	header http.Header
	body   []byte
}

// outcome is a verified answer of the wallet.
type outcome struct {
	status, code string
	members      object
	body         []byte
	keyVersion   string
}

// String says it for a report.
func (o outcome) String() string { return o.status + " " + o.code }

// prepare signs a request of Alipay+.
func (s *scenario) prepare(api string, members object) request {
	return s.prepareBody(api, encode(members))
}

func (s *scenario) prepareBody(api string, body []byte) request {
	s.alipay.mu.Lock()
	key := s.alipay.key
	s.alipay.mu.Unlock()
	return s.prepareWith(api, key, s.cfg.Wallet.ClientID, time.Now(), body)
}

func (s *scenario) prepareWith(api string, key PrivateKey, clientID string, at time.Time, body []byte) request {
	target := s.cfg.Wallet.Inbound[api]
	u, err := url.Parse(target)
	if err != nil {
		panic("accept: " + err.Error()) // validate checked it
	}
	return request{api, target, u.RequestURI(), signed(key, "Request-Time", u.RequestURI(), clientID, stamp(at), body), body}
}

// within returns how long Alipay+ waits for the answer.
func within(api string) time.Duration {
	switch api {
	case "pay", "refund", "cancelPayment":
		return 8 * time.Second
	}
	return 5 * time.Second
}

// raw sends r and does not look at the answer.
func (s *scenario) raw(r request, what string) (status int, header http.Header, body []byte, err error) {
	s.log.note("Alipay+", "wallet", r.api+what, r.body)
	status, header, body, err = exchangeWith(s.ctx, s.cfg.Transport, within(r.api), http.MethodPost, r.url, func(h http.Header) {
		for name, values := range r.header {
			h[name] = values
		}
	}, r.body)
	if err != nil {
		s.log.note("wallet", "Alipay+", r.api+": "+err.Error(), nil)
		return status, header, body, err
	}
	s.log.note("wallet", "Alipay+", fmt.Sprintf("%s: answer, HTTP %d", r.api, status), body)
	return status, header, body, nil
}

// try sends r; an error means that there is no verified answer.
func (s *scenario) try(r request) (outcome, error) {
	status, header, body, err := s.raw(r, "")
	if err != nil {
		return outcome{}, err
	}
	s.alipay.mu.Lock()
	keys := s.alipay.walletKeys
	s.alipay.mu.Unlock()
	version, err := verify(keys, header, "Response-Time", r.target, s.cfg.Wallet.ClientID, body)
	if err != nil {
		return outcome{}, fmt.Errorf("HTTP %d: %w", status, err)
	}
	o := outcome{body: body, keyVersion: version}
	if err := strict(body, &o.members); err != nil {
		return outcome{}, fmt.Errorf("the answer is signed, but is not as the documents have it: %w", err)
	}
	o.status, o.code = text(o.members, "result", "resultStatus"), text(o.members, "result", "resultCode")
	if o.status != "S" && o.status != "F" && o.status != "U" || o.code == "" {
		return outcome{}, fmt.Errorf("the result is %q %q: resultStatus is one of S, F, U, and there is a resultCode", o.status, o.code)
	}
	return o, nil
}

// once sends r and must get a signed answer.
func (s *scenario) once(r request) outcome {
	o, err := s.try(r)
	if err != nil {
		s.fail("a signed answer to "+r.api, "%v", err)
	}
	return o
}

// ask sends members and asks again while the result is U, as Alipay+ does.
func (s *scenario) ask(api string, members object) outcome {
	deadline := time.Now().Add(s.cfg.notifyWithin())
	for {
		o := s.once(s.prepare(api, members))
		if o.status != "U" || time.Now().After(deadline) {
			return o
		}
		s.sleep(300 * time.Millisecond)
	}
}

// parallel delivers the same bytes n times at once.
func (s *scenario) parallel(r request, n int) []outcome {
	outcomes, errs := make([]outcome, n), make([]error, n)
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { outcomes[i], errs[i] = s.try(r) })
	}
	all.Wait()
	for _, err := range errs {
		if err != nil {
			s.fail("a signed answer to each of "+strconv.Itoa(n)+" copies of "+r.api, "%v", err)
		}
	}
	return outcomes
}

// one says that all final outcomes are alike, and returns them.
func (s *scenario) one(outcomes []outcome) (final outcome) {
	for _, o := range outcomes {
		if o.status == "U" {
			continue
		}
		if final.status != "" && !bytes.Equal(canonical(final.members), canonical(o.members)) {
			s.fail("the same business answer to every copy", "%s and %s", redact(final.body), redact(o.body))
		}
		final = o
	}
	return final
}

func canonical(v object) []byte {
	data, err := json.Marshal(v)
	if err != nil {
		return nil
	}
	return data
}

func (s *scenario) inquiryOf(id string) object {
	return object{"acquirerId": acquirerID, "pspId": pspID, "paymentRequestId": id}
}

// inquiry is what the wallet says about a payment.
type inquiry struct {
	outcome
	payStatus, payCode string
	paymentID          string
}

// String says it for a report.
func (i inquiry) String() string {
	if i.payStatus == "" {
		return "result " + i.outcome.String()
	}
	return "result " + i.outcome.String() + ", paymentResult " + i.payStatus + " " + i.payCode
}

// inquire asks the wallet about a payment.
func (s *scenario) inquire(id string) inquiry {
	o := s.ask("inquiryPayment", s.inquiryOf(id))
	return inquiry{o, text(o.members, "paymentResult", "resultStatus"), text(o.members, "paymentResult", "resultCode"), text(o.members, "paymentId")}
}

// final inquires until the payment has an end.
func (s *scenario) final(id string) inquiry {
	var i inquiry
	s.eventually(s.cfg.notifyWithin(), func() bool {
		i = s.inquire(id)
		return i.payStatus == "S" || i.payStatus == "F" || i.status == "F"
	})
	return i
}

func (s *scenario) cancellation(o *order) request {
	return s.prepare("cancelPayment", s.inquiryOf(o.id))
}

// cancel cancels o and must succeed.
func (s *scenario) cancel(o *order) {
	got := s.ask("cancelPayment", s.inquiryOf(o.id))
	if got.status != "S" {
		s.fail("cancelPayment is answered S", "%v", got)
	}
	s.alipay.change(o, func(o *order) { o.cancelled = true })
}

// refundOf asks for minor of what the user paid, of a payment without a
// surcharge.
func (s *scenario) refundOf(o *order, refundID string, minor int64) object {
	return s.refundParts(o, refundID, minor*o.paymentAmount.minor()/o.payToAmount.minor(), minor)
}

func (s *scenario) refundParts(o *order, refundID string, ordered, minor int64) object {
	paymentID := s.inquire(o.id).paymentID
	if paymentID == "" {
		paymentID = "UNKNOWN"
	}
	body := object{
		"acquirerId": acquirerID, "pspId": pspID, "paymentRequestId": o.id, "paymentId": paymentID, "refundRequestId": refundID,
		"refundAmount":     amount{o.paymentAmount.Currency, strconv.FormatInt(ordered, 10)}.object(),
		"refundFromAmount": amount{o.payToAmount.Currency, strconv.FormatInt(minor, 10)}.object(),
	}
	if quote, ok := o.answer["paymentQuote"]; ok {
		body["refundQuote"] = quote
	}
	return body
}

// refunded notes that a refund was accepted.
func (s *scenario) refunded(o *order, minor int64) {
	s.alipay.change(o, func(o *order) { o.refunded += minor })
}

// refund gives back minor and must succeed.
func (s *scenario) refund(o *order, minor int64) {
	got := s.ask("refund", s.refundOf(o, s.newID(), minor))
	if got.status != "S" {
		s.fail(fmt.Sprintf("a refund of %d of %v is answered S", minor, o.debit), "%v", got)
	}
	s.refunded(o, minor)
}

// refused says that an answer is F with one of the codes; no code means any.
func (s *scenario) refused(what string, got outcome, codes ...string) {
	if got.status == "F" {
		if len(codes) == 0 {
			return
		}
		for _, code := range codes {
			if got.code == code {
				return
			}
		}
	}
	code := "with any code"
	if len(codes) > 0 {
		code = strings.Join(codes, " or ")
	}
	s.fail(what+" is answered F "+code, "%v", got)
}
