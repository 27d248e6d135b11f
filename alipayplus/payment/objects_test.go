package payment_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
	"github.com/alipayplus-mpp/alipayplus-go/internal/wire"
)

// decode reads a body the way the client and the handler do.
func decode[T any](body string) (v T, err error) {
	if err := wire.Check([]byte(body)); err != nil {
		return v, err
	}
	return v, wire.Decode([]byte(body), &v)
}

func timeAt(t *testing.T, text string) alipayplus.Time {
	t.Helper()
	at, err := alipayplus.ParseTime(text)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// decodedOrder is the part of userInitiatedPay's answer that this package owns.
type decodedOrder struct {
	PaymentRequestID   string                    `json:"paymentRequestId,omitzero"`
	Order              payment.Order             `json:"order,omitzero"`
	PaymentAmount      alipayplus.Amount         `json:"paymentAmount,omitzero"`
	PayToAmount        alipayplus.Amount         `json:"payToAmount,omitzero"`
	PaymentQuote       payment.Quote             `json:"paymentQuote,omitzero"`
	SurchargeInfo      payment.SurchargeInfo     `json:"surchargeInfo,omitzero"`
	PaymentFactor      payment.Factor            `json:"paymentFactor,omitzero"`
	PaymentPromoInfo   payment.PromoInfo         `json:"paymentPromoInfo,omitzero"`
	AuthorizationInfo  payment.AuthorizationInfo `json:"authorizationInfo,omitzero"`
	ActionForm         payment.ActionForm        `json:"actionForm,omitzero"`
	PaymentRedirectURL string                    `json:"paymentRedirectUrl,omitzero"`
}

// The shape of the documents' sample for merchant-presented mode: native names
// with Mcc instead of MCC, and a quote with a price in quotes.
func TestDecodedOrder(t *testing.T) {
	got, err := decode[decodedOrder](`{
	  "order":{
	    "referenceOrderId":"order-1", "orderDescription":"SHOES",
	    "orderAmount":{"value":"100","currency":"JPY"},
	    "merchant":{
	      "referenceMerchantId":"M1", "merchantMcc":"5411", "merchantName":"A shop",
	      "store":{"referenceStoreId":"S1","storeName":"A shop, branch 2","storeMcc":"5411"}
	    }
	  },
	  "paymentRequestId":"2020", "codeType":"ORDER_CODE",
	  "paymentAmount":{"value":"100","currency":"JPY"},
	  "payToAmount":{"value":"1000","currency":"KRW"},
	  "paymentQuote":{"quoteId":"1234567","quoteCurrencyPair":"JPY/KRW","quotePrice":"10.0000"},
	  "paymentFactor":{"isInStorePayment":"true"},
	  "actionForm":{"actionType":"HANDLE_BY_SDK","sdkActionPayload":"{\"a\":1}"},
	  "paymentRedirectURL":"https://example.com/back"
	}`)
	if err != nil {
		t.Fatal(err)
	}
	want := decodedOrder{
		PaymentRequestID: "2020",
		Order: payment.Order{
			ReferenceOrderID: "order-1",
			OrderDescription: "SHOES",
			OrderAmount:      alipayplus.Amount{Currency: "JPY", Minor: 100},
			Merchant: payment.Merchant{
				ReferenceMerchantID: "M1",
				MerchantMCC:         "5411",
				MerchantName:        "A shop",
				Store:               payment.Store{ReferenceStoreID: "S1", StoreName: "A shop, branch 2", StoreMCC: "5411"},
			},
		},
		PaymentAmount:      alipayplus.Amount{Currency: "JPY", Minor: 100},
		PayToAmount:        alipayplus.Amount{Currency: "KRW", Minor: 1000},
		PaymentQuote:       payment.Quote{QuoteID: "1234567", QuoteCurrencyPair: "JPY/KRW", QuotePrice: "10.0000"},
		PaymentFactor:      payment.Factor{IsInStorePayment: alipayplus.True},
		ActionForm:         payment.ActionForm{ActionType: "HANDLE_BY_SDK", SDKActionPayload: alipayplus.Conceal(`{"a":1}`)},
		PaymentRedirectURL: "https://example.com/back",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error("(-want +got)\n", diff)
	}
}

// Every member that the objects of a decoded order can have.
func TestEveryMember(t *testing.T) {
	const body = `{
	  "order":{
	    "referenceOrderId":"order-1","orderDescription":"SHOES","orderAmount":{"currency":"JPY","value":"100"},
	    "merchant":{
	      "referenceMerchantId":"M1","merchantMCC":"5411","merchantName":"A shop","merchantDisplayName":"Shop",
	      "merchantAddress":{"region":"JP","state":"13","city":"Tokyo","address1":"1-1","address2":"2F","zipCode":"100"},
	      "merchantRegisterDate":"2020-01-01T00:00:00+09:00",
	      "store":{
	        "referenceStoreId":"S1","storeName":"Branch","storeMCC":"5411","storeDisplayName":"B","storeTerminalId":"T1",
	        "storeOperatorId":"O1","storePhoneNo":"1","storeAddress":{"region":"JP"}
	      }
	    },
	    "goods":[{"referenceGoodsId":"G1","goodsName":"Shoe","goodsCategory":"a/b","goodsBrand":"X",
	      "goodsUnitAmount":{"currency":"JPY","value":"50"},"goodsQuantity":"2"}],
	    "shipping":{"shippingName":{"firstName":"A"},"shippingAddress":{"region":"JP"},"shippingCarrier":"C","shippingPhoneNo":"2"},
	    "buyer":{"referenceBuyerId":"B1","buyerName":{"firstName":"A","middleName":"B","lastName":"C","fullName":"A B C"},
	      "buyerPhoneNo":"3","buyerEmail":"a@example.com"},
	    "env":{"terminalType":"APP","osType":"IOS","userAgent":"UA","deviceTokenId":"D","clientIp":"192.0.2.1","cookieId":"K",
	      "storeTerminalId":"T1","storeTerminalRequestTime":"2024-01-01T00:00:00Z","extendInfo":"{}"},
	    "orderCreateTime":"2024-01-01T00:00:00Z","extendInfo":"{}"
	  },
	  "paymentRequestId":"2020",
	  "paymentAmount":{"currency":"JPY","value":"995"},
	  "payToAmount":{"currency":"HKD","value":"8518"},
	  "paymentQuote":{"quoteId":"Q","quoteCurrencyPair":"JPY/HKD","quotePrice":"8.5614","quoteStartTime":"2024-01-01T00:00:00Z",
	    "quoteExpiryTime":"2024-01-02T00:00:00Z","baseCurrency":"JPY","quoteUnit":"1"},
	  "surchargeInfo":{"surchargeAmount":{"currency":"HKD","value":"8916"},"surchargeQuote":{"quotePrice":"8.9614"}},
	  "paymentFactor":{"isInStorePayment":"true","isCashierPayment":"true","needSurcharge":"true","inStorePaymentScenario":"OrderCode",
	    "isAgreementPayment":"false","isEasyPayScenario":"false","isPaymentEvaluation":"false","isAuthorizationAndPay":"true",
	    "isAuthorizationPayment":"false","isDeferredPayment":"false","isCrossborderSettlement":"true","needCheckCompliance":"false",
	    "needOtpVerification":"false"},
	  "paymentPromoInfo":{"paymentPromoDetails":[{"promoId":"P","promoName":"N","promoType":"T","savingsAmount":{"currency":"HKD","value":"43"}}]},
	  "authorizationInfo":{"referenceAgreementId":"A","authClientId":"C","authState":"S"},
	  "actionForm":{"actionType":"HANDLE_BY_PSP","sdkActionPayload":"x"},
	  "paymentRedirectUrl":"https://example.com/back"
	}`
	got, err := decode[decodedOrder](body)
	if err != nil {
		t.Fatal(err)
	}
	again, err := wire.Encode(got)
	if err != nil {
		t.Fatal(err)
	}
	// A member that no field took, or a field of another name, would be
	// missing.
	if diff := cmp.Diff(members(t, []byte(body)), members(t, again)); diff != "" {
		t.Error("(-sent +kept)\n", diff)
	}
}

// The shapes of the documents' samples for Easy Pay.
func TestPayRequest(t *testing.T) {
	order := payment.Order{
		ReferenceOrderID: "order-1",
		OrderDescription: "A gift",
		OrderAmount:      alipayplus.Amount{Currency: "IDR", Minor: 50},
		Merchant: payment.Merchant{
			ReferenceMerchantID: "21", MerchantMCC: "5021", MerchantName: "A name", MerchantDisplayName: "A display name",
			MerchantAddress: payment.Address{Region: "SG"},
		},
	}
	const orderBody = `{"env":{},"merchant":{"merchantAddress":{"region":"SG"},"merchantDisplayName":"A display name",
		"merchantMCC":"5021","merchantName":"A name","referenceMerchantId":"21"},
		"orderAmount":{"currency":"IDR","value":"50"},"orderDescription":"A gift","referenceOrderId":"order-1"}`
	base := payment.PayRequest{
		AcquirerID:       "1022",
		PSPID:            "1023",
		PaymentRequestID: "2023",
		Order:            order,
		PaymentAmount:    alipayplus.Amount{Currency: "IDR", Minor: 50},
		PayToAmount:      alipayplus.Amount{Currency: "IDR", Minor: 50},
		PaymentMethod: payment.Method{
			PaymentMethodType: "ALIPAY_HK",
			PaymentMethodMetaData: payment.MethodMetaData{
				UserLoginID: alipayplus.Conceal("852-00000000"), UserLoginIDType: "MOBILE",
			},
		},
		PaymentFactor: payment.Factor{IsAgreementPayment: alipayplus.True, IsEasyPayScenario: alipayplus.True},
	}
	const shared = `"acquirerId":"1022","pspId":"1023","paymentRequestId":"2023","order":` + orderBody + `,
		"payToAmount":{"currency":"IDR","value":"50"},"paymentAmount":{"currency":"IDR","value":"50"},`

	evaluation := base
	evaluation.PaymentFactor.IsPaymentEvaluation = alipayplus.True
	creation := base
	creation.PaymentFactor.IsAuthorizationAndPay = alipayplus.True
	creation.AuthorizationInfo = payment.AuthorizationInfo{AuthClientID: "21", AuthState: alipayplus.Conceal("state"), ReferenceAgreementID: "2024"}
	creation.PaymentExpiryTime = timeAt(t, "2023-09-18T09:47:51+08:00")
	creation.PaymentRedirectURL = alipayplus.Conceal("https://example.com/x?data=a%2Bb%3D%3D&ps=EASY_PAY")
	creation.PassThroughInfo = alipayplus.Conceal(`{"buyerId":"b","gaid":"","securityCode":"****"}`)
	creation.ExtendInfo = alipayplus.Conceal(`{"isLocalSettlement":false}`)

	for _, c := range []struct {
		rule, body string
		want       payment.PayRequest
	}{
		{"an evaluation; an empty paymentMethodId is absent", `{` + shared + `
			"paymentFactor":{"isAgreementPayment":"true","isEasyPayScenario":"true","isPaymentEvaluation":"true"},
			"paymentMethod":{"paymentMethodId":"","paymentMethodMetaData":{"userLoginId":"852-00000000","userLoginIdType":"MOBILE"},
			"paymentMethodType":"ALIPAY_HK"}}`, evaluation},
		{"native booleans, and paymentMethodMetaData as JSON in a string", `{` + shared + `
			"paymentFactor":{"isAgreementPayment":true,"isEasyPayScenario":true,"isPaymentEvaluation":true},
			"paymentMethod":{"paymentMethodMetadata":"{\"userLoginId\":\"852-00000000\",\"userLoginIdType\":\"MOBILE\"}",
			"paymentMethodType":"ALIPAY_HK"}}`, evaluation},
		{"a creation that binds the account", `{` + shared + `
			"extendInfo":"{\"isLocalSettlement\":false}",
			"passThroughInfo":"{\"buyerId\":\"b\",\"gaid\":\"\",\"securityCode\":\"****\"}",
			"paymentExpiryTime":"2023-09-18T09:47:51+08:00",
			"authorizationInfo":{"authClientId":"21","authState":"state","referenceAgreementId":"2024"},
			"paymentFactor":{"isAgreementPayment":"true","isAuthorizationAndPay":"true","isEasyPayScenario":"true"},
			"paymentMethod":{"paymentMethodMetaData":{"userLoginId":"852-00000000","userLoginIdType":"MOBILE"},"paymentMethodType":"ALIPAY_HK"},
			"paymentRedirectUrl":"https://example.com/x?data=a%2Bb%3D%3D&ps=EASY_PAY"}`, creation},
	} {
		got, err := decode[payment.PayRequest](c.body)
		if err != nil {
			t.Errorf("%s: %v", c.rule, err)
			continue
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", c.rule, diff)
		}
	}
}

// What decides about money is checked on arrival, everything else is not.
func TestStrictness(t *testing.T) {
	const valid = `{"paymentRequestId":"1","paymentAmount":{"currency":"JPY","value":"1"},` +
		`"payToAmount":{"currency":"JPY","value":"1"},"paymentMethod":{"paymentMethodType":"X"}}`
	for _, c := range []struct {
		rule, from, to string
		refused        string
	}{
		{rule: "as it should be"},
		{rule: "no id", from: `"paymentRequestId":"1",`, refused: "paymentRequestId: missing"},
		{rule: "an empty id", from: `"paymentRequestId":"1"`, to: `"paymentRequestId":""`, refused: "paymentRequestId: missing"},
		{rule: "an amount with a fraction", from: `"value":"1"},"payTo`, to: `"value":"1.0"},"payTo`, refused: "paymentAmount"},
		{rule: "no amount to settle", from: `"payToAmount":{"currency":"JPY","value":"1"},`, refused: "payToAmount: missing"},
		{rule: "nobody who pays", from: `{"paymentMethodType":"X"}`, to: `{}`, refused: "paymentMethod: missing"},
		{rule: "a mode flag that is odd", from: `{"paymentRequestId"`, to: `{"paymentFactor":{"isPaymentEvaluation":"Y"},"paymentRequestId"`, refused: "isPaymentEvaluation"},
		{rule: "a surcharge that is odd", from: `{"paymentRequestId"`, to: `{"surchargeInfo":{"surchargeAmount":{"currency":"JPY","value":"-1"}},"paymentRequestId"`, refused: "surchargeAmount"},
		{rule: "a payment code that is odd", from: `{"paymentMethodType":"X"}`, to: `{"paymentMethodId":{"a":"b"}}`, refused: "paymentMethodId"},
		{rule: "a flag that nobody reads", from: `{"paymentRequestId"`, to: `{"paymentFactor":{"isDeferredPayment":"Y"},"paymentRequestId"`},
		{rule: "a quote that is odd", from: `{"paymentRequestId"`, to: `{"paymentQuote":{"quotePrice":"1E9"},"paymentRequestId"`},
		{rule: "an odd price of goods", from: `{"paymentRequestId"`, to: `{"order":{"goods":[{"goodsUnitAmount":{"value":"x"}}]},"paymentRequestId"`},
		{rule: "a name over its length", from: `{"paymentRequestId"`, to: `{"order":{"merchant":{"merchantMCC":"` + strings.Repeat("5", 40) + `"}},"paymentRequestId"`},
	} {
		_, err := decode[payment.PayRequest](strings.Replace(valid, c.from, c.to, 1))
		switch {
		case c.refused == "" && err != nil:
			t.Errorf("%s: refused: %v", c.rule, err)
		case c.refused != "" && (err == nil || !strings.Contains(err.Error(), c.refused)):
			t.Errorf("%s: got %v, want a refusal that names %s", c.rule, err, c.refused)
		}
	}
}
