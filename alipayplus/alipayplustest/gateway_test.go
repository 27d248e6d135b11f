package alipayplustest_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/alipayplustest"
	"github.com/alipayplus-mpp/alipayplus-go/internal/testkit"
)

type parcel struct {
	ID    string          `json:"id,omitzero" wire:"required,max=64"`
	To    string          `json:"to,omitzero"`
	Note  string          `json:"note,omitzero"`
	Heavy alipayplus.Bool `json:"heavy,omitzero"`
}

type receipt struct {
	Result alipayplus.Result `json:"result" wire:"check"`
	Run    string            `json:"run,omitzero"`
}

var (
	ship = alipayplus.NewOutbound(alipayplus.Spec[parcel, receipt]{
		Name: "ship", Path: "/aps/api/v1/ship",
		Idempotency: func(p *parcel) alipayplus.Idempotency { return alipayplus.Idempotency{Key: p.ID, Match: []any{p.To}} },
	})
	track = alipayplus.NewOutbound(alipayplus.Spec[parcel, receipt]{Name: "track", Path: "/aps/api/v1/track", ReadOnly: true})
)

// scripted returns a Gateway whose ship and track count their runs, and a
// client that makes one attempt.
func scripted(t *testing.T, complaints *tb) (*alipayplustest.Gateway, *alipayplus.Client) {
	t.Helper()
	g := alipayplustest.New(complaints)
	var mu sync.Mutex
	runs := 0
	count := func(context.Context, *parcel) (*receipt, error) {
		mu.Lock()
		defer mu.Unlock()
		runs++
		return &receipt{Run: fmt.Sprint(runs)}, nil
	}
	alipayplustest.Answer(g, ship, count)
	alipayplustest.Answer(g, track, count)
	return g, clientOf(t, g, nil)
}

func clientOf(t *testing.T, g *alipayplustest.Gateway, change func(*alipayplus.ClientConfig)) *alipayplus.Client {
	t.Helper()
	cfg := g.Config()
	cfg.Retry = alipayplus.NoRetry
	if change != nil {
		change(&cfg)
	}
	c, err := alipayplus.NewClient(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// silent fails the test if the Gateway complained.
func silent(t *testing.T, complaints *tb) {
	t.Helper()
	if len(complaints.errors) != 0 {
		t.Errorf("the Gateway complains: %q", complaints.errors)
	}
}

// What each fault looks like to the wallet, and what Alipay+ did meanwhile.
func TestFaults(t *testing.T) {
	claim := alipayplus.Result{Code: "PROCESS_FAIL", Status: "F"}
	for _, test := range []struct {
		name    string
		fault   alipayplustest.Fault
		outcome alipayplus.Outcome
		cause   error
		text    string
		ran     int // how often the function ran
	}{
		{"None", alipayplustest.None(), alipayplus.OutcomeSucceeded, nil, "", 1},
		{"RefuseConnection", alipayplustest.RefuseConnection(), alipayplus.OutcomeNotSent, nil, "connection refused", 0},
		{"LoseRequest", alipayplustest.LoseRequest(), alipayplus.OutcomeUnknown, nil, "connection failed", 0},
		{"LoseAnswer", alipayplustest.LoseAnswer(), alipayplus.OutcomeUnknown, nil, "connection failed", 1},
		{"Truncate 0", alipayplustest.Truncate(0), alipayplus.OutcomeUnknown, io.ErrUnexpectedEOF, "before the answer was complete", 1},
		{"Truncate 10", alipayplustest.Truncate(10), alipayplus.OutcomeUnknown, io.ErrUnexpectedEOF, "before the answer was complete", 1},
		{"Truncate behind the end", alipayplustest.Truncate(1 << 20), alipayplus.OutcomeUnknown, io.ErrUnexpectedEOF, "", 1},
		{"Tamper", alipayplustest.Tamper(), alipayplus.OutcomeUnknown, alipayplus.ErrSignature, "", 1},
		{"HalfSigned", alipayplustest.HalfSigned(), alipayplus.OutcomeUnknown, alipayplus.ErrSignature, "", 1},
		{"Unsigned", alipayplustest.Unsigned(claim), alipayplus.OutcomeUnknown, alipayplus.ErrUnsigned, "claims F PROCESS_FAIL", 0},
		{"BadGateway", alipayplustest.BadGateway(), alipayplus.OutcomeUnknown, nil, "HTTP 502", 0},
		{"Unknown", alipayplustest.Unknown("BUSY"), alipayplus.OutcomeUnknown, alipayplus.ResultCode("BUSY"), "U BUSY", 0},
		{"Refused", alipayplustest.Refused("NO_SPACE"), alipayplus.OutcomeFailed, alipayplus.ResultCode("NO_SPACE"), "F NO_SPACE", 0},
		{"Stale", alipayplustest.Stale(time.Hour), alipayplus.OutcomeUnknown, alipayplus.ErrStale, "", 1},
		{"a little stale", alipayplustest.Stale(time.Minute), alipayplus.OutcomeSucceeded, nil, "", 1},
		{"Delay", alipayplustest.Delay(4 * time.Second), alipayplus.OutcomeSucceeded, nil, "", 1},
		{"Delay over the timeout", alipayplustest.Delay(6 * time.Second), alipayplus.OutcomeUnknown, context.DeadlineExceeded, "timed out", 1},
		{"Delay for ever", alipayplustest.Delay(-1), alipayplus.OutcomeUnknown, context.DeadlineExceeded, "timed out", 1},
	} {
		synctest.Test(t, func(t *testing.T) {
			complaints := &tb{}
			g, client := scripted(t, complaints)
			g.Fail(ship, test.fault)
			_, err := ship.Call(t.Context(), client, &parcel{ID: "1"})
			if got := alipayplus.OutcomeOf(err); got != test.outcome {
				t.Errorf("%s: %v, want %v: %v", test.name, got, test.outcome, err)
			}
			if test.cause != nil && !errors.Is(err, test.cause) {
				t.Errorf("%s: %v, want the cause %v", test.name, err, test.cause)
			}
			if err != nil && !strings.Contains(err.Error(), test.text) {
				t.Errorf("%s: %v, want %q", test.name, err, test.text)
			}
			ran := 0
			for _, call := range g.Calls(ship) {
				if call.Ran {
					ran++
				}
			}
			if ran != test.ran {
				t.Errorf("%s: Alipay+ processed %d requests, want %d", test.name, ran, test.ran)
			}
			// The fault is used up, and the truth is what was processed.
			answer, err := ship.Call(t.Context(), client, &parcel{ID: "1"})
			if err != nil || answer.Run != "1" {
				t.Errorf("%s: afterwards %v, %v", test.name, answer, err)
			}
			complaints.finish()
			silent(t, complaints)
		})
	}
}

// finish runs the cleanups, as the end of a test does.
func (t *tb) finish() {
	for i := len(t.cleanups) - 1; i >= 0; i-- {
		t.cleanups[i]()
	}
	t.cleanups = nil
}

// Faults are met in their order, one for each exchange of their API.
func TestFaultsAreMetInOrder(t *testing.T) {
	complaints := &tb{}
	g, client := scripted(t, complaints)
	g.Fail(ship, alipayplustest.BadGateway(), alipayplustest.None())
	g.Fail(ship, alipayplustest.Unknown("BUSY"))
	g.Fail(track, alipayplustest.LoseRequest())
	var got []string
	for range 4 {
		_, err := ship.Call(t.Context(), client, &parcel{ID: "1"})
		got = append(got, fmt.Sprint(alipayplus.OutcomeOf(err), errors.Is(err, alipayplus.ResultCode("BUSY"))))
	}
	if want := "[unknown false succeeded false unknown true succeeded false]"; fmt.Sprint(got) != want {
		t.Errorf("%v, want %s", got, want)
	}
	complaints.finish()
	if len(complaints.errors) != 1 || !strings.Contains(complaints.errors[0], "1 faults of track were never met") {
		t.Errorf("an unused fault is not reported: %q", complaints.errors)
	}
}

// One identity is processed once. What does not match is refused, and the first
// answer stays.
func TestRepeatedRequests(t *testing.T) {
	complaints := &tb{}
	g, client := scripted(t, complaints)
	call := func(p parcel) string {
		answer, err := ship.Call(t.Context(), client, &p)
		if err != nil {
			return err.Error()[:strings.LastIndex(err.Error(), " (trace")]
		}
		return answer.Run
	}
	const refused = "alipayplus: ship failed: F REPEAT_REQ_INCONSISTENT"
	for i, step := range []struct {
		p    parcel
		want string
	}{
		{parcel{ID: "1", To: "A"}, "1"},
		{parcel{ID: "1", To: "A"}, "1"},
		{parcel{ID: "1", To: "A", Note: "not matched"}, "1"},
		{parcel{ID: "1", To: "B"}, refused},
		{parcel{ID: "1"}, refused},
		{parcel{ID: "1", To: "A"}, "1"},
		{parcel{ID: "2", To: "B"}, "2"},
	} {
		if got := call(step.p); got != step.want {
			t.Errorf("step %d: %q, want %q", i, got, step.want)
		}
	}
	ran := 0
	for _, c := range g.Calls(ship) {
		if c.Ran {
			ran++
		}
		if c.Operation != "ship" || c.Key == "" || c.Target != "/aps/api/v1/ship" || len(c.Body) == 0 || len(c.Answer) == 0 || c.Header.Get("Signature") == "" {
			t.Errorf("%+v", c)
		}
	}
	if ran != 2 || len(g.Calls(ship)) != 7 || len(g.Calls(track)) != 0 {
		t.Errorf("%d runs of %d calls", ran, len(g.Calls(ship)))
	}
	// An API without identity runs every time.
	for want := 3; want < 5; want++ {
		if answer, err := track.Call(t.Context(), client, &parcel{ID: "1"}); err != nil || answer.Run != fmt.Sprint(want) {
			t.Errorf("%v, %v", answer, err)
		}
	}
	silent(t, complaints)
}

// What a scripted function returns, and what is kept of it.
func TestAnswerResults(t *testing.T) {
	for _, test := range []struct {
		name   string
		answer *receipt
		err    error
		want   string
		again  int // runs after two calls
	}{
		{"zero Result", &receipt{}, nil, "S SUCCESS", 1},
		{"own S", &receipt{Result: alipayplus.Result{Code: "DONE", Status: "S"}}, nil, "S DONE", 1},
		{"own F", &receipt{Result: alipayplus.Result{Code: "NO", Status: "F"}}, nil, "F NO", 1},
		{"own U", &receipt{Result: alipayplus.Result{Code: "LATER", Status: "U"}}, nil, "U LATER", 2},
		{"a code", nil, alipayplus.CodeRiskReject, "F RISK_REJECT", 1},
		{"a wrapped code", nil, fmt.Errorf("no: %w", alipayplus.CodeRiskReject), "F RISK_REJECT", 1},
		{"a Result", nil, alipayplus.Result{Code: "MINE", Status: "F"}, "F MINE", 1},
		{"an error", nil, errors.New("no"), "U UNKNOWN_EXCEPTION", 2},
		{"nothing", nil, nil, "U UNKNOWN_EXCEPTION", 2},
	} {
		complaints := &tb{}
		g := alipayplustest.New(complaints)
		runs := 0
		alipayplustest.Answer(g, ship, func(context.Context, *parcel) (*receipt, error) { runs++; return test.answer, test.err })
		client := clientOf(t, g, nil)
		for range 2 {
			answer, err := ship.Call(t.Context(), client, &parcel{ID: "1"})
			if err != nil {
				answer, _ = ship.AnswerIn(err)
			}
			if answer == nil || answer.Result.Error() != test.want {
				t.Errorf("%s: %v, %v, want %s", test.name, answer, err, test.want)
			}
		}
		if runs != test.again {
			t.Errorf("%s: %d runs, want %d", test.name, runs, test.again)
		}
		silent(t, complaints)
	}
}

// Scripting an API again replaces its function and keeps its answers.
func TestAnswerAgain(t *testing.T) {
	complaints := &tb{}
	g, client := scripted(t, complaints)
	before, err := ship.Call(t.Context(), client, &parcel{ID: "1"})
	if err != nil {
		t.Fatal(err)
	}
	alipayplustest.Answer(g, ship, func(context.Context, *parcel) (*receipt, error) { return &receipt{Run: "new"}, nil })
	again, err := ship.Call(t.Context(), client, &parcel{ID: "1"})
	if err != nil || again.Run != before.Run {
		t.Errorf("%v, %v", again, err)
	}
	if answer, err := ship.Call(t.Context(), client, &parcel{ID: "2"}); err != nil || answer.Run != "new" {
		t.Errorf("%v, %v", answer, err)
	}
	silent(t, complaints)
}

// Many at once: one run, and each answer is that one or U.
func TestConcurrentRepeats(t *testing.T) {
	complaints := &tb{}
	g := alipayplustest.New(complaints)
	var mu sync.Mutex
	runs := 0
	alipayplustest.Answer(g, ship, func(context.Context, *parcel) (*receipt, error) {
		mu.Lock()
		defer mu.Unlock()
		runs++
		return &receipt{Run: fmt.Sprint(runs)}, nil
	})
	client := clientOf(t, g, nil)
	var all sync.WaitGroup
	for range 32 {
		all.Go(func() {
			answer, err := ship.Call(t.Context(), client, &parcel{ID: "1"})
			if err == nil && answer.Run != "1" || err != nil && !errors.Is(err, alipayplus.CodeUnknownException) {
				t.Errorf("%v, %v", answer, err)
			}
		})
	}
	all.Wait()
	if runs != 1 {
		t.Errorf("%d runs", runs)
	}
	silent(t, complaints)
}

// What the SDK under test, or another implementation, does wrong is an error of
// the test.
func TestGatewayIsStrict(t *testing.T) {
	wrongKey, err := alipayplus.NewSigner("1", testkit.Keys().Stranger)
	if err != nil {
		t.Fatal(err)
	}
	good := []byte(`{"id":"1"}`)
	for _, test := range []struct {
		name, rule string
		body       []byte
		path       string
		signer     alipayplus.Signer
		change     func(*http.Request)
	}{
		{name: "control"},
		{name: "a stranger's signature", rule: "does not verify", signer: wrongKey},
		{name: "no signature", rule: "does not verify", change: func(r *http.Request) { r.Header.Del("Signature") }},
		{name: "two signatures", rule: "does not verify", change: func(r *http.Request) { r.Header.Add("Signature", r.Header.Get("Signature")) }},
		{name: "another client id", rule: "does not verify", change: func(r *http.Request) { r.Header.Set("Client-Id", "OTHER") }},
		{name: "another time", rule: "does not verify", change: func(r *http.Request) { r.Header.Set("Request-Time", "2025-01-01T00:00:00Z") }},
		{name: "another query", rule: "does not verify", change: func(r *http.Request) { r.URL.RawQuery = "a=b" }},
		{name: "another body", rule: "does not verify", change: func(r *http.Request) { r.Body = io.NopCloser(strings.NewReader(`{"id":"2"}`)) }},
		{name: "another method", rule: "does not verify", change: func(r *http.Request) { r.Method = "PUT" }},
		{name: "an API that is not scripted", rule: "no Answer scripts", path: "/aps/api/v1/other"},
		{name: "a number", rule: "breaks the rules", body: []byte(`{"id":1}`)},
		{name: "a boolean", rule: "breaks the rules", body: []byte(`{"id":"1","heavy":true}`)},
		{name: "an empty string", rule: "breaks the rules", body: []byte(`{"id":"1","note":""}`)},
		{name: "an empty string deep down", rule: "breaks the rules", body: []byte(`{"id":"1","x":[{"y":""}]}`)},
		{name: "a member twice", rule: "breaks the rules", body: []byte(`{"id":"1","id":"1"}`)},
		{name: "two documents", rule: "breaks the rules", body: []byte(`{"id":"1"}{}`)},
		{name: "a required member missing", rule: "breaks the rules", body: []byte(`{"note":"x"}`)},
		{name: "no JSON", rule: "breaks the rules", body: []byte(`{<xml/>}`)},
	} {
		complaints := &tb{}
		g, _ := scripted(t, complaints)
		body, path, signer := good, "/aps/api/v1/ship", g.Credentials().Signer
		if test.body != nil {
			body = test.body
		}
		if test.path != "" {
			path = test.path
		}
		if test.signer != nil {
			signer = test.signer
		}
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://gateway.example"+path, bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		c := alipayplus.Content{Method: "POST", Target: path, ClientID: g.Credentials().ClientID, Time: "2025-02-20T08:51:49.090Z", Body: body}
		signature, err := c.Sign(t.Context(), signer)
		if err != nil {
			t.Fatal(err)
		}
		r.Header = http.Header{"Client-Id": {c.ClientID}, "Request-Time": {c.Time}, "Signature": {signature}}
		if test.change != nil {
			test.change(r)
		}
		res, err := g.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if test.rule == "" {
			silent(t, complaints)
			continue
		}
		if len(complaints.errors) != 1 || !strings.Contains(complaints.errors[0], test.rule) {
			t.Errorf("%s: %q, want %q", test.name, complaints.errors, test.rule)
		}
		if n := len(g.Calls(ship)); n != 0 {
			t.Errorf("%s: processed all the same", test.name)
		}
	}
}

// Over real HTTP all is the same, but for RefuseConnection, which loses the
// request.
func TestGatewayOverHTTP(t *testing.T) {
	complaints := &tb{}
	g, _ := scripted(t, complaints)
	server := httptest.NewServer(g)
	defer server.Close()
	client := clientOf(t, g, func(cfg *alipayplus.ClientConfig) { cfg.BaseURL, cfg.Transport = server.URL, nil })
	defer client.CloseIdleConnections()
	for _, test := range []struct {
		name    string
		fault   alipayplustest.Fault
		outcome alipayplus.Outcome
		cause   error
	}{
		{"None", alipayplustest.None(), alipayplus.OutcomeSucceeded, nil},
		{"RefuseConnection", alipayplustest.RefuseConnection(), alipayplus.OutcomeUnknown, io.EOF},
		{"LoseRequest", alipayplustest.LoseRequest(), alipayplus.OutcomeUnknown, io.EOF},
		{"LoseAnswer", alipayplustest.LoseAnswer(), alipayplus.OutcomeUnknown, io.EOF},
		{"Truncate", alipayplustest.Truncate(10), alipayplus.OutcomeUnknown, io.ErrUnexpectedEOF},
		{"Tamper", alipayplustest.Tamper(), alipayplus.OutcomeUnknown, alipayplus.ErrSignature},
		{"HalfSigned", alipayplustest.HalfSigned(), alipayplus.OutcomeUnknown, alipayplus.ErrSignature},
		{"Unsigned", alipayplustest.Unsigned(alipayplus.CodeProcessFail.Result()), alipayplus.OutcomeUnknown, alipayplus.ErrUnsigned},
		{"BadGateway", alipayplustest.BadGateway(), alipayplus.OutcomeUnknown, nil},
		{"Unknown", alipayplustest.Unknown("BUSY"), alipayplus.OutcomeUnknown, alipayplus.ResultCode("BUSY")},
		{"Refused", alipayplustest.Refused("NO_SPACE"), alipayplus.OutcomeFailed, alipayplus.ResultCode("NO_SPACE")},
		{"Stale", alipayplustest.Stale(time.Hour), alipayplus.OutcomeUnknown, alipayplus.ErrStale},
		{"Delay", alipayplustest.Delay(time.Millisecond), alipayplus.OutcomeSucceeded, nil},
	} {
		g.Fail(ship, test.fault)
		_, err := ship.Call(t.Context(), client, &parcel{ID: "1"})
		if alipayplus.OutcomeOf(err) != test.outcome || test.cause != nil && !errors.Is(err, test.cause) {
			t.Errorf("%s: %v, want %v, %v", test.name, err, test.outcome, test.cause)
		}
	}
	ran := 0
	for _, c := range g.Calls(ship) {
		if c.Ran {
			ran++
		}
	}
	if ran != 1 {
		t.Errorf("processed %d times", ran)
	}
	complaints.finish()
	silent(t, complaints)
}

// A notification may come to a path of Alipay+'s choice, with a query; the API
// is known by the end of the path, and the signature covers all of it.
func TestOtherPaths(t *testing.T) {
	complaints := &tb{}
	g, client := scripted(t, complaints)
	m, err := ship.Prepare(&parcel{ID: "1"})
	if err != nil {
		t.Fatal(err)
	}
	m.URL = "https://notify.alipayplus.com/region/sg/ship?shard=7"
	if err := client.Deliver(t.Context(), m); err != nil {
		t.Error(err)
	}
	if calls := g.Calls(ship); len(calls) != 1 || calls[0].Target != "/region/sg/ship?shard=7" {
		t.Errorf("%+v", calls)
	}
	silent(t, complaints)
}

// The Gateway takes part in httptrace like net/http, because the SDK proves by
// it what was not sent.
func TestGatewayTellsHTTPTrace(t *testing.T) {
	g, _ := scripted(t, &tb{})
	for name, test := range map[string]struct {
		fault alipayplustest.Fault
		got   bool
	}{
		"None": {alipayplustest.None(), true}, "LoseRequest": {alipayplustest.LoseRequest(), true},
		"RefuseConnection": {alipayplustest.RefuseConnection(), false},
	} {
		asked, got := 0, 0
		ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{
			GetConn: func(string) { asked++ }, GotConn: func(httptrace.GotConnInfo) { got++ },
		})
		g.Fail(ship, test.fault)
		client := clientOf(t, g, nil)
		_, _ = ship.Call(ctx, client, &parcel{ID: "1"})
		if asked != 1 || (got == 1) != test.got || got > 1 {
			t.Errorf("%s: GetConn %d, GotConn %d", name, asked, got)
		}
	}
}

// A program brings a TB of its own, and can play with a cancelled context.
func TestGatewayObeysTheContext(t *testing.T) {
	complaints := &tb{}
	g, client := scripted(t, complaints)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := ship.Call(ctx, client, &parcel{ID: "1"}); alipayplus.OutcomeOf(err) != alipayplus.OutcomeNotSent {
		t.Error(err)
	}
	if len(g.Calls(ship)) != 0 {
		t.Error("processed")
	}
	silent(t, complaints)
}

// A request that met Unknown arrived and verified: Calls has it, unprocessed.
func TestCallsHoldWhatMetUnknown(t *testing.T) {
	t.Parallel()
	complaints := &tb{}
	g, client := scripted(t, complaints)
	g.Fail(ship, alipayplustest.Unknown("BUSY"), alipayplustest.None())
	for range 2 {
		_, _ = ship.Call(t.Context(), client, &parcel{ID: "1"})
	}
	calls := g.Calls(ship)
	if len(calls) != 2 || calls[0].Ran || !calls[1].Ran || calls[0].Key != "1" || !strings.Contains(string(calls[0].Answer), "BUSY") ||
		!bytes.Equal(calls[0].Body, calls[1].Body) || len(calls[0].Body) == 0 {
		t.Errorf("%d calls: %+v", len(calls), calls)
	}
	silent(t, complaints)
}
