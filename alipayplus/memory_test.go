package alipayplus_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
)

func memoryMessage(key, group string) alipayplus.Message {
	return alipayplus.Message{Operation: "o", Key: key, Group: group, Body: alipayplus.Conceal("body of " + key)}
}

// leased returns the keys of what is due now.
func leased(t *testing.T, m *alipayplus.Memory, d time.Duration) (keys string, due []alipayplus.Delivery) {
	t.Helper()
	due, err := m.Lease(context.WithoutCancel(t.Context()), 100, d)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range due {
		keys += d.Message.Key
	}
	return keys, due
}

// A transaction happens as a whole or not at all, however it fails.
func TestMemoryTransactions(t *testing.T) {
	ctx, failure := t.Context(), errors.New("failure")
	for _, c := range []struct {
		rule string
		do   func(m *alipayplus.Memory) error
		want string // keys that are there then
		err  error
	}{
		{"commits", func(m *alipayplus.Memory) error {
			return m.InTx(ctx, func(ctx context.Context) error {
				if !m.Joined(ctx) {
					t.Error("the context carries no transaction")
				}
				return m.Put(ctx, memoryMessage("x", ""))
			})
		}, "ax", nil},
		{"is undone by an error", func(m *alipayplus.Memory) error {
			return m.InTx(ctx, func(ctx context.Context) error {
				_ = m.Put(ctx, memoryMessage("x", ""))
				_ = m.Withdraw(ctx, "o", "a")
				return failure
			})
		}, "a", failure},
		{"is undone by a panic", func(m *alipayplus.Memory) (err error) {
			defer func() { _ = recover() }()
			return m.InTx(ctx, func(ctx context.Context) error {
				_ = m.Put(ctx, memoryMessage("x", ""))
				panic(failure)
			})
		}, "a", nil},
		{"is undone by a part that failed, even if nobody cares", func(m *alipayplus.Memory) error {
			return m.InTx(ctx, func(ctx context.Context) error {
				_ = m.Put(ctx, memoryMessage("x", ""))
				_ = m.InTx(ctx, func(context.Context) error { return failure })
				return nil
			})
		}, "a", failure},
		{"runs no part after one that failed, and says so", func(m *alipayplus.Memory) error {
			return m.InTx(ctx, func(ctx context.Context) error {
				if err := m.InTx(ctx, func(context.Context) error { return failure }); !errors.Is(err, failure) {
					t.Errorf("the part that fails returns %v", err)
				}
				if err := m.Put(ctx, memoryMessage("x", "")); !errors.Is(err, failure) {
					t.Errorf("a message that will not be there is put: %v", err)
				}
				return m.InTx(ctx, func(context.Context) error {
					t.Error("a part runs in a transaction that failed")
					return nil
				})
			})
		}, "a", failure},
		{"is undone by a part that panicked, even if somebody recovers", func(m *alipayplus.Memory) error {
			err := m.InTx(ctx, func(ctx context.Context) error {
				defer func() { _ = recover() }()
				return m.InTx(ctx, func(ctx context.Context) error {
					_ = m.InTx(ctx, func(ctx context.Context) error { return m.Put(ctx, memoryMessage("x", "")) })
					panic(failure)
				})
			})
			if err == nil {
				t.Error("half a transaction is committed")
			}
			return nil
		}, "a", nil},
		{"does not begin when the context has ended", func(m *alipayplus.Memory) error {
			ended, cancel := context.WithCancel(ctx)
			cancel()
			return m.Put(ended, memoryMessage("x", ""))
		}, "a", context.Canceled},
	} {
		t.Run(c.rule, func(t *testing.T) {
			m := alipayplus.NewMemory()
			if err := m.Put(ctx, memoryMessage("a", "")); err != nil {
				t.Fatal(err)
			}
			if err := c.do(m); !errors.Is(err, c.err) {
				t.Errorf("the error is %v", err)
			}
			if m.Joined(ctx) {
				t.Error("a context without a transaction is joined")
			}
			if keys, _ := leased(t, m, time.Minute); keys != c.want {
				t.Errorf("there are %q, want %q", keys, c.want)
			}
		})
	}
}

// Ready tells of messages that are there: not of a transaction without one, and
// not of one that was undone.
func TestMemoryReady(t *testing.T) {
	m, ctx, failure := alipayplus.NewMemory(), t.Context(), errors.New("failure")
	put := func(ctx context.Context) error { return m.Put(ctx, memoryMessage("x", "")) }
	for _, c := range []struct {
		rule string
		fn   func(context.Context) error
		want bool
	}{
		{"no message", func(context.Context) error { return nil }, false},
		{"a message, undone", func(ctx context.Context) error { return errors.Join(put(ctx), failure) }, false},
		{"a message", put, true},
	} {
		_ = m.InTx(ctx, c.fn)
		ready := false
		select {
		case <-m.Ready():
			ready = true
		default:
		}
		if ready != c.want {
			t.Errorf("%s: ready %t", c.rule, ready)
		}
	}
}

// Changes are undone in the opposite order, and only by a rollback.
func TestMemoryOnRollback(t *testing.T) {
	m, undone := alipayplus.NewMemory(), ""
	for _, err := range []error{nil, errors.New("failure")} {
		got := m.InTx(t.Context(), func(ctx context.Context) error {
			for _, name := range []string{"1", "2", "3"} {
				m.OnRollback(ctx, func() { undone += name })
			}
			return err
		})
		if !errors.Is(got, err) {
			t.Error(got)
		}
	}
	m.OnRollback(t.Context(), func() { undone += "outside" })
	if undone != "321" {
		t.Errorf("undone %q", undone)
	}
}

// What becomes of a message, step by step: l leases (and shows what is leased),
// s, u and d end the oldest lease as acknowledged, again after a minute and
// dead, S, U and D that of the first lease of all, w withdraws a, q makes it
// due again, p puts it again, m is a minute.
func TestMemoryQueue(t *testing.T) {
	for _, c := range []struct{ rule, steps, want string }{
		{"leased once", "ll", "a,"},
		{"leased again when the lease ends", "lmlm", "a,a"},
		{"put once", "ppl", "a"},
		{"put once, also when acknowledged", "lspl", "a,"},
		{"put once, also when withdrawn", "wpl", ""},
		{"withdrawn", "wl", ""},
		{"withdrawn while it is leased", "lwuml", "a,"},
		{"acknowledged for good", "lswqml", "a,"},
		{"again after a while", "lulml", "a,,a"},
		{"dead", "ldml", "a,"},
		{"dead, and due again", "ldql", "a,a"},
		{"dead, and withdrawn", "ldwql", "a,"},
		{"a lost lease acknowledges", "lmlSml", "a,a,"},
		{"a lost lease does nothing else", "lmlDUml", "a,a,a"},
		{"an ended lease that nobody took counts", "lmDl", "a,"},
		{"a dead letter's delivery is no lease", "ldqxl", "a,a"},
	} {
		t.Run(c.rule, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m, ctx := alipayplus.NewMemory(), t.Context()
				var leases, dead []alipayplus.Delivery
				var got []string
				check := func(err error) {
					if err != nil {
						t.Error(err)
					}
				}
				check(m.Put(ctx, memoryMessage("a", "")))
				for _, step := range c.steps {
					switch step {
					case 'l':
						keys, due := leased(t, m, time.Minute)
						got, leases = append(got, keys), append(leases, due...)
						if len(due) == 1 && due[0].Message.Body.Reveal() != "body of a" {
							t.Errorf("body %q", due[0].Message.Body.Reveal())
						}
					case 'm':
						time.Sleep(time.Minute)
					case 'p':
						other := memoryMessage("a", "")
						other.Body = alipayplus.Conceal("another")
						check(m.Put(ctx, other))
					case 'w':
						check(m.Withdraw(ctx, "o", "a"))
					case 'q':
						var err error
						dead, err = m.DeadLetters(ctx, 10)
						check(err)
						check(m.Requeue(ctx, "o", "a"))
					case 'x':
						check(m.Finish(ctx, dead[0], alipayplus.End{After: time.Hour}))
					default:
						end := map[string]alipayplus.End{
							"s": {State: alipayplus.EndAcknowledged}, "u": {After: time.Minute}, "d": {State: alipayplus.EndDead},
						}[strings.ToLower(string(step))]
						lease := leases[len(leases)-1]
						if step < 'a' {
							lease = leases[0]
						}
						check(m.Finish(ctx, lease, end))
					}
				}
				if got := strings.Join(got, ","); got != c.want {
					t.Errorf("leased %q, want %q", got, c.want)
				}
			})
		})
	}
}

// Groups keep their order, whatever becomes of the first message.
// What waits is listed in the order in which it is due, at most so many, with
// its tries; what is acknowledged or dead is not.
func TestMemoryWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, ctx := alipayplus.NewMemory(), t.Context()
		for _, key := range []string{"a", "b", "c", "d"} {
			if err := m.Put(ctx, memoryMessage(key, "")); err != nil {
				t.Fatal(err)
			}
		}
		_, leases := leased(t, m, time.Minute)
		start := time.Now()
		for i, end := range []alipayplus.End{
			{State: alipayplus.EndAgain, After: time.Hour}, {State: alipayplus.EndAgain, After: time.Second},
			{State: alipayplus.EndAcknowledged}, {State: alipayplus.EndDead},
		} {
			if err := m.Finish(ctx, leases[i], end); err != nil {
				t.Fatal(err)
			}
		}
		waiting := func(n int) (list string) {
			all, err := m.Waiting(ctx, n)
			if err != nil {
				t.Error(err)
			}
			for _, d := range all {
				list += fmt.Sprintf("%s after %d at %v; ", d.Message.Key, d.Tries, d.Due.Sub(start))
			}
			return list
		}
		if got := waiting(9); got != "b after 1 at 1s; a after 1 at 1h0m0s; " {
			t.Error(got)
		}
		if got := waiting(1) + waiting(0) + waiting(-1); got != "b after 1 at 1s; " {
			t.Error(got)
		}
		if err := m.Requeue(ctx, "o", "d"); err != nil {
			t.Fatal(err)
		}
		if got := waiting(1); got != "d after 0 at 0s; " {
			t.Error(got)
		}
		ended, cancel := context.WithCancel(ctx)
		cancel()
		if list, err := m.Waiting(ended, 9); err == nil || len(list) != 0 {
			t.Errorf("in a context that has ended: %v, %v", list, err)
		}
	})
}

// A context whose transaction has ended carries none.
func TestMemoryAfterTransaction(t *testing.T) {
	m, failure := alipayplus.NewMemory(), errors.New("failure")
	var kept context.Context
	if err := m.InTx(t.Context(), func(ctx context.Context) error { kept = ctx; return nil }); err != nil {
		t.Fatal(err)
	}
	err := m.InTx(kept, func(ctx context.Context) error {
		return errors.Join(m.Put(ctx, memoryMessage("a", "")), failure)
	})
	if list, _ := m.Waiting(t.Context(), 9); !errors.Is(err, failure) || len(list) != 0 || m.Joined(kept) {
		t.Errorf("%v, and %d messages", err, len(list))
	}
}

func TestMemoryGroups(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, ctx := alipayplus.NewMemory(), t.Context()
		for _, key := range []string{"1", "2", "3", "4"} {
			if err := m.Put(ctx, memoryMessage(key, "g")); err != nil {
				t.Fatal(err)
			}
		}
		if err := m.Put(ctx, memoryMessage("x", "")); err != nil {
			t.Fatal(err)
		}
		end := func(want string, end alipayplus.End) {
			t.Helper()
			keys, due := leased(t, m, time.Minute)
			if keys != want {
				t.Errorf("leased %q, want %q", keys, want)
			}
			for _, d := range due {
				if err := m.Finish(ctx, d, end); err != nil {
					t.Error(err)
				}
			}
		}
		end("1x", alipayplus.End{After: time.Minute})
		end("", alipayplus.End{})
		time.Sleep(time.Minute)
		end("1x", alipayplus.End{State: alipayplus.EndAcknowledged})
		end("2", alipayplus.End{State: alipayplus.EndDead})
		// Withdrawn while it is on its way: the next one waits until it has landed.
		if keys, _ := leased(t, m, time.Minute); keys != "3" {
			t.Errorf("leased %q", keys)
		}
		if err := m.Withdraw(ctx, "o", "3"); err != nil {
			t.Fatal(err)
		}
		end("", alipayplus.End{})
		time.Sleep(time.Minute)
		end("4", alipayplus.End{State: alipayplus.EndAcknowledged})
	})
}

// Nothing that is printed shows a message, and printing never waits.
func TestMemoryPrints(t *testing.T) {
	m := alipayplus.NewMemory()
	err := m.InTx(t.Context(), func(ctx context.Context) error {
		if err := m.Put(ctx, memoryMessage("a", "")); err != nil {
			return err
		}
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%d"} {
			if text := fmt.Sprintf(verb, m); text != "alipayplus.Memory" {
				t.Errorf("%s: %s", verb, text)
			}
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	if err := m.Put(t.Context(), alipayplus.Message{Operation: "o"}); err == nil {
		t.Error("a message without a key is put")
	}
}
