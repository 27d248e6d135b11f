package payment_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
)

// Many payments at once, in two processes on one database, while everything
// errs now and then: the database, the ledger, the network, and Alipay+. At the
// end the books are compared. ALIPAYPLUS_LONG=1 makes 10,000 payments, and
// ALIPAYPLUS_SEED=1 draws the chances from seed 1: it gives a failure another
// opportunity, though not the same run, because goroutines share the chances.
func TestSimulation(t *testing.T) {
	n := 400
	if os.Getenv("ALIPAYPLUS_LONG") != "" {
		n = 10_000
	}
	seed := rand.Uint64()
	if text := os.Getenv("ALIPAYPLUS_SEED"); text != "" {
		var err error
		if seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	for _, remote := range []bool{false, true} {
		t.Run(fmt.Sprintf("remote=%t", remote), func(t *testing.T) {
			t.Parallel()
			t.Logf("seed %d", seed)
			synctest.Test(t, func(t *testing.T) { simulate(t, remote, n, seed) })
		})
	}
}

// chance is a source of chance that goroutines share.
type chance struct {
	mu     sync.Mutex
	random *rand.Rand
}

func (c *chance) intn(n int) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.random.IntN(n)
}

func simulate(t *testing.T, remote bool, n int, seed uint64) {
	const customers = 20
	w := newWallet(t, remote)
	w.gateway.Misbehave(seed)
	c := &chance{random: rand.New(rand.NewPCG(seed, 0))}
	var names []string
	for i := range customers {
		names = append(names, fmt.Sprint("C", i))
		w.deposit(names[i], int64(n)*300/customers/2) // not enough for all
	}
	var quiet atomic.Bool
	processes := []*process{}
	for range 2 {
		processes = append(processes, w.start(func(name string) (fault, bool) {
			if quiet.Load() {
				return 0, false
			}
			if remote && name == "Debit" {
				return []fault{failBefore, failAfter}[c.intn(2)], c.intn(4) == 0
			}
			return []fault{failBefore, failAfter}[c.intn(2)], c.intn(50) == 0
		}))
	}
	if remote {
		w.remote.Fault = func(ctx context.Context, _ string, _ bool) error {
			time.Sleep(time.Duration(c.intn(100)) * time.Millisecond)
			return ctx.Err()
		}
	}
	either := func() *process { return processes[c.intn(2)] }

	var lives, runs sync.WaitGroup
	for _, p := range processes {
		runs.Go(func() { p.runs(time.Duration(n)*time.Second/2 + 2*time.Hour) })
	}
	ids := make([]string, n)
	for i := range ids {
		ids[i] = fmt.Sprint("S", i)
		lives.Go(func() {
			time.Sleep(time.Duration(c.intn(n)) * time.Second / 2)
			liveRandomly(w, c, either, ids[i], names[c.intn(customers)])
		})
	}
	lives.Wait()
	quiet.Store(true)
	runs.Wait()

	w.audit(names, ids...)
	states := map[payment.State]int{}
	for _, id := range ids {
		r, err := w.records.Find(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		states[r.State]++
	}
	t.Logf("%d payments: %s; %d were cancelled, %d reported", n, inWords(states), len(w.cancelled), len(w.told))
	for _, state := range []payment.State{payment.StatePaid, payment.StateFailed, payment.StateClosed} {
		if states[state] < n/50 {
			t.Errorf("only %d payments are %s", states[state], state)
		}
	}
}

// liveRandomly is what a user and Alipay+ do with one payment.
func liveRandomly(w *wallet, c *chance, either func() *process, id, customer string) {
	ctx := w.t.Context()
	terms := scannedTerms(id)
	terms.CustomerID = customer
	easy := false
	switch c.intn(4) {
	case 0:
		terms.CodeValueDigest = ""
	case 1:
		terms.CodeValueDigest, easy = "", true
		terms.Verification = easyTerms().Verification
	}
	// Alipay+ calls until it has an answer, while others go on. A ledger that
	// fails seven times in a row is asked again after twenty minutes; among 10,000
	// payments there is one with as much bad luck.
	var alipay sync.WaitGroup
	insist := func(one call) {
		alipay.Go(func() {
			time.Sleep(time.Duration(c.intn(60)) * time.Second)
			for tries := 0; !one.make(either()); tries++ {
				if tries == 500 {
					w.t.Errorf("%s: Alipay+ gets no final answer", id)
					return
				}
				time.Sleep(time.Duration(1+c.intn(20)) * time.Second)
			}
		})
	}
	if c.intn(4) == 0 {
		insist(cancelCall(id))
	}
	for range 3 {
		if _, err := either().Open(ctx, payment.Opened{Terms: terms}); err == nil {
			break
		}
		time.Sleep(time.Second)
	}
	if c.intn(3) == 0 {
		for i := range 1 + c.intn(3) {
			insist(refundCall(id, fmt.Sprint(id, "-r", i), int64(10*(1+c.intn(12)))))
		}
	}
	for range 1 + c.intn(4) {
		time.Sleep(time.Duration(c.intn(20)) * time.Second)
		switch {
		case c.intn(8) == 0: // leaves
		case easy:
			r, err := either().On(ctx, id, payment.VerificationTried{At: time.Now()})
			if err != nil || r.State != payment.StateVerifying {
				if err != nil && !errors.Is(err, payment.ErrTries) && !errors.Is(err, payment.ErrUnknownOrder) && !errors.Is(err, errCrash) {
					w.t.Error(err)
				}
				continue
			}
			var e payment.Event = payment.VerificationFailed{Try: len(r.Tried), At: time.Now()}
			if c.intn(2) == 0 {
				e = payment.Verified{Try: len(r.Tried), At: time.Now()}
			}
			_, _ = either().On(ctx, id, e)
		default:
			for range 1 + c.intn(2) { // a double tap
				alipay.Go(func() {
					p := either()
					if r, err := p.Find(ctx, id); err == nil && r.State != "" {
						if _, err := p.Confirm(ctx, agreed(r)); err != nil && !errors.Is(err, errCrash) {
							w.t.Error(err)
						}
					}
				})
			}
		}
	}
	if c.intn(8) == 0 {
		insist(cancelCall(id))
	}
	alipay.Wait()
}

// inWords says how many there are of each state: "532 paid, 47 open".
func inWords(states map[payment.State]int) string {
	var texts []string
	for _, state := range slices.Sorted(maps.Keys(states)) {
		name := string(state)
		if name == "" {
			name = "never opened"
		}
		texts = append(texts, fmt.Sprintf("%d %s", states[state], name))
	}
	return strings.Join(texts, ", ")
}
