package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// How long rows are kept. Alipay+ refunds a payment within 366 days.
const (
	keepMessages = 30 * 24 * time.Hour  // after they were acknowledged or withdrawn
	keepPayments = 400 * 24 * time.Hour // after their last change
)

// Purge deletes at most n rows that are too old to matter, and returns how many
// it deleted: messages that were acknowledged or withdrawn 30 days ago, payments
// of which nothing is due or open and that did not change for 400 days, with
// their refunds, and answers that are 400 days old. Dead letters stay.
//
// Call it now and then, with a few hundred, until it deletes nothing, and pause
// in between: it is one transaction. On SQLite all others wait for it: give it
// fifty. Any number of processes may do so.
func (s *Store) Purge(ctx context.Context, n int) (deleted int, err error) {
	if n <= 0 {
		return 0, nil
	}
	// In a transaction MySQL is READ COMMITTED. Else a DELETE locks the gaps
	// between rows, and with them those who add some.
	err = s.InTx(ctx, func(ctx context.Context) error {
		deleted = 0
		texts := s.sql()
		for _, old := range []struct {
			keep  time.Duration
			texts []string
		}{
			{keepMessages, []string{texts.purgeOutbox}},
			{keepPayments, []string{texts.purgeRefunds, texts.purgePayments}},
			{keepPayments, []string{texts.purgeIdempotency}},
		} {
			if len(old.texts) == 2 && !s.parts.returning {
				listed, err := s.purgeListed(ctx, n-deleted)
				if err != nil {
					return err
				}
				deleted += listed
				continue
			}
			for _, text := range old.texts {
				if deleted == n {
					return nil
				}
				rows, err := s.exec(ctx, text, n-deleted, milliseconds(old.keep))
				if err != nil {
					return err
				}
				deleted += int(rows)
			}
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("sqlstore: old rows cannot be deleted: %w", err)
	}
	return deleted, nil
}

// purgeListed deletes payments and their refunds where a DELETE cannot choose
// them by a SELECT with a limit.
func (s *Store) purgeListed(ctx context.Context, n int) (deleted int, err error) {
	if n == 0 {
		return 0, nil
	}
	old, err := query(ctx, s, s.sql().oldPayments, func(rows *sql.Rows) (any, error) {
		var id string
		err := rows.Scan(&id)
		return id, err
	}, min(n, 1000), milliseconds(keepPayments))
	if err != nil || len(old) == 0 {
		return 0, err
	}
	for _, text := range []string{s.sql().purgeRefunds, s.sql().purgePayments} {
		if deleted == n {
			break
		}
		rows, err := s.execList(ctx, text, old, n-deleted)
		if err != nil {
			return 0, err
		}
		deleted += int(rows)
	}
	return deleted, nil
}
