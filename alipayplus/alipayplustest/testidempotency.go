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
		{"keys of 256 bytes and fingerprints are compared to their last byte", (*storeTest).long},
		{"of many concurrent claims one may run, whatever the record's state", (*storeTest).concurrent},
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
func (t *storeTest) lapse(c alipayplus.Claim) {
	t.Helper()
	for deadline := time.Now().Add(lease + patience); ; passes(20 * time.Millisecond) {
		late := time.Now().After(deadline) // before it is asked: the answer may take long
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
	for _, answer := range [][]byte{[]byte("late"), nil} {
		if err := t.store.Finish(context.Background(), crashed, answer); !errors.Is(err, alipayplus.ErrSuperseded) {
			t.Fatalf("Finish of the run that lost the record: %v, want ErrSuperseded", err)
		}
	}
	t.want(t.claim("a", "o3", "m"), alipayplus.ClaimRunning, nil)
	t.finish(next, []byte(`{"n":2}`))
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
	for i, c := range []alipayplus.Claim{
		t.claim("a", "o1", "m"), t.claim("A", "o1", "m"), t.claim("a ", "o1", "m"),
		t.claim("a/evaluation", "o1", "m"), t.claim("ä", "o1", "m"), t.claim("a%", "o1", "m"),
	} {
		if state, _ := t.begin(c); state != alipayplus.ClaimFirst {
			t.Errorf("key %d is mistaken for another one: %v", i, state)
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
	c.Fingerprint[len(c.Fingerprint)-1] ^= 1
	t.want(c, alipayplus.ClaimConflict, nil)
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
