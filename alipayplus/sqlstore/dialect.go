package sqlstore

import (
	"context"
	"database/sql"
	_ "embed"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Dialect is a kind of database.
type Dialect uint8

// The dialects.
const (
	PostgreSQL Dialect = iota + 1 // 13 or later
	SQLite                        // 3.35 or later
	MySQL                         // MySQL 8, MariaDB 10.6, or later
)

// String is the name of the database.
func (d Dialect) String() string {
	if p, err := d.parts(); err == nil {
		return p.name
	}
	return fmt.Sprintf("Dialect(%d)", uint8(d))
}

// parts is what differs between databases.
type parts struct {
	name      string
	schema    string
	isolation sql.IsolationLevel
	// begin is the first statement of each transaction; "" for none.
	begin string
	// statements are the templates, if they differ from those of the others.
	statements func() statements
	// lockSchema lets one Migrate run at a time, until its transaction or
	// unlockSchema ends it; "" for none.
	lockSchema, unlockSchema string
	// hasSchema tells whether there is a table alipayplus_schema.
	hasSchema string
	// check finds out whether the database can be used.
	check func(ctx context.Context, db *sql.DB) error
	// time is t as a parameter; the zero time is NULL.
	time func(t time.Time) any
	// words replaces the words with an @ in the statements.
	words *strings.Replacer
	// oneStatement: an UPDATE can return values from before it, so that one
	// statement leases payments.
	oneStatement bool
	// positional: parameters are ? and have no numbers.
	positional bool
	// returning: there are RETURNING and ON CONFLICT, and a statement counts the
	// rows that it changed, not those that it found.
	returning bool
	// fragile: an error may undo the whole transaction (a deadlock of MySQL, a
	// statement of SQLite that is interrupted), and what follows is committed
	// statement by statement.
	fragile bool
	// rollback: a COMMIT that met a conflict leaves the transaction open.
	rollback bool
}

var (
	//go:embed postgresql.sql
	postgresqlSchema string
	//go:embed sqlite.sql
	sqliteSchema string
)

var postgresql = parts{
	name:   "PostgreSQL",
	schema: postgresqlSchema,
	// Under a stricter level, transactions that wait for one row would fail
	// instead of working with what the other one left.
	isolation:  sql.LevelReadCommitted,
	lockSchema: `SELECT pg_advisory_xact_lock(7308324465)`,
	hasSchema:  `SELECT count(*) FROM (SELECT to_regclass('alipayplus_schema') AS found) t WHERE found IS NOT NULL`,
	check:      checkPostgreSQL,
	time: func(t time.Time) any {
		if t.IsZero() {
			return nil
		}
		return t.UTC() // a driver may send the offset as text, and there is none of 16 hours
	},
	words: strings.NewReplacer(
		// The time of the statement, not of the transaction, which may have
		// waited for a lock. (An index cannot be searched by clock_timestamp.)
		"@now", "statement_timestamp()",
		"@later(", "statement_timestamp() + interval '1 millisecond' * CAST(",
		"@earlier(", "statement_timestamp() - interval '1 millisecond' * CAST(",
		"@ms)", " AS bigint)",
		"@lock", "FOR NO KEY UPDATE",
		"@skip", "FOR NO KEY UPDATE SKIP LOCKED",
		// = ANY(ARRAY(…)) finds the rows by index, whatever the planner thinks
		// of their number.
		"@in(", "= ANY(ARRAY(",
		"@)", "))",
	),
	returning:    true,
	oneStatement: true,
}

var sqlite = parts{
	name:   "SQLite",
	schema: sqliteSchema,
	// A transaction that reads first and writes later fails at once if another
	// one wrote in between, and no time-out helps. One that begins with a write
	// waits for its turn.
	begin:     `UPDATE alipayplus_schema SET version = version`,
	hasSchema: `SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'alipayplus_schema'`,
	check:     checkSQLite,
	time: func(t time.Time) any {
		if t.IsZero() {
			return nil
		}
		return t.UnixMilli()
	},
	words: strings.NewReplacer(
		"@now", sqliteNow,
		"@later(", sqliteNow+" + (",
		"@earlier(", sqliteNow+" - (",
		"@ms)", ")",
		"@lock", "",
		"@skip", "",
		"@in(", "IN (",
		"@)", ")",
		"$", "?",
	),
	returning: true,
	fragile:   true,
	rollback:  true,
}

const sqliteNow = `CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER)`

func (d Dialect) parts() (*parts, error) {
	switch d {
	case PostgreSQL:
		return &postgresql, nil
	case SQLite:
		return &sqlite, nil
	case MySQL:
		return &mysql, nil
	}
	return nil, fmt.Errorf("sqlstore: dialect %d is unknown; use PostgreSQL, MySQL or SQLite", uint8(d))
}

func checkPostgreSQL(ctx context.Context, db *sql.DB) error {
	var version int
	var encoding, client, readOnly string
	err := db.QueryRowContext(ctx, `SELECT CAST(current_setting('server_version_num') AS integer), current_setting('server_encoding'),
		current_setting('client_encoding'), current_setting('transaction_read_only')`).Scan(&version, &encoding, &client, &readOnly)
	switch {
	case err != nil:
		return fmt.Errorf("sqlstore: the database does not answer as PostgreSQL: %w", err)
	case version < 130000:
		return fmt.Errorf("sqlstore: PostgreSQL %d is too old; it must be 13 or later", version/10000)
	case encoding != "UTF8":
		return fmt.Errorf("sqlstore: the encoding of the database is %s; it must be UTF8", encoding)
	case client != "UTF8":
		return fmt.Errorf("sqlstore: the encoding of the connection is %s: one key would become two; it must be UTF8", client)
	case readOnly != "off":
		return errReadOnly
	}
	return nil
}

var errReadOnly = errors.New("sqlstore: the database is read-only: a replica would tell Alipay+ of payments as they were; open the primary")

func checkSQLite(ctx context.Context, db *sql.DB) error {
	var version string
	if err := db.QueryRowContext(ctx, `SELECT sqlite_version()`).Scan(&version); err != nil {
		return fmt.Errorf("sqlstore: the database does not answer as SQLite: %w", err)
	}
	var major, minor int
	if _, err := fmt.Sscanf(version, "%d.%d", &major, &minor); err != nil || major < 3 || major == 3 && minor < 35 {
		return fmt.Errorf("sqlstore: SQLite %s is too old; it must be 3.35 or later", version)
	}
	var wait int
	if err := db.QueryRowContext(ctx, `PRAGMA busy_timeout`).Scan(&wait); err != nil {
		return fmt.Errorf("sqlstore: SQLite does not tell its busy_timeout: %w", err)
	}
	if wait <= 0 {
		return fmt.Errorf("sqlstore: SQLite has no busy_timeout: transactions would fail instead of waiting for one another; set it to 5000 in the name of the data source")
	}
	var journal string
	if err := db.QueryRowContext(ctx, `PRAGMA journal_mode`).Scan(&journal); err != nil {
		return fmt.Errorf("sqlstore: SQLite does not tell its journal_mode: %w", err)
	}
	if strings.EqualFold(journal, "off") {
		return errors.New("sqlstore: the journal_mode of SQLite is OFF: it could undo nothing; set it to WAL")
	}
	return nil
}
