package accept_test

import (
	"strings"
	"time"
)

func (w *plain) pay(r members) members {
	factor := func(name string) bool { return str(r, "paymentFactor", name) == "true" }
	id, method := str(r, "paymentRequestId"), str(r, "paymentMethod", "paymentMethodId")
	paymentAmount, ok := amountAt(r, "paymentAmount")
	payTo, ok2 := amountAt(r, "payToAmount")
	if id == "" || len(id) > 64 || !ok || !ok2 || r["unknownFlag"] != nil && w.is("refuses unknown members of pay") {
		return plainResult("F", "PARAM_ILLEGAL")
	}
	key := id
	if factor("isPaymentEvaluation") && !w.is("has one key for evaluation and payment") {
		key = "evaluation " + id
	}
	customer := w.db.logins[str(r, "paymentMethod", "paymentMethodMetaData", "userLoginId")]
	fingerprint := string(marshal(members{"a": paymentAmount.json(), "p": payTo.json(), "m": obj(r, "paymentMethod"), "s": obj(r, "surchargeInfo"), "o": obj(r, "paymentPromoInfo")}))
	if w.is("compares two amounts of a repeated pay alone") {
		fingerprint = string(marshal(members{"a": paymentAmount.json(), "p": payTo.json(), "m": obj(r, "paymentMethod")}))
	}
	if before := w.db.pays[key]; before != nil && !w.is("books every repeat of a payment") {
		if before.fingerprint != fingerprint && !w.is("looks at no consistency fields") {
			return plainResult("F", "REPEAT_REQ_INCONSISTENT")
		}
		if p := w.db.payments[id]; p != nil && p.link == "" && str(before.answer, "result", "resultStatus") == "U" {
			return w.oneClick(p)
		}
		return before.answer
	}
	if w.is("books every copy of a payment at once") {
		w.pause()
	}
	p := &plainPayment{
		id: id, paymentID: "P" + random(20), customer: customer, paymentAmount: paymentAmount, payTo: payTo, debit: payTo,
		redirect: str(r, "paymentRedirectUrl"), expiry: time.Now().Add(10 * time.Minute),
	}
	if expiry, err := time.Parse(time.RFC3339, str(r, "paymentExpiryTime")); err == nil {
		p.expiry = expiry
	}
	if surcharge, ok := amountAt(r, "surchargeInfo", "surchargeAmount"); ok {
		p.debit = surcharge
		if w.is("debits payToAmount of a pay with a surcharge") {
			p.debit = payTo
		}
	}
	p.notifyURL = str(r, "paymentNotifyUrl")
	if w.is("ignores paymentNotifyUrl of pay") {
		p.notifyURL = ""
	}
	var answer members
	switch {
	case p.notifyURL != "" && !strings.HasPrefix(p.notifyURL, w.gateway+"/") && !w.is("notifies any host of pay"):
		answer = plainResult("F", "PARAM_ILLEGAL")
	case w.db.payments[id] != nil && !w.is("lets a payment come after its cancellation") && !factor("isPaymentEvaluation") && !w.is("books every copy of a payment at once") && !w.is("books every repeat of a payment"):
		answer = plainResult("F", "ORDER_IS_CLOSED")
	case factor("isPaymentEvaluation") && (method == "" || !w.is("debits an evaluation with a token")):
		if method != "" {
			t := w.db.tokens[method]
			if t == nil || t.dead && !w.is("evaluates with dead tokens") {
				return plainResult("F", "INVALID_TOKEN")
			}
			p.customer = t.customer
		}
		answer = w.evaluate(p)
	case method != "":
		answer = w.payWithToken(p, method, str(r, "paymentMethod", "customerId"))
	case factor("isEasyPayScenario") || w.is("takes every pay for Easy Pay"):
		if factor("isAuthorizationAndPay") || r["authorizationInfo"] != nil && w.is("takes authorizationInfo for consent") {
			p.agreement, p.authClient, p.consent = str(r, "authorizationInfo", "referenceAgreementId"), str(r, "authorizationInfo", "authClientId"), true
		}
		answer = w.create(p)
	default:
		answer = plainResult("F", "PARAM_ILLEGAL")
	}
	w.db.pays[key] = &answered{fingerprint, answer}
	return answer
}

func (w *plain) evaluate(p *plainPayment) members {
	if p.customer == "" {
		return plainResult("F", "USER_NOT_EXIST")
	}
	if w.is("debits an evaluation") {
		w.db.balances[p.customer] -= p.debit.minor
	}
	a := plainResult("S", "SUCCESS")
	a["customerId"] = p.customer
	return a
}

func (w *plain) create(p *plainPayment) members {
	usable := strings.HasPrefix(p.redirect, "https://") && !strings.ContainsAny(p.redirect, "@\r\n")
	switch {
	case !usable && !w.is("redirects anywhere"):
		return plainResult("F", "PARAM_ILLEGAL")
	case p.customer == "":
		return plainResult("F", "USER_NOT_EXIST")
	}
	p.state, p.link = "verifying", random(24)
	if w.is("names the page after the payment") {
		p.link = p.id
	}
	w.db.payments[p.id], w.db.links[p.link] = p, p.id
	a := plainResult("U", "PAYMENT_IN_PROCESS")
	a["paymentId"], a["paymentUrl"], a["customerId"] = p.paymentID, plainPage+p.link, p.customer
	if w.is("notifies another paymentId than it answered") {
		p.paymentID = "P" + random(20)
	}
	if w.is("answers pay with another customerId") {
		a["customerId"] = "bob"
	}
	if w.is("answers a creation with S") {
		a["result"] = plainResult("S", "SUCCESS")["result"]
	}
	if p.consent && w.is("issues a token before the user paid") {
		w.issue(p)
	}
	if w.is("debits at the creation") {
		w.debit(p)
	}
	return a
}

func (w *plain) payWithToken(p *plainPayment, token, customer string) members {
	t := w.db.tokens[token]
	if w.is("folds the case of tokens") {
		for access, other := range w.db.tokens {
			if strings.EqualFold(access, token) {
				t = other
			}
		}
	}
	switch {
	case t == nil && !w.is("takes any token"):
		return plainResult("F", "INVALID_TOKEN")
	case t == nil:
		t = &plainToken{customer: "alice", pays: true}
	}
	switch {
	case t.dead && !w.is("lets dead tokens pay"), !t.pays && !w.is("lets every token pay"),
		customer != "" && customer != t.customer && !w.is("lets a token pay for anybody"):
		return plainResult("F", "INVALID_TOKEN")
	}
	p.customer, p.state = t.customer, "open"
	if time.Now().After(p.expiry) && !w.is("debits expired payments with a token") {
		return plainResult("F", "ORDER_IS_CLOSED")
	}
	w.db.payments[p.id] = p
	if refusal := w.debit(p); refusal != "" {
		w.fail(p, "failed", refusal)
	}
	return w.oneClick(p)
}

// oneClick returns what Alipay+ is told about a payment with a token.
func (w *plain) oneClick(p *plainPayment) members {
	switch p.state {
	case "paying":
		return plainResult("U", "PAYMENT_IN_PROCESS")
	case "failed", "closed":
		return plainResult("F", p.result)
	}
	a := plainResult("S", "SUCCESS")
	a["paymentId"], a["paymentTime"], a["customerId"] = p.paymentID, p.paidAt.Format(w.outTime()), p.customer
	if w.is("notifies another paymentId than it answered") {
		a["paymentId"] = "P" + random(20)
	}
	return a
}

func (w *plain) applyToken(r members) members {
	request := string(marshal(r))
	var c *plainCode
	refused := "INVALID_CODE"
	switch str(r, "grantType") {
	case "AUTHORIZATION_CODE":
		c = w.db.authCodes[str(r, "authCode")]
	case "REFRESH_TOKEN":
		c, refused = w.db.refreshes[str(r, "refreshToken")], "INVALID_REFRESH_TOKEN"
	default:
		return plainResult("F", "PARAM_ILLEGAL")
	}
	switch {
	case c == nil:
		return plainResult("F", refused)
	case c.token.dead && !c.used && !w.is("lets a cancelled token be refreshed"):
		return plainResult("F", refused)
	case c.used && c.request == request && time.Since(c.at) <= 5*time.Minute && !w.is("forgets what it gave for a code"):
		return c.answer
	case c.used && w.is("lets old refresh tokens live") && c.answer != nil:
	case c.used && !w.is("takes a code twice") && !w.is("forgets what it gave for a code"):
		return plainResult("F", refused)
	}
	if w.is("gives every copy a token") {
		w.pause()
	}
	t := &plainToken{access: w.tokens + random(30), refresh: w.tokens + random(30), customer: c.token.customer, client: c.token.client}
	if old := w.db.tokens[c.token.access]; old != nil {
		old.dead = true
	}
	w.db.tokens[t.access] = t
	w.db.refreshes[t.refresh] = &plainCode{token: t}
	a := plainResult("S", "SUCCESS")
	year := time.Now().AddDate(1, 0, 0).Format(time.RFC3339)
	a["accessToken"], a["accessTokenExpiryTime"], a["refreshToken"], a["refreshTokenExpiryTime"] = t.access, year, t.refresh, year
	a["customerId"] = t.customer
	if w.is("gives refresh tokens that have expired") {
		a["refreshTokenExpiryTime"] = time.Now().Format(time.RFC3339)
	}
	if w.is("hides the customer") {
		delete(a, "customerId")
	}
	c.used, c.request, c.answer, c.at = true, request, a, time.Now()
	return a
}

func (w *plain) cancelToken(r members) members {
	t := w.db.tokens[str(r, "accessToken")]
	if t == nil {
		return plainResult("F", "INVALID_TOKEN")
	}
	t.dead = true
	for _, other := range w.db.tokens {
		other.dead = other.dead || other.customer == t.customer && w.is("ends all agreements of a user with one token")
	}
	return plainResult("S", "SUCCESS")
}
