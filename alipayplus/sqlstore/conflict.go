package sqlstore

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/internal/mysqlerr"
)

// conflict reports whether err says that the database undid the transaction, or
// can undo it, because another one was in its way. The classes are known without
// the drivers.
func (s *Store) conflict(err error) bool {
	if err == nil {
		return false
	}
	var postgres interface{ SQLState() string }
	if errors.As(err, &postgres) {
		switch postgres.SQLState() {
		case "40001", "40P01", "55P03": // serialization failure, deadlock, lock time-out
			return true
		}
	}
	var sqlite interface{ Code() int }
	if errors.As(err, &sqlite) {
		switch sqlite.Code() & 0xff { // the primary one of an extended code
		case 5, 6: // BUSY, LOCKED
			return true
		}
	}
	switch mysqlerr.Number(err) {
	case 1205, 1213, 1020: // lock time-out, deadlock, a row that changed since it was read
		return true
	}
	return s.conflicts(err)
}

// raced is the conflict of two transactions that wrote the first row of one
// payment. Like PostgreSQL's own serialization failures, it tells whoever
// began the transaction to run it again.
type raced struct{}

func (raced) Error() string {
	return "another transaction inserted it in the meantime; run this one again"
}

// SQLState is the class serialization_failure.
func (raced) SQLState() string { return "40001" }

// gone is the conflict of a transaction that the database undid, of which
// somebody ignored the error.
type gone struct{}

func (gone) Error() string {
	return "sqlstore: the database undid the transaction, and the error that said so was ignored; run it again"
}

// SQLState is the class serialization_failure.
func (gone) SQLState() string { return "40001" }

// maxTries bounds how often a transaction runs.
const maxTries = 12

// repeat runs once again as long as it says that a conflict undid everything.
func repeat(ctx context.Context, once func() (again bool, err error)) error {
	for try := 1; ; try++ {
		again, err := once()
		if err == nil || !again || try == maxTries {
			return err
		}
		// Full jitter: what collided once must not meet again.
		timer := time.NewTimer(rand.N(min(time.Millisecond<<try, 250*time.Millisecond)))
		select {
		case <-ctx.Done():
			timer.Stop()
			return err
		case <-timer.C:
		}
	}
}
