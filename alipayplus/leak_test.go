package alipayplus_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
)

const canary = "CANARY-4f1e9b"

// canaryForms are the ways in which a canary, or the wallet's private key, can
// stand in a text.
func canaryForms() []string {
	key := keys().wallet
	forms := []string{
		canary, key.D.String(), key.D.Text(16), key.Primes[0].String(), key.Primes[1].String(), key.Primes[0].Text(16),
		fmt.Sprint(key.D.Bits()[:2]), // as its words
		base64.StdEncoding.EncodeToString([]byte(canary)),
		base64.StdEncoding.EncodeToString([]byte(" " + canary))[4:],
		base64.StdEncoding.EncodeToString([]byte("  " + canary))[4:],
	}
	for _, verb := range "bdoOqxXUcsv" {
		for _, value := range []any{canary, []byte(canary)} {
			text := strings.Trim(fmt.Sprintf("%"+string(verb), value), `[]"`)
			if !strings.HasPrefix(text, "%!") && len(text) > 8 {
				forms = append(forms, text)
			}
		}
	}
	return append(forms, strings.Trim(fmt.Sprintf("%#v", []byte(canary)), "[]byte{}"))
}

// leak is the first canary in text.
func leak(forms []string, text string) string {
	for _, form := range forms {
		if strings.Contains(text, form) {
			return form
		}
	}
	return ""
}

// bodies are the types that hold a body or a text in an exported field. fmt calls
// no method of an unexported field, so that nothing can hide them there.
var bodies = map[reflect.Type]bool{
	reflect.TypeFor[alipayplus.Content](): true, reflect.TypeFor[alipayplus.Info](): true, reflect.TypeFor[*alipayplus.Info](): true,
	reflect.TypeFor[alipayplus.Message](): true, reflect.TypeFor[*alipayplus.Message](): true,
	reflect.TypeFor[alipayplus.Error](): true, reflect.TypeFor[*alipayplus.Error](): true,
}

// printed gives f every text that printing v makes: the verbs that are
// used to print, with all flags, as v and from inside other things, and both
// handlers of slog. (For a verb that does not fit, %p or %t, fmt asks nobody.)
func printed(v any, f func(how, text string)) {
	wrapped := map[string]any{
		"itself":     v,
		"in a slice": []any{v},
		"in a map":   map[string]any{"k": v},
		"in a field": struct{ Field any }{v},
	}
	if _, plain := bodies[reflect.TypeOf(v)]; !plain {
		wrapped["in an unexported field"] = struct{ field any }{v}
		wrapped["deep in unexported fields"] = struct{ a struct{ b []any } }{struct{ b []any }{[]any{v}}}
	}
	for name, w := range wrapped {
		for _, verb := range "vsqxXd" {
			for _, flag := range []string{"", "+", "#", "-", " ", "0", "+#", "12.3"} {
				format := "%" + flag + string(verb)
				f(name+" with "+format, fmt.Sprintf(format, w))
			}
		}
		f(name+" in an error", fmt.Errorf("wrapped: %v", w).Error())
		var text bytes.Buffer
		slog.New(slog.NewTextHandler(&text, nil)).Info("m", "v", w, slog.Group("g", "v", w))
		f(name+" in slog's text", text.String())
		if name == "itself" {
			// What slog's JSON handler does with things around it, doc of Secret.
			var text bytes.Buffer
			slog.New(slog.NewJSONHandler(&text, nil)).Info("m", "v", w, slog.Group("g", "v", w))
			f("in slog's JSON", text.String())
		}
	}
}

// specimens have a canary in every place of an exported type that can hold a
// secret. "" in the list of types means that the type can hold none, and why.
func specimens(t *testing.T) map[string]any {
	secret := alipayplus.Conceal(canary)
	credentials := alipayplus.Credentials{ClientID: clientID, Signer: walletSigner(t), Keys: alipayRing(t)}
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
	return map[string]any{
		"Secret": secret, "*Secret": &secret, "Signer": credentials.Signer, "KeyRing": credentials.Keys,
		"Credentials": credentials, "Config": config, "*Config": &config, "Client": client,
		"HandlerConfig": handlerConfig, "Handler": handler, "Route": route,
		"Content":      alipayplus.Content{Method: "POST", Target: "/a", ClientID: clientID, Time: sampleTime, Body: []byte(canary)},
		"Info":         alipayplus.Info{Body: []byte(canary)},
		"*Info":        &alipayplus.Info{Body: []byte(canary)},
		"Message":      alipayplus.Message{Operation: "x", Key: "1", URL: "https://a/" + canary, Body: []byte(canary)},
		"*Message":     &alipayplus.Message{Body: []byte(canary)},
		"Error":        failure,
		"Error, value": *failure,
		"Attempt":      alipayplus.Attempt{Operation: "x", Err: failure},
		"Identity":     alipayplus.Idempotency{Key: secret.Digest(), Match: []any{secret}},
		"MemoryStore":  store,
		"Claim":        claim,
		"Outbound":     decodeOrder,
		"Inbound":      inMove,
		"Spec":         decodeOrder.Spec(),
	}
}

// cannotLeak are the exported types without a place for a secret.
var cannotLeak = map[string]string{
	"Amount": "money", "Currency": "money", "Bool": "a flag", "Time": "a time", "Outcome": "a number", "ClaimState": "a number",
	"Result": "codes", "ResultCode": "a code", "ResultStatus": "a code", "Problem": "names and rules", "ValidationError": "names and rules",
	"Backoff": "numbers", "Budget": "numbers", "Schedule": "times", "Hooks": "functions", "CallOption": "a function",
	"RetryPolicy": "an interface", "Store": "an interface",
}

// networkFailure is the cause that a call wraps when the transport's error
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

// No exported type shows a secret, in any way of printing it. A type that is new
// must be added here.
func TestNothingPrintsSecrets(t *testing.T) {
	all, forms := specimens(t), canaryForms()
	for name, v := range all {
		t.Run(name, func(t *testing.T) {
			n := 0
			printed(v, func(how, text string) {
				n++
				if found := leak(forms, text); found != "" {
					t.Fatalf("%s shows %.30q: %.300s", how, found, text)
				}
			})
			t.Logf("%d texts", n)
		})
	}
	for _, name := range exportedTypes(t) {
		if _, ok := all[name]; !ok && cannotLeak[name] == "" {
			t.Errorf("no specimen of %s", name)
		}
	}
	// Control: the detector finds what is not redacted.
	type careless struct{ Token string }
	for _, v := range []any{canary, []byte(canary), careless{canary}, keys().wallet, struct{ b []byte }{[]byte(canary)}} {
		found := false
		printed(v, func(_, text string) { found = found || leak(forms, text) != "" })
		if !found {
			t.Errorf("control: nothing found in a %T", v)
		}
	}
}

func exportedTypes(t *testing.T) (names []string) {
	t.Helper()
	files, err := filepath.Glob("*.go")
	if err != nil || len(files) == 0 {
		t.Fatal("no sources")
	}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range parsed.Decls {
			if g, ok := d.(*ast.GenDecl); ok && g.Tok == token.TYPE {
				for _, s := range g.Specs {
					if name := s.(*ast.TypeSpec).Name; name.IsExported() {
						names = append(names, name.Name)
					}
				}
			}
		}
	}
	return names
}

// An uncaught panic with one of our values is printed by the runtime, in a
// process of its own.
func TestPanicsDoNotShowSecrets(t *testing.T) {
	values := []any{
		alipayplus.Conceal(canary),
		alipayplus.Message{Body: []byte(canary)}, &alipayplus.Message{Body: []byte(canary)},
		alipayplus.Info{Body: []byte(canary)}, alipayplus.Content{Body: []byte(canary)},
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
		if err == nil || alipayplus.OutcomeOf(err) != alipayplus.OutcomeNotSent || m.Body != nil {
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
