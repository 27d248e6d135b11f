package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/payment"
)

// Store is the tables of this package in one database. Any number of goroutines
// and processes may use them. Make one with Open.
type Store struct {
	db        *sql.DB
	dialect   Dialect
	parts     *parts
	texts     statements
	conflicts func(error) bool
	ready     chan struct{}
}

// Option changes what Open makes.
type Option func(*Store)

// RetryOn adds to the errors after which a transaction runs again. conflict
// reports whether err says that the database undid the transaction because of
// another one: a serialization failure, a deadlock, a lock time-out. It must
// not report so for a connection that broke. Only a driver needs it whose errors
// have neither SQLState() string nor Code() int and are no *MySQLError with a
// Number.
func RetryOn(conflict func(err error) bool) Option {
	return func(s *Store) {
		if conflict != nil {
			s.conflicts = conflict
		}
	}
}

// Open returns the Store in db. It checks that the database can be used and that
// it has the schema of this version; it changes nothing.
func Open(ctx context.Context, db *sql.DB, d Dialect, opts ...Option) (*Store, error) {
	p, err := d.parts()
	if err != nil {
		return nil, err
	}
	if db == nil {
		return nil, errors.New("sqlstore: Open needs a database; db is nil")
	}
	if err := p.check(ctx, db); err != nil {
		return nil, err
	}
	if err := p.checkSchema(ctx, db); err != nil {
		return nil, err
	}
	s := &Store{
		db:        db,
		dialect:   d,
		parts:     p,
		texts:     p.translated(),
		conflicts: func(error) bool { return false },
		ready:     make(chan struct{}, 1),
	}
	for _, opt := range opts {
		if opt != nil {
			opt(s)
		}
	}
	return s, nil
}

// Payments returns the payments, for payment.ServiceConfig.Records.
func (s *Store) Payments() payment.Records { return payments{s} }

// Idempotency returns the answers to inbound requests, for
// alipayplus.HandlerConfig.Idempotency.
func (s *Store) Idempotency() alipayplus.IdempotencyStore { return idempotency{s} }

// Outbox returns the messages to Alipay+, for alipayplus.RelayConfig.Queue.
func (s *Store) Outbox() *Outbox { return &Outbox{s} }

// Dialect is the kind of database, 0 for a nil Store.
func (s *Store) Dialect() Dialect {
	if s == nil {
		return 0
	}
	return s.dialect
}

// String names the kind of database.
func (s *Store) String() string {
	if s == nil {
		return "<nil>"
	}
	return fmt.Sprintf("sqlstore.Store{%s}", s.parts.name)
}

// sql is the statements of s.
func (s *Store) sql() *statements {
	if s == nil {
		return new(statements) // which nobody carries out
	}
	return &s.texts
}

var errNilStore = errors.New("sqlstore: the Store is nil; make one with Open")

// wake tells that messages were put and committed.
func (s *Store) wake() {
	select {
	case s.ready <- struct{}{}:
	default: // it was told already
	}
}
