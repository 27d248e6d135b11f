package alipayplus

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"time"
)

// Memory is a database in memory, for tests, examples and programs that may
// forget everything when they end: one transaction at a time, all or nothing.
// It is an [Outbox] and a [Queue] itself; payment.NewMemoryRecords and
// auth.NewMemoryStores keep their records in it, so that they change together.
// Make one with [NewMemory].
type Memory struct {
	turn     chan struct{} // holds one value while a transaction runs
	ready    chan struct{}
	messages []*memoryMessage // in the order of Put
	index    map[memoryKey]*memoryMessage
	ended    int // how many of the first messages never change again
	leases   int
}

type memoryKey struct{ operation, key string }

var (
	_ Outbox = (*Memory)(nil)
	_ Queue  = (*Memory)(nil)
)

// NewMemory makes an empty Memory.
func NewMemory() *Memory {
	return &Memory{turn: make(chan struct{}, 1), ready: make(chan struct{}, 1), index: make(map[memoryKey]*memoryMessage)}
}

// memoryTx is a transaction of a Memory, carried by a context.
type memoryTx struct {
	of     *Memory
	undo   []func()
	failed error // a joined function failed: only a rollback is left
	put    bool
	over   bool
}

type memoryTxKey struct{}

func (m *Memory) tx(ctx context.Context) *memoryTx {
	if tx, ok := ctx.Value(memoryTxKey{}).(*memoryTx); ok && tx.of == m && !tx.over {
		return tx
	}
	return nil
}

// InTx runs fn in a transaction, which the context of fn carries. An error or a
// panic of fn undoes everything. If ctx carries a transaction already, fn joins
// it, and an error of fn leaves that one nothing but its rollback.
func (m *Memory) InTx(ctx context.Context, fn func(context.Context) error) (err error) {
	if tx := m.tx(ctx); tx != nil {
		return tx.join(ctx, fn)
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case m.turn <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	tx := &memoryTx{of: m}
	returned := false
	defer func() {
		tx.over = true
		committed := returned && tx.failed == nil
		if !committed {
			for _, undo := range slices.Backward(tx.undo) {
				undo()
			}
		}
		<-m.turn
		if committed && tx.put {
			m.wake()
		}
	}()
	err = fn(context.WithValue(ctx, memoryTxKey{}, tx))
	if err == nil {
		err = tx.failed
	}
	tx.failed, returned = err, true
	return err
}

var errUnfinished = errors.New("alipayplus: a part of the transaction did not end, so that it can only be rolled back")

// join runs fn as a part of tx.
func (tx *memoryTx) join(ctx context.Context, fn func(context.Context) error) error {
	if tx.failed != nil {
		return tx.failed
	}
	returned := false
	defer func() {
		if !returned && tx.failed == nil { // a panic, which somebody may recover
			tx.failed = errUnfinished
		}
	}()
	err := fn(ctx)
	returned = true
	if tx.failed == nil {
		tx.failed = err
	}
	return tx.failed
}

// Joined reports whether ctx carries a transaction of m.
func (m *Memory) Joined(ctx context.Context) bool { return m.tx(ctx) != nil }

// OnRollback calls undo later if the transaction that ctx carries is undone. A
// ledger in memory registers each change that it makes. Without a transaction
// it does nothing.
func (m *Memory) OnRollback(ctx context.Context, undo func()) {
	if tx := m.tx(ctx); tx != nil {
		tx.undo = append(tx.undo, undo)
	}
}

// Ready gets a value after messages were put and committed.
func (m *Memory) Ready() <-chan struct{} { return m.ready }

func (m *Memory) wake() {
	select {
	case m.ready <- struct{}{}:
	default: // there is one already
	}
}

// memoryMessage is a row of the outbox.
type memoryMessage struct {
	delivery Delivery // without Lease
	state    memoryState
	due      time.Time // of a waiting message; the end of its lease, too
	lease    string    // the last one
}

type memoryState uint8

const (
	memoryWaiting memoryState = iota
	memoryAcknowledged
	memoryWithdrawn
	memoryDead
)

// ended reports whether the message never changes again.
func (row *memoryMessage) ended(now time.Time) bool {
	return (row.state == memoryAcknowledged || row.state == memoryWithdrawn) && (row.lease == "" || !row.due.After(now))
}

func (m *Memory) message(operation, key string) *memoryMessage {
	return m.index[memoryKey{operation, key}]
}

// change keeps row as it is for a rollback.
func (m *Memory) change(ctx context.Context, row *memoryMessage) {
	before := *row
	m.OnRollback(ctx, func() { *row = before })
}

// Put implements Outbox.
func (m *Memory) Put(ctx context.Context, msg Message) error {
	if msg.Operation == "" || msg.Key == "" {
		return errNoKey
	}
	return m.InTx(ctx, func(ctx context.Context) error {
		if m.message(msg.Operation, msg.Key) != nil {
			return nil
		}
		now := time.Now()
		row, key := &memoryMessage{delivery: Delivery{Message: msg, Put: now}, due: now}, memoryKey{msg.Operation, msg.Key}
		m.messages = append(m.messages, row)
		m.index[key] = row
		tx := m.tx(ctx)
		tx.put = true
		tx.undo = append(tx.undo, func() {
			m.messages = m.messages[:len(m.messages)-1]
			delete(m.index, key)
		})
		return nil
	})
}

var errNoKey = errors.New("alipayplus: a message without an operation or a key cannot be put: nothing tells it from others")

// Withdraw implements Outbox.
func (m *Memory) Withdraw(ctx context.Context, operation, key string) error {
	return m.InTx(ctx, func(ctx context.Context) error {
		if row := m.message(operation, key); row != nil && (row.state == memoryWaiting || row.state == memoryDead) {
			m.change(ctx, row)
			row.state, row.delivery.Message.Body = memoryWithdrawn, Secret{}
		}
		return nil
	})
}

// Lease implements Queue.
func (m *Memory) Lease(ctx context.Context, n int, d time.Duration) (leased []Delivery, err error) {
	err = m.InTx(ctx, func(ctx context.Context) error {
		now := time.Now()
		for len(m.tx(ctx).undo) == 0 && m.ended < len(m.messages) && m.messages[m.ended].ended(now) {
			m.ended++
		}
		blocked := make(map[string]bool) // groups with a lease that runs, or a message that comes first
		for _, row := range m.messages[m.ended:] {
			if group := row.delivery.Message.Group; group != "" && row.lease != "" && row.due.After(now) {
				blocked[group] = true
			}
		}
		for _, row := range m.messages[m.ended:] {
			group := row.delivery.Message.Group
			free := !row.due.After(now)
			switch {
			case row.state != memoryWaiting:
				continue
			case free && !blocked[group] && len(leased) < n:
				m.change(ctx, row)
				m.leases++
				row.delivery.Tries++
				row.lease, row.due = fmt.Sprint(m.leases), now.Add(d)
				delivery := row.delivery
				delivery.Lease = row.lease
				leased = append(leased, delivery)
			}
			blocked[group] = group != ""
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return leased, nil
}

// Finish implements Queue.
func (m *Memory) Finish(ctx context.Context, d Delivery, end End) error {
	return m.InTx(ctx, func(ctx context.Context) error {
		row := m.message(d.Message.Operation, d.Message.Key)
		if row == nil {
			return nil
		}
		m.change(ctx, row)
		mine := row.lease == d.Lease && d.Lease != "" // a dead letter has none
		if mine {
			row.lease = ""
		}
		switch {
		case row.state == memoryAcknowledged:
		case end.State == EndAcknowledged:
			row.state, row.delivery.Code, row.delivery.Message.Body = memoryAcknowledged, end.Code, Secret{}
		case !mine || row.state != memoryWaiting:
		case end.State == EndDead:
			row.state, row.delivery.Code = memoryDead, end.Code
		default:
			row.delivery.Code, row.due = end.Code, time.Now().Add(end.After)
		}
		m.tx(ctx).put = true // the next one of the group may be due
		return nil
	})
}

// DeadLetters implements Queue.
func (m *Memory) DeadLetters(ctx context.Context, n int) (dead []Delivery, err error) {
	err = m.InTx(ctx, func(context.Context) error {
		for _, row := range m.messages {
			if row.state == memoryDead && len(dead) < n {
				dead = append(dead, row.delivery)
			}
		}
		return nil
	})
	return dead, err
}

// Waiting lists the messages that wait for a try; see Queue.
func (m *Memory) Waiting(ctx context.Context, n int) (list []Delivery, err error) {
	err = m.InTx(ctx, func(context.Context) error {
		for _, row := range m.messages {
			if row.state == memoryWaiting {
				d := row.delivery
				d.Due = row.due
				list = append(list, d)
			}
		}
		return nil
	})
	slices.SortStableFunc(list, func(a, b Delivery) int { return a.Due.Compare(b.Due) })
	return list[:min(len(list), max(n, 0))], err
}

// Backlog counts what is not acknowledged; see Queue.
func (m *Memory) Backlog(ctx context.Context) (b Backlog, err error) {
	err = m.InTx(ctx, func(context.Context) error {
		for _, row := range m.messages {
			switch row.state {
			case memoryWaiting:
				b.Waiting++
				if b.Oldest.IsZero() { // they are in the order of Put
					b.Oldest = row.delivery.Put
				}
			case memoryDead:
				b.Dead++
			case memoryAcknowledged, memoryWithdrawn:
			}
		}
		return nil
	})
	return b, err
}

// Requeue implements Queue.
func (m *Memory) Requeue(ctx context.Context, operation, key string) error {
	return m.InTx(ctx, func(ctx context.Context) error {
		if row := m.message(operation, key); row != nil && row.state == memoryDead {
			m.change(ctx, row)
			row.state, row.delivery.Tries, row.due = memoryWaiting, 0, time.Now()
			m.tx(ctx).put = true
		}
		return nil
	})
}

// String says what it is, never the content.
func (m *Memory) String() string {
	if m == nil {
		return "<nil>"
	}
	return "alipayplus.Memory"
}

// Format prints String for every verb.
func (m *Memory) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, m.String()) }

// LogValue returns String for log/slog.
func (m *Memory) LogValue() slog.Value { return slog.StringValue(m.String()) }
