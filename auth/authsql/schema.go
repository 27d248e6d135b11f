package authsql

import (
	"context"
	"database/sql"
	_ "embed"
	"errors"
	"fmt"
	"strings"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/sqlstore"
)

var (
	//go:embed postgresql.sql
	postgresql string
	//go:embed sqlite.sql
	sqlite string
	//go:embed mysql.sql
	mysql string
)

// Schema returns the statements that make the tables, each ended by a semicolon
// and a line end, for the tool with which you change your schema. It is empty
// for a dialect that is none of sqlstore's.
func Schema(d sqlstore.Dialect) string {
	switch d {
	case sqlstore.PostgreSQL:
		return postgresql
	case sqlstore.SQLite:
		return sqlite
	case sqlstore.MySQL:
		return mysql
	default:
		return ""
	}
}

// first is the first statement of Migrate. On PostgreSQL it lets one Migrate run
// at a time. (On MySQL each table is made by itself, and IF NOT EXISTS waits.) On
// SQLite it fails if the database is another one: PostgreSQL would make tables of
// SQLite's schema, with numbers that are too short.
var first = map[sqlstore.Dialect]string{
	sqlstore.PostgreSQL: `SELECT pg_advisory_xact_lock(7308324466)`,
	sqlstore.SQLite:     `SELECT sqlite_version()`,
}

// Migrate makes the tables if they are missing. Use it for tests and SQLite; in
// production let your migration tool carry out Schema, so that programs need no
// right to change tables.
func Migrate(ctx context.Context, db *sql.DB, d sqlstore.Dialect) error {
	switch {
	case db == nil:
		return errors.New("authsql: Migrate needs a database; db is nil")
	case Schema(d) == "":
		return fmt.Errorf("authsql: there is no schema for %v", d)
	}
	if err := migrate(ctx, db, d); err != nil {
		return fmt.Errorf("authsql: the tables cannot be made: %w", err)
	}
	return nil
}

func migrate(ctx context.Context, db *sql.DB, d sqlstore.Dialect) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	if first := first[d]; first != "" {
		if _, err := tx.ExecContext(ctx, first); err != nil {
			return err
		}
	}
	for statement := range strings.SplitSeq(Schema(d), ";\n") {
		if strings.TrimSpace(statement) == "" {
			continue
		}
		if _, err := tx.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	return tx.Commit()
}
