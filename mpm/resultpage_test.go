package mpm_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
	"github.com/alipayplus-mpp/alipayplus-go/mpm"
)

// Every state of a payment, for both origins of the code.
func TestResultPage(t *testing.T) {
	noon := time.Date(2025, 3, 1, 12, 0, 0, 0, time.UTC)
	terms := payment.Terms{
		PaymentRequestID: "2025030101", PaymentID: "W-1", CustomerID: "alice",
		CodeValueDigest: alipayplus.Conceal("code").Digest(),
		Amounts:         payment.Amounts{PaymentAmount: jpy(100), PayToAmount: krw(1000), SurchargeInfo: payment.SurchargeInfo{SurchargeAmount: krw(1100)}},
		Order:           payment.Order{Merchant: payment.Merchant{MerchantName: "Example Shoes", MerchantDisplayName: "Shoes"}},
		RedirectURL:     alipayplus.Conceal("https://shop.example/r?a=%2Fb&c=1"),
	}
	home := terms
	home.RedirectURL = alipayplus.Conceal("")
	opened := payment.Opened{Terms: terms, At: noon}
	confirmed := payment.Confirmed{CustomerID: "alice", Amount: krw(1100), At: noon}
	debited := payment.Debited{Attempt: 1, At: noon}
	refused := payment.Refused{Attempt: 1, Code: alipayplus.CodeRiskReject}
	again := payment.Refused{Attempt: 1, Code: alipayplus.CodeUserBalanceNotEnough, Retry: true}
	cancelled := payment.Cancelled{At: noon}
	const (
		start   = `{"step":"resultPage","paymentRequestId":"2025030101",`
		debit   = `"merchantName":"Shoes","paymentAmount":{"currency":"JPY","value":"100","display":"JPY 100"},"debitAmount":{"currency":"KRW","value":"1100","display":"KRW 1100"}`
		cashier = `,"cashier":{"step":"cashier","paymentRequestId":"2025030101","merchantName":"Shoes",
			"paymentAmount":{"currency":"JPY","value":"100","display":"JPY 100"},"payToAmount":{"currency":"KRW","value":"1000","display":"KRW 1000"},
			"debitAmount":{"currency":"KRW","value":"1100","display":"KRW 1100"},"surchargeAmount":{"currency":"KRW","value":"1100","display":"KRW 1100"},
			"expiryTime":"2025-03-01T12:10:00+00:00"}`
		toMerchant = `,"redirect":{"to":"merchant","url":"https://shop.example/r?a=%2Fb\u0026c=1","afterSeconds":6}`
		toHome     = `,"redirect":{"to":"home"}`
		closed     = `,"resultCode":"ORDER_IS_CLOSED","message":{"key":"order_closed","text":"This order is closed. Please ask for a new code.","support":false}`
	)
	for _, c := range []struct {
		rule           string
		events         []payment.Event
		message        mpm.UserMessage
		scanned, extra string // extra: what an intercepted code's has more
	}{
		{rule: "open: not confirmed yet", events: []payment.Event{opened},
			scanned: start + `"state":"open",` + debit + cashier + `}`},
		{rule: "open again: the balance is too low", events: []payment.Event{opened, confirmed, again},
			scanned: start + `"state":"open",` + debit + `,"resultCode":"USER_BALANCE_NOT_ENOUGH","message":{"key":"balance_too_low","text":"Your balance is too low for this payment.","support":false}` + cashier + `}`},
		{rule: "paying: not known yet", events: []payment.Event{opened, confirmed},
			scanned: start + `"state":"processing",` + debit + `}`},
		{rule: "paid, back to the merchant", events: []payment.Event{opened, confirmed, debited},
			scanned: start + `"state":"paid",` + debit + toMerchant + `}`, extra: `,"call":"onSuccess"`},
		{rule: "paid, home", events: []payment.Event{payment.Opened{Terms: home, At: noon}, confirmed, debited},
			scanned: start + `"state":"paid",` + debit + toHome + `}`, extra: `,"call":"onSuccess"`},
		{rule: "failed", events: []payment.Event{opened, confirmed, refused},
			scanned: start + `"state":"failed",` + debit + `,"resultCode":"RISK_REJECT",` + failedRefused + toMerchant + `}`, extra: `,"call":"onFailure"`},
		{rule: "failed, with a message of the wallet's own", events: []payment.Event{opened, confirmed, refused}, message: mpm.UserMessage{Key: "k", Text: "t"},
			scanned: start + `"state":"failed",` + debit + `,"resultCode":"RISK_REJECT","message":{"key":"k","text":"t","support":false}` + toMerchant + `}`, extra: `,"call":"onFailure"`},
		{rule: "closed: expired", events: []payment.Event{opened, payment.Expired{At: noon.Add(time.Hour)}},
			scanned: start + `"state":"closed",` + debit + closed + toMerchant + `}`, extra: `,"call":"onFailure"`},
		{rule: "closed: cancelled while a debit is under way, not certain yet", events: []payment.Event{opened, confirmed, cancelled},
			scanned: start + `"state":"processing",` + debit + `}`},
		{rule: "closed: cancelled before it came", events: []payment.Event{cancelled},
			scanned: start + `"state":"closed"` + closed + toHome + `}`, extra: `,"call":"onFailure"`},
	} {
		t.Run(c.rule, func(t *testing.T) {
			record := payment.Record{Terms: payment.Terms{PaymentRequestID: "2025030101"}}
			for _, e := range c.events {
				var err error
				if record, _, err = record.On(e); err != nil {
					t.Fatal(err)
				}
			}
			want(t, mpm.ResultPage{Record: record, Message: c.message}, c.scanned)
			intercepted := c.scanned[:len(c.scanned)-1] + c.extra + "}"
			record.Origin = string(mpm.Intercepted)
			want(t, mpm.ResultPage{Record: record, Message: c.message}, intercepted)
			// The app is told what Alipay+ is told.
			var shown struct{ State, ResultCode string }
			if err := json.Unmarshal([]byte(c.scanned), &shown); err != nil {
				t.Fatal(err)
			}
			result := record.InquiryAnswer().PaymentResult
			if (shown.State == "paid") != (result.Status == alipayplus.StatusSucceeded) || shown.State != "open" && shown.ResultCode != "" && shown.ResultCode != string(result.Code) {
				t.Errorf("the app is told %v, Alipay+ %v", shown, result)
			}
		})
	}
}

// A payment that was never seen is not "processing": it has no result page.
func TestResultPageOfNothing(t *testing.T) {
	page := mpm.ResultPage{Record: payment.Record{Terms: payment.Terms{PaymentRequestID: "2025030101"}}}
	if text, err := json.Marshal(page); err == nil {
		t.Errorf("%s", text)
	}
}
