package sqlstore

import (
	"cmp"
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
)

// Outbox is the messages to Alipay+ in the database: what services put, and what
// a Relay delivers.
type Outbox struct{ s *Store }

var (
	_ alipayplus.Outbox = (*Outbox)(nil)
	_ alipayplus.Queue  = (*Outbox)(nil)
)

func (o *Outbox) store() *Store {
	if o == nil {
		return nil
	}
	return o.s
}

// Ready gets a value after a message was put and committed in this process by a
// transaction of the Store, or became due because another one of its group
// ended.
func (o *Outbox) Ready() <-chan struct{} {
	if s := o.store(); s != nil {
		return s.ready
	}
	return nil
}

// change runs a statement and tells Ready after the commit if it changed
// something that can make a message due.
func (o *Outbox) change(ctx context.Context, wakes bool, text string, args ...any) error {
	s := o.store()
	changed, err := s.exec(ctx, text, args...)
	switch {
	case err != nil:
		return err
	case !wakes || changed == 0:
	case s.transaction(ctx) != nil:
		s.transaction(ctx).put = true
	default:
		s.wake()
	}
	return nil
}

// Put implements alipayplus.Outbox.
func (o *Outbox) Put(ctx context.Context, m alipayplus.Message) error {
	if m.Operation == "" || m.Key == "" {
		return errors.New("sqlstore: a message without an operation or a key cannot be put: nothing tells it from others")
	}
	text, err := encodeMessage(m)
	if err == nil {
		err = o.change(ctx, true, o.store().sql().put, column(m.Operation), column(m.Key), column(m.Group), text)
	}
	if err != nil {
		return fmt.Errorf("sqlstore: the message %s %q cannot be put: %w", m.Operation, m.Key, err)
	}
	return nil
}

// Withdraw implements alipayplus.Outbox.
func (o *Outbox) Withdraw(ctx context.Context, operation, key string) error {
	if err := o.change(ctx, true, o.store().sql().withdraw, column(operation), column(key)); err != nil {
		return fmt.Errorf("sqlstore: the message %s %q cannot be withdrawn: %w", operation, key, err)
	}
	return nil
}

// Lease implements alipayplus.Queue.
func (o *Outbox) Lease(ctx context.Context, n int, d time.Duration) ([]alipayplus.Delivery, error) {
	if n <= 0 {
		return nil, nil
	}
	lease := rand.Text()
	var list []message
	var err error
	if s := o.store(); s != nil && !s.parts.returning {
		err = s.InTx(ctx, func(ctx context.Context) error {
			list, err = o.leaseListed(ctx, n, lease, d)
			return err
		})
	} else {
		list, err = query(ctx, s, s.sql().lease, readMessage, n, lease, milliseconds(d))
	}
	if err != nil {
		return nil, fmt.Errorf("sqlstore: no messages can be leased: %w", err)
	}
	return deliveries(list, lease), nil
}

// leaseListed leases without RETURNING: who changes a row has it.
func (o *Outbox) leaseListed(ctx context.Context, n int, lease string, d time.Duration) ([]message, error) {
	texts := o.store().sql()
	due, err := query(ctx, o.store(), texts.dueMessages, func(rows *sql.Rows) (seq any, err error) {
		var n int64
		err = rows.Scan(&n)
		return n, err
	}, n)
	if err != nil || len(due) == 0 {
		return nil, err
	}
	mine, err := o.store().execList(ctx, texts.lease, due, lease, milliseconds(d))
	if err != nil || mine == 0 {
		return nil, err
	}
	return queryList(ctx, o.store(), texts.leased, readMessage, due, lease)
}

// Finish implements alipayplus.Queue.
func (o *Outbox) Finish(ctx context.Context, d alipayplus.Delivery, end alipayplus.End) error {
	texts := o.store().sql()
	args := []any{column(d.Message.Operation), column(d.Message.Key), d.Lease, column(string(end.Code))}
	text := texts.again
	switch end.State {
	case alipayplus.EndAcknowledged:
		text = texts.acknowledge
	case alipayplus.EndDead:
		text = texts.bury
	case alipayplus.EndAgain:
		args = append(args, milliseconds(end.After))
	default:
		return fmt.Errorf("sqlstore: the end %d of a delivery is unknown", end.State)
	}
	if d.Lease == "" && end.State != alipayplus.EndAcknowledged {
		return nil // a dead letter has no lease, and neither has a row that waits
	}
	if err := o.change(ctx, d.Message.Group != "", text, args...); err != nil {
		return fmt.Errorf("sqlstore: the end of the delivery of %s %q cannot be recorded: %w", d.Message.Operation, d.Message.Key, err)
	}
	return nil
}

// DeadLetters implements alipayplus.Queue.
func (o *Outbox) DeadLetters(ctx context.Context, n int) ([]alipayplus.Delivery, error) {
	list, err := query(ctx, o.store(), o.store().sql().deadLetters, readMessage, max(n, 0))
	if err != nil {
		return nil, fmt.Errorf("sqlstore: the dead letters cannot be read: %w", err)
	}
	return deliveries(list, ""), nil
}

// Waiting lists what is not acknowledged; see alipayplus.Queue.
func (o *Outbox) Waiting(ctx context.Context, n int) ([]alipayplus.Delivery, error) {
	list, err := query(ctx, o.store(), o.store().sql().waiting, func(rows *sql.Rows) (d alipayplus.Delivery, err error) {
		var due loose[instant]
		m, err := scanMessage(rows, &due)
		m.delivery.Due = due.value.Time
		return m.delivery, err
	}, max(n, 0))
	if err != nil {
		return nil, fmt.Errorf("sqlstore: the messages that wait cannot be read: %w", err)
	}
	return list, nil
}

// Backlog counts what is not acknowledged; see alipayplus.Queue.
func (o *Outbox) Backlog(ctx context.Context) (b alipayplus.Backlog, err error) {
	_, err = query(ctx, o.store(), o.store().sql().backlog, func(rows *sql.Rows) (state int, err error) {
		var count int
		var oldest loose[instant] // NULL if there are none
		if err := rows.Scan(&state, &count, &oldest); err != nil {
			return state, err
		}
		if state == 0 {
			b.Waiting, b.Oldest = count, oldest.value.Time
		} else {
			b.Dead = count
		}
		return state, nil
	})
	if err != nil {
		return alipayplus.Backlog{}, fmt.Errorf("sqlstore: the messages cannot be counted: %w", err)
	}
	return b, nil
}

// Requeue implements alipayplus.Queue.
func (o *Outbox) Requeue(ctx context.Context, operation, key string) error {
	if err := o.change(ctx, true, o.store().sql().requeue, column(operation), column(key)); err != nil {
		return fmt.Errorf("sqlstore: the message %s %q cannot be put again: %w", operation, key, err)
	}
	return nil
}

// message is a row of alipayplus_outbox.
type message struct {
	seq      int64
	delivery alipayplus.Delivery
}

func readMessage(rows *sql.Rows) (message, error) { return scanMessage(rows) }

// scanMessage reads the columns of a message, and further ones after them.
// Tries, a time or a code that cannot be read (SQLite can hold such values) are
// zero and hold no message up: Alipay+ takes one that it gets twice for one.
func scanMessage(rows *sql.Rows, further ...any) (m message, err error) {
	var seq loose[int64]
	var operation, key, group, text, code loose[string]
	var tries loose[int]
	var put loose[instant]
	columns := []any{&seq, &operation, &key, &group, &text, &tries, &put, &code}
	if err := rows.Scan(append(columns, further...)...); err != nil {
		return message{}, err
	}
	m.seq = seq.value
	m.delivery.Tries, m.delivery.Put, m.delivery.Code = tries.value, put.value.Time, alipayplus.ResultCode(original(code.value))
	row := alipayplus.Message{Operation: original(operation.value), Key: original(key.value), Group: original(group.value)}
	err = errors.Join(seq.err, operation.err, key.err, group.err, text.err)
	if err == nil {
		m.delivery.Message, err = decodeMessage(text.value)
	}
	if err == nil && (m.delivery.Message.Operation != row.Operation || m.delivery.Message.Key != row.Key) {
		err = errors.New("it does not fit its row")
	}
	if err != nil {
		m.delivery.Message = row
		m.delivery.Err = fmt.Errorf("sqlstore: the message %s %q cannot be read: %w", row.Operation, row.Key, err)
	}
	return m, nil
}

// deliveries are those of list, in the order of Put.
func deliveries(list []message, lease string) (all []alipayplus.Delivery) {
	slices.SortFunc(list, func(a, b message) int { return cmp.Compare(a.seq, b.seq) })
	for _, m := range list {
		m.delivery.Lease = lease
		all = append(all, m.delivery)
	}
	return all
}
