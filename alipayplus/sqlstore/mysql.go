package sqlstore

import (
	"context"
	"database/sql"
	_ "embed"
	"fmt"
	"strconv"
	"strings"
	"time"
)

//go:embed mysql.sql
var mysqlSchema string

var mysql = parts{
	name:       "MySQL",
	schema:     mysqlSchema,
	statements: mysqlStatements,
	// Under REPEATABLE READ, the default, payments that are not there yet lock
	// one another out, and a balance is read as it was.
	isolation:    sql.LevelReadCommitted,
	lockSchema:   `SELECT GET_LOCK('alipayplus_schema', 60)`,
	unlockSchema: `SELECT RELEASE_LOCK('alipayplus_schema')`,
	hasSchema:    `SELECT count(*) FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = 'alipayplus_schema'`,
	check:        checkMySQL,
	// A text, because drivers convert times to a zone that the data source
	// chooses. A DATETIME holds the years 1000 to 9999 only.
	time: func(t time.Time) any {
		switch year := t.UTC().Year(); {
		case t.IsZero():
			return nil
		case year < 1000:
			return "1000-01-01 00:00:00.000000"
		case year > 9999:
			return "9999-12-31 23:59:59.999999"
		}
		return t.UTC().Format("2006-01-02 15:04:05.000000")
	},
	words: strings.NewReplacer(
		"@now", "UTC_TIMESTAMP(6)",
		"@later(", "UTC_TIMESTAMP(6) + INTERVAL 1000 * ",
		"@earlier(", "UTC_TIMESTAMP(6) - INTERVAL 1000 * ",
		"@ms)", " MICROSECOND",
	),
	positional: true,
	fragile:    true,
}

// mysqlStatements are the templates that MySQL wants otherwise: it has no ON
// CONFLICT and no RETURNING. They depend neither on whether the driver counts
// found or changed rows, nor on anything that MySQL 8, MariaDB, TiDB or OceanBase
// has alone. An UPDATE assigns from left to right and sees what it assigned. An
// @list is as many parameters as there are.
func mysqlStatements() statements {
	s := templates
	s.lockPayment = `SELECT version, format, record FROM alipayplus_payment WHERE payment_request_id = $1 FOR UPDATE`
	s.insertPayment, _, _ = strings.Cut(s.insertPayment, "ON CONFLICT")
	s.insertRefund = `INSERT INTO alipayplus_refund (refund_request_id, payment_request_id) VALUES ($1, $2)
		ON DUPLICATE KEY UPDATE payment_request_id = payment_request_id`
	s.ownRefund = `SELECT 1 FROM alipayplus_refund WHERE refund_request_id = $1 AND payment_request_id = $2`

	s.put = `INSERT INTO alipayplus_outbox (operation, message_key, message_group, message, put_at, due_at)
		VALUES ($1, $2, $3, $4, @now, @now) ON DUPLICATE KEY UPDATE seq = seq`
	s.dueMessages = `SELECT o.seq FROM alipayplus_outbox o
		WHERE o.state = 0 AND o.due_at <= @now AND (o.message_group = '' OR NOT EXISTS (
			SELECT 1 FROM alipayplus_outbox b
			WHERE b.message_group = o.message_group AND b.message_group <> ''
				AND (b.state = 0 AND b.seq < o.seq OR b.lease <> '' AND b.due_at > @now)))
		ORDER BY o.due_at, o.seq LIMIT $1`
	s.lease = `UPDATE alipayplus_outbox FORCE INDEX (PRIMARY) SET tries = tries + 1, lease = $1, due_at = @later($2@ms)
		WHERE seq IN (@list) AND state = 0 AND due_at <= @now`
	s.leased = `SELECT seq, operation, message_key, message_group, message, tries, ` + mysqlMilliseconds + `, code
		FROM alipayplus_outbox WHERE lease = $1 AND seq IN (@list)`
	s.deadLetters = `SELECT seq, operation, message_key, message_group, message, tries, ` + mysqlMilliseconds + `, code
		FROM alipayplus_outbox WHERE state = 3 ORDER BY seq LIMIT $1`
	s.waiting = strings.NewReplacer("put_at", mysqlMilliseconds, "code, due_at", "code, "+strings.ReplaceAll(mysqlMilliseconds, "put_at", "due_at")).
		Replace(s.waiting)
	s.backlog = strings.ReplaceAll(s.backlog, `put_at`, mysqlMilliseconds)

	s.begin = `INSERT INTO alipayplus_idempotency (operation, idempotency_key, fingerprint, owner, lease_until, began_at)
		VALUES ($1, $2, $3, $4, @later($5@ms), @now)`
	s.beginAgain = `UPDATE alipayplus_idempotency SET runs = runs + 1, owner = $4, lease_until = @later($5@ms), began_at = @now
		WHERE operation = $1 AND idempotency_key = $2 AND fingerprint = $3 AND NOT answered AND (owner = '' OR lease_until <= @now)`

	s.purgeOutbox = `DELETE FROM alipayplus_outbox WHERE ended_at < @earlier($2@ms) ORDER BY ended_at LIMIT $1`
	s.oldPayments = `SELECT payment_request_id FROM alipayplus_payment
		WHERE next_at IS NULL AND updated_at < @earlier($2@ms) ORDER BY updated_at LIMIT $1 FOR UPDATE`
	s.purgeRefunds = `DELETE FROM alipayplus_refund WHERE payment_request_id IN (@list) LIMIT $1`
	s.purgePayments = `DELETE FROM alipayplus_payment WHERE payment_request_id IN (@list)
		AND NOT EXISTS (SELECT 1 FROM alipayplus_refund r WHERE r.payment_request_id = alipayplus_payment.payment_request_id) LIMIT $1`
	s.purgeIdempotency = `DELETE FROM alipayplus_idempotency WHERE began_at < @earlier($2@ms) ORDER BY began_at LIMIT $1`
	return s
}

// A time as a number, because drivers convert times from a zone that the data
// source chooses.
const mysqlMilliseconds = `TIMESTAMPDIFF(MICROSECOND, '1970-01-01 00:00:00', put_at) DIV 1000`

// bind makes positional parameters of $1, $2 and so on, and of @list as many as
// there are.
func (p *parts) bind(text string, list []any, args []any) (string, []any) {
	text = strings.ReplaceAll(text, "@list", strings.TrimSuffix(strings.Repeat("?, ", len(list)), ", "))
	if !p.positional {
		return text, args
	}
	var b strings.Builder
	var ordered []any
	for i := 0; i < len(text); i++ {
		switch c := text[i]; c {
		case '?':
			ordered, list = append(ordered, list[0]), list[1:]
			b.WriteByte('?')
		case '$':
			end := i + 1
			for end < len(text) && '0' <= text[end] && text[end] <= '9' {
				end++
			}
			n, _ := strconv.Atoi(text[i+1 : end])
			ordered = append(ordered, args[n-1])
			b.WriteByte('?')
			i = end - 1
		default:
			b.WriteByte(c)
		}
	}
	return b.String(), ordered
}

func checkMySQL(ctx context.Context, db *sql.DB) error {
	var version, mode, charset, readOnly string
	err := db.QueryRowContext(ctx, `SELECT version(), @@sql_mode, @@character_set_client, @@read_only`).Scan(&version, &mode, &charset, &readOnly)
	if err != nil {
		return fmt.Errorf("sqlstore: the database does not answer as MySQL: %w", err)
	}
	var major, minor int
	_, err = fmt.Sscanf(strings.TrimPrefix(version, "5.5.5-"), "%d.%d", &major, &minor)
	switch {
	case strings.Contains(version, "TiDB"), strings.Contains(version, "OceanBase"):
		// Their numbers are those of a MySQL that they resemble.
	case err != nil,
		strings.Contains(version, "MariaDB") && (major < 10 || major == 10 && minor < 6),
		!strings.Contains(version, "MariaDB") && major < 8:
		return fmt.Errorf("sqlstore: MySQL %s is too old; it must be MySQL 8 or MariaDB 10.6, or later", version)
	}
	switch {
	case !strings.Contains(mode, "STRICT_TRANS_TABLES") && !strings.Contains(mode, "STRICT_ALL_TABLES"):
		return fmt.Errorf("sqlstore: sql_mode %q is not strict: MySQL would cut what is too long and make one key of two; add STRICT_TRANS_TABLES", mode)
	case charset != "utf8mb4":
		return fmt.Errorf("sqlstore: the connection's character set is %s; it must be utf8mb4", charset)
	case readOnly != "0" && !strings.EqualFold(readOnly, "OFF"): // the number, or in MariaDB 12 the word
		return errReadOnly
	}
	if err := checkMySQLSession(ctx, db); err != nil {
		return err
	}
	var tables string
	err = db.QueryRowContext(ctx, `SELECT coalesce(group_concat(t.table_name), '') FROM information_schema.tables t
		WHERE t.table_schema = DATABASE() AND t.table_name LIKE 'alipayplus%'
		AND t.engine IN ('MyISAM', 'MRG_MyISAM', 'Aria', 'MEMORY', 'ARCHIVE', 'CSV', 'BLACKHOLE')`).Scan(&tables)
	switch {
	case err != nil:
		return fmt.Errorf("sqlstore: the tables' storage engines cannot be looked up: %w", err)
	case tables != "":
		return fmt.Errorf("sqlstore: the storage engine of %s has no transactions; it must be InnoDB", tables)
	}
	return nil
}

// checkMySQLSession checks what a session may have switched off. (The variable of
// the isolation has two names, and not each version knows both.)
func checkMySQLSession(ctx context.Context, db *sql.DB) error {
	rows, err := db.QueryContext(ctx, `SHOW VARIABLES WHERE variable_name IN ('autocommit', 'unique_checks', 'transaction_isolation', 'tx_isolation')`)
	if err != nil {
		return fmt.Errorf("sqlstore: the session's variables cannot be read: %w", err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var name, value string
		if err := rows.Scan(&name, &value); err != nil {
			return fmt.Errorf("sqlstore: the session's variables cannot be read: %w", err)
		}
		switch {
		case name == "autocommit" && value != "ON":
			return fmt.Errorf("sqlstore: autocommit is %s: what is done outside of a transaction would not be committed; it must be ON", value)
		case name == "unique_checks" && value != "ON":
			return fmt.Errorf("sqlstore: unique_checks is %s: a key might be there twice; it must be ON", value)
		case value == "READ-UNCOMMITTED":
			return fmt.Errorf("sqlstore: %s is %s: Alipay+ would be told of payments that may still be undone; it must be READ-COMMITTED or stricter", name, value)
		}
	}
	return rows.Err()
}
