package mpm_test

import (
	"sync"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
	"github.com/alipayplus-mpp/alipayplus-go/mpm"
)

// database is the wallet's database: one transaction at a time, committed as a
// whole or not at all.
type database struct {
	mu sync.Mutex
	tables
}

type tables struct {
	payments map[string]row
	balances map[string]int64     // customer → smallest units
	ledger   map[string]int64     // key, UNIQUE → what the customer got, negative for a debit
	outbox   map[string]outboxRow // operation and key, UNIQUE
	alarms   map[string]error     // dead letters, by operation and key

	undo []func() // of the transaction that runs
}

// row is a payment: the record as JSON, what only the wallet knows, and columns
// that a job searches by.
type row struct {
	record []byte
	origin mpm.Origin
	state  payment.State
	expiry time.Time
	due    bool // there is something to do again after a crash
}

type outboxRow struct {
	message alipayplus.Message
	tries   int
	due     time.Time // for a row that a worker holds: when another may take it
}

// workerLease is longer than Client.Deliver takes.
const workerLease = 2 * time.Minute

func newDatabase(balances map[string]int64) *database {
	return &database{tables: tables{
		payments: map[string]row{}, balances: balances, ledger: map[string]int64{}, outbox: map[string]outboxRow{}, alarms: map[string]error{},
	}}
}

// transaction undoes what fn did if it returns an error or never returns.
func (db *database) transaction(fn func(*tables) error) (err error) {
	db.mu.Lock()
	defer db.mu.Unlock()
	committed := false
	defer func() {
		for ; !committed && len(db.undo) > 0; db.undo = db.undo[:len(db.undo)-1] {
			db.undo[len(db.undo)-1]()
		}
		db.undo = nil
	}()
	err = fn(&db.tables)
	committed = err == nil
	return err
}

// set writes a row of a table.
func set[V any](t *tables, table map[string]V, key string, v V) {
	t.restore(undo(table, key))
	table[key] = v
}

// remove deletes a row of a table.
func remove[V any](t *tables, table map[string]V, key string) {
	t.restore(undo(table, key))
	delete(table, key)
}

func undo[V any](table map[string]V, key string) func() {
	before, had := table[key]
	return func() {
		if had {
			table[key] = before
		} else {
			delete(table, key)
		}
	}
}

func (t *tables) restore(fn func()) { t.undo = append(t.undo, fn) }

// read looks at the committed tables.
func (db *database) read(fn func(*tables)) {
	db.mu.Lock()
	defer db.mu.Unlock()
	fn(&db.tables)
}

func (t *tables) load(id string) (payment.Record, error) {
	record := payment.Record{Terms: payment.Terms{PaymentRequestID: id}}
	if row, ok := t.payments[id]; ok {
		return record, record.UnmarshalBinary(row.record)
	}
	return record, nil
}

func (t *tables) store(record payment.Record, origin mpm.Origin) error {
	data, err := record.MarshalBinary()
	if known, ok := t.payments[record.PaymentRequestID]; ok {
		origin = known.origin
	}
	expiry, _ := record.ExpiryTime.Time()
	set(t, t.payments, record.PaymentRequestID, row{data, origin, record.State, expiry, len(record.Due()) > 0})
	return err
}

// book moves money, once per key.
func (t *tables) book(key, customer string, amount int64) {
	if _, done := t.ledger[key]; !done {
		set(t, t.ledger, key, amount)
		set(t, t.balances, customer, t.balances[customer]+amount)
	}
}

// settle moves money in the database itself; its end is certain.
func (t *tables) settle(effect payment.Effect) payment.Event {
	switch d := effect.(type) {
	case payment.Debit:
		if t.balances[d.CustomerID] < d.Amount.Minor {
			return payment.Refused{Attempt: d.Attempt, Code: alipayplus.CodeUserBalanceNotEnough, Retry: true}
		}
		t.book(d.Key, d.CustomerID, -d.Amount.Minor)
		return payment.Debited{Attempt: d.Attempt, At: time.Now()}
	case payment.Void:
		return payment.Refused{Attempt: d.Attempt}
	case payment.Credit:
		t.book(d.Key, d.CustomerID, d.Amount.Minor)
		return payment.Credited{Key: d.Key}
	}
	return nil
}

func (r row) untidy() bool {
	return r.due || r.state == payment.StateOpen && time.Now().After(r.expiry)
}

// untidy reports whether tidy has something to do.
func (t *tables) untidy() bool {
	for _, row := range t.payments {
		if row.untidy() {
			return true
		}
	}
	return false
}

// undelivered reports whether deliver has something to do.
func (t *tables) undelivered() bool {
	for _, row := range t.outbox {
		if !row.due.After(time.Now()) {
			return true
		}
	}
	return false
}
