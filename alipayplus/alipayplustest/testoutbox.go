package alipayplustest

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
)

// OutboxTest is what [TestOutbox] needs.
type OutboxTest struct {
	// Outbox is what is tested.
	Outbox alipayplus.Outbox
	// InTx runs fn in a transaction, which the context of fn carries; an error of
	// fn undoes it and is returned, and a panic undoes it, too. If ctx carries one already, fn joins it, and
	// an error of fn undoes the whole.
	InTx func(ctx context.Context, fn func(context.Context) error) error
	// Pending lists the messages that are still to be delivered, in any order.
	// With a Queue it is a Lease of a millisecond.
	Pending func(*testing.T) []alipayplus.Message
}

// TestOutbox tests an outbox against the contract of [alipayplus.Outbox]. open
// returns an outbox that holds nothing; it is called once for each part.
func TestOutbox(t *testing.T, open func(*testing.T) OutboxTest) {
	t.Helper()
	for _, part := range []struct {
		name string
		run  func(*outboxTest)
	}{
		{"a message is kept to its last byte", (*outboxTest).kept},
		{"a message is put once", (*outboxTest).once},
		{"a message needs an operation and a key", (*outboxTest).named},
		{"operations and keys are separate, exact texts", (*outboxTest).separate},
		{"a message that is withdrawn is gone for good", (*outboxTest).withdrawn},
		{"what is said to be put or withdrawn is", (*outboxTest).errors},
		{"what a transaction put or withdrew is undone with it", (*outboxTest).undone},
		{"a message is delivered after the commit", (*outboxTest).early},
		{"a joined function that fails undoes the whole transaction", (*outboxTest).joined},
		{"of many messages that are put at once with one key, one is kept", (*outboxTest).concurrent},
	} {
		t.Run(part.name, func(t *testing.T) { part.run(&outboxTest{t, open(t)}) })
	}
}

type outboxTest struct {
	*testing.T
	OutboxTest
}

func (t *outboxTest) put(ctx context.Context, m alipayplus.Message) {
	t.Helper()
	if err := t.Outbox.Put(ctx, m); err != nil {
		t.Errorf("Put: %v", err)
	}
}

func (t *outboxTest) withdraw(ctx context.Context, operation, key string) {
	t.Helper()
	if err := t.Outbox.Withdraw(ctx, operation, key); err != nil {
		t.Errorf("Withdraw: %v", err)
	}
}

// want compares what is pending with the bodies, in any order.
func (t *outboxTest) want(bodies ...string) {
	t.Helper()
	missing := make(map[string]int)
	for _, b := range bodies {
		missing[b]++
	}
	pending := t.Pending(t.T)
	for _, m := range pending {
		missing[m.Body.Reveal()]--
	}
	for _, n := range missing {
		if n != 0 {
			t.Fatalf("%d messages are pending, among them wrong ones; want %d", len(pending), len(bodies))
		}
	}
}

func text(key, body string) alipayplus.Message {
	return alipayplus.Message{Operation: "notifyPayment", Key: key, Path: "/v1/notifyPayment", Body: alipayplus.Conceal(body)}
}

func (t *outboxTest) kept() {
	var every strings.Builder
	for r := range rune(256) {
		every.WriteRune(r)
	}
	every.WriteString("😀" + strings.Repeat("x", 100_000) + ".")
	url := "https://a.example/n?x="
	url += strings.Repeat("y", 2048-len(url))
	m := alipayplus.Message{
		Operation: "authNotify", Key: "k", Group: "g", Path: "/p", URL: url, Timeout: 1234567890,
		Body: alipayplus.Conceal(every.String()), Sealed: true,
	}
	t.put(t.Context(), m)
	for range 2 {
		got := t.Pending(t.T)
		if len(got) != 1 || !reflect.DeepEqual(got[0], m) {
			t.Fatalf("the message did not come back as it was put: %v", got)
		}
	}
}

func (t *outboxTest) once() {
	t.put(t.Context(), text("k", "first"))
	t.put(t.Context(), text("k", "second"))
	t.want("first")
}

func (t *outboxTest) named() {
	for _, m := range []alipayplus.Message{{Operation: "notifyPayment"}, {Key: "k"}} {
		if t.Outbox.Put(t.Context(), m) == nil {
			t.Errorf("a message with operation %q and key %q is accepted", m.Operation, m.Key)
		}
	}
}

// exactTexts are keys that a database may take for one another.
var exactTexts = []string{
	"a", "A", "a ", " a", "a  ", "á", "a\u0301", "a\u200b", "a\x00", `a\x00`, `a\`, `a\\`, "a%", "a_", "a'", `a"`, "ａ", "a😀", "a😁",
}

func (t *outboxTest) separate() {
	var bodies []string
	for i, key := range exactTexts {
		bodies = append(bodies, fmt.Sprint(i))
		t.put(t.Context(), text(key, fmt.Sprint(i)))
	}
	other := text("a", "other")
	other.Operation = "authNotify"
	t.put(t.Context(), other)
	joined := text("t"+"a", "joined") // the two texts joined are those of the first
	joined.Operation = "notifyPaymen"
	t.put(t.Context(), joined)
	t.want(append(bodies, "other", "joined")...)
	for _, key := range []string{"A", "a%", "a_", `a\`, "a"} {
		t.withdraw(t.Context(), "notifyPayment", key)
		bodies = slices.DeleteFunc(bodies, func(body string) bool { return body == fmt.Sprint(slices.Index(exactTexts, key)) })
		t.want(append(bodies, "other", "joined")...)
	}
}

func (t *outboxTest) withdrawn() {
	t.withdraw(t.Context(), "notifyPayment", "k")
	t.put(t.Context(), text("k", "1"))
	t.want("1") // nothing was there that could be withdrawn
	t.withdraw(t.Context(), "notifyPayment", "k")
	t.want()
	t.put(t.Context(), text("k", "2"))
	t.want()
}

func (t *outboxTest) undone() {
	t.put(t.Context(), text("before", "before"))
	refusal := errors.New("the debit was refused")
	err := t.InTx(t.Context(), func(ctx context.Context) error {
		t.put(ctx, text("k", "undone"))
		t.withdraw(ctx, "notifyPayment", "before")
		return refusal
	})
	if !errors.Is(err, refusal) {
		t.Fatalf("InTx: %v, want the function's error", err)
	}
	t.want("before")
	if err := t.InTx(t.Context(), func(ctx context.Context) error {
		t.put(ctx, text("k", "done"))
		t.withdraw(ctx, "notifyPayment", "before")
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	t.want("done")
	func() {
		defer func() { _ = recover() }()
		_ = t.InTx(t.Context(), func(ctx context.Context) error {
			t.put(ctx, text("panic", "undone"))
			t.withdraw(ctx, "notifyPayment", "k")
			panic("something else in the transaction panics")
		})
	}()
	t.want("done")
	if err := t.InTx(t.Context(), func(ctx context.Context) error {
		t.put(ctx, text("both", "withdrawn"))
		t.withdraw(ctx, "notifyPayment", "both")
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	t.want("done")
}

func (t *outboxTest) early() {
	refusal := errors.New("the debit was refused")
	seen := make(chan []alipayplus.Message, 1)
	err := t.InTx(t.Context(), func(ctx context.Context) error {
		t.put(ctx, text("k", "undone"))
		go func() {
			defer close(seen)
			seen <- t.Pending(t.T) // may wait for the end of the transaction
		}()
		passes(20 * time.Millisecond)
		return refusal
	})
	if pending := <-seen; len(pending) > 0 || !errors.Is(err, refusal) {
		t.Errorf("%d messages are pending of a transaction that is not committed: %v", len(pending), err)
	}
}

func (t *outboxTest) errors() {
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := t.Outbox.Put(ended, text("k", "1")); err != nil { // it may be there all the same
		t.put(t.Context(), text("k", "1"))
	}
	t.want("1")
	if err := t.Outbox.Withdraw(ended, "notifyPayment", "k"); err != nil {
		t.withdraw(t.Context(), "notifyPayment", "k")
	}
	t.want()
}

func (t *outboxTest) joined() {
	refusal := errors.New("refused")
	err := t.InTx(t.Context(), func(ctx context.Context) error {
		t.put(ctx, text("outer", "outer"))
		err := t.InTx(ctx, func(ctx context.Context) error {
			_ = t.InTx(ctx, func(ctx context.Context) error { return refusal })
			return nil // as if nothing had happened
		})
		if !errors.Is(err, refusal) {
			t.Errorf("a joined function in which another one failed: %v", err)
		}
		return nil
	})
	if !errors.Is(err, refusal) {
		t.Errorf("InTx: %v, want the error of the joined function", err)
	}
	t.want()
}

func (t *outboxTest) concurrent() {
	var wait sync.WaitGroup
	for range 32 {
		wait.Go(func() { t.put(t.Context(), text("k", "1")) })
	}
	wait.Wait()
	t.want("1")
}
