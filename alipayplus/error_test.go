package alipayplus_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
)

// What a person on call reads.
func TestErrorTexts(t *testing.T) {
	network := func(err error) transport {
		return func(r *http.Request) (*http.Response, error) { arrived(r); return nil, err }
	}
	for _, test := range []struct {
		want string
		rt   transport
		ctx  func(context.Context) context.Context
	}{
		{want: "alipayplus: decodeOrder failed: F ORDER_IS_CLOSED", rt: answers(bodyF)},
		{want: "alipayplus: decodeOrder: outcome unknown after 2 attempts: U UNKNOWN_EXCEPTION", rt: answers(bodyU)},
		{want: "alipayplus: decodeOrder: outcome unknown after 2 attempts: the answer has no result", rt: answers("{}")},
		{want: "alipayplus: decodeOrder: outcome unknown: the message is malformed: unusable JSON: duplicate-key at byte 7", rt: answers(`{"a":1,"a":2}`)},
		{want: "alipayplus: decodeOrder was not sent after 2 attempts: connection refused", rt: func(r *http.Request) (*http.Response, error) { return nil, dialError(r) }},
		{want: "alipayplus: decodeOrder: outcome unknown after 2 attempts: connection reset", rt: network(&net.OpError{Op: "read", Err: os.NewSyscallError("read", syscall.ECONNRESET)})},
		{want: "alipayplus: decodeOrder: outcome unknown after 2 attempts: the connection was closed before the answer was complete", rt: network(io.ErrUnexpectedEOF)},
		{want: "alipayplus: decodeOrder: outcome unknown after 2 attempts: timed out", rt: hang},
		{want: "alipayplus: decodeOrder: outcome unknown after 2 attempts: the gateway's host name does not resolve", rt: network(&net.DNSError{Err: "no such host", Name: "gateway.example", IsNotFound: true})},
		{want: "alipayplus: decodeOrder: outcome unknown after 2 attempts: the gateway answered with an error (HTTP 502)", rt: (&fixedAnswer{502, nil, "<html>"}).RoundTrip},
		{want: "alipayplus: decodeOrder: outcome unknown: the answer is a redirect, which is never followed (HTTP 302)", rt: (&fixedAnswer{302, nil, ""}).RoundTrip},
		{want: "alipayplus: decodeOrder: outcome unknown: the answer is not signed and holds no result (HTTP 404)", rt: (&fixedAnswer{404, nil, "not found"}).RoundTrip},
		{want: "alipayplus: decodeOrder: outcome unknown after 2 attempts: the answer is not signed (it claims S SUCCESS)", rt: (&fixedAnswer{200, nil, bodyS}).RoundTrip},
		{want: "alipayplus: decodeOrder: outcome unknown: the answer is not signed: check that the key version of the Signer is registered with Alipay+ (it claims F KEY_NOT_FOUND) (trace T1)",
			rt: (&fixedAnswer{200, http.Header{"Trace-Id": {"T1"}}, `{"result":{"resultCode":"KEY_NOT_FOUND","resultStatus":"F"}}`}).RoundTrip},
		{want: "alipayplus: decodeOrder: outcome unknown after 2 attempts: signature does not verify: the answer does not have exactly one Signature and one Response-Time (it claims S SUCCESS)",
			rt: (&fixedAnswer{200, http.Header{"Signature": {"x"}}, bodyS}).RoundTrip},
		{want: "alipayplus: decodeOrder: outcome unknown after 2 attempts: the message is stale: Response-Time is 1h0m0s old",
			rt: func(r *http.Request) (*http.Response, error) {
				return response(200, signedHeader(decodePath, stamp(time.Now().Add(-time.Hour)), bodyS), bodyS), nil
			}},
		{want: "alipayplus: decodeOrder was not sent: context canceled", rt: answers(bodyS), ctx: func(ctx context.Context) context.Context {
			ctx, cancel := context.WithCancel(ctx)
			cancel()
			return ctx
		}},
	} {
		synctest.Test(t, func(t *testing.T) {
			c := newClient(t, test.rt, func(cfg *alipayplus.ClientConfig) { cfg.Retry = quick(2) })
			ctx := t.Context()
			if test.ctx != nil {
				ctx = test.ctx(ctx)
			}
			_, err := decodeOrder.Call(ctx, c, &order{ID: "1"})
			if err == nil || err.Error() != test.want {
				t.Errorf("\ngot  %v\nwant %s", err, test.want)
			}
		})
	}
	_, err := decodeOrder.Prepare(&order{})
	if want := "alipayplus: decodeOrder was not sent: invalid message: id: missing"; err.Error() != want {
		t.Errorf("\ngot  %v\nwant %s", err, want)
	}
}

// errors.Is and errors.As find what is verified and why, and nothing else.
func TestErrorMatching(t *testing.T) {
	_, err := decodeOrder.Call(t.Context(), newClient(t, answers(bodyF)), &order{ID: "1"})
	var e *alipayplus.Error
	var result alipayplus.Result
	if !errors.As(err, &e) || !errors.As(err, &result) || e.Result.Code != alipayplus.CodeOrderIsClosed || result.Code != e.Result.Code {
		t.Errorf("%v", err)
	}
	for target, want := range map[error]bool{
		alipayplus.CodeOrderIsClosed: true, alipayplus.CodeProcessFail: false, alipayplus.ResultCode(""): false,
		alipayplus.ErrSignature: false, alipayplus.ErrUnsigned: false, context.Canceled: false,
	} {
		if errors.Is(err, target) != want || errors.Is(fmt.Errorf("pay: %w", err), target) != want {
			t.Errorf("errors.Is %v: want %v", target, want)
		}
	}
	_, err = decodeOrder.Call(t.Context(), newClient(t, &fixedAnswer{200, nil, bodyF}), &order{ID: "1"})
	if errors.Is(err, alipayplus.CodeOrderIsClosed) || errors.As(err, &result) || !errors.Is(err, alipayplus.ErrUnsigned) {
		t.Errorf("a claim is matched: %v", err)
	}
}

func TestOutcomeOf(t *testing.T) {
	var success *alipayplus.Error // Attempt.Err of a success
	for _, test := range []struct {
		err  error
		want alipayplus.Outcome
		text string
	}{
		{nil, alipayplus.OutcomeSucceeded, "succeeded"},
		{success, alipayplus.OutcomeSucceeded, "succeeded"},
		{errLost, alipayplus.OutcomeUnknown, "unknown"},
		{alipayplus.CodeProcessFail, alipayplus.OutcomeUnknown, "unknown"}, // nobody's verified answer
		{context.Canceled, alipayplus.OutcomeUnknown, "unknown"},
		{&alipayplus.Error{}, alipayplus.OutcomeUnknown, "unknown"},
		{&alipayplus.Error{Outcome: alipayplus.OutcomeFailed}, alipayplus.OutcomeFailed, "failed"},
		{&alipayplus.Error{Outcome: alipayplus.OutcomeNotSent}, alipayplus.OutcomeNotSent, "not sent"},
		{fmt.Errorf("pay: %w", &alipayplus.Error{Outcome: alipayplus.OutcomeNotSent}), alipayplus.OutcomeNotSent, "not sent"},
	} {
		if got := alipayplus.OutcomeOf(test.err); got != test.want || got.String() != test.text {
			t.Errorf("%v: %v, want %v", test.err, got, test.want)
		}
	}
	if got := alipayplus.Outcome(9).String(); got != "Outcome(9)" {
		t.Error(got)
	}
}

// Misuse gets an error, not a panic, and proves that nothing was sent.
func TestMisuse(t *testing.T) {
	good := newClient(t, answers(bodyS))
	for name, call := range map[string]func() error{
		"nil client": func() error { _, err := decodeOrder.Call(t.Context(), nil, &order{ID: "1"}); return err },
		"zero client": func() error {
			_, err := decodeOrder.Call(t.Context(), new(alipayplus.Client), &order{ID: "1"})
			return err
		},
		"nil request":     func() error { _, err := decodeOrder.Call(t.Context(), good, nil); return err },
		"invalid request": func() error { _, err := decodeOrder.Call(t.Context(), good, &order{}); return err },
		"zero message":    func() error { return good.Deliver(t.Context(), alipayplus.Message{}) },
	} {
		if err := call(); alipayplus.OutcomeOf(err) != alipayplus.OutcomeNotSent {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := decodeOrder.Call(t.Context(), good, &order{ID: "1"}, alipayplus.CallOption{}, alipayplus.WithInfo(nil), alipayplus.WithTimeout(0)); err != nil {
		t.Errorf("empty options: %v", err)
	}
}

// AnswerIn gives the answer of its own API only.
func TestAnswerIn(t *testing.T) {
	_, err := decodeOrder.Call(t.Context(), newClient(t, answers(bodyF)), &order{ID: "1"})
	answer, ok := decodeOrder.AnswerIn(fmt.Errorf("scan: %w", err))
	if !ok || answer.Action != "redirect" || answer.Result.Code != alipayplus.CodeOrderIsClosed {
		t.Errorf("%+v, %v", answer, ok)
	}
	if answer, ok := decodeOrder.WithPath("/elsewhere").AnswerIn(err); !ok || answer.Action != "redirect" {
		t.Error("the same API at another path does not know it")
	}
	for name, err := range map[string]error{"nil": nil, "another error": errLost, "no answer": &alipayplus.Error{Operation: "decodeOrder"}} {
		if answer, ok := decodeOrder.AnswerIn(err); ok || answer != nil {
			t.Errorf("%s: %v", name, answer)
		}
	}
	if answer, ok := readOrder.AnswerIn(err); ok || answer != nil {
		t.Error("another API takes it")
	}
}

// event is what a hook saw.
type event struct {
	Hook, Operation string
	Number          int
	Outcome         alipayplus.Outcome
	Code            alipayplus.ResultCode
	Took            time.Duration
}

type hookKey struct{}

// watch records all hooks; Start's context must reach the others.
func watch(t *testing.T, into *[]event) alipayplus.Hooks {
	t.Helper()
	check := func(ctx context.Context) {
		if ctx.Value(hookKey{}) != "derived" {
			t.Error("not the context of Start")
		}
	}
	return alipayplus.Hooks{
		Start: func(ctx context.Context, operation string) context.Context {
			*into = append(*into, event{Hook: "start", Operation: operation})
			return context.WithValue(ctx, hookKey{}, "derived")
		},
		Attempt: func(ctx context.Context, a alipayplus.Attempt) {
			check(ctx)
			e := event{Hook: "attempt", Operation: a.Operation, Number: a.Number, Outcome: alipayplus.OutcomeOf(a.Err), Took: a.Elapsed}
			if a.Err != nil {
				e.Code = a.Err.Result.Code
			}
			*into = append(*into, e)
		},
		Finish: func(ctx context.Context, operation string, took time.Duration, r alipayplus.Result, err error) {
			check(ctx)
			*into = append(*into, event{Hook: "finish", Operation: operation, Outcome: alipayplus.OutcomeOf(err), Code: r.Code, Took: took})
		},
	}
}

func TestHooks(t *testing.T) {
	for _, test := range []struct {
		name string
		rt   transport
		want []event
	}{
		{"S with a code of its own, after U", answers(bodyU, `{"result":{"resultCode":"ALREADY_DONE","resultStatus":"S"}}`), []event{
			{"start", "decodeOrder", 0, 0, "", 0},
			{"attempt", "decodeOrder", 1, alipayplus.OutcomeUnknown, "UNKNOWN_EXCEPTION", 0},
			{"attempt", "decodeOrder", 2, alipayplus.OutcomeSucceeded, "", 0},
			{"finish", "decodeOrder", 0, alipayplus.OutcomeSucceeded, "ALREADY_DONE", time.Millisecond},
		}},
		{"F", answers(bodyF), []event{
			{"start", "decodeOrder", 0, 0, "", 0},
			{"attempt", "decodeOrder", 1, alipayplus.OutcomeFailed, "ORDER_IS_CLOSED", 0},
			{"finish", "decodeOrder", 0, alipayplus.OutcomeFailed, "ORDER_IS_CLOSED", 0},
		}},
		{"timeouts", hang, []event{
			{"start", "decodeOrder", 0, 0, "", 0},
			{"attempt", "decodeOrder", 1, alipayplus.OutcomeUnknown, "", 5 * time.Second},
			{"attempt", "decodeOrder", 2, alipayplus.OutcomeUnknown, "", 5 * time.Second},
			{"finish", "decodeOrder", 0, alipayplus.OutcomeUnknown, "", 10*time.Second + time.Millisecond},
		}},
	} {
		synctest.Test(t, func(t *testing.T) {
			var got []event
			c := newClient(t, test.rt, func(cfg *alipayplus.ClientConfig) { cfg.Hooks, cfg.Retry = watch(t, &got), quick(2) })
			_, _ = decodeOrder.Call(t.Context(), c, &order{ID: "1"})
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("%s: (-want +got)\n%s", test.name, diff)
			}
		})
	}
	// A Start that returns nothing leaves the context as it was.
	c := newClient(t, answers(bodyS), func(cfg *alipayplus.ClientConfig) {
		cfg.Hooks.Start = func(context.Context, string) context.Context { return nil }
	})
	if _, err := decodeOrder.Call(t.Context(), c, &order{ID: "1"}); err != nil {
		t.Error(err)
	}
}

// Info is what the last attempt left, for success and failure.
func TestInfo(t *testing.T) {
	answerTo := func(n int, r *http.Request) (*http.Response, error) {
		switch n {
		case 1: // a verified U with a trace id
			res, err := answers(bodyU)(r)
			res.Header.Set("Trace-Id", "T1")
			return res, err
		case 2: // an unsigned page
			return response(502, http.Header{"Trace-Id": {"T2"}}, "<html>"), nil
		case 3:
			arrived(r)
			return nil, errLost
		}
		return answers(bodyS)(r)
	}
	for attempts, want := range map[int]alipayplus.Info{
		1: {HTTPStatus: 200, Attempts: 1, TraceID: "T1", Body: alipayplus.Conceal(bodyU)},
		2: {HTTPStatus: 502, Attempts: 2, TraceID: "T2"},
		3: {Attempts: 3},
		4: {HTTPStatus: 200, Attempts: 4, Body: alipayplus.Conceal(bodyS)},
	} {
		n := 0
		c := newClient(t, transport(func(r *http.Request) (*http.Response, error) { n++; return answerTo(n, r) }),
			func(cfg *alipayplus.ClientConfig) { cfg.Retry = quick(attempts) })
		info := alipayplus.Info{Body: alipayplus.Conceal("of an earlier call"), TraceID: "old"}
		_, err := decodeOrder.Call(t.Context(), c, &order{ID: "1"}, alipayplus.WithInfo(&info))
		if info.SignedAt.IsZero() != info.Body.IsZero() {
			t.Errorf("after %d attempts: signed at %v", attempts, info.SignedAt)
		}
		info.SignedAt = time.Time{}
		if diff := cmp.Diff(want, info); diff != "" || (err == nil) != (attempts == 4) {
			t.Errorf("after %d attempts: %v (-want +got)\n%s", attempts, err, diff)
		}
	}
}

// A hook may ask the error of an attempt that succeeded.
func TestNoErrorIsNoCause(t *testing.T) {
	var none *alipayplus.Error // Attempt.Err
	if errors.Is(none, alipayplus.ErrSignature) || errors.Is(none, alipayplus.CodeProcessFail) || alipayplus.OutcomeOf(none) != alipayplus.OutcomeSucceeded {
		t.Error("no error has a cause")
	}
}
