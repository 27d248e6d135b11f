package main

import (
	"context"
	"database/sql"
	_ "embed"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib"
	_ "modernc.org/sqlite"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/sqlstore"
	"github.com/alipayplus-mpp/alipayplus-go/auth/authsql"
)

//go:embed schema.sql
var schema string

// openDatabase opens the database at url, "" for the file wallet.db, and makes
// the tables that are missing. In production a migration tool makes them, of
// sqlstore.Schema, authsql.Schema and schema.sql.
func openDatabase(ctx context.Context, url string) (db *sql.DB, dialect sqlstore.Dialect, err error) {
	switch {
	case url == "":
		return openDatabase(ctx, "file:wallet.db")
	case strings.HasPrefix(url, "postgres://"), strings.HasPrefix(url, "postgresql://"):
		dialect = sqlstore.PostgreSQL
		db, err = sql.Open("pgx", url)
	case strings.HasPrefix(url, "file:") && !strings.Contains(url, "?"):
		dialect = sqlstore.SQLite
		db, err = sql.Open("sqlite", url+"?_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)")
	default: // the URL may have a password in it
		return nil, 0, errors.New("DATABASE_URL is neither postgres://… nor file:… without parameters")
	}
	if err != nil {
		return nil, 0, err
	}
	if err := makeTables(ctx, db, dialect); err != nil {
		_ = db.Close()
		return nil, 0, err
	}
	return db, dialect, nil
}

func makeTables(ctx context.Context, db *sql.DB, dialect sqlstore.Dialect) error {
	if err := sqlstore.Migrate(ctx, db, dialect); err != nil {
		return err
	}
	if err := authsql.Migrate(ctx, db, dialect); err != nil {
		return err
	}
	if _, err := db.ExecContext(ctx, schema); err != nil {
		return fmt.Errorf("the wallet's own tables: %w", err)
	}
	return nil
}

// purge deletes every hour what is too old to be asked for, in small pieces
// with pauses, so that payments need not wait for it.
func purge(store *sqlstore.Store) func(context.Context) error {
	return func(ctx context.Context) error {
		for {
			wait := time.Hour
			switch deleted, err := store.Purge(ctx, 50); {
			case err != nil && ctx.Err() == nil:
				slog.Error("purge", "err", err) // next time
			case deleted > 0:
				wait = 50 * time.Millisecond
			}
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(wait):
			}
		}
	}
}
