package alipayplus_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/alipayplustest"
	"github.com/alipayplus-mpp/alipayplus-go/internal/testkit"
)

type tellRequest struct {
	ID    string            `json:"id" wire:"required"`
	Token alipayplus.Secret `json:"token,omitzero"`
}

type tellResponse struct {
	Result alipayplus.Result `json:"result" wire:"required"`
}

var tell = alipayplus.NewOutbound(alipayplus.Spec[tellRequest, tellResponse]{
	Name: "tell", Path: "/aps/api/v1/tell",
	Idempotency: func(r *tellRequest) alipayplus.Idempotency { return alipayplus.Idempotency{Key: r.ID} },
})

// relayed is a queue in memory, and Alipay+, which changes with each message.
type relayed struct {
	t       *testing.T
	memory  *alipayplus.Memory
	gateway *alipayplustest.Gateway
	answer  func(id string) error // what Alipay+ says; nil is S

	mu      sync.Mutex
	changes []string // at Alipay+, in their order
	at      []time.Time
	errors  []string // what was logged with level ERROR
	dead    []alipayplus.Delivery
}

func newRelayed(t *testing.T) *relayed {
	r := &relayed{t: t, memory: alipayplus.NewMemory(), gateway: alipayplustest.New(t)}
	alipayplustest.Answer(r.gateway, tell, func(_ context.Context, req *tellRequest) (*tellResponse, error) {
		if r.answer != nil {
			if err := r.answer(req.ID); err != nil {
				return nil, err
			}
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		r.changes, r.at = append(r.changes, req.ID), append(r.at, time.Now())
		return &tellResponse{}, nil
	})
	return r
}

func (r *relayed) message(id, group string) alipayplus.Message {
	r.t.Helper()
	m, err := tell.Prepare(&tellRequest{ID: id, Token: alipayplus.Conceal("token")})
	if err != nil {
		r.t.Fatal(err)
	}
	m.Group = group
	return m
}

func (r *relayed) put(ids ...string) {
	r.t.Helper()
	for _, id := range ids {
		if err := r.memory.Put(r.t.Context(), r.message(id, "")); err != nil {
			r.t.Fatal(err)
		}
	}
}

// relay makes a Relay on r's queue.
func (r *relayed) relay(change ...func(*alipayplus.RelayConfig, *alipayplus.ClientConfig)) *alipayplus.Relay {
	r.t.Helper()
	config := r.gateway.Config()
	cfg := alipayplus.RelayConfig{
		Queue: r.memory, Logger: slog.New(errorLog{r}),
		DeadLetter: func(_ context.Context, d alipayplus.Delivery) {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.dead = append(r.dead, d)
		},
	}
	for _, c := range change {
		c(&cfg, &config)
	}
	var err error
	if cfg.Client, err = alipayplus.NewClient(config); err != nil {
		r.t.Fatal(err)
	}
	relay, err := alipayplus.NewRelay(cfg)
	if err != nil {
		r.t.Fatal(err)
	}
	return relay
}

func (r *relayed) runs(relay *alipayplus.Relay, d time.Duration) {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), d)
	defer cancel()
	if err := relay.Run(ctx); !errors.Is(err, context.DeadlineExceeded) {
		r.t.Errorf("Run returns %v", err)
	}
}

// errorLog notes errors.
type errorLog struct{ r *relayed }

func (errorLog) Enabled(_ context.Context, level slog.Level) bool { return level >= slog.LevelError }
func (l errorLog) WithAttrs([]slog.Attr) slog.Handler             { return l }
func (l errorLog) WithGroup(string) slog.Handler                  { return l }
func (l errorLog) Handle(_ context.Context, e slog.Record) error {
	l.r.mu.Lock()
	defer l.r.mu.Unlock()
	l.r.errors = append(l.r.errors, e.Message)
	return nil
}

func (r *relayed) alarmed(part string) (n int) {
	for _, text := range r.errors {
		if strings.Contains(text, part) {
			n++
		}
	}
	return n
}

func relayTest(t *testing.T, name string, test func(t *testing.T, r *relayed)) {
	t.Helper()
	t.Run(name, func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) { test(t, newRelayed(t)) })
	})
}

func TestRelay(t *testing.T) {
	relayTest(t, "delivers at once after a commit", func(t *testing.T, r *relayed) {
		relay := r.relay(func(c *alipayplus.RelayConfig, _ *alipayplus.ClientConfig) { c.Poll = time.Hour })
		go func() { _ = relay.Run(t.Context()) }()
		for i := range 20 {
			time.Sleep(time.Second)
			put := time.Now()
			_ = r.memory.InTx(t.Context(), func(ctx context.Context) error { // no message of a rollback
				_ = r.memory.Put(ctx, r.message("undone", ""))
				return errors.New("undone")
			})
			r.put(fmt.Sprint(i))
			time.Sleep(10 * time.Millisecond)
			synctest.Wait()
			if len(r.at) != i+1 || r.at[i].Sub(put) >= 10*time.Millisecond {
				t.Fatalf("message %d: delivered %v", i, r.at)
			}
		}
	})
	relayTest(t, "Wake makes it look at a queue without Ready", func(t *testing.T, r *relayed) {
		relay := r.relay(func(c *alipayplus.RelayConfig, _ *alipayplus.ClientConfig) {
			c.Queue, c.Poll = struct{ alipayplus.Queue }{r.memory}, time.Hour
		})
		go func() { _ = relay.Run(t.Context()) }()
		synctest.Wait()
		r.put("a")
		time.Sleep(time.Minute)
		synctest.Wait()
		if len(r.at) != 0 {
			t.Fatal("control: it looked by itself")
		}
		relay.Wake()
		time.Sleep(10 * time.Millisecond)
		synctest.Wait()
		if len(r.at) != 1 {
			t.Errorf("delivered %v", r.changes)
		}
	})
	relayTest(t, "makes one attempt for each lease, by the schedule", func(t *testing.T, r *relayed) {
		r.answer = func(string) error { return alipayplus.CodeUnknownException }
		r.put("a")
		start := time.Now()
		r.runs(r.relay(func(c *alipayplus.RelayConfig, _ *alipayplus.ClientConfig) {
			c.Schedule = alipayplus.Schedule{time.Second, time.Minute, time.Hour}
		}), 2*time.Hour)
		if n := len(r.gateway.Calls(tell)); n != 4 {
			t.Errorf("%d attempts", n)
		}
		if len(r.dead) != 1 || r.dead[0].Tries != 4 || r.dead[0].Code != alipayplus.CodeUnknownException || r.alarmed("dead letter") != 1 {
			t.Errorf("dead letters %+v, alarms %q", r.dead, r.errors)
		}
		// And again, when its cause is mended.
		r.answer = nil
		if err := r.memory.Requeue(t.Context(), "tell", "a"); err != nil {
			t.Fatal(err)
		}
		r.runs(r.relay(), time.Second)
		if fmt.Sprint(r.changes) != "[a]" || time.Since(start) < time.Hour {
			t.Errorf("delivered %v", r.changes)
		}
		if dead, err := r.memory.DeadLetters(t.Context(), 10); err != nil || len(dead) != 0 {
			t.Errorf("dead letters %v, %v", dead, err)
		}
	})
	relayTest(t, "holds a message for as long as its longest attempt takes", func(t *testing.T, r *relayed) {
		m := r.message("a", "")
		m.Timeout = 19 * time.Second
		if err := r.memory.Put(t.Context(), m); err != nil {
			t.Fatal(err)
		}
		r.gateway.Fail(tell, alipayplustest.Delay(18*time.Second))
		var both sync.WaitGroup
		for range 2 { // two processes
			both.Go(func() { r.runs(r.relay(), time.Minute) })
		}
		both.Wait()
		if n := len(r.gateway.Calls(tell)); n != 1 || fmt.Sprint(r.changes) != "[a]" {
			t.Errorf("sent %d times, delivered %v", n, r.changes)
		}
	})
	relayTest(t, "takes nothing for an acknowledgement that does not verify", func(t *testing.T, r *relayed) {
		for i, fault := range []alipayplustest.Fault{
			alipayplustest.Unsigned(alipayplus.CodeSuccess.Result()), alipayplustest.Unsigned(alipayplus.CodeParamIllegal.Result()),
			alipayplustest.Tamper(), alipayplustest.HalfSigned(), alipayplustest.Stale(time.Hour), alipayplustest.Truncate(20), alipayplustest.BadGateway(),
		} {
			id := fmt.Sprint(i)
			r.gateway.Fail(tell, fault)
			r.put(id)
			r.runs(r.relay(), time.Second)
			if waiting, err := r.memory.Waiting(t.Context(), 9); err != nil || len(waiting) != 1 || waiting[0].Message.Key != id || len(r.dead) != 0 {
				t.Errorf("fault %d: %d messages wait, %d dead letters, %v", i, len(waiting), len(r.dead), err)
			}
			r.runs(r.relay(), time.Minute) // and again, without a fault
		}
		if waiting, err := r.memory.Waiting(t.Context(), 9); err != nil || len(waiting) != 0 || len(r.changes) != 7 {
			t.Errorf("%d messages wait, delivered %v, %v", len(waiting), r.changes, err)
		}
	})
	relayTest(t, "keeps of a code what fits a column of 64 characters", func(t *testing.T, r *relayed) {
		r.answer = func(id string) error {
			return alipayplus.Result{Code: alipayplus.ResultCode(strings.Repeat("X", 63) + "\u00e9" + strings.Repeat("X", 5000)), Status: alipayplus.StatusFailed}
		}
		r.put("a")
		r.runs(r.relay(), time.Second)
		if len(r.dead) != 1 || len(r.dead[0].Code) != 64 || !strings.HasPrefix(string(r.dead[0].Code), strings.Repeat("X", 63)) {
			t.Errorf("dead letters %v", r.dead)
		}
	})
	relayTest(t, "makes a dead letter of a verified F at once", func(t *testing.T, r *relayed) {
		r.answer = func(id string) error {
			if id == "b" {
				return alipayplus.CodeParamIllegal
			}
			return nil
		}
		r.put("a", "b", "c")
		r.runs(r.relay(), time.Minute)
		slices.Sort(r.changes)
		if fmt.Sprint(r.changes) != "[a c]" || len(r.dead) != 1 || r.dead[0].Code != alipayplus.CodeParamIllegal || r.dead[0].Tries != 1 {
			t.Errorf("delivered %v, dead %+v", r.changes, r.dead)
		}
	})
	relayTest(t, "leases no more than it has free workers", func(t *testing.T, r *relayed) {
		leases := &countedQueue{Memory: r.memory}
		for i := range 20 {
			r.put(fmt.Sprint(i))
		}
		relay := r.relay(func(c *alipayplus.RelayConfig, k *alipayplus.ClientConfig) {
			c.Queue, c.Workers = leases, 3
			k.Transport = slowTransport{r.gateway, 4 * time.Second}
		})
		r.runs(relay, time.Minute)
		if leases.most != 3 || len(r.changes) != 20 {
			t.Errorf("%d leases at once, delivered %v", leases.most, r.changes)
		}
		if len(r.gateway.Calls(tell)) != 20 {
			t.Errorf("%d attempts", len(r.gateway.Calls(tell)))
		}
	})
	relayTest(t, "keeps the order of a group", func(t *testing.T, r *relayed) {
		failed := map[string]int{}
		r.answer = func(id string) error { // the first of each group fails twice
			r.mu.Lock()
			defer r.mu.Unlock()
			if strings.HasSuffix(id, "-0") && failed[id] < 2 {
				failed[id]++
				return alipayplus.CodeUnknownException
			}
			return nil
		}
		for i := range 5 {
			for g := range 10 {
				if err := r.memory.Put(t.Context(), r.message(fmt.Sprint(g, "-", i), fmt.Sprint(g))); err != nil {
					t.Fatal(err)
				}
			}
		}
		var both sync.WaitGroup
		for range 2 {
			both.Go(func() { r.runs(r.relay(), time.Minute) })
		}
		both.Wait()
		order := map[string]string{}
		for _, id := range r.changes {
			group, i, _ := strings.Cut(id, "-")
			order[group] += i
		}
		for g := range 10 {
			if order[fmt.Sprint(g)] != "01234" {
				t.Errorf("group %d: %s", g, order[fmt.Sprint(g)])
			}
		}
	})
	relayTest(t, "delivers the next of a group at once after the one before it", func(t *testing.T, r *relayed) {
		for i := range 5 {
			if err := r.memory.Put(t.Context(), r.message(fmt.Sprint(i), "g")); err != nil {
				t.Fatal(err)
			}
		}
		r.runs(r.relay(func(c *alipayplus.RelayConfig, _ *alipayplus.ClientConfig) { c.Poll = time.Hour }), time.Second)
		if fmt.Sprint(r.changes) != "[0 1 2 3 4]" {
			t.Errorf("delivered %v in a second", r.changes)
		}
	})
	relayTest(t, "opens sealed bodies, and waits for the key", func(t *testing.T, r *relayed) {
		sealer := newSealer(t, 1)
		m := sealer.SealMessage(r.message("a", ""))
		if strings.Contains(m.Body.Reveal(), "token") {
			t.Error("the body is not sealed")
		}
		if err := r.memory.Put(t.Context(), m); err != nil {
			t.Fatal(err)
		}
		for _, wrong := range []*alipayplus.Sealer{nil, newSealer(t, 2)} {
			r.runs(r.relay(func(c *alipayplus.RelayConfig, _ *alipayplus.ClientConfig) { c.Sealer = wrong }), time.Second)
			time.Sleep(30 * time.Second)
		}
		if len(r.changes) != 0 || r.alarmed("alarm") == 0 || len(r.dead) != 0 {
			t.Errorf("without its key: delivered %v, alarms %q, dead %v", r.changes, r.errors, r.dead)
		}
		r.runs(r.relay(func(c *alipayplus.RelayConfig, _ *alipayplus.ClientConfig) { c.Sealer = sealer }), time.Minute)
		if fmt.Sprint(r.changes) != "[a]" {
			t.Errorf("delivered %v", r.changes)
		}
	})
	relayTest(t, "goes on after a row that cannot be read", func(t *testing.T, r *relayed) {
		r.put("a", "b")
		queue := &unreadable{Memory: r.memory, key: "a"}
		relay := r.relay(func(c *alipayplus.RelayConfig, _ *alipayplus.ClientConfig) { c.Queue = queue })
		r.runs(relay, time.Minute)
		if fmt.Sprint(r.changes) != "[b]" || r.alarmed("cannot be read") < 2 {
			t.Errorf("delivered %v, alarms %q", r.changes, r.errors)
		}
		queue.key = ""
		r.runs(relay, time.Hour)
		if fmt.Sprint(r.changes) != "[b a]" {
			t.Errorf("delivered %v when it can be read", r.changes)
		}
	})
	relayTest(t, "survives a panic of the host", func(t *testing.T, r *relayed) {
		bang := true
		r.answer = func(id string) error {
			if id == "dead" {
				return alipayplus.CodeProcessFail
			}
			return nil
		}
		r.put("dead", "a")
		r.runs(r.relay(func(c *alipayplus.RelayConfig, k *alipayplus.ClientConfig) {
			c.DeadLetter = func(context.Context, alipayplus.Delivery) { panic("DeadLetter") }
			k.Transport = transport(func(req *http.Request) (*http.Response, error) {
				if bang {
					bang = false
					panic("Transport")
				}
				return r.gateway.RoundTrip(req)
			})
			c.Workers = 1
		}), time.Minute)
		if fmt.Sprint(r.changes) != "[a]" || r.alarmed("alarm: panic") != 2 {
			t.Errorf("delivered %v, alarms %q", r.changes, r.errors)
		}
	})
	relayTest(t, "lets running attempts end", func(t *testing.T, r *relayed) {
		r.put("a", "b", "c")
		relay := r.relay(func(c *alipayplus.RelayConfig, k *alipayplus.ClientConfig) {
			c.Workers = 2
			k.Transport = slowTransport{r.gateway, 3 * time.Second}
		})
		start := time.Now()
		r.runs(relay, time.Second)
		if took := time.Since(start); took != 3*time.Second || len(r.changes) != 2 {
			t.Errorf("Run ended after %v, delivered %v", took, r.changes)
		}
		if left, err := r.memory.Lease(t.Context(), 10, time.Second); err != nil || len(left) != 1 || left[0].Tries != 1 {
			t.Errorf("left %v, %v", left, err)
		}
	})
	relayTest(t, "waits longer when the queue fails", func(t *testing.T, r *relayed) {
		var looks []time.Time
		relay := r.relay(func(c *alipayplus.RelayConfig, _ *alipayplus.ClientConfig) {
			c.Queue = leaseFunc{r.memory, func() error {
				looks = append(looks, time.Now())
				if len(looks) < 10 {
					return errors.New("the database is down")
				}
				return nil
			}}
		})
		r.put("a")
		start := time.Now()
		go func() { _ = relay.Run(t.Context()) }()
		time.Sleep(20 * time.Minute)
		synctest.Wait()
		if fmt.Sprint(r.changes) != "[a]" || r.alarmed("cannot read its queue") != 9 || r.at[0].Sub(start) < time.Minute {
			t.Errorf("delivered %v at %v, %d errors", r.changes, r.at, len(r.errors))
		}
		for i := 1; i < 10; i++ { // the waits double up to 64 s, each a half of it or more
			most := time.Second << min(i, 6)
			if wait := looks[i].Sub(looks[i-1]); wait < most/2 || wait > most {
				t.Errorf("wait %d is %v, want %v to %v", i, wait, most/2, most)
			}
		}
	})
}

// A process dies at each step of two deliveries in turn, before it or after it,
// and does nothing more. Another one takes over: Alipay+ changes once for each
// message, and every attempt has the same bytes.
func TestRelayCrashes(t *testing.T) {
	steps, alarms := 0, 0
	for _, after := range []bool{false, true} {
		for at, met := 1, true; met; at++ {
			relayTest(t, fmt.Sprintf("step %d, after it %t", at, after), func(t *testing.T, r *relayed) {
				r.put("a", "b")
				dying := &mortal{at: at, after: after}
				r.runs(r.relay(func(cfg *alipayplus.RelayConfig, k *alipayplus.ClientConfig) {
					cfg.Queue = mortalQueue{r.memory, dying}
					k.Transport = transport(func(req *http.Request) (answer *http.Response, err error) {
						died := dying.step(func() error {
							answer, err = r.gateway.RoundTrip(req)
							return err
						})
						if died != nil && err == nil && answer != nil {
							_ = answer.Body.Close()
						}
						if died != nil {
							return nil, died
						}
						return answer, nil
					})
				}), time.Second)
				if met = dying.dead; met {
					steps++
				}
				alarms += r.alarmed("the end of a delivery cannot be recorded")
				r.runs(r.relay(), 10*time.Minute)
				slices.Sort(r.changes)
				if fmt.Sprint(r.changes) != "[a b]" || len(r.dead) != 0 {
					t.Errorf("changed %v, dead %v", r.changes, r.dead)
				}
				bodies := map[string]bool{}
				for _, call := range r.gateway.Calls(tell) {
					bodies[call.Key+string(call.Body)] = true
				}
				if len(bodies) != 2 {
					t.Errorf("%d bodies for two messages", len(bodies))
				}
				if left, err := r.memory.Lease(t.Context(), 10, time.Second); err != nil || len(left) != 0 {
					t.Errorf("left %v, %v", left, err)
				}
			})
		}
	}
	t.Logf("%d steps", steps)
	if steps < 10 {
		t.Errorf("%d steps", steps)
	}
	if alarms == 0 {
		t.Error("nobody hears of a queue that is not written")
	}
}

// mortal is a process that dies at its step number at, before it or after it.
type mortal struct {
	at    int
	after bool

	mu   sync.Mutex
	n    int
	dead bool
}

// step does something unless the process is dead.
func (m *mortal) step(do func() error) error {
	m.mu.Lock()
	m.n++
	last, dead := m.n == m.at, m.dead
	m.dead = dead || last
	m.mu.Unlock()
	switch {
	case !last && !dead:
		return do()
	case last && m.after:
		_ = do()
	}
	return errors.New("crash")
}

type mortalQueue struct {
	*alipayplus.Memory
	m *mortal
}

func (q mortalQueue) Lease(ctx context.Context, n int, d time.Duration) (list []alipayplus.Delivery, err error) {
	died := q.m.step(func() error {
		list, err = q.Memory.Lease(ctx, n, d)
		return err
	})
	if died != nil {
		return nil, died
	}
	return list, err
}

func (q mortalQueue) Finish(ctx context.Context, d alipayplus.Delivery, end alipayplus.End) error {
	return q.m.step(func() error { return q.Memory.Finish(ctx, d, end) })
}

func TestRelayLeavesNoGoroutine(t *testing.T) {
	r := newRelayed(t)
	relay := r.relay()
	testkit.NoLeaks(t)
	r.put("a")
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- relay.Run(ctx) }()
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// One read leases for all workers that are free. The time between two reads
// grows while the queue fails, up to 64 times Poll, and is Poll again afterwards.
func TestRelayReads(t *testing.T) {
	relayTest(t, "reads", func(t *testing.T, r *relayed) {
		q := &readQueue{Queue: struct{ alipayplus.Queue }{r.memory}} // without Ready
		relay := r.relay(func(cfg *alipayplus.RelayConfig, _ *alipayplus.ClientConfig) {
			cfg.Queue, cfg.Workers, cfg.Poll = q, 5, time.Second
		})
		q.fails = 8
		r.runs(relay, 10*time.Minute)
		for i, n := range q.asked {
			if n != 5 {
				t.Fatalf("read %d asks for %d messages with five free workers", i, n)
			}
		}
		longest := time.Duration(0)
		for i := 1; i < len(q.at); i++ {
			wait := q.at[i].Sub(q.at[i-1])
			longest = max(longest, wait)
			if i > q.fails && wait > time.Second {
				t.Fatalf("read %d, after the queue came back, is %v after the one before", i, wait)
			}
		}
		if longest < 32*time.Second || longest > 64*time.Second {
			t.Errorf("the longest time between two reads is %v", longest)
		}
	})
}

// readQueue notes what is read, and fails at first.
type readQueue struct {
	alipayplus.Queue
	fails int
	asked []int
	at    []time.Time
}

func (q *readQueue) Lease(ctx context.Context, n int, d time.Duration) ([]alipayplus.Delivery, error) {
	q.asked, q.at = append(q.asked, n), append(q.at, time.Now())
	if len(q.asked) <= q.fails {
		return nil, errors.New("the database is away")
	}
	return q.Queue.Lease(ctx, n, d)
}

func TestNewRelayChecksConfig(t *testing.T) {
	r := newRelayed(t)
	client, err := alipayplus.NewClient(r.gateway.Config())
	if err != nil {
		t.Fatal(err)
	}
	for _, cfg := range []alipayplus.RelayConfig{
		{},
		{Client: client},
		{Queue: r.memory},
		{Client: client, Queue: r.memory, Workers: -1},
		{Client: client, Queue: r.memory, Poll: -1},
		{Client: client, Queue: r.memory, Schedule: alipayplus.Schedule{}},
		{Client: client, Queue: r.memory, Schedule: alipayplus.Schedule{time.Second, 0}},
		{Client: client, Queue: r.memory, Schedule: alipayplus.Schedule{2, 10, 30}}, // nanoseconds
	} {
		if _, err := alipayplus.NewRelay(cfg); err == nil {
			t.Errorf("%v is taken", cfg)
		}
	}
	if _, err := alipayplus.NewRelay(alipayplus.RelayConfig{Client: client, Queue: r.memory, Schedule: alipayplus.Schedule{time.Millisecond}}); err != nil {
		t.Errorf("a wait of a millisecond: %v", err)
	}
}

// countedQueue counts how many leases there are at once.
type countedQueue struct {
	*alipayplus.Memory
	mu        sync.Mutex
	now, most int
}

func (q *countedQueue) Lease(ctx context.Context, n int, d time.Duration) ([]alipayplus.Delivery, error) {
	due, err := q.Memory.Lease(ctx, n, d)
	q.mu.Lock()
	defer q.mu.Unlock()
	q.now += len(due)
	q.most = max(q.most, q.now)
	return due, err
}

func (q *countedQueue) Finish(ctx context.Context, d alipayplus.Delivery, end alipayplus.End) error {
	q.mu.Lock()
	q.now--
	q.mu.Unlock()
	return q.Memory.Finish(ctx, d, end)
}

// unreadable is a queue that cannot read one message.
type unreadable struct {
	*alipayplus.Memory
	key string
}

func (q *unreadable) Lease(ctx context.Context, n int, d time.Duration) ([]alipayplus.Delivery, error) {
	due, err := q.Memory.Lease(ctx, n, d)
	for i := range due {
		if due[i].Message.Key == q.key {
			due[i].Err = errors.New("of a newer version")
			due[i].Message = alipayplus.Message{Operation: due[i].Message.Operation, Key: q.key}
		}
	}
	return due, err
}

type leaseFunc struct {
	alipayplus.Queue
	before func() error
}

func (q leaseFunc) Lease(ctx context.Context, n int, d time.Duration) ([]alipayplus.Delivery, error) {
	if err := q.before(); err != nil {
		return nil, err
	}
	return q.Queue.Lease(ctx, n, d)
}

type slowTransport struct {
	http.RoundTripper
	by time.Duration
}

func (s slowTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	time.Sleep(s.by)
	return s.RoundTripper.RoundTrip(r)
}
