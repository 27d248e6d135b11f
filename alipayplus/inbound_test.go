package alipayplus_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/internal/testkit"
)

// The same request 2 to 64 times in parallel: the function runs once, every
// answer is U or the one business answer, and afterwards there is only the
// latter. ALIPAYPLUS_LONG=1 makes it 10,000 requests, 64 times each.
func TestSameRequestInParallel(t *testing.T) {
	ids := 32
	if long {
		ids = 10_000
	}
	synctest.Test(t, func(t *testing.T) {
		var runs, unknown, served atomic.Int64
		cfg := inConfig()
		cfg.Signer = &testkit.Once{Signer: cfg.Signer}
		h := testkit.Must(alipayplus.NewHandler(cfg, inMove.Handle(inMovePath, func(_ context.Context, r *inRequest) (*inResponse, error) {
			n := runs.Add(1)
			if n%2 == 0 {
				time.Sleep(time.Second) // of the bubble: all others arrive meanwhile
			}
			return &inResponse{Ref: fmt.Sprintf("run-%d", n)}, nil
		})))
		for id := range ids {
			times := 2 + 2*id
			if long {
				times = 64
			}
			a := inArrive(inMovePath, fmt.Sprintf(`{"id":"M%d"}`, id))
			first := a.request()
			var answers sync.Map // of business, by their text
			var wait sync.WaitGroup
			for range times {
				r := inAgain(first, a.body)
				wait.Go(func() {
					w := inServe(h, r)
					result, err := inResult(w, inMovePath)
					switch {
					case err != nil:
						t.Error(err)
					case result.Status == alipayplus.StatusUnknown && result.Code == alipayplus.CodePaymentInProcess:
						unknown.Add(1)
					case result.Status == alipayplus.StatusSucceeded:
						served.Add(1)
						answers.Store(w.Body.String(), true)
					default:
						t.Errorf("answered %v", result)
					}
				})
			}
			wait.Wait()
			time.Sleep(time.Millisecond) // so that a fresh signature is another one
			w := inServe(h, inAgain(first, a.body))
			result, err := inResult(w, inMovePath)
			if err != nil || result.Status != alipayplus.StatusSucceeded || w.Header().Get("Response-Time") != stamp(time.Now()) {
				t.Errorf("afterwards: %v %v, signed at %s", result, err, w.Header().Get("Response-Time"))
			}
			answers.Store(w.Body.String(), true)
			count := 0
			answers.Range(func(any, any) bool { count++; return true })
			if count != 1 {
				t.Errorf("%d different business answers to one request", count)
			}
		}
		if runs.Load() != int64(ids) {
			t.Errorf("%d requests, %d runs", ids, runs.Load())
		}
		if unknown.Load() == 0 || served.Load() < int64(ids) {
			t.Errorf("%d answers U and %d of business: the requests did not meet", unknown.Load(), served.Load())
		}
		t.Logf("%d requests: %d runs, %d answers U, %d of business", ids, runs.Load(), unknown.Load(), served.Load())
	})
}

// A repetition that meets the first run gets U at once; the late answer is kept
// and served, with the deadline long over.
func TestLateAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		runs := 0
		var ended error
		cfg := inConfig()
		cfg.Idempotency = &inStoreFault{ // one that obeys its context, like a database
			IdempotencyStore: cfg.Idempotency,
			begin: func(_ int, ctx context.Context, c alipayplus.Claim, next alipayplus.IdempotencyStore) (alipayplus.ClaimState, []byte, error) {
				return next.Begin(ctx, c)
			},
			finish: func(_ int, ctx context.Context, c alipayplus.Claim, answer []byte, next alipayplus.IdempotencyStore) error {
				if err := ctx.Err(); err != nil {
					return err
				}
				return next.Finish(ctx, c, answer)
			},
		}
		h := testkit.Must(alipayplus.NewHandler(cfg, inMove.Handle(inMovePath, func(ctx context.Context, r *inRequest) (*inResponse, error) {
			runs++
			deadline, _ := ctx.Deadline()
			if left := time.Until(deadline); left != 7*time.Second {
				t.Errorf("the function has %v", left)
			}
			time.Sleep(20 * time.Second)
			ended = ctx.Err()
			return inDone(ctx, r)
		})))
		var first alipayplus.Result
		var wait sync.WaitGroup
		wait.Go(func() { first = inSend(t, h, inValid) })
		for range 3 {
			time.Sleep(5 * time.Second)
			began := time.Now()
			if result := inSend(t, h, inValid); result.Status != "U" || result.Code != alipayplus.CodePaymentInProcess || time.Since(began) != 0 {
				t.Errorf("while the first runs: %v after %v", result, time.Since(began))
			}
		}
		wait.Wait()
		if result := inSend(t, h, inValid); result != first || first.Status != "S" || runs != 1 || !errors.Is(ended, context.DeadlineExceeded) {
			t.Errorf("first %v, repeated %v, %d runs, context %v", first, result, runs, ended)
		}
	})
}

// A connection that breaks stops neither the function nor the record.
func TestBrokenConnection(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	runs := 0
	h := testkit.Must(alipayplus.NewHandler(inConfig(), inMove.Handle(inMovePath, func(ctx context.Context, r *inRequest) (*inResponse, error) {
		runs++
		cancel()
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		return inDone(ctx, r)
	})))
	inServe(h, inArrive(inMovePath, inValid).request().WithContext(ctx))
	if result := inSend(t, h, inValid); result.Status != "S" || runs != 1 {
		t.Errorf("repeated: %v after %d runs", result, runs)
	}
}

// An API without Identity is not answered from the store.
func TestReadsRunEachTime(t *testing.T) {
	runs := 0
	h := testkit.Must(alipayplus.NewHandler(inConfig(), inAsk.Handle(inAskPath, func(ctx context.Context, _ *inRequest) (*inResponse, error) {
		runs++
		if info, ok := alipayplus.RequestInfo(ctx); !ok || info.Again {
			t.Errorf("RequestInfo: %v %t", info, ok)
		}
		return &inResponse{Ref: fmt.Sprint(runs)}, nil
	})))
	for range 3 {
		inServe(h, inArrive(inAskPath, inValid).request())
	}
	if runs != 3 {
		t.Errorf("%d runs of 3 requests", runs)
	}
}

func TestRequestInfo(t *testing.T) {
	var infos []alipayplus.Info
	fail := true
	h := testkit.Must(alipayplus.NewHandler(inConfig(), inMove.Handle(inMovePath, func(ctx context.Context, r *inRequest) (*inResponse, error) {
		info, _ := alipayplus.RequestInfo(ctx)
		infos = append(infos, info)
		if fail {
			return nil, errors.New("no connection to the ledger")
		}
		return inDone(ctx, r)
	})))
	body := `{ "unknown":{"member":1}, "id":"M1" }`
	for i := range 3 {
		fail = i < 2
		r := inArrive(inMovePath, body).request()
		r.Header.Set("Trace-Id", "trace 1")
		inServe(h, r)
	}
	if len(infos) != 3 || infos[0].Again || !infos[1].Again || !infos[2].Again {
		t.Fatalf("told about earlier runs: %v", infos)
	}
	for _, info := range infos {
		if info.Body.Reveal() != body || info.TraceID != "trace?1" || info.Attempts != 1 || info.HTTPStatus != 0 {
			t.Errorf("%v with body %s", info, info.Body.Reveal())
		}
		if text := fmt.Sprintf("%v %+v %#v", info, info, info); strings.Contains(text, "unknown") {
			t.Errorf("an Info prints the body: %s", text)
		}
	}
	if _, ok := alipayplus.RequestInfo(t.Context()); ok {
		t.Error("there is information about a request that is none")
	}
}
