package alipayplus_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	secrets "github.com/alipayplus-mpp/alipayplus-go/internal/canary"
	"github.com/alipayplus-mpp/alipayplus-go/internal/testkit"
)

const canary = secrets.Text

// canaryForms returns the ways in which a canary, or the wallet's private key,
// can occur in a text.
func canaryForms() []string {
	return append(secrets.Forms(canary), keyForms()...)
}

func keyForms() []string {
	key := testkit.Keys().Wallet
	return []string{
		key.D.String(), key.D.Text(16), key.Primes[0].String(), key.Primes[1].String(), key.Primes[0].Text(16),
		fmt.Sprint(key.D.Bits()[:2]), // as its words
	}
}

// leak returns the first canary in text.
func leak(forms []string, text string) string { return secrets.Find(forms, text) }

// printed gives f every text that showing v makes.
func printed(v any, f func(how, text string)) { secrets.Shown(v, false, f) }

// networkFailure returns the cause that a call wraps when the transport's error
// quotes everything.
func networkFailure(t *testing.T) error {
	t.Helper()
	c := newClient(t, transport(func(r *http.Request) (*http.Response, error) {
		return nil, &url.Error{Op: "Post", URL: "https://host/" + canary, Err: errors.New("header " + canary)}
	}), noRetry)
	_, err := decodeOrder.Call(t.Context(), c, &order{ID: "1", Code: alipayplus.Conceal(canary)})
	var e *alipayplus.Error
	if !errors.As(err, &e) {
		t.Fatal(err)
	}
	return e.Err
}

// No exported type shows a secret, in any way of showing it.
func TestNothingShowsSecrets(t *testing.T) {
	secret := alipayplus.Conceal(canary)
	credentials := alipayplus.Credentials{ClientID: clientID, Signer: walletSigner(), Keys: alipayRing()}
	config := alipayplus.ClientConfig{Credentials: credentials, BaseURL: "https://gateway.example"}
	client, err := alipayplus.NewClient(config)
	if err != nil {
		t.Fatal(err)
	}
	store := alipayplus.NewMemoryIdempotencyStore(10)
	claim := alipayplus.Claim{Operation: "pay", Key: secret.Digest(), Owner: "O", Lease: time.Minute}
	if _, _, err := store.Begin(t.Context(), claim); err != nil {
		t.Fatal(err)
	}
	if err := store.Finish(t.Context(), claim, []byte(canary)); err != nil {
		t.Fatal(err)
	}
	handlerConfig := alipayplus.HandlerConfig{Credentials: credentials, Idempotency: store}
	route := inMove.Handle("/move", inDone)
	handler, err := alipayplus.NewHandler(handlerConfig, route)
	if err != nil {
		t.Fatal(err)
	}
	failure := &alipayplus.Error{
		Operation: "decodeOrder", Result: alipayplus.Result{Code: "C", Status: "F"},
		Err: networkFailure(t),
	}
	sealer, err := alipayplus.NewSealer([]byte(canary + strings.Repeat("x", 32))[:32])
	if err != nil {
		t.Fatal(err)
	}
	memory := alipayplus.NewMemory()
	if err := memory.Put(t.Context(), alipayplus.Message{Operation: "x", Key: "1", Body: secret}); err != nil {
		t.Fatal(err)
	}
	relay, err := alipayplus.NewRelay(alipayplus.RelayConfig{Client: client, Queue: memory, Sealer: sealer})
	if err != nil {
		t.Fatal(err)
	}
	secrets.Package{
		Structs: []any{alipayplus.Message{}, alipayplus.Info{}, alipayplus.Delivery{}, alipayplus.End{}, alipayplus.Backlog{}, alipayplus.RelayConfig{}, order{}, person{}, purchase{}},
		Filled: map[string]any{
			"Secret": secret, "Personal": alipayplus.PersonalOf(person{Name: canary}), "Signer": credentials.Signer, "Sealer": sealer, "Memory": memory, "Relay": relay, "KeyRing": credentials.Keys,
			"Credentials": credentials, "ClientConfig": config, "Client": client, "HandlerConfig": handlerConfig, "Handler": handler, "Route": route,
			"Error": failure, "Error, value": *failure, "Attempt": alipayplus.Attempt{Operation: "x", Err: failure},
			"Idempotency": alipayplus.Idempotency{Key: secret.Digest(), Match: []any{secret}}, "MemoryIdempotencyStore": store, "Claim": claim,
			"Outbound": decodeOrder, "Inbound": inMove, "Spec": decodeOrder.Spec(),
			"Content": alipayplus.Content{Method: "POST", Target: "/a", ClientID: clientID, Time: sampleTime, Body: []byte(canary)},
		},
		Others: map[string]string{
			"Amount": "money", "Currency": "money", "Bool": "a flag", "Time": "a time", "Outcome": "a number", "ClaimState": "a number",
			"Result": "codes", "ResultCode": "a code", "ResultStatus": "a code", "Problem": "names and rules", "ValidationError": "names and rules",
			"Backoff": "numbers", "Budget": "numbers", "Schedule": "times", "Hooks": "functions", "CallOption": "a function",
			"RetryPolicy": "an interface", "Outbox": "an interface", "Queue": "an interface", "EndState": "a number", "IdempotencyStore": "an interface",
		},
		Bodies: []string{"Content"},
		More:   keyForms(),
	}.Run(t)
}

// An uncaught panic with one of our values is printed by the runtime, in a
// process of its own.
func TestPanicsDoNotShowSecrets(t *testing.T) {
	values := []any{
		alipayplus.Conceal(canary),
		alipayplus.Message{Body: alipayplus.Conceal(canary)}, &alipayplus.Message{Body: alipayplus.Conceal(canary)},
		alipayplus.Info{Body: alipayplus.Conceal(canary)}, alipayplus.Content{Body: []byte(canary)},
		&alipayplus.Error{Operation: "x", Err: errLost}, alipayplus.Error{Operation: "x", Err: errLost},
		order{ID: "1", Code: alipayplus.Conceal(canary)}, struct{ s alipayplus.Secret }{alipayplus.Conceal(canary)},
	}
	if os.Getenv("ALIPAYPLUS_TEST_PANIC") != "" {
		for _, v := range values {
			defer panic(v) // each in the place of the one before: the runtime prints all of them
		}
		return
	}
	command := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestPanicsDoNotShowSecrets$")
	command.Env = append(os.Environ(), "ALIPAYPLUS_TEST_PANIC=1")
	out, err := command.CombinedOutput()
	if err == nil || bytes.Count(out, []byte("panic: ")) < len(values) || !bytes.Contains(out, []byte("[redacted]")) {
		t.Errorf("not all of them panicked: %s", out)
	}
	if found := leak([]string{canary, strings.Trim(fmt.Sprint([]byte(canary)), "[]")}, string(out)); found != "" {
		t.Errorf("%q in %s", found, out)
	}
}

// Whatever goes wrong in a call: neither its error nor what is logged shows the
// request, the answer, a header or a URL.
func TestErrorsAndLogsShowNothing(t *testing.T) {
	forms := canaryForms()
	answered := func(status int, sealed bool, body string) transport {
		return func(r *http.Request) (*http.Response, error) {
			h := http.Header{"X-Token": {canary}, "Set-Cookie": {canary}, "Location": {"https://host/" + canary}}
			if sealed {
				for name, values := range signedHeader(r.URL.RequestURI(), stamp(time.Now()), body) {
					h[name] = values
				}
			}
			return response(status, h, body), nil
		}
	}
	with := func(result string) string {
		return `{"result":` + result + `,"action":"` + canary + `","amount":{"currency":"` + canary + `"}}`
	}
	cases := map[string]transport{
		"lost": func(*http.Request) (*http.Response, error) { return nil, errors.New("lost " + canary) },
		"URL error": func(*http.Request) (*http.Response, error) {
			return nil, &url.Error{Op: "Post", URL: "https://" + canary, Err: errLost}
		},
		"unsigned page":       answered(200, false, "<html>"+canary),
		"unsigned 502":        answered(502, false, canary),
		"unsigned redirect":   answered(302, false, canary),
		"unsigned F":          answered(200, false, `{"result":{"resultCode":"PROCESS_FAIL","resultStatus":"F","resultMessage":"`+canary+`"}}`),
		"verified, no JSON":   answered(200, true, canary),
		"verified, bad UTF-8": answered(200, true, "{\"a\":\""+canary+"\xff\"}"),
		"verified, twice":     answered(200, true, `{"`+canary+`":1,"`+canary+`":2}`),
		"verified, misfit":    answered(200, true, with(`{"resultCode":"SUCCESS","resultStatus":"S"}`)),
		"verified, misfit 2":  answered(200, true, `{"result":"`+canary+`"}`),
		"verified F":          answered(200, true, `{"result":{"resultCode":"PROCESS_FAIL","resultStatus":"F"},"action":"`+canary+`"}`),
		"verified U":          answered(200, true, `{"result":{"resultCode":"UNKNOWN_EXCEPTION","resultStatus":"U"},"action":"`+canary+`"}`),
		"no answer at all":    hang,
		"answer for another": func(r *http.Request) (*http.Response, error) {
			h := signedHeader(decodePath, stamp(time.Now()), bodyS)
			h.Set("Client-Id", canary)
			return response(200, h, bodyS), nil
		},
		"header of another": func(r *http.Request) (*http.Response, error) {
			h := signedHeader(decodePath, stamp(time.Now()), bodyS)
			h.Set("Signature", "signature="+canary+",algorithm="+canary)
			return response(200, h, bodyS), nil
		},
	}
	for name, rt := range cases {
		var text bytes.Buffer
		for _, handler := range []slog.Handler{slog.NewTextHandler(&text, nil), slog.NewJSONHandler(&text, nil)} {
			log := slog.New(handler)
			c := newClient(t, rt, noRetry, func(cfg *alipayplus.ClientConfig) {
				cfg.Logger = log
				cfg.Hooks.Attempt = func(ctx context.Context, a alipayplus.Attempt) { log.InfoContext(ctx, "attempt", "a", a, "err", a.Err) }
				cfg.Hooks.Finish = func(ctx context.Context, op string, _ time.Duration, _ alipayplus.Result, err error) {
					log.InfoContext(ctx, "finish", "op", op, "err", err)
				}
			})
			var info alipayplus.Info
			_, err := decodeOrder.Call(t.Context(), c, &order{ID: "1", Code: alipayplus.Conceal(canary), Payer: canary},
				alipayplus.WithInfo(&info), alipayplus.WithTimeout(time.Millisecond))
			if err == nil {
				t.Fatalf("%s: no error", name)
			}
			log.Info("info", "info", info)
			for how, v := range map[string]any{"error": err, "joined error": errors.Join(err, errLost), "wrapped error": fmt.Errorf("call: %w", err)} {
				printed(v, func(way, text string) {
					if found := leak(forms, text); found != "" {
						t.Fatalf("%s: %s %s shows %q: %.300s", name, how, way, found, text)
					}
				})
			}
		}
		if found := leak(forms, text.String()); found != "" {
			t.Errorf("%s: the log shows %q: %s", name, found, text.String())
		}
	}
}

// A message that breaks rules is refused without quoting it.
func TestValidationShowsNothing(t *testing.T) {
	long, forms := strings.Repeat(canary, 100), canaryForms()
	for i, request := range []*order{nil, {}, {ID: long}, {ID: "1", Code: alipayplus.Conceal(long)}, {ID: canary + "\xff"}, {ID: "1", Code: alipayplus.Conceal(canary + "\xff")}} {
		m, err := decodeOrder.Prepare(request)
		if err == nil || alipayplus.OutcomeOf(err) != alipayplus.OutcomeNotSent || !m.Body.IsZero() {
			t.Errorf("%d: %v", i, err)
			continue
		}
		printed(err, func(how, text string) {
			if leak(forms, text) != "" {
				t.Fatalf("%s: %s", how, text)
			}
		})
		var invalid *alipayplus.ValidationError
		if request != nil && (!errors.As(err, &invalid) || len(invalid.Problems) == 0 || invalid.Problems[0].Path == "") {
			t.Errorf("%s: no problems in %v", strconv.Itoa(i), err)
		}
	}
}
