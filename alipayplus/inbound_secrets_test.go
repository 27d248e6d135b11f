package alipayplus_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
	"github.com/alipayplus-mpp/alipayplus-go/internal/testkit"
)

// inWatch returns a handler's configuration that prints all that its log and
// its hooks get, in every way.
func inWatch(log *inLog) alipayplus.HandlerConfig {
	cfg := inConfig()
	cfg.Signer = testkit.Unverified{Version: "7"}
	cfg.Logger = log.logger()
	print := func(v any) {
		_, _ = fmt.Fprintf(log, "%v %+v %#v %s %q\n", v, v, v, v, v)
		slog.New(slog.NewTextHandler(log, nil)).Info("hook", "v", v)
		log.logger().Info("hook", "v", v)
	}
	cfg.Hooks = alipayplus.Hooks{
		Attempt: func(_ context.Context, a alipayplus.Attempt) {
			print(a)
			if a.Err != nil {
				print(a.Err)
				print(*a.Err)
			}
		},
		Finish: func(_ context.Context, operation string, _ time.Duration, r alipayplus.Result, err error) {
			print(operation)
			print(r)
			if own := (*inOwnError)(nil); !errors.As(err, &own) { // the function's own error is the wallet's affair
				print(err)
			}
		},
	}
	return cfg
}

// inOwnError is an error of a wallet's function. Its text is the wallet's
// affair.
type inOwnError struct{ text string }

func (e *inOwnError) Error() string { return e.text }

// inCareless returns functions that put the whole request into their panic, and
// ones that fail.
func inCareless(body string) map[string]func(context.Context) (alipayplus.Result, error) {
	return map[string]func(context.Context) (alipayplus.Result, error){
		"succeeds": func(context.Context) (alipayplus.Result, error) { return alipayplus.Result{}, nil },
		"refuses": func(context.Context) (alipayplus.Result, error) {
			return alipayplus.Result{}, alipayplus.CodeRiskReject
		},
		"fails": func(context.Context) (alipayplus.Result, error) {
			return alipayplus.Result{}, errors.New("the debit failed")
		},
		"fails around a call's error": func(context.Context) (alipayplus.Result, error) {
			return alipayplus.Result{}, errors.Join(errors.New("the debit failed"), &alipayplus.Error{Operation: "userInitiatedPay"})
		},
		"panics":            func(context.Context) (alipayplus.Result, error) { panic(body) },
		"panics with error": func(context.Context) (alipayplus.Result, error) { panic(&inOwnError{body}) },
		"panics in maths": func(context.Context) (alipayplus.Result, error) {
			return alipayplus.Result{}, fmt.Errorf("%d", len(body)/inZero)
		},
	}
}

var inZero int

// inWithAny returns body with the scalar at path replaced by any JSON.
func inWithAny(body, path, value string) string {
	const mark = `"@@here@@"`
	return strings.Replace(inWith(body, path, func(string) string { return "@@here@@" }), mark, value, 1)
}

// Nothing of a request reaches a log, a hook or an error of the SDK, wherever
// it is in the request and whatever becomes of it.
func TestNoSecretsOfRequests(t *testing.T) {
	inquiry := `{"acquirerId":"A","pspId":"P","paymentRequestId":"PR1"}`
	bodies := map[string]string{
		payment.Pay.Name(): inPayBody, payment.Refund.Name(): inRefundBody,
		payment.CancelPayment.Name(): inquiry, payment.InquiryPayment.Name(): inquiry, inMove.Name(): inValid,
	}
	checked, ran := 0, 0
	for _, op := range inOps() {
		log := &inLog{}
		var function func(context.Context) (alipayplus.Result, error)
		h := testkit.Must(alipayplus.NewHandler(inWatch(log), op.route("/x", func(ctx context.Context) (alipayplus.Result, error) {
			ran++
			return function(ctx)
		})))
		serve := func(what string, r *http.Request) {
			t.Helper()
			w := inServe(h, r)
			checked++
			if text := log.String(); strings.Contains(text, canary) {
				t.Fatalf("%s, %s: the log or a hook shows the request:\n%s", op.name, what, text)
			}
			if strings.Contains(w.Body.String(), canary) {
				t.Fatalf("%s, %s: the answer shows the request: %s", op.name, what, w.Body)
			}
		}
		function = inCareless("")["succeeds"]
		full := bodies[op.name]
		all := full
		var message any
		if err := json.Unmarshal([]byte(full), &message); err != nil {
			t.Fatal(err)
		}
		inLeaves("", message, func(path string) {
			// One member at a time, as a text and as what no member takes.
			for _, value := range []string{`"` + canary + `"`, `{"` + canary + `":["` + canary + `"]}`} {
				body := inWithAny(full, path, value)
				serve(path, inArrive("/x", body).request())
			}
			// And all at once that can be, so that the function runs.
			if !strings.HasSuffix(path, "/value") && !strings.HasSuffix(path, "/currency") && !strings.Contains(path, "/is") &&
				!strings.HasSuffix(path, "needSurcharge") {
				all = inWithAny(all, path, `"`+canary+`"`)
			}
		})
		n := 0
		for name, f := range inCareless(all) {
			n++
			function = f
			before := ran
			// A key of its own for each, with the canary in it.
			serve("a function that "+name, inArrive("/x", strings.ReplaceAll(all, canary, fmt.Sprint(canary, n))).request())
			if ran != before+1 {
				t.Errorf("%s: the function that %s did not run", op.name, name)
			}
		}
		for what, body := range map[string]string{
			"no JSON":                canary,
			"a body that breaks off": `{"` + canary + `":"` + canary,
			"a member twice":         `{"` + canary + `":1,"` + canary + `":2}`,
			"a second document":      `{}` + canary,
			"an unknown member":      `{"` + canary + `":{"` + canary + `":1}}`,
		} {
			serve(what, inArrive("/x", body).request())
		}
		for what, spoil := range map[string]func(*http.Request){
			"Client-Id":        func(r *http.Request) { r.Header.Set("Client-Id", canary) },
			"a bad Client-Id":  func(r *http.Request) { r.Header.Set("Client-Id", canary+" ") },
			"Request-Time":     func(r *http.Request) { r.Header.Set("Request-Time", canary) },
			"Signature":        func(r *http.Request) { r.Header.Set("Signature", "signature="+canary) },
			"a bad Signature":  func(r *http.Request) { r.Header.Set("Signature", canary) },
			"key version":      func(r *http.Request) { r.Header.Set("Signature", "keyVersion="+canary) },
			"Content-Type":     func(r *http.Request) { r.Header.Set("Content-Type", canary) },
			"Content-Encoding": func(r *http.Request) { r.Header.Set("Content-Encoding", canary) },
			"the method":       func(r *http.Request) { r.Method = canary },
			"the query":        func(r *http.Request) { r.RequestURI += "?" + canary },
			"another header":   func(r *http.Request) { r.Header.Set("Authorization", canary) },
		} {
			r := inArrive("/x", all).request()
			spoil(r)
			serve(what, r)
		}
	}
	t.Logf("%d requests, 0 leaks", checked)
}

// The store's error is shown, since operators need it; the store must not quote
// answers. What it panics with is not shown.
func TestStoreErrorsAreShown(t *testing.T) {
	log := &inLog{}
	cfg := inWatch(log)
	cfg.Idempotency = &inStoreFault{
		IdempotencyStore: cfg.Idempotency,
		begin: func(call int, ctx context.Context, c alipayplus.Claim, next alipayplus.IdempotencyStore) (alipayplus.ClaimState, []byte, error) {
			if call == 1 {
				return alipayplus.ClaimUndecided, nil, errors.New("connection refused")
			}
			panic(canary)
		},
	}
	h := testkit.Must(alipayplus.NewHandler(cfg, inMove.Handle(inMovePath, inDone)))
	for range 2 {
		inServe(h, inArrive(inMovePath, inValid).request())
	}
	if text := log.String(); !strings.Contains(text, "store: connection refused") || !strings.Contains(text, "panic with a string") ||
		!strings.Contains(text, "inbound_secrets_test.go") || strings.Contains(text, canary) {
		t.Errorf("the log:\n%s", text)
	}
}
