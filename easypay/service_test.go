package easypay_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/alipayplustest"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
	"github.com/alipayplus-mpp/alipayplus-go/auth"
	"github.com/alipayplus-mpp/alipayplus-go/easypay"
	"github.com/alipayplus-mpp/alipayplus-go/internal/testkit"
)

// request returns a pay request of the kind that the flags say.
func request(id string, change ...func(*payment.PayRequest)) *payment.PayRequest {
	r := &payment.PayRequest{
		AcquirerID: "A1", PSPID: "P1", PaymentRequestID: id,
		PaymentAmount:      alipayplus.Amount{Currency: "IDR", Minor: 5000},
		PayToAmount:        alipayplus.Amount{Currency: "HKD", Minor: price},
		PaymentMethod:      payment.Method{PaymentMethodType: "CONNECT_WALLET"},
		PaymentRedirectURL: alipayplus.Conceal("https://pay.example/result?session=%2B%3D"),
	}
	r.PaymentMethod.PaymentMethodMetaData = payment.MethodMetaData{
		UserLoginID: alipayplus.Conceal(loginID), UserLoginIDType: "MOBILE",
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
func stranger(r *payment.PayRequest) {
	r.PaymentMethod.PaymentMethodMetaData.UserLoginID = alipayplus.Conceal("852-91111111")
}

// creation returns the second pay of the guide, with consent to one-click
// payments.
func creation(id string, change ...func(*payment.PayRequest)) *payment.PayRequest {
	return request(id, append([]func(*payment.PayRequest){agreement, easyPay, consent, inADay}, change...)...)
}

// oneClick returns a payment with a token.
func oneClick(id string, token alipayplus.Secret, change ...func(*payment.PayRequest)) *payment.PayRequest {
	return request(id, append([]func(*payment.PayRequest){agreement, easyPay, method(token.Reveal()), inADay}, change...)...)
}

func inADay(r *payment.PayRequest) {
	r.PaymentExpiryTime = alipayplus.TimeOf(time.Now().Add(24 * time.Hour))
}

// deals are tokens of every kind.
func (w *world) deals() {
	grant := auth.Grant{CustomerID: customerID, AuthClientID: "M1", Scopes: []string{auth.ScopeAgreementPay}}
	w.tokens.issue("live", grant)
	w.tokens.issue("cancelled", grant)
	w.tokens.kill(alipayplus.Conceal("cancelled"))
	grant.Scopes = []string{"BASE_USER_INFO"}
	w.tokens.issue("narrow", grant)
}

func TestKindsOfPay(t *testing.T) {
	const page = "U PAYMENT_IN_PROCESS, verifying"
	for _, row := range []struct {
		rule   string
		change []func(*payment.PayRequest)
		want   string // the answer, and what is stored
	}{
		{"evaluation", []func(*payment.PayRequest){agreement, easyPay, evaluation}, "S SUCCESS, "},
		{"evaluation comes first: of a token", []func(*payment.PayRequest){agreement, evaluation, method("live")}, "S SUCCESS, "},
		{"evaluation comes first: with consent", []func(*payment.PayRequest){agreement, easyPay, evaluation, consent}, "S SUCCESS, "},
		{"evaluation of a dead token", []func(*payment.PayRequest){agreement, easyPay, evaluation, method("cancelled")}, "F INVALID_TOKEN, "},
		{"evaluation of a token for something else", []func(*payment.PayRequest){agreement, easyPay, evaluation, method("narrow")}, "F INVALID_TOKEN, "},
		{"evaluation of an account", []func(*payment.PayRequest){agreement, easyPay, evaluation, method(accountID)}, "S SUCCESS, "},
		{"evaluation of nobody", []func(*payment.PayRequest){agreement, easyPay, evaluation, nobody}, "F PARAM_ILLEGAL, "},
		{"evaluation of a stranger", []func(*payment.PayRequest){agreement, easyPay, evaluation, stranger}, "F USER_NOT_EXIST, "},
		{"evaluation of impossible amounts", []func(*payment.PayRequest){agreement, easyPay, evaluation, func(r *payment.PayRequest) {
			r.SurchargeInfo.SurchargeAmount = alipayplus.Amount{Currency: "JPY", Minor: 1}
		}}, "F PARAM_ILLEGAL, "},
		{"creation", []func(*payment.PayRequest){agreement, easyPay}, page},
		{"creation with consent", []func(*payment.PayRequest){agreement, easyPay, consent}, page},
		{"consent makes a creation of a live token, too", []func(*payment.PayRequest){agreement, consent, method("live")}, page},
		{"consent makes a creation of a token for something else", []func(*payment.PayRequest){agreement, consent, method("narrow")}, page},
		{"creation of nobody", []func(*payment.PayRequest){agreement, easyPay, nobody}, "F PARAM_ILLEGAL, "},
		{"creation of a stranger", []func(*payment.PayRequest){agreement, easyPay, stranger}, "F USER_NOT_EXIST, "},
		{"creation of impossible amounts", []func(*payment.PayRequest){agreement, easyPay, func(r *payment.PayRequest) {
			r.SurchargeInfo.SurchargeAmount = alipayplus.Amount{Currency: "HKD"}
		}}, "F PARAM_ILLEGAL, "},
		{"consent without authorizationInfo", []func(*payment.PayRequest){agreement, easyPay, consent, func(r *payment.PayRequest) {
			r.AuthorizationInfo = payment.AuthorizationInfo{}
		}}, "F PARAM_ILLEGAL, "},
		{"consent without agreement id", []func(*payment.PayRequest){easyPay, consent, func(r *payment.PayRequest) {
			r.AuthorizationInfo.ReferenceAgreementID = ""
		}}, "F PARAM_ILLEGAL, "},
		{"consent without authClientId", []func(*payment.PayRequest){easyPay, consent, func(r *payment.PayRequest) {
			r.AuthorizationInfo.AuthClientID = ""
		}}, "F PARAM_ILLEGAL, "},
		{"consent without state", []func(*payment.PayRequest){easyPay, consent, func(r *payment.PayRequest) {
			r.AuthorizationInfo.AuthState = alipayplus.Secret{}
		}}, "F PARAM_ILLEGAL, "},
		{"one-click", []func(*payment.PayRequest){agreement, method("live")}, "S SUCCESS, paid"},
		{"one-click within Easy Pay", []func(*payment.PayRequest){agreement, easyPay, method("live")}, "S SUCCESS, paid"},
		{"one-click of its customer", []func(*payment.PayRequest){agreement, method("live"), func(r *payment.PayRequest) {
			r.PaymentMethod.CustomerID = customerID
		}}, "S SUCCESS, paid"},
		{"one-click of somebody else", []func(*payment.PayRequest){agreement, easyPay, method("live"), func(r *payment.PayRequest) {
			r.PaymentMethod.CustomerID = "customer-2"
		}}, "F INVALID_TOKEN, "},
		{"one-click of impossible amounts", []func(*payment.PayRequest){agreement, method("live"), func(r *payment.PayRequest) {
			r.SurchargeInfo.SurchargeAmount = alipayplus.Amount{Currency: "JPY", Minor: 1}
		}}, "F PARAM_ILLEGAL, "},
		{"a cancelled token", []func(*payment.PayRequest){agreement, method("cancelled")}, "F INVALID_TOKEN, "},
		{"a cancelled token makes no creation", []func(*payment.PayRequest){agreement, easyPay, method("cancelled")}, "F INVALID_TOKEN, "},
		{"a token for something else", []func(*payment.PayRequest){agreement, easyPay, method("narrow")}, "F INVALID_TOKEN, "},
		{"tokens not reachable", []func(*payment.PayRequest){agreement, easyPay, method("trouble")}, "U UNKNOWN_EXCEPTION, "},
		{"an unknown id within Easy Pay is an account", []func(*payment.PayRequest){agreement, easyPay, method(accountID)}, page},
		{"an unknown id elsewhere is a bad token", []func(*payment.PayRequest){agreement, method(accountID)}, "F INVALID_TOKEN, "},
		{"Easy Pay without the agreement flag", []func(*payment.PayRequest){easyPay, method(accountID)}, page},
		{"a payment code", []func(*payment.PayRequest){method("281234567890123456")}, "S SUCCESS, "},
		{"flags that are false", []func(*payment.PayRequest){method("live"), func(r *payment.PayRequest) {
			r.PaymentFactor.IsAgreementPayment, r.PaymentFactor.IsEasyPayScenario = alipayplus.False, alipayplus.False
			r.PaymentFactor.IsPaymentEvaluation, r.PaymentFactor.IsAuthorizationAndPay = alipayplus.False, alipayplus.False
		}}, "S SUCCESS, "},
		{"a creation that had expired when it was sent", []func(*payment.PayRequest){agreement, easyPay, expired}, "F ORDER_IS_CLOSED, closed"},
		{"a one-click payment that had expired when it was sent", []func(*payment.PayRequest){agreement, method("live"), expired}, "F ORDER_IS_CLOSED, closed"},
		{"an unusable redirect URL makes no order", []func(*payment.PayRequest){agreement, easyPay, func(r *payment.PayRequest) {
			r.PaymentRedirectURL = alipayplus.Conceal("https://good.example@bad.example/")
		}}, "F PARAM_ILLEGAL, "},
		{"no redirect URL at all makes no order", []func(*payment.PayRequest){agreement, easyPay, func(r *payment.PayRequest) {
			r.PaymentRedirectURL = alipayplus.Secret{}
		}}, "F PARAM_ILLEGAL, "},
		{"an evaluation needs no redirect URL", []func(*payment.PayRequest){agreement, easyPay, evaluation, func(r *payment.PayRequest) {
			r.PaymentRedirectURL = alipayplus.Secret{}
		}}, "S SUCCESS, "},
		{"a creation whose result cannot be sent", []func(*payment.PayRequest){agreement, easyPay, notifyAt("http://169.254.169.254/")}, "F PARAM_ILLEGAL, "},
		{"a one-click payment whose result cannot be sent", []func(*payment.PayRequest){agreement, method("live"), notifyAt("https://unknown.example/n")}, "F PARAM_ILLEGAL, "},
		{"a creation whose result can be sent", []func(*payment.PayRequest){agreement, easyPay, notifyAt("https://open-sea.alipayplus.com/n")}, page},
	} {
		t.Run(row.rule, func(t *testing.T) {
			story(t, func(w *world) {
				w.deals()
				answer := w.pay(request("PR1", row.change...))
				got := fmt.Sprintf("%s, %s", answer.Result.Error(), w.record("PR1").State)
				w.is("answer and state", got, row.want)
				if hasPage := !answer.PaymentURL.IsZero(); hasPage != (row.want == page) || hasPage && (answer.PaymentID == "" || answer.CustomerID != customerID) {
					w.Errorf("the answer is %v", answer)
				}
				if row.want == "F PARAM_ILLEGAL, " && strings.Contains(row.rule, "cannot be sent") != strings.Contains(w.log.String(), "paymentNotifyUrl") {
					w.Errorf("the log says %s", w.log.String())
				}
			})
		})
	}
}

func expired(r *payment.PayRequest) {
	r.PaymentExpiryTime = alipayplus.TimeOf(time.Now().Add(-time.Second))
}

func notifyAt(url string) func(*payment.PayRequest) {
	return func(r *payment.PayRequest) { r.PaymentNotifyURL = url }
}

// Whether a creation came too late is told by when Alipay+ sent it, not by when
// the wallet gets to it.
func TestExpiryOfACreation(t *testing.T) {
	in := func(d time.Duration) func(*payment.PayRequest) {
		return func(r *payment.PayRequest) { r.PaymentExpiryTime = alipayplus.TimeOf(time.Now().Add(d)) }
	}
	story(t, func(w *world) {
		w.latency = 3 * time.Second
		w.is("sent before", w.pay(request("PR1", easyPay, in(2*time.Second))).Result.Error(), "U PAYMENT_IN_PROCESS")
		w.is("sent afterwards", w.pay(request("PR2", easyPay, in(-time.Second))).Result.Error(), "F ORDER_IS_CLOSED")
	})
}

// A token that comes from another client is taken, and reported.
func TestTokenOfAnotherClient(t *testing.T) {
	story(t, func(w *world) {
		w.deals()
		from := func(client string) func(*payment.PayRequest) {
			return func(r *payment.PayRequest) { r.PaymentMethod.PaymentMethodMetaData.AuthClientID = client }
		}
		w.is("its own", w.pay(request("PR1", agreement, method("live"), from("M1"))).Result.Error(), "S SUCCESS")
		if strings.Contains(w.log.String(), "authClientId") {
			w.Errorf("the log says %s", w.log.String())
		}
		w.is("another", w.pay(request("PR2", agreement, method("live"), from("M2"))).Result.Error(), "S SUCCESS")
		if !strings.Contains(w.log.String(), "authClientId=M2 issuedTo=M1") {
			w.Errorf("the log says %s", w.log.String())
		}
	})
}

// config returns a complete Config over a world's database.
func (w *world) config(change ...func(*easypay.Config)) easypay.Config {
	cfg := easypay.Config{
		Payments: w.payments, Sealer: w.sealer, PageURL: pageURL,
		Account: func(context.Context, easypay.Account) (string, error) { return customerID, nil },
	}
	for _, c := range change {
		c(&cfg)
	}
	return cfg
}

// with serves another Config.
func (w *world) with(change ...func(*easypay.Config)) {
	w.easypay = testkit.Must(easypay.NewService(w.config(change...)))
	w.handler = w.serve(w.wallet, w.store)
}

func TestWithoutTokensAndOther(t *testing.T) {
	story(t, func(w *world) {
		w.with()
		w.is("no Other", w.pay(request("PR1", method("281234567890123456"))).Result.Error(), "F PARAM_ILLEGAL")
		w.is("no Tokens: none is ours", w.pay(request("PR2", agreement, method("live"))).Result.Error(), "F INVALID_TOKEN")
		w.with(func(c *easypay.Config) { c.Tokens = (*auth.Service)(nil) })
		w.is("a nil *auth.Service: none is ours", w.pay(request("PR4", agreement, method("live"))).Result.Error(), "F INVALID_TOKEN")
		w.is("no Tokens: an account", w.pay(request("PR3", agreement, easyPay, method("live"))).Result.Error(), "U PAYMENT_IN_PROCESS")
	})
}

func TestConfigIsChecked(t *testing.T) {
	const page = "https://wallet.example/"
	longPage := page + strings.Repeat("x", 1024-len(page)-1) + "/"
	story(t, func(w *world) {
		for _, row := range []struct {
			rule   string
			change func(*easypay.Config)
			ok     bool
		}{
			{"complete", func(*easypay.Config) {}, true},
			{"a page in a fragment", func(c *easypay.Config) { c.PageURL = "https://wallet.example/#/verify/" }, true},
			{"a page of this machine", func(c *easypay.Config) { c.PageURL = "http://127.0.0.1:8080/verify/" }, true},
			{"no Payments", func(c *easypay.Config) { c.Payments = nil }, false},
			{"no Sealer", func(c *easypay.Config) { c.Sealer = nil }, false},
			{"no Account", func(c *easypay.Config) { c.Account = nil }, false},
			{"no page", func(c *easypay.Config) { c.PageURL = "" }, false},
			{"a page without https", func(c *easypay.Config) { c.PageURL = "http://wallet.example/verify/" }, false},
			{"a page with user-info", func(c *easypay.Config) { c.PageURL = "https://wallet@example.com/verify/" }, false},
			{"a page with a blank", func(c *easypay.Config) { c.PageURL = "https://wallet.example/ verify/" }, false},
			{"a page in a query", func(c *easypay.Config) { c.PageURL = "https://wallet.example/verify?link=" }, true},
			{"a page without a slash for the link", func(c *easypay.Config) { c.PageURL = "https://wallet.example/verify" }, false},
			{"a page of 1,024 characters", func(c *easypay.Config) { c.PageURL = longPage }, true},
			{"a page of 1,025 characters", func(c *easypay.Config) { c.PageURL = longPage[:1023] + "x/" }, false},
			{"negative tries", func(c *easypay.Config) { c.Tries = -1 }, false},
			{"negative resends", func(c *easypay.Config) { c.Resends = -1 }, false},
		} {
			if _, err := easypay.NewService(w.config(row.change)); (err == nil) != row.ok {
				w.Errorf("%s: %v", row.rule, err)
			}
		}
	})
}

// What Account and Check say decides nothing that is forbidden for a kind.
func TestAnswersOfTheFunctions(t *testing.T) {
	account := func(customer string, err error) func(*easypay.Config) {
		return func(c *easypay.Config) {
			c.Account = func(context.Context, easypay.Account) (string, error) { return customer, err }
		}
	}
	for _, row := range []struct {
		rule   string
		change func(*easypay.Config)
		kind   []func(*payment.PayRequest)
		want   string
	}{
		{"account refused", account("", alipayplus.CodeUserStatusAbnormal), []func(*payment.PayRequest){easyPay, evaluation}, "F USER_STATUS_ABNORMAL"},
		{"account refused, wrapped", account("", fmt.Errorf("users: %w", alipayplus.CodeUserNotExist)), []func(*payment.PayRequest){easyPay}, "F USER_NOT_EXIST"},
		{"accounts not reachable", account("", errors.New("down")), []func(*payment.PayRequest){easyPay}, "U UNKNOWN_EXCEPTION"},
		{"accounts not reachable, and a code", account("", errors.Join(errors.New("down"), alipayplus.CodeUserNotExist)), []func(*payment.PayRequest){easyPay}, "U UNKNOWN_EXCEPTION"},
		{"no customer and no error", account("", nil), []func(*payment.PayRequest){easyPay, evaluation}, "U UNKNOWN_EXCEPTION"},
		{"an error that succeeds", account("", alipayplus.CodeSuccess), []func(*payment.PayRequest){easyPay}, "U UNKNOWN_EXCEPTION"},
	} {
		t.Run(row.rule, func(t *testing.T) {
			story(t, func(w *world) {
				w.with(row.change)
				answer := w.pay(request("PR1", row.kind...))
				w.is("answer", answer.Result.Error(), row.want)
				w.is("state", string(w.record("PR1").State), "")
			})
		})
	}
}

// brokenTokens is a database of tokens that gives no answer.
type brokenTokens struct{ err error }

func (b brokenTokens) Check(context.Context, alipayplus.Secret, string) (auth.Grant, error) {
	return auth.Grant{}, b.err
}

// A token that cannot be looked up is neither dead nor somebody else's.
func TestTokensNotReachable(t *testing.T) {
	for _, err := range []error{errors.New("down"), context.DeadlineExceeded, errors.Join(errors.New("down"), alipayplus.CodeInvalidToken)} {
		story(t, func(w *world) {
			w.with(func(c *easypay.Config) { c.Tokens = brokenTokens{err} })
			for i, kind := range [][]func(*payment.PayRequest){{agreement}, {agreement, evaluation}, {agreement, easyPay}, {agreement, easyPay, consent}} {
				id := fmt.Sprint("PR", i)
				w.is(err.Error(), w.pay(request(id, append(kind, method(accountID))...)).Result.Error(), "U UNKNOWN_EXCEPTION")
				w.is("state", string(w.record(id).State), "")
			}
		})
	}
}

// A customerId that is not that of the account, or of the token, is refused
// before an order is made, and an evaluation says so, too.
func TestAnotherCustomerID(t *testing.T) {
	is := func(id string) func(*payment.PayRequest) {
		return func(r *payment.PayRequest) { r.PaymentMethod.CustomerID = id }
	}
	for _, row := range []struct {
		rule string
		kind []func(*payment.PayRequest)
		same string // the answer to the right customerId, with the customer
		want string // to another one
	}{
		{"evaluation", []func(*payment.PayRequest){agreement, easyPay, evaluation}, "S SUCCESS " + customerID, "F PARAM_ILLEGAL"},
		{"evaluation of a token", []func(*payment.PayRequest){agreement, evaluation, method("live")}, "S SUCCESS " + customerID, "F INVALID_TOKEN"},
		{"creation", []func(*payment.PayRequest){agreement, easyPay}, "U PAYMENT_IN_PROCESS " + customerID, "F PARAM_ILLEGAL"},
		{"creation with consent", []func(*payment.PayRequest){agreement, easyPay, consent}, "U PAYMENT_IN_PROCESS " + customerID, "F PARAM_ILLEGAL"},
		{"one-click payment", []func(*payment.PayRequest){agreement, method("live")}, "S SUCCESS " + customerID, "F INVALID_TOKEN"},
	} {
		t.Run(row.rule, func(t *testing.T) {
			story(t, func(w *world) {
				w.deals()
				w.is("another", w.pay(request("PR1", append(row.kind, is("customer-2"))...)).Result.Error(), row.want)
				w.is("state", string(w.record("PR1").State), "")
				if !strings.Contains(w.log.String(), "alarm") {
					w.Errorf("log %s", w.log.String())
				}
				answer := w.pay(request("PR2", append(row.kind, is(customerID))...))
				w.is("the same", answer.Result.Error()+" "+answer.CustomerID, row.same)
			})
		})
	}
}

// The wallet's Check is asked at an evaluation, before an order is made and
// before the debit.
func TestCheckIsAsked(t *testing.T) {
	for _, row := range []struct {
		stage            payment.Stage
		evaluation       string
		creation, oneTap string // the answer and the state after it
	}{
		{payment.StageEvaluation, "F RISK_REJECT", "U PAYMENT_IN_PROCESS, verifying", "S SUCCESS, paid"},
		{payment.StageOpen, "S SUCCESS", "F RISK_REJECT, ", "F RISK_REJECT, "},
		{payment.StageDebit, "S SUCCESS", "U PAYMENT_IN_PROCESS, verifying", "F RISK_REJECT, failed"},
	} {
		t.Run(string(row.stage), func(t *testing.T) {
			story(t, func(w *world) {
				w.deals()
				payments := testkit.Must(payment.NewService(payment.ServiceConfig{
					Records: w.records, Ledger: w.bank,
					Check: func(_ context.Context, c payment.Check) error {
						if c.Stage == row.stage {
							if c.Terms.CustomerID != customerID {
								w.Errorf("%s is asked about %q", c.Stage, c.Terms.CustomerID)
							}
							return payment.Retryable(alipayplus.CodeRiskReject)
						}
						return nil
					},
				}))
				w.with(func(c *easypay.Config) { c.Payments, c.Tokens = payments, w.tokens })
				state := func(id string, answer *payment.PayResponse) string {
					return fmt.Sprintf("%s, %s", answer.Result.Error(), w.record(id).State)
				}
				w.is("evaluation", w.pay(request("PR0", agreement, easyPay, evaluation)).Result.Error(), row.evaluation)
				w.is("creation", state("PR1", w.pay(request("PR1", agreement, easyPay))), row.creation)
				w.is("one-click", state("PR2", w.pay(request("PR2", agreement, method("live")))), row.oneTap)
			})
		})
	}
}

// The two Easy Pay calls may carry one paymentRequestId: an evaluation's S must
// never be the answer of the creation, in whatever order and how often they
// come.
func TestEvaluationIsNeverReplayedAsPayment(t *testing.T) {
	n := 4
	if long() {
		n = 8
	}
	for order := range 1 << n { // bit i: call i is a creation
		story(t, func(w *world) {
			page := ""
			for i := range n {
				creation := order>>i&1 == 1
				flags := []func(*payment.PayRequest){agreement, easyPay}
				if !creation {
					flags = append(flags, evaluation)
				}
				w.checkReplay(!creation, w.pay(request("PR1", flags...)), &page)
			}
			if runs := w.runs.Load(); runs > 2 {
				w.Errorf("order %b: %d runs", order, runs)
			}
		})
	}
}

func TestRedirectURLOfACreation(t *testing.T) {
	const pin = "https://pay.example/pin?session=%26%3D&en_US=en_US"
	passThrough := func(r *payment.PayRequest) {
		r.PassThroughInfo = alipayplus.Conceal(string(testkit.Must(json.Marshal(map[string]string{"pinRedirectUrl": pin, "securityCode": "123"}))))
	}
	story(t, func(w *world) {
		w.pay(request("PR1", easyPay, passThrough, func(r *payment.PayRequest) { r.PaymentRedirectURL = alipayplus.Secret{} }))
		if got := w.record("PR1").RedirectURL.Reveal(); got != pin {
			w.Errorf("without paymentRedirectUrl it is %q, not the pinRedirectUrl of passThroughInfo", got)
		}
		w.pay(request("PR2", easyPay, passThrough))
		if got := w.record("PR2").RedirectURL.Reveal(); got != "https://pay.example/result?session=%2B%3D" {
			w.Errorf("paymentRedirectUrl does not come before passThroughInfo: %q", got)
		}
	})
}

func TestAccount(t *testing.T) {
	story(t, func(w *world) {
		var asked easypay.Account
		w.with(func(c *easypay.Config) {
			c.Account = func(_ context.Context, a easypay.Account) (string, error) { asked = a; return customerID, nil }
		})
		w.pay(request("PR1", easyPay, evaluation))
		if want := (easypay.Account{UserLoginID: alipayplus.Conceal(loginID), UserLoginIDType: "MOBILE"}); !reflect.DeepEqual(asked, want) {
			w.Error("without paymentMethodId the login id names the user")
		}
		w.pay(request("PR2", easyPay, evaluation, method(accountID)))
		if want := (easypay.Account{PaymentMethodID: alipayplus.Conceal(accountID)}); !reflect.DeepEqual(asked, want) {
			w.Error("paymentMethodId comes before the login id")
		}
	})
}

// Who looks for the reason of a PARAM_ILLEGAL finds it in the handler's log and
// in the answer.
func TestRefusalSaysWhy(t *testing.T) {
	story(t, func(w *world) {
		var log bytes.Buffer
		handler := testkit.Must(alipayplus.NewHandler(alipayplus.HandlerConfig{
			Credentials: w.credentials(), Idempotency: w.store, Logger: slog.New(slog.NewTextHandler(&log, nil)),
		}, w.easypay.Routes("/wallet/")...))
		request := creation("PR1", func(r *payment.PayRequest) { r.AuthorizationInfo.AuthState = alipayplus.Secret{} })
		answer, err := alipayplustest.Send(w.Context(), w.gateway, handler, payPath, payment.Pay, request)
		if err != nil {
			t.Fatal(err)
		}
		w.is("answer", answer.Result.Error(), "F PARAM_ILLEGAL")
		for where, text := range map[string]string{"answer": answer.Result.Message, "log": log.String()} {
			if !strings.Contains(text, "isAuthorizationAndPay without referenceAgreementId, authClientId or authState") {
				t.Errorf("the %s does not say why: %s", where, text)
			}
		}
	})
}

// An alarm is not lost because nobody thought of a Logger.
func TestServiceWithoutLogger(t *testing.T) {
	story(t, func(w *world) {
		log := testkit.DefaultLog(w)
		w.with()
		free := func(r *payment.PayRequest) { r.PayToAmount.Currency = "hkd" }
		w.is("amounts that cannot be", w.pay(request("PR1", agreement, easyPay, evaluation, free)).Result.Error(), "F PARAM_ILLEGAL")
		if !strings.Contains(log.String(), "alarm: an evaluation has impossible amounts") {
			w.Errorf("the log says %q", log)
		}
	})
}

// A prefix without its last slash names the same path.
func TestRoutesPrefix(t *testing.T) {
	story(t, func(w *world) {
		handler := testkit.Must(alipayplus.NewHandler(alipayplus.HandlerConfig{
			Credentials: w.credentials(), Idempotency: w.store,
		}, w.easypay.Routes("/wallet")...))
		answer, err := alipayplustest.Send(w.Context(), w.gateway, handler, payPath, payment.Pay, creation("PR1"))
		if err != nil || answer.Result.Status != alipayplus.StatusUnknown {
			t.Errorf("%v, %v", answer, err)
		}
	})
}
