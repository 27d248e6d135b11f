package mpmtest_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/alipayplustest"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
	"github.com/alipayplus-mpp/alipayplus-go/codeid"
	"github.com/alipayplus-mpp/alipayplus-go/mpm"
	"github.com/alipayplus-mpp/alipayplus-go/mpm/mpmtest"
)

func newClient(t *testing.T, g *alipayplustest.Gateway) *alipayplus.Client {
	t.Helper()
	client, err := alipayplus.NewClient(g.Config())
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// What Alipay+ knows of the merchant's orders.
func TestMerchant(t *testing.T) {
	g := alipayplustest.New(t)
	c := &complaints{}
	shop := mpmtest.NewMerchant(c, g)
	client := newClient(t, g)
	code := shop.OrderCode(alipayplus.Amount{Currency: "JPY", Minor: 100})
	order := shop.Orders()[0]

	for text, want := range map[string]codeid.Action{
		code: codeid.ActionDecode, shop.EntryCode(): codeid.ActionOpenURL, "http" + strings.TrimPrefix(shop.EntryCode(), "https"): codeid.ActionOpenURL,
		"https://shop.example.evil.example/entry/M0001": "",
	} {
		rules, err := codeid.ParseRuleset(shop.CodeRules(), codeid.RuleOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if id, err := rules.Identify(text); err != nil || id.Action != want {
			t.Errorf("%s: %q, %v", text, id.Action, err)
		}
	}

	decoded, err := mpm.UserInitiatedPay.Call(t.Context(), client, &mpm.UserInitiatedPayRequest{CodeValue: alipayplus.Conceal(code), CustomerID: "alice"})
	if err != nil || decoded.PaymentRequestID != order.PaymentRequestID || decoded.PaymentRedirectURL.Reveal() != order.RedirectURL || decoded.PayToAmount.Minor != 1000 {
		t.Errorf("decoded %v, %v", decoded, err)
	}
	_, err = mpm.UserInitiatedPay.Call(t.Context(), client, &mpm.UserInitiatedPayRequest{CodeValue: alipayplus.Conceal(code + "0"), CustomerID: "alice"})
	if !errors.Is(err, alipayplus.CodeInvalidCode) {
		t.Errorf("a code of nobody: %v", err)
	}

	if result, ok := shop.Told(order.PaymentRequestID); ok {
		t.Errorf("told %v before anybody paid", result)
	}
	notify := &payment.NotifyPaymentRequest{
		PaymentRequestID: order.PaymentRequestID, PaymentResult: alipayplus.Result{Code: alipayplus.CodeRiskReject, Status: alipayplus.StatusFailed},
	}
	if _, err := payment.NotifyPayment.Call(t.Context(), client, notify); err != nil {
		t.Error(err)
	}
	if result, ok := shop.Told(order.PaymentRequestID); !ok || result.Code != alipayplus.CodeRiskReject {
		t.Errorf("told %v", result)
	}
	if len(c.texts) > 0 {
		t.Errorf("complaints %q", c.texts)
	}
	notify.PaymentRequestID = "another"
	if _, err := payment.NotifyPayment.Call(t.Context(), client, notify); !errors.Is(err, alipayplus.CodeOrderNotExist) || len(c.texts) != 1 {
		t.Errorf("a result for an order that does not exist: %v, %q", err, c.texts)
	}
}
