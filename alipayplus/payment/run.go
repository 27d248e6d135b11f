package payment

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"time"

	"golang.org/x/sync/errgroup"
)

// Run does what time brings, until ctx ends: it closes payments that expire,
// and resumes debits, voids and credits whose end is not known (after a crash,
// or because a RemoteLedger did not answer). Run it in every process of the
// wallet; each payment is looked at by one of them. Without Run nothing is
// lost, but nothing expires either.
func (s *Service) Run(ctx context.Context) error {
	for {
		n, err := s.work(ctx)
		if err != nil && ctx.Err() == nil {
			s.log.ErrorContext(ctx, "payment: Run cannot read the payments", slog.Any("error", err))
		}
		wait := time.Second
		switch {
		case err != nil:
			wait = 5 * time.Second
		case n == batch: // there may be more
			wait = 0
		}
		timer := time.NewTimer(wait/2 + rand.N(wait/2+1))
		select {
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		case <-timer.C:
		}
	}
}

const (
	batch      = 50
	runWorkers = 8
	runLease   = time.Minute // for a batch
)

// work looks at the payments that are due now.
func (s *Service) work(ctx context.Context) (n int, err error) {
	// The end of ctx must not cut this off: payments that are leased, and nobody
	// heard of, would wait for the end of their lease.
	lease, cancel := context.WithTimeout(context.WithoutCancel(ctx), runLease/2)
	defer cancel()
	ids, err := s.cfg.Records.Lease(lease, batch, runLease)
	if err != nil {
		return 0, err
	}
	// A ledger that does not answer must not hold up what expires: the looks
	// run side by side.
	var looks errgroup.Group
	looks.SetLimit(runWorkers)
	until := time.Now().Add(runLease / 2)
	for _, id := range ids {
		if time.Now().After(until) {
			break // the rest is due again when the lease ends
		}
		n++
		looks.Go(func() error {
			err := s.guard(ctx, id, "Run", func() error { return s.look(ctx, id) })
			if err != nil {
				s.log.ErrorContext(ctx, "payment: Run cannot go on with a payment; it tries again",
					slog.String("paymentRequestId", id), slog.Any("error", err))
			}
			return nil
		})
	}
	_ = looks.Wait() // no look returns an error
	return n, ctx.Err()
}

// look does what is due of one payment. It goes on when Run is to end, but not
// for ever: a lock that nobody gives back must not hold up Run and all other
// payments.
func (s *Service) look(ctx context.Context, id string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), runLease/2)
	defer cancel()
	record, err := s.Find(ctx, id)
	if err != nil {
		return err
	}
	if len(record.Due()) == 0 && !record.Missed {
		_, err := s.transact(ctx, id, occurrence{event: Expired{At: time.Now()}})
		return err
	}
	record, err = s.postpone(ctx, id)
	if err != nil {
		return err
	}
	if record.Missed {
		if after, err := s.change(ctx, id, occurrence{}); err == nil {
			record = after
		} else if failed := (*changeFailed)(nil); errors.As(err, &failed) {
			s.log.ErrorContext(ctx, "payment: alarm: OnChange fails again for a change that cannot be undone",
				slog.String("paymentRequestId", id), slog.Any("error", err))
		} else {
			return err
		}
	}
	switch {
	case s.cfg.RemoteLedger != nil:
		s.pursue(ctx, record)
	case len(record.Due()) > 0:
		s.log.ErrorContext(ctx, "payment: alarm: a RemoteLedger began what is due, and only a Service that has it can end it",
			slog.String("paymentRequestId", id))
	}
	return nil
}

// postpone stores the next look before this one, with a back-off.
func (s *Service) postpone(ctx context.Context, id string) (after Record, err error) {
	err = s.cfg.Records.Update(ctx, id, func(_ context.Context, r Record) (Record, error) {
		after = r
		if len(r.Due()) > 0 || r.Missed {
			after.Resume = again(r.Resume.Tries)
			after.Version++
		}
		return after, nil
	})
	return after, err
}
