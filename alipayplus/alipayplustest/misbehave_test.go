package alipayplustest_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/alipayplustest"
)

type request struct {
	ID     string `json:"id,omitzero" wire:"required,max=64"`
	Detail struct {
		Text string `json:"text,omitzero"`
	} `json:"detail,omitzero"`
}

type response struct {
	Result alipayplus.Result `json:"result"`
	Ref    string            `json:"ref,omitzero"`
	List   []struct {
		A string `json:"a"`
	} `json:"list,omitzero"`
}

func identity(r *request) alipayplus.Idempotency { return alipayplus.Idempotency{Key: r.ID} }

var (
	order = alipayplus.NewOutbound(alipayplus.Spec[request, response]{Name: "order", Path: "/order", Idempotency: identity})
	once  = alipayplus.NewOutbound(alipayplus.Spec[request, response]{Name: "once", Path: "/once"})
	move  = alipayplus.NewInbound(alipayplus.Spec[request, response]{Name: "move", Idempotency: identity})
)

// tb is an alipayplustest.TB that keeps what it is told. Like a testing.T it is
// safe for concurrent use; its fields are read when the callers have ended.
type tb struct {
	mu           sync.Mutex
	errors, logs []string
	cleanups     []func()
}

func (t *tb) Helper() {}

func (t *tb) Errorf(format string, args ...any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.errors = append(t.errors, fmt.Sprintf(format, args...))
}

func (t *tb) Logf(format string, args ...any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.logs = append(t.logs, fmt.Sprintf(format, args...))
}

func (t *tb) Cleanup(f func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.cleanups = append(t.cleanups, f)
}

// truth returns what Alipay+ decided about an id: F for every third.
func truth(id string) (status alipayplus.ResultStatus, ref string) {
	if strings.HasSuffix(id, "3") {
		return alipayplus.StatusFailed, ""
	}
	return alipayplus.StatusSucceeded, "ref-" + id
}

// world is a Gateway that misbehaves and a client. runs counts how often the
// function of order, or of once, ran for an id.
type world struct {
	*alipayplustest.Gateway
	tb     *tb
	client *alipayplus.Client
	runs   map[string]int
	seen   map[string]int // how often each kind of misbehaviour was met
}

func newWorld(seed uint64) *world {
	w := &world{tb: &tb{}, runs: map[string]int{}, seen: map[string]int{}}
	w.Gateway = alipayplustest.New(w.tb)
	decide := func(_ context.Context, r *request) (*response, error) {
		w.runs[r.ID]++
		status, ref := truth(r.ID)
		if status == alipayplus.StatusFailed {
			return nil, alipayplus.CodeProcessFail
		}
		return &response{Ref: ref, List: make([]struct {
			A string `json:"a"`
		}, 0)}, nil
	}
	alipayplustest.Answer(w.Gateway, order, decide)
	alipayplustest.Answer(w.Gateway, once, decide)
	w.Misbehave(seed)
	cfg := w.Config()
	cfg.Hooks.Attempt = func(_ context.Context, a alipayplus.Attempt) {
		if a.Err == nil {
			return
		}
		w.note("an unsigned answer", errors.Is(a.Err, alipayplus.ErrUnsigned))
		w.note("a bad signature", errors.Is(a.Err, alipayplus.ErrSignature))
		w.note("a stale answer", errors.Is(a.Err, alipayplus.ErrStale))
		w.note("a signed U", a.Err.Result.Status == alipayplus.StatusUnknown)
		w.note("a 502", a.Err.HTTPStatus == http.StatusBadGateway)
		w.note("a refused connection", errors.Is(a.Err, syscall.ECONNREFUSED))
		w.note("a cut answer", errors.Is(a.Err, io.ErrUnexpectedEOF))
		w.note("a lost connection", a.Err.HTTPStatus == 0 && !errors.Is(a.Err, syscall.ECONNREFUSED))
	}
	client, err := alipayplus.NewClient(cfg)
	if err != nil {
		panic(err)
	}
	w.client = client
	return w
}

func (w *world) note(what string, is bool) {
	if is {
		w.seen[what]++
	}
}

// play makes five calls, each until S or F, and returns what the caller saw.
func (w *world) play(t testing.TB) (trace []string) {
	for n := 1; n <= 5; n++ {
		id := fmt.Sprintf("P%d", n)
		want, ref := truth(id)
		for tries := 1; ; tries++ {
			var info alipayplus.Info
			arrived := len(w.Calls(order))
			answer, err := order.Call(context.Background(), w.client, &request{ID: id}, alipayplus.WithInfo(&info))
			outcome := alipayplus.OutcomeOf(err)
			trace = append(trace, fmt.Sprintf("%s %v, HTTP %d, %d attempts, %d arrived, %s", id, outcome, info.HTTPStatus, info.Attempts,
				len(w.Calls(order))-arrived, info.Body.Reveal()))
			w.note("a late delivery", len(w.Calls(order))-arrived > info.Attempts)
			w.note("a strange member", strings.Contains(info.Body.Reveal(), `"unknown`))
			w.note("members in another order", !info.Body.IsZero() && !strings.HasPrefix(info.Body.Reveal(), `{"result"`))
			if outcome == alipayplus.OutcomeSucceeded && (want != alipayplus.StatusSucceeded || answer.Ref != ref) ||
				outcome == alipayplus.OutcomeFailed && want != alipayplus.StatusFailed {
				t.Errorf("%s: the wallet was told %v (%v), the truth is %s", id, outcome, err, want)
			}
			if outcome == alipayplus.OutcomeNotSent && len(w.Calls(order)) > arrived && w.runs[id] > 0 && tries == 1 {
				t.Errorf("%s: not sent, and processed", id)
			}
			if outcome == alipayplus.OutcomeSucceeded || outcome == alipayplus.OutcomeFailed {
				break
			}
			if tries == 100 {
				t.Fatalf("%s: no S or F after %d calls", id, tries)
			}
		}
	}
	for _, call := range w.Calls(order) {
		w.note("a repeated delivery", !call.Ran)
	}
	for id, n := range w.runs {
		if n != 1 {
			t.Errorf("%s was processed %d times", id, n)
		}
	}
	if len(w.tb.errors) > 0 {
		t.Errorf("the Gateway complains: %q", w.tb.errors)
	}
	return trace
}

// Whatever the seed, what the wallet is told is true, and each order is
// processed once. All kinds of misbehaviour occur.
func TestMisbehave(t *testing.T) {
	t.Parallel()
	seeds := uint64(15)
	if os.Getenv("ALIPAYPLUS_LONG") != "" {
		seeds = 2000
	}
	synctest.Test(t, func(t *testing.T) {
		all := map[string]int{}
		for seed := range seeds {
			w := newWorld(seed)
			w.play(t)
			for what, n := range w.seen {
				all[what] += n
			}
			if t.Failed() {
				t.Fatalf("with seed %d", seed)
			}
		}
		for _, what := range []string{
			"an unsigned answer", "a bad signature", "a stale answer", "a signed U", "a 502", "a refused connection", "a cut answer",
			"a lost connection", "a strange member", "members in another order", "a repeated delivery", "a late delivery",
		} {
			if all[what] == 0 {
				t.Errorf("%s did not occur", what)
			}
		}
		t.Log(all)
	})
}

// The same seed is the same run; another one is another.
func TestMisbehaveIsRepeatable(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		trace, again := newWorld(7).play(t), newWorld(7).play(t)
		if !slices.Equal(trace, again) {
			t.Errorf("seed 7 made two runs:\n%s\n\n%s", strings.Join(trace, "\n"), strings.Join(again, "\n"))
		}
		if slices.Equal(trace, newWorld(8).play(t)) {
			t.Error("seeds 7 and 8 made the same run")
		}
	})
}

// A wallet that does not verify is lied to: the faults are worth something.
func TestMisbehaveFindsTheCredulous(t *testing.T) {
	t.Parallel()
	lies := 0
	for seed := range uint64(12) {
		w := newWorld(seed)
		transport := &credulous{next: w.Gateway}
		cfg := w.Config()
		cfg.Transport, cfg.Retry = transport, alipayplus.NoRetry
		client, err := alipayplus.NewClient(cfg)
		if err != nil {
			t.Fatal(err)
		}
		for n := 1; n <= 5; n++ {
			id := fmt.Sprintf("P%d", n)
			_, _ = order.Call(t.Context(), client, &request{ID: id})
			want, _ := truth(id)
			if told := transport.told; told == "S" && (want != "S" || w.runs[id] == 0) || told == "F" && (want != "F" || w.runs[id] == 0) {
				lies++
			}
			transport.told = ""
		}
	}
	if lies == 0 {
		t.Error("a wallet that believes what is not signed was never lied to")
	}
	t.Logf("%d lies", lies)
}

// credulous believes every body that arrives.
type credulous struct {
	next http.RoundTripper
	told string
}

func (c *credulous) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := c.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	body, _ := io.ReadAll(response.Body)
	response.Body = io.NopCloser(bytes.NewReader(body))
	for _, status := range []string{"S", "F"} {
		if bytes.Contains(body, []byte(`"resultStatus":"`+status+`"`)) {
			c.told = status
		}
	}
	return response, nil
}

// What must not be sent twice is not delivered twice.
func TestMisbehaveNeverDoublesWhatMustNot(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		for seed := range uint64(6) {
			w := newWorld(seed)
			for n := range 40 {
				_, _ = once.Call(t.Context(), w.client, &request{ID: fmt.Sprintf("Q%d", n)})
			}
			for id, n := range w.runs {
				if n > 1 {
					t.Fatalf("seed %d: %s was processed %d times", seed, id, n)
				}
			}
		}
	})
}

// The seed is logged, and Fail comes first.
func TestMisbehaveSeedAndFail(t *testing.T) {
	t.Parallel()
	w := newWorld(42)
	if !slices.Equal(w.tb.logs, []string{"alipayplustest: Misbehave(42)"}) {
		t.Errorf("logged %q", w.tb.logs)
	}
	cfg := w.Config()
	cfg.Retry = alipayplus.NoRetry
	client, err := alipayplus.NewClient(cfg)
	if err != nil {
		t.Fatal(err)
	}
	for range 20 {
		w.Fail(order, alipayplustest.Unknown("QUEUED"))
		if _, err := order.Call(t.Context(), client, &request{ID: "P1"}); !errors.Is(err, alipayplus.ResultCode("QUEUED")) {
			t.Fatalf("a queued fault did not come first: %v", err)
		}
	}
}

func newHandler(t *testing.T, g *alipayplustest.Gateway, store alipayplus.IdempotencyStore, fn func(context.Context, *request) (*response, error)) *alipayplus.Handler {
	t.Helper()
	h, err := alipayplus.NewHandler(alipayplus.HandlerConfig{Credentials: g.Credentials(), Idempotency: store}, move.Handle("/wallet/move", fn))
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// amnesia is a store that takes every request for a new one.
type amnesia struct{}

func (amnesia) Begin(context.Context, alipayplus.Claim) (alipayplus.ClaimState, []byte, error) {
	return alipayplus.ClaimFirst, nil, nil
}
func (amnesia) Finish(context.Context, alipayplus.Claim, []byte) error { return nil }

// Requests of Send come twice. A sound handler answers the same; one that
// forgets is found.
func TestMisbehaveRepeatsSends(t *testing.T) {
	t.Parallel()
	for name, store := range map[string]alipayplus.IdempotencyStore{"sound": alipayplus.NewMemoryIdempotencyStore(100), "forgets": amnesia{}} {
		sink := &tb{}
		g := alipayplustest.New(sink)
		g.Misbehave(1)
		arrived, runs := 0, 0
		handler := newHandler(t, g, store, func(context.Context, *request) (*response, error) {
			runs++
			return &response{Ref: fmt.Sprint("run ", runs)}, nil
		})
		h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { arrived++; handler.ServeHTTP(w, r) })
		for n := range 20 {
			answer, err := alipayplustest.Send(t.Context(), g, h, "/wallet/move", move, &request{ID: fmt.Sprintf("M%d", n)})
			if err != nil || answer.Result.Status != "S" {
				t.Fatalf("%s: %v %v", name, answer, err)
			}
		}
		if arrived < 24 || arrived > 36 {
			t.Errorf("%s: %d deliveries of 20 requests", name, arrived)
		}
		if (name == "sound") != (len(sink.errors) == 0) || (name == "sound") != (runs == 20) {
			t.Errorf("%s: %d runs, complaints %q", name, runs, sink.errors)
		}
	}
}

// A request of NewRequest can be delivered again, with the bytes, time and
// signature that it had.
func TestLateDuplicate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := alipayplustest.New(t)
		runs := 0
		h := newHandler(t, g, alipayplus.NewMemoryIdempotencyStore(10), func(context.Context, *request) (*response, error) {
			runs++
			return &response{Ref: fmt.Sprint("run ", runs)}, nil
		})
		r := g.NewRequest(t.Context(), "/wallet/move", []byte(`{"id":"M1"}`))
		first, err := g.Exchange(h, r)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(48 * time.Hour)
		again, err := g.Exchange(h, r)
		if err != nil || !bytes.Equal(first, again) || runs != 1 {
			t.Errorf("first %s, again %s %v, %d runs", first, again, err, runs)
		}
	})
}
