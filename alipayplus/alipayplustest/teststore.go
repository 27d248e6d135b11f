package alipayplustest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
)

// TestStore is the contract of alipayplus.Store as a test. open returns a store
// that holds nothing, or one where the keys of this run cannot occur; it is
// called once for each part. The parts about leases use leases of some hundred
// milliseconds on the store's own clock.
func TestStore(t *testing.T, open func(*testing.T) alipayplus.Store) {
	t.Helper()
	for _, part := range []struct {
		name string
		run  func(*storeTest)
	}{
		{"a first claim is granted, not as a repetition", (*storeTest).first},
		{"a claim for a running record is told so", (*storeTest).running},
		{"an answer is kept byte for byte", (*storeTest).answered},
		{"an open record runs again", (*storeTest).open},
		{"another print is a conflict in every state and changes nothing", (*storeTest).conflict},
		{"a crashed run is taken over after its lease, and cannot finish then", (*storeTest).takeover},
		{"only the owner finishes, and once", (*storeTest).owner},
		{"operations and keys are separate, exact texts", (*storeTest).separate},
		{"of many concurrent claims one is granted", (*storeTest).concurrent},
		{"answers of every size and byte", (*storeTest).answers},
	} {
		t.Run(part.name, func(t *testing.T) {
			part.run(&storeTest{t, open(t), fmt.Sprintf("k%d-", time.Now().UnixNano())})
		})
	}
}

type storeTest struct {
	*testing.T
	store  alipayplus.Store
	prefix string
}

func (t *storeTest) claim(key, owner, match string) alipayplus.Claim {
	return alipayplus.Claim{
		Operation: "pay", Key: t.prefix + key, Owner: owner,
		Print: sha256.Sum256([]byte(match)), Lease: time.Minute,
	}
}

func (t *storeTest) begin(c alipayplus.Claim) alipayplus.Standing {
	t.Helper()
	standing, err := t.store.Begin(context.Background(), c)
	if err != nil {
		t.Fatalf("Begin: %v", err)
	}
	return standing
}

func (t *storeTest) finish(c alipayplus.Claim, answer []byte) {
	t.Helper()
	if err := t.store.Finish(context.Background(), c, answer); err != nil {
		t.Fatalf("Finish: %v", err)
	}
}

func (t *storeTest) want(c alipayplus.Claim, state alipayplus.ClaimState, again bool, answer []byte) {
	t.Helper()
	got := t.begin(c)
	if got.State != state || got.Again != again || !bytes.Equal(got.Answer, answer) {
		t.Fatalf("Begin: state %d, again %t, %d bytes of answer; want state %d, again %t, %d bytes",
			got.State, got.Again, len(got.Answer), state, again, len(answer))
	}
}

func (t *storeTest) first() {
	t.want(t.claim("a", "o1", "m"), alipayplus.ClaimGranted, false, nil)
}

func (t *storeTest) running() {
	t.begin(t.claim("a", "o1", "m"))
	t.want(t.claim("a", "o2", "m"), alipayplus.ClaimRunning, false, nil)
	t.want(t.claim("a", "o1", "m"), alipayplus.ClaimRunning, false, nil)
}

func (t *storeTest) answered() {
	c := t.claim("a", "o1", "m")
	answer := []byte(`{"b":1, "a":"  spaces and order stay  "}`)
	t.begin(c)
	t.finish(c, answer)
	for range 3 {
		t.want(t.claim("a", "o2", "m"), alipayplus.ClaimAnswered, false, answer)
	}
}

func (t *storeTest) open() {
	c := t.claim("a", "o1", "m")
	t.begin(c)
	t.finish(c, nil)
	c2 := t.claim("a", "o2", "m")
	t.want(c2, alipayplus.ClaimGranted, true, nil)
	t.want(t.claim("a", "o3", "m"), alipayplus.ClaimRunning, false, nil)
	t.finish(c2, []byte(`{}`))
	t.want(t.claim("a", "o4", "m"), alipayplus.ClaimAnswered, false, []byte(`{}`))
}

func (t *storeTest) conflict() {
	c, other := t.claim("a", "o1", "m"), t.claim("a", "o2", "other")
	t.begin(c)
	t.want(other, alipayplus.ClaimConflict, false, nil)
	if err := t.store.Finish(context.Background(), other, []byte("x")); !errors.Is(err, alipayplus.ErrSuperseded) {
		t.Fatalf("Finish of a claim in conflict: %v, want ErrSuperseded", err)
	}
	t.finish(c, nil)
	t.want(other, alipayplus.ClaimConflict, false, nil)
	c.Owner = "o3"
	t.want(c, alipayplus.ClaimGranted, true, nil)
	t.finish(c, []byte(`{"s":1}`))
	t.want(other, alipayplus.ClaimConflict, false, nil)
	t.want(t.claim("a", "o4", "m"), alipayplus.ClaimAnswered, false, []byte(`{"s":1}`))
}

func (t *storeTest) takeover() {
	crashed, next := t.claim("a", "o1", "m"), t.claim("a", "o2", "m")
	crashed.Lease = 300 * time.Millisecond
	t.begin(crashed)
	t.want(next, alipayplus.ClaimRunning, false, nil)
	deadline := time.Now().Add(10 * time.Second)
	for {
		standing := t.begin(next)
		if standing.State == alipayplus.ClaimGranted {
			if !standing.Again {
				t.Fatal("the run that takes over is not told that it runs again")
			}
			break
		}
		if standing.State != alipayplus.ClaimRunning || time.Now().After(deadline) {
			t.Fatalf("state %d: a crashed run is not taken over after its lease", standing.State)
		}
		time.Sleep(20 * time.Millisecond) // the store's clock is its own
	}
	if err := t.store.Finish(context.Background(), crashed, []byte("late")); !errors.Is(err, alipayplus.ErrSuperseded) {
		t.Fatalf("Finish of the run that lost the record: %v, want ErrSuperseded", err)
	}
	t.want(t.claim("a", "o3", "m"), alipayplus.ClaimRunning, false, nil)
	t.finish(next, []byte(`{"n":2}`))
	t.want(t.claim("a", "o4", "m"), alipayplus.ClaimAnswered, false, []byte(`{"n":2}`))

	// A run that overran its lease and that nobody replaced may still finish.
	late := t.claim("b", "o1", "m")
	late.Lease = time.Millisecond
	t.begin(late)
	time.Sleep(5 * time.Millisecond)
	t.finish(late, []byte(`{"late":"kept"}`))
	t.want(t.claim("b", "o2", "m"), alipayplus.ClaimAnswered, false, []byte(`{"late":"kept"}`))
}

func (t *storeTest) owner() {
	c := t.claim("a", "o1", "m")
	if err := t.store.Finish(context.Background(), c, []byte("x")); !errors.Is(err, alipayplus.ErrSuperseded) {
		t.Fatalf("Finish without Begin: %v, want ErrSuperseded", err)
	}
	t.want(c, alipayplus.ClaimGranted, false, nil)
	stranger := t.claim("a", "o2", "m")
	if err := t.store.Finish(context.Background(), stranger, []byte("x")); !errors.Is(err, alipayplus.ErrSuperseded) {
		t.Fatalf("Finish of a stranger: %v, want ErrSuperseded", err)
	}
	t.finish(c, []byte("1"))
	if err := t.store.Finish(context.Background(), c, []byte("2")); !errors.Is(err, alipayplus.ErrSuperseded) {
		t.Fatalf("second Finish: %v, want ErrSuperseded", err)
	}
	t.want(stranger, alipayplus.ClaimAnswered, false, []byte("1"))
}

func (t *storeTest) separate() {
	for i, c := range []alipayplus.Claim{
		t.claim("a", "o1", "m"), t.claim("A", "o1", "m"), t.claim("a ", "o1", "m"),
		t.claim("a/evaluation", "o1", "m"), t.claim("ä", "o1", "m"), t.claim("a%", "o1", "m"),
	} {
		if got := t.begin(c); got.State != alipayplus.ClaimGranted {
			t.Errorf("key %d is mistaken for another one: state %d", i, got.State)
		}
	}
	refund := t.claim("a", "o1", "m")
	refund.Operation = "refund"
	t.want(refund, alipayplus.ClaimGranted, false, nil)
}

func (t *storeTest) concurrent() {
	const claims = 32
	for round := range 20 {
		var granted sync.Map
		var wait sync.WaitGroup
		for i := range claims {
			wait.Go(func() {
				c := t.claim(fmt.Sprintf("r%d", round), fmt.Sprintf("o%d", i), "m")
				standing, err := t.store.Begin(context.Background(), c)
				switch {
				case err != nil:
					t.Errorf("Begin: %v", err)
				case standing.State == alipayplus.ClaimGranted:
					granted.Store(i, true)
				case standing.State != alipayplus.ClaimRunning:
					t.Errorf("state %d, want granted or running", standing.State)
				}
			})
		}
		wait.Wait()
		count := 0
		granted.Range(func(any, any) bool { count++; return true })
		if count != 1 {
			t.Fatalf("%d of %d concurrent claims were granted, want 1", count, claims)
		}
	}
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
		t.want(c, alipayplus.ClaimAnswered, false, restored)
	}
}
