package alipayplus_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/internal/testkit"
)

// The model: what Alipay+ may see of the requests with one key, whatever
// happens inside. A request has two effects, each at one moment of its time: it
// claims the key for its print, and it may record the answer.

type inAsked struct{ key, print int }

type inEffect struct {
	inAsked
	records bool
}

type inSeen struct {
	status, text string // S and the reference, U, or F and the code
	lost         bool   // a process died or its store failed: it may have got anywhere
}

// inKnown is a possible state of a key. What a dead process recorded is not
// known before somebody is answered from it.
type inKnown struct {
	print    int // 0: none yet
	answered bool
	text     string
}

var inModel = porcupine.NondeterministicModel{
	Partition: func(history []porcupine.Operation) (parts [][]porcupine.Operation) {
		byKey := map[int][]porcupine.Operation{}
		for _, o := range history {
			key := o.Input.(inEffect).key
			byKey[key] = append(byKey[key], o)
		}
		for _, part := range byKey {
			parts = append(parts, part)
		}
		return parts
	},
	Init: func() []any { return []any{inKnown{}} },
	Step: func(state, input, output any) []any {
		s, effect, seen := state.(inKnown), input.(inEffect), output.(inSeen)
		mine := s.print == effect.print
		claimed, recorded := s, s
		claimed.print = effect.print
		recorded.answered, recorded.text = true, seen.text
		switch {
		case effect.records && seen.status == "S":
			if mine && (!s.answered || s.text == "" || s.text == seen.text) {
				return []any{recorded}
			}
		case effect.records: // lost, maybe with an answer that nobody saw
			if mine && !s.answered {
				return []any{s, recorded}
			}
			return []any{s}
		case seen.lost && s.print == 0:
			return []any{s, claimed}
		case seen.lost:
			return []any{s}
		case seen.status == "F":
			if s.print != 0 && !mine && seen.text == string(alipayplus.CodeRepeatReqInconsistent) {
				return []any{s}
			}
		case s.print == 0 || mine:
			if seen.status == "S" || !s.answered {
				return []any{claimed}
			}
		}
		return nil
	},
}

// inProcess is one of the wallet's processes. It dies at random between two
// steps; its functions may go on, since a cut network looks the same.
type inProcess struct {
	handler *alipayplus.Handler
	dead    atomic.Bool
}

type inRun struct {
	key        int
	start, end time.Time
	order      int64 // on the clock of the history
	again      bool
}

// inSimulation runs clients, processes that die, functions that fail, are slow
// and overrun their lease, over one store. It returns what is wrong, "" if
// nothing is.
func inSimulation(seed uint64, store alipayplus.IdempotencyStore, sound bool) string {
	const clients, each, keys = 6, 6, 2
	var clock atomic.Int64
	var mu sync.Mutex // of all that follows
	var history []porcupine.Operation
	var runs []*inRun
	booked := map[int]string{} // by key
	bookings := 0
	random := rand.New(rand.NewPCG(seed, 0))
	chance := func(percent int) bool {
		mu.Lock()
		defer mu.Unlock()
		return random.IntN(100) < percent
	}
	upTo := func(limit time.Duration) time.Duration {
		mu.Lock()
		defer mu.Unlock()
		return time.Duration(random.Int64N(int64(limit)))
	}
	function := func(ctx context.Context, r *inRequest) (*inResponse, error) {
		var key int
		_, _ = fmt.Sscanf(r.ID, "K%d", &key)
		info, _ := alipayplus.RequestInfo(ctx)
		run := &inRun{key: key, start: time.Now(), order: clock.Add(1), again: info.Again}
		mu.Lock()
		runs = append(runs, run)
		mu.Unlock()
		defer func() { run.end = time.Now() }()
		if chance(50) {
			time.Sleep(upTo(90 * time.Second)) // the lease is a minute
		}
		if chance(20) {
			return nil, errors.New("before the booking")
		}
		mu.Lock()
		if booked[key] == "" || !sound {
			bookings++
			booked[key] = fmt.Sprint("booking ", bookings)
		}
		reference := booked[key]
		mu.Unlock()
		if chance(20) {
			panic("after the booking")
		}
		return &inResponse{Ref: reference}, nil
	}
	var process atomic.Pointer[inProcess]
	start := func() {
		p := &inProcess{}
		gone := errors.New("this process is dead")
		die := func(percent int) bool {
			if p.dead.Load() {
				return true
			}
			if chance(percent) {
				p.dead.Store(true)
				return true
			}
			return false
		}
		cfg := inConfig()
		cfg.Signer = testkit.Unverified{Version: "7"}
		cfg.Idempotency = &inStoreFault{
			IdempotencyStore: store,
			begin: func(_ int, ctx context.Context, c alipayplus.Claim, next alipayplus.IdempotencyStore) (alipayplus.ClaimState, []byte, error) {
				if die(3) {
					return alipayplus.ClaimUndecided, nil, gone
				}
				state, answer, err := next.Begin(ctx, c)
				if die(3) {
					return alipayplus.ClaimUndecided, nil, gone
				}
				return state, answer, err
			},
			finish: func(_ int, ctx context.Context, c alipayplus.Claim, answer []byte, next alipayplus.IdempotencyStore) error {
				if die(10) {
					return gone
				}
				err := next.Finish(ctx, c, answer)
				if die(10) {
					return gone
				}
				return err
			},
		}
		p.handler = testkit.Must(alipayplus.NewHandler(cfg, inMove.Handle(inMovePath, function)))
		process.Store(p)
	}
	start()
	requests := map[inAsked]*http.Request{}
	bodies := map[inAsked][]byte{}
	for key := range keys {
		for print := 1; print <= 2; print++ {
			a := inArrive(inMovePath, fmt.Sprintf(`{"id":"K%d","amount":{"currency":"JPY","value":"%d"}}`, key, print))
			requests[inAsked{key, print}], bodies[inAsked{key, print}] = a.request(), a.body
		}
	}
	var wait sync.WaitGroup
	for client := range clients {
		wait.Go(func() {
			for range each {
				time.Sleep(upTo(2 * time.Minute))
				asked := inAsked{key: int(upTo(keys)), print: 1}
				if chance(20) {
					asked.print = 2
				}
				p := process.Load()
				o := porcupine.Operation{ClientId: client, Input: inEffect{asked, false}, Call: clock.Add(1)}
				w := inServe(p.handler, inAgain(requests[asked], bodies[asked]))
				o.Return = clock.Add(1)
				seen := inSeen{lost: p.dead.Load()}
				if seen.lost && process.Load() == p {
					start()
				}
				result, err := inResultIn(w.Body.Bytes())
				if err != nil {
					panic(err)
				}
				if seen.status = string(result.Status); seen.status == "S" {
					seen.text = w.Body.String()
				} else if seen.status == "F" {
					seen.text = string(result.Code)
				}
				o.Output = seen
				mu.Lock()
				history = append(history, o)
				if o.Input = (inEffect{asked, true}); seen.lost || seen.status == "S" {
					history = append(history, o)
				}
				mu.Unlock()
			}
		})
	}
	wait.Wait()

	if porcupine.CheckOperationsTimeout(inModel.ToModel(), history, 0) != porcupine.Ok {
		return "the answers have no order that explains them"
	}
	known := map[int]int64{} // when the first S was seen
	for _, o := range history {
		key := o.Input.(inEffect).key
		if seen := o.Output.(inSeen); seen.status == "S" && (known[key] == 0 || o.Return < known[key]) {
			known[key] = o.Return
		}
	}
	last := map[int]*inRun{}
	for _, run := range runs { // in the order of their starts
		before := last[run.key]
		switch {
		case before != nil && !run.again: // the reverse can be: a process died between the claim and the run
			return "a run is not told that it runs again"
		case before != nil && before.end.After(run.start) && run.start.Sub(before.start) < time.Minute:
			return "two runs at a time within a lease"
		case known[run.key] != 0 && run.order > known[run.key]:
			return "a run after the answer was given"
		}
		last[run.key] = run
	}
	if sound && bookings > keys {
		return "booked twice"
	}
	return ""
}

// Concurrent requests, processes that die, runs that overrun their lease: all
// answers can be explained by requests that came one after the other.
func TestLinearizable(t *testing.T) {
	seeds := uint64(30)
	if long {
		seeds = 5000
	}
	synctest.Test(t, func(t *testing.T) {
		for seed := range seeds {
			if wrong := inSimulation(seed, alipayplus.NewMemoryIdempotencyStore(100), true); wrong != "" {
				t.Errorf("seed %d: %s", seed, wrong)
			}
		}
		// Controls: the same with a broken store, or with a function that relies on
		// the store alone, which no store can make good.
		for name, broken := range inBrokenStores {
			found := ""
			for seed := uint64(0); found == "" && seed < 200; seed++ {
				found = inSimulation(seed, broken(alipayplus.NewMemoryIdempotencyStore(100)), true)
			}
			if found == "" {
				t.Errorf("control: a store that %s was not found", name)
			}
			t.Logf("control: a store that %s: %s", name, found)
		}
		t.Logf("%d histories are explained; %d stores with a mistake, all found", seeds, len(inBrokenStores))
	})
}

// inBrokenStores are stores with one mistake each.
var inBrokenStores = map[string]func(alipayplus.IdempotencyStore) alipayplus.IdempotencyStore{
	"lets run again what runs": func(s alipayplus.IdempotencyStore) alipayplus.IdempotencyStore {
		return inBrokenBegin(s, func(state *alipayplus.ClaimState, answer *[]byte) {
			if *state == alipayplus.ClaimRunning {
				*state = alipayplus.ClaimFirst
			}
		})
	},
	"forgets answers": func(s alipayplus.IdempotencyStore) alipayplus.IdempotencyStore {
		return inBrokenBegin(s, func(state *alipayplus.ClaimState, answer *[]byte) {
			if *state == alipayplus.ClaimAnswered {
				*state, *answer = alipayplus.ClaimRetry, nil
			}
		})
	},
	"takes a conflict for the answer": func(s alipayplus.IdempotencyStore) alipayplus.IdempotencyStore {
		return inBrokenBegin(s, func(state *alipayplus.ClaimState, answer *[]byte) {
			if *state == alipayplus.ClaimConflict {
				*state, *answer = alipayplus.ClaimAnswered, []byte(`{"result":{"resultStatus":"S"}}`)
			}
		})
	},
	"does not say that a run is one more": func(s alipayplus.IdempotencyStore) alipayplus.IdempotencyStore {
		return inBrokenBegin(s, func(state *alipayplus.ClaimState, _ *[]byte) {
			if *state == alipayplus.ClaimRetry {
				*state = alipayplus.ClaimFirst
			}
		})
	},
	"says that an answer is recorded and loses it": func(s alipayplus.IdempotencyStore) alipayplus.IdempotencyStore {
		return &inStoreFault{
			IdempotencyStore: s,
			begin: func(_ int, ctx context.Context, c alipayplus.Claim, next alipayplus.IdempotencyStore) (alipayplus.ClaimState, []byte, error) {
				return next.Begin(ctx, c)
			},
			finish: func(_ int, ctx context.Context, c alipayplus.Claim, _ []byte, next alipayplus.IdempotencyStore) error {
				return next.Finish(ctx, c, nil)
			},
		}
	},
	"does not tell a run that it lost its record": func(s alipayplus.IdempotencyStore) alipayplus.IdempotencyStore {
		return &inStoreFault{
			IdempotencyStore: s,
			begin: func(_ int, ctx context.Context, c alipayplus.Claim, next alipayplus.IdempotencyStore) (alipayplus.ClaimState, []byte, error) {
				return next.Begin(ctx, c)
			},
			finish: func(_ int, ctx context.Context, c alipayplus.Claim, answer []byte, next alipayplus.IdempotencyStore) error {
				_ = next.Finish(ctx, c, answer)
				return nil
			},
		}
	},
}

func inBrokenBegin(s alipayplus.IdempotencyStore, spoil func(*alipayplus.ClaimState, *[]byte)) alipayplus.IdempotencyStore {
	return &inStoreFault{
		IdempotencyStore: s,
		begin: func(_ int, ctx context.Context, c alipayplus.Claim, next alipayplus.IdempotencyStore) (alipayplus.ClaimState, []byte, error) {
			state, answer, err := next.Begin(ctx, c)
			spoil(&state, &answer)
			return state, answer, err
		},
		finish: func(_ int, ctx context.Context, c alipayplus.Claim, answer []byte, next alipayplus.IdempotencyStore) error {
			return next.Finish(ctx, c, answer)
		},
	}
}
