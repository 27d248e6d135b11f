package alipayplustest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
	"unicode"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
)

// TestIdempotencyStore tests a store against the contract of
// [alipayplus.IdempotencyStore]. open returns a store that holds nothing, or
// one where the keys of this run cannot occur; it is called once for each part.
// The parts about leases use leases of 300 milliseconds and wait for their end
// at most two seconds more: a store that keeps whole seconds must round it up.
func TestIdempotencyStore(t *testing.T, open func(*testing.T) alipayplus.IdempotencyStore) {
	t.Helper()
	for _, part := range []struct {
		name string
		run  func(*storeTest)
	}{
		{"a first claim may run, and is no retry", (*storeTest).first},
		{"a claim for a running record is told so", (*storeTest).running},
		{"an answer is kept byte for byte", (*storeTest).answered},
		{"an open record runs again", (*storeTest).open},
		{"another fingerprint is a conflict in every state and changes nothing", (*storeTest).conflict},
		{"a crashed run is taken over after its lease, and cannot finish then", (*storeTest).takeover},
		{"only the owner finishes, and once", (*storeTest).owner},
		{"operations and keys are separate, exact texts", (*storeTest).separate},
		{"keys of 256 bytes and operations of 64 are compared to their last byte", (*storeTest).long},
		{"fingerprints are compared byte for byte", (*storeTest).fingerprints},
		{"every run has the lease that it asked for", (*storeTest).leases},
		{"what cannot be asked is an error, and what is said to be kept is kept", (*storeTest).errors},
		{"of many concurrent claims one may run, whatever the record's state", (*storeTest).concurrent},
		{"of Finish and what it meets, one succeeds", (*storeTest).finishes},
		{"answers of every size and byte", (*storeTest).answers},
	} {
		t.Run(part.name, func(t *testing.T) {
			part.run(&storeTest{t, open(t), fmt.Sprintf("k%d-", time.Now().UnixNano())})
		})
	}
}

type storeTest struct {
	*testing.T
	store  alipayplus.IdempotencyStore
	prefix string
}

func (t *storeTest) claim(key, owner, match string) alipayplus.Claim {
	return alipayplus.Claim{
		Operation: "pay", Key: t.prefix + key, Owner: owner,
		Fingerprint: sha256.Sum256([]byte(match)), Lease: time.Minute,
	}
}

func (t *storeTest) begin(c alipayplus.Claim) (alipayplus.ClaimState, []byte) {
	t.Helper()
	state, answer, err := t.store.Begin(context.Background(), c)
	if err != nil {
		t.Fatalf("Begin: %v", err)
	}
	return state, answer
}

func (t *storeTest) finish(c alipayplus.Claim, answer []byte) {
	t.Helper()
	if err := t.store.Finish(context.Background(), c, answer); err != nil {
		t.Fatalf("Finish: %v", err)
	}
}

// refuseFinish wants c, which does not hold its record, to finish in no way.
func (t *storeTest) refuseFinish(c alipayplus.Claim, what string) {
	t.Helper()
	for _, answer := range [][]byte{[]byte("late"), nil} {
		if err := t.store.Finish(context.Background(), c, answer); !errors.Is(err, alipayplus.ErrSuperseded) {
			t.Fatalf("Finish %s: %v, want ErrSuperseded", what, err)
		}
	}
}

func (t *storeTest) want(c alipayplus.Claim, want alipayplus.ClaimState, answer []byte) {
	t.Helper()
	state, got := t.begin(c)
	if state != want || !bytes.Equal(got, answer) {
		t.Fatalf("Begin: %v with %d bytes of answer, want %v with %d bytes", state, len(got), want, len(answer))
	}
}

func (t *storeTest) first() {
	t.want(t.claim("a", "o1", "m"), alipayplus.ClaimFirst, nil)
}

func (t *storeTest) running() {
	t.begin(t.claim("a", "o1", "m"))
	t.want(t.claim("a", "o2", "m"), alipayplus.ClaimRunning, nil)
	t.want(t.claim("a", "o1", "m"), alipayplus.ClaimRunning, nil)
}

func (t *storeTest) answered() {
	c := t.claim("a", "o1", "m")
	answer := []byte(`{"b":1, "a":"  spaces and order stay  "}`)
	t.begin(c)
	t.finish(c, answer)
	for range 3 {
		t.want(t.claim("a", "o2", "m"), alipayplus.ClaimAnswered, answer)
		_, got := t.begin(t.claim("a", "o2", "m"))
		for i := range got {
			got[i] = '!' // a store that gave its own bytes away shows in the next turn
		}
	}
}

func (t *storeTest) open() {
	c := t.claim("a", "o1", "m")
	t.begin(c)
	t.finish(c, nil)
	t.refuseFinish(c, "of a run that ended, of an open record")
	c2 := t.claim("a", "o2", "m")
	t.want(c2, alipayplus.ClaimRetry, nil)
	t.want(t.claim("a", "o3", "m"), alipayplus.ClaimRunning, nil)
	t.finish(c2, []byte(`{}`))
	t.want(t.claim("a", "o4", "m"), alipayplus.ClaimAnswered, []byte(`{}`))
}

func (t *storeTest) conflict() {
	c, other := t.claim("a", "o1", "m"), t.claim("a", "o2", "other")
	t.begin(c)
	t.want(other, alipayplus.ClaimConflict, nil)
	if err := t.store.Finish(context.Background(), other, []byte("x")); !errors.Is(err, alipayplus.ErrSuperseded) {
		t.Fatalf("Finish of a claim in conflict: %v, want ErrSuperseded", err)
	}
	t.finish(c, nil)
	t.want(other, alipayplus.ClaimConflict, nil)
	c.Owner = "o3"
	t.want(c, alipayplus.ClaimRetry, nil)
	t.finish(c, []byte(`{"s":1}`))
	t.want(other, alipayplus.ClaimConflict, nil)
	t.want(t.claim("a", "o4", "m"), alipayplus.ClaimAnswered, []byte(`{"s":1}`))
}

// passes lets d pass. The store under test keeps time by itself, on the clock
// of its database, and nothing but time ends a lease: a bubble of
// testing/synctest cannot help, and no event can be waited for.
func passes(d time.Duration) { time.Sleep(d) }

// lapse waits until the lease of what runs at c.Key is over, and lets c run.
// Claims in conflict, which change nothing, come meanwhile.
func (t *storeTest) lapse(c alipayplus.Claim) {
	t.Helper()
	other := c
	other.Fingerprint[0] ^= 1
	for deadline := time.Now().Add(lease + patience); ; passes(20 * time.Millisecond) {
		late := time.Now().After(deadline) // before it is asked: the answer may take long
		t.want(other, alipayplus.ClaimConflict, nil)
		state, _ := t.begin(c)
		switch {
		case state == alipayplus.ClaimRetry:
			return
		case state == alipayplus.ClaimFirst:
			t.Fatal("the run that takes over is not told that it runs again")
		case state != alipayplus.ClaimRunning || late:
			t.Fatalf("%v: a crashed run is not taken over after its lease", state)
		}
	}
}

const (
	lease    = 300 * time.Millisecond
	patience = 2 * time.Second // with a store that rounds
)

func (t *storeTest) takeover() {
	crashed, next := t.claim("a", "o1", "m"), t.claim("a", "o2", "m")
	crashed.Lease = lease
	minute := t.claim("minute", "o1", "m")
	t.begin(minute)
	began := time.Now()
	t.begin(crashed)
	t.lapse(next)
	if took := time.Since(began); took < lease*9/10 {
		t.Fatalf("a run is taken over after %v of its lease of %v", took, lease)
	}
	t.refuseFinish(crashed, "of the run that lost the record")
	t.want(t.claim("a", "o3", "m"), alipayplus.ClaimRunning, nil)
	t.finish(next, []byte(`{"n":2}`))
	t.refuseFinish(crashed, "of the run that lost the record, which is answered")
	t.want(t.claim("a", "o4", "m"), alipayplus.ClaimAnswered, []byte(`{"n":2}`))
	minute.Owner = "o2"
	t.want(minute, alipayplus.ClaimRunning, nil)

	// A run that overran its lease and that nobody replaced may still finish. Its
	// fingerprint counts, too.
	late := t.claim("b", "o1", "m")
	late.Lease = time.Millisecond
	t.begin(late)
	passes(5 * time.Millisecond)
	t.want(t.claim("b", "o2", "other"), alipayplus.ClaimConflict, nil)
	t.finish(late, []byte(`{"late":"kept"}`))
	t.want(t.claim("b", "o3", "m"), alipayplus.ClaimAnswered, []byte(`{"late":"kept"}`))
}

func (t *storeTest) owner() {
	c := t.claim("a", "o1", "m")
	if err := t.store.Finish(context.Background(), c, []byte("x")); !errors.Is(err, alipayplus.ErrSuperseded) {
		t.Fatalf("Finish without Begin: %v, want ErrSuperseded", err)
	}
	t.want(c, alipayplus.ClaimFirst, nil)
	stranger := t.claim("a", "o2", "m")
	if err := t.store.Finish(context.Background(), stranger, []byte("x")); !errors.Is(err, alipayplus.ErrSuperseded) {
		t.Fatalf("Finish of a stranger: %v, want ErrSuperseded", err)
	}
	t.finish(c, []byte("1"))
	if err := t.store.Finish(context.Background(), c, []byte("2")); !errors.Is(err, alipayplus.ErrSuperseded) {
		t.Fatalf("second Finish: %v, want ErrSuperseded", err)
	}
	t.want(stranger, alipayplus.ClaimAnswered, []byte("1"))
}

func (t *storeTest) separate() {
	for _, key := range append([]string{"a/evaluation", "ä"}, exactTexts...) {
		if strings.ContainsFunc(key, unicode.IsControl) {
			continue // no key has them
		}
		if state, _ := t.begin(t.claim(key, "o1", "m")); state != alipayplus.ClaimFirst {
			t.Errorf("key %q is mistaken for another one: %v", key, state)
		}
	}
	refund := t.claim("a", "o1", "m")
	refund.Operation = "refund"
	t.want(refund, alipayplus.ClaimFirst, nil)
	joined := t.claim("a", "o1", "m") // the two texts joined are those of the first
	joined.Operation, joined.Key = "pa", "y"+joined.Key
	t.want(joined, alipayplus.ClaimFirst, nil)
}

func (t *storeTest) long() {
	c := t.claim("", "o1", "m")
	c.Key += strings.Repeat("k", 256-len(c.Key))
	t.want(c, alipayplus.ClaimFirst, nil)
	other := c
	other.Key = c.Key[:255] + "l"
	t.want(other, alipayplus.ClaimFirst, nil)
	c.Operation = strings.Repeat("o", 64)
	t.want(c, alipayplus.ClaimFirst, nil)
	c.Operation = c.Operation[:63] + "p"
	t.want(c, alipayplus.ClaimFirst, nil)
}

func (t *storeTest) fingerprints() {
	for i, pair := range [][2][sha256.Size]byte{
		{{31: 1}, {31: 2}},                   // the last byte
		{{1: 1}, {1: 2}},                     // after NUL
		{{0xff}, {0xfe}},                     // no UTF-8
		{{0: 'a'}, {0: 'A'}},                 // case
		{{0: 'a', 31: ' '}, {0: 'a'}},        // a blank at the end
		{{0: 0}, {0: 26 << 2}},               // case, in base64
		{{0: 'a', 1: '%'}, {0: 'a', 1: 'b'}}, // a pattern
	} {
		c := t.claim(fmt.Sprint(i), "o1", "")
		c.Fingerprint = pair[0]
		t.want(c, alipayplus.ClaimFirst, nil)
		c.Owner, c.Fingerprint = "o2", pair[1]
		if state, _ := t.begin(c); state != alipayplus.ClaimConflict {
			t.Errorf("%v, fingerprint %x is taken for %x", state, pair[1], pair[0])
		}
	}
}

func (t *storeTest) leases() {
	short := t.claim("open", "o1", "m")
	short.Lease = time.Millisecond
	t.begin(short)
	t.finish(short, nil)
	crashed := t.claim("crashed", "o1", "m")
	crashed.Lease = time.Millisecond
	t.begin(crashed)
	passes(5 * time.Millisecond)
	t.want(t.claim("open", "o2", "other"), alipayplus.ClaimConflict, nil)
	t.want(t.claim("open", "o2", "m"), alipayplus.ClaimRetry, nil)
	t.lapse(t.claim("crashed", "o2", "m"))
	passes(5 * time.Millisecond)
	for _, key := range []string{"open", "crashed"} {
		if state, _ := t.begin(t.claim(key, "o3", "m")); state != alipayplus.ClaimRunning {
			t.Errorf("%v: the run that followed on one that is %s does not get its lease of a minute", state, key)
		}
	}
}

func (t *storeTest) errors() {
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	c := t.claim("a", "o1", "m")
	if state, _, err := t.store.Begin(ended, c); err == nil {
		if state != alipayplus.ClaimFirst {
			t.Errorf("Begin of a new record, with a context that has ended: %v", state)
		}
		t.want(t.claim("a", "o2", "m"), alipayplus.ClaimRunning, nil)
	}
	c = t.claim("b", "o1", "m")
	t.begin(c)
	err := t.store.Finish(ended, c, []byte("1"))
	if errors.Is(err, alipayplus.ErrSuperseded) {
		t.Errorf("Finish of who holds the record, with a context that has ended: %v", err)
	}
	if err != nil { // it may be there all the same
		if err := t.store.Finish(context.Background(), c, []byte("1")); err != nil && !errors.Is(err, alipayplus.ErrSuperseded) {
			t.Fatalf("Finish: %v", err)
		}
	}
	t.want(t.claim("b", "o2", "m"), alipayplus.ClaimAnswered, []byte("1"))
}

func (t *storeTest) concurrent() {
	const rounds = 20
	for round := range rounds {
		c := t.claim(fmt.Sprintf("r%d", round), "o", "m")
		crashed := round%3 == 2
		switch {
		case crashed:
			c.Lease = time.Millisecond
			t.begin(c)
			c.Lease = time.Minute
		case round%3 == 1: // open
			t.begin(c)
			t.finish(c, nil)
		}
		deadline := time.Now().Add(patience)
		runs := t.race(c)
		for late := false; crashed && runs == 0 && !late; { // the lease may be rounded up
			passes(20 * time.Millisecond)
			late = time.Now().After(deadline) // before it is asked: the answer may take long
			runs = t.race(c)
		}
		if runs != 1 {
			t.Fatalf("%d of many concurrent claims may run, want 1", runs)
		}
	}
}

// race claims c many times at once, by different owners, and returns how many
// may run.
func (t *storeTest) race(c alipayplus.Claim) int64 {
	var runs atomic.Int64
	var wait sync.WaitGroup
	for i := range 32 {
		wait.Go(func() {
			mine := c
			mine.Owner = fmt.Sprintf("o%d", i)
			state, _, err := t.store.Begin(context.Background(), mine)
			switch {
			case err != nil:
				t.Errorf("Begin: %v", err)
			case state == alipayplus.ClaimFirst, state == alipayplus.ClaimRetry:
				runs.Add(1)
			case state != alipayplus.ClaimRunning:
				t.Errorf("%v, want first, retry or running", state)
			}
		})
	}
	wait.Wait()
	return runs.Load()
}

func (t *storeTest) finishes() {
	const rounds = 20
	crashed := func(round int) alipayplus.Claim {
		c := t.claim(fmt.Sprintf("r%d", round), "o", "m")
		c.Lease = time.Millisecond
		return c
	}
	for round := range rounds {
		t.begin(crashed(round))
	}
	passes(5 * time.Millisecond)
	for round := range rounds {
		c := crashed(round)
		var taken atomic.Int64
		var wait sync.WaitGroup
		for i := range 4 {
			next := t.claim(fmt.Sprintf("r%d", round), fmt.Sprintf("o%d", i), "m")
			wait.Go(func() {
				state, _, err := t.store.Begin(context.Background(), next)
				if err != nil {
					t.Errorf("Begin: %v", err)
				}
				if state == alipayplus.ClaimRetry {
					taken.Add(1)
				}
			})
		}
		err := t.store.Finish(context.Background(), c, []byte("late"))
		wait.Wait()
		switch {
		case err != nil && !errors.Is(err, alipayplus.ErrSuperseded):
			t.Fatalf("Finish: %v", err)
		case err == nil && taken.Load() > 0:
			t.Fatal("a run finished, and another one took its record over")
		}
	}

	c := t.claim("twice", "o", "m")
	t.begin(c)
	var kept atomic.Int64
	var wait sync.WaitGroup
	for i := range 8 {
		wait.Go(func() {
			err := t.store.Finish(context.Background(), c, []byte{byte('1' + i)})
			switch {
			case err == nil && !kept.CompareAndSwap(0, int64('1'+i)):
				t.Error("one run finished twice")
			case err != nil && !errors.Is(err, alipayplus.ErrSuperseded):
				t.Errorf("Finish: %v", err)
			}
		})
	}
	wait.Wait()
	t.want(c, alipayplus.ClaimAnswered, []byte{byte(kept.Load())})
}

func (t *storeTest) answers() {
	every := make([]byte, 256)
	for i := range every {
		every[i] = byte(i)
	}
	for i, answer := range [][]byte{every, bytes.Repeat([]byte("x"), 100_000), []byte(`"`), []byte(`\u0000`)} {
		c := t.claim(fmt.Sprint(i), "o1", "m")
		t.begin(c)
		t.finish(c, answer)
		for j := range answer {
			answer[j] ^= 0xff // a store that kept the caller's slice shows here
		}
		restored := make([]byte, len(answer))
		for j := range answer {
			restored[j] = answer[j] ^ 0xff
		}
		t.want(c, alipayplus.ClaimAnswered, restored)
	}
}
