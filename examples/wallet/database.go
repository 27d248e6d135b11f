package main

import (
	"context"
	"database/sql"
	_ "embed"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
	_ "modernc.org/sqlite"             // the driver "sqlite"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/sqlstore"
	"github.com/alipayplus-mpp/alipayplus-go/auth/authsql"
)

// schema has the tables of this program: the wallet's money, and what the played
// Alipay+ and its shops remember. It is the same text for both databases.
//
//go:embed schema.sql
var schema string

// database is where the wallet keeps everything.
type database struct {
	*sql.DB
	dialect sqlstore.Dialect
	name    string // for people
	folder  string // to be deleted at the end, "" if there is none
}

// openDatabase opens the database and makes what is missing in it.
func openDatabase(ctx context.Context, place string) (_ *database, err error) {
	d := &database{dialect: sqlstore.SQLite, name: place}
	driver, source := "sqlite", place
	switch {
	case strings.HasPrefix(place, "postgres://"), strings.HasPrefix(place, "postgresql://"):
		d.dialect, driver, d.name = sqlstore.PostgreSQL, "pgx", "PostgreSQL"
	case place == "":
		if d.folder, err = os.MkdirTemp("", "wallet-"); err != nil {
			return nil, err
		}
		d.name = filepath.Join(d.folder, "wallet.db")
		source = d.name
	}
	if driver == "sqlite" {
		source = "file:" + (&url.URL{Path: source}).EscapedPath() + "?_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_txlock=immediate"
	}
	if d.DB, err = sql.Open(driver, source); err != nil {
		return nil, errors.Join(err, d.close())
	}
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second) // a server may be silent
	defer cancel()
	if err := d.prepare(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("the database cannot be used: %w", err), d.close())
	}
	return d, nil
}

func (d *database) prepare(ctx context.Context) error {
	if err := sqlstore.Migrate(ctx, d.DB, d.dialect); err != nil {
		return err
	}
	if err := authsql.Migrate(ctx, d.DB, d.dialect); err != nil {
		return err
	}
	for statement := range strings.SplitSeq(schema, ";\n") {
		if strings.TrimSpace(statement) == "" {
			continue
		}
		if _, err := d.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	for _, u := range users {
		if _, err := d.ExecContext(ctx, `INSERT INTO wallet_account (customer_id, opening, balance) VALUES ($1, $2, $2) ON CONFLICT DO NOTHING`,
			u.id, u.opening); err != nil {
			return err
		}
	}
	return nil
}

func (d *database) close() error {
	var err error
	if d.DB != nil {
		err = d.DB.Close()
	}
	if d.folder != "" {
		err = errors.Join(err, os.RemoveAll(d.folder))
	}
	return err
}

// rows reads all rows of a query.
func rows[T any](ctx context.Context, d *database, scan func(rowScanner) (T, error), text string, args ...any) ([]T, error) {
	found, err := d.QueryContext(ctx, text, args...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = found.Close() }()
	var all []T
	for found.Next() {
		v, err := scan(found)
		if err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	return all, found.Err()
}

// rowScanner is a row of a query.
type rowScanner interface{ Scan(dest ...any) error }

func scanText(r rowScanner) (text string, err error) {
	err = r.Scan(&text)
	return text, err
}
