package sqlstore

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
)

// idempotency implements alipayplus.IdempotencyStore.
type idempotency struct{ s *Store }

// Begin implements alipayplus.IdempotencyStore.
func (i idempotency) Begin(ctx context.Context, c alipayplus.Claim) (alipayplus.ClaimState, []byte, error) {
	runs, err := i.runs(ctx, c)
	switch {
	case err != nil:
		return alipayplus.ClaimUndecided, nil, fmt.Errorf("sqlstore: %s %q cannot begin: %w", c.Operation, c.Key, err)
	case len(runs) == 1 && runs[0] > 1:
		return alipayplus.ClaimRetry, nil, nil
	case len(runs) == 1:
		return alipayplus.ClaimFirst, nil, nil
	}
	// It may not run. Why not?
	type row struct {
		fingerprint, answer []byte
		answered            bool
	}
	rows, err := query(ctx, i.s, i.s.sql().standing, func(rows *sql.Rows) (r row, err error) {
		err = rows.Scan(&r.fingerprint, &r.answered, &r.answer)
		return r, err
	}, column(c.Operation), column(c.Key))
	switch {
	case err != nil:
		return alipayplus.ClaimUndecided, nil, fmt.Errorf("sqlstore: %s %q cannot be read: %w", c.Operation, c.Key, err)
	case len(rows) == 0:
		return alipayplus.ClaimUndecided, nil, fmt.Errorf("sqlstore: %s %q was deleted", c.Operation, c.Key)
	case len(rows[0].fingerprint) != len(c.Fingerprint) || rows[0].answered && rows[0].answer == nil:
		return alipayplus.ClaimUndecided, nil, fmt.Errorf("sqlstore: the row of %s %q is damaged", c.Operation, c.Key)
	case !bytes.Equal(rows[0].fingerprint, c.Fingerprint[:]):
		return alipayplus.ClaimConflict, nil, nil
	case rows[0].answered:
		return alipayplus.ClaimAnswered, rows[0].answer, nil
	}
	return alipayplus.ClaimRunning, nil, nil
}

// runs returns how often c runs with this run, or nothing if it may not run.
func (i idempotency) runs(ctx context.Context, c alipayplus.Claim) (runs []int64, err error) {
	texts := i.s.sql()
	args := []any{column(c.Operation), column(c.Key), c.Fingerprint[:], column(c.Owner), milliseconds(c.Lease)}
	if i.s == nil || i.s.parts.returning {
		return query(ctx, i.s, texts.begin, readInt, args...)
	}
	first, err := i.s.insert(ctx, texts.begin, args...)
	if err != nil || first {
		return []int64{1}, err
	}
	again, err := i.s.exec(ctx, texts.beginAgain, args...)
	if err != nil || again == 0 {
		return nil, err
	}
	return []int64{2}, nil // or more
}

// Finish implements alipayplus.IdempotencyStore.
func (i idempotency) Finish(ctx context.Context, c alipayplus.Claim, answer []byte) error {
	changed, err := i.s.exec(ctx, i.s.sql().finish, column(c.Operation), column(c.Key), column(c.Owner), answer != nil, answer)
	switch {
	case err != nil:
		return fmt.Errorf("sqlstore: the answer to %s %q cannot be stored: %w", c.Operation, c.Key, err)
	case changed == 0:
		return alipayplus.ErrSuperseded
	}
	return nil
}
