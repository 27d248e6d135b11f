package accept

import (
	"bytes"
	"strconv"
)

// agreement is a consent to later payments.
type agreement struct {
	id      string
	created []attempt // authNotify TOKEN_CREATED
	ended   []attempt // authNotify TOKEN_CANCELED
	allow   bool      // consultUnbinding allows it
	asked   int       // consultUnbinding
	faults  []fault

	acknowledged int // S answers to authNotify made
}

func (a *alipay) newAgreement(id string) *agreement {
	a.mu.Lock()
	defer a.mu.Unlock()
	g := &agreement{id: id}
	a.agreements[id] = g
	return g
}

// authNotified notes a request of authNotify.
func (a *alipay) authNotified(x *exchange, seen attempt) fault {
	kind, token, id := text(seen.members, "authorizationNotifyType"), text(seen.members, "accessToken"), text(seen.members, "referenceAgreementId")
	a.mu.Lock()
	defer a.mu.Unlock()
	g := a.agreements[id]
	if g == nil {
		g = a.tokens[token]
	}
	x.process = func() []byte {
		a.mu.Lock()
		defer a.mu.Unlock()
		if g != nil {
			g.acknowledged++
		}
		return result("S", "SUCCESS")
	}
	switch {
	case kind == "":
		a.log.wrong("authorizationNotifyType in authNotify", "it is missing")
	case g == nil:
		a.log.wrong("authNotify of known agreements and tokens", "%s of neither", kind)
	case kind == "TOKEN_CREATED":
		if len(g.created) > 0 && !bytes.Equal(g.created[0].body, seen.body) {
			a.log.wrong("one token for an agreement: authNotify TOKEN_CREATED has the same body each time", "another body for referenceAgreementId %s", id)
		}
		g.created = append(g.created, seen)
		a.tokens[token] = g
	case kind == "TOKEN_CANCELED":
		g.ended = append(g.ended, seen)
	}
	if g == nil {
		return nil
	}
	return next(&g.faults)
}

// consulted answers consultUnbinding.
func (a *alipay) consulted(members object) []byte {
	a.mu.Lock()
	defer a.mu.Unlock()
	g := a.tokens[text(members, "accessToken")]
	if g == nil {
		return result("F", "INVALID_TOKEN")
	}
	g.asked++
	for _, member := range []string{"authClientId", "referenceMerchantId"} {
		if text(members, member) == "" {
			a.log.wrong(member+" in consultUnbinding", "it is missing")
		}
	}
	return encode(object{"result": object{"resultCode": "SUCCESS", "resultStatus": "S"}, "allowUnbinding": strconv.FormatBool(g.allow)})
}

func (a *alipay) viewAgreement(g *agreement) agreement {
	a.mu.Lock()
	defer a.mu.Unlock()
	return *g
}
