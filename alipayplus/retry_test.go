package alipayplus_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/internal/testkit"
)

// Every attempt carries the same bytes to the same place, with a time and a
// signature of its own, and nothing that tempts a proxy or net/http to repeat
// it.
func TestAttemptsAreTheSameMessage(t *testing.T) {
	t.Run("default", func(t *testing.T) { attemptsAreTheSameMessage(t, nil) })
	t.Run("a policy that does not wait", func(t *testing.T) { attemptsAreTheSameMessage(t, noWait{}) })
}

// noWait tries again at once.
type noWait struct{}

func (noWait) Next(alipayplus.Attempt) (time.Duration, bool) { return 0, true }

func attemptsAreTheSameMessage(t *testing.T, policy alipayplus.RetryPolicy) {
	synctest.Test(t, func(t *testing.T) {
		wire := &tap{next: answers(bodyU, bodyU, bodyU, bodyU, bodyS)}
		c := newClient(t, wire, func(cfg *alipayplus.ClientConfig) { cfg.Signer, cfg.Retry = walletSigner(), policy })
		if _, err := decodeOrder.Call(t.Context(), c, &order{ID: "P1", Payer: "C<1>é"}); err != nil {
			t.Fatal(err)
		}
		seen := wire.requests()
		if len(seen) != 5 {
			t.Fatalf("%d attempts", len(seen))
		}
		times, signatures := map[string]bool{}, map[string]bool{}
		for _, r := range seen {
			at, signature := r.header.Get("Request-Time"), r.header.Get("Signature")
			times[at], signatures[signature] = true, true
			if r.body != `{"id":"P1","payer":"C<1>é"}` || r.method != "POST" || r.target != decodePath || r.host != "gateway.example" {
				t.Errorf("%s %s at %s: %s", r.method, r.target, r.host, r.body)
			}
			if at != stamp(r.at) {
				t.Errorf("Request-Time %s at %s", at, stamp(r.at))
			}
			if want := signByHand(testkit.Keys().Wallet, "POST", decodePath, clientID, at, r.body); signature != want {
				t.Errorf("signature %s, want %s", signature, want)
			}
			for name, want := range map[string]string{
				"Client-Id": clientID, "Content-Type": "application/json; charset=UTF-8", "Accept-Encoding": "identity", "User-Agent": "alipayplus-go",
			} {
				if got := r.header.Values(name); len(got) != 1 || got[0] != want {
					t.Errorf("%s: %q", name, got)
				}
			}
			if len(r.header) != 6 {
				t.Errorf("headers %v", r.header)
			}
		}
		if len(times) != 5 || len(signatures) != 5 {
			t.Errorf("%d times and %d signatures in 5 attempts", len(times), len(signatures))
		}
	})
}

// Two calls of an equal request are the same bytes, too.
func TestTwoCallsAreTheSameMessage(t *testing.T) {
	wire := &tap{next: answers(bodyS)}
	c := newClient(t, wire)
	request := &order{ID: "P1", Code: alipayplus.Conceal("28166")}
	before := *request
	for range 2 {
		if _, err := decodeOrder.Call(t.Context(), c, request); err != nil {
			t.Fatal(err)
		}
	}
	m, err := decodeOrder.Prepare(request)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Deliver(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	for _, r := range wire.requests() {
		if r.body != m.Body.Reveal() || r.target != decodePath {
			t.Errorf("%s: %s, want %s", r.target, r.body, m.Body.Reveal())
		}
	}
	if !reflect.DeepEqual(*request, before) {
		t.Error("the request was changed")
	}
}

// A verified S or F ends the call, whatever policy there is, and whatever the
// code says: the status decides.
func TestNeverRepeatedAfterSOrF(t *testing.T) {
	bodies := []string{bodyS, bodyF}
	for _, code := range []string{"SUCCESS", "PROCESS_FAIL", "UNKNOWN_EXCEPTION", "REQUEST_TRAFFIC_EXCEED_LIMIT", "PAYMENT_IN_PROCESS", "INVALID_SIGNATURE", "A_CODE_OF_TOMORROW"} {
		for _, status := range []string{"S", "F"} {
			bodies = append(bodies, fmt.Sprintf(`{"result":{"resultCode":%q,"resultStatus":%q}}`, code, status))
		}
	}
	for _, body := range bodies {
		for _, op := range []*alipayplus.Outbound[order, orderAnswer]{decodeOrder, readOrder, onceOnly} {
			wire := &tap{next: answers(body)}
			c := newClient(t, wire, func(cfg *alipayplus.ClientConfig) { cfg.Retry = quick(100) })
			_, _ = op.Call(t.Context(), c, &order{ID: "P1"})
			if n := len(wire.requests()); n != 1 {
				t.Errorf("%s after %s: %d attempts", op.Name(), body, n)
			}
		}
	}
}

// asked is a policy that records what it is asked.
type asked struct {
	alipayplus.RetryPolicy
	attempts []alipayplus.Attempt
	waits    []time.Duration
}

func (a *asked) Next(at alipayplus.Attempt) (time.Duration, bool) {
	wait, again := a.RetryPolicy.Next(at)
	a.attempts, a.waits = append(a.attempts, at), append(a.waits, wait)
	return wait, again
}

// The waits of the policy are the pauses on the wire.
func TestWaitsAreKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		wire := &tap{next: answers(bodyU)}
		policy := &asked{RetryPolicy: alipayplus.Backoff{}}
		c := newClient(t, wire, func(cfg *alipayplus.ClientConfig) { cfg.Retry = policy })
		_, err := decodeOrder.Call(t.Context(), c, &order{ID: "P1"})
		seen := wire.requests()
		if alipayplus.OutcomeOf(err) != alipayplus.OutcomeUnknown || len(seen) != 5 {
			t.Fatalf("%v after %d attempts", err, len(seen))
		}
		for i := range 4 {
			if pause := seen[i+1].at.Sub(seen[i].at); pause != policy.waits[i] {
				t.Errorf("pause %d is %v, want %v", i+1, pause, policy.waits[i])
			}
			if a := policy.attempts[i]; a.Number != i+1 || a.Operation != "decodeOrder" || !errors.Is(a.Err, alipayplus.CodeUnknownException) {
				t.Errorf("attempt %+v", a)
			}
		}
	})
}

// Full jitter: between nothing and the bound, both ends within reach, the bound
// doubled each time.
func TestBackoffBounds(t *testing.T) {
	const ms = time.Millisecond
	failed := func(n int, e *alipayplus.Error) alipayplus.Attempt { return alipayplus.Attempt{Number: n, Err: e} }
	for _, test := range []struct {
		b      alipayplus.Backoff
		number int
		bound  time.Duration
	}{
		{alipayplus.Backoff{}, 1, 200 * ms},
		{alipayplus.Backoff{}, 2, 400 * ms},
		{alipayplus.Backoff{}, 3, 800 * ms},
		{alipayplus.Backoff{}, 4, 1600 * ms},
		{alipayplus.Backoff{Attempts: 100}, 6, 5 * time.Second},
		{alipayplus.Backoff{Attempts: 1000}, 999, 5 * time.Second},
		{alipayplus.Backoff{Base: ms, Max: 3 * ms}, 2, 2 * ms},
		{alipayplus.Backoff{Base: ms, Max: 3 * ms}, 3, 3 * ms},
		{alipayplus.Backoff{Base: time.Minute, Max: time.Second}, 1, time.Second},
		{alipayplus.Backoff{Base: -1, Max: -1}, 1, 200 * ms},
		{alipayplus.Backoff{Attempts: math.MaxInt, Base: math.MaxInt64, Max: math.MaxInt64}, 1000, 24 * time.Hour},
	} {
		var low, high time.Duration = math.MaxInt64, 0
		var throttledLow, throttledHigh time.Duration = math.MaxInt64, 0
		for range 2000 {
			wait, again := test.b.Next(failed(test.number, &alipayplus.Error{}))
			low, high = min(low, wait), max(high, wait)
			if !again || wait < 0 || wait > test.bound {
				t.Fatalf("%+v after attempt %d: %v, %v", test.b, test.number, wait, again)
			}
			wait, _ = test.b.Next(failed(test.number, throttledError))
			throttledLow, throttledHigh = min(throttledLow, wait), max(throttledHigh, wait)
		}
		if low > test.bound/20 || high < test.bound-test.bound/20 {
			t.Errorf("%+v after attempt %d: %v to %v, want about 0 to %v", test.b, test.number, low, high, test.bound)
		}
		if throttledLow < 4*test.bound || throttledLow < 4*high || throttledHigh > 5*test.bound {
			t.Errorf("%+v after attempt %d, throttled: %v to %v, want 4 to 5 times %v", test.b, test.number, throttledLow, throttledHigh, test.bound)
		}
	}
	for _, test := range []struct {
		b      alipayplus.Backoff
		number int
	}{{alipayplus.Backoff{}, 5}, {alipayplus.Backoff{Attempts: 1}, 1}, {alipayplus.Backoff{Attempts: 3}, 3}, {alipayplus.Backoff{Attempts: -1}, 1}} {
		if _, again := test.b.Next(failed(test.number, nil)); again {
			t.Errorf("%+v goes on after attempt %d", test.b, test.number)
		}
	}
	if _, again := alipayplus.NoRetry.Next(failed(1, nil)); again {
		t.Error("NoRetry retries")
	}
}

var throttledError = &alipayplus.Error{Result: alipayplus.CodeRequestTrafficExceedLimit.Result()}

// Throttling is known from the signed code, from an unsigned claim of it (which
// may only slow us down) and from HTTP 429.
func TestThrottlingWaitsLonger(t *testing.T) {
	const code = `{"result":{"resultCode":"REQUEST_TRAFFIC_EXCEED_LIMIT","resultStatus":"U"}}`
	for name, gateway := range map[string]transport{
		"signed":   answers(code),
		"unsigned": func(*http.Request) (*http.Response, error) { return response(200, nil, code), nil },
		"HTTP 429": func(*http.Request) (*http.Response, error) { return response(429, nil, ""), nil },
	} {
		synctest.Test(t, func(t *testing.T) {
			wire := &tap{next: gateway}
			c := newClient(t, wire, func(cfg *alipayplus.ClientConfig) { cfg.Retry = alipayplus.Backoff{Attempts: 2, Base: time.Second} })
			_, _ = decodeOrder.Call(t.Context(), c, &order{ID: "P1"})
			seen := wire.requests()
			if pause := seen[1].at.Sub(seen[0].at); pause < 4*time.Second || pause > 5*time.Second {
				t.Errorf("%s: waited %v, want 4 to 5 s", name, pause)
			}
		})
	}
}

// Retry-After lengthens a wait, up to Max, and never shortens it.
func TestRetryAfter(t *testing.T) {
	for _, test := range []struct {
		header   string
		want     time.Duration // in the Attempt
		min, max time.Duration // of the wait
	}{
		{"2", 2 * time.Second, 2 * time.Second, 2 * time.Second},
		{" 3 ", 3 * time.Second, 3 * time.Second, 3 * time.Second},
		{"60", time.Minute, 5 * time.Second, 5 * time.Second},
		{"0", 0, 0, 200 * time.Millisecond},
		{"-1", 0, 0, 200 * time.Millisecond},
		{"99999999999999999999", 365 * 24 * time.Hour, 5 * time.Second, 5 * time.Second},
		{"3601", 3601 * time.Second, 5 * time.Second, 5 * time.Second},
		{"86400000000", 365 * 24 * time.Hour, 5 * time.Second, 5 * time.Second},
		{"Wed, 21 Oct 1998 07:28:00 GMT", 0, 0, 200 * time.Millisecond},
		{"Sat, 01 Jan 2000 00:00:03 GMT", 3 * time.Second, 3 * time.Second, 3 * time.Second}, // a bubble begins at midnight
		{"Sat, 01 Jan 2000 02:00:00 GMT", 2 * time.Hour, 5 * time.Second, 5 * time.Second},
		{"Saturday, 01-Jan-00 00:00:03 GMT", 3 * time.Second, 3 * time.Second, 3 * time.Second},
		{"Sat Jan  1 00:00:03 2000", 3 * time.Second, 3 * time.Second, 3 * time.Second},
		{"Sat, 01 Jan 2000 00:00:03", 0, 0, 200 * time.Millisecond},
		{"1.5", 0, 0, 200 * time.Millisecond},
		{"soon", 0, 0, 200 * time.Millisecond},
		{"", 0, 0, 200 * time.Millisecond},
	} {
		synctest.Test(t, func(t *testing.T) {
			policy := &asked{RetryPolicy: alipayplus.Backoff{Attempts: 2}}
			c := newClient(t, &fixedAnswer{503, http.Header{"Retry-After": {test.header}}, ""}, func(cfg *alipayplus.ClientConfig) { cfg.Retry = policy })
			_, _ = decodeOrder.Call(t.Context(), c, &order{ID: "P1"})
			if got := policy.attempts[0].RetryAfter; got != test.want {
				t.Errorf("%q: %v, want %v", test.header, got, test.want)
			}
			if wait := policy.waits[0]; wait < test.min || wait > test.max {
				t.Errorf("%q: waited %v", test.header, wait)
			}
		})
	}
}

// A wait that the caller's deadline does not allow is not begun.
func TestNoWaitBeyondTheDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newClient(t, answers(bodyU), func(cfg *alipayplus.ClientConfig) { cfg.Retry = waits(time.Minute) })
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		began := time.Now()
		_, err := decodeOrder.Call(ctx, c, &order{ID: "P1"})
		if took := time.Since(began); took != 0 || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v after %v", err, took)
		}
		if !errors.Is(err, alipayplus.CodeUnknownException) {
			t.Errorf("the answer that was there is lost: %v", err)
		}
	})
}

// A context that ended during an attempt ends the call: the policy is not
// asked, and the budget of other calls is not spent.
func TestNoRetryAfterTheContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	budget := &alipayplus.Budget{PerCall: 1e-9, Reserve: 1}
	policy := &asked{RetryPolicy: quick(3)}
	down := transport(func(*http.Request) (*http.Response, error) {
		cancel()
		return response(503, nil, ""), nil
	})
	c := newClient(t, down, func(cfg *alipayplus.ClientConfig) { cfg.Retry, cfg.Budget = policy, budget })
	_, err := decodeOrder.Call(ctx, c, &order{ID: "P1"})
	if !errors.Is(err, context.Canceled) || len(policy.attempts) != 0 {
		t.Errorf("%v, the policy was asked %d times", err, len(policy.attempts))
	}
	c = newClient(t, down, func(cfg *alipayplus.ClientConfig) { cfg.Retry, cfg.Budget = quick(2), budget })
	if _, err := decodeOrder.Call(t.Context(), c, &order{ID: "P1"}); errors.Is(err, alipayplus.ErrRetryBudget) {
		t.Errorf("the cancelled call spent the budget: %v", err)
	}
}

// A call without budget ends at once: it does not wait for a retry that it may
// not make.
func TestBudgetIsAskedBeforeTheWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newClient(t, &fixedAnswer{503, nil, ""}, func(cfg *alipayplus.ClientConfig) {
			cfg.Retry, cfg.Budget = waits(time.Minute), &alipayplus.Budget{PerCall: 1e-9, Reserve: 0.5}
		})
		began := time.Now()
		_, err := decodeOrder.Call(t.Context(), c, &order{ID: "P1"})
		if took := time.Since(began); took != 0 || !errors.Is(err, alipayplus.ErrRetryBudget) {
			t.Errorf("%v after %v, want the budget's error at once", err, took)
		}
	})
}

// waits is a policy that always waits this long.
type waits time.Duration

func (w waits) Next(alipayplus.Attempt) (time.Duration, bool) { return time.Duration(w), true }

// An attempt may take its API's timeout, or the one of the call, or of the
// context, whichever ends first.
func TestAttemptTimeout(t *testing.T) {
	slow := alipayplus.NewOutbound(alipayplus.Spec[order, orderAnswer]{Name: "slow", Path: "/slow", Timeout: 8 * time.Second, ReadOnly: true})
	for _, test := range []struct {
		name   string
		op     *alipayplus.Outbound[order, orderAnswer]
		option alipayplus.CallOption
		ctx    time.Duration
		want   time.Duration
	}{
		{"default", decodeOrder, alipayplus.CallOption{}, time.Hour, 5 * time.Second},
		{"of the API", slow, alipayplus.CallOption{}, time.Hour, 8 * time.Second},
		{"of the call, shorter", slow, alipayplus.WithTimeout(time.Second), time.Hour, time.Second},
		{"of the call, longer", slow, alipayplus.WithTimeout(time.Minute), time.Hour, time.Minute},
		{"of the context", slow, alipayplus.CallOption{}, 2 * time.Second, 2 * time.Second},
		{"negative is ignored", slow, alipayplus.WithTimeout(-1), time.Hour, 8 * time.Second},
	} {
		synctest.Test(t, func(t *testing.T) {
			c := newClient(t, transport(hang), noRetry)
			ctx, cancel := context.WithTimeout(t.Context(), test.ctx)
			defer cancel()
			began := time.Now()
			_, err := test.op.Call(ctx, c, &order{ID: "P1"}, test.option)
			if took := time.Since(began); took != test.want || alipayplus.OutcomeOf(err) != alipayplus.OutcomeUnknown || !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%s: %v after %v, want %v", test.name, err, took, test.want)
			}
		})
	}
}

// hang takes the request and never answers.
func hang(r *http.Request) (*http.Response, error) {
	arrived(r)
	<-r.Context().Done()
	return nil, r.Context().Err()
}

// Cancellation ends the call at once, wherever it is, and says "not sent" only
// where that is proved. synctest would report a goroutine that stays.
func TestCancellationAtEveryPoint(t *testing.T) {
	blocked := func(ctx context.Context, at chan<- struct{}) error {
		close(at)
		<-ctx.Done()
		return ctx.Err()
	}
	for _, test := range []struct {
		point  string
		signer func(at chan struct{}) alipayplus.Signer
		rt     func(at chan struct{}) transport
		want   alipayplus.Outcome
		result bool // U was there before
	}{
		{point: "signing", want: alipayplus.OutcomeNotSent, signer: func(at chan struct{}) alipayplus.Signer {
			return signerFunc(func(ctx context.Context, _ [32]byte) (string, []byte, error) { return "", nil, blocked(ctx, at) })
		}, rt: func(chan struct{}) transport { return hang }},
		{point: "dialling", want: alipayplus.OutcomeNotSent, rt: func(at chan struct{}) transport {
			return func(r *http.Request) (*http.Response, error) {
				_ = dialError(r)
				return nil, blocked(r.Context(), at)
			}
		}},
		{point: "dialling, with a silent transport", want: alipayplus.OutcomeUnknown, rt: func(at chan struct{}) transport {
			return func(r *http.Request) (*http.Response, error) { return nil, blocked(r.Context(), at) }
		}},
		{point: "sending", want: alipayplus.OutcomeUnknown, rt: func(at chan struct{}) transport {
			return func(r *http.Request) (*http.Response, error) {
				arrived(r)
				_, _ = io.ReadFull(r.Body, make([]byte, 3))
				return nil, blocked(r.Context(), at)
			}
		}},
		{point: "waiting for headers", want: alipayplus.OutcomeUnknown, rt: func(at chan struct{}) transport {
			return func(r *http.Request) (*http.Response, error) {
				arrived(r)
				_, _ = io.Copy(io.Discard, r.Body)
				return nil, blocked(r.Context(), at)
			}
		}},
		{point: "in the body", want: alipayplus.OutcomeUnknown, rt: func(at chan struct{}) transport {
			return func(r *http.Request) (*http.Response, error) {
				arrived(r)
				res := response(200, signedHeader(decodePath, stamp(time.Now()), bodyS), bodyS)
				res.Body = io.NopCloser(io.MultiReader(strings.NewReader(bodyS[:20]), readerFunc(func([]byte) (int, error) {
					return 0, blocked(r.Context(), at)
				})))
				return res, nil
			}
		}},
		{point: "in the back-off", want: alipayplus.OutcomeUnknown, result: true, rt: func(at chan struct{}) transport {
			return func(r *http.Request) (*http.Response, error) {
				time.AfterFunc(time.Millisecond, func() { close(at) })
				return answers(bodyU)(r)
			}
		}},
		{point: "in the back-off after a refused connection", want: alipayplus.OutcomeNotSent, rt: func(at chan struct{}) transport {
			return func(r *http.Request) (*http.Response, error) {
				time.AfterFunc(time.Millisecond, func() { close(at) })
				return nil, dialError(r)
			}
		}},
	} {
		synctest.Test(t, func(t *testing.T) {
			at := make(chan struct{})
			c := newClient(t, test.rt(at), func(cfg *alipayplus.ClientConfig) {
				cfg.Retry = waits(time.Hour)
				if test.signer != nil {
					cfg.Signer = test.signer(at)
				}
			})
			ctx, cancel := context.WithCancel(t.Context())
			var cancelled time.Time
			go func() {
				<-at
				synctest.Wait()
				cancelled = time.Now()
				cancel()
			}()
			answer, err := decodeOrder.Call(ctx, c, &order{ID: "P1"})
			if took := time.Since(cancelled); took != 0 || answer != nil {
				t.Errorf("%s: returned %v after it", test.point, took)
			}
			if alipayplus.OutcomeOf(err) != test.want || !errors.Is(err, context.Canceled) {
				t.Errorf("%s: %v, want %v", test.point, err, test.want)
			}
			if errors.Is(err, alipayplus.CodeUnknownException) != test.result {
				t.Errorf("%s: result: %v", test.point, err)
			}
		})
	}
	// Before anything: no signature, no attempt on the wire.
	wire := &tap{next: answers(bodyS)}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := decodeOrder.Call(ctx, newClient(t, wire), &order{ID: "P1"})
	if alipayplus.OutcomeOf(err) != alipayplus.OutcomeNotSent || !errors.Is(err, context.Canceled) || len(wire.requests()) != 0 {
		t.Errorf("cancelled before: %v", err)
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// In an outage there are at most 1.10 attempts a call, the first attempts are
// all made, and when it is over calls are repeated again, without anybody doing
// anything.
func TestBudgetInAnOutage(t *testing.T) {
	seconds := size(30, 15, 600)
	const perSecond = 1000
	synctest.Test(t, func(t *testing.T) {
		var first, all atomic.Int64
		var down atomic.Bool
		gateway := transport(func(r *http.Request) (*http.Response, error) {
			all.Add(1)
			if down.Load() {
				return response(503, nil, ""), nil
			}
			return answers(bodyS)(r)
		})
		c := newClient(t, gateway, func(cfg *alipayplus.ClientConfig) {
			cfg.Hooks.Attempt = func(_ context.Context, a alipayplus.Attempt) {
				if a.Number == 1 {
					first.Add(1)
				}
			}
		})
		down.Store(true)
		var exhausted atomic.Int64
		var calls sync.WaitGroup
		n := 0
		for range seconds * 100 { // in ticks of 10 ms
			for range perSecond / 100 {
				n++
				calls.Go(func() {
					_, err := decodeOrder.Call(t.Context(), c, &order{ID: "P1"})
					if alipayplus.OutcomeOf(err) != alipayplus.OutcomeUnknown {
						t.Errorf("%v", err)
					}
					if errors.Is(err, alipayplus.ErrRetryBudget) {
						exhausted.Add(1)
					}
				})
			}
			time.Sleep(10 * time.Millisecond)
		}
		calls.Wait()
		ratio := float64(all.Load()) / float64(n)
		if ratio > 1.10 || ratio < 1.05 {
			t.Errorf("%.4f attempts a call", ratio)
		}
		if first.Load() != int64(n) {
			t.Errorf("%d first attempts of %d calls", first.Load(), n)
		}
		if exhausted.Load() == 0 {
			t.Error("no call was told that the budget is spent")
		}
		t.Logf("%d calls in %d s of outage: %.4f attempts a call, %d calls out of budget", n, seconds, ratio, exhausted.Load())

		// Recovery: the next minute refills what one call needs.
		time.Sleep(time.Minute)
		before := all.Load()
		_, err := decodeOrder.Call(t.Context(), c, &order{ID: "P1"})
		if got := all.Load() - before; got != 5 || errors.Is(err, alipayplus.ErrRetryBudget) {
			t.Errorf("a minute later: %d attempts, %v", got, err)
		}
		down.Store(false)
		if _, err := decodeOrder.Call(t.Context(), c, &order{ID: "P1"}); err != nil {
			t.Errorf("after the outage: %v", err)
		}
	})
}

// A Budget as its fields say, also shared by two clients.
func TestBudgetRules(t *testing.T) {
	for _, test := range []struct {
		name   string
		budget *alipayplus.Budget
		calls  int
		want   int // attempts
	}{
		{"a reserve of two", &alipayplus.Budget{PerCall: 0.001, Reserve: 2}, 10, 12},
		{"half a retry a call, none saved", &alipayplus.Budget{PerCall: 0.5, Reserve: 1}, 10, 15},
		{"a whole one a call", &alipayplus.Budget{PerCall: 1, Reserve: 1}, 10, 20},
		{"negative fields are the defaults", &alipayplus.Budget{PerCall: -1, Reserve: -1}, 10, 20},
		{"zero", new(alipayplus.Budget), 10, 20},
	} {
		synctest.Test(t, func(t *testing.T) {
			var all int
			gateway := transport(func(*http.Request) (*http.Response, error) { all++; return response(503, nil, ""), nil })
			use := func(cfg *alipayplus.ClientConfig) { cfg.Budget, cfg.Retry = test.budget, quick(2) }
			clients := []*alipayplus.Client{newClient(t, gateway, use), newClient(t, gateway, use)}
			for i := range test.calls {
				_, _ = decodeOrder.Call(t.Context(), clients[i%2], &order{ID: "P1"})
			}
			if all != test.want {
				t.Errorf("%s: %d attempts in %d calls, want %d", test.name, all, test.calls, test.want)
			}
		})
	}
	// One retry comes back every second.
	synctest.Test(t, func(t *testing.T) {
		budget := &alipayplus.Budget{PerCall: 1e-9, Reserve: 1}
		all := 0
		c := newClient(t, transport(func(*http.Request) (*http.Response, error) { all++; return response(503, nil, ""), nil }),
			func(cfg *alipayplus.ClientConfig) { cfg.Budget, cfg.Retry = budget, quick(2) })
		for range 3 {
			_, err := decodeOrder.Call(t.Context(), c, &order{ID: "P1"})
			if errors.Is(err, alipayplus.ErrRetryBudget) {
				t.Error("spent too early")
			}
			if _, err = decodeOrder.Call(t.Context(), c, &order{ID: "P1"}); !errors.Is(err, alipayplus.ErrRetryBudget) {
				t.Errorf("not spent: %v", err)
			}
			time.Sleep(time.Second)
		}
		if all != 9 {
			t.Errorf("%d attempts, want 9", all)
		}
	})
}

// An error that a hook keeps does not change later.
func TestHookMayKeepTheError(t *testing.T) {
	var kept *alipayplus.Error
	c := newClient(t, &fixedAnswer{503, nil, ""}, func(cfg *alipayplus.ClientConfig) {
		cfg.Budget, cfg.Retry = &alipayplus.Budget{PerCall: 1e-9, Reserve: 0.5}, quick(2)
		cfg.Hooks.Attempt = func(_ context.Context, a alipayplus.Attempt) { kept = a.Err }
	})
	_, err := decodeOrder.Call(t.Context(), c, &order{ID: "P1"})
	if !errors.Is(err, alipayplus.ErrRetryBudget) || errors.Is(kept, alipayplus.ErrRetryBudget) {
		t.Errorf("returned %v, kept %v", err, kept)
	}
}

// The durable schedule, over hours.
func TestSchedule(t *testing.T) {
	unknown := &alipayplus.Error{Operation: "x"}
	total := time.Duration(0)
	tries := 0
	for wait, again := alipayplus.Schedule(nil).Next(1, unknown); again; wait, again = alipayplus.Schedule(nil).Next(tries+1, unknown) {
		total += wait
		tries++
	}
	if tries != 10 || total != 2*time.Second+10*time.Second+30*time.Second+2*time.Minute+20*time.Minute+24*time.Hour {
		t.Errorf("the default schedule has %d waits, %v in all", tries, total)
	}
	own := alipayplus.Schedule{time.Second, time.Minute}
	invalid := &alipayplus.ValidationError{Problems: []alipayplus.Problem{{Path: "path", Rule: "is wrong"}}}
	for _, test := range []struct {
		name  string
		s     alipayplus.Schedule
		tries int
		err   error
		wait  time.Duration
		again bool
	}{
		{"acknowledged", own, 1, nil, 0, false},
		{"unknown", own, 1, unknown, time.Second, true},
		{"the second time", own, 2, unknown, time.Minute, true},
		{"the last time", own, 3, unknown, 0, false},
		{"empty schedule", alipayplus.Schedule{}, 1, unknown, 0, false},
		{"no try yet", own, 0, unknown, 0, false},
		{"negative tries", own, -1, unknown, 0, false},
		{"not sent", own, 1, &alipayplus.Error{Outcome: alipayplus.OutcomeNotSent}, time.Second, true},
		{"verified F", own, 1, &alipayplus.Error{Outcome: alipayplus.OutcomeFailed}, 0, false},
		{"a message that breaks a rule", own, 1, &alipayplus.Error{Outcome: alipayplus.OutcomeNotSent, Err: invalid}, 0, false},
		{"an answer that breaks a rule", own, 1, &alipayplus.Error{Err: invalid}, time.Second, true},
		{"claims F, unverified", own, 1, &alipayplus.Error{Claimed: alipayplus.CodeProcessFail.Result()}, time.Second, true},
		{"an error of something else", own, 1, errors.New("database"), time.Second, true},
		{"out of budget", own, 1, &alipayplus.Error{Err: alipayplus.ErrRetryBudget}, time.Second, true},
	} {
		if wait, again := test.s.Next(test.tries, test.err); wait != test.wait || again != test.again {
			t.Errorf("%s: %v, %v; want %v, %v", test.name, wait, again, test.wait, test.again)
		}
	}
	// End to end: an answer that was verified but cannot be read leaves the
	// notification in the outbox.
	c := newClient(t, answers(`{"result":"S"}`), noRetry)
	err := c.Deliver(t.Context(), alipayplus.Message{Operation: "x", Key: "1", Path: "/a", Body: alipayplus.Conceal("{}")})
	if _, again := own.Next(1, err); !again || !errors.Is(err, alipayplus.ErrMalformed) {
		t.Errorf("given up after %v", err)
	}
}

// A call's own policy takes the place of the client's.
func TestWithRetry(t *testing.T) {
	for _, test := range []struct {
		policy alipayplus.RetryPolicy
		want   int
	}{{alipayplus.NoRetry, 1}, {quick(2), 2}, {nil, 4}} {
		var info alipayplus.Info
		c := newClient(t, answers(bodyU), func(cfg *alipayplus.ClientConfig) { cfg.Retry = quick(4) })
		_, _ = decodeOrder.Call(t.Context(), c, &order{ID: "P1"}, alipayplus.WithRetry(test.policy), alipayplus.WithInfo(&info))
		if info.Attempts != test.want {
			t.Errorf("%v: %d attempts, want %d", test.policy, info.Attempts, test.want)
		}
	}
}
