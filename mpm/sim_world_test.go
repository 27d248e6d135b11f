package mpm_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment/paymenttest"
	"github.com/alipayplus-mpp/alipayplus-go/internal/testkit"
	"github.com/alipayplus-mpp/alipayplus-go/mpm"
)

// world is one run of the simulation: four orders of two customers, the wallet
// with two relays, and an Alipay+ that inquires, cancels and refunds, in
// virtual time. Everything that can differ between two runs follows from the
// seed: every actor waits a random number of nanoseconds before it acts, so
// that at any instant only one of them does.
type world struct {
	seed    uint64
	mistake mistake
	alipay  *simAlipay
	memory  *alipayplus.Memory // the database
	records *payment.MemoryRecords
	bank    *paymenttest.Bank       // nil: the ledger is another service
	remote  *paymenttest.RemoteBank // or this one is nil
	store   alipayplus.IdempotencyStore
	ids     atomic.Int64
	began   time.Time
	process atomic.Pointer[process] // nil while the wallet is down

	mu         sync.Mutex
	rng        *rand.Rand
	crashAt    []int // which visits of a place end the process
	visits     int
	crashes    []string // where
	idle       []*thread
	background sync.WaitGroup
	stopped    bool
	trace      []string // for a failure
	violations []string
	stats      simStats
}

// simStats shows that a simulation was not idle.
type simStats struct {
	payments, paid, failed, closed, credits, reversed, exchanges, faults, crashes int
	crashesAt                                                                     map[string]int
}

// process is the wallet between two crashes.
type process struct {
	client   *alipayplus.Client
	payments *payment.Service
	flow     *mpm.Flow
	relays   [2]*alipayplus.Relay
	handler  http.Handler
	dead     atomic.Bool
}

const paymentsPerWorld = 4

// runWorld runs a world to its end and audits it.
func runWorld(t *testing.T, seed uint64, m mistake) (w *world) {
	synctest.Test(t, func(t *testing.T) {
		w = &world{seed: seed, mistake: m, rng: rand.New(rand.NewPCG(seed, 1)), store: alipayplus.NewMemoryIdempotencyStore(10_000), began: time.Now()}
		w.alipay = newSimAlipay(w)
		w.memory = alipayplus.NewMemory()
		w.records = payment.NewMemoryRecords(w.memory)
		bobs := int64(w.rng.IntN(20_000))
		if w.chance(2) == 0 || m == debitKeyPerTry || m == unknownIsFailed {
			w.remote = paymenttest.NewRemoteBank("KRW")
			w.remote.Deposit("alice", 50_000)
			w.remote.Deposit("bob", bobs)
		} else {
			w.bank = paymenttest.NewBank(w.memory, "KRW")
			w.bank.Deposit("alice", 50_000)
			w.bank.Deposit("bob", bobs)
		}
		for range w.chance(4) {
			w.crashAt = append(w.crashAt, 1+w.chance(120))
		}
		w.start()

		var actors sync.WaitGroup
		var act []func() // of the actors: they start when all orders are there
		for i := range paymentsPerWorld {
			b := w.alipay.order(i)
			user := &user{world: w, book: b, name: [...]string{"alice", "bob"}[w.chance(2)], intercepted: w.chance(2) == 0}
			first, second := w.draw(0, 20*time.Second), w.draw(0, 20*time.Second)
			act = append(act,
				func() { time.Sleep(first); user.run() },
				func() { time.Sleep(second); w.alipay.run(b) })
		}
		for _, f := range act {
			actors.Go(f)
		}
		for _, job := range []func(*process, context.Context) error{
			func(p *process, ctx context.Context) error { return p.relays[0].Run(ctx) },
			func(p *process, ctx context.Context) error { return p.relays[1].Run(ctx) },
			func(p *process, ctx context.Context) error { return p.payments.Run(ctx) },
		} {
			// Each runs for a moment, again and again: their own waits do not
			// follow from the seed.
			first := w.draw(0, time.Second)
			w.background.Go(func() {
				time.Sleep(first)
				for !w.isStopped() {
					w.call(func(p *process) {
						ctx, cancel := context.WithTimeout(context.Background(), w.draw(time.Millisecond, 100*time.Millisecond))
						defer cancel()
						_ = job(p, ctx)
					})
					if time.Since(w.began) < 2*time.Hour {
						w.pause(2*time.Second, 8*time.Second)
					} else { // what is left waits for long
						w.pause(time.Minute, 5*time.Minute)
					}
				}
			})
		}
		actors.Wait()
		for hours := 0; !w.quiet(); hours++ {
			if hours > 48*60 {
				w.violate("after two days there is still something to do")
				break
			}
			w.pause(time.Minute, time.Minute+time.Second)
		}
		w.mu.Lock()
		w.stopped = true
		w.mu.Unlock()
		w.background.Wait()
		for _, t := range w.idle {
			close(t.work)
		}
		w.audit()
	})
	return w
}

func (w *world) isStopped() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.stopped
}

// chance returns a random number below n.
func (w *world) chance(n int) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.rng.IntN(n)
}

func (w *world) draw(from, to time.Duration) time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	return from + time.Duration(w.rng.Int64N(int64(to-from)))
}

// pause lets the others act.
func (w *world) pause(from, to time.Duration) { time.Sleep(w.draw(from, to)) }

// later runs fn some seconds from now, whoever is alive then.
func (w *world) later(fn func()) {
	d := w.draw(time.Second, 30*time.Second)
	w.background.Go(func() { time.Sleep(d); fn() })
}

func (w *world) note(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	line := fmt.Sprintf(format, args...)
	w.trace = append(w.trace, fmt.Sprintf("%v %s", time.Since(w.began), line))
}

func (w *world) violate(format string, args ...any) {
	line := fmt.Sprintf(format, args...)
	w.note("VIOLATION %s", line)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.violations = append(w.violations, line)
}

// start brings the wallet up.
func (w *world) start() {
	p := &process{}
	p.client = testkit.Must(alipayplus.NewClient(alipayplus.ClientConfig{
		Credentials: simCredentials(),
		BaseURL:     "https://gateway.example",
		Transport:   w.alipay.transport(p),
		Retry:       simRetry{w},
		Budget:      &alipayplus.Budget{Reserve: 1e6},
	}))
	cfg := payment.ServiceConfig{
		Client:  p.client,
		Records: &simRecords{w.records, w, p},
		Check:   w.check,
		NewID:   func() string { return fmt.Sprint("W-", w.ids.Add(1)) },
	}
	if w.remote != nil {
		cfg.RemoteLedger = simBank{w.remote, w, p}
	} else {
		cfg.Ledger = w.bank
	}
	p.payments = testkit.Must(payment.NewService(cfg))
	p.flow = testkit.Must(mpm.NewFlow(mpm.Config{Client: p.client, Identifier: simRules(), Payments: p.payments}))
	for i := range p.relays {
		p.relays[i] = testkit.Must(alipayplus.NewRelay(alipayplus.RelayConfig{Client: p.client, Queue: simQueue{w.memory, w, p}, Workers: 1, Poll: time.Minute}))
	}
	p.handler = testkit.Must(alipayplus.NewHandler(
		alipayplus.HandlerConfig{Credentials: simCredentials(), Idempotency: simStore{w.store, w, p}}, p.payments.Routes("/")...))
	w.process.Store(p)
}

// simRetry repeats twice, at times that follow from the seed.
type simRetry struct{ w *world }

func (r simRetry) Next(a alipayplus.Attempt) (time.Duration, bool) {
	return r.w.draw(50*time.Millisecond, 2*time.Second), a.Number < 3
}

// visit has a process come to a place where it may die. A dead process does
// not go on: its goroutines end, whatever they were doing.
func (w *world) visit(p *process, place string, others bool) {
	p.goOn()
	w.mu.Lock()
	w.visits++
	crash := slices.Contains(w.crashAt, w.visits)
	if crash {
		w.crashes = append(w.crashes, place)
	}
	w.mu.Unlock()
	if crash {
		w.note("wallet: crashes %s", place)
		p.dead.Store(true)
		w.process.CompareAndSwap(p, nil)
		d := w.draw(100*time.Millisecond, 5*time.Second)
		w.background.Go(func() { time.Sleep(d); w.start(); w.note("wallet: runs again") })
		runtime.Goexit()
	}
	if others {
		w.pause(time.Microsecond, 50*time.Millisecond)
	}
}

// goOn ends the goroutine of a process that is dead.
func (p *process) goOn() {
	if p.dead.Load() {
		runtime.Goexit()
	}
}

// call runs fn in the wallet, on another goroutine, because a crash ends that
// one. It reports whether fn came back.
func (w *world) call(fn func(*process)) bool {
	p := w.process.Load()
	if p == nil {
		return false
	}
	w.mu.Lock()
	var t *thread
	if n := len(w.idle); n > 0 {
		t, w.idle = w.idle[n-1], w.idle[:n-1]
	}
	w.mu.Unlock()
	if t == nil {
		t = &thread{make(chan func()), make(chan bool)}
		go t.run()
	}
	t.work <- func() { fn(p) }
	alive := <-t.done
	if alive {
		w.mu.Lock()
		w.idle = append(w.idle, t)
		w.mu.Unlock()
	}
	return alive && !p.dead.Load()
}

// thread is a goroutine that is used again, because its stack has grown.
type thread struct {
	work chan func()
	done chan bool // false: it is gone
}

func (t *thread) run() {
	crashed := true
	defer func() {
		if crashed {
			t.done <- false
		}
	}()
	for fn := range t.work {
		fn()
		t.done <- true
	}
	crashed = false
}

// record returns a payment in the wallet's database.
func (w *world) record(id string) payment.Record {
	r, err := w.records.Find(context.Background(), id)
	if err != nil {
		w.violate("%s: %v", id, err)
	}
	return r
}

// dead returns the keys of the dead letters.
func (w *world) dead() map[string]bool {
	keys := map[string]bool{}
	for _, d := range testkit.Must(w.memory.DeadLetters(context.Background(), 100)) {
		keys[d.Message.Key] = true
	}
	return keys
}

// quiet reports whether nothing is left to do.
func (w *world) quiet() bool {
	if w.process.Load() == nil {
		return false
	}
	dead := w.dead()
	for _, b := range w.alipay.books {
		r := w.record(b.id)
		if !r.NextTime().IsZero() {
			return false
		}
		_, notify := r.Notification()
		w.mu.Lock()
		told := b.notice != nil || b.cancelled || dead[b.id]
		w.mu.Unlock()
		if notify && !told {
			return false
		}
	}
	return true
}
