package easypay_test

import (
	"bytes"
	"context"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
	"github.com/alipayplus-mpp/alipayplus-go/auth"
	"github.com/alipayplus-mpp/alipayplus-go/easypay"
	"github.com/alipayplus-mpp/alipayplus-go/internal/testkit"
)

// The samples of the Easy Pay guide, with other ids. They break the rules of
// the protocol in ways that must not matter: empty strings and objects, names
// in another case, an amount of a kind that Alipay+ rules out.
const (
	evaluationSample = `{
		"acquirerId":"1022000000000000001",
		"order":{"merchant":{"merchantAddress":{"region":"SG"},"merchantDisplayName":"n","merchantMCC":"5021","merchantName":"n","referenceMerchantId":"M1"},
			"orderAmount":{"currency":"IDR","value":"50"},"orderDescription":"d","referenceOrderId":"o"},
		"payToAmount":{"currency":"IDR","value":"50"},
		"paymentAmount":{"currency":"IDR","value":"50"},
		"paymentFactor":{"isAgreementPayment":"true","isEasyPayScenario":"true","isPaymentEvaluation":"true"},
		"paymentMethod":{"paymentMethodId":"","paymentMethodMetaData":{"userLoginId":"852-90000000","userLoginIdType":"MOBILE"},"paymentMethodType":"ALIPAY_HK"},
		"paymentRequestId":"PR1","pspId":"1022000000000000000"}`
	sampleURL      = "https://ac.example/page/doubleFA/index.html?paymentSessionData=n5xHy7LlExD8%2BaNKekkKwPm%2FotYQ3Ujg%3D%3D%26%26SG%26%26188&ps=EASY_PAY&pmct=WALLET&psv=2.0&app=app&en_US=en_US"
	creationSample = `{
		"acquirerId":"1022000000000000001",
		"extendInfo":"{\"fxRateBizScene\":\"COMMON_QUOTE\",\"isLocalSettlement\":false,\"acqSiteMerchantInfo\":{\"merchantId\":\"M1\"}}",
		"order":{"env":{},"merchant":{"merchantAddress":{"region":"SG"},"merchantDisplayName":"n","merchantMCC":"5021","merchantName":"n","referenceMerchantId":"M1"},
			"orderAmount":{"currency":"IDR","value":"50"},"orderDescription":"d","referenceOrderId":"o"},
		"passThroughInfo":"{\"buyerId\":\"b\",\"gaid\":\"\",\"pinRedirectUrl\":\"` + sampleURL + `\",\"renderGroup\":\"h5\",\"securityCode\":\"****\"}",
		"payToAmount":{"currency":"IDR","value":"50"},
		"paymentAmount":{"currency":"IDR","value":"50"},
		"paymentExpiryTime":"2033-09-18T09:47:51+08:00",
		"authorizationInfo":{"authClientId":"M1","authState":"S1","referenceAgreementId":"AG1"},
		"paymentFactor":{"isAgreementPayment":"true","isAuthorizationAndPay":"true","isEasyPayScenario":"true"},
		"paymentMethod":{"paymentMethodMetaData":{"userLoginId":"852-90000000","userLoginIdType":"MOBILE"},"paymentMethodType":"ALIPAY_HK"},
		"paymentRequestId":"PR2","pspId":"1022000000000000000",
		"paymentRedirectUrl":"` + sampleURL + `"}`
)

// Each sample as it is, and as another revision of the documents has it.
func TestSampleRequests(t *testing.T) {
	const evaluated = `{"result":{"resultCode":"SUCCESS","resultStatus":"S"},"customerId":"customer-1"}`
	const page = `{"result":{"resultCode":"PAYMENT_IN_PROCESS","resultStatus":"U"},"paymentId":"`
	for _, row := range []struct{ rule, sample, old, new, want string }{
		{"evaluation", evaluationSample, "", "", evaluated},
		{"the prose has another name for the metadata", evaluationSample, "paymentMethodMetaData", "paymentMethodMetadata", evaluated},
		{"native booleans", evaluationSample, `"true"`, `true`, evaluated},
		{"creation", creationSample, "", "", page},
		{"an empty paymentRedirectUrl is an absent one", creationSample, `"paymentRedirectUrl":"` + sampleURL + `"`, `"paymentRedirectUrl":""`, page},
		{"the prose has another name for paymentRedirectUrl", creationSample, `"paymentRedirectUrl"`, `"paymentRedirectURL"`, page},
		{"an empty flag is an absent one", creationSample, `"isEasyPayScenario":"true"`, `"isEasyPayScenario":"true","isPaymentEvaluation":""`, page},
		{"a flag that is neither true nor false", creationSample, `"isEasyPayScenario":"true"`, `"isEasyPayScenario":"yes"`, `PARAM_ILLEGAL`},
	} {
		t.Run(row.rule, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, false, mistake{}, "IDR")
				var asked easypay.Account
				w.with(func(c *easypay.Config) {
					c.Account = func(_ context.Context, a easypay.Account) (string, error) { asked = a; return customerID, nil }
				})
				body := strings.ReplaceAll(row.sample, row.old, row.new)
				raw, err := w.gateway.Exchange(w.handler, w.gateway.NewRequest(w.Context(), payPath, []byte(body)))
				if err != nil || !strings.Contains(string(raw), row.want) {
					t.Fatalf("%s, %v; want %s", raw, err, row.want)
				}
				if row.want != "PARAM_ILLEGAL" && (asked.UserLoginID.Reveal() != loginID || asked.UserLoginIDType != "MOBILE") {
					t.Error("the user is lost")
				}
				if row.want != page {
					return
				}
				var answer payment.PayResponse
				if err := json.Unmarshal(raw, &answer); err != nil {
					t.Fatal(err)
				}
				w.open(&answer)
				opened, err := w.easypay.Page(w.Context(), w.link())
				terms := opened.Record.Terms
				if err != nil || terms.AuthorizationInfo.ReferenceAgreementID != "AG1" || terms.AuthorizationInfo.AuthClientID != "M1" ||
					terms.AuthorizationInfo.AuthState.Reveal() != "S1" || terms.Order.Merchant.MerchantMCC != "5021" ||
					terms.Amounts.PaymentAmount != (alipayplus.Amount{Currency: "IDR", Minor: 50}) {
					t.Errorf("something of the creation is lost: %+v, %v", terms, err)
				}
				w.is("right PIN", w.enters(true), "paid 0/0 "+sampleURL+"&status=success")
			})
		})
	}
}

// The sample answers of pay, read by whoever plays Alipay+: nothing in them is
// S.
func TestSampleAnswersOfPay(t *testing.T) {
	for _, row := range []struct {
		rule, sample string
		want         payment.PayResponse
	}{
		{"resultInfo, without a status", `{"paymentRequestId":"PR1","pspId":"P1","customerId":"C1","payToAmount":{"currency":"HKD","value":"50"},
			"acquirerId":"A1","resultInfo":{"resultCodeId":"IPAY_RS_100000200","resultMsg":"success"}}`,
			payment.PayResponse{CustomerID: "C1"}},
		{"a status in lower case", `{"customerId":"C1","paymentUrl":"http://wallet.example/#/mic/entry?verifyId=1","paymentId":"W1",
			"result":{"resultCode":"PAYMENT_IN_PROCESS","resultMessage":"payment in process","resultStatus":"u"}}`,
			payment.PayResponse{
				Result:    alipayplus.Result{Code: alipayplus.CodePaymentInProcess, Status: "u", Message: "payment in process"},
				PaymentID: "W1", CustomerID: "C1", PaymentURL: alipayplus.Conceal("http://wallet.example/#/mic/entry?verifyId=1"),
			}},
	} {
		var got payment.PayResponse
		if err := json.Unmarshal([]byte(row.sample), &got); err != nil || !reflect.DeepEqual(got, row.want) {
			t.Errorf("%s: %+v, %v", row.rule, got, err)
		}
		if s := got.Result.Status; s == alipayplus.StatusSucceeded || s == alipayplus.StatusFailed {
			t.Errorf("%s: status %s decides", row.rule, s)
		}
	}
}

// Answers of Alipay+ to authNotify with the mistakes of the samples: only
// exactly S acknowledges, only exactly F refuses, and everything else is asked
// again.
func TestSampleAnswersOfAuthNotify(t *testing.T) {
	theirs := testkit.Keys().Alipay
	alipay := testkit.Must(alipayplus.NewSigner("1", theirs))
	w := newWorld(t, false, mistake{}, "HKD")
	for _, row := range []struct {
		rule, answer string
		want         alipayplus.Outcome
	}{
		{"the sample", `{"result":{"resultCode":"SUCCESS","resultStatus":"S","resultMessage":"success"},"acquirerId":"A1","pspId":"P1"}`, alipayplus.OutcomeSucceeded},
		{"resultInfo without a status", `{"resultInfo":{"resultCodeId":"SUCCESS","resultMsg":"success"}}`, alipayplus.OutcomeUnknown},
		{"resultInfo of the sample", `{"resultInfo":{"resultCodeId":"IPAY_RS_100000200","resultMsg":"success"}}`, alipayplus.OutcomeUnknown},
		{"a code without a status", `{"result":{"resultCode":"SUCCESS","resultMessage":"success"}}`, alipayplus.OutcomeUnknown},
		{"an empty status", `{"result":{"resultCode":"SUCCESS","resultStatus":""}}`, alipayplus.OutcomeUnknown},
		{"u", `{"result":{"resultCode":"UNKNOWN_EXCEPTION","resultStatus":"u"}}`, alipayplus.OutcomeUnknown},
		{"s", `{"result":{"resultCode":"SUCCESS","resultStatus":"s"}}`, alipayplus.OutcomeUnknown},
		{"f", `{"result":{"resultCode":"ACCESS_DENIED","resultStatus":"f"}}`, alipayplus.OutcomeUnknown},
		{"status and message swapped", `{"result":{"resultCode":"SUCCESS","resultStatus":"success","resultMessage":"S"}}`, alipayplus.OutcomeUnknown},
		{"no result", `{}`, alipayplus.OutcomeUnknown},
		{"F", `{"result":{"resultCode":"KEY_NOT_FOUND","resultStatus":"F"}}`, alipayplus.OutcomeFailed},
	} {
		cfg := w.gateway.Config()
		cfg.Retry = alipayplus.NoRetry
		cfg.Keys = testkit.Must(alipayplus.NewKeyRing(map[string]*rsa.PublicKey{"1": &theirs.PublicKey}))
		cfg.Transport = roundTrip(func(r *http.Request) (*http.Response, error) {
			content := alipayplus.Content{
				Method: r.Method, Target: r.URL.RequestURI(), ClientID: cfg.ClientID,
				Time: time.Now().UTC().Format(time.RFC3339), Body: []byte(row.answer),
			}
			return &http.Response{StatusCode: http.StatusOK, Header: http.Header{
				"Client-Id": {content.ClientID}, "Response-Time": {content.Time},
				"Signature": {testkit.Must(content.Sign(r.Context(), alipay))}, "Content-Type": {"application/json"},
			}, Body: io.NopCloser(bytes.NewReader(content.Body)), ContentLength: int64(len(content.Body))}, nil
		})
		_, err := auth.AuthNotify.Call(t.Context(), testkit.Must(alipayplus.NewClient(cfg)), &auth.AuthNotifyRequest{Notification: auth.TokenCreated{
			AuthClientID: "M1", ReferenceAgreementID: "AG1", AccessToken: alipayplus.Conceal("token"),
			AccessTokenExpiryTime: alipayplus.TimeOf(time.Now().Add(time.Hour)),
		}})
		if got := alipayplus.OutcomeOf(err); got != row.want {
			t.Errorf("%s: %v, %v; want %v", row.rule, got, err, row.want)
		}
		if errors.Is(err, alipayplus.ErrSignature) {
			t.Errorf("%s: the answer does not verify: this shows nothing", row.rule)
		}
	}
}

// The sample of authNotify lacks authorizationNotifyType and
// referenceAgreementId. It is read as what it is, and is never written like
// that.
func TestSampleOfAuthNotify(t *testing.T) {
	const sample = `{"accessToken":"2816660352710421693892531000Example","accessTokenExpiryTime":"2033-09-02T13:41:58+08:00",
		"acquirerId":"A1","customerId":"C1","pspId":"P1","refreshToken":"28166603eC8gWOrn6Example","refreshTokenExpiryTime":"2033-09-02T13:41:58+08:00",
		"result":{"resultCode":"SUCCESS","resultMessage":"Success","resultStatus":"S"},"userLoginId":"62-857****6473",
		"walletForAccountBinding":{"walletBrandName":"W","walletLogo":{"logoName":"W","logoUrl":"https://wallet.example/w.svg"},"walletName":"W","walletRegion":"ID"}}`
	var r auth.AuthNotifyRequest
	if err := json.Unmarshal([]byte(sample), &r); err != nil {
		t.Fatal(err)
	}
	created, ok := r.Notification.(auth.TokenCreated)
	if !ok || created.AccessToken.Reveal() != "2816660352710421693892531000Example" || created.Wallet.WalletRegion != "ID" ||
		created.UserLoginID.Reveal() != "62-857****6473" || created.Result.Status != alipayplus.StatusSucceeded {
		t.Fatalf("the sample is read as %T %v", r.Notification, r.Notification)
	}
	var invalid *alipayplus.ValidationError
	if _, err := auth.AuthNotify.Prepare(&r); !errors.As(err, &invalid) {
		t.Errorf("it can be sent without referenceAgreementId and authClientId: %v", err)
	}
	created.AuthClientID, created.ReferenceAgreementID = "M1", "AG1"
	m, err := auth.AuthNotify.Prepare(&auth.AuthNotifyRequest{Notification: created})
	if err != nil || !strings.Contains(m.Body.Reveal(), `"authorizationNotifyType":"TOKEN_CREATED"`) {
		t.Errorf("sent without its type: %v", err)
	}
}
