package payment

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
)

// on applies e and carries out what follows from it.
func (s *Service) on(ctx context.Context, id string, e Event, proof alipayplus.Secret) (Record, error) {
	switch {
	case e == nil:
		return Record{}, ErrEvent
	case ctx.Value(insideKey{id}) != nil:
		return Record{}, errReentered
	case s.cfg.RemoteLedger != nil && s.cfg.Records.Joined(ctx):
		return Record{}, errRemoteTx
	}
	for tries := 1; ; tries++ {
		record, asked, err := s.checkDebit(ctx, id, e, proof)
		if err != nil {
			return record, err
		}
		record, err = s.transact(ctx, id, occurrence{event: e, asked: asked, refused: asked.refused})
		switch {
		case errors.Is(err, errUnchecked) && tries < MaxAttempts && !s.cfg.Records.Joined(ctx):
			continue
		case err == nil && s.cfg.RemoteLedger != nil:
			return s.pursue(ctx, record), nil
		}
		return record, err
	}
}

// occurrence is what a transaction is about.
type occurrence struct {
	event   Event    // nil: only OnChange, which was missed
	asked   asked    // what Check said about the debit that the event orders
	refused *Refused // the end of that debit, if it is known
	unseen  bool     // without OnChange, which failed
}

// transact runs a transaction. If a ledger in the database refuses the debit,
// all that it wrote is undone, and a second transaction records the refusal.
func (s *Service) transact(ctx context.Context, id string, o occurrence) (Record, error) {
	record, err := s.change(ctx, id, o)
	if refusal := (*debitRefused)(nil); errors.As(err, &refusal) && refusal.id == id && !s.cfg.Records.Joined(ctx) {
		o.refused = &refusal.end
		return s.change(ctx, id, o)
	}
	return record, err
}

// change runs one transaction: load, On, ledger, outbox, OnChange, store.
func (s *Service) change(ctx context.Context, id string, o occurrence) (after Record, err error) {
	var (
		before  Record
		changed bool
		own     error // what apply returned, not the database
	)
	err = s.cfg.Records.Update(ctx, id, func(ctx context.Context, r Record) (Record, error) {
		before, after = r, r
		var next Record
		next, changed, own = s.apply(context.WithValue(ctx, insideKey{id}, true), r, o)
		if own != nil {
			return r, own
		}
		after = next
		return next, nil
	})
	switch {
	case err == nil:
	case own != nil && errors.Is(err, own), errors.Is(err, ErrInconsistent):
		return before, err
	default:
		return before, &undecided{"the database", err}
	}
	if s.cfg.AfterCommit != nil && changed && !s.cfg.Records.Joined(ctx) {
		_ = s.guard(ctx, id, "AfterCommit", func() error {
			s.cfg.AfterCommit(ctx, before, after)
			return nil
		})
	}
	return after, nil
}

// apply is what happens in a transaction. changed reports whether the payment
// did, not only what Run remembers of it.
func (s *Service) apply(ctx context.Context, r Record, o occurrence) (next Record, changed bool, err error) {
	next = r
	var do []Effect
	if o.event != nil {
		if next, do, err = r.On(o.event); err != nil {
			return r, false, err
		}
	}
	if due := r.Due(); s.cfg.Ledger != nil {
		// A Ledger ends what it begins in the same transaction. A RemoteLedger
		// began what is due, and only that one knows whether money moved.
		do = slices.DeleteFunc(do, func(e Effect) bool { return slices.Contains(due, e) })
	}
	if next, err = s.carryOut(ctx, next, do, o); err != nil {
		return r, false, err
	}
	changed = next.Version != r.Version
	if !changed && !next.Missed {
		return r, false, nil
	}
	next, err = s.tell(ctx, r, next, o.unseen)
	return next, changed, err
}

// carryOut does what On ordered and reports the ends to the record. What only a
// RemoteLedger can do stays due.
func (s *Service) carryOut(ctx context.Context, r Record, do []Effect, o occurrence) (Record, error) {
	for len(do) > 0 {
		effect := do[0]
		do = do[1:]
		var end Event
		switch d := effect.(type) {
		case Debit:
			if s.cfg.Check != nil && o.asked.attempt != d.Attempt {
				return r, errUnchecked
			}
			if o.refused != nil {
				refused := *o.refused
				refused.Attempt = d.Attempt
				end = refused
				break
			}
			if s.cfg.Ledger == nil {
				continue
			}
			err := s.guard(ctx, r.PaymentRequestID, "the ledger", func() error { return s.cfg.Ledger.Debit(ctx, r, d) })
			if err != nil {
				if refusal, ok := refusalOf(err); ok {
					return r, &debitRefused{r.PaymentRequestID, refusal}
				}
				return r, &undecided{"the ledger did not debit", err}
			}
			end = Debited{Attempt: d.Attempt, At: time.Now()}
		case Void:
			continue // a Ledger has no debit under way that it could end
		case Credit:
			if s.cfg.Ledger == nil {
				continue
			}
			err := s.guard(ctx, r.PaymentRequestID, "the ledger", func() error { return s.cfg.Ledger.Credit(ctx, r, d) })
			if err != nil {
				return r, &undecided{"the ledger did not credit", err}
			}
			end = Credited{Key: d.Key}
		case Notify:
			if err := s.cfg.Records.Put(ctx, d.Message); err != nil {
				return r, &undecided{"the outbox", err}
			}
			continue
		case Withdraw:
			if err := s.cfg.Records.Withdraw(ctx, d.Operation, d.Key); err != nil {
				return r, &undecided{"the outbox", err}
			}
			continue
		}
		next, more, err := r.On(end)
		if err != nil {
			return r, err
		}
		r, do = next, append(do, more...)
	}
	// The next look is stored before the ledger is called, so that a crash in
	// between forgets nothing.
	if len(r.Due()) == 0 {
		r.Resume = Resume{}
	} else if r.Resume.Tries == 0 {
		r.Resume = again(0)
	}
	return r, nil
}

// tell calls OnChange. unseen: it failed for this change, which cannot be
// undone.
func (s *Service) tell(ctx context.Context, before, after Record, unseen bool) (Record, error) {
	if unseen {
		if !after.Missed {
			after.Missed, after.MissedState = true, before.State
		}
		after.Resume = again(after.Resume.Tries)
		return after, nil
	}
	if after.Missed {
		if after.Version == before.Version {
			after.Version++
		}
		before = after
		before.State = after.MissedState
		after.Missed, after.MissedState = false, ""
	}
	if s.cfg.OnChange == nil {
		return after, nil
	}
	err := s.guard(ctx, after.PaymentRequestID, "OnChange", func() error { return s.cfg.OnChange(ctx, before, after) })
	if err != nil {
		return after, &changeFailed{undecided{"OnChange", err}}
	}
	return after, nil
}
