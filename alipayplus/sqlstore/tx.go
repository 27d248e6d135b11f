package sqlstore

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"strings"

	"github.com/alipayplus-mpp/alipayplus-go/internal/mysqlerr"
)

// transaction is what a context carries.
type transaction struct {
	of     *Store    // nil: the host's own, of WithTx
	conn   *sql.Conn // nil: the host's own
	tx     *sql.Tx
	failed error // a joined function failed: only a rollback is left
	put    bool
	over   bool

	fragile bool // see parts
	marked  bool // it has a savepoint; see mark

	inserted []string // the paymentRequestIds of new payments
}

type transactionKey struct{}

// everyStoreKey is for the *transaction of a Store that every Store joins.
type everyStoreKey struct{}

func carried(ctx context.Context) *transaction {
	if t, ok := ctx.Value(transactionKey{}).(*transaction); ok && !t.over {
		return t
	}
	return nil
}

// transaction is the one of ctx that s joins, or nil.
func (s *Store) transaction(ctx context.Context) *transaction {
	if t := carried(ctx); t != nil && (t.of == nil || t.of == s || ctx.Value(everyStoreKey{}) == t) {
		return t
	}
	return nil
}

// WithTx returns a context with which every Store works in tx, a transaction of
// your own on the Store's database, and leaves the commit to you. If something
// fails in it, tx is rolled back at once, so that half of it cannot be
// committed; then begin again with a new one. Two more duties are yours then: run
// it again after a conflict, and call Relay.Wake after the commit. A conflict is
// what your driver reports, and, on MySQL too, an error with SQLState() "40001":
// two transactions wrote the first record of one payment. Begin it with
// sql.LevelReadCommitted on PostgreSQL and MySQL, and on SQLite with a statement
// that writes.
//
// ctx may carry tx already. Pass the context on to whatever works in tx: with
// two of them that do not know of each other, an Update inside of an Update of
// the same new payment would look like a conflict.
func WithTx(ctx context.Context, tx *sql.Tx) context.Context {
	switch t := carried(ctx); {
	case t == nil || t.tx != tx:
		return context.WithValue(ctx, transactionKey{}, &transaction{tx: tx})
	case t.of == nil:
		return ctx
	default:
		return context.WithValue(ctx, everyStoreKey{}, t)
	}
}

// Tx returns the transaction that ctx carries. Do not end it, and return the
// error of every statement. On MySQL and SQLite it sets a savepoint named
// alipayplus.
func Tx(ctx context.Context) (*sql.Tx, error) {
	t := carried(ctx)
	switch {
	case t == nil:
		return nil, errNoTx
	case t.tx == nil:
		return nil, errNilTx
	case t.failed != nil:
		return nil, t.failed
	}
	if err := t.mark(ctx); err != nil {
		t.fail(err)
		return nil, err
	}
	return t.tx, nil
}

// mark sets a savepoint, before somebody else works in a fragile transaction.
func (t *transaction) mark(ctx context.Context) error {
	if !t.fragile || t.marked {
		return nil
	}
	_, err := t.tx.ExecContext(ctx, `SAVEPOINT alipayplus`)
	t.marked = err == nil
	return err
}

// whole finds out whether t is still there: whoever got it may have ignored the
// error that undid it, and with the transaction its savepoint is gone.
func (t *transaction) whole(ctx context.Context) error {
	if !t.marked {
		return nil
	}
	t.marked = false
	_, err := t.tx.ExecContext(ctx, `RELEASE SAVEPOINT alipayplus`)
	if mysqlerr.Number(err) == mysqlerr.NoSavepoint || err != nil && strings.Contains(err.Error(), "no such savepoint") { // SQLite has no number for it
		return gone{}
	}
	return err
}

// Conn returns the connection on which a Store began the transaction that ctx
// carries. What its method Raw does with the driver's own connection, a pgx.Batch
// for example, is part of the transaction. A transaction of WithTx has none.
func Conn(ctx context.Context) (*sql.Conn, error) {
	if _, err := Tx(ctx); err != nil {
		return nil, err
	}
	t := carried(ctx)
	if t.conn == nil {
		return nil, errNoConn
	}
	return t.conn, nil
}

var (
	errNoTx   = errors.New("sqlstore: the context carries no transaction; use the context that InTx, the ledger or OnChange gives you, and not after it ended")
	errNilTx  = errors.New("sqlstore: WithTx got a transaction that is nil")
	errNoConn = errors.New("sqlstore: the transaction is one of WithTx; only whoever began it has its connection")
	errNilFn  = errors.New("sqlstore: InTx needs a function")
)

// InTx runs fn in a transaction, which the context of fn carries. An error or a
// panic of fn undoes everything, and the error is returned as it is. After a
// conflict with another transaction, fn runs again, a bounded number of times.
//
// If ctx carries a transaction already, fn joins it, and an error of fn leaves
// that one nothing but its rollback.
//
// An error does not always mean that nothing happened: if the connection breaks
// during the commit, nobody knows.
func (s *Store) InTx(ctx context.Context, fn func(context.Context) error) error {
	switch {
	case s == nil:
		return errNilStore
	case fn == nil:
		return errNilFn
	}
	if t := s.transaction(ctx); t != nil {
		return s.join(ctx, t, func() error { return fn(ctx) })
	}
	return repeat(ctx, func() (bool, error) { return s.once(ctx, fn) })
}

// join runs fn in t.
func (s *Store) join(ctx context.Context, t *transaction, fn func() error) error {
	if t.tx == nil {
		return errNilTx
	}
	if t.failed != nil {
		return t.failed
	}
	returned := false
	defer func() {
		if !returned { // fn panics
			t.fail(errors.New("sqlstore: the transaction failed in a panic"))
		}
	}()
	if s.parts.fragile && !t.fragile { // a transaction of WithTx
		t.fragile = true
	}
	err := t.whole(ctx)
	if err == nil {
		err = fn()
	}
	if err == nil {
		err = t.failed
	}
	if err == nil {
		err = t.whole(ctx)
	}
	returned = true
	if err != nil {
		t.fail(err)
	}
	return err
}

// fail leaves t nothing but its rollback.
func (t *transaction) fail(err error) {
	if t.failed != nil {
		return
	}
	t.failed = err
	if t.of == nil {
		_ = t.tx.Rollback() // the host cannot commit it any more
	}
}

// once is one try of a transaction. again says that a conflict undid it for
// certain.
func (s *Store) once(ctx context.Context, fn func(context.Context) error) (again bool, err error) {
	conn, err := s.db.Conn(ctx)
	if err != nil {
		return false, fmt.Errorf("sqlstore: no connection: %w", err)
	}
	defer func() { _ = conn.Close() }()
	tx, err := conn.BeginTx(ctx, &sql.TxOptions{Isolation: s.parts.isolation})
	if err != nil {
		// A connection that broke in the pool is replaced by another one.
		return s.conflict(err) || errors.Is(err, driver.ErrBadConn), fmt.Errorf("sqlstore: no transaction: %w", err)
	}
	t := &transaction{of: s, conn: conn, tx: tx, fragile: s.parts.fragile}
	ended := false
	defer func() {
		t.over = true
		if !ended && tx.Rollback() != nil { // fn panics
			discard(conn)
		}
	}()
	err = s.run(context.WithValue(ctx, transactionKey{}, t), t, fn)
	ended, t.over = true, true
	if err != nil {
		undone := tx.Rollback()
		if undone != nil {
			discard(conn)
		}
		return undone == nil && s.conflict(err), err
	}
	if err := tx.Commit(); err != nil {
		undone := false
		if s.parts.rollback {
			_, failed := conn.ExecContext(context.WithoutCancel(ctx), "ROLLBACK")
			undone = failed == nil
		}
		if !undone {
			discard(conn)
		}
		// Only a conflict proves that nothing was committed.
		return s.conflict(err), fmt.Errorf("sqlstore: the commit failed, what became of the transaction is not known: %w", err)
	}
	if t.put {
		s.wake()
	}
	return false, nil
}

// discard closes a connection that may still have its transaction, with all its
// locks, instead of giving it back to the pool.
func discard(conn *sql.Conn) {
	_ = conn.Raw(func(any) error { return driver.ErrBadConn })
}

// run is the inside of a transaction.
func (s *Store) run(ctx context.Context, t *transaction, fn func(context.Context) error) error {
	if s.parts.begin != "" {
		if _, err := t.tx.ExecContext(ctx, s.parts.begin); err != nil {
			return fmt.Errorf("sqlstore: no transaction: %w", err)
		}
	}
	err := fn(ctx)
	if err == nil {
		err = t.failed
	}
	if err == nil {
		err = t.whole(ctx)
	}
	return err
}

// database is a *sql.DB or a *sql.Tx.
type database interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// statement runs one statement in the transaction of ctx, or in one of its own,
// again after a conflict.
func (s *Store) statement(ctx context.Context, fn func(database) error) error {
	if t := s.transaction(ctx); t != nil {
		return s.join(ctx, t, func() error { return fn(t.tx) })
	}
	return repeat(ctx, func() (bool, error) {
		err := fn(s.db)
		return s.conflict(err), err
	})
}

// exec runs a statement and returns how many rows it changed.
func (s *Store) exec(ctx context.Context, text string, args ...any) (rows int64, err error) {
	return s.execList(ctx, text, nil, args...)
}

// execList is exec with what the statement lists.
func (s *Store) execList(ctx context.Context, text string, list []any, args ...any) (rows int64, err error) {
	if s == nil {
		return 0, errNilStore
	}
	text, args = s.parts.bind(text, list, args)
	err = s.statement(ctx, func(db database) error {
		done, err := db.ExecContext(ctx, text, args...)
		if err != nil {
			return err
		}
		rows, err = done.RowsAffected()
		return err
	})
	return rows, err
}

// insert inserts a row on MySQL, unless it is there. (The number of rows does not
// tell: it may count those that were found.)
func (s *Store) insert(ctx context.Context, text string, args ...any) (inserted bool, err error) {
	text, args = s.parts.bind(text, nil, args)
	err = s.statement(ctx, func(db database) error {
		_, err := db.ExecContext(ctx, text, args...)
		inserted = err == nil
		if mysqlerr.Number(err) == mysqlerr.Duplicate {
			return nil
		}
		return err
	})
	return inserted, err
}

// query runs a statement and reads each row of its answer.
func query[T any](ctx context.Context, s *Store, text string, read func(*sql.Rows) (T, error), args ...any) (list []T, err error) {
	return queryList(ctx, s, text, read, nil, args...)
}

// queryList is query with what the statement lists.
func queryList[T any](ctx context.Context, s *Store, text string, read func(*sql.Rows) (T, error), listed []any, args ...any) (list []T, err error) {
	if s == nil {
		return nil, errNilStore
	}
	text, args = s.parts.bind(text, listed, args)
	err = s.statement(ctx, func(db database) error {
		list = nil
		rows, err := db.QueryContext(ctx, text, args...)
		if err != nil {
			return err
		}
		defer func() { _ = rows.Close() }()
		for rows.Next() {
			row, err := read(rows)
			if err != nil {
				return err
			}
			list = append(list, row)
		}
		if err := rows.Err(); err != nil {
			return err
		}
		return rows.Close()
	})
	if err != nil {
		return nil, err
	}
	return list, nil
}

// count returns how many rows a query finds.
func (s *Store) count(ctx context.Context, text string, args ...any) (int64, error) {
	rows, err := query(ctx, s, text, readInt, args...)
	return int64(len(rows)), err
}

func readInt(rows *sql.Rows) (n int64, err error) {
	err = rows.Scan(&n)
	return n, err
}
