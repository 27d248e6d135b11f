package payment

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus"
)

// The only place where effects are carried out.

var (
	errReentered = errors.New("payment: OnChange, Ledger and Check must not change the payment that they are called for")
	errRemoteTx  = errors.New("payment: with a RemoteLedger a payment cannot change in a transaction of the caller: the ledger is called after the commit")
)

// insideKey marks the context of a running change.
type insideKey struct{ id string }

// debitRefused ends a transaction whose ledger refused a debit.
type debitRefused struct{ end Refused }

func (e *debitRefused) Error() string { return "payment: the ledger refused: " + e.end.Code.Error() }

// undecided is an error of the host that says nothing about the payment,
// whatever result code it may hold: several causes never classify as a refusal
// (see alipayplus.Inbound.Handle).
type undecided struct {
	what string
	err  error
}

func (e undecided) Error() string   { return "payment: " + e.what + ": " + e.err.Error() }
func (e undecided) Unwrap() []error { return []error{e.err} }

// changeFailed is an error of OnChange.
type changeFailed struct{ undecided }

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
	refused, err := s.checkDebit(ctx, id, e, proof)
	if err != nil {
		return Record{}, err
	}
	record, err := s.change(ctx, id, occurrence{event: e, refused: refused})
	if local := (*debitRefused)(nil); errors.As(err, &local) && !s.cfg.Records.Joined(ctx) {
		// All that the ledger wrote before it refused is undone by now.
		record, err = s.change(ctx, id, occurrence{event: e, refused: &local.end})
	}
	if err != nil || s.cfg.RemoteLedger == nil {
		return record, err
	}
	return s.pursue(ctx, record), nil
}

// checkDebit asks Check before e orders a debit. A refusal is returned to be
// recorded.
func (s *Service) checkDebit(ctx context.Context, id string, e Event, proof alipayplus.Secret) (*Refused, error) {
	switch e.(type) {
	case Confirmed, Verified:
	default:
		return nil, nil //nolint:nilnil // nothing to check
	}
	if s.cfg.Check == nil {
		return nil, nil //nolint:nilnil // nothing to check
	}
	record, err := s.Find(ctx, id)
	if err != nil {
		return nil, err
	}
	next, do, err := record.On(e)
	if err != nil {
		return nil, err
	}
	for _, effect := range do {
		d, ok := effect.(Debit)
		if !ok {
			continue
		}
		err := s.check(context.WithValue(ctx, insideKey{id}, true), Check{
			Stage: StageDebit, Terms: next.Terms, Record: record, Source: next.Source, Proof: proof,
		})
		if err == nil {
			break
		}
		if end, ok := refusalOf(err); ok {
			end.Attempt = d.Attempt
			return &end, nil
		}
		return nil, undecided{"Check", err}
	}
	return nil, nil //nolint:nilnil // agreed
}

// refusalOf is the refusal that err is wholly, also at the end of a chain of
// single %w.
func refusalOf(err error) (Refused, bool) {
	var end Refused
	if errors.As(err, new(retryable)) {
		end.Retry = true
	}
	result, ok := alipayplus.RefusalOf(err)
	end.Code = result.Code
	return end, ok
}

// occurrence is what a transaction is about.
type occurrence struct {
	event   Event    // nil: carry out what is due
	refused *Refused // the end of the debit that the event orders, if it is known
	unseen  bool     // without OnChange, which failed
}

// change runs one transaction: load, On, ledger, outbox, OnChange, store.
func (s *Service) change(ctx context.Context, id string, o occurrence) (after Record, err error) {
	var before Record
	err = s.cfg.Records.Update(ctx, id, func(ctx context.Context, r Record) (Record, error) {
		ctx = context.WithValue(ctx, insideKey{id}, true)
		before, after = r, r
		next, do := r, r.Due()
		if o.event != nil {
			var err error
			if next, do, err = r.On(o.event); err != nil {
				return r, err
			}
		}
		next, err := s.carryOut(ctx, next, do, o.refused)
		if err != nil {
			return r, err
		}
		if next.Version == r.Version && !next.Missed {
			return r, nil
		}
		if next, err = s.tell(ctx, r, next, o.unseen); err != nil {
			return r, err
		}
		after = next
		return next, nil
	})
	if err != nil {
		return before, err
	}
	if s.cfg.AfterCommit != nil && after.Version != before.Version && !s.cfg.Records.Joined(ctx) {
		s.cfg.AfterCommit(ctx, before, after)
	}
	return after, nil
}

// carryOut does what On ordered and reports the ends to the record. What only a
// RemoteLedger can do stays due.
func (s *Service) carryOut(ctx context.Context, r Record, do []Effect, refused *Refused) (Record, error) {
	for len(do) > 0 {
		effect := do[0]
		do = do[1:]
		var end Event
		switch d := effect.(type) {
		case Debit:
			if refused != nil {
				refused.Attempt = d.Attempt
				end = *refused
				break
			}
			if s.cfg.Ledger == nil {
				continue
			}
			err := s.cfg.Ledger.Debit(ctx, r, d)
			if err != nil {
				if refusal, ok := refusalOf(err); ok {
					return r, &debitRefused{refusal}
				}
				return r, undecided{"the ledger did not debit", err}
			}
			end = Debited{Attempt: d.Attempt, At: time.Now()}
		case Void:
			if s.cfg.Ledger == nil {
				continue
			}
			// A debit is booked in the transaction that orders it, so that none
			// is under way.
			end = Refused{Attempt: d.Attempt}
		case Credit:
			if s.cfg.Ledger == nil {
				continue
			}
			if err := s.cfg.Ledger.Credit(ctx, r, d); err != nil {
				return r, undecided{"the ledger did not credit", err}
			}
			end = Credited{Key: d.Key}
		case Notify:
			if err := s.cfg.Records.Put(ctx, d.Message); err != nil {
				return r, err
			}
			continue
		case Withdraw:
			if err := s.cfg.Records.Withdraw(ctx, d.Operation, d.Key); err != nil {
				return r, err
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

// tell calls OnChange. unseen: it failed for this change, which cannot be undone.
func (s *Service) tell(ctx context.Context, before, after Record, unseen bool) (Record, error) {
	if s.cfg.OnChange == nil {
		after.Missed, after.MissedState = false, ""
		return after, nil
	}
	if unseen {
		if !after.Missed {
			after.Missed, after.MissedState = true, before.State
		}
		after.Resume = again(after.Resume.Tries)
		return after, nil
	}
	if after.Missed {
		before = after
		before.State = after.MissedState
		after.Missed, after.MissedState = false, ""
		after.Version++
	}
	if err := s.cfg.OnChange(ctx, before, after); err != nil {
		return after, changeFailed{undecided{"OnChange", err}}
	}
	return after, nil
}

// remoteTimeout bounds one call of a RemoteLedger.
const remoteTimeout = 5 * time.Second

// again is the next look after some tries: 10, 20, 40 … seconds, at most 10
// minutes, longer than a call of the ledger takes.
func again(tries int) Resume {
	wait := min(10*time.Second<<min(tries, 6), 10*time.Minute)
	return Resume{At: time.Now().Add(wait).UTC().Truncate(time.Microsecond), Tries: tries + 1}
}

// pursue calls the RemoteLedger for all that is due, each once, and records the
// answers. It goes on when the caller gives up, because money moves. What is not
// known stays due.
func (s *Service) pursue(ctx context.Context, r Record) Record {
	ctx = context.WithoutCancel(ctx)
	called := make(map[Effect]bool)
	for {
		var next Effect
		for _, effect := range r.Due() {
			if !called[effect] {
				next = effect
				break
			}
		}
		if next == nil {
			return r
		}
		called[next] = true
		end, err := s.call(ctx, r, next)
		log := s.log.With(slog.String("paymentRequestId", r.PaymentRequestID))
		if err != nil {
			log.WarnContext(ctx, "payment: the ledger does not know the end yet; it is asked again", slog.Any("error", err))
			continue
		}
		after, err := s.change(ctx, r.PaymentRequestID, occurrence{event: end})
		if failed := (changeFailed{}); errors.As(err, &failed) {
			log.ErrorContext(ctx, "payment: alarm: OnChange failed after money moved; it is called again", slog.Any("error", err))
			after, err = s.change(ctx, r.PaymentRequestID, occurrence{event: end, unseen: true})
		}
		if err != nil {
			log.ErrorContext(ctx, "payment: the end of a debit, void or credit is not recorded; the ledger is asked again", slog.Any("error", err))
			continue
		}
		r = after
	}
}

// call calls the RemoteLedger. An error means that the end is not known.
func (s *Service) call(ctx context.Context, r Record, effect Effect) (Event, error) {
	ctx, cancel := context.WithTimeout(ctx, remoteTimeout)
	defer cancel()
	switch d := effect.(type) {
	case Debit:
		at, err := s.cfg.RemoteLedger.Debit(ctx, r, d)
		if err != nil {
			if end, ok := refusalOf(err); ok {
				end.Attempt = d.Attempt
				return end, nil
			}
			return nil, err
		}
		if at.IsZero() {
			at = time.Now()
		}
		return Debited{Attempt: d.Attempt, At: at}, nil
	case Void:
		landed, err := s.cfg.RemoteLedger.Void(ctx, r, d)
		switch {
		case err != nil:
			return nil, err
		case landed.IsZero():
			return Refused{Attempt: d.Attempt}, nil
		}
		return Debited{Attempt: d.Attempt, At: landed}, nil
	case Credit:
		if err := s.cfg.RemoteLedger.Credit(ctx, r, d); err != nil {
			return nil, err
		}
		return Credited{Key: d.Key}, nil
	default:
		return nil, ErrEvent
	}
}
