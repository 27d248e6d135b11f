package alipayplus_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
	"github.com/alipayplus-mpp/alipayplus-go/internal/testkit"
)

const (
	inQuote = `{"quoteId":"Q","quoteCurrencyPair":"JPY/HKD","quotePrice":"8.5614","quoteStartTime":"2025-02-20T08:51:49+08:00",` +
		`"quoteExpiryTime":"2025-02-20T09:51:49+08:00","baseCurrency":"JPY","quoteUnit":"1"}`
	inAddress = `{"region":"JP","state":"13","city":"Tokyo","address1":"1","address2":"2","zipCode":"100"}`
	inName    = `{"firstName":"F","middleName":"M","lastName":"L","fullName":"F M L"}`
	inAmount  = `{"currency":"JPY","value":"995"}`

	// inPayBody has every member of pay, inRefundBody every one of refund.
	inPayBody = `{"acquirerId":"A","pspId":"P","paymentRequestId":"ID","paymentAmount":` + inAmount + `,"payToAmount":{"currency":"HKD","value":"8518"},
	"order":{"referenceOrderId":"O","orderDescription":"D","orderAmount":` + inAmount + `,"orderCreateTime":"2025-02-20T08:51:49+08:00","extendInfo":"{}",
	  "merchant":{"referenceMerchantId":"M","merchantMCC":"5021","merchantName":"N","merchantDisplayName":"D","merchantRegisterDate":"2020-01-01T00:00:00Z",
	    "merchantAddress":` + inAddress + `,"store":{"referenceStoreId":"S","storeName":"N","storeMCC":"5021","storeDisplayName":"D","storeTerminalId":"T",
	    "storeOperatorId":"O","storePhoneNo":"1","storeAddress":` + inAddress + `}},
	  "goods":[{"referenceGoodsId":"G","goodsName":"N","goodsCategory":"C","goodsBrand":"B","goodsUnitAmount":` + inAmount + `,"goodsQuantity":"1"}],
	  "shipping":{"shippingName":` + inName + `,"shippingAddress":` + inAddress + `,"shippingCarrier":"C","shippingPhoneNo":"1"},
	  "buyer":{"referenceBuyerId":"B","buyerName":` + inName + `,"buyerPhoneNo":"1","buyerEmail":"b@example.com"},
	  "env":{"terminalType":"APP","osType":"IOS","userAgent":"U","deviceTokenId":"D","clientIp":"192.0.2.1","cookieId":"C","storeTerminalId":"S",
	    "storeTerminalRequestTime":"2025-02-20T08:51:49+08:00","extendInfo":"{}"}},
	"paymentQuote":` + inQuote + `,"surchargeInfo":{"surchargeAmount":{"currency":"HKD","value":"8916"},"surchargeQuote":` + inQuote + `},
	"paymentMethod":{"paymentMethodType":"CONNECT_WALLET","paymentMethodId":"281666","customerId":"C",
	  "paymentMethodMetaData":{"paymentCodeRegion":"HK","userLoginId":"852-00000000","userLoginIdType":"MOBILE","authClientId":"AC"}},
	"paymentFactor":{"isInStorePayment":"true","isCashierPayment":"true","needSurcharge":"true","inStorePaymentScenario":"PaymentCode",
	  "isAgreementPayment":"true","isEasyPayScenario":"true","isPaymentEvaluation":"false","isAuthorizationAndPay":"true","isAuthorizationPayment":"true",
	  "isDeferredPayment":"true","isCrossborderSettlement":"true","needCheckCompliance":"true","needOtpVerification":"true"},
	"paymentExpiryTime":"2025-02-20T09:51:49+08:00","paymentNotifyUrl":"https://gateway.example/notify","paymentRedirectUrl":"https://shop.example/back",
	"paymentPromoInfo":{"paymentPromoDetails":[{"promoId":"1","promoName":"N","promoType":"T","savingsAmount":{"currency":"HKD","value":"43"}}]},
	"authorizationInfo":{"referenceAgreementId":"R","authClientId":"AC","authState":"S"},"passThroughInfo":"{}","extendInfo":"{}","unknownMember":"x"}`

	inRefundBody = `{"acquirerId":"A","pspId":"P","paymentRequestId":"PR","paymentId":"W","refundRequestId":"ID","refundAmount":` + inAmount + `,
	"refundFromAmount":{"currency":"HKD","value":"8518"},"refundQuote":` + inQuote + `,
	"surchargeInfo":{"surchargeAmount":{"currency":"HKD","value":"8916"},"surchargeQuote":` + inQuote + `},
	"refundPromoInfo":{"refundPromoDetails":[{"promoId":"1","promoName":"N","promoType":"T","refundAmount":{"currency":"HKD","value":"43"}}]},
	"extendInfo":"{}","unknownMember":"x"}`
)

// inLeaves returns the paths of all scalars below v.
func inLeaves(path string, v any, visit func(path string)) {
	switch v := v.(type) {
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			inLeaves(path+"/"+name, v[name], visit)
		}
	case []any:
		for i := range v {
			inLeaves(fmt.Sprintf("%s/%d", path, i), v[i], visit)
		}
	default:
		visit(path)
	}
}

// inWith returns body with the scalar at path replaced by what change returns,
// or left out if that is "".
func inWith(body, path string, change func(string) string) string {
	var message any
	if err := json.Unmarshal([]byte(body), &message); err != nil {
		panic(err)
	}
	at := message
	steps := strings.Split(path[1:], "/")
	for _, step := range steps[:len(steps)-1] {
		if list, ok := at.([]any); ok {
			at = list[0]
			continue
		}
		at = at.(map[string]any)[step]
	}
	members, last := at.(map[string]any), steps[len(steps)-1]
	if text := change(members[last].(string)); text != "" {
		members[last] = text
	} else {
		delete(members, last)
	}
	return string(testkit.Must(json.Marshal(message)))
}

// inChanged returns another value that is as valid as the one at path.
func inChanged(path, value string) string {
	switch {
	case value == "true":
		return "false"
	case strings.HasSuffix(path, "/currency"):
		return "EUR"
	case strings.HasSuffix(path, "/quotePrice"):
		return "8.5615"
	case strings.HasPrefix(value, "2025-"):
		return strings.Replace(value, "2025-", "2026-", 1)
	}
	return value + "9"
}

// inComplete complains about every field below v that is zero: the bodies above
// must have all members, so that a new one is looked at.
func inComplete(t *testing.T, path string, v reflect.Value) {
	t.Helper()
	if v.Kind() == reflect.Slice && v.Len() > 0 {
		v = v.Index(0)
	}
	if v.IsZero() && path != "pay.PaymentFactor.IsPaymentEvaluation" {
		t.Errorf("%s is not in the test's body", path)
	}
	for i := 0; v.Kind() == reflect.Struct && i < v.NumField(); i++ {
		if v.Type().Field(i).IsExported() {
			inComplete(t, path+"."+v.Type().Field(i).Name, v.Field(i))
		}
	}
}

func inHandlerFor[Req, Resp any](t *testing.T, op *alipayplus.Inbound[Req, Resp], answer func(n int) *Resp) (send func(body string) (alipayplus.Result, string), runs *int) {
	t.Helper()
	cfg := inConfig()
	cfg.Signer = testkit.Unverified{Version: "7"}
	runs = new(int)
	h := testkit.Must(alipayplus.NewHandler(cfg, op.Handle("/x", func(_ context.Context, r *Req) (*Resp, error) {
		if *runs++; *runs == 1 {
			inComplete(t, op.Name(), reflect.ValueOf(*r))
		}
		return answer(*runs), nil
	})))
	return func(body string) (alipayplus.Result, string) {
		w := inServe(h, inArrive("/x", body).request())
		if w.Code != 200 {
			t.Fatalf("HTTP %d %s", w.Code, w.Body)
		}
		return testkit.Must(inResultIn(w.Body.Bytes())), w.Body.String()
	}, runs
}

// A repeated request whose consistency fields differ is refused, in every way
// in which one can differ; a difference anywhere else changes nothing.
func TestConsistencyFields(t *testing.T) {
	send, runs := inHandlerFor(t, payment.Pay, func(n int) *payment.PayResponse {
		return &payment.PayResponse{PaymentID: fmt.Sprintf("W%d", n), PaymentTime: alipayplus.TimeOf(time.Now())}
	})
	inConsistency(t, "pay", inPayBody, []string{"/paymentRequestId", "/paymentFactor/isPaymentEvaluation"}, []string{
		"/paymentAmount/", "/payToAmount/", "/surchargeInfo/", "/paymentMethod/", "/paymentPromoInfo/",
	}, send, runs)
	send, runs = inHandlerFor(t, payment.Refund, func(n int) *payment.RefundResponse {
		return &payment.RefundResponse{RefundID: fmt.Sprintf("W%d", n), RefundTime: alipayplus.TimeOf(time.Now())}
	})
	inConsistency(t, "refund", inRefundBody, []string{"/refundRequestId"}, []string{
		"/paymentRequestId",
		"/refundAmount/", "/refundFromAmount/", "/surchargeInfo/", "/refundPromoInfo/",
	}, send, runs)
}

func inConsistency(t *testing.T, api, full string, keys, must []string, send func(string) (alipayplus.Result, string), runs *int) {
	t.Helper()
	_, first := send(full)
	refused, free, want := 0, 0, 1
	check := func(what, path, body, before string, conflict bool) {
		t.Helper()
		result, text := send(body)
		switch {
		case conflict && (result.Status != "F" || (result.Code != alipayplus.CodeRepeatReqInconsistent && result.Code != alipayplus.CodeParamIllegal)):
			t.Errorf("%s %s of %s: answered %v, want REPEAT_REQ_INCONSISTENT", path, what, api, result)
		case conflict && result.Code == alipayplus.CodeParamIllegal && what != "removed":
			t.Errorf("%s %s of %s: the test's value is not valid: %s", path, what, api, text)
		case what == "removed" && result.Code == alipayplus.CodeParamIllegal: // it is required
		case !conflict && text != before:
			t.Errorf("%s %s of %s: a false conflict: %s", path, what, api, text)
		}
		if *runs != want {
			t.Fatalf("%s %s of %s: the function ran", path, what, api)
		}
	}
	none := func(string) string { return "" }
	key := keys[0]
	one := func(path string, conflict bool) {
		t.Helper()
		without := inWith(full, path, none)
		check("changed", path, inWith(full, path, func(v string) string { return inChanged(path, v) }), first, conflict)
		check("removed", path, without, first, conflict)
		// Added: the first request did not have it.
		id := func(string) string { return "added-" + path }
		if result, before := send(inWith(without, key, id)); result.Status == "S" {
			want++
			check("added", path, inWith(full, key, id), before, conflict)
		} else if result.Code != alipayplus.CodeParamIllegal {
			t.Errorf("%s left out of %s: %v", path, api, result)
		}
	}
	var message any
	if err := json.Unmarshal([]byte(full), &message); err != nil {
		t.Fatal(err)
	}
	changed, without := full, full
	inLeaves("", message, func(path string) {
		switch {
		case slices.Contains(keys, path):
		case slices.ContainsFunc(must, func(prefix string) bool { return strings.HasPrefix(path, prefix) }):
			refused++
			one(path, true)
		default:
			free++
			if changed = inWith(changed, path, func(v string) string { return inChanged(path, v) }); path != "/paymentRequestId" {
				without = inWith(without, path, none)
			}
			if long || t.Failed() { // all of them together tell no less, but not which one
				one(path, false)
			}
		}
	})
	const all = "every member that may differ"
	id := func(string) string { return "added" }
	check("changed", all, changed, first, false)
	check("left out", all, without, first, false)
	_, before := send(inWith(without, key, id))
	want++
	check("added", all, inWith(full, key, id), before, false)
	if _, text := send(full); text != first {
		t.Errorf("%s: the first record was not kept: %s", api, text)
	}
	t.Logf("%s: %d members must not differ, %d may", api, refused, free)
}

// The same request in other words is the same request.
func TestSameInOtherWords(t *testing.T) {
	send, runs := inHandlerFor(t, payment.Pay, func(n int) *payment.PayResponse {
		return &payment.PayResponse{PaymentID: fmt.Sprintf("W%d", n), PaymentTime: alipayplus.TimeOf(time.Now())}
	})
	_, first := send(inPayBody)
	var message any
	if err := json.Unmarshal([]byte(inPayBody), &message); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ rule, from, to string }{
		{rule: "members in another order, other white space", from: inPayBody, to: string(testkit.Must(json.MarshalIndent(message, " ", "\t")))},
		{"a number as such", `"value":"8518"`, `"value":8518`},
		{"a price with more zeros", `"8.5614"`, `"08.56140"`},
		{"a price as a number", `"8.5614"`, `8.5614`},
		{"a time in another zone", `"2025-02-20T08:51:49+08:00"`, `"2025-02-20T00:51:49.000Z"`},
		{"letters as escapes", `"281666"`, `"\u0032\u0038\u0031666"`},
		{"an object in a string", `{"paymentCodeRegion":"HK","userLoginId":"852-00000000","userLoginIdType":"MOBILE","authClientId":"AC"}`,
			`"{\"paymentCodeRegion\":\"HK\",\"userLoginId\":\"852-00000000\",\"userLoginIdType\":\"MOBILE\",\"authClientId\":\"AC\"}"`},
		{"another spelling of a name", `"paymentMethodMetaData"`, `"paymentMethodMetadata"`},
		{"a new member in an object that must not differ", `"paymentMethod":{`, `"paymentMethod":{"newMember":"1",`},
	} {
		body := strings.ReplaceAll(inPayBody, c.from, c.to)
		if body == inPayBody {
			t.Errorf("%s: nothing was replaced", c.rule)
		}
		if result, text := send(body); text != first || *runs != 1 {
			t.Errorf("%s: %v, %d runs", c.rule, result, *runs)
		}
	}
	// An evaluation of the same id is another business, with an answer of its own.
	evaluation := strings.Replace(inPayBody, `"isPaymentEvaluation":"false"`, `"isPaymentEvaluation":"true"`, 1)
	if _, text := send(evaluation); text == first || *runs != 2 {
		t.Errorf("the evaluation got the payment's answer: %s", text)
	}
}

// A conflict is a conflict whatever the record's state is, and changes nothing.
func TestConflictInEveryState(t *testing.T) {
	const other = `{"id":"M1","amount":{"currency":"JPY","value":"101"}}`
	conflict := alipayplus.CodeRepeatReqInconsistent.Result()
	var h *alipayplus.Handler
	runs := 0
	h = testkit.Must(alipayplus.NewHandler(inConfig(), inMove.Handle(inMovePath, func(_ context.Context, r *inRequest) (*inResponse, error) {
		runs++
		if r.Amount.Minor != 100 {
			t.Errorf("the function got %v", r.Amount)
		}
		if got := inSend(t, h, other); got != conflict {
			t.Errorf("while it runs: %v", got)
		}
		if runs == 1 {
			return nil, context.DeadlineExceeded
		}
		return &inResponse{}, nil
	})))
	if got := inSend(t, h, inValid); got.Status != "U" {
		t.Fatal(got)
	}
	if got := inSend(t, h, other); got != conflict {
		t.Errorf("of an open record: %v", got)
	}
	if got := inSend(t, h, inValid); got.Status != "S" {
		t.Errorf("the open record was changed by a conflict: %v", got)
	}
	if got := inSend(t, h, other); got != conflict {
		t.Errorf("of an answered record: %v", got)
	}
	if got := inSend(t, h, inValid); got.Status != "S" || runs != 2 {
		t.Errorf("the answered record was changed by a conflict: %v, %d runs", got, runs)
	}
}

// An idempotency key that a store might cut, or none, is no key.
func TestKeysOfStores(t *testing.T) {
	h := testkit.Must(alipayplus.NewHandler(inConfig(), inMove.Handle(inMovePath, func(context.Context, *inRequest) (*inResponse, error) {
		return &inResponse{}, nil
	})))
	for n, want := range map[int]alipayplus.ResultCode{0: "PARAM_ILLEGAL", 256: "SUCCESS", 257: "PARAM_ILLEGAL", 1 << 19: "PARAM_ILLEGAL"} {
		if got := inSend(t, h, `{"id":"`+strings.Repeat("k", n)+`"}`); got.Code != want {
			t.Errorf("a key of %d bytes: %v, want %s", n, got, want)
		}
	}
}
