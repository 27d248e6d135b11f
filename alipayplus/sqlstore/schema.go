package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
)

// schemaVersion is the version of the schema that this package works with.
const schemaVersion = 1

// Schema returns the statements that make the tables, each ended by a semicolon
// and a line end, for the tool with which you change your schema. Carry them out
// once: when the tables are there, one of the statements fails. (Of
// go-sql-driver/mysql a call takes one statement, or multiStatements=true.) It is
// empty for an unknown Dialect.
func Schema(d Dialect) string {
	p, err := d.parts()
	if err != nil {
		return ""
	}
	return p.schema
}

// Migrate makes the tables if they are missing. Use it for tests and SQLite; in
// production let your migration tool carry out Schema, so that programs need no
// right to change tables.
func Migrate(ctx context.Context, db *sql.DB, d Dialect) error {
	p, err := d.parts()
	if err != nil {
		return err
	}
	if db == nil {
		return errors.New("sqlstore: Migrate needs a database; db is nil")
	}
	switch err := p.checkSchema(ctx, db); {
	case err == nil:
		return nil
	case !errors.Is(err, errNoSchema):
		return err
	}
	if err := p.createSchema(ctx, db); err != nil {
		// Another process may have been faster.
		if p.checkSchema(ctx, db) == nil {
			return nil
		}
		return fmt.Errorf("sqlstore: the tables cannot be made: %w", err)
	}
	return nil
}

// createSchema makes the tables, in one transaction where a database can do so.
func (p *parts) createSchema(ctx context.Context, db *sql.DB) error {
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	tx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() {
		_ = tx.Rollback()
		if p.unlockSchema != "" {
			_, _ = conn.ExecContext(context.WithoutCancel(ctx), p.unlockSchema)
		}
	}()
	if p.lockSchema != "" {
		if _, err := tx.ExecContext(ctx, p.lockSchema); err != nil {
			return err
		}
		if err := p.checkSchema(ctx, tx); !errors.Is(err, errNoSchema) {
			return err // nil: another process was faster
		}
	}
	for statement := range strings.SplitSeq(p.schema, ";\n") {
		if strings.TrimSpace(statement) == "" {
			continue
		}
		if _, err := tx.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	return tx.Commit()
}

var errNoSchema = errors.New("sqlstore: the database has no tables of this package, or not all of them; carry out sqlstore.Schema with your migration tool, or call sqlstore.Migrate")

func (p *parts) checkSchema(ctx context.Context, db interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}) error {
	var found int
	if err := db.QueryRowContext(ctx, p.hasSchema).Scan(&found); err != nil {
		return fmt.Errorf("sqlstore: the database does not answer as %s: the schema cannot be looked up: %w", p.name, err)
	}
	if found == 0 {
		return errNoSchema
	}
	var rows, version int
	err := db.QueryRowContext(ctx, `SELECT count(*), coalesce(max(version), 0) FROM alipayplus_schema`).Scan(&rows, &version)
	switch {
	case err != nil:
		return fmt.Errorf("sqlstore: the schema's version cannot be read: %w", err)
	case rows == 0: // MySQL has no transaction around the tables: Migrate ended here
		return errNoSchema
	case rows > 1:
		return fmt.Errorf("sqlstore: alipayplus_schema has %d rows; it must have one", rows)
	case version < schemaVersion:
		return fmt.Errorf("sqlstore: the schema has version %d, which is too old; this program needs version %d", version, schemaVersion)
	case version > schemaVersion:
		return fmt.Errorf("sqlstore: the schema has version %d, which is too new; this program knows version %d", version, schemaVersion)
	}
	for _, table := range []string{"payment", "refund", "outbox", "idempotency"} {
		var none int
		if err := db.QueryRowContext(ctx, "SELECT count(*) FROM alipayplus_"+table+" WHERE 1 = 0").Scan(&none); err != nil {
			return fmt.Errorf("sqlstore: the table alipayplus_%s cannot be read; was sqlstore.Schema carried out as a whole? %w", table, err)
		}
	}
	return nil
}
