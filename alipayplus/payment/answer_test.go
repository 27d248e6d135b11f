package payment_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
)

// What Alipay+ reads, member by member.
func TestAnswers(t *testing.T) {
	in := func(list ...payment.Event) payment.Record {
		_, after, _, _ := events(list).run(t)
		return after
	}
	one := in(opened, confirmed, payment.Debited{Attempt: 1, At: time.Date(2025, 3, 1, 20, 0, 7, 5e8, time.FixedZone("", 8*60*60))})
	for _, c := range []struct {
		rule   string
		answer any
		want   string
	}{
		{"inquiry of a paid payment", one.InquiryAnswer(), `{
			"result":{"resultCode":"SUCCESS","resultStatus":"S"}, "paymentResult":{"resultCode":"SUCCESS","resultStatus":"S"},
			"paymentId":"our-1", "paymentTime":"2025-03-01T20:00:07+08:00", "customerId":"alice",
			"paymentAmount":{"currency":"JPY","value":"995"}, "payToAmount":{"currency":"HKD","value":"8518"}}`},
		{"inquiry of an open payment", in(opened).InquiryAnswer(), `{
			"result":{"resultCode":"SUCCESS","resultStatus":"S"}, "paymentResult":{"resultCode":"PAYMENT_IN_PROCESS","resultStatus":"U"},
			"paymentId":"our-1"}`},
		{"inquiry of a failed payment", in(opened, confirmed, refused).InquiryAnswer(), `{
			"result":{"resultCode":"SUCCESS","resultStatus":"S"}, "paymentResult":{"resultCode":"RISK_REJECT","resultStatus":"F"},
			"paymentId":"our-1"}`},
		{"inquiry of an order never seen", payment.Record{}.InquiryAnswer(), `{"result":{"resultCode":"ORDER_NOT_EXIST","resultStatus":"F"}}`},
		{"pay, paid", one.PayAnswer(), `{
			"result":{"resultCode":"SUCCESS","resultStatus":"S"},
			"paymentId":"our-1", "paymentTime":"2025-03-01T20:00:07+08:00", "customerId":"alice"}`},
		{"pay, Easy Pay creation", in(openedEasy).PayAnswer(), `{
			"result":{"resultCode":"PAYMENT_IN_PROCESS","resultStatus":"U"},
			"paymentId":"our-1", "customerId":"alice", "paymentUrl":"https://wallet.example/verify/1"}`},
		{"pay, Easy Pay creation repeated when paid: never S", in(openedEasy, tried, verified, debited).PayAnswer(), `{
			"result":{"resultCode":"PAYMENT_IN_PROCESS","resultStatus":"U"},
			"paymentId":"our-1", "customerId":"alice", "paymentUrl":"https://wallet.example/verify/1"}`},
		{"pay, one-click, refused", in(oneClick, confirmed, retry, oneClick, confirmed).PayAnswer(), `{
			"result":{"resultCode":"USER_BALANCE_NOT_ENOUGH","resultStatus":"F"}, "paymentId":"our-1", "customerId":"alice"}`},
		{"pay, cancelled while the debit runs", in(oneClick, confirmed, cancelled, confirmed).PayAnswer(), `{
			"result":{"resultCode":"PAYMENT_IN_PROCESS","resultStatus":"U"}, "paymentId":"our-1", "customerId":"alice"}`},
		{"pay after the cancellation", in(cancelled, openedEasy).PayAnswer(), `{"result":{"resultCode":"ORDER_IS_CLOSED","resultStatus":"F"}}`},
		{"pay, never seen", payment.Record{}.PayAnswer(), `{"result":{"resultCode":"UNKNOWN_EXCEPTION","resultStatus":"U"}}`},
		{"refund, credited", in(opened, confirmed, debited, part, credited("refund/2025/r1")).RefundAnswer("r1"), `{
			"result":{"resultCode":"SUCCESS","resultStatus":"S"}, "refundId":"our-r1", "refundTime":"2025-03-01T13:00:00+00:00"}`},
		{"refund, not yet credited", in(opened, confirmed, debited, part).RefundAnswer("r1"), `{"result":{"resultCode":"UNKNOWN_EXCEPTION","resultStatus":"U"}}`},
		{"refund that rounds to nothing", in(opened, confirmed, debited, refundOf("r0", 1, 0, 0)).RefundAnswer("r0"), `{
			"result":{"resultCode":"SUCCESS","resultStatus":"S"}, "refundId":"our-r0", "refundTime":"2025-03-01T13:00:00+00:00"}`},
		{"refund, never accepted", in(opened, confirmed, debited).RefundAnswer("r1"), `{"result":{"resultCode":"UNKNOWN_EXCEPTION","resultStatus":"U"}}`},
		{"notification of S", body(t, one), `{
			"paymentResult":{"resultCode":"SUCCESS","resultStatus":"S"}, "paymentRequestId":"2025", "paymentId":"our-1",
			"paymentTime":"2025-03-01T20:00:07+08:00", "customerId":"alice",
			"paymentAmount":{"currency":"JPY","value":"995"}, "payToAmount":{"currency":"HKD","value":"8518"}}`},
		{"notification of F", body(t, in(opened, confirmed, refused)), `{
			"paymentResult":{"resultCode":"RISK_REJECT","resultStatus":"F"}, "paymentRequestId":"2025"}`},
		{"a wallet's own code is F as well", body(t, in(opened, confirmed, payment.Refused{Attempt: 1, Code: "TOO_MUCH_TODAY"})), `{
			"paymentResult":{"resultCode":"TOO_MUCH_TODAY","resultStatus":"F"}, "paymentRequestId":"2025"}`},
		{"refused without a code", body(t, in(opened, confirmed, payment.Refused{Attempt: 1})), `{
			"paymentResult":{"resultCode":"PROCESS_FAIL","resultStatus":"F"}, "paymentRequestId":"2025"}`},
	} {
		text, err := alipayplus.Marshal(c.answer)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(members(t, []byte(c.want)), members(t, text)); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", c.rule, diff)
		}
	}
}

func body(t *testing.T, r payment.Record) json.RawMessage {
	t.Helper()
	m, ok := r.Notification()
	if !ok {
		t.Fatalf("no notification in state %s", r.State)
	}
	return []byte(m.Body.Reveal())
}

// The notification goes where the order says, else to the default path.
func TestNotificationAddress(t *testing.T) {
	_, addressed, _, _ := events{opened, confirmed, debited}.run(t)
	if m, _ := addressed.Notification(); m.URL != terms().NotifyURL || m.Operation != "notifyPayment" || m.Key != orderID {
		t.Errorf("%q %q %q", m.URL, m.Operation, m.Key)
	}
	plain := opened
	plain.NotifyURL = ""
	_, unaddressed, _, _ := events{plain, confirmed, debited}.run(t)
	if m, _ := unaddressed.Notification(); m.URL != "" || m.Path != "/aps/api/v1/payments/notifyPayment" {
		t.Errorf("%q %q", m.URL, m.Path)
	}
}

// A notification made by hand cannot say U, nor S without what S needs.
func TestNotifyPaymentRules(t *testing.T) {
	whole := payment.NotifyPaymentRequest{
		PaymentResult: alipayplus.CodeSuccess.Result(), PaymentRequestID: "1", PaymentID: "2",
		PaymentTime: alipayplus.TimeOf(noon), PaymentAmount: jpy(1), PayToAmount: jpy(1), CustomerID: "c",
	}
	for _, c := range []struct {
		rule   string
		change func(*payment.NotifyPaymentRequest)
		wrong  string
	}{
		{"as it should be", func(*payment.NotifyPaymentRequest) {}, ""},
		{"F needs no more than the id", func(r *payment.NotifyPaymentRequest) {
			*r = payment.NotifyPaymentRequest{PaymentResult: alipayplus.CodeRiskReject.Result(), PaymentRequestID: "1"}
		}, ""},
		{"U", func(r *payment.NotifyPaymentRequest) { r.PaymentResult = alipayplus.CodePaymentInProcess.Result() }, "neither S nor F"},
		{"no result", func(r *payment.NotifyPaymentRequest) { r.PaymentResult = alipayplus.Result{} }, "paymentResult"},
		{"no paymentRequestId", func(r *payment.NotifyPaymentRequest) { r.PaymentRequestID = "" }, "paymentRequestId"},
		{"S without paymentId", func(r *payment.NotifyPaymentRequest) { r.PaymentID = "" }, "without paymentId"},
		{"S without paymentTime", func(r *payment.NotifyPaymentRequest) { r.PaymentTime = alipayplus.Time{} }, "paymentTime"},
		{"S without paymentAmount", func(r *payment.NotifyPaymentRequest) { r.PaymentAmount = alipayplus.Amount{} }, "paymentAmount"},
		{"S without customerId", func(r *payment.NotifyPaymentRequest) { r.CustomerID = "" }, "customerId"},
		{"an id over 64 characters", func(r *payment.NotifyPaymentRequest) { r.PaymentID = strings.Repeat("x", 65) }, "paymentId"},
	} {
		r := whole
		c.change(&r)
		_, err := payment.NotifyPayment.Prepare(&r)
		if (err == nil) != (c.wrong == "") || err != nil && !strings.Contains(err.Error(), c.wrong) {
			t.Errorf("%s: %v", c.rule, err)
		}
	}
}

// The terms of a payment are all that a pay request says of them.
func TestTermsOfPayRequest(t *testing.T) {
	request := payment.PayRequest{
		PaymentRequestID:   "1",
		PaymentAmount:      jpy(995),
		PayToAmount:        hkd(8518),
		PaymentQuote:       payment.Quote{QuoteID: "Q"},
		SurchargeInfo:      payment.SurchargeInfo{SurchargeAmount: hkd(8916)},
		PaymentPromoInfo:   payment.PromoInfo{PaymentPromoDetails: []payment.PromoDetail{{PromoID: "P"}}},
		Order:              payment.Order{ReferenceOrderID: "O"},
		PaymentExpiryTime:  alipayplus.TimeOf(noon),
		PaymentNotifyURL:   "https://example.com/n",
		PaymentRedirectURL: alipayplus.Conceal("https://example.com/r"), AcquirerID: "ACQ", PSPID: "PSP",
		AuthorizationInfo: payment.AuthorizationInfo{AuthClientID: "A"},
	}
	want := payment.Terms{
		PaymentRequestID: "1",
		Amounts: payment.Amounts{
			PaymentAmount: request.PaymentAmount, PayToAmount: request.PayToAmount, PaymentQuote: request.PaymentQuote,
			SurchargeInfo: request.SurchargeInfo, PaymentPromoInfo: request.PaymentPromoInfo,
		},
		Order:       request.Order,
		ExpiryTime:  request.PaymentExpiryTime,
		NotifyURL:   request.PaymentNotifyURL,
		RedirectURL: request.PaymentRedirectURL, AcquirerID: "ACQ", PSPID: "PSP",
	}
	// Nobody asked for the account to be bound.
	if diff := cmp.Diff(want, request.Terms()); diff != "" {
		t.Error("(-want +got)\n", diff)
	}
	request.PaymentFactor.IsAuthorizationAndPay = alipayplus.True
	want.AuthorizationInfo = request.AuthorizationInfo
	if diff := cmp.Diff(want, request.Terms()); diff != "" {
		t.Error("(-want +got)\n", diff)
	}
}
