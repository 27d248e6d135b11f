package mpm_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/alipayplustest"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
	"github.com/alipayplus-mpp/alipayplus-go/mpm"
)

// members returns the members of a JSON object as encoding/json reads them into
// a map; sure is false if a name is known in another case alone.
func members(text []byte, known ...string) (all map[string]any, sure bool) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	if decoder.Decode(&all) != nil {
		return nil, true
	}
	for name := range all {
		for _, k := range known {
			if name != k && strings.EqualFold(name, k) {
				return all, false
			}
		}
	}
	return all, true
}

// Whatever an app sends: a payment is paid only if the request names it and its
// amount, and every answer is one of those that are documented.
func FuzzAppRequest(f *testing.F) {
	good := []byte(`{"paymentRequestId":"P1","amount":{"currency":"HKD","value":"8518"},"consent":false,"proof":"1234"}`)
	f.Add(true, "application/json", good)
	f.Add(true, "application/json", []byte(`{"paymentRequestId":"P1","amount":{"currency":"HKD","value":"8517"}}`))
	f.Add(true, "application/json", []byte(`{"paymentRequestId":"P1","amount":{"currency":"HKD","value":8518}}{}`))
	f.Add(true, "application/json", []byte(`{"paymentRequestId":"P2","amount":null}`))
	f.Add(false, "application/json; charset=utf-8", []byte(`{"code":"https://shop.example/"}`))
	f.Add(false, "text/plain", []byte(`{"code":1}`))
	f.Add(true, "", []byte{})
	gateway := alipayplustest.New(f)
	f.Fuzz(func(t *testing.T, confirm bool, contentType string, body []byte) {
		path := "/confirm"
		if !confirm {
			path = "/scan"
			if bytes.Contains(body, []byte("281")) {
				return // an order code, which would be decoded at the Gateway
			}
		}
		w := newWalletIn(t, "HKD", gateway, mpm.Config{})
		_, err := w.payments.Open(t.Context(), payment.Opened{Terms: payment.Terms{
			PaymentRequestID: "P1", PaymentID: "W1", CustomerID: "alice", CodeValueDigest: "d", Origin: "intercepted",
			Amounts: payment.Amounts{PaymentAmount: jpy(995), PayToAmount: hkd(8518)},
		}})
		if err != nil {
			t.Fatal(err)
		}
		answer := post(w.flow.Handler(bearer), path, string(body), media(contentType))
		var step map[string]any
		if err := json.Unmarshal(answer.Body.Bytes(), &step); err != nil {
			t.Fatalf("%q: %s", body, answer.Body)
		}
		text, _ := step["error"].(string)
		if want := map[int]string{200: "", 400: "bad_request", 404: "not_found", 409: "amount_changed", 413: "too_large", 415: "unsupported_media_type"}; want[answer.Code] != text || answer.Code == 503 || answer.Code >= 500 {
			t.Fatalf("%q: HTTP %d: %s", body, answer.Code, answer.Body)
		}
		paid := w.find(t, "P1").State == payment.StatePaid
		if !confirm {
			all, sure := members(body, "code")
			_, hasCode := all["code"]
			if paid || sure && !hasCode && answer.Code == 200 {
				t.Fatalf("%q: HTTP %d: %s", body, answer.Code, answer.Body)
			}
			return
		}
		if paid != (answer.Code == 200) || bytes.Equal(body, good) && contentType == "application/json" && !paid {
			t.Fatalf("%q: HTTP %d, paid %t", body, answer.Code, paid)
		}
		all, sure := members(body, "paymentRequestId", "amount")
		inner, _ := json.Marshal(all["amount"])
		amount, sureAmount := members(inner, "currency", "value")
		value := ""
		switch v := amount["value"].(type) {
		case string:
			value = v
		case json.Number:
			value = v.String()
		}
		if paid && sure && sureAmount && (all["paymentRequestId"] != "P1" || amount["currency"] != "HKD" || strings.TrimLeft(value, "0") != "8518") {
			t.Fatalf("%q pays", body)
		}
	})
}
