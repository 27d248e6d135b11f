// Package sqlstore keeps payments, the outbox and the answers to inbound
// requests in a SQL database: PostgreSQL 13 or later, MySQL 8, MariaDB 10.6 or
// later, or SQLite 3.35 or later. It works on database/sql with the driver of
// your choice; it is tested with jackc/pgx, go-sql-driver/mysql and
// modernc.org/sqlite. With lib/pq and mattn/go-sqlite3 the contract suites passed
// when they were tried; the latter needs [RetryOn].
//
// # What you write
//
// [Schema] returns the tables, for your migration tool; [Migrate] makes them, for
// tests and SQLite. [Open] checks them and returns a [Store]:
//
//	store, err := sqlstore.Open(ctx, db, sqlstore.PostgreSQL)
//
// Give its parts to the services: [Store.Payments] to payment.NewService,
// [Store.Outbox] to alipayplus.NewRelay, [Store.Idempotency] to
// alipayplus.NewHandler. Your money is a [Ledger], whose methods get the
// transaction of the payment; [Store.Ledger] makes a payment.Ledger of it. Call
// [Store.Purge] now and then.
//
// # What you get
//
// A payment, the ledger's entry and the message to Alipay+ change in one
// transaction, or not at all. Updates of one payment run one after the other,
// in all processes. Any number of processes may share the database: each due
// payment and each message is leased to one of them, and goes to another one
// when the lease ends after a crash. Leases and the due times of messages are
// by the clock of the database. When a payment expires, and when its
// RemoteLedger is asked again, is a time of the process that stored it: keep
// the clocks of the processes and of the database within a few seconds.
//
// A payment that is opened, confirmed with its debit, and reported takes 7
// statements in 4 transactions on PostgreSQL, 9 on MySQL, without BEGIN, COMMIT
// and the ledger's own. On MySQL and SQLite a savepoint before the ledger adds
// two.
//
// The table alipayplus_payment has columns for your own queries:
//
//	SELECT payment_request_id, payment_id, customer_id, state,
//		currency, minor_units, paid_at
//	FROM alipayplus_payment ORDER BY updated_at DESC LIMIT 20
//
// They are Alipay+'s id of the payment, the wallet's, the customer's, the state,
// what the customer pays, and when it was paid. Add indexes as you need them, and
// change nothing else. A NUL, a byte that is no UTF-8 and a backslash are \x00,
// \xff and \x5c in a column. The whole record is what Find of [Store.Payments]
// returns. For operators, [Outbox.Waiting] and [Outbox.DeadLetters] list
// messages, and [Outbox.Requeue] sends a dead letter again.
//
// # Transactions
//
// [Store.InTx] runs a function in a transaction, which its context carries; every
// method of the Store joins it, and so do the services. [Tx] returns it for your
// own statements, [Conn] its connection. With [WithTx] everything joins a
// transaction that you began yourself, with sqlc or gorm for example.
//
// Transactions are READ COMMITTED. A transaction locks the payment first, then
// what the ledger locks: keep this order in your own transactions, too. Do not
// use the Store with another context inside of a transaction: it would take a
// second connection and wait for the first one.
//
// After a serialization failure, a deadlock or a lock time-out, the outermost
// transaction runs again, if its rollback is certain, up to 12 times with growing
// random waits. So functions that run in a transaction may run more than once,
// and must not do what a rollback does not undo. If your driver's errors have
// neither SQLState() string (pgx) nor Code() int (modernc.org/sqlite), and are no
// *MySQLError with a Number (go-sql-driver/mysql), say with [RetryOn] which of
// them are conflicts.
//
// A connection whose ROLLBACK or COMMIT failed is closed: in the pool it would
// keep its locks.
//
// A function that joined a transaction and failed leaves it nothing but its
// rollback, even if the error is ignored.
//
// Return the error of every statement of yours, too. After a deadlock MySQL has
// undone the whole transaction, and so has SQLite after a statement that was
// interrupted by its context; then they commit each statement that follows by
// itself. By a savepoint the Store sees that this happened to the ledger, or to
// whoever called [Tx], and nothing of its own is committed; but what you did
// after the error is.
//
// # What can go wrong
//
// An error does not always mean that nothing happened: when the connection
// breaks during a COMMIT, nobody knows. The transaction is not repeated then.
// Ask again: Update sees what was committed, and the keys of ledger entries and
// messages make a repetition harmless.
//
// A time-out of the server (statement_timeout, lock_timeout,
// idle_in_transaction_session_timeout, max_execution_time) and a connection that it
// ends are errors, after which the transaction is undone. Set them as you like.
//
// [Open] refuses a schema that is missing, not whole, too old or too new. A
// record that a newer version of this package wrote is neither read nor changed
// by an older one: during a deployment, the newer processes take care of it.
//
// A row that was damaged is an error for whoever needs it, and for nobody else: a
// payment whose columns contradict its record is neither read nor changed, and a
// message that cannot be read is leased with Delivery.Err and becomes a dead
// letter, with an alarm.
//
// # Crashes and replicas
//
// Alipay+ is told of what was committed, so it must stay committed. Keep what
// makes it so: fsync, full_page_writes and synchronous_commit of PostgreSQL on,
// innodb_flush_log_at_trx_commit and sync_binlog of MySQL at 1. A replica that may
// take over needs each commit before the wallet hears of it:
// synchronous_standby_names on PostgreSQL; on MySQL semi-synchronous replication
// that waits AFTER_SYNC and never gives up waiting. Without that, the last payments
// before a failover are gone from the database, debits and notifications with them,
// and only a comparison with Alipay+'s settlement files shows which.
//
// All statements belong on the primary. [Open] refuses a database that is
// read-only, but it does not see a proxy that sends a SELECT to a replica: there,
// inquiryPayment would say of a payment that was just paid that it does not exist.
//
// # Personal data
//
// A row of alipayplus_payment has all that Alipay+ sent about the payment, the
// buyer and the shipping address if they were there, and the URL of the
// verification page; the scanned code is a digest, and a PIN or an OTP is nowhere.
// A message has its body until it is acknowledged, and an answer to pay has the
// customer's id and that URL. None of it is encrypted, but for messages that a
// Sealer sealed: give the tables to the wallet's program alone and encrypt the disk
// and the backups. There is no function that deletes one customer's rows before
// their time.
//
// # How long rows live
//
// [Store.Purge] deletes, each time a bounded number of rows:
//
//   - messages 30 days after they were acknowledged or withdrawn. They lose their
//     body at once. Until they are deleted, putting them again changes nothing.
//   - payments 400 days after their last change, with their refunds, if nothing
//     of them is open or due. (Alipay+ refunds within 366 days.)
//   - answers to inbound requests after 400 days.
//
// Dead letters stay until they are acknowledged or withdrawn.
//
// # Tests
//
// A test on a SQLite file in t.TempDir needs [Migrate] and [Open]. Do not run it in
// a testing/synctest bubble: the database's clock goes on, so that a message
// that is to be sent again, after two seconds by default, is not due when the
// bubble's time has passed. alipayplus.Memory is at home there.
//
// # PostgreSQL
//
// The encoding of the database and of the connection must be UTF8. The tables are
// found by the search_path. The time zone does not matter, nor does the default
// isolation.
//
// The Store keeps nothing in a session, so that a PgBouncer may give each
// transaction another one. Unless it knows prepared statements
// (max_prepared_statements), let pgx do without:
//
//	db, err := sql.Open("pgx", url+"?default_query_exec_mode=exec")
//
// # MySQL and MariaDB
//
// Give go-sql-driver/mysql interpolateParams=true, which saves two round trips for
// each statement, and clientFoundRows=true, for your ledger:
//
//	address := "wallet:…@tcp(db:3306)/wallet"
//	db, err := sql.Open("mysql", address+"?interpolateParams=true&clientFoundRows=true")
//
// [Open] checks that sql_mode is strict, because MySQL would else cut a key that is
// too long and make one of two, that the connection speaks utf8mb4, that autocommit
// and unique_checks are on, that the default isolation is not READ UNCOMMITTED, and
// that the tables have an engine with transactions. The binary log must not have
// the format STATEMENT, which READ COMMITTED forbids.
//
// Your ledger works at READ COMMITTED, too: change a balance by an UPDATE with a
// condition, and look at the number of rows. Without clientFoundRows that is 0 for
// a debit of zero, which promotions can make: it would look like a balance that is
// too low. The tables of a ledger, and its statements (key is a reserved word, and
// a collation would fold the keys):
//
//	CREATE TABLE account (customer VARBINARY(64), currency CHAR(3),
//		balance BIGINT NOT NULL, PRIMARY KEY (customer, currency)) ENGINE=InnoDB;
//	CREATE TABLE entry (entry_key VARBINARY(1056) PRIMARY KEY,
//		payment_id VARBINARY(64) NOT NULL, customer VARBINARY(64) NOT NULL,
//		minor BIGINT NOT NULL) ENGINE=InnoDB;
//
//	UPDATE account SET balance = balance - ?
//		WHERE customer = ? AND currency = ? AND balance >= ?
//	INSERT INTO account (customer, currency, balance) VALUES (?, ?, ?)
//		ON DUPLICATE KEY UPDATE balance = balance + VALUES(balance)
//	INSERT INTO entry (entry_key, payment_id, customer, minor) VALUES (?, ?, ?, ?)
//
// Ids are VARBINARY, because collations take some texts for one another. Times are
// DATETIME(6) in UTC, and no parameter or result is a time, so that parseTime, loc
// and the time zone of the server do not matter to the Store, nor does
// clientFoundRows. A lock time-out (error 1205) undoes one statement only; the
// Store undoes the whole transaction.
//
// It is tested on MariaDB 10.11. MySQL 8, OceanBase and TiDB are not tested. What was
// chosen with them in mind: no RETURNING, no SKIP LOCKED (TiDB ignores it), no
// window functions, no foreign keys or CHECKs; leases by an UPDATE with a condition
// and its number of rows; inserts with ON DUPLICATE KEY UPDATE, never INSERT IGNORE,
// which hides errors.
//
// # SQLite
//
// One transaction writes at a time. Set a busy_timeout, which Open checks, and the
// write-ahead log, so that readers do not wait; set both in the name of the data
// source, because a PRAGMA that is executed changes one connection of the pool:
//
//	db, err := sql.Open("sqlite", "file:wallet.db?_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)")
//
// With synchronous(NORMAL) a power failure may undo the last transactions; keep
// the default, FULL, where money is real. Each transaction begins with a write, so
// that it waits for its turn at its beginning; begin your own ones so, too, for
// example with _txlock=immediate.
package sqlstore
