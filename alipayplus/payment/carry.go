package payment

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
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

// undecided is an error of the host that says nothing about the payment,
// whatever result code it may hold: several causes never classify as a refusal
// (see alipayplus.Inbound.Handle).
type undecided struct {
	what string
	err  error
}

func (e *undecided) Error() string   { return "payment: " + e.what + ": " + e.err.Error() }
func (e *undecided) Unwrap() []error { return []error{e.err} }

// changeFailed is an error of OnChange.
type changeFailed struct{ undecided }

// debitRefused ends a transaction whose ledger refused a debit. It is no refusal
// itself: in a transaction of the caller nothing is recorded.
type debitRefused struct {
	id  string
	end Refused
}

func (e *debitRefused) Error() string {
	return "payment: the ledger refused, and the transaction must be rolled back: " + e.end.Code.Error()
}
func (e *debitRefused) Unwrap() []error { return []error{e.end.Code} }

// guard calls a function of the host. Its panic becomes an error, so that the
// transaction is rolled back, money that may have moved is asked for again, and
// Run goes on. The value may hold anything, so that only its type is shown.
func (s *Service) guard(ctx context.Context, id, what string, call func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &undecided{what, fmt.Errorf("panic with a %T", v)}
			s.log.ErrorContext(ctx, "payment: alarm: panic", slog.String("paymentRequestId", id),
				slog.Any("error", err), slog.String("stack", string(debug.Stack())))
		}
	}()
	return call()
}

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

// asked is what Check said about a debit.
type asked struct {
	attempt int      // that it was asked about, 0 if e ordered none
	refused *Refused // nil: agreed
}

// errUnchecked: the event orders another debit than the one that Check was asked
// about, because the payment changed in between.
var errUnchecked = errors.New("payment: Check was not asked about this debit")

// checkDebit asks Check before e orders a debit. A refusal is returned to be
// recorded.
func (s *Service) checkDebit(ctx context.Context, id string, e Event, proof alipayplus.Secret) (record Record, a asked, err error) {
	switch e.(type) {
	case Confirmed, Verified:
	default:
		return Record{}, asked{}, nil
	}
	if s.cfg.Check == nil {
		return Record{}, asked{}, nil
	}
	if record, err = s.Find(ctx, id); err != nil {
		return record, asked{}, err
	}
	next, do, err := record.On(e)
	if err != nil {
		return record, asked{}, err
	}
	for _, effect := range do {
		d, ok := effect.(Debit)
		if !ok {
			continue
		}
		a.attempt = d.Attempt
		err := s.check(ctx, Check{Stage: StageDebit, Terms: next.Terms, Record: record, Source: next.Source, Proof: proof})
		if err == nil {
			continue
		}
		end, ok := refusalOf(err)
		if !ok {
			return record, asked{}, &undecided{"Check", err}
		}
		a.refused = &end
	}
	return record, a, nil
}

// refusalOf is the refusal that err is wholly, also at the end of a chain of
// single %w.
func refusalOf(err error) (Refused, bool) {
	result, ok := alipayplus.RefusalOf(err)
	return Refused{Code: result.Code, Retry: errors.As(err, new(retryable))}, ok
}

// occurrence is what a transaction is about.
type occurrence struct {
	event   Event    // nil: carry out what is due
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
	do := r.Due()
	next = r
	if o.event != nil {
		if next, do, err = r.On(o.event); err != nil {
			return r, false, err
		}
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
			if o.event != nil && s.cfg.Check != nil && o.asked.attempt != d.Attempt {
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

// tell calls OnChange. unseen: it failed for this change, which cannot be undone.
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

// remoteTimeout bounds the calls of a RemoteLedger that follow from one event,
// all together: a handler waits for them, and Alipay+ for the handler.
const remoteTimeout = 5 * time.Second

// again is the next look after some tries: 10, 20, 40 … seconds, at most 10
// minutes, longer than the calls of the ledger take.
func again(tries int) Resume {
	wait := min(10*time.Second<<min(tries, 6), 10*time.Minute)
	return Resume{At: time.Now().Add(wait).UTC().Truncate(time.Microsecond), Tries: tries + 1}
}

// pursue calls the RemoteLedger for all that is due, each once, and records the
// answers. It goes on when the caller gives up, because money moves. What is not
// known stays due.
func (s *Service) pursue(ctx context.Context, r Record) Record {
	ctx = context.WithoutCancel(ctx)
	calls, cancel := context.WithTimeout(ctx, remoteTimeout)
	defer cancel()
	called := make(map[Effect]bool)
	for {
		var next Effect
		for _, effect := range r.Due() {
			if !called[effect] {
				next = effect
				break
			}
		}
		if next == nil || calls.Err() != nil {
			return r
		}
		called[next] = true
		end, err := s.call(calls, r, next)
		log := s.log.With(slog.String("paymentRequestId", r.PaymentRequestID))
		if err != nil {
			log.WarnContext(ctx, "payment: the ledger does not know the end yet; it is asked again", slog.Any("error", err))
			continue
		}
		after, err := s.change(ctx, r.PaymentRequestID, occurrence{event: end})
		if failed := (*changeFailed)(nil); errors.As(err, &failed) {
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
func (s *Service) call(ctx context.Context, r Record, effect Effect) (end Event, err error) {
	ledger := s.cfg.RemoteLedger
	err = s.guard(ctx, r.PaymentRequestID, "the ledger", func() error {
		switch d := effect.(type) {
		case Debit:
			at, err := ledger.Debit(ctx, r, d)
			if refused, ok := refusalOf(err); ok {
				refused.Attempt = d.Attempt
				end = refused
				return nil
			}
			if at.IsZero() {
				at = time.Now()
			}
			end = Debited{Attempt: d.Attempt, At: at}
			return err
		case Void:
			landed, err := ledger.Void(ctx, r, d)
			end = Debited{Attempt: d.Attempt, At: landed}
			if landed.IsZero() {
				end = Refused{Attempt: d.Attempt}
			}
			return err
		case Credit:
			end = Credited{Key: d.Key}
			return ledger.Credit(ctx, r, d)
		default:
			return ErrEvent
		}
	})
	return end, err
}
