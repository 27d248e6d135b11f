package alipayplustest

import (
	"context"
	"fmt"
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
)

// TestQueue tests a queue against the contract of [alipayplus.Queue]. open
// returns a queue that holds nothing, and the outbox that fills it; it is
// called once for each part. The parts about leases use leases of 300
// milliseconds and wait for their end at most two seconds more.
func TestQueue(t *testing.T, open func(*testing.T) (alipayplus.Outbox, alipayplus.Queue)) {
	t.Helper()
	for _, part := range []struct {
		name string
		run  func(*queueTest)
	}{
		{"a message is leased as it was put, once", (*queueTest).leased},
		{"a lease takes no more than it was asked for", (*queueTest).bounded},
		{"messages that were never tried are leased in the order of Put", (*queueTest).ordered},
		{"messages of two operations with one key are two", (*queueTest).operations},
		{"a message whose lease ended is leased again", (*queueTest).lapsed},
		{"an acknowledged message never comes back", (*queueTest).acknowledged},
		{"a message that is to be delivered again waits", (*queueTest).again},
		{"a dead letter waits for Requeue", (*queueTest).dead},
		{"dead letters are listed, the oldest first", (*queueTest).deadLetters},
		{"the backlog is what is not acknowledged, if the queue has it", (*queueTest).backlog},
		{"what waits is listed by its next try, if the queue does so", (*queueTest).waiting},
		{"who lost the lease can only acknowledge", (*queueTest).superseded},
		{"an end that meets the next lease does not end that one", (*queueTest).meets},
		{"a message is withdrawn at any time", (*queueTest).withdrawn},
		{"a group is delivered in order, one message at a time", (*queueTest).group},
		{"a group that waits holds nothing else up", (*queueTest).groupBusy},
		{"a group waits for a message that is delivered again", (*queueTest).groupAgain},
		{"a dead letter does not hold its group up", (*queueTest).groupDead},
		{"a group waits for each lease that runs", (*queueTest).groupLease},
		{"groups are separate, exact texts", (*queueTest).groups},
		{"many workers share the messages", (*queueTest).workers},
	} {
		t.Run(part.name, func(t *testing.T) {
			outbox, queue := open(t)
			part.run(&queueTest{t, outbox, queue})
		})
	}
}

type queueTest struct {
	*testing.T
	outbox alipayplus.Outbox
	queue  alipayplus.Queue
}

// put puts a message with its key as body; group may be empty.
func (t *queueTest) put(key, group string) {
	t.Helper()
	m := text(key, key)
	m.Group = group
	if err := t.outbox.Put(t.Context(), m); err != nil {
		t.Fatalf("Put: %v", err)
	}
}

// leaseFor leases for a time and wants the messages with keys. It returns them
// in the order of keys, whatever the order of the queue.
func (t *queueTest) leaseFor(d time.Duration, n int, keys ...string) []alipayplus.Delivery {
	t.Helper()
	got, err := t.queue.Lease(t.Context(), n, d)
	if err != nil {
		t.Fatalf("Lease: %v", err)
	}
	sorted := make([]alipayplus.Delivery, 0, len(keys))
	for _, key := range keys {
		for _, d := range got {
			if d.Message.Key == key {
				sorted = append(sorted, d)
			}
		}
	}
	if len(got) != len(keys) || len(sorted) != len(keys) {
		t.Fatalf("leased %q, want %q", keysOf(got), keys)
	}
	return sorted
}

func keysOf(list []alipayplus.Delivery) (keys []string) {
	for _, d := range list {
		keys = append(keys, d.Message.Key)
	}
	return keys
}

// lease leases all for a minute.
func (t *queueTest) lease(keys ...string) []alipayplus.Delivery {
	t.Helper()
	return t.leaseFor(time.Minute, 100, keys...)
}

func (t *queueTest) finish(d alipayplus.Delivery, end alipayplus.End) {
	t.Helper()
	if err := t.queue.Finish(t.Context(), d, end); err != nil {
		t.Fatalf("Finish: %v", err)
	}
}

func (t *queueTest) withdraw(key string) {
	t.Helper()
	if err := t.outbox.Withdraw(t.Context(), "notifyPayment", key); err != nil {
		t.Fatalf("Withdraw: %v", err)
	}
}

func (t *queueTest) requeue(key string) {
	t.Helper()
	if err := t.queue.Requeue(t.Context(), "notifyPayment", key); err != nil {
		t.Fatalf("Requeue: %v", err)
	}
}

// wantDead wants the dead letters with keys, in their order.
func (t *queueTest) wantDead(n int, keys ...string) []alipayplus.Delivery {
	t.Helper()
	got, err := t.queue.DeadLetters(t.Context(), n)
	if err != nil {
		t.Fatalf("DeadLetters: %v", err)
	}
	if fmt.Sprintf("%q", keysOf(got)) != fmt.Sprintf("%q", keys) {
		t.Fatalf("dead letters %q, want %q", keysOf(got), keys)
	}
	return got
}

// leaseAfter leases one message that becomes due after d, and says when that is
// too early.
func (t *queueTest) leaseAfter(d time.Duration, since time.Time, key string) alipayplus.Delivery {
	t.Helper()
	for deadline := since.Add(d + patience); ; passes(20 * time.Millisecond) {
		late := time.Now().After(deadline) // before it is asked: the answer may take long
		got, err := t.queue.Lease(t.Context(), 100, time.Minute)
		switch {
		case err != nil:
			t.Fatalf("Lease: %v", err)
		case len(got) == 1 && got[0].Message.Key == key:
			if took := time.Since(since); took < d*9/10 {
				t.Fatalf("%q is leased after %v of %v", key, took, d)
			}
			return got[0]
		case len(got) > 0:
			t.Fatalf("leased %q, want %q", keysOf(got), key)
		case late:
			t.Fatalf("%q is never leased again", key)
		}
	}
}

var (
	acknowledged = alipayplus.End{State: alipayplus.EndAcknowledged, Code: alipayplus.CodeSuccess}
	deadEnd      = alipayplus.End{State: alipayplus.EndDead, Code: alipayplus.CodeProcessFail}
)

func (t *queueTest) leased() {
	t.lease()
	m := alipayplus.Message{
		Operation: "notifyPayment", Key: "k", Path: "/p", URL: "https://a.example/n", Timeout: time.Second,
		Body: alipayplus.Conceal("\x00é{}"), Sealed: true,
	}
	if err := t.outbox.Put(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	d := t.lease("k")[0]
	if !reflect.DeepEqual(d.Message, m) || d.Tries != 1 || d.Lease == "" || d.Code != "" || d.Err != nil {
		t.Errorf("the delivery is not what was put: %v, tries %d, lease %q, code %q, %v", d.Message, d.Tries, d.Lease, d.Code, d.Err)
	}
	if age := time.Since(d.Put).Abs(); age > time.Hour {
		t.Errorf("it was put %v ago", age)
	}
	t.lease()
}

func (t *queueTest) bounded() {
	for _, key := range []string{"a", "b", "c"} {
		t.put(key, "")
	}
	t.leaseFor(time.Minute, 0)
	got, err := t.queue.Lease(t.Context(), 2, time.Minute)
	if err != nil || len(got) != 2 {
		t.Fatalf("%d messages leased, want 2: %v", len(got), err)
	}
	rest, err := t.queue.Lease(t.Context(), 2, time.Minute)
	if err != nil || len(rest) != 1 || rest[0].Message.Key == got[0].Message.Key || rest[0].Message.Key == got[1].Message.Key {
		t.Fatalf("leased %q after %q: %v", keysOf(rest), keysOf(got), err)
	}
}

func (t *queueTest) lapsed() {
	t.put("k", "")
	began := time.Now()
	first := t.leaseFor(lease, 1, "k")[0]
	second := t.leaseAfter(lease, began, "k")
	if second.Tries != 2 || second.Lease == first.Lease || !second.Put.Equal(first.Put) {
		t.Errorf("tries %d, lease %q after %q, put at %v and before at %v", second.Tries, second.Lease, first.Lease, second.Put, first.Put)
	}
}

func (t *queueTest) ordered() {
	keys := []string{"c", "a", "d", "b"}
	for _, key := range keys {
		t.put(key, "")
	}
	for _, key := range keys {
		t.leaseFor(time.Minute, 1, key)
	}
}

func (t *queueTest) operations() {
	t.put("k", "")
	other := text("k", "other")
	other.Operation = "authNotify"
	if err := t.outbox.Put(t.Context(), other); err != nil {
		t.Fatalf("Put: %v", err)
	}
	find := func(list []alipayplus.Delivery, err error) (notify, auth []alipayplus.Delivery) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range list {
			if d.Message.Operation == other.Operation {
				auth = append(auth, d)
			} else {
				notify = append(notify, d)
			}
		}
		return notify, auth
	}
	want := func(what string, notify, auth int) (n, a []alipayplus.Delivery) {
		t.Helper()
		n, a = find(t.queue.Lease(t.Context(), 100, time.Minute))
		if len(n) != notify || len(a) != auth {
			t.Fatalf("%s: leased %d and %d messages, want %d and %d", what, len(n), len(a), notify, auth)
		}
		return n, a
	}
	notify, auth := want("both are put", 1, 1)
	t.finish(notify[0], deadEnd)
	t.finish(auth[0], alipayplus.End{})
	_, auth = want("one is dead", 0, 1)
	t.finish(auth[0], deadEnd)
	t.requeue("k")
	notify, _ = want("one of two dead letters is due again", 1, 0)
	t.finish(notify[0], acknowledged)
	if notify, auth := find(t.queue.DeadLetters(t.Context(), 10)); len(notify) != 0 || len(auth) != 1 {
		t.Fatalf("%d and %d dead letters after one was requeued and acknowledged, want 0 and 1", len(notify), len(auth))
	}
}

func (t *queueTest) meets() {
	for i := range 20 {
		key := fmt.Sprint(i)
		t.put(key, "")
		old := t.leaseFor(time.Millisecond, 1, key)[0]
		passes(2 * time.Millisecond)
		var leased []alipayplus.Delivery
		var failed error
		var wait sync.WaitGroup
		wait.Go(func() { leased, failed = t.queue.Lease(t.Context(), 1, time.Minute) })
		t.finish(old, deadEnd)
		wait.Wait()
		if failed != nil {
			t.Fatalf("Lease: %v", failed)
		}
		if len(leased) == 0 { // the end came first
			t.wantDead(1, key)
			t.withdraw(key)
			continue
		}
		t.lease()
		t.wantDead(1)
		t.finish(leased[0], acknowledged)
	}
}

func (t *queueTest) acknowledged() {
	t.put("k", "")
	d := t.leaseFor(time.Millisecond, 1, "k")[0]
	t.finish(d, acknowledged)
	t.finish(d, acknowledged)
	t.finish(d, alipayplus.End{})
	t.finish(d, deadEnd)
	t.put("k", "")
	t.requeue("k")
	passes(5 * time.Millisecond)
	t.lease()
	t.wantDead(10)
}

func (t *queueTest) again() {
	t.put("in an hour", "")
	t.put("other", "")
	t.finish(t.leaseFor(time.Minute, 1, "in an hour")[0], alipayplus.End{After: time.Hour, Code: alipayplus.CodeUnknownException})
	t.lease("other")
	t.put("k", "")
	d := t.lease("k")[0]
	began := time.Now()
	t.finish(d, alipayplus.End{After: lease, Code: alipayplus.CodeUnknownException})
	if d := t.leaseAfter(lease, began, "k"); d.Tries != 2 || d.Code != alipayplus.CodeUnknownException {
		t.Errorf("tries %d, code %q", d.Tries, d.Code)
	}
}

func (t *queueTest) dead() {
	t.put("k", "")
	t.requeue("k")
	t.requeue("unknown")
	d := t.leaseFor(time.Minute, 1, "k")[0]
	t.requeue("k") // is no dead letter: nothing happens
	t.lease()
	t.finish(d, alipayplus.End{})
	d = t.leaseFor(time.Millisecond, 1, "k")[0]
	t.finish(d, deadEnd)
	passes(5 * time.Millisecond)
	t.lease()
	got := t.wantDead(10, "k")[0]
	if got.Lease != "" || got.Tries != 2 || got.Code != alipayplus.CodeProcessFail || got.Message.Body.Reveal() != "k" {
		t.Errorf("dead letter: lease %q, tries %d, code %q, %v", got.Lease, got.Tries, got.Code, got.Message)
	}
	t.put("k", "")
	t.lease()
	t.requeue("k")
	t.wantDead(10)
	t.finish(got, deadEnd) // no lease, nothing to end
	t.finish(got, alipayplus.End{After: time.Hour})
	t.wantDead(10)
	if d := t.lease("k")[0]; d.Tries != 1 || d.Message.Body.Reveal() != "k" {
		t.Errorf("after Requeue: tries %d, %v", d.Tries, d.Message)
	}
}

func (t *queueTest) deadLetters() {
	for _, key := range []string{"a", "b", "c"} {
		t.put(key, "")
	}
	for _, d := range t.lease("a", "b", "c") {
		t.finish(d, deadEnd)
	}
	t.wantDead(0)
	t.wantDead(2, "a", "b")
	t.wantDead(10, "a", "b", "c")
}

func (t *queueTest) backlog() {
	queue, ok := t.queue.(interface {
		Backlog(context.Context) (alipayplus.Backlog, error)
	})
	if !ok {
		t.Skip("the queue has no method Backlog")
	}
	want := func(waiting, dead int, oldest time.Time) {
		t.Helper()
		got, err := queue.Backlog(t.Context())
		if err != nil || got.Waiting != waiting || got.Dead != dead || !got.Oldest.Equal(oldest) {
			t.Errorf("%d wait, %d are dead, the oldest is of %v, want %d, %d and %v: %v", got.Waiting, got.Dead, got.Oldest, waiting, dead, oldest, err)
		}
	}
	want(0, 0, time.Time{})
	var due []alipayplus.Delivery
	for _, key := range []string{"acknowledged", "dead", "withdrawn", "again", "leased"} {
		t.put(key, "")
		due = append(due, t.lease(key)...)
		passes(2 * time.Millisecond) // so that no two are of one time
	}
	want(5, 0, due[0].Put)
	t.finish(due[0], acknowledged)
	t.finish(due[1], deadEnd)
	t.withdraw("withdrawn")
	t.finish(due[3], alipayplus.End{After: time.Hour})
	want(2, 1, due[3].Put)
	t.requeue("dead")
	want(3, 0, due[1].Put)
}

func (t *queueTest) waiting() {
	queue, ok := t.queue.(interface {
		Waiting(ctx context.Context, n int) ([]alipayplus.Delivery, error)
	})
	if !ok {
		t.Skip("the queue has no method Waiting")
	}
	want := func(n int, keys ...string) []alipayplus.Delivery {
		t.Helper()
		got, err := queue.Waiting(t.Context(), n)
		if err != nil || fmt.Sprintf("%q", keysOf(got)) != fmt.Sprintf("%q", keys) {
			t.Fatalf("%q wait, want %q: %v", keysOf(got), keys, err)
		}
		return got
	}
	want(10)
	for _, key := range []string{"leased", "later", "soon", "acknowledged", "dead", "withdrawn"} {
		t.put(key, "")
	}
	due := t.leaseFor(time.Minute, 100, "leased", "later", "soon", "acknowledged", "dead", "withdrawn")
	t.finish(due[1], alipayplus.End{After: 2 * time.Hour, Code: alipayplus.CodeUnknownException})
	t.finish(due[2], alipayplus.End{After: 20 * time.Second})
	t.finish(due[3], acknowledged)
	t.finish(due[4], deadEnd)
	t.withdraw("withdrawn")
	t.put("new", "")
	want(0)
	want(2, "new", "soon")
	list := want(10, "new", "soon", "leased", "later")
	for i, after := range []time.Duration{0, 20 * time.Second, time.Minute, 2 * time.Hour} {
		if got := list[i].Due.Sub(list[0].Due); (got - after).Abs() > 15*time.Second {
			t.Errorf("%q is due %v after a new message, want %v", list[i].Message.Key, got, after)
		}
	}
	now, later := list[0], list[3]
	if (now.Due.Sub(now.Put)).Abs() > 15*time.Second || now.Tries != 0 {
		t.Errorf("a new message was put at %v and is due at %v, after %d tries", now.Put, now.Due, now.Tries)
	}
	if later.Tries != 1 || later.Code != alipayplus.CodeUnknownException || list[2].Lease != "" {
		t.Errorf("%d tries, the code %q, the lease %q", later.Tries, later.Code, list[2].Lease)
	}
}

func (t *queueTest) superseded() {
	for _, key := range []string{"again", "dead", "acknowledged"} {
		t.put(key, "")
		old := t.leaseFor(time.Millisecond, 1, key)[0]
		now := t.leaseAfter(0, time.Now(), key)
		switch key {
		case "again":
			t.finish(old, alipayplus.End{})
		case "dead":
			t.finish(old, deadEnd)
		case "acknowledged":
			t.finish(old, acknowledged)
			t.finish(now, alipayplus.End{})
		}
		t.lease()
		t.wantDead(0)
		if key != "acknowledged" {
			t.finish(now, alipayplus.End{}) // still holds the lease
			t.finish(t.lease(key)[0], acknowledged)
		}
	}
	t.wantDead(10)

	// Also a dead letter, if it arrived after all.
	t.put("late", "")
	old := t.leaseFor(time.Millisecond, 1, "late")[0]
	t.finish(t.leaseAfter(0, time.Now(), "late"), deadEnd)
	t.wantDead(10, "late")
	t.finish(old, acknowledged)
	t.wantDead(10)
	t.requeue("late")
	t.lease()
}

func (t *queueTest) withdrawn() {
	t.put("waiting", "")
	t.withdraw("waiting")
	t.lease()

	t.put("dead", "")
	t.finish(t.lease("dead")[0], deadEnd)
	t.withdraw("dead")
	t.wantDead(10)
	t.requeue("dead")
	t.lease()

	for _, end := range []alipayplus.End{{}, deadEnd, acknowledged} {
		key := fmt.Sprintf("under way %d", end.State)
		t.put(key, "")
		d := t.lease(key)[0]
		t.withdraw(key)
		t.finish(d, end)
		t.lease()
		t.wantDead(10)
	}

	t.put("acknowledged", "")
	t.finish(t.leaseFor(time.Millisecond, 1, "acknowledged")[0], acknowledged)
	t.withdraw("acknowledged")
	t.withdraw("unknown")
	passes(5 * time.Millisecond)
	t.lease()
}

func (t *queueTest) group() {
	for _, key := range []string{"1", "2", "3"} {
		t.put(key, "g")
	}
	t.put("x", "")
	t.put("y", "h")
	first := t.lease("1", "x", "y")[0]
	t.lease()
	t.finish(first, acknowledged)
	second := t.lease("2")[0]
	t.withdraw("3")
	t.finish(second, acknowledged)
	t.put("4", "g")
	t.finish(t.lease("4")[0], acknowledged)

	keys := []string{"c", "a", "d", "b"} // the order of Put, not of keys
	for _, key := range keys {
		t.put(key, "g")
	}
	for _, key := range keys {
		t.finish(t.lease(key)[0], acknowledged)
	}
}

func (t *queueTest) groupBusy() {
	for n := range 20 {
		t.put(fmt.Sprint(n), "g")
	}
	t.put("free", "")
	t.put("other", "h")
	t.leaseFor(time.Minute, 1, "0")
	t.leaseFor(time.Minute, 1, "free")
	t.leaseFor(time.Minute, 1, "other")
	t.leaseFor(time.Minute, 1)
}

func (t *queueTest) groupAgain() {
	t.put("1", "g")
	t.put("2", "g")
	d := t.lease("1")[0]
	began := time.Now()
	t.finish(d, alipayplus.End{After: lease})
	t.finish(t.leaseAfter(lease, began, "1"), acknowledged)
	t.lease("2")
}

func (t *queueTest) groupDead() {
	t.put("1", "g")
	t.put("2", "g")
	t.finish(t.lease("1")[0], deadEnd)
	second := t.lease("2")[0]
	t.requeue("1") // has to wait for the lease of the second one
	t.lease()
	t.finish(second, acknowledged)
	t.finish(t.lease("1")[0], deadEnd)

	t.put("3", "g")
	t.requeue("1") // comes before what was put after it
	t.finish(t.lease("1")[0], acknowledged)
	t.lease("3")
}

func (t *queueTest) groupLease() {
	// A message that was withdrawn may still arrive.
	t.put("1", "g")
	t.put("2", "g")
	d := t.lease("1")[0]
	t.withdraw("1")
	t.lease()
	t.finish(d, alipayplus.End{After: time.Minute})
	t.finish(t.lease("2")[0], acknowledged)

	t.put("3", "g")
	t.put("4", "g")
	began := time.Now()
	t.leaseFor(lease, 1, "3") // whoever has it crashes
	t.withdraw("3")
	t.finish(t.leaseAfter(lease, began, "4"), acknowledged)

	// A message that one worker acknowledged may still be on another one's way.
	t.put("5", "g")
	t.put("6", "g")
	old := t.leaseFor(time.Millisecond, 1, "5")[0]
	now := t.leaseAfter(0, time.Now(), "5")
	t.finish(old, acknowledged)
	t.lease()
	t.finish(now, alipayplus.End{})
	t.lease("6")
}

func (t *queueTest) groups() {
	for i, group := range exactTexts {
		t.put(fmt.Sprint(i), group)
	}
	var keys []string
	for i := range exactTexts {
		keys = append(keys, fmt.Sprint(i))
	}
	for i, d := range t.lease(keys...) {
		if d.Message.Group != exactTexts[i] {
			t.Errorf("group %q came back as %q", exactTexts[i], d.Message.Group)
		}
	}
}

func (t *queueTest) workers() {
	const workers, groups, each = 8, 6, 5
	for n := range each {
		for g := range groups {
			t.put(fmt.Sprintf("%d %d", g, n), fmt.Sprintf("g%d", g))
		}
		t.put(fmt.Sprintf("free %d", n), "")
	}
	var mu sync.Mutex
	busy := make(map[string]bool)
	done := make(map[string]int) // by group: how many
	total, progress := 0, time.Now()
	work := func() {
		for {
			began := time.Now() // before it is asked: the answer may take long
			list, err := t.queue.Lease(t.Context(), 2, time.Minute)
			if err != nil {
				t.Errorf("Lease: %v", err)
				return
			}
			mu.Lock()
			if len(list) > 0 {
				progress = time.Now()
			} else if began.Sub(progress) > 20*time.Second {
				t.Errorf("%d of %d messages are leased, and for 20 seconds no other one", total, (groups+1)*each)
			}
			for _, d := range list {
				m := d.Message
				if busy[m.Key] || m.Group != "" && (busy[m.Group] || m.Key != fmt.Sprintf("%s %d", m.Group[1:], done[m.Group])) {
					t.Errorf("%q is leased too early, or by two workers at once", m.Key)
				}
				busy[m.Key], busy[m.Group] = true, m.Group != ""
			}
			mu.Unlock()
			for _, d := range list {
				mu.Lock()
				busy[d.Message.Group] = false
				done[d.Message.Group]++
				total++
				mu.Unlock()
				if err := t.queue.Finish(t.Context(), d, acknowledged); err != nil {
					t.Errorf("Finish: %v", err)
				}
			}
			mu.Lock()
			finished := total >= (groups+1)*each
			mu.Unlock()
			if finished || t.Failed() {
				return
			}
		}
	}
	var wait sync.WaitGroup
	for range workers {
		wait.Go(work)
	}
	wait.Wait()
}
