package authsql

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/sqlstore"
	"github.com/alipayplus-mpp/alipayplus-go/auth"
	"github.com/alipayplus-mpp/alipayplus-go/internal/mysqlerr"
)

// Open returns the codes and tokens in the database of store, for
// auth.Config.Stores. It checks that the tables of Schema are there; it changes
// nothing.
func Open(ctx context.Context, store *sqlstore.Store) (auth.Stores, error) {
	if store == nil {
		return nil, errors.New("authsql: Open needs a Store; store is nil")
	}
	s := stores{store}
	for _, table := range []string{"alipayplus_auth_code", "alipayplus_auth_token"} {
		err := s.in(ctx, "the table "+table+" cannot be read; was authsql.Schema carried out as a whole?", func(ctx context.Context, tx *sql.Tx) error {
			var none int
			return tx.QueryRowContext(ctx, "SELECT count(*) FROM "+table+" WHERE 1 = 0").Scan(&none)
		})
		if err != nil {
			return nil, err
		}
	}
	return s, nil
}

// stores implements auth.Stores.
type stores struct{ store *sqlstore.Store }

// The statements are the same for all dialects, but for what bind changes. SQLite numbers parameters by
// their first appearance, so they appear in their order.
const (
	findCode   = `SELECT version, record FROM alipayplus_auth_code WHERE digest = $1`
	insertCode = `INSERT INTO alipayplus_auth_code (digest, version, erase_at, record)
		VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`
	updateCode = `UPDATE alipayplus_auth_code SET version = $1, erase_at = $2, record = $3
		WHERE digest = $4 AND version = $5`
	deleteCodesMySQL = `DELETE FROM alipayplus_auth_code WHERE erase_at <= $1 ORDER BY erase_at, digest LIMIT $2`
	deleteCodes      = `DELETE FROM alipayplus_auth_code WHERE digest IN (
		SELECT digest FROM alipayplus_auth_code WHERE erase_at <= $1 ORDER BY erase_at, digest LIMIT $2)`

	findPair = `SELECT id, version, record FROM alipayplus_auth_token
		WHERE id = $1 OR access_digest = $1 OR refresh_digest = $1 OR old_access_digest = $1 OR old_refresh_digest = $1`
	insertPair = `INSERT INTO alipayplus_auth_token (id, customer_id, auth_client_id, reference_agreement_id, cancelled_at, ended_at,
			access_digest, refresh_digest, old_access_digest, old_refresh_digest, erase_at, version, record)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) ON CONFLICT DO NOTHING`
	updatePair = `UPDATE alipayplus_auth_token SET id = $1, customer_id = $2, auth_client_id = $3, reference_agreement_id = $4,
			cancelled_at = $5, ended_at = $6, access_digest = $7, refresh_digest = $8, old_access_digest = $9,
			old_refresh_digest = $10, erase_at = $11, version = $12, record = $13
		WHERE id = $1 AND version = $14`
	pairsToErase = `SELECT id FROM alipayplus_auth_token WHERE erase_at <= $1 ORDER BY erase_at, id LIMIT $2`
)

// InTx implements auth.Stores.
func (s stores) InTx(ctx context.Context, fn func(ctx context.Context) error) error {
	return s.store.InTx(ctx, fn)
}

// in runs fn in the transaction that ctx carries, or in one of its own. Only an
// error of the database is an error of fn: it leaves nothing but a rollback.
func (s stores) in(ctx context.Context, what string, fn func(ctx context.Context, tx *sql.Tx) error) error {
	err := s.store.InTx(ctx, func(ctx context.Context) error {
		tx, err := sqlstore.Tx(ctx)
		if err != nil {
			return err
		}
		return fn(ctx, tx)
	})
	if err != nil {
		return fmt.Errorf("authsql: %s: %w", what, err)
	}
	return nil
}

// bind makes a statement for the dialect: MySQL has no numbers for parameters and
// no ON CONFLICT.
func (s stores) bind(text string, args ...any) (string, []any) {
	if s.store.Dialect() != sqlstore.MySQL {
		return text, args
	}
	var ordered []any
	text = parameter.ReplaceAllStringFunc(text, func(name string) string {
		n, _ := strconv.Atoi(name[1:])
		ordered = append(ordered, args[n-1])
		return "?"
	})
	return strings.TrimSuffix(text, onConflict), ordered
}

const onConflict = " ON CONFLICT DO NOTHING"

var parameter = regexp.MustCompile(`\$[0-9]+`)

// change runs a statement that changes one row, or none after a conflict.
func (s stores) change(ctx context.Context, what, text string, args ...any) error {
	var rows int64
	err := s.in(ctx, what, func(ctx context.Context, tx *sql.Tx) error {
		insert := strings.HasSuffix(text, onConflict)
		text, args := s.bind(text, args...)
		done, err := tx.ExecContext(ctx, text, args...)
		if rows = 0; insert && mysqlerr.Number(err) == mysqlerr.Duplicate {
			return nil
		}
		if err != nil {
			return err
		}
		rows, err = done.RowsAffected()
		return err
	})
	if err == nil && rows == 0 {
		return auth.ErrConflict
	}
	return err
}

// find reads one row into what fields point to. It reports whether there is
// one.
func (s stores) find(ctx context.Context, what, text, key string, fields ...any) (found bool, err error) {
	if !isDigest(key) {
		return false, nil // a database may refuse, or change, what is no plain text
	}
	err = s.in(ctx, what, func(ctx context.Context, tx *sql.Tx) error {
		text, args := s.bind(text, key)
		err := tx.QueryRowContext(ctx, text, args...).Scan(fields...)
		found = err == nil
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		return err
	})
	return found && err == nil, err
}

// FindCode implements auth.Stores.
func (s stores) FindCode(ctx context.Context, digest string) (c auth.Code, err error) {
	var version int64
	var record string
	found, err := s.find(ctx, "a code cannot be read", findCode, digest, &version, &record)
	switch {
	case err != nil:
		return c, err
	case !found:
		return c, auth.ErrNotFound
	}
	if err := c.UnmarshalBinary([]byte(record)); err != nil {
		return c, err
	}
	if c.Digest != digest || c.Version != version || version < 1 {
		return auth.Code{}, errors.New("authsql: the record of a code does not fit its row")
	}
	return c, nil
}

// SaveCode implements auth.Stores.
func (s stores) SaveCode(ctx context.Context, c auth.Code) error {
	record, err := c.MarshalBinary()
	if err != nil {
		return err
	}
	const what = "a code cannot be stored"
	switch {
	case !isDigest(c.Digest):
		return errKey
	case c.Version == 1:
		return s.change(ctx, what, insertCode, c.Digest, c.Version, micro(c.EraseAt), string(record))
	default:
		return s.change(ctx, what, updateCode, c.Version, micro(c.EraseAt), string(record), c.Digest, c.Version-1)
	}
}

// DeleteCodes implements auth.Stores.
func (s stores) DeleteCodes(ctx context.Context, now time.Time, n int) (deleted int, err error) {
	err = s.in(ctx, "codes cannot be deleted", func(ctx context.Context, tx *sql.Tx) error {
		text, args := s.bind(deleteCodes, now.UnixMicro(), max(n, 0))
		if s.store.Dialect() == sqlstore.MySQL {
			text, args = s.bind(deleteCodesMySQL, now.UnixMicro(), max(n, 0))
		}
		done, err := tx.ExecContext(ctx, text, args...)
		if err != nil {
			return err
		}
		rows, err := done.RowsAffected()
		deleted = int(rows)
		return err
	})
	if err != nil {
		return 0, err
	}
	return deleted, nil
}

// FindToken implements auth.Stores.
func (s stores) FindToken(ctx context.Context, key string) (t auth.Token, err error) {
	var version int64
	var id, record string
	found, err := s.find(ctx, "a token cannot be read", findPair, key, &id, &version, &record)
	switch {
	case err != nil:
		return t, err
	case !found:
		return t, auth.ErrNotFound
	}
	if err := t.UnmarshalBinary([]byte(record)); err != nil {
		return t, err
	}
	if t.ID != id || t.Version != version || version < 1 || !slices.Contains(t.Keys(), key) {
		return auth.Token{}, errors.New("authsql: the record of a token does not fit its row")
	}
	return t, nil
}

// SaveToken implements auth.Stores.
func (s stores) SaveToken(ctx context.Context, t auth.Token) error {
	record, err := t.MarshalBinary()
	if err != nil {
		return err
	}
	for _, key := range t.Keys() {
		if !isDigest(key) {
			return errKey
		}
	}
	args := []any{
		t.ID, column(t.Grant.CustomerID), column(t.Grant.AuthClientID), column(t.Grant.ReferenceAgreementID),
		micro(t.Cancelled), micro(t.End()), t.AccessDigest, t.RefreshDigest,
		null(t.OldAccessDigest), null(t.OldRefreshDigest), micro(t.EraseAt()), t.Version, string(record),
	}
	const what = "a token cannot be stored"
	if t.Version == 1 {
		return s.change(ctx, what, insertPair, args...)
	}
	return s.change(ctx, what, updatePair, append(args, t.Version-1)...)
}

// TokensToErase implements auth.Stores.
func (s stores) TokensToErase(ctx context.Context, now time.Time, n int) (ids []string, err error) {
	err = s.in(ctx, "the tokens to erase cannot be read", func(ctx context.Context, tx *sql.Tx) error {
		ids = nil
		text, args := s.bind(pairsToErase, now.UnixMicro(), max(n, 0))
		rows, err := tx.QueryContext(ctx, text, args...)
		if err != nil {
			return err
		}
		defer func() { _ = rows.Close() }()
		for rows.Next() {
			var id string
			if err := rows.Scan(&id); err != nil {
				return err
			}
			ids = append(ids, id)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, err
	}
	return ids, nil
}

var errKey = errors.New("authsql: a key is no digest: 64 hexadecimal characters")

func isDigest(key string) bool { return len(key) == 64 && strings.Trim(key, "0123456789abcdef") == "" }

// micro returns a time as it is in a column; the zero time is NULL.
func micro(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UnixMicro()
}

// null returns a text as it is in a column; the empty one is NULL.
func null(text string) any {
	if text == "" {
		return nil
	}
	return text
}

// column escapes a text for a column, as package sqlstore does: PostgreSQL
// refuses NUL. The texts of a Grant are UTF-8.
func column(text string) string { return escape.Replace(text) }

var escape = strings.NewReplacer(`\`, `\x5c`, "\x00", `\x00`)
