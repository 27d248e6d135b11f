package main

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"testing"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/alipayplustest"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
	"github.com/alipayplus-mpp/alipayplus-go/auth"
)

// pay is a pay request over HKD 58.00.
func pay(id string, change func(*payment.PayRequest)) *payment.PayRequest {
	r := &payment.PayRequest{
		AcquirerID: "A1", PSPID: "P1", PaymentRequestID: id,
		Order:         payment.Order{Merchant: payment.Merchant{MerchantName: "Example <Shoes>", ReferenceMerchantID: "SHOES"}},
		PaymentAmount: alipayplus.Amount{Currency: "SGD", Minor: 1000},
		PayToAmount:   alipayplus.Amount{Currency: "HKD", Minor: 5800},
		PaymentMethod: payment.Method{PaymentMethodType: "CONNECT_WALLET", PaymentMethodMetaData: payment.MethodMetaData{
			UserLoginID: alipayplus.Conceal(phone), UserLoginIDType: "MOBILE",
		}},
		PaymentFactor:      payment.Factor{IsAgreementPayment: alipayplus.True, IsEasyPayScenario: alipayplus.True},
		PaymentRedirectURL: alipayplus.Conceal("https://pay.example/result?session=%2B"),
	}
	change(r)
	return r
}

func consent(r *payment.PayRequest) {
	r.PaymentFactor.IsAuthorizationAndPay = alipayplus.True
	r.AuthorizationInfo = payment.AuthorizationInfo{ReferenceAgreementID: "AG1", AuthClientID: "SHOES-CLIENT", AuthState: alipayplus.Conceal("S1")}
}

// browse is the user on the verification page; do "" opens it.
func (w *world) browse(page, do, pin string) (status int, location, text string) {
	w.Helper()
	if do == "" {
		return w.http(http.MethodGet, page, "", nil, "")
	}
	return w.http(http.MethodPost, page, "application/x-www-form-urlencoded", []byte(url.Values{"do": {do}, "pin": {pin}}.Encode()), "")
}

// authorizations are what alice's app shows.
func (w *world) authorizations() (found []authorization) {
	w.Helper()
	status, _, text := w.http(http.MethodGet, w.site+"/app/authorizations/", "", nil, alice)
	if err := json.Unmarshal([]byte(text), &found); err != nil || status != http.StatusOK {
		w.Fatalf("authorizations: HTTP %d, %s", status, text)
	}
	return found
}

func (w *world) unbind(id, customer string) int {
	w.Helper()
	status, _, _ := w.http(http.MethodDelete, w.site+"/app/authorizations/"+id, "", nil, customer)
	return status
}

// The whole life of Easy Pay: evaluation, creation with consent, the
// verification page, one click, and the end of the authorization. The network
// fails, requests come twice, and the wallet's process is a new one after each
// step.
func TestEasyPay(t *testing.T) {
	each(t, func(w *world) {
		evaluation := pay("PR0", func(r *payment.PayRequest) { r.PaymentFactor.IsPaymentEvaluation = alipayplus.True })
		w.is("evaluation", send(w, payment.Pay, evaluation).Result.Error(), "S SUCCESS")
		w.is("of a stranger", send(w, payment.Pay, pay("PR00", func(r *payment.PayRequest) {
			r.PaymentFactor.IsPaymentEvaluation = alipayplus.True
			r.PaymentMethod.PaymentMethodMetaData.UserLoginID = alipayplus.Conceal("852-91111111")
		})).Result.Error(), "F USER_NOT_EXIST")

		creation := pay("PR1", consent)
		created := send(w, payment.Pay, creation)
		w.is("creation", created.Result.Error(), "U PAYMENT_IN_PROCESS")
		w.restart()
		if again := send(w, payment.Pay, creation); !reflect.DeepEqual(created, again) {
			w.Errorf("%v, and again %v", created, again)
		}
		page := created.PaymentURL.Reveal()
		status, _, text := w.browse(page, "", "")
		if status != http.StatusOK || !strings.Contains(text, "Example &lt;Shoes&gt;: HKD 58.00") || !strings.Contains(text, "3 tries left") || !strings.Contains(text, "one click") {
			w.Errorf("the page: HTTP %d, %s", status, text)
		}
		status, _, _ = w.browse(w.site+"/verify/PR1", "", "")
		w.is("a link that nobody made", status, http.StatusNotFound)

		status, _, text = w.browse(page, "pay", "0000")
		w.is("wrong PIN", status, http.StatusOK)
		w.is("tries", strings.Contains(text, "2 tries left"), true)
		w.restart()
		w.is("inquiry meanwhile", w.inquire("PR1"), "U PAYMENT_IN_PROCESS")
		w.gateway.Fail(payment.NotifyPayment, alipayplustest.Tamper())
		w.gateway.Fail(auth.AuthNotify, alipayplustest.Unknown(alipayplus.CodeUnknownException))
		for range 2 { // the second time is a user who comes back
			status, location, _ := w.browse(page, "pay", "1234")
			w.is("right PIN", status, http.StatusSeeOther)
			w.is("way back", location, "https://pay.example/result?session=%2B&status=success")
		}
		w.until("authNotify", func() bool { return len(w.gateway.Calls(auth.AuthNotify)) > 0 })
		w.restart()
		w.is("balance", w.balance("HKD"), int64(start-5800))
		w.is("inquiry", w.inquire("PR1"), "S SUCCESS")

		var token auth.TokenCreated
		w.until("TOKEN_CREATED", func() bool {
			select {
			case token = <-w.created:
				return true
			default:
				return false
			}
		})
		w.is("whose token", token.CustomerID+" "+token.ReferenceAgreementID, alice+" AG1")
		w.is("Alipay+ is told", w.result("PR1"), "S SUCCESS")

		tap := func(id string) *payment.PayRequest {
			return pay(id, func(r *payment.PayRequest) { r.PaymentMethod.PaymentMethodID = token.AccessToken })
		}
		first := send(w, payment.Pay, tap("PR2"))
		w.is("one click", first.Result.Error(), "S SUCCESS")
		w.restart()
		if again := send(w, payment.Pay, tap("PR2")); !reflect.DeepEqual(first, again) {
			w.Errorf("%v, and again %v", first, again)
		}
		w.is("Alipay+ is told of it", w.result("PR2"), "S SUCCESS")
		w.is("balance after one click", w.balance("HKD"), int64(start-2*5800))

		w.endsAuthorization(token)
		w.is("a dead token", send(w, payment.Pay, tap("PR3")).Result.Error(), "F INVALID_TOKEN")
		w.is("a paid order, again", send(w, payment.Pay, tap("PR2")).Result.Error(), "S SUCCESS")
		w.is("balance in the end", w.balance("HKD"), int64(start-2*5800))
		w.is("balance of the other account", w.balance("KRW"), int64(start))
	})
}

// endsAuthorization is alice ending one-click payments in the app.
func (w *world) endsAuthorization(token auth.TokenCreated) {
	w.Helper()
	found := w.authorizations()
	if len(found) != 1 || found[0].Client != "SHOES-CLIENT" {
		w.Fatalf("authorizations: %v", found)
	}
	allow := alipayplus.False
	answerUnbinding(w, &allow)
	w.is("somebody else ends it", w.unbind(found[0].ID, "customer-2"), http.StatusNotFound)
	w.is("nobody ends it", w.unbind(found[0].ID, ""), http.StatusUnauthorized)
	w.is("Alipay+ does not allow it", w.unbind(found[0].ID, alice), http.StatusConflict)
	allow = alipayplus.True
	w.gateway.Fail(auth.ConsultUnbinding, alipayplustest.LoseAnswer())
	w.is("it ends", w.unbind(found[0].ID, alice), http.StatusNoContent)
	w.restart()
	w.until("TOKEN_CANCELED", func() bool {
		select {
		case end := <-w.canceled:
			w.is("which token", end.AccessToken.Equal(token.AccessToken), true)
			return true
		default:
			return false
		}
	})
	w.is("authorizations in the end", len(w.authorizations()), 0)
}

// The user leaves, and nobody is debited.
func TestEasyPayLeft(t *testing.T) {
	each(t, func(w *world) {
		page := send(w, payment.Pay, pay("PR1", consent)).PaymentURL.Reveal()
		status, location, _ := w.browse(page, "leave", "")
		w.is("leave", status, http.StatusSeeOther)
		w.is("way back", location, "https://pay.example/result?session=%2B&status=fail")
		w.restart()
		status, _, _ = w.browse(page, "pay", "1234")
		w.is("the right PIN, too late", status, http.StatusSeeOther)
		w.is("balance", w.balance("HKD"), int64(start))
		result := w.inquire("PR1")
		w.is("it failed", strings.HasPrefix(result, "F "), true)
		w.is("Alipay+ is told", w.result("PR1"), result)
		w.is("authorizations", len(w.authorizations()), 0)
	})
}

// answerUnbinding scripts consultUnbinding.
func answerUnbinding(w *world, allow *alipayplus.Bool) {
	alipayplustest.Answer(w.gateway, auth.ConsultUnbinding,
		func(context.Context, *auth.ConsultUnbindingRequest) (*auth.ConsultUnbindingResponse, error) {
			return &auth.ConsultUnbindingResponse{AllowUnbinding: *allow}, nil
		})
}
