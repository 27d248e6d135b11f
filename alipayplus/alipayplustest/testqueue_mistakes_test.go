package alipayplustest_test

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/alipayplustest"
	"github.com/alipayplus-mpp/alipayplus-go/internal/testkit"
)

// queueMistakes are what an author of an outbox or a queue gets wrong, each
// once. TestOutbox or TestQueue must fail for every one of them.
var queueMistakes = []string{
	"forgets the group",
	"forgets the time-out",
	"puts twice",
	"replaces a message",
	"puts an acknowledged message again",
	"puts a withdrawn message again",
	"puts a message without a key",
	"ignores the operation",
	"joins operation and key",
	"ignores the case of keys",
	"trims keys",
	"cuts keys at NUL",
	"puts outside of the transaction",
	"withdraws outside of the transaction",
	"hides the error of the transaction",
	"forgets that a joined function failed",
	"fails to withdraw what is not there",
	"does not withdraw",
	"does not withdraw a dead letter",
	"withdraws what is acknowledged, so that it can be leased",
	"leases twice",
	"leases more than it was asked for",
	"never ends a lease",
	"does not count tries",
	"names all leases alike",
	"ignores an acknowledgement after the lease was lost",
	"lets a lost lease end the new one",
	"buries after the lease was lost",
	"takes a dead letter for a lease",
	"does not wait before it delivers again",
	"forgets the code",
	"forgets when a message was put",
	"leases dead letters",
	"lists dead letters without their body",
	"lists dead letters backwards",
	"lists too many dead letters",
	"keeps the tries at Requeue",
	"requeues what is leased",
	"fails to requeue what is not there",
	"leases a group at once",
	"lets a group overtake what is delivered again",
	"holds a group up with a dead letter",
	"ignores the lease of a withdrawn message",
	"ignores the lease of a later message",
	"ignores the lease of an acknowledged message",
	"keeps the lease of an acknowledged message",
	"holds up messages without a group",
	"ignores the case of groups",
	"counts dead letters as waiting",
	"counts only what is due",
	"takes the youngest for the oldest",
	"lists what waits by its age",
	"lists only what is due",
	"lists too much that waits",
	"forgets when a message is due",
	"lists what waits with its lease",
	"lists dead letters as waiting",
	"cuts bodies at a character beyond the first plane",
	"cuts bodies at 64 KiB",
	"cuts URLs at 255",
	"composes the characters of keys",
	"has no characters beyond the first plane in keys",
	"remembers a withdrawal of what is not there",
	"withdraws what is like the key",
	"withdraws every operation with the key",
	"does not withdraw what the same transaction put",
	"says that a message is put when it is not",
	"says that a message is withdrawn when it is not",
	"commits what was put before a panic",
	"delivers before the commit",
	"finishes every operation with the key",
	"requeues every operation with the key",
	"requeues at the end of the group",
	"orders a group by key",
	"leaves out busy groups after it took the first",
	"leases the youngest first",
	"leases by key",
	"counts the age from the last lease",
	"puts twice, when calls meet",
	"leases twice, when workers meet",
	"leases a group twice, when workers meet",
	"takes an End for the new lease, when they meet",
	"forgets a message that is leased, when its worker dies",
	"loses the group of what is delivered again",
	"keeps a withdrawn message of a group in its way",
}

type soundMessage struct {
	alipayplus.Delivery
	state string // "" waits, "acknowledged", "withdrawn", "dead"
	due   time.Time
}

// early are messages that a broker has before the commit.
type early struct {
	mu   sync.Mutex
	list []alipayplus.Message
}

// soundQueue is an outbox and a queue, with a place for each mistake.
type soundQueue struct {
	mu      sync.Mutex
	rows    []*soundMessage
	leases  int
	mistake string
	early   early
	gone    map[string]bool // withdrawn before they were put
	base    int             // how many rows there were before this transaction
}

type soundTx struct{}

func (q *soundQueue) is(mistake string) bool { return q.mistake == mistake }

// InTx runs fn alone.
func (q *soundQueue) InTx(ctx context.Context, fn func(context.Context) error) error {
	if outer, ok := ctx.Value(soundTx{}).(*error); ok {
		if err := fn(ctx); err != nil && !q.is("forgets that a joined function failed") {
			*outer = err
		}
		return *outer
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.base = len(q.rows)
	var before []soundMessage
	for _, row := range q.rows {
		before = append(before, *row)
	}
	undo := func() {
		rows := q.rows
		q.rows = nil
		for i, row := range before {
			if q.is("withdraws outside of the transaction") {
				row = *rows[i]
			}
			q.rows = append(q.rows, &row)
		}
		if q.is("puts outside of the transaction") {
			q.rows = append(q.rows, rows[len(before):]...)
		}
	}
	returned := false
	defer func() {
		if !returned && !q.is("commits what was put before a panic") {
			undo()
		}
		q.early.mu.Lock()
		q.early.list = nil
		q.early.mu.Unlock()
	}()
	var failed error
	err := fn(context.WithValue(ctx, soundTx{}, &failed))
	returned = true
	if err == nil {
		err = failed
	}
	if err != nil {
		undo()
	}
	if q.is("hides the error of the transaction") {
		return nil
	}
	return err
}

func (q *soundQueue) name(operation, key string) string {
	switch q.mistake {
	case "ignores the operation":
		return key
	case "joins operation and key":
		return operation + key
	case "ignores the case of keys":
		key = strings.ToLower(key)
	case "trims keys":
		key = strings.TrimSpace(key)
	case "cuts keys at NUL":
		key, _, _ = strings.Cut(key, "\x00")
	case "composes the characters of keys":
		key = strings.ReplaceAll(key, "a\u0301", "á")
	case "has no characters beyond the first plane in keys":
		key = firstPlane(key)
	}
	return operation + "|" + key
}

// firstPlane replaces the characters that need four bytes.
func firstPlane(text string) string {
	return strings.Map(func(r rune) rune {
		if r > 0xffff {
			return '?'
		}
		return r
	}, text)
}

// look lets others in between reading and writing, if nothing else is joined.
func (q *soundQueue) look(mistake string) {
	if q.is(mistake) {
		q.mu.Unlock()
		time.Sleep(time.Millisecond)
		q.mu.Lock()
	}
}

func (q *soundQueue) row(operation, key string) *soundMessage {
	for _, row := range q.rows {
		if q.name(row.Message.Operation, row.Message.Key) == q.name(operation, key) {
			return row
		}
	}
	return nil
}

func (q *soundQueue) Put(ctx context.Context, m alipayplus.Message) error {
	if (m.Operation == "" || m.Key == "") && !q.is("puts a message without a key") {
		return errors.New("a message needs a key")
	}
	if err := ctx.Err(); err != nil {
		if q.is("says that a message is put when it is not") {
			return nil
		}
		return err
	}
	return q.InTx(ctx, func(context.Context) error {
		switch {
		case q.is("cuts bodies at a character beyond the first plane"):
			body := m.Body.Reveal()
			if at := strings.IndexFunc(body, func(r rune) bool { return r > 0xffff }); at >= 0 {
				m.Body = alipayplus.Conceal(body[:at])
			}
		case q.is("cuts bodies at 64 KiB"):
			m.Body = alipayplus.Conceal(m.Body.Reveal()[:min(len(m.Body.Reveal()), 1<<16-1)])
		case q.is("cuts URLs at 255"):
			m.URL = m.URL[:min(len(m.URL), 255)]
		case q.is("delivers before the commit"):
			q.early.mu.Lock()
			q.early.list = append(q.early.list, m)
			q.early.mu.Unlock()
		case q.gone[q.name(m.Operation, m.Key)]:
			return nil
		}
		if q.is("forgets the group") {
			m.Group = ""
		}
		if q.is("forgets the time-out") {
			m.Timeout = 0
		}
		if row := q.row(m.Operation, m.Key); row != nil && !q.is("puts twice") {
			switch {
			case q.is("replaces a message"):
				row.Message = m
			case q.is("puts an acknowledged message again") && row.state == "acknowledged",
				q.is("puts a withdrawn message again") && row.state == "withdrawn":
				row.state, row.due = "", time.Now()
			}
			return nil
		}
		q.look("puts twice, when calls meet")
		row := &soundMessage{Delivery: alipayplus.Delivery{Message: m, Put: time.Now()}, due: time.Now()}
		if q.is("forgets when a message was put") {
			row.Put = time.Time{}
		}
		q.rows = append(q.rows, row)
		return nil
	})
}

func (q *soundQueue) Withdraw(ctx context.Context, operation, key string) error {
	if err := ctx.Err(); err != nil {
		if q.is("says that a message is withdrawn when it is not") {
			return nil
		}
		return err
	}
	joined := ctx.Value(soundTx{}) != nil
	return q.InTx(ctx, func(context.Context) error {
		for _, row := range q.rows {
			like, _ := path.Match(strings.NewReplacer("_", "?", "%", "*").Replace(key), row.Message.Key)
			if q.is("withdraws what is like the key") && like && row.Message.Operation == operation ||
				q.is("withdraws every operation with the key") && row.Message.Key == key {
				row.state = "withdrawn"
			}
		}
		row := q.row(operation, key)
		switch {
		case row == nil && q.is("remembers a withdrawal of what is not there"):
			q.gone[q.name(operation, key)] = true
		case joined && q.is("does not withdraw what the same transaction put") && slices.Index(q.rows, row) >= q.base:
		case row == nil && q.is("fails to withdraw what is not there"):
			return errors.New("there is none")
		case row == nil, q.is("does not withdraw"):
		case row.state == "dead" && q.is("does not withdraw a dead letter"):
		case row.state == "acknowledged" && q.is("withdraws what is acknowledged, so that it can be leased"):
			row.state = ""
		case row.state != "acknowledged":
			row.state = "withdrawn"
		}
		return nil
	})
}

func (q *soundQueue) Lease(ctx context.Context, n int, d time.Duration) (list []alipayplus.Delivery, err error) {
	q.early.mu.Lock()
	for _, m := range q.early.list {
		list = append(list, alipayplus.Delivery{Message: m})
	}
	q.early.mu.Unlock()
	if len(list) > 0 {
		return list, nil
	}
	return list, q.InTx(ctx, func(context.Context) error {
		now, blocked := time.Now(), make(map[string]bool)
		group := func(row *soundMessage) string {
			if q.is("ignores the case of groups") {
				return strings.ToLower(row.Message.Group)
			}
			return row.Message.Group
		}
		for _, row := range q.rows {
			runs := row.Lease != "" && row.due.After(now)
			switch {
			case q.is("ignores the lease of a " + row.state + " message"), q.is("ignores the lease of an " + row.state + " message"),
				q.is("ignores the lease of a later message") && row.state == "":
				runs = false
			}
			blocked[group(row)] = blocked[group(row)] || runs
		}
		rows := slices.Clone(q.rows)
		switch {
		case q.is("orders a group by key"), q.is("leases by key"):
			slices.SortStableFunc(rows, func(a, b *soundMessage) int {
				if q.is("orders a group by key") && (group(a) == "" || group(a) != group(b)) {
					return 0
				}
				return strings.Compare(a.Message.Key, b.Message.Key)
			})
		case q.is("leases the youngest first"):
			slices.SortStableFunc(rows, func(a, b *soundMessage) int {
				if group(a) != "" || group(b) != "" {
					return 0
				}
				return b.Put.Compare(a.Put)
			})
		}
		taken := 0
		for _, row := range rows {
			waits := row.state == "" || row.state == "dead" && q.is("leases dead letters")
			free := !row.due.After(now) || q.is("leases twice")
			if waits && free {
				if taken++; taken > n && q.is("leaves out busy groups after it took the first") {
					break
				}
			}
			if waits && free && len(list) < n && (group(row) == "" || !blocked[group(row)]) {
				q.look("leases twice, when workers meet")
				if group(row) != "" {
					q.look("leases a group twice, when workers meet")
				}
			}
			ordered := group(row) != "" || q.is("holds up messages without a group")
			if waits && free && (!ordered || !blocked[group(row)] || q.is("leases a group at once")) &&
				(len(list) < n || q.is("leases more than it was asked for")) {
				if q.leases++; !q.is("does not count tries") {
					row.Tries++
				}
				if row.Lease = fmt.Sprint(q.leases); q.is("names all leases alike") {
					row.Lease = "lease"
				}
				if row.due = now.Add(d); q.is("never ends a lease") {
					row.due = now.Add(time.Hour)
				}
				delivery := row.Delivery
				list = append(list, delivery)
				switch {
				case q.is("counts the age from the last lease"):
					row.Put = now
				case q.is("forgets a message that is leased, when its worker dies"):
					row.due = now.Add(d + time.Hour)
				}
			}
			if row.state == "withdrawn" && q.is("keeps a withdrawn message of a group in its way") ||
				row.state == "" && (free || !q.is("lets a group overtake what is delivered again")) || row.state == "dead" && q.is("holds a group up with a dead letter") {
				blocked[group(row)] = true
			}
		}
		return nil
	})
}

func (q *soundQueue) Finish(ctx context.Context, d alipayplus.Delivery, end alipayplus.End) error {
	return q.InTx(ctx, func(context.Context) error {
		row := q.row(d.Message.Operation, d.Message.Key)
		if row == nil {
			return nil
		}
		for _, other := range q.rows {
			if q.is("finishes every operation with the key") && other.Message.Key == d.Message.Key && end.State == alipayplus.EndAcknowledged {
				other.state = "acknowledged"
			}
		}
		mine := row.Lease == d.Lease && (d.Lease != "" || q.is("takes a dead letter for a lease")) || q.is("lets a lost lease end the new one")
		if mine && end.State == alipayplus.EndAgain && q.is("loses the group of what is delivered again") {
			row.Message.Group = ""
		}
		if end.State != alipayplus.EndAcknowledged {
			q.look("takes an End for the new lease, when they meet")
		}
		if mine && !(row.state == "acknowledged" && q.is("keeps the lease of an acknowledged message")) {
			row.Lease = ""
		}
		code := end.Code
		if q.is("forgets the code") {
			code = ""
		}
		switch {
		case row.state == "acknowledged":
		case end.State == alipayplus.EndAcknowledged && (mine || !q.is("ignores an acknowledgement after the lease was lost")):
			row.state, row.Code = "acknowledged", code
		case row.state != "" || !mine && !q.is("buries after the lease was lost"):
		case end.State == alipayplus.EndDead:
			row.state, row.Code = "dead", code
			if q.is("lists dead letters without their body") {
				row.Message.Body = alipayplus.Secret{}
			}
		case mine:
			if row.due, row.Code = time.Now().Add(end.After), code; q.is("does not wait before it delivers again") {
				row.due = time.Now()
			}
		}
		return nil
	})
}

func (q *soundQueue) DeadLetters(ctx context.Context, n int) (list []alipayplus.Delivery, err error) {
	return list, q.InTx(ctx, func(context.Context) error {
		for _, row := range q.rows {
			if row.state == "dead" && (len(list) < n || q.is("lists too many dead letters")) {
				list = append(list, row.Delivery)
			}
		}
		if q.is("lists dead letters backwards") {
			slices.Reverse(list)
		}
		return nil
	})
}

func (q *soundQueue) Waiting(_ context.Context, n int) (list []alipayplus.Delivery, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, row := range q.rows {
		switch {
		case row.state == "dead" && q.is("lists dead letters as waiting"):
		case row.state != "", q.is("lists only what is due") && row.due.After(time.Now()):
			continue
		}
		d := row.Delivery
		d.Due = row.due
		if !q.is("lists what waits with its lease") {
			d.Lease = ""
		}
		list = append(list, d)
	}
	if !q.is("lists what waits by its age") {
		slices.SortStableFunc(list, func(a, b alipayplus.Delivery) int { return a.Due.Compare(b.Due) })
	}
	if q.is("forgets when a message is due") {
		for i := range list {
			list[i].Due = list[i].Put
		}
	}
	if !q.is("lists too much that waits") {
		list = list[:min(n, len(list))]
	}
	return list, nil
}

func (q *soundQueue) Backlog(context.Context) (b alipayplus.Backlog, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, row := range q.rows {
		switch {
		case row.state == "dead" && !q.is("counts dead letters as waiting"):
			b.Dead++
		case row.state != "" && row.state != "dead":
		case row.due.After(time.Now()) && q.is("counts only what is due"):
		default:
			b.Waiting++
			if b.Oldest.IsZero() || q.is("takes the youngest for the oldest") {
				b.Oldest = row.Put
			}
		}
	}
	return b, nil
}

func (q *soundQueue) Requeue(ctx context.Context, operation, key string) error {
	return q.InTx(ctx, func(context.Context) error {
		row := q.row(operation, key)
		for i, other := range q.rows {
			switch {
			case q.is("requeues every operation with the key") && other.Message.Key == key && other.state == "dead":
				other.state, other.due, other.Tries = "", time.Now(), 0
			case q.is("requeues at the end of the group") && other == row && row.state == "dead" && row.Message.Group != "":
				q.rows = append(slices.Delete(slices.Clone(q.rows), i, i+1), row)
			}
		}
		switch {
		case row == nil && q.is("fails to requeue what is not there"):
			return errors.New("there is none")
		case row == nil:
		case row.state == "dead", row.state == "" && q.is("requeues what is leased"):
			if row.state, row.due = "", time.Now(); !q.is("keeps the tries at Requeue") {
				row.Tries = 0
			}
		}
		return nil
	})
}

func queueContracts(t *testing.T, mistake string) {
	t.Run("outbox", func(t *testing.T) {
		alipayplustest.TestOutbox(t, func(t *testing.T) alipayplustest.OutboxTest {
			q := &soundQueue{mistake: mistake, gone: map[string]bool{}}
			return alipayplustest.OutboxTest{Outbox: q, InTx: q.InTx, Pending: func(t *testing.T) (list []alipayplus.Message) {
				leased, err := q.Lease(t.Context(), 1000, 0)
				if err != nil {
					t.Fatal(err)
				}
				for _, d := range leased {
					list = append(list, d.Message)
				}
				return list
			}}
		})
	})
	t.Run("queue", func(t *testing.T) {
		alipayplustest.TestQueue(t, func(*testing.T) (alipayplus.Outbox, alipayplus.Queue) {
			q := &soundQueue{mistake: mistake, gone: map[string]bool{}}
			return q, q
		})
	})
}

// A queue without a mistake passes.
func TestSoundQueue(t *testing.T) { queueContracts(t, "") }

func TestQueueFindsMistakes(t *testing.T) {
	t.Parallel()
	testkit.FindsMistakes(t, queueMistakes, queueContracts)
}
