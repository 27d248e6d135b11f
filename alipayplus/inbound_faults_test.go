package alipayplus_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/internal/testkit"
)

// inLedger is the wallet's own book, with a unique constraint on the id if it
// is sound. What it commits survives every crash.
type inLedger struct {
	sound  bool
	booked map[string]int
}

func (l *inLedger) book(r *inRequest) (*inResponse, error) {
	if l.booked == nil {
		l.booked = map[string]int{}
	}
	if !l.sound || l.booked[r.ID] == 0 {
		l.booked[r.ID]++
	}
	return &inResponse{Ref: "booking-of-" + r.ID}, nil
}

// inStoreFault wraps a store and takes the place of its calls.
type inStoreFault struct {
	alipayplus.IdempotencyStore
	calls  atomic.Int64
	begin  func(call int, ctx context.Context, c alipayplus.Claim, next alipayplus.IdempotencyStore) (alipayplus.ClaimState, []byte, error)
	finish func(call int, ctx context.Context, c alipayplus.Claim, answer []byte, next alipayplus.IdempotencyStore) error
}

func (s *inStoreFault) Begin(ctx context.Context, c alipayplus.Claim) (alipayplus.ClaimState, []byte, error) {
	return s.begin(int(s.calls.Add(1)), ctx, c, s.IdempotencyStore)
}

func (s *inStoreFault) Finish(ctx context.Context, c alipayplus.Claim, answer []byte) error {
	return s.finish(int(s.calls.Add(1)), ctx, c, answer, s.IdempotencyStore)
}

// inStoreFaults returns what a call of a store can do instead of its work.
func inStoreFaults() map[string]struct {
	begin  func(context.Context, alipayplus.Claim, alipayplus.IdempotencyStore) (alipayplus.ClaimState, []byte, error)
	finish func(context.Context, alipayplus.Claim, []byte, alipayplus.IdempotencyStore) error
} {
	type begin = func(context.Context, alipayplus.Claim, alipayplus.IdempotencyStore) (alipayplus.ClaimState, []byte, error)
	type finish = func(context.Context, alipayplus.Claim, []byte, alipayplus.IdempotencyStore) error
	down := errors.New("no connection")
	says := func(state alipayplus.ClaimState, answer []byte, err error) begin {
		return func(context.Context, alipayplus.Claim, alipayplus.IdempotencyStore) (alipayplus.ClaimState, []byte, error) {
			return state, answer, err
		}
	}
	refuses := func(err error) finish {
		return func(context.Context, alipayplus.Claim, []byte, alipayplus.IdempotencyStore) error { return err }
	}
	answered := func(text string) begin {
		return says(alipayplus.ClaimAnswered, []byte(text), nil)
	}
	const success = `{"result":{"resultCode":"SUCCESS","resultStatus":"S"}}`
	return map[string]struct {
		begin  begin
		finish finish
	}{
		"down": {says(alipayplus.ClaimUndecided, nil, down), refuses(down)},
		"down after its work": {
			func(ctx context.Context, c alipayplus.Claim, next alipayplus.IdempotencyStore) (alipayplus.ClaimState, []byte, error) {
				state, answer, _ := next.Begin(ctx, c)
				return state, answer, down
			},
			func(ctx context.Context, c alipayplus.Claim, answer []byte, next alipayplus.IdempotencyStore) error {
				_ = next.Finish(ctx, c, answer)
				return down
			},
		},
		"slow": {
			func(ctx context.Context, _ alipayplus.Claim, _ alipayplus.IdempotencyStore) (alipayplus.ClaimState, []byte, error) {
				<-ctx.Done()
				return alipayplus.ClaimUndecided, nil, ctx.Err()
			},
			func(ctx context.Context, _ alipayplus.Claim, _ []byte, _ alipayplus.IdempotencyStore) error {
				<-ctx.Done()
				return ctx.Err()
			},
		},
		"panics": {
			func(context.Context, alipayplus.Claim, alipayplus.IdempotencyStore) (alipayplus.ClaimState, []byte, error) {
				panic("nil connection")
			},
			func(context.Context, alipayplus.Claim, []byte, alipayplus.IdempotencyStore) error {
				panic("nil connection")
			},
		},
		"lies: undecided":          {says(alipayplus.ClaimUndecided, nil, nil), refuses(alipayplus.ErrSuperseded)},
		"lies: an unknown state":   {says(alipayplus.ClaimState(17), []byte(success), nil), refuses(alipayplus.ErrSuperseded)},
		"lies: granted, but down":  {says(alipayplus.ClaimFirst, nil, down), refuses(down)},
		"lies: answered, but down": {says(alipayplus.ClaimAnswered, []byte(success), down), refuses(down)},
		"lies: no answer":          {answered(""), refuses(down)},
		"lies: rubbish":            {answered("\x00\x01"), refuses(down)},
		"lies: half an answer":     {answered(success[:40]), refuses(down)},
		"lies: no result":          {answered(`{}`), refuses(down)},
		"lies: an answer twice":    {answered(success + success), refuses(down)},
		"lies: a status s":         {answered(`{"result":{"resultCode":"SUCCESS","resultStatus":"s"}}`), refuses(down)},
		"lies: a U that is not kept": {
			answered(`{"result":{"resultCode":"UNKNOWN_EXCEPTION","resultStatus":"U"}}`), refuses(down),
		},
		"lies: a result in which S is not the only status": {
			answered(`{"result":{"resultStatus":"S","resultStatus":"F"}}`), refuses(down),
		},
		"lies: a member twice": {
			answered(`{"result":{"resultCode":"SUCCESS","resultStatus":"S"},"ref":"R","ref":"R"}`), refuses(down),
		},
	}
}

// When the answer is there, the contexts of the function and of the store have
// ended: what one of them left running ends too, and a request leaves no timer.
func TestContextsEndWithTheAnswer(t *testing.T) {
	seen := map[string]context.Context{}
	cfg := inConfig()
	cfg.Idempotency = &inStoreFault{
		IdempotencyStore: cfg.Idempotency,
		begin: func(_ int, ctx context.Context, c alipayplus.Claim, next alipayplus.IdempotencyStore) (alipayplus.ClaimState, []byte, error) {
			seen["Begin"] = ctx
			return next.Begin(ctx, c)
		},
		finish: func(_ int, ctx context.Context, c alipayplus.Claim, answer []byte, next alipayplus.IdempotencyStore) error {
			seen["Finish"] = ctx
			return next.Finish(ctx, c, answer)
		},
	}
	h := testkit.Must(alipayplus.NewHandler(cfg, inMove.Handle(inMovePath, func(ctx context.Context, r *inRequest) (*inResponse, error) {
		seen["the function"] = ctx
		return inDone(ctx, r)
	})))
	if result := inSend(t, h, inValid); result.Status != alipayplus.StatusSucceeded {
		t.Fatal(result)
	}
	for _, of := range []string{"Begin", "Finish", "the function"} {
		if ctx := seen[of]; ctx == nil || ctx.Err() == nil {
			t.Errorf("the context of %s is still alive", of)
		}
	}
}

// A store that is down, slow or lying at any call makes the answer U, never S
// or F; later the same request ends with S, and is booked once.
func TestStoreFaults(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		checked := 0
		request := inArrive(inMovePath, inValid).request() // one, delivered again and again
		for name, fault := range inStoreFaults() {
			for k := 1; k <= 4; k++ {
				ledger := &inLedger{sound: true}
				var hit atomic.Bool // a call that hangs is not waited for
				cfg := inConfig()
				cfg.Idempotency = &inStoreFault{
					IdempotencyStore: cfg.Idempotency,
					begin: func(call int, ctx context.Context, c alipayplus.Claim, next alipayplus.IdempotencyStore) (alipayplus.ClaimState, []byte, error) {
						if call == k {
							hit.Store(true)
							return fault.begin(ctx, c, next)
						}
						return next.Begin(ctx, c)
					},
					finish: func(call int, ctx context.Context, c alipayplus.Claim, answer []byte, next alipayplus.IdempotencyStore) error {
						if call == k {
							hit.Store(true)
							return fault.finish(ctx, c, answer, next)
						}
						return next.Finish(ctx, c, answer)
					},
				}
				h := testkit.Must(alipayplus.NewHandler(cfg, inMove.Handle(inMovePath, func(_ context.Context, r *inRequest) (*inResponse, error) {
					return ledger.book(r)
				})))
				met, last := false, alipayplus.Result{}
				for range 5 {
					hit.Store(false)
					began := time.Now()
					var err error
					if last, err = inResult(inServe(h, inAgain(request, []byte(inValid))), inMovePath); err != nil {
						t.Fatal(err)
					}
					if hit.Load() {
						met = true
						if last != alipayplus.CodeUnknownException.Result() {
							t.Errorf("%s at call %d: answered %v", name, k, last)
						}
						if waited := time.Since(began); waited > 7*time.Second {
							t.Errorf("%s at call %d: answered after %v, Alipay+ waits 8 s", name, k, waited)
						}
						checked++
					} else if last.Status == "F" {
						t.Errorf("%s at call %d: another request got %v", name, k, last)
					}
					time.Sleep(2 * time.Minute) // longer than the lease
				}
				if !met || last.Status != "S" || ledger.booked["M1"] != 1 {
					t.Errorf("%s at call %d: met %t, in the end %v, booked %d times", name, k, met, last, ledger.booked["M1"])
				}
			}
		}
		t.Logf("%d faults, answered U each", checked)
	})
}

// inCrash runs one delivery of inValid in a process that dies at step, and then
// repetitions in a new one. It returns how often the ledger booked.
func inCrash(t *testing.T, step string, sound bool) (booked int) {
	ledger, dead := &inLedger{sound: sound}, false
	shared := alipayplus.NewMemoryIdempotencyStore(10)
	const gone = "the process is gone"
	process := func(crash string) *alipayplus.Handler {
		cfg := inConfig()
		cfg.Idempotency = &inStoreFault{
			IdempotencyStore: shared,
			begin: func(_ int, ctx context.Context, c alipayplus.Claim, next alipayplus.IdempotencyStore) (alipayplus.ClaimState, []byte, error) {
				if crash == "before the claim" {
					panic(gone)
				}
				state, answer, err := next.Begin(ctx, c)
				if crash == "after the claim" {
					dead = true
					panic(gone)
				}
				return state, answer, err
			},
			finish: func(_ int, ctx context.Context, c alipayplus.Claim, answer []byte, next alipayplus.IdempotencyStore) error {
				if crash != "" && dead { // what a dead process does not do
					return errors.New(gone)
				}
				err := next.Finish(ctx, c, answer)
				if crash == "after the record" {
					panic(gone)
				}
				return err
			},
		}
		return testkit.Must(alipayplus.NewHandler(cfg, inMove.Handle(inMovePath, func(ctx context.Context, r *inRequest) (*inResponse, error) {
			info, _ := alipayplus.RequestInfo(ctx)
			if crash == "" && !info.Again && step != "before the claim" {
				t.Errorf("%s: the function is not told that it runs again", step)
			}
			if crash == "before the commit" {
				dead = true
				panic(gone)
			}
			response, err := ledger.book(r)
			if crash == "after the commit" {
				dead = true
				panic(gone)
			}
			return response, err
		})))
	}
	if got := inSend(t, process(step), inValid); got.Status != "U" {
		t.Errorf("%s: the dying process answered %v", step, got)
	}
	restarted := process("")
	time.Sleep(30 * time.Second)
	during := inSend(t, restarted, inValid)
	holds := step != "before the claim" && step != "after the record"
	if holds && during != alipayplus.CodePaymentInProcess.Result() {
		t.Errorf("%s: within the lease %v", step, during)
	}
	time.Sleep(31 * time.Second)
	for range 2 {
		if got := inSend(t, restarted, inValid); got.Status != "S" {
			t.Errorf("%s: after the lease %v", step, got)
		}
	}
	return ledger.booked["M1"]
}

// A crash at any step: a repetition runs the function again after the lease and
// tells it so. A function with a unique constraint never books twice; one
// without it does, and this test sees that.
func TestCrashes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, step := range []string{"before the claim", "after the claim", "before the commit", "after the commit", "after the record"} {
			if booked := inCrash(t, step, true); booked != 1 {
				t.Errorf("%s: booked %d times", step, booked)
			}
		}
		if booked := inCrash(t, "after the commit", false); booked != 2 {
			t.Errorf("control: a function without a constraint booked %d times, want 2", booked)
		}
	})
}

// A run that overran its lease loses its record to the next one: it answers U,
// not S, because what is recorded is the other's.
func TestOverrun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var runs atomic.Int64
		h := testkit.Must(alipayplus.NewHandler(inConfig(), inMove.Handle(inMovePath, func(ctx context.Context, r *inRequest) (*inResponse, error) {
			if runs.Add(1) == 1 {
				time.Sleep(90 * time.Second)
			}
			return inDone(ctx, r)
		})))
		first := make(chan alipayplus.Result)
		go func() { first <- inSend(t, h, inValid) }()
		time.Sleep(61 * time.Second)
		if second := inSend(t, h, inValid); second.Status != "S" {
			t.Errorf("the run that took over: %v", second)
		}
		if got := <-first; got != alipayplus.CodeUnknownException.Result() {
			t.Errorf("the run that lost its record: %v", got)
		}
		if got := inSend(t, h, inValid); got.Status != "S" || runs.Load() != 2 {
			t.Errorf("afterwards %v, %d runs", got, runs.Load())
		}
	})
}

// An Idempotency that is none, or a panic in it, is answered, and no function
// runs.
func TestOddIdempotency(t *testing.T) {
	for rule, idempotency := range map[string]func(*inRequest) alipayplus.Idempotency{
		"has no key": func(*inRequest) alipayplus.Idempotency { return alipayplus.Idempotency{} },
		"panics":     func(*inRequest) alipayplus.Idempotency { panic("boom") },
		"has no JSON": func(r *inRequest) alipayplus.Idempotency {
			return alipayplus.Idempotency{Key: r.ID, Match: []any{func() {}}}
		},
		"panics while encoded": func(r *inRequest) alipayplus.Idempotency {
			return alipayplus.Idempotency{Key: r.ID, Match: []any{inPanicker{}}}
		},
	} {
		op := alipayplus.NewInbound(alipayplus.Spec[inRequest, inResponse]{Name: "odd", Idempotency: idempotency})
		ran := false
		h := testkit.Must(alipayplus.NewHandler(inConfig(), op.Handle(inMovePath, func(context.Context, *inRequest) (*inResponse, error) {
			ran = true
			return &inResponse{}, nil
		})))
		want := alipayplus.CodeUnknownException
		if rule == "has no key" {
			want = alipayplus.CodeParamIllegal
		}
		if got := inSend(t, h, inValid); got != want.Result() || ran {
			t.Errorf("an Idempotency that %s: %v, the function ran: %t", rule, got, ran)
		}
	}
}

type inPanicker struct{}

func (inPanicker) MarshalJSON() ([]byte, error) { panic("boom") }
