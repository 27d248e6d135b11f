package easypay_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
	"github.com/alipayplus-mpp/alipayplus-go/auth"
	"github.com/alipayplus-mpp/alipayplus-go/easypay"
)

// No verb and no log handler prints a login id, an account, a customer id or a
// URL of a session.
func TestNothingPrivateIsPrinted(t *testing.T) {
	const canary = "canary-7f3a"
	r := request("PR1", consent, method(canary), func(r *payment.PayRequest) {
		r.PaymentMethod.PaymentMethodMetaData.UserLoginID = alipayplus.Conceal(canary)
		r.PaymentMethod.CustomerID = canary
		r.PassThroughInfo = alipayplus.Conceal(canary)
		r.ExtendInfo = canary
		r.PaymentRedirectURL = "https://" + canary
		r.PaymentNotifyURL = "https://" + canary
		r.AuthorizationInfo.AuthState = canary
		r.Order.Buyer.BuyerEmail = canary
	})
	grant := auth.Grant{CustomerID: canary, UserLoginID: alipayplus.Conceal(canary)}
	for _, v := range []any{
		easypay.Evaluation{PayRequest: r},
		easypay.Creation{PayRequest: r, RedirectURL: "https://" + canary},
		easypay.OneClick{PayRequest: r, Grant: grant},
		easypay.Evaluation{PayRequest: r}.Account(),
		easypay.Eligible{CustomerID: canary},
		easypay.Verification{PaymentID: "W1", URL: "https://" + canary, CustomerID: canary},
		easypay.Paid{PaymentID: "W1", CustomerID: canary},
		struct{ V any }{easypay.Verification{URL: canary}},
		[]any{easypay.Creation{PayRequest: r, RedirectURL: canary}},
	} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			if text := fmt.Sprintf(verb, v); strings.Contains(text, canary) || strings.Contains(text, fmt.Sprintf("%x", canary)) {
				t.Errorf("%T with %s prints something private: %s", v, verb, text)
			}
		}
		var text, jsonText bytes.Buffer
		slog.New(slog.NewTextHandler(&text, nil)).Info("m", "v", v)
		if strings.Contains(text.String(), canary) {
			t.Errorf("%T in a text log: %s", v, text.String())
		}
		switch v.(type) {
		case struct{ V any }, []any:
			continue // encoding/json encodes those, and JSON is the value itself
		}
		slog.New(slog.NewJSONHandler(&jsonText, nil)).Info("m", "v", v)
		if strings.Contains(jsonText.String(), canary) {
			t.Errorf("%T in a JSON log: %s", v, jsonText.String())
		}
	}
}
