package easypay_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/alipayplustest"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
	"github.com/alipayplus-mpp/alipayplus-go/auth"
	"github.com/alipayplus-mpp/alipayplus-go/easypay"
)

const payPath = "/wallet/pay"

// recorder is a host that notes which function was called.
type recorder struct {
	mu    sync.Mutex
	calls []string
	fail  error
}

func (r *recorder) note(call string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calls = append(r.calls, call)
	return r.fail
}

func (r *recorder) called() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return strings.Join(r.calls, " ")
}

func (r *recorder) service() easypay.Service {
	return easypay.Service{
		Evaluate: func(context.Context, easypay.Evaluation) (easypay.Eligible, error) {
			return easypay.Eligible{CustomerID: "C1"}, r.note("evaluate")
		},
		Create: func(_ context.Context, c easypay.Creation) (easypay.Verification, error) {
			return easypay.Verification{PaymentID: "W-" + c.PaymentRequestID, URL: alipayplus.Conceal("https://wallet.example/verify"), CustomerID: "C1"}, r.note("create")
		},
		Pay: func(_ context.Context, c easypay.OneClick) (easypay.Paid, error) {
			return easypay.Paid{PaymentID: "W1", PaymentTime: alipayplus.TimeOf(time.Now()), CustomerID: c.Grant.CustomerID}, r.note("pay")
		},
		Other: func(context.Context, *payment.PayRequest) (*payment.PayResponse, error) {
			return &payment.PayResponse{PaymentID: "W2", PaymentTime: alipayplus.TimeOf(time.Now())}, r.note("other")
		},
		Tokens: tokens{},
	}
}

// tokens knows four tokens.
type tokens struct{}

func (tokens) Check(_ context.Context, token alipayplus.Secret, scope string) (auth.Grant, error) {
	switch token.Reveal() {
	case "live":
		if scope != auth.ScopeAgreementPay {
			return auth.Grant{}, alipayplus.CodeInvalidToken
		}
		return auth.Grant{CustomerID: "C1"}, nil
	case "cancelled":
		return auth.Grant{}, alipayplus.CodeInvalidToken
	case "expired":
		return auth.Grant{}, alipayplus.CodeExpiredAccessToken
	case "trouble":
		return auth.Grant{}, errors.New("the token table is not reachable")
	}
	return auth.Grant{}, fmt.Errorf("%w: %w", alipayplus.CodeInvalidToken, auth.ErrNotFound)
}

func serve(t *testing.T, s easypay.Service) (*alipayplustest.Gateway, http.Handler) {
	t.Helper()
	g := alipayplustest.New(t)
	h, err := alipayplus.NewHandler(alipayplus.HandlerConfig{
		Credentials: g.Credentials(), Idempotency: alipayplus.NewMemoryIdempotencyStore(10_000),
	}, s.Handle(payPath))
	if err != nil {
		t.Fatal(err)
	}
	return g, h
}

// request is a pay request of the kind that the flags say.
func request(id string, change ...func(*payment.PayRequest)) *payment.PayRequest {
	r := &payment.PayRequest{
		AcquirerID: "A1", PSPID: "P1", PaymentRequestID: id,
		PaymentAmount:      alipayplus.Amount{Currency: "IDR", Minor: 5000},
		PayToAmount:        alipayplus.Amount{Currency: "HKD", Minor: 50},
		PaymentMethod:      payment.Method{PaymentMethodType: "CONNECT_WALLET"},
		PaymentRedirectURL: alipayplus.Conceal("https://pay.example/result?session=%2B%3D"),
	}
	r.PaymentMethod.PaymentMethodMetaData = payment.MethodMetaData{
		UserLoginID: alipayplus.Conceal("852-90000000"), UserLoginIDType: "MOBILE",
	}
	for _, c := range change {
		c(r)
	}
	return r
}

func agreement(r *payment.PayRequest)  { r.PaymentFactor.IsAgreementPayment = alipayplus.True }
func easyPay(r *payment.PayRequest)    { r.PaymentFactor.IsEasyPayScenario = alipayplus.True }
func evaluation(r *payment.PayRequest) { r.PaymentFactor.IsPaymentEvaluation = alipayplus.True }
func consent(r *payment.PayRequest) {
	r.PaymentFactor.IsAuthorizationAndPay = alipayplus.True
	r.AuthorizationInfo = payment.AuthorizationInfo{ReferenceAgreementID: "AG1", AuthClientID: "M1", AuthState: alipayplus.Conceal("S1")}
}
func method(id string) func(*payment.PayRequest) {
	return func(r *payment.PayRequest) { r.PaymentMethod.PaymentMethodID = alipayplus.Conceal(id) }
}
func nobody(r *payment.PayRequest) {
	r.PaymentMethod.PaymentMethodMetaData = payment.MethodMetaData{UserLoginIDType: "MOBILE"}
}

func TestKindsOfPay(t *testing.T) {
	for _, row := range []struct {
		rule   string
		change []func(*payment.PayRequest)
		called string
		code   alipayplus.ResultCode
		status alipayplus.ResultStatus
	}{
		{"evaluation", []func(*payment.PayRequest){agreement, easyPay, evaluation}, "evaluate", "SUCCESS", "S"},
		{"evaluation comes first: of a token", []func(*payment.PayRequest){agreement, evaluation, method("live")}, "evaluate", "SUCCESS", "S"},
		{"evaluation comes first: with consent", []func(*payment.PayRequest){agreement, easyPay, evaluation, consent}, "evaluate", "SUCCESS", "S"},
		{"evaluation of nobody", []func(*payment.PayRequest){agreement, easyPay, evaluation, nobody}, "", "PARAM_ILLEGAL", "F"},
		{"creation", []func(*payment.PayRequest){agreement, easyPay}, "create", "PAYMENT_IN_PROCESS", "U"},
		{"creation with consent", []func(*payment.PayRequest){agreement, easyPay, consent}, "create", "PAYMENT_IN_PROCESS", "U"},
		{"consent makes a creation of a live token, too", []func(*payment.PayRequest){agreement, consent, method("live")}, "create", "PAYMENT_IN_PROCESS", "U"},
		{"creation of nobody", []func(*payment.PayRequest){agreement, easyPay, nobody}, "", "PARAM_ILLEGAL", "F"},
		{"consent without authorizationInfo", []func(*payment.PayRequest){agreement, easyPay, consent, func(r *payment.PayRequest) {
			r.AuthorizationInfo = payment.AuthorizationInfo{}
		}}, "", "PARAM_ILLEGAL", "F"},
		{"consent without agreement id", []func(*payment.PayRequest){easyPay, consent, func(r *payment.PayRequest) {
			r.AuthorizationInfo.ReferenceAgreementID = ""
		}}, "", "PARAM_ILLEGAL", "F"},
		{"consent without client", []func(*payment.PayRequest){easyPay, consent, func(r *payment.PayRequest) {
			r.AuthorizationInfo.AuthClientID = ""
		}}, "", "PARAM_ILLEGAL", "F"},
		{"consent without state", []func(*payment.PayRequest){easyPay, consent, func(r *payment.PayRequest) {
			r.AuthorizationInfo.AuthState = alipayplus.Conceal("")
		}}, "", "PARAM_ILLEGAL", "F"},
		{"one-click", []func(*payment.PayRequest){agreement, method("live")}, "pay", "SUCCESS", "S"},
		{"one-click within Easy Pay", []func(*payment.PayRequest){agreement, easyPay, method("live")}, "pay", "SUCCESS", "S"},
		{"a cancelled token", []func(*payment.PayRequest){agreement, method("cancelled")}, "", "INVALID_TOKEN", "F"},
		{"a cancelled token makes no creation", []func(*payment.PayRequest){agreement, easyPay, method("cancelled")}, "", "INVALID_TOKEN", "F"},
		{"an expired token", []func(*payment.PayRequest){agreement, easyPay, method("expired")}, "", "EXPIRED_ACCESS_TOKEN", "F"},
		{"tokens not reachable", []func(*payment.PayRequest){agreement, easyPay, method("trouble")}, "", "UNKNOWN_EXCEPTION", "U"},
		{"an unknown id within Easy Pay is an account", []func(*payment.PayRequest){agreement, easyPay, method("account-1")}, "create", "PAYMENT_IN_PROCESS", "U"},
		{"an unknown id elsewhere is a bad token", []func(*payment.PayRequest){agreement, method("account-1")}, "", "INVALID_TOKEN", "F"},
		{"Easy Pay without the agreement flag", []func(*payment.PayRequest){easyPay, method("account-1")}, "create", "PAYMENT_IN_PROCESS", "U"},
		{"a payment code", []func(*payment.PayRequest){method("281234567890123456")}, "other", "SUCCESS", "S"},
		{"flags that are false", []func(*payment.PayRequest){method("live"), func(r *payment.PayRequest) {
			r.PaymentFactor.IsAgreementPayment, r.PaymentFactor.IsEasyPayScenario = alipayplus.False, alipayplus.False
			r.PaymentFactor.IsPaymentEvaluation, r.PaymentFactor.IsAuthorizationAndPay = alipayplus.False, alipayplus.False
		}}, "other", "SUCCESS", "S"},
		{"an unusable redirect URL makes no order", []func(*payment.PayRequest){agreement, easyPay, func(r *payment.PayRequest) {
			r.PaymentRedirectURL = alipayplus.Conceal("https://good.example@bad.example/")
		}}, "", "PARAM_ILLEGAL", "F"},
		{"no redirect URL at all makes no order", []func(*payment.PayRequest){agreement, easyPay, func(r *payment.PayRequest) {
			r.PaymentRedirectURL = alipayplus.Conceal("")
		}}, "", "PARAM_ILLEGAL", "F"},
		{"an evaluation needs no redirect URL", []func(*payment.PayRequest){agreement, easyPay, evaluation, func(r *payment.PayRequest) {
			r.PaymentRedirectURL = alipayplus.Conceal("")
		}}, "evaluate", "SUCCESS", "S"},
	} {
		t.Run(row.rule, func(t *testing.T) {
			r := &recorder{}
			g, h := serve(t, r.service())
			answer, err := alipayplustest.Send(t.Context(), g, h, payPath, payment.Pay, request("PR1", row.change...))
			if err != nil {
				t.Fatal(err)
			}
			if answer.Result.Code != row.code || answer.Result.Status != row.status || r.called() != row.called {
				t.Errorf("answer %v, called %q; want %s %s, %q", answer.Result, r.called(), row.status, row.code, row.called)
			}
			if row.code == "PAYMENT_IN_PROCESS" && (answer.PaymentURL.IsZero() || answer.PaymentID == "") {
				t.Error("a creation is answered without paymentUrl or paymentId")
			}
		})
	}
}

func TestMissingFunctions(t *testing.T) {
	for _, row := range []struct {
		rule   string
		change []func(*payment.PayRequest)
		code   alipayplus.ResultCode
	}{
		{"no Evaluate", []func(*payment.PayRequest){agreement, easyPay, evaluation}, alipayplus.CodeBusinessNotSupport},
		{"no Create", []func(*payment.PayRequest){agreement, easyPay}, alipayplus.CodeBusinessNotSupport},
		{"no Pay", []func(*payment.PayRequest){agreement, method("live")}, alipayplus.CodeBusinessNotSupport},
		{"no Other", []func(*payment.PayRequest){method("281234567890123456")}, alipayplus.CodeParamIllegal},
	} {
		g, h := serve(t, easypay.Service{Tokens: tokens{}})
		answer, err := alipayplustest.Send(t.Context(), g, h, payPath, payment.Pay, request("PR1", row.change...))
		if err != nil || answer.Result != row.code.Result() {
			t.Errorf("%s: %v, %v; want F %s", row.rule, answer, err, row.code)
		}
	}
	g, h := serve(t, easypay.Service{}) // no Tokens: none is ours
	answer, err := alipayplustest.Send(t.Context(), g, h, payPath, payment.Pay, request("PR1", agreement, method("live")))
	if err != nil || answer.Result.Code != alipayplus.CodeInvalidToken {
		t.Errorf("without Tokens: %v, %v; want INVALID_TOKEN", answer, err)
	}
	r := &recorder{}
	service := r.service()
	service.Tokens = nil
	g, h = serve(t, service)
	answer, err = alipayplustest.Send(t.Context(), g, h, payPath, payment.Pay, request("PR1", agreement, easyPay, method("account-1")))
	if err != nil || answer.Result.Code != alipayplus.CodePaymentInProcess || r.called() != "create" {
		t.Errorf("without Tokens an account is no account: %v, %v", answer, err)
	}
}

// What a function may return decides nothing that is forbidden for its kind.
func TestAnswersOfTheFunctions(t *testing.T) {
	for _, row := range []struct {
		rule    string
		service easypay.Service
		change  []func(*payment.PayRequest)
		want    string
	}{
		{"evaluation refused", easypay.Service{Evaluate: func(context.Context, easypay.Evaluation) (easypay.Eligible, error) {
			return easypay.Eligible{}, alipayplus.CodeUserNotExist
		}}, []func(*payment.PayRequest){easyPay, evaluation}, "F USER_NOT_EXIST"},
		{"evaluation not possible now", easypay.Service{Evaluate: func(context.Context, easypay.Evaluation) (easypay.Eligible, error) {
			return easypay.Eligible{}, errors.New("risk engine down")
		}}, []func(*payment.PayRequest){easyPay, evaluation}, "U UNKNOWN_EXCEPTION"},
		{"creation refused", easypay.Service{Create: func(context.Context, easypay.Creation) (easypay.Verification, error) {
			return easypay.Verification{}, alipayplus.CodeRiskReject
		}}, []func(*payment.PayRequest){easyPay}, "F RISK_REJECT"},
		{"creation cannot succeed, not even by an error", easypay.Service{Create: func(context.Context, easypay.Creation) (easypay.Verification, error) {
			return easypay.Verification{}, alipayplus.CodeSuccess
		}}, []func(*payment.PayRequest){easyPay}, "U UNKNOWN_EXCEPTION"},
		{"creation without a payment id", easypay.Service{Create: func(context.Context, easypay.Creation) (easypay.Verification, error) {
			return easypay.Verification{URL: alipayplus.Conceal("https://wallet.example/v")}, nil
		}}, []func(*payment.PayRequest){easyPay}, "U UNKNOWN_EXCEPTION"},
		{"creation without a page", easypay.Service{Create: func(context.Context, easypay.Creation) (easypay.Verification, error) {
			return easypay.Verification{PaymentID: "W1"}, nil
		}}, []func(*payment.PayRequest){easyPay}, "U UNKNOWN_EXCEPTION"},
		{"creation with a page that is not https", easypay.Service{Create: func(context.Context, easypay.Creation) (easypay.Verification, error) {
			return easypay.Verification{PaymentID: "W1", URL: alipayplus.Conceal("http://localhost/v")}, nil
		}}, []func(*payment.PayRequest){easyPay}, "U UNKNOWN_EXCEPTION"},
		{"one-click not certain", easypay.Service{Tokens: tokens{}, Pay: func(context.Context, easypay.OneClick) (easypay.Paid, error) {
			return easypay.PaidOf(payment.Record{State: payment.StatePaying})
		}}, []func(*payment.PayRequest){agreement, method("live")}, "U PAYMENT_IN_PROCESS"},
		{"one-click refused", easypay.Service{Tokens: tokens{}, Pay: func(context.Context, easypay.OneClick) (easypay.Paid, error) {
			return easypay.PaidOf(payment.Record{State: payment.StateFailed, Code: alipayplus.CodeUserBalanceNotEnough})
		}}, []func(*payment.PayRequest){agreement, method("live")}, "F USER_BALANCE_NOT_ENOUGH"},
		{"one-click without payment time", easypay.Service{Tokens: tokens{}, Pay: func(context.Context, easypay.OneClick) (easypay.Paid, error) {
			return easypay.Paid{PaymentID: "W1"}, nil
		}}, []func(*payment.PayRequest){agreement, method("live")}, "U UNKNOWN_EXCEPTION"},
		{"one-click without payment id", easypay.Service{Tokens: tokens{}, Pay: func(context.Context, easypay.OneClick) (easypay.Paid, error) {
			return easypay.Paid{PaymentTime: alipayplus.TimeOf(time.Now())}, nil
		}}, []func(*payment.PayRequest){agreement, method("live")}, "U UNKNOWN_EXCEPTION"},
	} {
		t.Run(row.rule, func(t *testing.T) {
			g, h := serve(t, row.service)
			answer, err := alipayplustest.Send(t.Context(), g, h, payPath, payment.Pay, request("PR1", row.change...))
			if err != nil || answer.Result.Error() != row.want {
				t.Errorf("%v, %v; want %s", answer, err, row.want)
			}
			if !answer.PaymentURL.IsZero() {
				t.Error("an answer that is no creation's has a paymentUrl")
			}
		})
	}
}

// The two Easy Pay calls may carry one paymentRequestId: an evaluation's S must
// never be the answer of the creation, in whatever order and how often they come.
func TestEvaluationIsNeverReplayedAsPayment(t *testing.T) {
	n := 4
	if long() {
		n = 8
	}
	for order := range 1 << n { // bit i: call i is a creation
		r := &recorder{}
		g, h := serve(t, r.service())
		var paymentURL, paymentID string
		for i := range n {
			flags := []func(*payment.PayRequest){agreement, easyPay}
			creation := order>>i&1 == 1
			if !creation {
				flags = append(flags, evaluation)
			}
			answer, err := alipayplustest.Send(t.Context(), g, h, payPath, payment.Pay, request("PR1", flags...))
			if err != nil {
				t.Fatal(err)
			}
			switch {
			case !creation && answer.Result.Status != alipayplus.StatusSucceeded:
				t.Fatalf("order %06b, call %d: an evaluation got %v", order, i, answer.Result)
			case creation && (answer.Result.Status != alipayplus.StatusUnknown || answer.PaymentURL.IsZero()):
				t.Fatalf("order %06b, call %d: a creation got %v", order, i, answer.Result)
			case creation && paymentURL != "" && (answer.PaymentURL.Reveal() != paymentURL || answer.PaymentID != paymentID):
				t.Fatalf("order %06b, call %d: a repeated creation got another page or id", order, i)
			case creation:
				paymentURL, paymentID = answer.PaymentURL.Reveal(), answer.PaymentID
			}
		}
		if strings.Count(r.called(), "create") > 1 || strings.Count(r.called(), "evaluate") > 1 {
			t.Fatalf("order %06b: functions ran again: %s", order, r.called())
		}
	}
}

func TestRedirectURLOfACreation(t *testing.T) {
	const pin = "https://pay.example/pin?session=%26%3D&en_US=en_US"
	var got easypay.Creation
	s := easypay.Service{Create: func(_ context.Context, c easypay.Creation) (easypay.Verification, error) {
		got = c
		return easypay.Verification{PaymentID: "W1", URL: alipayplus.Conceal("https://wallet.example/v")}, nil
	}}
	passThrough, err := json.Marshal(map[string]string{"pinRedirectUrl": pin, "securityCode": "123"})
	if err != nil {
		t.Fatal(err)
	}
	g, h := serve(t, s)
	if _, err := alipayplustest.Send(t.Context(), g, h, payPath, payment.Pay, request("PR1", easyPay, func(r *payment.PayRequest) {
		r.PaymentRedirectURL = alipayplus.Conceal("")
		r.PassThroughInfo = alipayplus.Conceal(string(passThrough))
	})); err != nil {
		t.Fatal(err)
	}
	if got.RedirectURL.Reveal() != pin || got.Terms().RedirectURL.Reveal() != pin {
		t.Errorf("the creation's redirect URL is not the pinRedirectUrl of passThroughInfo")
	}
	if _, err := alipayplustest.Send(t.Context(), g, h, payPath, payment.Pay, request("PR2", easyPay, func(r *payment.PayRequest) {
		r.PassThroughInfo = alipayplus.Conceal(string(passThrough))
	})); err != nil {
		t.Fatal(err)
	}
	if got.RedirectURL.Reveal() != "https://pay.example/result?session=%2B%3D" {
		t.Error("paymentRedirectUrl does not come before passThroughInfo")
	}
}

func TestAccount(t *testing.T) {
	byLogin := easypay.Evaluation{PayRequest: request("PR1")}.Account()
	if byLogin.UserLoginID.Reveal() != "852-90000000" || byLogin.UserLoginIDType != "MOBILE" || !byLogin.PaymentMethodID.IsZero() {
		t.Error("without paymentMethodId the login id names the user")
	}
	byMethod := easypay.Creation{PayRequest: request("PR1", method("account-1"))}.Account()
	if byMethod.PaymentMethodID.Reveal() != "account-1" || !byMethod.UserLoginID.IsZero() {
		t.Error("paymentMethodId comes before the login id")
	}
}
